//! What one does to generations: marking, staging for deletion, tags; and where the overview leads.

use crate::engine::{Answer, JobKind, JobState, Question, Task};
use crate::tui::model::{Model, Screen};
use crate::tui::msg::{Effect, Msg};
use crate::tui::screens::vaults::Pane;
use crate::tui::stage::Stage;
use crate::tui::stage::vaults::generations;
use crate::tui::theme::Look;
use crate::vault::Id;
use crate::vault::change::TagChange;

fn stage(keys: &str) -> Stage {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("2 Enter");
    stage.keys(keys);
    stage
}

/// The jobs that were started since the last call.
fn started(stage: &mut Stage) -> Vec<Task> {
    let effects = stage.effects.drain(..);
    let tasks = effects.filter_map(|effect| match effect {
        Effect::Start { task, .. } => Some(*task),
        _ => None,
    });
    tasks.collect()
}

fn ids(rows: &[usize]) -> Vec<Id> {
    let all = generations();
    rows.iter().map(|row| all[*row].id).collect()
}

fn to_be_deleted(stage: &Stage) -> usize {
    stage.screen().matches("  to be deleted").count()
}

#[test]
fn nothing_is_deleted_before_the_vaults_name_is_typed() {
    let mut stage = stage("j d d w");
    assert!(stage.screen().contains("Delete 2 generations of home?"));
    stage.keys("Enter w d");
    assert!(
        started(&mut stage).is_empty(),
        "neither Enter nor the keys that led here"
    );
    stage.keys("y");
    stage.text("hom");
    stage.keys("Enter");
    assert!(stage.screen().contains("That is not it."));
    assert!(started(&mut stage).is_empty());
    stage.text("e");
    stage.keys("Enter");
    let tasks = started(&mut stage);
    let [Task::Forget { vault, ids: gone, .. }] = tasks.as_slice() else {
        panic!("{tasks:?}")
    };
    assert_eq!((vault.as_str(), gone.as_slice()), ("home", ids(&[1, 2]).as_slice()));
    assert!(stage.model.dialogs.is_empty());
}

#[test]
fn keys_of_the_first_moment_are_not_heard() {
    let mut stage = stage("d w");
    stage.millis -= 300;
    stage.keys("y");
    assert!(stage.screen().contains("Delete 1 generation of home?"));
    stage.keys("y");
    assert!(stage.screen().contains("Type home to go on:"));
}

#[test]
fn staging_is_taken_back_step_by_step() {
    let mut stage = stage("d d v j j d");
    assert_eq!(to_be_deleted(&stage), 5);
    stage.keys("z");
    assert_eq!(to_be_deleted(&stage), 2);
    stage.keys("g d");
    assert_eq!(to_be_deleted(&stage), 1, "d on what is staged takes it back");
    stage.keys("z");
    assert_eq!(to_be_deleted(&stage), 2, "which can be taken back as well");
    stage.keys("w Space Space");
    assert_eq!((to_be_deleted(&stage), stage.model.dialogs.len()), (0, 0));
    stage.keys("w");
    assert!(
        stage.screen().contains("Nothing is staged for deletion"),
        "{}",
        stage.screen()
    );
}

#[test]
fn what_is_staged_stays_with_its_vault() {
    let mut stage = stage("d h j");
    assert_eq!(to_be_deleted(&stage), 0);
    stage.keys("k");
    stage.wait(200);
    assert_eq!(to_be_deleted(&stage), 1);
    // Gone in the meantime: no longer staged.
    stage.model.generations.load = Default::default();
    stage.silent = true;
    stage.wait(1);
    let request = stage.unanswered.iter().find_map(|(request, question)| match question {
        Question::Generations { .. } => Some(*request),
        _ => None,
    });
    let at = stage.now();
    let rows = generations().split_off(1);
    stage.send(Msg::Answer {
        request: request.unwrap(),
        answer: Answer::Generations(rows),
        complete: true,
        at,
    });
    stage.keys("w");
    assert!(stage.screen().contains("Nothing is staged for deletion"));
}

#[test]
fn two_points_in_time_are_marked_at_most() {
    let mut stage = stage("m j j m");
    let marks = |model: &Model| model.generations.marks.clone();
    assert_eq!(marks(&stage.model), ids(&[0, 2]));
    stage.keys("j m");
    assert_eq!(
        marks(&stage.model),
        ids(&[2, 3]),
        "the third takes the place of the first"
    );
    let screen = stage.screen();
    assert!(
        screen.contains(" B 2026-11-20") && screen.contains(" A 2026-11-15"),
        "A is the older one\n{screen}"
    );
    stage.keys("m");
    assert_eq!(marks(&stage.model), ids(&[2]));
    stage.keys("Esc");
    assert!(marks(&stage.model).is_empty());
}

#[test]
fn tags_are_set_on_one_and_added_to_many() {
    let mut stage = stage("e");
    stage.keys("Enter");
    assert!(started(&mut stage).is_empty(), "nothing was changed");
    stage.keys("e");
    stage.text(", before upgrade, weekly");
    stage.keys("Enter");
    let tasks = started(&mut stage);
    let [Task::Tag { ids: on, change, .. }] = tasks.as_slice() else {
        panic!("{tasks:?}")
    };
    assert_eq!(on, &ids(&[0]));
    assert_eq!(*change, TagChange::Set(vec!["weekly".into(), "before upgrade".into()]));
    stage.keys("j v j j e");
    stage.text("kept");
    stage.keys("Enter");
    let tasks = started(&mut stage);
    let [Task::Tag { ids: on, change, .. }] = tasks.as_slice() else {
        panic!("{tasks:?}")
    };
    assert_eq!((on, change), (&ids(&[1, 2, 3]), &TagChange::Add(vec!["kept".into()])));
    assert_eq!(stage.model.generations.anchor, None);
}

#[test]
fn selected_generations_are_acted_on_together() {
    let mut stage = stage("Space j Space");
    assert_eq!(stage.model.generations.picked.len(), 2);
    assert!(stage.screen().contains("2 generations selected: d stages them"));
    stage.keys("d");
    assert_eq!((to_be_deleted(&stage), stage.model.generations.picked.len()), (2, 0));
    stage.keys("z a");
    assert_eq!(stage.model.generations.picked.len(), 14);
    stage.keys("a g Space * e");
    stage.text("old");
    stage.keys("Enter");
    let tasks = started(&mut stage);
    let [Task::Tag { ids: on, .. }] = tasks.as_slice() else {
        panic!("{tasks:?}")
    };
    assert_eq!((on.len(), on.contains(&ids(&[0])[0])), (13, false));
    stage.keys("g v j j Space Esc");
    assert!(stage.model.generations.picked.is_empty(), "Esc leaves what is selected");
}

#[test]
fn a_locked_vaults_generations_are_shown_as_they_were_known() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("2");
    stage.silent = true;
    stage.keys("j");
    stage.wait(200);
    let request = stage.unanswered.iter().find_map(|(request, question)| match question {
        Question::Generations { vault } if vault == "away" => Some(*request),
        _ => None,
    });
    let at = stage.now();
    let needed = Answer::PasswordNeeded {
        vault: "away".into(),
        problem: String::new(),
    };
    for (answer, complete) in [(Answer::Generations(generations()), false), (needed, true)] {
        stage.send(Msg::Answer {
            request: request.unwrap(),
            answer,
            complete,
            at,
        });
    }
    let screen = stage.screen();
    assert!(
        screen.contains("Generations (vault locked)") && screen.contains("2026-11-22 03:00"),
        "{screen}"
    );
}

/// A password that is set for a vault and is wrong is told, not asked for as if there were none.
#[test]
fn a_wrong_password_in_the_config_is_told() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.world.poison = Some(|answer| {
        if let Answer::PasswordNeeded { problem, .. } = answer {
            *problem = "wrong password for /srv/away".into();
        }
    });
    stage.keys("2 j");
    stage.wait(200);
    let screen = stage.screen();
    assert!(screen.contains("locked: wrong password"), "{screen}");
    stage.keys("Enter");
    let screen = stage.screen();
    assert!(screen.contains("│ wrong password for /srv/away"), "{screen}");
}

/// What a vault or the config says in names cannot act on the terminal.
#[test]
fn hostile_words_are_harmless_wherever_they_are_shown() {
    let evil = "a\x1b[31mb\u{202e}c\u{200b}\n";
    for (columns, rows) in [(80, 24), (120, 40), (160, 50)] {
        let mut stage = Stage::new(columns, rows, Look::default());
        stage.keys("2");
        for row in &mut stage.model.vaults.all {
            (row.name, row.location, row.problem) = (evil.into(), evil.into(), evil.into());
        }
        stage.keys("Enter");
        for row in &mut stage.model.generations.all {
            (row.host, row.user, row.program) = (evil.into(), evil.into(), evil.into());
            (row.paths, row.tags) = (vec![evil.into()], vec![evil.into()]);
        }
        let told = &mut stage.model.overview.told;
        for plan in &mut told.plans {
            plan.name = evil.into();
            plan.copies.iter_mut().for_each(|copy| copy.vault = evil.into());
        }
        for vault in &mut told.vaults {
            (vault.name, vault.location, vault.plans) = (evil.into(), evil.into(), vec![evil.into()]);
            vault.reach = crate::engine::overview::Reach::Problem(evil.into());
        }
        for run in &mut told.runs {
            (run.info.vault, run.info.plan) = (evil.into(), Some(evil.into()));
            run.state = JobState::Failed {
                error: evil.into(),
                exit_code: 1,
            };
        }
        told.warnings.iter_mut().for_each(|warning| warning.text = evil.into());
        stage.model.generations.vault = Some(evil.into());
        for keys in ["", "+ Tab", "+ Tab", "1", "2 Tab d w", "y", "Esc e", "Esc"] {
            stage.silent = true;
            stage.keys(keys);
            let screen = stage.screen();
            let acts = |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{202e}' | '\u{200b}');
            assert!(!screen.chars().any(|c| acts(&c)), "{keys}: {screen:?}");
        }
    }
}

#[test]
fn started_read_only_nothing_is_staged_or_tagged() {
    let mut stage = stage("");
    stage.model.read_only = true;
    for key in ["d", "e"] {
        stage.keys(key);
        assert!(stage.screen().contains("Started with --read-only"), "{key}");
    }
    assert_eq!((to_be_deleted(&stage), stage.model.dialogs.len()), (0, 0));
}

#[test]
fn the_details_follow_the_cursor_once_it_rests() {
    let mut stage = stage("j");
    let shown = |stage: &Stage| stage.model.generations.shown.id.map(|id| id.short().to_string());
    stage.wait(200);
    assert_eq!(shown(&stage), Some(ids(&[1])[0].short().to_string()));
    // Half a second between two keys: the details are one behind until it rests.
    stage.keys("j");
    assert_eq!(shown(&stage), Some(ids(&[1])[0].short().to_string()));
    assert!(stage.effects.iter().any(|effect| matches!(effect, Effect::Wake(_))));
    stage.wait(200);
    assert_eq!(shown(&stage), Some(ids(&[2])[0].short().to_string()));
}

#[test]
fn panes_go_around() {
    let mut stage = stage("");
    let mut panes = Vec::new();
    for key in ["Tab", "Tab", "Tab", "Shift-Tab", "h"] {
        stage.keys(key);
        panes.push(stage.model.pane);
    }
    use Pane::{Details, Generations, Vaults};
    assert_eq!(panes, [Details, Vaults, Generations, Vaults, Vaults]);
}

#[test]
fn the_overview_leads_to_what_its_rows_are_about() {
    for (rows, vault) in [
        (0, "away"),
        (1, "home"),
        (3, "home"),
        (4, "away"),
        (7, "gone"),
        (8, "away"),
        (9, "home"),
    ] {
        let mut stage = Stage::new(120, 40, Look::default());
        stage.keys("1");
        stage.keys(&"j ".repeat(rows));
        stage.keys("Enter");
        let model = &stage.model;
        assert_eq!(
            (model.screen, model.pane),
            (Screen::Vaults, Pane::Generations),
            "row {rows}"
        );
        assert_eq!(model.generations.vault.as_deref(), Some(vault), "row {rows}");
    }
}

#[test]
fn the_overview_leads_to_what_brings_something_back() {
    let go = |rows: usize| {
        let mut stage = Stage::new(120, 40, Look::default());
        stage.keys("1");
        stage.keys(&"j ".repeat(rows));
        stage.keys("Enter");
        stage
    };
    let path = go(13);
    assert_eq!(
        (path.model.screen, path.model.pane),
        (Screen::Vaults, Pane::Generations)
    );
    let machine = go(15);
    assert_eq!(machine.model.screen, Screen::Snapshots);
    let on = machine.model.snapshots.targets.list.current();
    assert_eq!(on.map(|row| row.name.as_str()), Some("db"));
    // A path that nothing brings back needs a plan.
    assert_eq!(go(16).model.screen, Screen::Overview);
}

#[test]
fn the_plan_under_the_overviews_cursor_is_offered_first() {
    for (rows, first) in [(0, "documents"), (1, "everything")] {
        let mut stage = Stage::new(120, 40, Look::default());
        stage.keys("1");
        stage.keys(&"j ".repeat(rows));
        stage.keys("b Enter");
        let tasks = started(&mut stage);
        let [Task::Plan { plan, .. }] = tasks.as_slice() else {
            panic!("{tasks:?}")
        };
        assert_eq!(plan, first);
    }
}

#[test]
fn the_overview_is_asked_for_again_when_a_job_ends() {
    let mut stage = Stage::new(120, 40, Look::default());
    stage.keys("1");
    let job = stage.start_job(JobKind::Backup, "Back up everything to home");
    stage.silent = true;
    stage.end_job(
        &job,
        JobState::Done {
            summary: String::new(),
            problems: 0,
        },
    );
    let asked = stage
        .unanswered
        .iter()
        .any(|(_, question)| *question == Question::Overview);
    assert!(asked, "{:?}", stage.unanswered);
}

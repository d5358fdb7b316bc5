//! Random hands: whatever comes in whatever order, nothing panics, and cursor, windows and selection stay consistent.

use proptest::prelude::*;

use crate::engine::{JobKind, JobState};
use crate::tui::keys::Key;
use crate::tui::msg::{Effect, Msg};
use crate::tui::stage::Stage;
use crate::tui::theme::{ASCII, Look, Theme};

#[derive(Debug, Clone)]
enum Step {
    Key(&'static str),
    Char(char),
    Paste(String),
    Resize(u16, u16),
    Wait(u64),
    /// Questions stay unanswered from now on, or are answered, newest first.
    Silent(bool),
    Job,
    Progress(u64),
    End(u8),
}

const KEYS: [&str; 89] = [
    "6",
    "W",
    "$",
    "[",
    "]",
    "=",
    "-",
    "L",
    "i",
    "0",
    "t",
    "z",
    ":",
    "Ctrl-p",
    "P",
    "A",
    "K",
    "U",
    "C",
    "n",
    "X",
    "e",
    "w",
    ".",
    "D",
    "Ctrl-s",
    "Ctrl-b",
    "~",
    "1",
    "2",
    "3",
    "3",
    "4",
    "5",
    "6",
    "j",
    "k",
    "j",
    "j",
    "G",
    "g",
    "PgDn",
    "PgUp",
    "Ctrl-d",
    "Ctrl-u",
    "Enter",
    "Enter",
    "Enter",
    "l",
    "h",
    "Backspace",
    "Tab",
    "Shift-Tab",
    "+",
    "/",
    "Space",
    "Space",
    "v",
    "a",
    "*",
    "u",
    "r",
    "b",
    "J",
    "R",
    "?",
    "Esc",
    "Esc",
    "q",
    "y",
    "n",
    "x",
    "c",
    "<",
    ">",
    "V",
    "d",
    "D",
    "s",
    "p",
    "m",
    "o",
    "w",
    "N",
    "↑",
    "↓",
    "←",
    "→",
    "Ctrl-w",
];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => prop::sample::select(&KEYS[..]).prop_map(Step::Key),
        2 => any::<char>().prop_map(Step::Char),
        1 => ".{0,8}".prop_map(Step::Paste),
        1 => (0u16..140, 0u16..50).prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => (0u64..20_000).prop_map(Step::Wait),
        2 => any::<bool>().prop_map(Step::Silent),
        1 => Just(Step::Job),
        1 => (0u64..=100).prop_map(Step::Progress),
        1 => (0u8..4).prop_map(Step::End),
    ]
}

fn play(stage: &mut Stage, steps: Vec<Step>) {
    let mut jobs = Vec::new();
    for step in steps {
        match step {
            Step::Key(name) => stage.keys(name),
            Step::Char(c) => stage.send(Msg::Key(Key::char(c), stage.now())),
            Step::Paste(text) => stage.send(Msg::Paste(text, stage.now())),
            Step::Resize(columns, rows) => stage.send(Msg::Resize(columns, rows)),
            Step::Wait(millis) => stage.wait(millis),
            Step::Silent(silent) => {
                stage.silent = silent;
                if !silent {
                    stage.unanswered.make_contiguous().reverse();
                    stage.answer();
                }
            }
            Step::Job => jobs.push(stage.start_job(JobKind::Restore, "Restore a thing")),
            Step::Progress(percent) => {
                if let Some(job) = jobs.last().cloned() {
                    stage.progress(&job, percent);
                }
            }
            Step::End(how) => {
                if let Some(job) = jobs.pop() {
                    let state = match how {
                        0 => JobState::Done {
                            summary: "done".into(),
                            problems: 0,
                        },
                        1 => JobState::Done {
                            summary: "done".into(),
                            problems: 3,
                        },
                        2 => JobState::Cancelled { cleaned: false },
                        _ => JobState::Failed {
                            error: "no space left\non device".into(),
                            exit_code: 1,
                        },
                    };
                    stage.end_job(&job, state);
                }
            }
        }
        consistent(stage);
    }
}

fn consistent(stage: &Stage) {
    let model = &stage.model;
    let files = &model.files.list;
    if let Some(total) = files.total() {
        assert!(files.cursor() < total.max(1));
        assert!(
            total == 0 || files.visible().contains(&files.cursor()),
            "the cursor is on the screen"
        );
    }
    let (_, held) = files.held();
    assert!(
        held.len() <= 10_000 + 3 * 60,
        "three screens of rows are held, not a folder: {}",
        held.len()
    );
    for (id, selected) in &model.selections {
        assert!(!selected.selection.is_empty(), "a selection of nothing is none: {id}");
        let parents_differ = |path: &Vec<Vec<u8>>, include: bool| match path.split_last() {
            Some((_, above)) => selected.selection.contains(above) != include,
            None => include,
        };
        assert!(
            selected
                .selection
                .rules()
                .all(|(path, include)| parents_differ(path, include)),
            "no idle rules"
        );
    }
    let buffer = stage.buffer();
    for cell in &buffer.content {
        assert!(cell.symbol().chars().all(|c| !c.is_control()), "{:?}", cell.symbol());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_all_stays_consistent(steps in prop::collection::vec(step(), 1..80), narrow: bool) {
        let look = if narrow { Look { theme: Theme::Mono, symbols: &ASCII } } else { Look::default() };
        let (columns, rows) = if narrow { (80, 24) } else { (120, 40) };
        let mut stage = Stage::new(columns, rows, look);
        play(&mut stage, steps);
    }

    /// Nothing is deleted but by the vault's name after a y: not by Enter, not by pasting, not by any other key.
    #[test]
    fn only_a_name_deletes(steps in prop::collection::vec(step(), 1..60)) {
        let mut stage = Stage::new(120, 40, Look::default());
        stage.keys("6 ← ← ← ← w");
        let harmless = steps.into_iter().filter(|step| !matches!(step, Step::Key("y") | Step::Char('y'))).collect();
        play(&mut stage, harmless);
        let deleted = stage.effects.iter().any(|effect| matches!(effect, Effect::Start { task, .. } if task.kind() == JobKind::Forget));
        prop_assert!(!deleted);
    }

    /// Nothing is restored but by a y in the plan: not by Enter, not by pasting, not by any other key.
    #[test]
    fn only_y_restores(steps in prop::collection::vec(step(), 1..60)) {
        let mut stage = Stage::new(80, 24, Look::default());
        stage.keys("Enter Enter j r Enter");
        let harmless = steps.into_iter().filter(|step| !matches!(step, Step::Key("y") | Step::Char('y'))).collect();
        play(&mut stage, harmless);
        let restored = stage.effects.iter().any(|effect| matches!(effect, Effect::Start { task, .. } if task.kind() == JobKind::Restore));
        prop_assert!(!restored);
    }
}

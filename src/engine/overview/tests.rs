//! Overviews of made-up vaults and runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::catalog::{JobEnd, JobRecord};
use crate::engine::{Answer, Event, PasswordGiven, Question, Settings};
use crate::vault::{Generation, Id, Password, Time};

const NOW: i64 = 1_700_000_000;
const DAY: i64 = 86_400;

struct World {
    folder: tempfile::TempDir,
    engine: Engine,
}

fn time(seconds: i64) -> Time {
    Time {
        seconds,
        nanos: 0,
        offset: 0,
    }
}

/// An engine on a config; `@` in it stands for the world's folder.
fn world(config: &str) -> World {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let text = config.replace('@', &root.display().to_string());
    let config_path = root.join("config.toml");
    fs::write(&config_path, text).unwrap();
    let settings = Settings {
        config: Config::load(&config_path).unwrap(),
        config_path,
        cache: root.join("cache"),
        data: root.join("data"),
        host: "web1".into(),
        user: "root".into(),
        uid: 0,
        gid: 0,
        zone: jiff::tz::TimeZone::UTC,
        clock: Arc::new(|| time(NOW)),
        password: None,
        no_lock: false,
        clouds: Default::default(),
        usual: crate::engine::overview::USUAL,
        patience: crate::engine::PATIENCE,
    };
    World {
        engine: Engine::new(settings).unwrap(),
        folder,
    }
}

impl World {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    /// The catalog has seen this vault with generations of these ages, in hours.
    fn saw(&self, vault: &str, paths: &[&str], ages: &[i64]) {
        let catalog = self.engine.catalog();
        let place = self.engine.find(vault).unwrap().key();
        catalog
            .saw_vault(&place, "id", Some(vault), NOW - 60, Some(4_000))
            .unwrap();
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.path(path)).collect();
        let generation = |age: &i64| -> Generation {
            let mut generation: Generation = serde_json::from_value(serde_json::json!({
                "time": time(NOW - age * 3600), "tree": Id::of(b"tree"), "paths": paths, "hostname": "web1",
                "summary": { "total_bytes_processed": 1_000 + age, "total_files_processed": 7 },
            }))
            .unwrap();
            generation.id = Id::of(format!("{age} {paths:?}").as_bytes());
            generation
        };
        let generations: Vec<Generation> = ages.iter().map(generation).collect();
        catalog.store_generations(&place, &generations).unwrap();
    }

    /// A run of a plan ended this many hours ago.
    fn ran(&self, plan: &str, vault: &str, age: i64, state: &str, text: &str, problems: u64) {
        let mut record = JobRecord {
            id: 0,
            run: "none".into(),
            kind: "backup".into(),
            vault: vault.into(),
            plan: Some(plan.into()),
            title: String::new(),
            started: time(NOW - age * 3600 - 60),
            end: None,
        };
        let catalog = self.engine.catalog();
        record.id = catalog.job_started(&record, 0).unwrap();
        record.end = Some(JobEnd {
            time: time(NOW - age * 3600),
            state: state.into(),
            text: text.into(),
            problems,
            ..JobEnd::default()
        });
        catalog.job_ended(&record, &[]).unwrap();
    }
}

const ONE: &str = "[vaults.home]\npath = \"@/home-vault\"\n[plans.files]\npaths = [\"@/files\"]\nvault = \"home\"\n";
const TWO: &str = "[vaults.home]\npath = \"@/home-vault\"\n[vaults.away]\npath = \"@/away-vault\"\npassword-file = \"@/p\"\n\
                   [plans.files]\npaths = [\"@/files\"]\nvaults = [\"home\", \"away\"]\n";

fn texts(overview: &Overview, severity: Severity) -> Vec<&str> {
    let of = |warning: &&Warning| warning.severity == severity && !matches!(warning.about, About::Path(_));
    overview
        .warnings
        .iter()
        .filter(of)
        .map(|warning| warning.text.as_str())
        .collect()
}

#[test]
fn a_plan_that_never_ran_is_in_danger() {
    let world = world(ONE);
    let unseen = world.engine.overview(false).unwrap();
    assert_eq!(unseen.plans[0].copies[0].standing, Standing::Unknown);
    let told = texts(&unseen, Severity::Warning);
    assert!(told[0].contains("is not known: nobody has looked into it"), "{told:?}");
    assert_eq!(texts(&unseen, Severity::Danger), Vec::<&str>::new());
    world.saw("home", &[], &[]);
    let overview = world.engine.overview(false).unwrap();
    let copy = &overview.plans[0].copies[0];
    assert_eq!(
        (copy.standing, copy.generations, copy.newest),
        (Standing::Never, 0, None)
    );
    assert_eq!(unseen.vaults[0].generations, None);
    assert_eq!(overview.vaults[0].reach, Reach::Unknown);
    assert_eq!(
        texts(&overview, Severity::Danger),
        ["The plan files was never backed up to home."]
    );
}

#[test]
fn a_price_that_cannot_be_used_is_told() {
    let world = world(&ONE.replace("home-vault\"", "home-vault\"\nprice = \"gone\""));
    let overview = world.engine.overview(false).unwrap();
    let told = texts(&overview, Severity::Warning);
    assert!(
        told.iter()
            .any(|text| text.contains("a cost is missing") && text.contains("gone")),
        "{told:?}"
    );
}

#[test]
fn ages_are_held_against_a_day() {
    let world = world(ONE);
    for (ages, standing) in [
        (&[1, 25, 49][..], Standing::Fresh),
        (&[29, 50], Standing::Fresh),
        (&[31], Standing::Late),
    ] {
        world.saw("home", &["files"], ages);
        let overview = world.engine.overview(false).unwrap();
        let copy = &overview.plans[0].copies[0];
        assert_eq!(
            (copy.standing, copy.generations, copy.newest, copy.logical, copy.files),
            (
                standing,
                ages.len() as u64,
                Some(NOW - ages[0] * 3600),
                Some(1_000 + ages[0] as u64),
                Some(7)
            ),
            "{ages:?}"
        );
    }
    let overview = world.engine.overview(false).unwrap();
    assert_eq!(
        texts(&overview, Severity::Warning),
        ["The newest generation of files in home was made 1 day ago; no schedule is set, a run every day is assumed."]
    );
    // Another plan's generations, and those of another host, are not this plan's.
    world.saw("home", &["other"], &[1]);
    let overview = world.engine.overview(false).unwrap();
    assert_eq!(overview.plans[0].copies[0].standing, Standing::Never);
    assert_eq!(overview.vaults[0].generations, Some(1));
}

#[test]
fn a_schedule_says_how_old_is_too_old() {
    for (schedule, every) in [
        ("hourly 15", 3600),
        ("every 6 hours", 6 * 3600),
        ("daily 02:00", DAY),
        ("mon,thu 21:30", 4 * DAY),
        ("sun 03:00", 7 * DAY),
        ("monthly 1 04:00", 31 * DAY),
    ] {
        let world = world(&format!("{ONE}schedule = \"{schedule}\"\n"));
        world.saw("home", &["files"], &[every / 3600 + every / 3600 / 8]);
        let overview = world.engine.overview(false).unwrap();
        let plan = &overview.plans[0];
        assert_eq!(
            (plan.every, plan.scheduled, plan.standing()),
            (every, true, Standing::Fresh),
            "{schedule}"
        );
        world.saw("home", &["files"], &[every / 3600 * 2]);
        let overview = world.engine.overview(false).unwrap();
        assert_eq!(overview.plans[0].standing(), Standing::Late, "{schedule}");
        assert_eq!(world.engine.runs("home").unwrap().schedules.len(), 1);
    }
}

#[test]
fn failed_runs_are_told_until_one_is_good() {
    let world = world(ONE);
    world.saw("home", &["files"], &[20]);
    world.ran("files", "home", 20, "done", "fine", 0);
    world.ran("files", "home", 3, "failed", "no space left on device", 0);
    world.ran("files", "home", 2, "cancelled", "", 0);
    world.ran("files", "home", 1, "failed", "no space left on device", 0);
    let overview = world.engine.overview(false).unwrap();
    let copy = &overview.plans[0].copies[0];
    assert_eq!((copy.standing, copy.failed), (Standing::Failed, 2));
    assert_eq!(copy.last_run.as_ref().unwrap().ended, Some(NOW - 3600));
    assert_eq!(
        texts(&overview, Severity::Warning),
        [
            "The newest generation of files in home was made 20 hours ago. The last run failed: no space left on device. \
          2 runs failed since the last good one."
        ]
    );
    assert_eq!(world.engine.runs("home").unwrap().runs.len(), 4);
    let folder = world.path("home-vault").display().to_string();
    world.ran("files", &folder, 0, "done", "fine", 3);
    let overview = world.engine.overview(false).unwrap();
    assert_eq!(
        (overview.plans[0].copies[0].standing, overview.plans[0].copies[0].failed),
        (Standing::Fresh, 0)
    );
    assert_eq!(
        texts(&overview, Severity::Warning),
        ["The last run of files into home left out 3 entries that could not be read."]
    );
    assert_eq!(world.engine.runs("home").unwrap().runs.len(), 5);
    assert_eq!(world.engine.runs("away").unwrap().runs, []);
}

#[test]
fn looking_finds_vaults_disks_and_missing_paths() {
    let world = world(TWO);
    std::fs::create_dir(world.path("files")).unwrap();
    let password = || PasswordGiven::Bytes(Password::new("p"));
    let options = crate::vault::testing::test_options(2);
    world.engine.create("home", password(), &options).unwrap();
    world.saw("home", &["files"], &[1]);
    world.saw("away", &["files"], &[1]);
    let overview = world.engine.overview(true).unwrap();
    assert_eq!(overview.vaults[0].reach, Reach::Open);
    assert!(matches!(&overview.vaults[1].reach, Reach::Problem(why) if why.contains("is its disk mounted?")));
    let copies: Vec<_> = overview.plans[0].copies.iter().map(|copy| copy.same_disk).collect();
    assert_eq!(copies, [Some(true), None]);
    assert_eq!((overview.plans[0].kept_copies(), overview.vaults[0].copies), (2, 2));
    let danger = texts(&overview, Severity::Danger);
    assert!(
        danger
            .iter()
            .any(|text| text.starts_with("The vault away cannot be used:")
                && text.ends_with("It was last seen 1 min ago.")),
        "{danger:?}"
    );

    std::fs::create_dir(world.path("away-vault")).unwrap();
    std::fs::copy(world.path("home-vault/config"), world.path("away-vault/config")).unwrap();
    std::fs::remove_dir(world.path("files")).unwrap();
    let overview = world.engine.overview(true).unwrap();
    assert_eq!(overview.vaults[1].reach, Reach::There);
    assert_eq!(overview.plans[0].missing, [world.path("files")]);
    assert!(texts(&overview, Severity::Warning)[0].ends_with("files, which is not there."));

    std::fs::create_dir(world.path("files")).unwrap();
    let overview = world.engine.overview(true).unwrap();
    let danger = texts(&overview, Severity::Danger);
    assert!(
        danger[0].starts_with("All 2 copies of the plan files are on the same disk as its source"),
        "{danger:?}"
    );
}

#[test]
fn one_copy_on_the_disk_of_its_source_is_next_to_none() {
    let world = world(ONE);
    std::fs::create_dir(world.path("files")).unwrap();
    std::fs::create_dir(world.path("home-vault")).unwrap();
    std::fs::write(world.path("home-vault/config"), "").unwrap();
    world.saw("home", &["files"], &[1]);
    let overview = world.engine.overview(true).unwrap();
    assert_eq!(overview.vaults[0].reach, Reach::Locked);
    assert_eq!(
        texts(&overview, Severity::Danger),
        [
            "The plan files has only one copy, in home, on the same disk as its source: if that disk fails, both are lost."
        ]
    );
    assert_eq!(
        texts(&overview, Severity::Note),
        ["The vault home was never checked from this machine."]
    );
}

#[test]
fn generations_are_told_apart_by_their_paths() {
    let config = format!(
        "{}[plans.other]\npaths = [\"@/other\"]\nvault = \"home\"\n",
        ONE.replace("[\"@/files\"]", "[\"@/files\", \"@/gone\", \"@/other\"]")
    );
    let world = world(&config);
    let copies = |paths: &[&str]| {
        world.saw("home", paths, &[1]);
        let overview = world.engine.overview(false).unwrap();
        let copy = |plan: usize| {
            let copy = &overview.plans[plan].copies[0];
            (copy.generations, copy.lacks.len())
        };
        (copy(0), copy(1))
    };
    assert_eq!(
        copies(&["files", "gone", "other"]),
        ((1, 0), (0, 0)),
        "all of it; for the other it is just the first one's"
    );
    assert_eq!(copies(&["files"]), ((1, 2), (0, 0)), "some of it: what was there");
    assert_eq!(copies(&["other"]), ((0, 0), (1, 0)), "just the other plan's");
    assert_eq!(copies(&["third"]), ((0, 0), (0, 0)));
    assert_eq!(copies(&[""]), ((1, 0), (1, 0)), "the folder that holds them all");
    world.saw("home", &["files"], &[1]);
    std::fs::create_dir(world.path("gone")).unwrap();
    std::fs::create_dir(world.path("files")).unwrap();
    let overview = world.engine.overview(true).unwrap();
    let gone = world.path("gone").display().to_string();
    let text = format!("The newest generation of files in home does not hold {gone} yet.");
    assert!(
        overview.warnings.iter().any(|warning| warning.text == text),
        "{:?}",
        overview.warnings
    );
}

#[test]
fn a_vault_in_its_own_source_is_told() {
    let inside = "[vaults.home]\npath = \"@/files/vault\"\n[plans.files]\npaths = [\"@/files\"]\nvault = \"home\"\n";
    let warned = |config: &str| {
        let overview = world(config).engine.overview(false).unwrap();
        overview
            .warnings
            .into_iter()
            .any(|warning| warning.text.contains("itself"))
    };
    assert!(warned(inside));
    assert!(!warned(&format!("{inside}excludes = [\"@/files/vault/\"]\n")));
    assert!(!warned(ONE));
}

#[test]
fn the_question_is_answered_twice() {
    let world = world(ONE);
    let mut events = world.engine.subscribe();
    world.engine.ask(7, Question::Overview).unwrap();
    let mut parts = Vec::new();
    while parts.len() < 2 {
        if let Event::Answer { answer, complete, .. } = events.blocking_recv().unwrap() {
            let Answer::Overview(overview) = answer else {
                panic!("{answer:?}")
            };
            parts.push((overview.looked, complete));
        }
    }
    assert_eq!(parts, [(false, false), (true, true)]);
}

#[test]
fn what_is_true_of_several_vaults_is_one_sentence() {
    let world = world(&format!(
        "{TWO}[vaults.third]\npath = \"@/third\"\n[vaults.fourth]\npath = \"@/fourth\"\n"
    ));
    for vault in ["home", "away", "third"] {
        world.saw(vault, &["files"], &[1]);
    }
    let overview = world.engine.overview(false).unwrap();
    assert_eq!(
        texts(&overview, Severity::Note),
        [
            "The vaults home, away and third were never checked from this machine.",
            "No plan writes to the vaults third and fourth."
        ]
    );
}

#[test]
fn an_empty_config_says_so() {
    let overview = world("").engine.overview(true).unwrap();
    assert_eq!(
        texts(&overview, Severity::Danger),
        ["There is no vault yet: nothing is backed up."]
    );
    let other = world(&format!("{ONE}host = \"elsewhere\"\n"))
        .engine
        .overview(true)
        .unwrap();
    assert_eq!(other.plans[0].other_host.as_deref(), Some("elsewhere"));
    assert!(
        other.uncovered.is_empty(),
        "a config for another machine says nothing of this one"
    );
    assert!(Path::new("/etc").exists() && !overview.uncovered.is_empty());
}

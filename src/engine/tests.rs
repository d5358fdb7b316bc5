//! The engine on real vaults in temporary folders.

mod costs;
mod coverage;
mod files;
mod hooks;
mod jobs;
mod questions;
mod restoring;
mod search;
mod setup;
mod work;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::*;
use crate::config::{PasswordSource, VaultConfig};
use crate::vault::compress::Scratch;
use crate::vault::testing::{PASSWORD, test_options};
use crate::vault::writer::{BlobWriter, WriterOptions};
use crate::vault::{self, BlobKind, Generation, Id, IndexedVault, Node, NodeType, Tree};

/// An engine with folders of its own.
struct Bench {
    folder: tempfile::TempDir,
    engine: Engine,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::new(settings(folder.path(), change)).unwrap();
        Bench { folder, engine }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new vault in the folder `name`, open.
    fn vault(&self, name: &str) -> (String, Arc<OpenVault>) {
        let path = self.path(name).display().to_string();
        let password = PasswordGiven::Bytes(Password::new(PASSWORD));
        let open = self.engine.create(&path, password, &test_options(2)).unwrap();
        (path, open)
    }
}

fn settings(folder: &Path, change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings {
        config: Config::default(),
        config_path: folder.join("config.toml"),
        cache: folder.join("cache"),
        data: folder.join("data"),
        host: "h".into(),
        user: "u".into(),
        uid: 1,
        gid: 2,
        zone: jiff::tz::TimeZone::UTC,
        clock: Arc::new(|| Time {
            seconds: 1_700_000_000,
            nanos: 0,
            offset: 0,
        }),
        password: None,
        no_lock: false,
        clouds: Default::default(),
        usual: crate::engine::overview::USUAL,
        // A thread that answers can lose its turn for long on a machine that has much to do.
        patience: std::time::Duration::from_secs(60),
    };
    change(&mut settings);
    settings
}

fn vault_config(name: &str, path: PathBuf, password: Option<PasswordSource>) -> VaultConfig {
    VaultConfig {
        name: name.into(),
        path,
        password,
        compression: None,
        pack_size: None,
        price: None,
    }
}

fn file(name: &str, size: u64) -> Node {
    Node {
        name: name.into(),
        mode: 0o644,
        size,
        content: Some(vec![]),
        ..Node::default()
    }
}

fn folder(name: &str, subtree: Id) -> Node {
    Node {
        name: name.into(),
        kind: NodeType::Dir,
        mode: vault::tree::mode::DIR | 0o755,
        subtree: Some(subtree),
        ..Node::default()
    }
}

/// Where a test puts the engine whose jobs are to be cancelled.
type Canceller = Arc<Mutex<Option<Engine>>>;

/// A clock that cancels the jobs that run the first time that it is asked once something holds: while a job writes a line into
/// its log, for one.
fn cancelling_clock(
    canceller: &Canceller,
    holds: impl Fn() -> bool + Send + Sync + 'static,
) -> Arc<dyn Fn() -> Time + Send + Sync> {
    let canceller = canceller.clone();
    Arc::new(move || {
        let engine = holds().then(|| canceller.lock().unwrap().take()).flatten();
        engine.iter().flat_map(Engine::running).for_each(|job| job.cancel());
        Time::default()
    })
}

/// Stores trees in a vault, as a backup would.
struct Trees {
    writer: BlobWriter,
    scratch: Scratch,
}

impl Trees {
    fn new(open: &OpenVault) -> Trees {
        let indexed: IndexedVault = open.vault().indexed(&crate::progress::Cancel::default()).unwrap();
        let options = WriterOptions {
            compression: Default::default(),
            pack_size: 4 << 20,
            dry_run: false,
            ..WriterOptions::default()
        };
        Trees {
            writer: BlobWriter::new(&indexed, options).unwrap(),
            scratch: Scratch::default(),
        }
    }

    fn tree(&mut self, mut nodes: Vec<Node>) -> Id {
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        self.writer
            .add(BlobKind::Tree, &Tree { nodes }.encode(), &mut self.scratch)
            .unwrap()
            .id
    }

    fn finish(self, open: &OpenVault, tree: Id, seconds: i64) -> Id {
        self.writer.finish().unwrap();
        let generation: Generation = serde_json::from_value(serde_json::json!({
            "time": Time { seconds, nanos: 0, offset: 0 }, "tree": tree, "paths": ["/etc"], "hostname": "h",
        }))
        .unwrap();
        open.vault().save_generation(&generation).unwrap()
    }
}

/// A small generation: `/etc/passwd`, `/etc/ssh/{config,keys/a}`, `/readme`.
fn small_generation(open: &OpenVault, seconds: i64) -> Id {
    let mut trees = Trees::new(open);
    let keys = trees.tree(vec![file("a", 7)]);
    let ssh = trees.tree(vec![file("config", 20), folder("keys", keys)]);
    let etc = trees.tree(vec![file("passwd", 100), folder("ssh", ssh)]);
    let root = trees.tree(vec![folder("etc", etc), file("readme", 1)]);
    trees.finish(open, root, seconds)
}

fn names(parts: &[&str]) -> question::TreePath {
    parts.iter().map(|part| part.as_bytes().to_vec()).collect()
}

#[test]
fn passwords_are_asked_for_and_the_key_is_derived_once() {
    let bench = Bench::new();
    let (path, made) = bench.vault("v");
    let other = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    assert!(matches!(
        other.open(&path, PasswordGiven::Configured),
        Err(Error::PasswordNeeded { .. })
    ));
    let wrong = other
        .open(&path, PasswordGiven::Bytes(Password::new("wrong")))
        .unwrap_err();
    assert_eq!(wrong.exit_code(), 12);
    let open = other
        .open(&path, PasswordGiven::Bytes(Password::new(PASSWORD)))
        .unwrap();
    assert_eq!(open.vault().id(), made.vault().id());
    let again = other.open(&format!("{path}/../v"), PasswordGiven::Configured).unwrap();
    assert!(Arc::ptr_eq(&open, &again));
}

#[test]
fn the_environment_comes_first_and_a_wrong_one_gives_way() {
    let bench = Bench::new();
    let (_, made) = bench.vault("v");
    std::fs::write(bench.path("password"), format!("{PASSWORD}\n")).unwrap();
    let source = Some(PasswordSource::File(bench.path("password")));
    let with = |environment: Option<&str>, source: Option<PasswordSource>| {
        Engine::new(settings(bench.folder.path(), |s| {
            s.password = environment.map(Password::new);
            s.config.vaults = vec![vault_config("home", bench.path("v"), source)];
        }))
        .unwrap()
        .open("home", PasswordGiven::Configured)
    };
    for (environment, source) in [(Some(PASSWORD), None), (None, source.clone()), (Some("wrong"), source)] {
        assert_eq!(with(environment, source).unwrap().vault().id(), made.vault().id());
    }
    assert_eq!(with(Some("wrong"), None).unwrap_err().exit_code(), 12);
    let missing = Some(PasswordSource::File(bench.path("none")));
    assert!(matches!(with(None, missing).unwrap_err(), Error::PasswordSource { .. }));
}

#[test]
fn places_that_hold_no_vault_are_told_apart() {
    let bench = Bench::with(|s| s.config.vaults = vec![vault_config("home", "/nonexistent/home".into(), None)]);
    let open = |text: &str| bench.engine.open(text, PasswordGiven::Configured).unwrap_err();
    let typo = open("hoem");
    assert_eq!(
        (typo.exit_code(), typo.to_string().contains("did you mean home")),
        (10, true),
        "{typo}"
    );
    for text in ["home", "/nonexistent/x", "elsewhere"] {
        let error = open(text);
        assert!(matches!(error, Error::Vault(vault::Error::NoVault { .. })), "{error}");
        assert_eq!(error.exit_code(), 10);
    }
    assert_eq!(open("").exit_code(), 1);
    assert!(matches!(
        bench.engine.start(Task::Plan {
            plan: "x".into(),
            vault: None,
            dry_run: false
        }),
        Err(Error::UnknownPlan { .. })
    ));
}

#[test]
fn a_vault_is_made_once() {
    let bench = Bench::new();
    let (path, _) = bench.vault("v");
    let again = bench
        .engine
        .create(&path, PasswordGiven::Configured, &test_options(2))
        .unwrap_err();
    assert!(matches!(again, Error::Vault(vault::Error::Exists { .. })), "{again}");
    let unasked = bench.engine.create(
        &bench.path("w").display().to_string(),
        PasswordGiven::Configured,
        &test_options(2),
    );
    assert!(matches!(unasked, Err(Error::PasswordNeeded { .. })));
    assert!(!bench.path("w").exists());
}

#[test]
fn without_a_usable_data_folder_it_goes_on_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data"), "a file where the folder should be").unwrap();
    let engine = Engine::new(settings(folder.path(), |_| {})).unwrap();
    let job = engine
        .start_job(JobKind::Check, "v".into(), Some("p".into()), |_, _| {
            Ok(TaskOutcome::Unlock(1))
        })
        .unwrap();
    job.wait().unwrap();
    assert_eq!(engine.job_rows(10).unwrap().len(), 1);
    assert!(engine.take_warnings()[0].contains("going on without"));
}

#[test]
fn a_plan_of_the_config_becomes_what_a_backup_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("excludes"), "*.bak\n# no\n").unwrap();
    let text = r#"
        [vaults.home]
        path = "v"
        compression = "max"
        pack-size = "32M"
        [plans.etc]
        paths = ["/etc"]
        vault = "home"
        excludes = ["*.tmp"]
        exclude-files = ["excludes"]
        exclude-larger-than = "1M"
        one-file-system = true
        tags = ["daily"]
        host = "web"
    "#;
    let config = Config::parse(text, &folder.path().join("config.toml")).unwrap();
    let engine = Engine::new(settings(folder.path(), |s| s.config = config)).unwrap();
    let options = engine.plan_options(&engine.plan("etc").unwrap(), "home").unwrap();
    assert_eq!(options.exclude.patterns(), ["*.tmp", "*.bak"]);
    assert_eq!(
        (options.exclude.larger_than, options.exclude.one_file_system),
        (Some(1 << 20), true)
    );
    assert_eq!(
        (options.host.as_str(), options.user.as_str(), options.uid, options.gid),
        ("web", "u", 1, 2)
    );
    assert_eq!(
        (options.compression, options.pack_size),
        (vault::repository::Compression::Max, 32 << 20)
    );
    assert_eq!(
        (options.paths, options.tags),
        (vec![PathBuf::from("/etc")], vec!["daily".to_owned()])
    );
    assert_eq!(options.time.seconds, 1_700_000_000);
    std::fs::remove_file(folder.path().join("excludes")).unwrap();
    assert!(
        engine
            .plan_options(&engine.plan("etc").unwrap(), "home")
            .unwrap_err()
            .to_string()
            .contains("excludes")
    );
}

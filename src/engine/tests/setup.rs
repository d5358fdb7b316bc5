//! Setting up: changes of the config and of keys, the live filesystem, locks.

use super::questions::{answer, answers};
use super::*;
use crate::config::PlanConfig;
use crate::engine::setup::{Change, Changed, CountExcludes, DiskWindow, Holder, ListDisk, NewVault};
use crate::retention::Policy;
use crate::vault::key::ScryptParameters;
use crate::vault::lock::LockKind;

impl Bench {
    fn change(&self, change: Change) -> Answer {
        let mut events = self.engine.subscribe();
        self.engine.ask_change(7, change).unwrap();
        super::questions::collect(&mut events).pop().unwrap()
    }

    fn changed(&self, change: Change) -> Changed {
        match self.change(change) {
            Answer::Changed(changed) => changed,
            other => panic!("{other:?}"),
        }
    }

    fn new_vault(&self, name: &str, create: bool, source: Option<PasswordSource>, typed: Option<&str>) -> Change {
        Change::SaveVault(Box::new(NewVault {
            vault: vault_config(name, self.path(name), source),
            create,
            password: typed.map(Password::new),
            scrypt: Some(ScryptParameters::FOR_TESTS),
        }))
    }
}

pub(super) fn plan(name: &str, vault: &str, path: &Path) -> Box<PlanConfig> {
    Box::new(PlanConfig {
        name: name.into(),
        paths: vec![path.into()],
        vaults: vec![vault.into()],
        ..PlanConfig::default()
    })
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_vault_is_made_with_its_password_in_a_file_for_one_user() {
    let bench = Bench::new();
    let file = bench.path("secrets/v.password");
    let source = Some(PasswordSource::File(file.clone()));
    let changed = bench.changed(bench.new_vault("v", true, source.clone(), Some("secret")));
    assert!(changed.text.starts_with("Made vault v in "), "{changed:?}");
    assert!(changed.remark.contains("only you can read"), "{changed:?}");
    assert_eq!(
        (std::fs::read(&file).unwrap(), mode(&file)),
        (b"secret\n".to_vec(), 0o600)
    );
    assert_eq!(
        bench.engine.config().vaults[0].name,
        "v",
        "the new config is in use at once"
    );
    let other = Engine::new(settings(bench.folder.path(), |s| {
        s.config = Config::load(&s.config_path).unwrap()
    }))
    .unwrap();
    assert!(other.open("v", PasswordGiven::Configured).is_ok(), "the file opens it");
    let saved = bench.changed(Change::SavePlan {
        was: None,
        plan: plan("p", "v", bench.folder.path()),
    });
    assert_eq!(saved.text, "Saved plan p.");
    let text = std::fs::read_to_string(bench.path("config.toml")).unwrap();
    assert!(text.contains("[plans.p]"), "{text}");
    let refused = bench.change(Change::RemoveVault { vault: "v".into() });
    assert!(
        matches!(&refused, Answer::Failed(text) if text.contains("plan p goes to vault v")),
        "{refused:?}"
    );
    bench.changed(Change::RemovePlan { plan: "p".into() });
    bench.changed(Change::RemoveVault { vault: "v".into() });
    assert_eq!(answer(&bench.engine, Question::Vaults), Answer::Vaults(vec![]));
    assert!(bench.path("v/config").exists(), "the data stays");
}

#[test]
fn a_vault_that_cannot_be_made_leaves_nothing_behind() {
    let bench = Bench::new();
    let file = bench.path("v.password");
    std::fs::write(bench.path("v"), "a file in the way").unwrap();
    let source = Some(PasswordSource::File(file.clone()));
    let failed = bench.change(bench.new_vault("v", true, source.clone(), Some("secret")));
    assert!(matches!(failed, Answer::Failed(_)), "{failed:?}");
    assert!(!file.exists() && !bench.path("config.toml").exists());
    // A name the config cannot hold, a blank at the end, a file with another password: told before anything is made.
    std::fs::remove_file(bench.path("v")).unwrap();
    std::fs::write(&file, "other").unwrap();
    for (name, source, typed, why) in [
        ("-v", None, "secret", "cannot be a name"),
        ("v", Some(PasswordSource::File(bench.path("new"))), "secret ", "blank"),
        ("v", Some(PasswordSource::File(file)), "secret", "another password"),
        (
            "v",
            Some(PasswordSource::shell("echo else")),
            "secret",
            "the command gives another password",
        ),
        ("v", Some(PasswordSource::shell("exit 3")), "secret", "exit"),
        ("v", None, "", "empty"),
    ] {
        let failed = bench.change(bench.new_vault(name, true, source, Some(typed)));
        assert!(
            matches!(&failed, Answer::Failed(text) if text.contains(why)),
            "{why}: {failed:?}"
        );
        assert!(
            !bench.path("v").exists() && !bench.path("config.toml").exists(),
            "{why}"
        );
    }
    let taken = bench.new_vault("v", true, Some(PasswordSource::shell("echo secret")), None);
    bench.changed(taken);
    let again = bench.change(bench.new_vault("v", true, None, Some("x")));
    assert!(
        matches!(&again, Answer::Failed(text) if text.contains("already")),
        "{again:?}"
    );
}

#[test]
fn a_vault_that_is_there_is_taken_in_once_its_password_opens_it() {
    let bench = Bench::new();
    let (_, open) = bench.vault("v");
    small_generation(&open, 100);
    let wrong = bench.change(bench.new_vault("v", false, None, Some("wrong")));
    assert!(
        matches!(&wrong, Answer::Failed(text) if text.contains("password")),
        "{wrong:?}"
    );
    assert_eq!(bench.engine.config().vaults.len(), 0);
    let none = bench.change(bench.new_vault("nowhere", false, None, Some(PASSWORD)));
    assert!(
        matches!(&none, Answer::Failed(text) if text.contains("no vault")),
        "{none:?}"
    );
    let changed = bench.changed(bench.new_vault("v", false, None, Some(PASSWORD)));
    assert_eq!(changed.text, "Added vault v: it holds 1 generation.");
    let Answer::Vaults(vaults) = answer(&bench.engine, Question::Vaults) else {
        panic!("no vaults")
    };
    assert_eq!(
        vaults
            .iter()
            .map(|v| (v.name.as_str(), v.generations))
            .collect::<Vec<_>>(),
        [("v", Some(1))]
    );
}

#[test]
fn plans_are_changed_where_they_stand() {
    let bench = Bench::new();
    let text = "# mine\n[vaults.v]\npath = \"/v\"\n\n[plans.p] # the plan\npaths = [\"/a\"]\nvault = 'v'\n";
    std::fs::write(bench.path("config.toml"), text).unwrap();
    bench
        .engine
        .set_config(Config::load(&bench.path("config.toml")).unwrap());
    let mut changed = plan("p", "v", Path::new("/a"));
    changed.retention = Policy::of_days(30);
    bench.changed(Change::SavePlan {
        was: Some("p".into()),
        plan: changed,
    });
    let after = std::fs::read_to_string(bench.path("config.toml")).unwrap();
    assert_eq!(after, format!("{text}retention-days = 30\n"));
    let Answer::Config(now) = answer(&bench.engine, Question::Config) else {
        panic!("no config")
    };
    assert_eq!(
        (now.config.plans[0].retention.clone(), now.file),
        (Policy::of_days(30), bench.path("config.toml"))
    );
}

#[test]
fn passwords_are_added_changed_and_removed() {
    let bench = Bench::new();
    let file = bench.path("v.password");
    bench.changed(bench.new_vault("v", true, Some(PasswordSource::File(file.clone())), Some("first")));
    let opens = |password: &str| {
        let storage = Arc::new(crate::storage::LocalStorage::new(bench.path("v")));
        vault::Vault::open(storage, &Password::new(password), None).is_ok()
    };
    let vault = || "v".to_owned();
    bench.changed(Change::AddKey {
        vault: vault(),
        password: Password::new("second"),
    });
    assert!(opens("first") && opens("second"));
    bench.changed(Change::ChangePassword {
        vault: vault(),
        password: Password::new("third"),
    });
    assert!(!opens("first") && opens("second") && opens("third"));
    assert_eq!(
        (std::fs::read(&file).unwrap(), mode(&file)),
        (b"third\n".to_vec(), 0o600)
    );
    let Answer::Keys(keys) = answer(&bench.engine, Question::Keys { vault: vault() }) else {
        panic!("no keys")
    };
    assert_eq!(
        keys.iter()
            .map(|key| (key.current, key.user.as_str()))
            .collect::<Vec<_>>(),
        [(true, "u"), (false, "u")]
    );
    let own = bench.change(Change::RemoveKey {
        vault: vault(),
        key: keys[0].id,
    });
    assert!(
        matches!(&own, Answer::Failed(text) if text.contains("cannot remove itself")),
        "{own:?}"
    );
    bench.changed(Change::RemoveKey {
        vault: vault(),
        key: keys[1].id,
    });
    assert!(!opens("second") && opens("third"));
    let unknown = Engine::new(settings(bench.folder.path(), |_| {})).unwrap();
    let asked = answer(
        &unknown,
        Question::Keys {
            vault: bench.path("v").display().to_string(),
        },
    );
    assert!(matches!(asked, Answer::PasswordNeeded { .. }), "{asked:?}");
}

#[test]
fn locks_say_who_holds_them() {
    let bench = Bench::new();
    let (path, open) = bench.vault("v");
    let question = || Question::Locks { vault: path.clone() };
    assert_eq!(answer(&bench.engine, question()), Answer::Locks(vec![]));
    let lock = open.vault().lock(LockKind::Exclusive).unwrap();
    let Answer::Locks(locks) = answer(&bench.engine, question()) else {
        panic!("no locks")
    };
    let [one] = locks.as_slice() else { panic!("{locks:?}") };
    assert_eq!((one.exclusive, one.holder, one.stale), (true, Holder::Coffer, false));
    assert_eq!(one.pid, i64::from(std::process::id()));
    drop(lock);
    let garbage = Id::of(b"x");
    std::fs::write(bench.path("v/locks").join(garbage.to_string()), "nonsense").unwrap();
    let Answer::Locks(locks) = answer(&bench.engine, question()) else {
        panic!("no locks")
    };
    assert!(locks.len() == 1 && locks[0].problem.contains("damaged"), "{locks:?}");
}

#[test]
fn the_live_filesystem_comes_in_windows() {
    let bench = Bench::new();
    let folder = bench.path("live");
    for name in ["b", "a", ".hidden", "with \u{202e}trick"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
    }
    std::fs::write(folder.join("A.txt"), "12345").unwrap();
    std::os::unix::fs::symlink("a", folder.join("link")).unwrap();
    let ask = |change: &dyn Fn(&mut ListDisk)| {
        let mut asked = ListDisk {
            folder: folder.clone(),
            rows: 50,
            ..ListDisk::default()
        };
        change(&mut asked);
        match answer(&bench.engine, Question::Disk(asked)) {
            Answer::Disk(window) => window,
            other => panic!("{other:?}"),
        }
    };
    let names = |window: &DiskWindow| -> Vec<String> {
        window
            .rows
            .iter()
            .map(|row| String::from_utf8_lossy(&row.name).into_owned())
            .collect()
    };
    let all = ask(&|_| {});
    assert_eq!(names(&all), ["a", "b", "link", "with \u{202e}trick", "A.txt"]);
    assert_eq!(
        (all.total, all.rows[4].size, all.rows[0].readable, all.problem.as_str()),
        (5, Some(5), true, "")
    );
    assert_eq!(
        names(&ask(&|asked| {
            asked.first = 3;
            asked.rows = 1;
        })),
        ["with \u{202e}trick"]
    );
    assert_eq!(
        names(&ask(&|asked| {
            asked.hidden = true;
            asked.folders_only = true;
            asked.filter = "D".into();
        })),
        [".hidden"]
    );
    assert_eq!(
        ask(&|asked| asked.folder = folder.join("none")).problem,
        "There is no such folder."
    );
    assert_eq!(
        ask(&|asked| asked.folder = folder.join("A.txt")).problem,
        "This is no folder."
    );
}

#[test]
fn what_excludes_drop_is_counted() {
    let bench = Bench::new();
    let folder = bench.path("live");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, size) in [("a.tmp", 3), ("b", 4)] {
        std::fs::write(folder.join(name), vec![0; size]).unwrap();
    }
    let asked = CountExcludes {
        paths: vec![folder],
        excludes: vec!["*.tmp".into()],
        ..CountExcludes::default()
    };
    let last = answers(&bench.engine, Question::Excludes(asked.clone())).pop().unwrap();
    let Answer::Excludes(tally) = last else {
        panic!("{last:?}")
    };
    assert_eq!(
        (tally.kept.bytes, tally.dropped[0].files, tally.dropped[0].bytes),
        (4, 1, 3)
    );
    let bad = CountExcludes {
        excludes: vec!["[".into()],
        ..asked
    };
    assert!(matches!(answer(&bench.engine, Question::Excludes(bad)), Answer::Failed(text) if text.contains('[')));
}

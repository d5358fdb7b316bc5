//! The commands as a user meets them: the real program, its exit codes, what it prints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers fail as tests do"
)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

const PASSWORD: &str = "a password for tests";

/// A folder with everything of one test in it.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With a vault at `vault` and a few files at `source`.
    fn with_vault() -> Bench {
        let bench = Bench::new();
        bench.good(&["init", "--vault", "vault", "--scrypt-n", "1024"]);
        let source = bench.path("source");
        fs::create_dir_all(source.join("docs/deep")).unwrap();
        fs::write(source.join("docs/readme.md"), "read me\n".repeat(1000)).unwrap();
        fs::write(source.join("docs/deep/data.bin"), [7; 70_000]).unwrap();
        fs::write(source.join("evil\u{202e}name\n"), "x").unwrap();
        std::os::unix::fs::symlink("readme.md", source.join("docs/link")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("TZ", "UTC")
            .env("COLUMNS", "100")
            .env("COFFER_CONFIG", self.path("config.toml"))
            .env("COFFER_CACHE_DIR", self.path("cache"))
            .env("COFFER_DATA_DIR", self.path("data"))
            .env("COFFER_PASSWORD", PASSWORD)
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs; must succeed. Standard output.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "coffer {arguments:?}: {}", both(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs; must end with this code. Standard error.
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "coffer {arguments:?}: {}",
            both(&output)
        );
        String::from_utf8(output.stderr).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.good(arguments)).unwrap()
    }

    fn lines(&self, arguments: &[&str]) -> Vec<Value> {
        self.good(arguments)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Backs `source` up; the generation's id.
    fn backup(&self, more: &[&str]) -> String {
        let mut arguments = vec!["backup", "--vault", "vault", "source", "--json"];
        arguments.extend(more);
        let last = self.lines(&arguments).pop().unwrap();
        last["generation"].as_str().unwrap().to_owned()
    }

    fn locks(&self) -> usize {
        fs::read_dir(self.path("vault/locks")).unwrap().count()
    }
}

fn both(output: &Output) -> String {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    format!("{}\n{out}{err}", output.status)
}

fn fields(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Waits until something holds; fails after a minute.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !holds() {
        assert!(std::time::Instant::now() < end, "waited a minute for {what}");
        std::thread::park_timeout(std::time::Duration::from_millis(2));
    }
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_damaged_generation_stops_no_backup_and_is_deleted_by_its_whole_id() {
    let bench = Bench::with_vault();
    bench.backup(&[]);
    let id = "ab".repeat(32);
    fs::write(bench.path("vault/snapshots").join(&id), "rotten").unwrap();
    bench.backup(&[]);
    let told = bench.fails(1, &["generations", "--vault", "vault"]);
    assert!(told.contains(&format!("coffer forget {id}")), "{told}");
    bench.fails(1, &["forget", "--vault", "vault", "abab"]);
    let done = bench.good(&["forget", "--vault", "vault", &id]);
    assert!(done.contains("is damaged: what it holds is not known"), "{done}");
    bench.good(&["generations", "--vault", "vault"]);
}

#[test]
fn lists_of_paths_may_be_separated_by_nul() {
    let bench = Bench::with_vault();
    fs::write(bench.path("list"), b"source/docs/deep\0source/evil\xe2\x80\xaename\n\0").unwrap();
    bench.good(&["backup", "--vault", "vault", "--files-from", "list"]);
    let listed = bench.good(&["ls", "--vault", "vault", "latest"]);
    assert!(
        listed.contains("source/docs/deep/data.bin") && listed.contains("source/evil"),
        "{listed}"
    );
}

#[test]
fn exit_codes_say_what_went_wrong() {
    let bench = Bench::with_vault();
    bench.backup(&[]);
    assert!(
        bench
            .fails(10, &["generations", "--vault", "nowhere"])
            .contains("coffer init")
    );
    fs::write(bench.path("wrong"), "wrong").unwrap();
    let wrong = bench.fails(12, &["generations", "--vault", "vault", "--password-file", "wrong"]);
    assert!(
        wrong.contains("wrong password") && wrong.lines().count() == 1,
        "{wrong}"
    );
    bench.fails(2, &["backup", "--vault"]);
    bench.fails(2, &["no-such-command"]);
    bench.fails(2, &["backup", "--vault", "vault"]);
    bench.fails(1, &["init", "--vault", "vault"]);
    // There is nothing wrong with the arguments as such.
    bench.fails(1, &["snapshot", "policy", "run", "nightly"]);
    bench.fails(1, &["ls", "--vault", "vault", "ffffffff"]);
    let error: Value =
        serde_json::from_str(&bench.fails(10, &["ls", "--json", "--vault", "nowhere", "latest"])).unwrap();
    assert_eq!((&error["type"], &error["code"]), (&json!("error"), &json!(10)));
    let without = bench
        .command(&["generations", "--vault", "vault"])
        .env_remove("COFFER_PASSWORD")
        .output()
        .unwrap();
    assert_eq!(without.status.code(), Some(1));
    assert!(both(&without).contains("--password-file"), "{}", both(&without));
    assert_eq!(bench.locks(), 0);
}

#[test]
fn what_cannot_be_read_is_exit_code_3() {
    let bench = Bench::with_vault();
    let output = bench.run(&["backup", "--vault", "vault", "source", "gone", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("gone"));
    assert_eq!(
        bench
            .json(&["generations", "--vault", "vault", "--json"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
    bench.fails(1, &["backup", "--vault", "vault", "gone"]);
}

#[test]
fn backups_tell_their_progress_and_their_summary() {
    let bench = Bench::with_vault();
    let lines = bench.lines(&[
        "backup", "--vault", "vault", "source", "--json", "--tag", "one,two", "--host", "h",
    ]);
    let (last, before) = lines.split_last().unwrap();
    assert!(
        !before.is_empty() && before.iter().all(|line| line["type"] == "progress"),
        "{lines:?}"
    );
    for field in [
        "generation",
        "files_new",
        "files_changed",
        "files_unmodified",
        "dirs_new",
        "dirs_changed",
        "dirs_unmodified",
        "data_blobs",
        "tree_blobs",
        "data_added",
        "data_added_packed",
        "total_files_processed",
        "total_bytes_processed",
        "tree",
    ] {
        assert!(last.get(field).is_some(), "{field} is missing: {last}");
    }
    assert_eq!((&last["type"], &last["files_new"]), (&json!("summary"), &json!(3)));
    let generations = bench.json(&["generations", "--vault", "vault", "--json"]);
    let only = &generations[0];
    assert_eq!((&only["id"], &only["tree"]), (&last["generation"], &last["tree"]));
    assert_eq!(
        (&only["hostname"], &only["tags"]),
        (&json!("h"), &json!(["one", "two"]))
    );

    let again = bench.lines(&[
        "backup",
        "--vault",
        "vault",
        "source",
        "--json",
        "--host",
        "h",
        "--skip-if-unchanged",
    ]);
    assert_eq!(again.last().unwrap()["generation"], Value::Null);
    let dry = bench.lines(&["backup", "--vault", "vault", "source", "--json", "--dry-run", "--force"]);
    assert_eq!(
        (&dry.last().unwrap()["generation"], &dry.last().unwrap()["files_new"]),
        (&Value::Null, &json!(3))
    );
    assert_eq!(
        bench
            .json(&["generations", "--vault", "vault", "--json"])
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_vault_inside_what_is_backed_up_is_left_out() {
    let bench = Bench::with_vault();
    for _ in 0..2 {
        bench.good(&["backup", "--vault", "vault", "."]);
    }
    let listed = bench.good(&["ls", "--vault", "vault", "latest"]);
    assert!(listed.contains("/source/docs/readme.md"), "{listed}");
    assert!(!listed.lines().any(|line| line.contains("/vault")), "{listed}");
    // Another one's folder is a folder like any other.
    bench.good(&["init", "--vault", "second", "--scrypt-n", "1024"]);
    bench.good(&["backup", "--vault", "vault", "."]);
    let listed = bench.good(&["ls", "--vault", "vault", "latest"]);
    assert!(listed.contains("/second/config"), "{listed}");
}

#[test]
fn entries_are_listed_for_programs_and_for_people() {
    let bench = Bench::with_vault();
    bench.backup(&[]);
    let entries = bench.lines(&["ls", "--vault", "vault", "latest", "--json"]);
    let readme = entries
        .iter()
        .find(|entry| entry["path"].as_str().unwrap().ends_with("/docs/readme.md"))
        .unwrap();
    for field in ["path", "type", "size", "mode", "mtime", "uid", "gid"] {
        assert!(fields(readme).contains(&field), "{field}: {readme}");
    }
    assert_eq!((&readme["type"], &readme["size"]), (&json!("file"), &json!(8000)));
    let text = bench.good(&["ls", "--vault", "vault", "latest", "--long"]);
    assert!(
        text.contains("evil\\u{202e}name\\n") && !text.contains('\u{202e}'),
        "{text}"
    );
    let docs = format!("{}/docs", bench.path("source").canonicalize().unwrap().display());
    let below = bench.good(&["ls", "--vault", "vault", "latest", "/source/docs"]);
    assert!(
        below.lines().count() == 4 && !below.contains("data.bin"),
        "{below} {docs}"
    );

    let found = bench.lines(&["find", "--vault", "vault", "*.md", "--json"]);
    assert_eq!(found.len(), 1);
    assert!(found[0]["generation"].as_str().unwrap().len() == 64);
    assert!(
        bench
            .good(&["find", "--vault", "vault", "*", "--type", "symlink"])
            .contains("docs/link")
    );
    assert_eq!(
        bench
            .lines(&["find", "--vault", "vault", "*", "--json", "--size", "+60K"])
            .len(),
        1
    );
}

#[test]
fn files_come_back() {
    let bench = Bench::with_vault();
    let id = bench.backup(&[]);
    let restored = bench.lines(&["restore", "--vault", "vault", "latest", "--target", "target", "--json"]);
    assert_eq!(restored.last().unwrap()["type"], "summary");
    let text = fs::read(bench.path("source/docs/readme.md")).unwrap();
    assert_eq!(fs::read(bench.path("target/source/docs/readme.md")).unwrap(), text);
    assert_eq!(
        bench
            .run(&["dump", "--vault", "vault", &id[..8], "/source/docs/readme.md"])
            .stdout,
        text
    );
    let dry = bench.good(&[
        "restore",
        "--vault",
        "vault",
        "latest:/source/docs",
        "--target",
        "other",
        "--dry-run",
    ]);
    assert!(
        dry.contains("other/deep/data.bin") && !bench.path("other").exists(),
        "{dry}"
    );
    bench.good(&[
        "restore",
        "--vault",
        "vault",
        "latest:/source/docs",
        "--target",
        "other",
    ]);
    assert!(bench.path("other/deep/data.bin").exists());
    bench.fails(2, &["restore", "--vault", "vault", "latest"]);
    let tar = bench
        .run(&["dump", "--vault", "vault", "latest", "/source", "--archive", "tar"])
        .stdout;
    let names: Vec<String> = tar::Archive::new(&tar[..])
        .entries()
        .unwrap()
        .map(|entry| String::from_utf8_lossy(&entry.unwrap().path_bytes()).into_owned())
        .collect();
    assert!(
        names.iter().any(|name| name.ends_with("docs/deep/data.bin")),
        "{names:?}"
    );
    assert_eq!(bench.locks(), 0);
}

#[test]
fn changes_show_in_diff_and_stats() {
    let bench = Bench::with_vault();
    let first = bench.backup(&["--time", "2026-08-01T12:00:00Z"]);
    fs::write(bench.path("source/docs/readme.md"), "changed").unwrap();
    fs::write(bench.path("source/new"), "new").unwrap();
    fs::remove_file(bench.path("source/docs/link")).unwrap();
    let second = bench.backup(&["--time", "2026-08-02T12:00:00Z"]);
    let lines = bench.lines(&["diff", "--vault", "vault", &first, &second, "--json"]);
    let changes: Vec<(&str, &str)> = lines
        .iter()
        .filter(|line| line["type"] == "change")
        .map(|line| (line["modifier"].as_str().unwrap(), line["path"].as_str().unwrap()))
        .collect();
    assert_eq!(
        changes,
        [
            ("-", "/source/docs/link"),
            ("M", "/source/docs/readme.md"),
            ("+", "/source/new")
        ]
    );
    assert_eq!(lines.last().unwrap()["type"], "summary");
    let by_time = bench.lines(&["diff", "--vault", "vault", "2026-08-01", "latest", "--json"]);
    assert_eq!(by_time.len(), lines.len());
    let stats = bench.json(&["stats", "--vault", "vault", "--json"]);
    assert!(
        stats["logical_bytes"].as_u64() > Some(70_000) && stats["stored_bytes"].as_u64() > Some(0),
        "{stats}"
    );
    let check = bench.json(&["check", "--vault", "vault", "--read-data", "--json"]);
    assert_eq!((&check["errors"], &check["generations"]), (&json!([]), &json!(2)));
}

#[test]
fn generations_are_filtered_tagged_and_forgotten() {
    let bench = Bench::with_vault();
    for (day, tag) in [("01", "a"), ("02", "b"), ("03", "b")] {
        bench.backup(&[
            "--time",
            &format!("2026-08-{day}T12:00:00Z"),
            "--tag",
            tag,
            "--host",
            tag,
        ]);
    }
    let count = |more: &[&str]| {
        let arguments: Vec<&str> = ["generations", "--vault", "vault", "--json"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        bench.json(&arguments).as_array().unwrap().len()
    };
    assert_eq!(
        [
            count(&[]),
            count(&["--tag", "b"]),
            count(&["--host", "a"]),
            count(&["--latest", "1"])
        ],
        [3, 2, 1, 2]
    );
    assert_eq!(
        [count(&["--since", "2026-08-02"]), count(&["--until", "2026-08-02"])],
        [2, 2]
    );
    assert_eq!(count(&["--group-by", "host"]), 2);
    let table = bench.good(&["generations", "--vault", "vault"]);
    assert!(
        table.contains("2026-08-03 12:00:00") && table.contains("3 generations"),
        "{table}"
    );

    let changed = bench.lines(&["tag", "--vault", "vault", "--add", "x", "latest", "--json"]);
    let id = changed[0]["after"].as_str().unwrap();
    assert_eq!(count(&["--tag", "b,x"]), 1);
    assert!(
        bench
            .good(&["forget", "--vault", "vault", &id[..10], "--dry-run"])
            .contains("would delete 1 generation")
    );
    assert_eq!(count(&[]), 3);
    bench.fails(2, &["forget", "--vault", "vault", "latest"]);
    assert_eq!(
        bench.json(&["forget", "--vault", "vault", id, "--json"])["removed"],
        json!([id])
    );
    assert_eq!(count(&[]), 2);
    bench.fails(1, &["forget", "--vault", "vault", "--read-only", id]);
    let jobs = bench.json(&["jobs", "--json"]);
    let kinds: Vec<&str> = jobs
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["backup", "backup", "backup", "tag", "forget"]);
    let shown = bench.good(&["jobs", "show", "1"]);
    assert!(
        shown.contains("backup") && shown.contains("holds a shared lock"),
        "{shown}"
    );
    let log = bench.json(&["jobs", "show", "1", "--json"])["log"].clone();
    let last = log.as_array().unwrap().last().unwrap()["text"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        last.starts_with("done: 3 new") && last.contains("; generation "),
        "{last}"
    );
    let said = bench.fails(1, &["jobs", "cancel", "1"]);
    assert!(said.contains("job 1 does not run"), "{said}");
}

#[test]
fn keys_are_added_changed_and_removed() {
    let bench = Bench::with_vault();
    fs::write(bench.path("second"), "second\n").unwrap();
    let added = bench.json(&[
        "key",
        "add",
        "--vault",
        "vault",
        "--new-password-file",
        "second",
        "--scrypt-n",
        "1024",
        "--json",
    ]);
    let keys = bench.json(&["key", "list", "--vault", "vault", "--json", "--password-file", "second"]);
    let current: Vec<&Value> = keys
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["current"] == true)
        .map(|key| &key["id"])
        .collect();
    assert_eq!((keys.as_array().unwrap().len(), current), (2, vec![&added["added"]]));
    let second = added["added"].as_str().unwrap();
    bench.fails(
        1,
        &["key", "remove", "--vault", "vault", "--password-file", "second", second],
    );
    bench.good(&["key", "remove", "--vault", "vault", second]);
    bench.fails(12, &["key", "list", "--vault", "vault", "--password-file", "second"]);
    bench.good(&[
        "key",
        "passwd",
        "--vault",
        "vault",
        "--new-password-command",
        "echo third",
        "--scrypt-n",
        "1024",
    ]);
    bench.fails(12, &["key", "list", "--vault", "vault"]);
    bench.good(&["key", "list", "--vault", "vault", "--password-command", "echo third"]);
}

#[test]
fn a_changed_password_goes_into_the_file_that_the_config_names() {
    let bench = Bench::with_vault();
    fs::write(bench.path("password"), format!("{PASSWORD}\n")).unwrap();
    fs::write(bench.path("new"), "another\n").unwrap();
    fs::write(
        bench.path("config.toml"),
        "[vaults.main]\npath = 'vault'\npassword-file = 'password'\n",
    )
    .unwrap();
    let run = |arguments: &[&str]| bench.command(arguments).env_remove("COFFER_PASSWORD").output().unwrap();
    let passwd = [
        "key",
        "passwd",
        "--vault",
        "main",
        "--new-password-file",
        "new",
        "--scrypt-n",
        "1024",
    ];
    let changed = run(&passwd);
    assert!(
        changed.status.success() && both(&changed).contains("password"),
        "{}",
        both(&changed)
    );
    assert_eq!(fs::read_to_string(bench.path("password")).unwrap(), "another\n");
    let listed = run(&["generations", "--vault", "main"]);
    assert!(
        listed.status.success(),
        "what runs at night opens it: {}",
        both(&listed)
    );
}

#[test]
fn vaults_and_plans_are_kept_in_the_config() {
    let bench = Bench::with_vault();
    fs::write(bench.path("password"), PASSWORD).unwrap();
    let plain = |arguments: &[&str]| {
        let output = bench.command(arguments).env_remove("COFFER_PASSWORD").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", both(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    plain(&["vault", "add", "home", "vault", "--password-file", "password"]);
    plain(&[
        "plan",
        "add",
        "docs",
        "source/docs",
        "--vault",
        "home",
        "--exclude",
        "*.bin",
        "--tag",
        "nightly",
    ]);
    let done = plain(&["plan", "run", "docs"]);
    assert!(done.contains("1 new"), "{done}");
    assert!(plain(&["backup", "--plan", "docs", "--dry-run"]).contains("1 unmodified"));
    // The only vault of the config need not be named.
    assert!(plain(&["generations"]).contains("nightly"));
    assert!(plain(&["vault", "list"]).contains("home") && plain(&["plan", "show", "docs"]).contains("730 days"));
    assert!(bench.fails(1, &["backup", "--plan", "dosc"]).contains("docs"));
    bench.fails(1, &["vault", "remove", "home"]);
    plain(&["plan", "remove", "docs"]);
    plain(&["vault", "remove", "home"]);
    assert!(bench.path("vault/config").exists());

    fs::write(bench.path("config.toml"), "[vaults.home]\npth = \"/x\"\n").unwrap();
    let error = bench.fails(1, &["generations"]);
    assert!(error.contains("config.toml:2") && error.contains("path"), "{error}");
    let doctor = bench.run(&["doctor", "--json"]);
    assert_eq!(doctor.status.code(), Some(1));
    let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!(doctor["ok"], false);
}

#[test]
fn the_doctor_looks_at_vaults_and_passwords() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::with_vault();
    fs::write(bench.path("password"), PASSWORD).unwrap();
    fs::set_permissions(bench.path("password"), fs::Permissions::from_mode(0o644)).unwrap();
    bench.good(&["vault", "add", "home", "vault", "--password-file", "password"]);
    let text = bench.good(&["doctor"]);
    assert!(
        text.contains("chmod 600") && text.contains("home opens: 0 generations"),
        "{text}"
    );
    fs::rename(bench.path("vault"), bench.path("moved")).unwrap();
    assert_eq!(bench.run(&["doctor"]).status.code(), Some(1));
    // It looks, and leaves nothing behind.
    fs::remove_dir_all(bench.path("data")).unwrap();
    bench.run(&["doctor"]);
    assert!(!bench.path("data").exists());
}

#[test]
fn signals_end_a_backup_without_a_lock() {
    use rustix::process::Signal;
    let bench = Bench::with_vault();
    // SIGHUP without a terminal is no end: tests/system/locking.rs has that.
    for which in [Signal::INT, Signal::TERM] {
        let mut child = bench
            .command(&["backup", "--vault", "vault", "--stdin", "--stdin-filename", "pipe"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.as_mut().unwrap().write_all(b"something\n").unwrap();
        wait_until("the lock", || bench.locks() > 0);
        signal(&child, which);
        // Standard input stays open all the time: `wait` would close it.
        let held = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(held);
        assert_eq!(output.status.code(), Some(130), "{which:?}: {}", both(&output));
        assert_eq!(bench.locks(), 0, "{which:?}");
    }
    assert_eq!(bench.json(&["generations", "--vault", "vault", "--json"]), json!([]));
}

#[test]
fn a_signal_does_not_cut_off_the_command_after_a_backup() {
    let bench = Bench::with_vault();
    let started = bench.path("started");
    let config = format!(
        "[vaults.main]\npath = '{}'\n[plans.p]\npaths = ['{}']\nvault = 'main'\nrun-after = '''\n\
         kill -TERM $PPID; sleep 4; echo started; touch {}'''\n",
        bench.path("vault").display(),
        bench.path("source").display(),
        started.display()
    );
    fs::write(bench.path("config.toml"), config).unwrap();
    let output = bench.run(&["plan", "run", "p"]);
    assert!(started.exists(), "{}", both(&output));
    let jobs = bench.json(&["jobs", "--json"]);
    assert_eq!(jobs[0]["state"], "done", "{jobs}");
    assert_eq!(bench.locks(), 0);
}

#[test]
fn ctrl_c_at_the_password_prompt_ends_it() {
    let bench = Bench::with_vault();
    let pty = portable_pty::native_pty_system()
        .openpty(portable_pty::PtySize::default())
        .unwrap();
    let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_coffer"));
    command.args(["generations", "--vault", "vault"]);
    command.cwd(bench.path(""));
    command.env("HOME", bench.path("home"));
    command.env("COFFER_CONFIG", bench.path("config.toml"));
    command.env("COFFER_CACHE_DIR", bench.path("cache"));
    command.env("COFFER_DATA_DIR", bench.path("data"));
    command.env_remove("COFFER_PASSWORD");
    let mut child = pty.slave.spawn_command(command).unwrap();
    let (mut reader, mut writer) = (
        pty.master.try_clone_reader().unwrap(),
        pty.master.take_writer().unwrap(),
    );
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains("password of") {
        let mut some = [0; 256];
        let n = reader.read(&mut some).unwrap();
        assert!(n > 0, "it ended without asking: {}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&some[..n]);
    }
    writer.write_all(b"\x03").unwrap();
    assert_eq!(child.wait().unwrap().exit_code(), 130);
    assert_eq!(bench.locks(), 0);
}

#[test]
fn a_reader_that_goes_away_is_no_disaster() {
    let bench = Bench::with_vault();
    bench.backup(&[]);
    for arguments in [
        &["ls", "--vault", "vault", "latest"][..],
        &["generations", "--vault", "vault", "--json"],
        &["dump", "--vault", "vault", "latest", "/", "--archive", "tar"],
        &["backup", "--vault", "vault", "source", "--json"],
        &["completions", "bash"],
        &["doctor"],
    ] {
        let mut child = bench
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(141), "{arguments:?}: {}", both(&output));
        assert_eq!(
            both(&output).lines().count(),
            1,
            "{arguments:?} says nothing: {}",
            both(&output)
        );
        assert_eq!(bench.locks(), 0, "{arguments:?}");
    }
}

#[test]
fn the_interface_needs_a_terminal() {
    let bench = Bench::new();
    assert!(bench.fails(2, &[]).contains("coffer generations"));
    bench.fails(2, &["demo"]);
}

#[test]
fn the_demo_is_a_vault_like_any_other() {
    let bench = Bench::new();
    let made = bench.json(&["demo", "--headless", "demo", "--json"]);
    let config = made["config"].as_str().unwrap();
    let number = made["generations"].as_u64().unwrap();
    let generations = bench.json(&[
        "generations",
        "--config",
        config,
        "--vault",
        "demo",
        "--json",
        "--password-file",
        "demo/password",
    ]);
    assert!((20..=24).contains(&number) && generations.as_array().unwrap().len() as u64 == number);
    let summaries: Vec<u64> = generations
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["summary"]["files_changed"].as_u64().unwrap())
        .collect();
    assert!(summaries.iter().skip(1).all(|changed| *changed > 3), "{summaries:?}");
    let check = bench.json(&[
        "check",
        "--config",
        config,
        "--json",
        "--read-data",
        "--password-file",
        "demo/password",
    ]);
    assert_eq!(check["errors"], json!([]));
    // Another one in the same place is the same; a folder with other things in it is left alone.
    assert_eq!(bench.json(&["demo", "--headless", "demo", "--json"])["made"], false);
    fs::create_dir(bench.path("mine")).unwrap();
    fs::write(bench.path("mine/thing"), "precious").unwrap();
    bench.fails(2, &["demo", "--headless", "mine"]);
    assert!(bench.path("mine/thing").exists());
}

#[test]
fn names_that_are_no_text_survive() {
    let bench = Bench::with_vault();
    let name = Path::new(std::ffi::OsStr::from_bytes(b"raw \xff\xfe"));
    fs::write(bench.path("source").join(name), "x").unwrap();
    bench.backup(&[]);
    let found = bench.lines(&["find", "--vault", "vault", "raw*", "--json"]);
    assert!(found[0]["path"].as_str().unwrap().contains('\u{fffd}'));
    assert!(found[0]["path_bytes"].is_string());
    assert!(
        bench
            .good(&["find", "--vault", "vault", "raw*"])
            .contains("raw \\xff\\xfe")
    );
}

#[test]
fn rules_say_what_stays_and_carry_it_out() {
    let bench = Bench::with_vault();
    let at = |day: &str, more: &[&str]| {
        let time = format!("{day} 03:00");
        bench.backup(&[&["--time", &time], more].concat())
    };
    let ids = [
        at("2026-08-01", &["--host", "db"]),
        at("2026-08-01", &["--host", "web"]),
        at("2026-08-02", &["--host", "web"]),
        at("2026-08-03", &["--host", "web", "--tag", "protected"]),
        at("2026-08-04", &["--host", "web"]),
    ];
    let paths = json!([bench.path("source").canonicalize().unwrap()]);
    let forget = |more: &[&'static str]| [&["forget", "--vault", "vault"], more].concat();
    let count = || {
        bench
            .json(&["generations", "--vault", "vault", "--json"])
            .as_array()
            .unwrap()
            .len()
    };

    // Nothing, contradictions and what would empty a group are refused, and nothing goes.
    for (code, more, told) in [
        (2, &["--keep-last", "0"][..], "nothing says what stays"),
        (2, &["abcd", "--keep-last", "1"], "ids or a rule"),
        (2, &["--keep-daily", "x"], "unlimited"),
        (
            1,
            &["--keep-tag", "protected"],
            "nothing would be left of host db, paths",
        ),
        (1, &["--keep-last", "1", "--plan", "none"], "no plan"),
        (1, &["--keep-last", "1", "--read-only"], "--read-only"),
    ] {
        let said = bench.fails(code, &forget(more));
        assert!(said.contains(told), "{more:?}: {said}");
    }
    let said = bench.fails(1, &["forget", "--vault", "vault", &ids[0], &ids[3]]);
    assert!(said.contains("is protected, so nothing was deleted"), "{said}");
    assert_eq!(count(), 5);

    let table = bench.good(&forget(&["--keep-last", "1", "--dry-run"]));
    assert!(
        table.contains("would delete 2 generations") && table.contains("last snapshot"),
        "{table}"
    );
    let groups = bench.json(&forget(&["--keep-last", "1", "--json", "--dry-run"]));
    let web = json!({
        "host": "web", "paths": paths, "tags": null,
        "keep": [{ "id": ids[4], "reasons": ["last snapshot"] }, { "id": ids[3], "reasons": ["protected"] }],
        "remove": [{ "id": ids[2] }, { "id": ids[1] }],
    });
    assert_eq!(groups[1], web);
    assert_eq!((count(), groups.as_array().unwrap().len()), (5, 2));

    // A plan's own rule, on its own generations.
    let source = bench.path("source");
    bench.good(&["vault", "add", "main", "vault"]);
    bench.good(&[
        "plan",
        "add",
        "p",
        source.to_str().unwrap(),
        "--vault",
        "main",
        "--host",
        "web",
        "--keep-daily",
        "2",
    ]);
    let groups = bench.json(&["forget", "--plan", "p", "--json"]);
    assert_eq!(groups[0]["remove"], json!([{ "id": ids[2] }, { "id": ids[1] }]));
    assert_eq!(count(), 3);

    let said = bench.lines(&forget(&[
        "--keep-tag",
        "protected",
        "--allow-empty",
        "--prune",
        "--json",
    ]));
    assert_eq!(said[0][0]["remove"], json!([{ "id": ids[0] }]));
    assert_eq!((count(), &said[1]["generations"]), (1, &json!(1)));
}

#[test]
fn help_of_the_whole() {
    let bench = Bench::new();
    insta::assert_snapshot!(bench.good(&["-h"]), @r#"
    Backups in the restic format, with an interface in the terminal

    Usage: coffer [OPTIONS] [COMMAND]

    Commands:
      init         Make a vault: an empty, encrypted place for backups
      backup       Back files up: store a generation of them in the vault
      restore      Bring files back, whole or in part, to a folder of your choice or to where they were
      generations  List the generations of a vault, oldest first [alias: snapshots]
      ls           List the files of a generation
      find         Find files in all generations by name or glob, type, size and time
      diff         Show what changed from one generation to another
      dump         Write one file, or a folder as a tar or zip archive, to standard output
      stats        Show what generations weigh: logical and stored bytes, deduplication and compression
      cost         Show what a vault costs and what makes it grow; or, with a command, what a change or
                   a restore would cost
      check        Check that a vault is sound: its structure, and on request its data
      forget       Delete generations, by hand or by a rule of what stays
      prune        Give back the space of what no generation reaches any more
      tag          Edit the tags of generations
      key          Manage the keys of a vault: each is a password that opens it
      unlock       Remove locks that programs left behind
      vault        Manage the vaults named in the config
      plan         Manage plans: what is backed up into which vault
      prices       The price book: what storing costs where, and how sure that is
      jobs         Show what runs and what ran on this machine: backups, restores, checks
      snapshot     Take, list and bring back snapshots: a whole volume or machine at one moment
      machine      Name the machines that QEMU runs here, so that they can be snapshotted
      coverage     Show what brings each volume, machine and path back, and what is missing
      doctor       Check that everything is in place, and say what to do where it is not
      completions  Print completions for a shell
      demo         Make a vault to look around in, and open the interface on it

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Options of every command:
          --vault <VAULT>               The vault: a name from the config, or a folder
          --config <FILE>               The config file, instead of the usual one [env: COFFER_CONFIG]
          --password-file <FILE>        Read the vault's password from this file [else:
                                        --password-command, COFFER_PASSWORD, the config's, a prompt]
          --password-command <COMMAND>  Run this command and take what it prints as the vault's password
          --json                        Print JSON for programs instead of text for people
      -q, --quiet                       Print nothing but errors and results asked for
      -v, --verbose...                  Say more about what is done (twice: even more)
          --no-lock                     Take no lock while reading (for vaults on read-only media); what
                                        writes locks always
          --read-only                   Refuse whatever would change a vault

    Examples:
      coffer                                        open the interface
      coffer demo                                   look around in a vault made for it
      coffer init --vault /srv/backup               make a vault
      coffer backup --vault /srv/backup /etc /home  back two folders up
      coffer restore --vault /srv/backup latest:/etc --target /tmp/etc
    "#);
}

#[test]
fn help_of_a_command() {
    let bench = Bench::new();
    insta::assert_snapshot!(bench.good(&["restore", "-h"]), @r#"
    Bring files back, whole or in part, to a folder of your choice or to where they were

    Usage: coffer restore [OPTIONS] <--target <DIR>|--in-place> <GENERATION[:PATH]>

    Arguments:
      <GENERATION[:PATH]>  Which generation: an id or the beginning of one, `latest`, or a time (the
                           last one at or before it); with :PATH only that file or folder of it, placed
                           directly in the target

    Options:
      -t, --target <DIR>         Restore into this folder
          --in-place             Restore to where the files were when they were backed up
      -i, --include <GLOB>       Restore only what matches this glob
      -e, --exclude <GLOB>       Leave out what matches this glob
          --include-file <FILE>  Read globs to restore from this file, one a line
          --exclude-file <FILE>  Read globs to leave out from this file, one a line
          --overwrite <WHEN>     What to do with files that are there already [default: always]
                                 [possible values: always, if-changed, if-newer, never]
          --delete               Delete what is in the target but not in the generation
          --sparse               Leave holes where files hold long runs of zeros
          --verify               Read every restored file again and compare it with the vault
          --no-owner             Do not set owner and group
      -n, --dry-run              Say exactly what would happen, change nothing
      -h, --help                 Print help (see more with '--help')

    Which generations:
      -H, --host <HOST>  Only generations of this host
          --tag <TAG>    Only generations with this tag (TAG,TAG: with all of these; given again: or
                         these)
          --path <PATH>  Only generations that hold this backed up path

    Options of every command:
          --vault <VAULT>               The vault: a name from the config, or a folder
          --config <FILE>               The config file, instead of the usual one [env: COFFER_CONFIG]
          --password-file <FILE>        Read the vault's password from this file [else:
                                        --password-command, COFFER_PASSWORD, the config's, a prompt]
          --password-command <COMMAND>  Run this command and take what it prints as the vault's password
          --json                        Print JSON for programs instead of text for people
      -q, --quiet                       Print nothing but errors and results asked for
      -v, --verbose...                  Say more about what is done (twice: even more)
          --no-lock                     Take no lock while reading (for vaults on read-only media); what
                                        writes locks always
          --read-only                   Refuse whatever would change a vault

    Examples:
      coffer restore --vault /srv/backup latest --target /tmp/all
      coffer restore --vault /srv/backup 2026-08-01:/etc/nginx --target /tmp/nginx
      coffer restore --vault /srv/backup 4bba301e --in-place --include '/home/anna/**' --dry-run
    "#);
}

//! Running the real programs: coffer as built, and the two restics that `tests/run` brings.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Every vault of the tests has this password.
pub const PASSWORD: &str = "correct horse";
/// Every generation of the tests is made on this host.
pub const HOST: &str = "testhost";

/// Which restic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Restic {
    /// 0.18 or later.
    New,
    /// The machine's own: 0.14 on Debian 12.
    Old,
}

impl Restic {
    fn program(self) -> PathBuf {
        let name = match self {
            Restic::New => "COFFER_TEST_RESTIC_NEW",
            Restic::Old => "COFFER_TEST_RESTIC_OLD",
        };
        let program =
            PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set: run tests/run")));
        assert!(program.exists(), "{} is missing: run tests/run", program.display());
        program
    }
}

/// A folder of one test with everything in it: vaults, caches, sources, targets. Removed at the end.
pub struct Bench {
    folder: tempfile::TempDir,
    /// The time zone that all programs run under.
    pub zone: &'static str,
}

impl AsRef<Path> for Bench {
    fn as_ref(&self) -> &Path {
        self.folder.path()
    }
}

impl Bench {
    pub fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("password"), PASSWORD).unwrap();
        Bench { folder, zone: "UTC" }
    }

    /// A path in the bench's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn prepare(&self, command: &mut Command) {
        command
            .env("TZ", self.zone)
            .env("HOME", self.path("home"))
            .env("COFFER_CONFIG", self.path("config.toml"))
            .env("COFFER_CACHE_DIR", self.path("coffer-cache"))
            .env("COFFER_DATA_DIR", self.path("coffer-data"))
            .env("COFFER_PASSWORD", PASSWORD)
            .env("RESTIC_PASSWORD", PASSWORD)
            .env("RESTIC_CACHE_DIR", self.path("restic-cache"))
            .env("GOMAXPROCS", "2")
            .stdin(Stdio::null());
    }

    /// A coffer command, not yet started.
    pub fn coffer_command(&self, arguments: &[&OsStr]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    /// A restic command on a vault, not yet started.
    pub fn restic_command(&self, which: Restic, vault: &Path, arguments: &[&OsStr]) -> Command {
        let mut command = Command::new(which.program());
        command.arg("-r").arg(vault).args(arguments);
        self.prepare(&mut command);
        command
    }

    /// Runs coffer; it must succeed.
    pub fn coffer<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        let output = self.coffer_any(arguments);
        assert!(
            output.status.success(),
            "coffer {}: {}",
            words(arguments),
            both(&output)
        );
        output
    }

    /// Runs coffer, whatever becomes of it.
    pub fn coffer_any<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        self.coffer_command(&arguments).output().unwrap()
    }

    /// Runs restic; it must succeed.
    pub fn restic<S: AsRef<OsStr>>(&self, which: Restic, vault: &Path, arguments: &[S]) -> Output {
        let output = self.restic_any(which, vault, arguments);
        assert!(
            output.status.success(),
            "restic {}: {}",
            words(arguments),
            both(&output)
        );
        output
    }

    /// Runs restic, whatever becomes of it.
    pub fn restic_any<S: AsRef<OsStr>>(&self, which: Restic, vault: &Path, arguments: &[S]) -> Output {
        let arguments: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        self.restic_command(which, vault, &arguments).output().unwrap()
    }

    /// A new vault made by coffer, with a cheap key.
    pub fn coffer_vault(&self, name: &str, extra: &[&str]) -> PathBuf {
        let vault = self.path(name);
        let mut arguments: Vec<OsString> = vec![
            "init".into(),
            "--vault".into(),
            vault.clone().into(),
            "--scrypt-n".into(),
            "1024".into(),
        ];
        arguments.extend(extra.iter().map(OsString::from));
        self.coffer(&arguments);
        vault
    }

    /// A new vault made by restic.
    pub fn restic_vault(&self, which: Restic, name: &str, extra: &[&str]) -> PathBuf {
        let vault = self.path(name);
        let mut arguments = vec!["init"];
        arguments.extend(extra);
        self.restic(which, &vault, &arguments);
        vault
    }

    /// Backs up with coffer; returns the summary.
    pub fn coffer_backup(&self, vault: &Path, source: &Path, extra: &[&str]) -> Value {
        let mut arguments = os(&["backup", "--json", "--host", HOST, "--vault"]);
        arguments.extend([vault.into(), source.into()]);
        arguments.extend(extra.iter().map(OsString::from));
        last_line(&self.coffer(&arguments))
    }

    /// Backs up with restic; returns the summary.
    pub fn restic_backup(&self, which: Restic, vault: &Path, source: &Path, extra: &[&str]) -> Value {
        let mut arguments = os(&["backup", "--json", "--host", HOST]);
        arguments.push(source.into());
        arguments.extend(extra.iter().map(OsString::from));
        last_line(&self.restic(which, vault, &arguments))
    }

    /// The generations as coffer tells them, oldest first.
    pub fn coffer_generations(&self, vault: &Path) -> Vec<Value> {
        list(&self.coffer(&[
            OsStr::new("generations"),
            "--json".as_ref(),
            "--vault".as_ref(),
            vault.as_ref(),
        ]))
    }

    /// The generations as restic tells them, oldest first.
    pub fn restic_generations(&self, which: Restic, vault: &Path) -> Vec<Value> {
        list(&self.restic(which, vault, &["snapshots", "--json"]))
    }

    /// restic's whole check of a vault, with all data; it must find nothing.
    pub fn restic_check(&self, which: Restic, vault: &Path) {
        let output = self.restic(which, vault, &["check", "--read-data"]);
        assert!(both(&output).contains("no errors were found"), "{}", both(&output));
    }

    /// Coffer's whole check of a vault, with all data; it must find nothing.
    pub fn coffer_check(&self, vault: &Path) {
        let output = self.coffer(&[
            OsStr::new("check"),
            "--read-data".as_ref(),
            "--json".as_ref(),
            "--vault".as_ref(),
            vault.as_ref(),
        ]);
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["errors"], serde_json::json!([]), "{found}");
    }
}

/// Words as the system takes them.
pub fn os(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn words<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    arguments
        .iter()
        .map(|word| word.as_ref().to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

/// What a program said, with its exit status.
pub fn both(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The last line of standard output, as JSON.
pub fn last_line(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .last()
        .unwrap_or_else(|| panic!("no output: {}", both(output)));
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Standard output as a JSON array.
pub fn list(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", both(output)))
}

/// Standard output as JSON, a value a line.
pub fn lines(output: &Output) -> Vec<Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The lock files of a vault: those being written under another name are none yet.
pub fn locks(vault: &Path) -> Vec<PathBuf> {
    let mut all = files(&vault.join("locks"));
    all.retain(|file| file.file_name().is_some_and(|name| name.len() == 64));
    all
}

/// Waits until something holds, up to a minute; fails with `what` after that.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(180);
    while !holds() {
        assert!(Instant::now() < end, "waited three minutes for: {what}");
        pause();
    }
}

/// Between two looks at something that cannot wake us (files, processes).
pub fn pause() {
    std::thread::park_timeout(Duration::from_millis(1));
}

/// Sends a signal to a child.
pub fn signal(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).unwrap();
}

/// All files of a vault's folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path())
            } else {
                out.push(entry.path())
            }
        }
    }
    out.sort();
    out
}

//! Jobs that outlive the interface: left on purpose, left by a line that drops, seen and stopped from elsewhere.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::session::{PATIENCE, Session};

/// How many names the one file has: its content is read as often.
const NAMES: u32 = 4_000;

/// A vault, and a plan whose backup takes minutes.
pub struct Long {
    folder: tempfile::TempDir,
}

impl Long {
    pub fn make() -> Long {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("source")).unwrap();
        let mut random = std::fs::File::open("/dev/urandom").unwrap().take(32 << 20);
        std::io::copy(&mut random, &mut std::fs::File::create(path("source/0")).unwrap()).unwrap();
        for n in 1..NAMES {
            std::fs::hard_link(path("source/0"), path(&format!("source/{n}"))).unwrap();
        }
        std::fs::write(path("password"), "secret\n").unwrap();
        let config = format!(
            "[vaults.home]\npath = {:?}\npassword-file = {:?}\n\n[plans.everything]\npaths = [{:?}]\nvaults = [\"home\"]\n",
            path("vault"),
            path("password"),
            path("source"),
        );
        std::fs::write(path("config.toml"), config).unwrap();
        let long = Long { folder };
        long.coffer(&["init", "--vault", "home"]);
        long
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn environment(&self) -> Vec<(String, PathBuf)> {
        [
            ("HOME", self.path().to_path_buf()),
            ("PATH", std::env::var_os("PATH").unwrap().into()),
            ("LANG", "C.UTF-8".into()),
            ("TERM", "xterm-256color".into()),
            ("TZ", "UTC".into()),
            ("COFFER_CONFIG", self.path().join("config.toml")),
            ("COFFER_DATA_DIR", self.path().join("data")),
            ("COFFER_CACHE_DIR", self.path().join("cache")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Runs a command beside; what it prints.
    pub fn coffer(&self, arguments: &[&str]) -> String {
        let done = Command::new(env!("CARGO_BIN_EXE_coffer"))
            .args(arguments)
            .env_clear()
            .envs(self.environment())
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// The first job, as another process sees it.
    pub fn job(&self) -> Value {
        serde_json::from_str(&self.coffer(&["jobs", "show", "1", "--json"])).unwrap()
    }

    /// Asks for the first job until it is as wanted.
    pub fn until(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let job = self.job();
            if wanted(&job) {
                return job;
            }
            assert!(start.elapsed() < PATIENCE, "waited until {what}, saw {job:#}");
        }
    }

    /// Starts the plan's backup in the interface and sees it run.
    pub fn back_up(&self, session: &mut Session) {
        session.see("home");
        session.press("b");
        session.see("everything");
        session.see("Back up now");
        session.press("\r");
        session.see("B/s");
        self.until("it reads", |job| job["bytes"].as_u64() > Some(0));
    }

    pub fn locks(&self) -> usize {
        std::fs::read_dir(self.path().join("vault/locks")).unwrap().count()
    }
}

impl Drop for Long {
    /// No test that fails leaves a process behind.
    fn drop(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coffer"));
        let _ = command
            .args(["jobs", "cancel", "1"])
            .env_clear()
            .envs(self.environment())
            .output();
    }
}

pub fn said(job: &Value, text: &str) -> bool {
    let log = job["log"].as_array().unwrap();
    log.iter().any(|line| line["text"].as_str().unwrap().contains(text))
}

#[test]
fn a_job_goes_on_when_one_leaves_it_and_is_there_on_return() {
    let long = Long::make();
    let coffer = env!("CARGO_BIN_EXE_coffer");
    let mut session = Session::shell(&long.environment(), 100, 30);
    session.command(coffer);
    long.back_up(&mut session);
    session.press("q");
    session.see("Quit?");
    session.press_until_gone("d", "Quit?");
    session.see("1 job goes on in the background");
    session.see_prompt();
    let job = long.job();
    assert_eq!(job["state"], "running");
    assert_eq!(long.locks(), 1);
    let before = job["bytes"].as_u64();
    long.until("it is further", |job| job["bytes"].as_u64() > before);
    // Back again: there it is, with what it did, and one can stop it.
    session.command(coffer);
    session.see("Elsewhere: Back up everything to home");
    session.press("J");
    session.see("running");
    session.press("\r");
    session.see("the interface was left; goes on in the background");
    session.press("x");
    session.see("Cancel the job?");
    session.press_until_gone("y", "Cancel the job?");
    session.see("cancelled; its locks are gone");
    session.press("\x1b");
    session.see_gone("Report");
    session.press("\x1b");
    session.see_gone(" Jobs ");
    session.press("q");
    session.see_prompt();
    assert_eq!((long.job()["state"].as_str(), long.locks()), (Some("cancelled"), 0));
}

#[test]
fn a_line_that_drops_harms_no_job() {
    let long = Long::make();
    let mut session = Session::start_with(&long.environment(), 80, 24, &[]);
    long.back_up(&mut session);
    let mut front = session.hang_up();
    let job = long.until("it has noticed", |job| said(job, "the terminal is gone"));
    assert_eq!((job["state"].as_str(), long.locks()), (Some("running"), 1));
    // Nobody waits for it in front any more.
    front.wait().unwrap();
    // restic asks in this way whether the holder of a lock lives.
    let started = job["log"][0]["text"].as_str().unwrap();
    let id = started.strip_prefix("started in process ").unwrap();
    assert!(Command::new("kill").args(["-HUP", id]).status().unwrap().success());
    let before = job["bytes"].as_u64();
    long.until("it is further", |job| job["bytes"].as_u64() > before);
    // On return it is there; what another process does to it is told.
    let mut session = Session::start_with(&long.environment(), 80, 24, &[]);
    session.see("Elsewhere: Back up");
    assert_eq!(long.coffer(&["jobs", "cancel", "1"]), "job 1: cancelled\n");
    session.see("in another process: cancelled");
    assert_eq!(long.locks(), 0);
    session.press("q");
    session.ends(true);
}

#[test]
fn a_shell_that_ends_harms_no_job() {
    let long = Long::make();
    let mut session = Session::shell(&long.environment(), 80, 24);
    session.command(env!("CARGO_BIN_EXE_coffer"));
    long.back_up(&mut session);
    let mut shell = session.hang_up();
    long.until("it has noticed", |job| said(job, "the terminal is gone"));
    shell.wait().unwrap();
    assert_eq!((long.job()["state"].as_str(), long.locks()), (Some("running"), 1));
    assert_eq!(long.coffer(&["jobs", "cancel", "1"]), "job 1: cancelled\n");
    assert_eq!(long.locks(), 0);
}

#[test]
fn a_job_goes_on_while_the_shell_has_the_terminal() {
    let long = Long::make();
    let mut session = Session::shell(&long.environment(), 80, 24);
    session.command(env!("CARGO_BIN_EXE_coffer"));
    long.back_up(&mut session);
    session.press("\x1a");
    session.see("1 job goes on; fg brings the interface back");
    session.see_prompt();
    let before = long.job()["bytes"].as_u64();
    long.until("it is further", |job| job["bytes"].as_u64() > before);
    session.command("fg");
    session.see("Back up everything to home");
    session.press("q");
    session.see("Quit?");
    session.press_until_gone("c", "Quit?");
    session.see_prompt();
    assert_eq!((long.job()["state"].as_str(), long.locks()), (Some("cancelled"), 0));
}

#[test]
fn a_bug_in_the_interface_harms_no_job() {
    let long = Long::make();
    let mut variables = long.environment();
    variables.push(("COFFER_DEBUG_PANIC".into(), "1".into()));
    let mut session = Session::start_with(&variables, 80, 24, &[]);
    long.back_up(&mut session);
    session.press("\x1b[24~");
    session.see("asked for with F12");
    session.see("1 job goes on in the background");
    session.ends(false);
    let job = long.until("it has noticed", |job| said(job, "the interface failed"));
    assert_eq!(job["state"], "running");
    assert_eq!(long.coffer(&["jobs", "cancel", "1"]), "job 1: cancelled\n");
    assert_eq!(long.locks(), 0);
}

#[test]
fn being_asked_to_end_stops_the_jobs_cleanly() {
    let long = Long::make();
    let mut session = Session::start_with(&long.environment(), 80, 24, &[]);
    long.back_up(&mut session);
    let id = session.child.process_id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    session.ends(true);
    assert_eq!((long.job()["state"].as_str(), long.locks()), (Some("cancelled"), 0));
}

//! The interface in a real pseudo-terminal, as the program runs for people: keys go in, the screen is read back, and
//! afterwards the terminal is as it was. Nothing sleeps: each step waits for what it needs to see.

// Helpers of tests, outside of test functions.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

/// How long a step may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// What stands on the terminal before the program starts.
const BEFORE: &[u8] = b"$ coffer\r\n";

/// A vault made by `coffer demo`, in a folder that goes with this value.
struct Demo {
    folder: tempfile::TempDir,
}

impl Demo {
    fn make() -> Demo {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new(env!("CARGO_BIN_EXE_coffer"))
            .args(["demo", "--headless"])
            .arg(folder.path().join("demo"))
            .env_clear()
            .envs([
                ("HOME", folder.path()),
                ("LANG", Path::new("C.UTF-8")),
                ("TZ", Path::new("UTC")),
            ])
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Demo { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn environment(folder: &Path) -> Vec<(String, PathBuf)> {
    let demo = folder.join("demo");
    [
        ("HOME", folder.to_path_buf()),
        ("LANG", "C.UTF-8".into()),
        ("TERM", "xterm-256color".into()),
        ("TZ", "UTC".into()),
        ("COFFER_CONFIG", demo.join("config.toml")),
        ("COFFER_DATA_DIR", demo.join("data")),
        ("COFFER_CACHE_DIR", demo.join("cache")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The program in a terminal.
struct Session {
    master: Box<dyn MasterPty + Send>,
    // Kept open, so that the terminal outlives the program.
    _slave: Box<dyn SlavePty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    modes_before: String,
}

impl Session {
    fn start(demo: &Demo, columns: u16, rows: u16, arguments: &[&str]) -> Session {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let modes_before = format!("{:?}", pair.master.get_termios().unwrap());
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coffer"));
        command.args(arguments);
        command.env_clear();
        for (name, value) in environment(demo.path()) {
            command.env(name, value);
        }
        command.cwd(demo.path());
        let child = pair.slave.spawn_command(command).unwrap();
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 || send.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut screen = vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0);
        screen.process(BEFORE);
        Session {
            master: pair.master,
            _slave: pair.slave,
            child,
            keys,
            output,
            screen,
            modes_before,
        }
    }

    fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Reads until the screen is as wanted, or the time is over; whether it is.
    fn watch(&mut self, time: Duration, wanted: impl Fn(&vt100::Screen) -> bool) -> bool {
        let deadline = Instant::now() + time;
        loop {
            if wanted(self.screen.screen()) {
                return true;
            }
            match self
                .output
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return wanted(self.screen.screen()),
            }
        }
    }

    /// Waits until the screen shows a text.
    fn see(&mut self, text: &str) {
        let seen = self.watch(PATIENCE, |screen| screen.contents().contains(text));
        assert!(seen, "waited for {text:?}, saw:\n{}", self.contents());
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Presses a key again and again until a text is gone: a dialog that does not hear keys in its first moment.
    fn press_until_gone(&mut self, key: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.press(key);
            if self.watch(Duration::from_millis(250), |screen| !screen.contents().contains(text)) {
                return;
            }
        }
        panic!("{text:?} stays:\n{}", self.contents());
    }

    /// Waits until the screen does not show a text.
    fn see_gone(&mut self, text: &str) {
        let gone = self.watch(PATIENCE, |screen| !screen.contents().contains(text));
        assert!(gone, "waited for {text:?} to go, saw:\n{}", self.contents());
    }

    /// Filters `etc` to one row and selects it.
    fn select(&mut self, name: &str, selected: &str) {
        self.press(&format!("/{name}\r"));
        self.see_gone("passwd");
        self.see(name);
        self.press(" ");
        self.see(selected);
        self.press("\x1b");
        self.see("passwd");
    }

    /// Waits for the end of the program and looks whether the terminal is as before.
    fn ends(mut self, success: bool) {
        let status = self.child.wait().unwrap();
        assert_eq!(status.success(), success, "{status:?}\n{}", self.contents());
        // What it wrote last may still be on its way.
        let restored = self.watch(PATIENCE, |screen| !screen.alternate_screen());
        assert!(restored, "the alternate screen was not left:\n{}", self.contents());
        assert!(
            self.watch(PATIENCE, |screen| !screen.hide_cursor()),
            "the cursor is hidden"
        );
        assert!(!self.screen.screen().bracketed_paste(), "bracketed paste is still on");
        assert!(
            self.contents().starts_with("$ coffer"),
            "what stood there before is gone:\n{}",
            self.contents()
        );
        let modes = format!("{:?}", self.master.get_termios().unwrap());
        assert_eq!(modes, self.modes_before, "the terminal's modes");
    }
}

/// All files below a folder, by their paths in it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut left = vec![folder.to_path_buf()];
    while let Some(at) = left.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                out.push(path.strip_prefix(folder).unwrap().to_path_buf());
            }
        }
    }
    out
}

/// Opens the demo's generation of three months ago, selects two files and a folder, restores them elsewhere, sees the job
/// finish, and quits.
fn restore_from_three_months_ago(columns: u16, rows: u16) {
    let demo = Demo::make();
    let target = demo.path().join("out");
    let mut session = Session::start(&demo, columns, rows, &[]);
    session.see("demo");
    session.see("14");
    session.press("\r");
    session.see("/14");
    session.press("/3 months\r");
    session.see("3 months ago");
    session.press("\r");
    let in_files = |screen: &vt100::Screen| {
        screen
            .contents()
            .lines()
            .next()
            .is_some_and(|line| line.contains("web1"))
    };
    assert!(
        session.watch(PATIENCE, in_files),
        "the generation was not opened:\n{}",
        session.contents()
    );
    session.see("etc/");
    session.press("/etc\r");
    session.see_gone("srv/");
    session.see("etc/");
    session.press("\r");
    session.see("passwd");
    session.select("fstab", "1 item selected");
    session.select("hosts", "2 items selected");
    session.select("nginx", "3 items selected");
    session.see("selected: ");
    session.press("r");
    session.see("to folder");
    session.press("\x15");
    session.press(target.to_str().unwrap());
    session.press("\r");
    session.see("entries that are not there yet");
    session.press_until_gone("y", "Restore: the plan");
    // One goes on browsing while the job runs.
    session.press("j");
    session.see("✓ Restore 3 items to ");
    let restored = files_below(&target);
    for name in ["fstab", "hosts"] {
        assert!(
            restored.iter().any(|path| path.ends_with(Path::new("etc").join(name))),
            "{name} in {restored:?}"
        );
    }
    assert!(
        restored
            .iter()
            .any(|path| path.to_string_lossy().contains("etc/nginx/")),
        "{restored:?}"
    );
    assert!(
        !restored.iter().any(|path| path.ends_with("etc/passwd")),
        "only what was selected: {restored:?}"
    );
    session.press("J");
    session.see("done");
    session.press("\x1b");
    session.see_gone(" Jobs ");
    session.press("q");
    session.ends(true);
}

#[test]
fn restores_from_three_months_ago_at_80_by_24() {
    restore_from_three_months_ago(80, 24);
}

#[test]
fn restores_from_three_months_ago_at_120_by_40() {
    restore_from_three_months_ago(120, 40);
}

#[test]
fn follows_the_terminals_size_and_leaves_it_clean_on_sigterm() {
    let demo = Demo::make();
    let mut session = Session::start(&demo, 80, 24, &["--vault", "demo"]);
    session.see("Generations");
    for (columns, rows, text) in [(40, 10, "Coffer needs 60x15"), (120, 40, "Vaults")] {
        session
            .screen
            .set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        session
            .master
            .resize(PtySize {
                rows,
                cols: columns,
                pixel_width: 0,
                pixel_height: 0,
            })
            .unwrap();
        session.see(text);
    }
    let id = session.child.process_id().unwrap();
    let killed = Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap();
    assert!(killed.success());
    session.ends(true);
}

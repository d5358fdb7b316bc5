//! The program in a pseudo-terminal whose screen is read back, and a demo to run it on.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

/// How long a step may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// What stands on the terminal before the program starts.
pub const BEFORE: &[u8] = b"$ coffer\r\n";

/// A vault made by `coffer demo`, in a folder that goes with this value.
pub struct Demo {
    folder: tempfile::TempDir,
}

impl Demo {
    pub fn make() -> Demo {
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

    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

pub fn environment(folder: &Path) -> Vec<(String, PathBuf)> {
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
pub struct Session {
    master: Box<dyn MasterPty + Send>,
    // Kept open, so that the terminal outlives the program.
    _slave: Box<dyn SlavePty + Send>,
    pub child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    screen: vt100::Parser,
    modes_before: String,
}

impl Session {
    /// Starts the program on a demo's vault.
    pub fn start(demo: &Demo, columns: u16, rows: u16, arguments: &[&str]) -> Session {
        Session::start_with(&environment(demo.path()), columns, rows, arguments)
    }

    /// Starts the program with these variables and no others.
    pub fn start_with(environment: &[(String, PathBuf)], columns: u16, rows: u16, arguments: &[&str]) -> Session {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coffer"));
        command.args(arguments);
        command.env_clear();
        for (name, value) in environment {
            command.env(name, value);
            if name == "HOME" {
                command.cwd(value);
            }
        }
        Session::run(command, columns, rows)
    }

    /// Starts a command.
    pub fn run(command: CommandBuilder, columns: u16, rows: u16) -> Session {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let modes_before = format!("{:?}", pair.master.get_termios().unwrap());
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

    /// Changes the terminal's size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.screen
            .set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        self.master.resize(size).unwrap();
    }

    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// Reads until the screen is as wanted, or the time is over; whether it is.
    pub fn watch(&mut self, time: Duration, wanted: impl Fn(&vt100::Screen) -> bool) -> bool {
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
    pub fn see(&mut self, text: &str) {
        let seen = self.watch(PATIENCE, |screen| screen.contents().contains(text));
        assert!(seen, "waited for {text:?}, saw:\n{}", self.contents());
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Presses a key again and again until a text is gone: a dialog that does not hear keys in its first moment.
    pub fn press_until_gone(&mut self, key: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.press(key);
            if self.watch(Duration::from_millis(250), |screen| !screen.contents().contains(text)) {
                return;
            }
        }
        panic!("{text:?} stays:\n{}", self.contents());
    }

    /// Types something again and again until a text is there: a shell that tells of its jobs only when it is asked.
    pub fn press_until_seen(&mut self, keys: &str, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.press(keys);
            if self.watch(Duration::from_millis(250), |screen| screen.contents().contains(text)) {
                return;
            }
        }
        panic!("waited for {text:?}, saw:\n{}", self.contents());
    }

    /// Waits until the screen does not show a text.
    pub fn see_gone(&mut self, text: &str) {
        let gone = self.watch(PATIENCE, |screen| !screen.contents().contains(text));
        assert!(gone, "waited for {text:?} to go, saw:\n{}", self.contents());
    }

    /// A shell with job control in a terminal, which shows `$ ` when it wants a command.
    pub fn shell(environment: &[(String, PathBuf)], columns: u16, rows: u16) -> Session {
        let mut command = CommandBuilder::new("/bin/bash");
        command.args(["--norc", "--noprofile", "-i"]);
        command.env_clear();
        for (name, value) in environment {
            command.env(name, value);
        }
        command.env("PS1", "READY> ");
        let mut session = Session::run(command, columns, rows);
        session.see("READY> ");
        session
    }

    /// Types a command to the shell, on a clean screen.
    pub fn command(&mut self, command: &str) {
        self.press("\x0c");
        self.press(command);
        self.press("\r");
    }

    /// Waits until the shell, and not the interface, has the terminal.
    pub fn see_prompt(&mut self) {
        let ready = |screen: &vt100::Screen| {
            let contents = screen.contents();
            let last = contents.lines().rfind(|line| !line.trim().is_empty());
            !screen.alternate_screen() && last.is_some_and(|line| line.trim_end() == "READY>")
        };
        assert!(self.watch(PATIENCE, ready), "no prompt:\n{}", self.contents());
        assert!(!self.screen.screen().hide_cursor(), "the cursor is hidden");
    }

    /// Drops the line to the terminal, as a connection that breaks does.
    pub fn hang_up(self) -> Box<dyn Child + Send + Sync> {
        self.child
    }

    /// Waits for the end of the program and looks whether the terminal is as before.
    pub fn ends(mut self, success: bool) {
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

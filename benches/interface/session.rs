//! The program in a pseudo-terminal.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, SlavePty, native_pty_system};

/// How long a screen may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// What ends a frame: the terminal shows all of it at once.
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// The program, its terminal, and its screen as read back.
pub struct Session {
    _master: Box<dyn MasterPty + Send>,
    _slave: Box<dyn SlavePty + Send>,
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<(Instant, Vec<u8>)>,
    screen: vt100::Parser,
    /// When the program was started.
    started: Instant,
}

impl Session {
    /// Starts the program in a home folder.
    pub fn start(home: &Path, columns: u16, rows: u16) -> Session {
        let size = PtySize {
            rows,
            cols: columns,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_coffer"));
        command.env_clear();
        for (name, value) in super::vaults::environment(home) {
            command.env(name, value);
        }
        command.cwd(home);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let (send, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if send.send((Instant::now(), buffer[..n].to_vec())).is_err() {
                    return;
                }
            }
        });
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        Session {
            _master: pair.master,
            _slave: pair.slave,
            child,
            keys,
            output,
            screen: vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0),
            started,
        }
    }

    /// Waits until the screen holds what is wanted; gives how long after the program's start that was.
    pub fn wait(&mut self, wanted: impl Fn(&str) -> bool) -> Duration {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok((at, bytes)) = self.output.recv_timeout(left) else {
                panic!("this is on the screen instead:\n{}", self.screen.screen().contents());
            };
            self.screen.process(&bytes);
            if wanted(&self.screen.screen().contents()) {
                return at - self.started;
            }
        }
    }

    /// Types something without waiting for anything.
    pub fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Types a key and waits for the end of the next frame: gives how long that took.
    pub fn key(&mut self, key: &str) -> Duration {
        while let Ok((_, bytes)) = self.output.try_recv() {
            self.screen.process(&bytes);
        }
        let typed = Instant::now();
        self.type_in(key);
        let mut seen: Vec<u8> = Vec::new();
        loop {
            let Ok((at, bytes)) = self.output.recv_timeout(PATIENCE) else {
                panic!("no frame for {key:?}:\n{}", self.screen.screen().contents());
            };
            self.screen.process(&bytes);
            seen.extend_from_slice(&bytes);
            if seen.windows(FRAME_END.len()).any(|window| window == FRAME_END) {
                return at - typed;
            }
        }
    }

    /// What is on the screen.
    pub fn contents(&self) -> String {
        self.screen.screen().contents()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

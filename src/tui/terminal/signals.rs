//! What the system tells a process with a terminal.

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// The line to the terminal. A SIGHUP alone does not say that it is gone: restic's `unlock` sends one to every process on
/// this host that holds a lock, to see whether it is alive.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    was_there: bool,
}

impl Line {
    /// The line as it is when the program starts.
    pub fn at_start() -> Line {
        Line {
            was_there: line_is_there(),
        }
    }

    /// Whether the line was there and is gone.
    pub fn is_gone(self) -> bool {
        self.was_there && !line_is_there()
    }
}

/// The system takes the controlling terminal away from a session before it says so.
fn line_is_there() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}

/// A signal, by what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// End: SIGTERM, SIGINT, SIGQUIT.
    End,
    /// The terminal is gone: SIGHUP when it really is, or the death of the process in front (SIGUSR1).
    HungUp,
    /// Stop: SIGTSTP from outside (Ctrl-Z is a key here).
    Stop,
    /// Go on after a stop: SIGCONT.
    Continue,
    /// The terminal has another size: SIGWINCH.
    Resized,
}

/// The signals heard.
pub struct Signals {
    end: [unix::Signal; 3],
    hang_up: unix::Signal,
    front_died: unix::Signal,
    line: Line,
    stop: unix::Signal,
    resume: unix::Signal,
    resized: unix::Signal,
}

impl Signals {
    /// Hears them from now on.
    pub fn new() -> io::Result<Signals> {
        use rustix::process::Signal as Sys;
        Ok(Signals {
            end: [
                unix::signal(SignalKind::terminate())?,
                unix::signal(SignalKind::interrupt())?,
                unix::signal(SignalKind::quit())?,
            ],
            hang_up: unix::signal(SignalKind::hangup())?,
            front_died: unix::signal(SignalKind::user_defined1())?,
            line: Line::at_start(),
            stop: unix::signal(SignalKind::from_raw(Sys::TSTP.as_raw()))?,
            resized: unix::signal(SignalKind::window_change())?,
            resume: unix::signal(SignalKind::from_raw(Sys::CONT.as_raw()))?,
        })
    }

    /// The next one. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        let [term, int, quit] = &mut self.end;
        loop {
            return tokio::select! {
                _ = term.recv() => Signal::End,
                _ = int.recv() => Signal::End,
                _ = quit.recv() => Signal::End,
                _ = self.hang_up.recv() => {
                    if !self.line.is_gone() {
                        continue;
                    }
                    Signal::HungUp
                }
                _ = self.front_died.recv() => Signal::HungUp,
                _ = self.stop.recv() => Signal::Stop,
                _ = self.resume.recv() => Signal::Continue,
                _ = self.resized.recv() => Signal::Resized,
            };
        }
    }
}

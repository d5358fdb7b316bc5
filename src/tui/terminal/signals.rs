//! What the system tells a process with a terminal. (A changed window size comes with the input.)

use std::io;

use tokio::signal::unix::{self, SignalKind};

/// A signal, by what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// End: SIGTERM, SIGINT, SIGHUP (the line is gone), SIGQUIT.
    End,
    /// Stop: SIGTSTP from outside (Ctrl-Z is a key here).
    Stop,
    /// Go on after a stop: SIGCONT.
    Continue,
}

/// The signals heard.
pub struct Signals {
    end: [unix::Signal; 4],
    stop: unix::Signal,
    resume: unix::Signal,
}

impl Signals {
    /// Hears them from now on.
    pub fn new() -> io::Result<Signals> {
        use rustix::process::Signal as Sys;
        Ok(Signals {
            end: [
                unix::signal(SignalKind::terminate())?,
                unix::signal(SignalKind::interrupt())?,
                unix::signal(SignalKind::hangup())?,
                unix::signal(SignalKind::quit())?,
            ],
            stop: unix::signal(SignalKind::from_raw(Sys::TSTP.as_raw()))?,
            resume: unix::signal(SignalKind::from_raw(Sys::CONT.as_raw()))?,
        })
    }

    /// The next one. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        let [term, int, hup, quit] = &mut self.end;
        tokio::select! {
            _ = term.recv() => Signal::End,
            _ = int.recv() => Signal::End,
            _ = hup.recv() => Signal::End,
            _ = quit.recv() => Signal::End,
            _ = self.stop.recv() => Signal::Stop,
            _ = self.resume.recv() => Signal::Continue,
        }
    }
}

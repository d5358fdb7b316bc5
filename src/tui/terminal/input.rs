//! What is typed, read from the terminal itself.
//!
//! From a file of our own on it, so that not waiting for bytes is not forced upon the shell, which shares standard input;
//! and without a thread, so that nobody reads any more the moment it is dropped. The end of the file, or an error, means
//! that the terminal is gone.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use super::super::msg::{Moment, Msg};
use super::parse::{Parser, Sent};

/// How long the rest of a sequence may take on its way.
const REST: Duration = Duration::from_millis(50);

/// The terminal's input.
pub struct Input {
    terminal: AsyncFd<OwnedFd>,
    parser: Parser,
    sent: VecDeque<Sent>,
    /// Until when more of what is not whole may come.
    until: Option<Instant>,
}

impl Input {
    /// Reads from now on.
    pub fn open() -> io::Result<Input> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let open = |path: &std::ffi::CStr| rustix::fs::open(path, flags, Mode::empty());
        let name = rustix::termios::ttyname(io::stdin(), Vec::new());
        let terminal = name.and_then(|name| open(&name)).or_else(|_| open(c"/dev/tty"))?;
        // SAFETY: the descriptor is owned by what it is registered with, and is neither replaced nor closed before.
        let terminal = unsafe { AsyncFd::register_with_interest(terminal, Interest::READABLE)? };
        Ok(Input {
            terminal,
            parser: Parser::default(),
            sent: VecDeque::new(),
            until: None,
        })
    }

    /// The next thing typed. An error when the terminal is gone. Cancel-safe.
    async fn next(&mut self) -> io::Result<Sent> {
        loop {
            if let Some(sent) = self.sent.pop_front() {
                return Ok(sent);
            }
            let late = self.until;
            tokio::select! {
                biased;
                ready = self.terminal.readable() => {
                    let mut ready = ready?;
                    let mut buffer = [0; 4096];
                    let read = ready.try_io(|terminal| Ok(rustix::io::read(terminal.get_ref(), &mut buffer)?));
                    let Ok(read) = read else { continue };
                    let mut out = Vec::new();
                    match read {
                        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                        Ok(n) => self.parser.feed(&buffer[..n], &mut out),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                        Err(error) => return Err(error),
                    }
                    self.sent.extend(out);
                    self.until = self.parser.is_unsettled().then(|| Instant::now() + REST);
                }
                () = tokio::time::sleep_until(late.unwrap_or_else(Instant::now)), if late.is_some() => {
                    let mut out = Vec::new();
                    self.parser.settle(&mut out);
                    self.sent.extend(out);
                    self.until = None;
                }
            }
        }
    }
}

/// The next thing typed; for ever without an input. Cancel-safe.
pub async fn next(input: &mut Option<Input>) -> io::Result<Sent> {
    match input {
        Some(input) => input.next().await,
        None => std::future::pending().await,
    }
}

/// What was sent, as a message.
pub fn message(sent: Sent, at: Moment) -> Msg {
    match sent {
        Sent::Key(key) => Msg::Key(key, at),
        Sent::Paste(text) => Msg::Paste(text, at),
        Sent::Pointer(pointer) => Msg::Pointer(pointer, at),
    }
}

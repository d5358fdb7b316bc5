//! The terminal, taken and given back: on leaving, on an error, on a panic, on suspension.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// Whether the interface has the terminal now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Title saved, alternate screen, cleared, cursor hidden, bracketed paste.
const ENTER: &[u8] = b"\x1b[22;0t\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h";
/// The opposite, in the opposite order; a synchronised update that was cut off is ended first.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?2004l\x1b[?25h\x1b[?1049l\x1b[23;0t";

/// The terminal in the interface's hands; given back when this is dropped.
#[derive(Debug)]
pub struct Owned(());

impl Owned {
    /// Takes the terminal.
    pub fn take() -> io::Result<Owned> {
        enter()?;
        Ok(Owned(()))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        leave();
    }
}

/// Takes the terminal, for the first time or again.
pub fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let entered = enable_raw_mode().and_then(|()| write(ENTER));
    if entered.is_err() {
        leave();
    }
    entered
}

/// Gives the terminal back, if it is not yet. Errors are ignored: the terminal may be gone.
pub fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        _ = write(LEAVE);
        _ = disable_raw_mode();
    }
}

/// Sets the title.
pub fn title(text: &str) -> io::Result<()> {
    write(format!("\x1b]2;{text}\x07").as_bytes())
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// From now on a panic of this thread gives the terminal back before it is told; one of another thread is told to nobody
/// while the interface has the terminal (the engine makes it that job's error).
pub fn restore_on_panic() {
    let ours: ThreadId = std::thread::current().id();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == ours {
            leave();
        }
        if !TAKEN.load(Ordering::SeqCst) {
            before(info);
        }
    }));
}

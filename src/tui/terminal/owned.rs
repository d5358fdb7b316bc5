//! The terminal, taken and given back: on leaving, on an error, on a panic, on suspension.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

/// The longest text that is copied: terminals drop longer ones, silently.
const COPIED: usize = 70_000;

/// Whether the interface has the terminal now.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Title saved, alternate screen, cleared, cursor hidden, bracketed paste.
const ENTER: &[u8] = b"\x1b[22;0t\x1b[?1049h\x1b[2J\x1b[?25l\x1b[?2004h";
/// The opposite, in the opposite order; a synchronised update that was cut off is ended first.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m\x1b[?2004l\x1b[?25h\x1b[?1049l\x1b[23;0t";

/// Clicks and the wheel are told, with coordinates of any size.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// The opposite.
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// The terminal in the interface's hands; given back when this is dropped.
#[derive(Debug)]
pub struct Owned(());

impl Owned {
    /// Takes the terminal.
    pub fn take(mouse: bool) -> io::Result<Owned> {
        enter(mouse)?;
        Ok(Owned(()))
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        leave();
    }
}

/// Takes the terminal, for the first time or again; with `mouse`, clicks and the wheel too.
pub fn enter(mouse: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let entered = enable_raw_mode().and_then(|()| write(ENTER));
    let entered = entered.and_then(|()| if mouse { write(MOUSE_ON) } else { Ok(()) });
    if entered.is_err() {
        leave();
    }
    entered
}

/// Gives the terminal back, if it is not yet. Errors are ignored: the terminal may be gone.
pub fn leave() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        _ = write(MOUSE_OFF);
        _ = write(LEAVE);
        _ = disable_raw_mode();
    }
}

/// Puts a text into the clipboard of whoever looks at the terminal, over any number of hops (OSC 52). `false` when it is
/// too long for that.
pub fn copy(text: &str) -> io::Result<bool> {
    let encoded = data_encoding::BASE64.encode(text.as_bytes());
    if encoded.len() > COPIED {
        return Ok(false);
    }
    write(format!("\x1b]52;c;{encoded}\x07").as_bytes())?;
    Ok(true)
}

/// The terminal's modes before anybody changed them, for a process that restores them after another one that could not.
#[derive(Debug)]
pub struct Untouched(Option<rustix::termios::Termios>);

impl Untouched {
    /// Looks at them.
    pub fn look() -> Untouched {
        Untouched(rustix::termios::tcgetattr(io::stdin()).ok())
    }

    /// Puts everything back.
    pub fn restore(&self) {
        _ = write(MOUSE_OFF).and_then(|()| write(LEAVE));
        if let Some(modes) = &self.0 {
            _ = rustix::termios::tcsetattr(io::stdin(), rustix::termios::OptionalActions::Now, modes);
        }
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

//! Signals: the first asks the work to stop, the second ends the process at once. Work that takes too long to stop is ended
//! without a second one, but for what must come to its end ([`crate::ending`]).
//!
//! Nothing is done in a signal's handler itself: a thread waits for them. SIGPIPE is ignored (as Rust's runtime has it), so
//! a closed pipe is an error of the write, and travels up like any other.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::Failure;
use super::exit::Exit;
use crate::progress::Cancel;
use crate::tui::Line;

/// How long work may take to stop by itself before the process is ended without it.
const PATIENCE: Duration = Duration::from_millis(2500);

/// Whether the terminal is asked for a password just now: there is nothing to wait for then.
static ASKING: AtomicBool = AtomicBool::new(false);

/// Whether signals are for somebody else: the interface has its own way with them.
static STOOD_DOWN: AtomicBool = AtomicBool::new(false);

/// The terminal as it was when signals were first watched for.
static LINE: OnceLock<Line> = OnceLock::new();

/// Whether the terminal that the process was started in is gone: what cannot be written there any more was not asked for
/// by a reader that left, and SIGHUP says the same, perhaps a moment later.
pub fn line_is_gone() -> bool {
    LINE.get().is_some_and(|line| line.is_gone())
}

/// Leaves signals alone from now on: whoever calls this listens itself.
pub fn stand_down() {
    STOOD_DOWN.store(true, Ordering::SeqCst);
}

/// From now on SIGINT, SIGTERM, and SIGHUP when the terminal is gone, set `cancel`; a second one, or work that does not
/// stop and is not owed, ends the process after the locks of this process are deleted.
pub fn watch(cancel: &Cancel) -> Result<(), Failure> {
    let cannot = |error| Failure::failed(format!("cannot listen for signals: {error}"));
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(cannot)?;
    let cancel = cancel.clone();
    let line = *LINE.get_or_init(Line::at_start);
    let work = move || {
        for signal in signals.forever() {
            if signal == SIGHUP && !line.is_gone() {
                continue;
            }
            if STOOD_DOWN.load(Ordering::SeqCst) {
                continue;
            }
            if cancel.is_cancelled() || ASKING.load(Ordering::SeqCst) {
                end();
            }
            cancel.cancel();
            std::thread::spawn(|| {
                std::thread::sleep(PATIENCE);
                // What was owed is done: the work around it gets its moment too.
                while crate::ending::wait() {
                    std::thread::sleep(PATIENCE);
                }
                if !STOOD_DOWN.load(Ordering::SeqCst) {
                    end();
                }
            });
        }
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(work)
        .map_err(cannot)?;
    Ok(())
}

/// Runs something during which another program has the terminal, such as an editor: signals from its keys are for that one.
pub fn while_another_has_the_terminal<T>(run: impl FnOnce() -> T) -> T {
    let before = STOOD_DOWN.swap(true, Ordering::SeqCst);
    let result = run();
    STOOD_DOWN.store(before, Ordering::SeqCst);
    result
}

/// Runs `ask` with signals ending the process at once.
pub fn while_asking<T>(ask: impl FnOnce() -> T) -> T {
    let before = ASKING.swap(true, Ordering::SeqCst);
    let answer = ask();
    ASKING.store(before, Ordering::SeqCst);
    answer
}

/// Ends the process now, without locks left behind and with the terminal showing what is typed.
fn end() -> ! {
    if ASKING.load(Ordering::SeqCst) {
        echo_again();
    }
    crate::vault::lock::release_all();
    std::process::exit(Exit::Interrupted.number().into());
}

fn echo_again() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let Ok(terminal) = std::fs::File::open("/dev/tty") else {
        return;
    };
    if let Ok(mut modes) = tcgetattr(&terminal) {
        modes.local_modes |= LocalModes::ECHO | LocalModes::ECHONL;
        let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
    }
    eprintln!();
}

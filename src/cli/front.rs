//! The process the shell sees while the interface is open.
//!
//! Jobs are to outlive the interface, and the shell's prompt is to come back at once when it is left: so the interface runs
//! in a child of the process that the shell started, in the same terminal and process group, and that process waits. It
//! passes on what is sent to it, ends as the child ends, and ends early when the child lets it go. A fork would have to
//! happen before there is any thread and still be unsafe; starting the same program again costs a few milliseconds and is
//! neither.
//!
//! | signal here | meaning |
//! |---|---|
//! | SIGCHLD | the child has ended: so does this, with its exit code |
//! | SIGUSR1, SIGUSR2 | the child goes on without a terminal: this ends, well or (2) badly |
//! | SIGTERM, SIGINT, SIGQUIT | the child is to end |
//! | SIGHUP with the terminal gone | the child is told |
//! | SIGTSTP | the system stops this; the child, which sent it, has given the terminal back and goes on with its jobs |

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus};

use rustix::process::{Pid, Signal, getppid, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use super::exit::Exit;
use crate::tui::{Line, Untouched};

/// Tells the child which process waits for it.
pub const VARIABLE: &str = "COFFER_FRONT";

/// Whether this process is the child of the front that started it, by what [`VARIABLE`] says.
pub fn behind(variable: Option<i32>) -> Option<Pid> {
    let front = Pid::from_raw(variable?)?;
    (getppid() == Some(front)).then_some(front)
}

/// Starts the program again and waits in front of it. `None` when that cannot be done: then the interface runs here, and
/// jobs end with it.
pub fn wait() -> Option<ExitCode> {
    let line = Line::at_start();
    let untouched = Untouched::look();
    // Heard before there is a child, so that nothing it does is missed.
    let mut signals = Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2]).ok()?;
    let mut child = start()?;
    for signal in signals.forever() {
        match signal {
            SIGCHLD => match child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) => return Some(ended(status, &untouched)),
                Err(_) => return Some(Exit::Failed.into()),
            },
            SIGUSR1 => return Some(Exit::Done.into()),
            SIGUSR2 => return Some(Exit::Failed.into()),
            SIGHUP if line.is_gone() => tell(&child, Signal::HUP),
            // restic's way of asking whether a process lives: not meant for this one.
            SIGHUP => {}
            _ => tell(&child, Signal::TERM),
        }
    }
    Some(Exit::Failed.into())
}

fn start() -> Option<Child> {
    // The running program's own file, even when an update has replaced it meanwhile.
    let own = Path::new("/proc/self/exe");
    let program = if own.exists() {
        own.to_path_buf()
    } else {
        std::env::current_exe().ok()?
    };
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| "coffer".into());
    let mut command = Command::new(program);
    command.arg0(name).args(arguments);
    command.env(VARIABLE, std::process::id().to_string());
    command.spawn().ok()
}

fn tell(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(id) = id {
        let _ = kill_process(id, signal);
    }
}

/// Ends as the child did. One that was killed could not give the terminal back.
fn ended(status: ExitStatus, untouched: &Untouched) -> ExitCode {
    if let Some(code) = status.code() {
        return u8::try_from(code).unwrap_or(1).into();
    }
    let signal = status.signal().unwrap_or(0);
    untouched.restore();
    eprintln!(
        "coffer was killed (signal {signal}); locks it held in a vault go stale after half an hour, or: coffer unlock"
    );
    u8::try_from(128 + signal).unwrap_or(1).into()
}

//! The process that waits in the shell's sight: stopped when the user goes to the shell, let go when jobs go on without a
//! terminal. See `cli::front` for its side.

use std::fs::{File, OpenOptions};
use std::io;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, getppid, kill_process};
use rustix::termios::tcgetpgrp;

/// How long the front may take to stop, in looks and the time between them.
const LOOKS: (u32, Duration) = (200, Duration::from_millis(10));

/// The process that waits in the shell's sight.
#[derive(Debug, Clone, Copy)]
pub struct Front(Pid);

impl Front {
    /// The front with this number. If it dies, this process is told by SIGUSR1.
    pub fn new(front: Pid) -> Option<Front> {
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::USR1));
        // It may have died before that.
        (getppid() == Some(front)).then_some(Front(front))
    }

    /// Stops it, so that the shell takes the terminal and shows its prompt. `false` when there is no shell that could: the
    /// system lets nobody be stopped whom nobody can continue.
    pub fn stop(self) -> bool {
        if kill_process(self.0, Signal::TSTP).is_err() {
            return false;
        }
        for _ in 0..LOOKS.0 {
            if self.is_stopped() {
                return true;
            }
            std::thread::sleep(LOOKS.1);
        }
        false
    }

    fn is_stopped(self) -> bool {
        let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", self.0.as_raw_nonzero())) else {
            return false;
        };
        // The state comes after the name, which is in brackets and can hold anything.
        let state = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        state.trim_start().starts_with('T')
    }

    /// Lets it end, well or badly.
    fn release(self, well: bool) {
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_parent_process_death_signal(None);
        let _ = kill_process(self.0, if well { Signal::USR1 } else { Signal::USR2 });
    }
}

/// Whether the terminal is this process group's now.
pub fn in_foreground() -> io::Result<bool> {
    Ok(tcgetpgrp(io::stdin())? == getpgrp())
}

/// Leaves the terminal for good: nothing of this process reads or writes there any more, its end does not reach this
/// process, and the shell gets its prompt.
pub fn leave_terminal(front: Option<Front>, well: bool) -> io::Result<()> {
    let nothing = OpenOptions::new().read(true).write(true).open("/dev/null");
    let redirected = nothing.and_then(|nothing| redirect(&nothing));
    // Fails for the leader of a group, which this is only without a front; then the terminal's end is merely ignored.
    let _ = rustix::process::setsid();
    if let Some(front) = front {
        front.release(well);
    }
    redirected
}

fn redirect(nothing: &File) -> io::Result<()> {
    rustix::stdio::dup2_stdin(nothing)?;
    rustix::stdio::dup2_stdout(nothing)?;
    rustix::stdio::dup2_stderr(nothing)?;
    Ok(())
}

//! Freezing a mounted filesystem: whoever writes to it waits. Not for btrfs and reflink copies, which must write to the
//! very filesystem they copy.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::ioctl::{NoArg, ioctl, opcode};

use super::system::{errno, io_error};
use super::{Error, Frozen, Result};

const FREEZE: rustix::ioctl::Opcode = opcode::read_write::<i32>(b'X', 119);
const THAW: rustix::ioctl::Opcode = opcode::read_write::<i32>(b'X', 120);

/// A mounted filesystem that is frozen.
#[derive(Debug)]
pub struct Mounted {
    path: PathBuf,
    since: Instant,
    thawed: bool,
}

/// What a watchdog must do for a mount.
pub fn remedy(path: &Path) -> String {
    format!("mount:{}", path.display())
}

impl Mounted {
    /// Freezes the filesystem that is mounted at a path. Needs root.
    pub fn freeze(path: &Path) -> Result<Mounted> {
        let folder = File::open(path).map_err(io_error("open", path))?;
        // SAFETY: the kernel does not look at the argument of this request (`FIFREEZE`, linux/fs.h).
        match unsafe { ioctl(&folder, NoArg::<FREEZE>::new()) } {
            Ok(()) => Ok(Mounted {
                path: path.to_path_buf(),
                since: Instant::now(),
                thawed: false,
            }),
            Err(Errno::PERM) => Err(Error::Rights {
                what: format!("freezing {}", path.display()),
                help: "run it with sudo".into(),
            }),
            Err(Errno::BUSY) => Err(Error::Cannot {
                what: format!("freeze {}", path.display()),
                why: "it is frozen already, by another program: wait for that, or thaw it (fsfreeze --unfreeze)".into(),
            }),
            Err(error) => Err(errno("freeze", path)(error)),
        }
    }
}

/// Thaws a mounted filesystem; whether it was frozen.
pub(super) fn thaw(path: &Path) -> Result<bool> {
    let folder = File::open(path).map_err(io_error("open", path))?;
    // SAFETY: the kernel does not look at the argument of this request (`FITHAW`, linux/fs.h).
    match unsafe { ioctl(&folder, NoArg::<THAW>::new()) } {
        Ok(()) => Ok(true),
        Err(Errno::INVAL) => Ok(false),
        Err(error) => Err(errno("thaw", path)(error)),
    }
}

impl Frozen for Mounted {
    fn thaw(mut self: Box<Self>) -> Result<Duration> {
        let held = self.since.elapsed();
        let was_frozen = thaw(&self.path)?;
        self.thawed = true;
        match was_frozen {
            true => Ok(held),
            false => Err(Error::TimedOut {
                what: format!("holding {}", self.path.display()),
                seconds: held.as_secs(),
                then: "; it was thawed by the watchdog or by another program before all was done".into(),
            }),
        }
    }

    fn remedy(&self) -> String {
        remedy(&self.path)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if !self.thawed {
            let _ = thaw(&self.path);
        }
    }
}

//! Thawing a mounted filesystem: what `coffer thaw mount:PATH` does.

use std::fs::File;
use std::path::Path;

use rustix::io::Errno;
use rustix::ioctl::{NoArg, ioctl, opcode};

use super::Result;
use super::system::{errno, io_error};

const THAW: rustix::ioctl::Opcode = opcode::read_write::<i32>(b'X', 120);

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

//! Bytes on their way from one step to a later one, more than memory should hold.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use memmap2::{Mmap, UncheckedAdvice};

use super::{Result, local};

/// Bytes put into a file that nobody else sees, until they are read where they lie.
pub(super) struct Spool {
    out: BufWriter<File>,
    path: PathBuf,
    length: u64,
    buffer: Vec<u8>,
}

impl Spool {
    /// An empty one, whose name at a path is gone when this returns.
    pub fn new(path: PathBuf) -> Result<Spool> {
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(true).open(&path);
        let file = file.map_err(local("create", &path))?;
        // It goes with the last handle, however the process ends.
        std::fs::remove_file(&path).map_err(local("delete", &path))?;
        Ok(Spool {
            out: BufWriter::with_capacity(1 << 18, file),
            path,
            length: 0,
            buffer: Vec::new(),
        })
    }

    /// Adds what `fill` gives; tells where it starts.
    pub fn add(&mut self, fill: impl FnOnce(&mut Vec<u8>)) -> Result<u64> {
        self.buffer.clear();
        fill(&mut self.buffer);
        self.out.write_all(&self.buffer).map_err(local("write", &self.path))?;
        let start = self.length;
        self.length += self.buffer.len() as u64;
        Ok(start)
    }

    /// All of it.
    pub fn finish(self) -> Result<Spooled> {
        let path = self.path;
        let file = self
            .out
            .into_inner()
            .map_err(|error| local("write", &path)(error.into_error()))?;
        if self.length == 0 {
            return Ok(Spooled(None));
        }
        // SAFETY: the file has no name any more: nobody but this process can change it, and it does not.
        let map = unsafe { Mmap::map(&file) }.map_err(local("read", &path))?;
        Ok(Spooled(Some(map)))
    }
}

/// What was put there.
pub(super) struct Spooled(Option<Mmap>);

impl Spooled {
    /// The bytes from a place on; none beyond the end.
    pub fn from(&self, at: u64) -> &[u8] {
        let bytes = usize::try_from(at).ok().zip(self.0.as_deref());
        bytes.and_then(|(at, bytes)| bytes.get(at..)).unwrap_or_default()
    }

    /// Gives memory back until it is looked at again; what was put there stays in the system's page cache.
    pub fn release(&self) {
        if let Some(map) = &self.0 {
            // SAFETY: the map is shared and read-only, so that dropping its pages changes nothing: they are read from the
            // same file again when they are next used.
            let _ = unsafe { map.unchecked_advise(UncheckedAdvice::DontNeed) };
        }
    }
}

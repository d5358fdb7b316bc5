//! Content to a stream: one file as it is, a folder as an archive.

use std::io::Write;

use super::{Error, Issue, Result};
use crate::progress::{Cancel, Progress};
use crate::vault::{Generation, IndexedVault};

/// The archive formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveFormat {
    /// POSIX tar with PAX headers: keeps everything.
    Tar,
    /// zip: content, times, permission bits and symlinks.
    Zip,
}

/// Writes the content of one file, verified. Fails at the first blob that cannot be read.
pub fn dump_file(
    vault: &IndexedVault,
    generation: &Generation,
    path: &[u8],
    out: &mut dyn Write,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<()> {
    let _ = (vault, generation, path, out, progress, cancel);
    Err(Error::Refused("not there yet".into()))
}

/// Writes a folder (or one file) as an archive; names are relative to `path`. What an archive cannot hold is reported. A
/// damaged blob ends it, since a stream cannot be taken back: the archive is then incomplete and the error says so.
#[allow(clippy::too_many_arguments)] // each is its own thing, and it is called in one place
pub fn dump_archive(
    vault: &IndexedVault,
    generation: &Generation,
    path: &[u8],
    format: ArchiveFormat,
    out: &mut dyn Write,
    progress: &Progress,
    cancel: &Cancel,
    report: &(dyn Fn(Issue) + Sync),
) -> Result<()> {
    let _ = (vault, generation, path, format, out, progress, cancel, report);
    Err(Error::Refused("not there yet".into()))
}

//! Listing a folder: its entries' names in order, and which of them its marks leave.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags, RawDir};
use rustix::io::Errno;

use super::exclude::{Exclude, GITIGNORE_LIMIT, Ignores};

/// The names in one folder, sorted by their raw bytes. Reused from folder to folder.
#[derive(Default)]
pub(super) struct Names {
    /// All names, each with a NUL behind it.
    bytes: Vec<u8>,
    /// Where each starts in `bytes` and how long it is, without the NUL.
    places: Vec<(usize, usize)>,
    raw: Vec<MaybeUninit<u8>>,
}

impl Names {
    /// Lists an open folder.
    pub(super) fn read(&mut self, folder: &OwnedFd) -> io::Result<()> {
        self.clear();
        // More would be looked at by the system at once, but most folders are small.
        self.raw.resize(32 * 1024, MaybeUninit::uninit());
        let mut entries = RawDir::new(folder.as_fd(), &mut self.raw);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let name = entry.file_name();
            if !matches!(name.to_bytes(), b"." | b"..") {
                self.places.push((self.bytes.len(), name.count_bytes()));
                self.bytes.extend_from_slice(name.to_bytes_with_nul());
            }
        }
        let bytes = &self.bytes;
        self.places
            .sort_unstable_by(|a, b| bytes[a.0..a.0 + a.1].cmp(&bytes[b.0..b.0 + b.1]));
        Ok(())
    }

    /// Forgets all names.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    /// Adds a name at the end, which must sort there.
    pub(super) fn push(&mut self, name: &[u8]) {
        self.places.push((self.bytes.len(), name.len()));
        self.bytes.extend_from_slice(name);
        self.bytes.push(0);
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, n: usize) -> &CStr {
        let (start, length) = self.places[n];
        CStr::from_bytes_with_nul(&self.bytes[start..=start + length]).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.places
            .iter()
            .map(|(start, length)| &self.bytes[*start..start + length])
    }

    fn contains(&self, name: &[u8]) -> bool {
        self.places
            .binary_search_by(|(start, length)| self.bytes[*start..start + length].cmp(name))
            .is_ok()
    }

    /// Drops what the folder's marks leave out. Each mark keeps itself and nothing else.
    pub(super) fn apply_marks(&mut self, folder: &OwnedFd, exclude: &Exclude) {
        for mark in exclude.marks() {
            if self.contains(&mark.name) && has_mark(folder, &mark.name, |start| mark.fits(start), mark.header.len()) {
                let bytes = &self.bytes;
                self.places
                    .retain(|(start, length)| bytes[*start..start + length] == mark.name);
            }
        }
    }

    /// The rules of this folder and those above.
    pub(super) fn ignores(&self, folder: &OwnedFd, path: &[u8], above: Option<&Arc<Ignores>>) -> Option<Arc<Ignores>> {
        const NAME: &[u8] = b".gitignore";
        let content = self
            .contains(NAME)
            .then(|| start_of(folder, NAME, GITIGNORE_LIMIT as usize).ok())
            .flatten();
        match content {
            Some(content) => Some(Arc::new(Ignores::new(path, &content, above.cloned()))),
            None => above.cloned(),
        }
    }
}

/// Whether an entry of a folder that was given as a path is left out by a mark beside it.
pub(super) fn marked_out(folder: &OwnedFd, name: &[u8], exclude: &Exclude) -> bool {
    exclude
        .marks()
        .iter()
        .any(|mark| mark.name != name && has_mark(folder, &mark.name, |start| mark.fits(start), mark.header.len()))
}

fn has_mark(folder: &OwnedFd, name: &[u8], fits: impl Fn(&[u8]) -> bool, length: usize) -> bool {
    start_of(folder, name, length).is_ok_and(|start| fits(&start))
}

/// The first bytes of a regular file.
fn start_of(folder: &OwnedFd, name: &[u8], length: usize) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty())?;
    let mut start = vec![0; length];
    let mut got = 0;
    while got < length {
        match rustix::io::read(&file, &mut start[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    start.truncate(got);
    Ok(start)
}

//! Is a file's content right already? Existing files are hashed blob by blob on all cores; a large one is split, so that a
//! single disk image keeps them all busy.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::place::Status;
use crate::progress::Cancel;
use crate::vault::{Id, NodeType};

/// Blobs of one piece of work: some tens of megabytes.
const BLOBS_AT_ONCE: usize = 64;
const BUFFER: usize = 256 * 1024;

/// One bit a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub fn new(length: usize) -> Bits {
        Bits(vec![0; length.div_ceil(64)])
    }

    pub fn set(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }

    pub fn get(&self, number: usize) -> bool {
        self.0
            .get(number / 64)
            .is_some_and(|word| word & 1 << (number % 64) != 0)
    }
}

/// A blob and the bytes of its content.
pub(super) type Piece = (Id, u32);

/// What is known of a file after it was read.
#[derive(Debug)]
pub(super) struct Found {
    /// Which pieces are right.
    pub right: Bits,
    /// Bytes in them.
    pub right_bytes: u64,
    /// Whether all are right and nothing follows.
    pub whole: bool,
    /// The file as it was read.
    pub status: Status,
    /// Whether it can be opened for writing.
    pub writable: bool,
}

/// A file to be compared.
pub(super) struct Comparison<T> {
    /// The open folder it is in.
    pub folder: Arc<OwnedFd>,
    /// Its name there.
    pub name: Vec<u8>,
    /// What it should hold.
    pub pieces: Vec<Piece>,
    /// Handed back with the result.
    pub tag: T,
    /// Whether to find out if it could be written in place.
    pub try_writing: bool,
}

/// Takes a file's result, on any thread.
pub(super) type Done<'a, T> = dyn Fn(&Comparison<T>, Result<Found, Errno>) + Sync + 'a;

struct Shared<T> {
    what: Comparison<T>,
    file: OnceLock<Result<(OwnedFd, Status), Errno>>,
    left: AtomicUsize,
    found: Mutex<(Bits, u64, Option<Errno>)>,
}

/// The producing end.
pub(super) struct Comparing<T> {
    jobs: Sender<(Arc<Shared<T>>, usize)>,
}

impl<T: Send + Sync> Comparing<T> {
    /// Hands a file over; waits when the workers are behind.
    pub fn push(&self, what: Comparison<T>) {
        let parts = what.pieces.len().div_ceil(BLOBS_AT_ONCE).max(1);
        let found = Mutex::new((Bits::new(what.pieces.len()), 0, None));
        let shared = Arc::new(Shared {
            what,
            file: OnceLock::new(),
            left: AtomicUsize::new(parts),
            found,
        });
        for part in 0..parts {
            // The workers outlive this end; they only go when it is dropped.
            let _ = self.jobs.send((Arc::clone(&shared), part * BLOBS_AT_ONCE));
        }
    }
}

/// Runs `produce` with workers behind it; each file's result goes to `done`, on any thread. Once `cancel` is set, files are
/// passed over without a result.
pub(super) fn run<T: Send + Sync, R>(
    threads: usize,
    cancel: &Cancel,
    done: &Done<'_, T>,
    produce: impl FnOnce(&Comparing<T>) -> R,
) -> R {
    let (jobs, queue) = bounded(64);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let queue = queue.clone();
            scope.spawn(move || work(&queue, cancel, done));
        }
        drop(queue);
        let comparing = Comparing { jobs };
        let produced = produce(&comparing);
        drop(comparing);
        produced
    })
}

fn work<T: Send + Sync>(queue: &Receiver<(Arc<Shared<T>>, usize)>, cancel: &Cancel, done: &Done<'_, T>) {
    let mut buffer = Vec::new();
    for (shared, first) in queue {
        if cancel.is_cancelled() {
            continue;
        }
        buffer.resize(BUFFER, 0);
        let what = &shared.what;
        match shared.file.get_or_init(|| open(what)) {
            Ok((file, status)) => {
                let last = (first + BLOBS_AT_ONCE).min(what.pieces.len());
                let mut offset: u64 = what.pieces[..first].iter().map(|piece| u64::from(piece.1)).sum();
                for number in first..last {
                    if cancel.is_cancelled() {
                        break;
                    }
                    let (id, length) = what.pieces[number];
                    let end = offset + u64::from(length);
                    let right = match end <= status.size {
                        true => holds(file, offset, length, &id, &mut buffer),
                        false => Ok(false),
                    };
                    let mut found = shared.found.lock().unwrap_or_else(PoisonError::into_inner);
                    match right {
                        Ok(true) => {
                            found.0.set(number);
                            found.1 += u64::from(length);
                        }
                        Ok(false) => {}
                        Err(error) => found.2 = Some(error),
                    }
                    offset = end;
                }
            }
            Err(error) => shared.found.lock().unwrap_or_else(PoisonError::into_inner).2 = Some(*error),
        }
        if shared.left.fetch_sub(1, Ordering::AcqRel) == 1 && !cancel.is_cancelled() {
            done(what, finish(&shared));
        }
    }
}

fn open<T>(what: &Comparison<T>) -> Result<(OwnedFd, Status), Errno> {
    // Without waiting: what was a file a moment ago may be a fifo now.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&what.folder, what.name.as_slice(), flags, Mode::empty())?;
    let status = Status::of_open(&file)?;
    if status.kind != NodeType::File {
        return Err(Errno::INVAL);
    }
    Ok((file, status))
}

fn holds(file: &OwnedFd, mut offset: u64, length: u32, id: &Id, buffer: &mut [u8]) -> Result<bool, Errno> {
    let mut left = length as usize;
    let mut hash = Sha256::new();
    while left > 0 {
        let wanted = left.min(buffer.len());
        let read = rustix::io::retry_on_intr(|| rustix::io::pread(file, &mut buffer[..wanted], offset))?;
        if read == 0 {
            return Ok(false);
        }
        hash.update(&buffer[..read]);
        offset += read as u64;
        left -= read;
    }
    Ok(hash.finalize().as_slice() == id.0.as_slice())
}

fn finish<T>(shared: &Shared<T>) -> Result<Found, Errno> {
    let what = &shared.what;
    let found = shared.found.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = found.2 {
        return Err(error);
    }
    let Some(Ok((_, status))) = shared.file.get() else {
        return Err(Errno::IO);
    };
    let size: u64 = what.pieces.iter().map(|piece| u64::from(piece.1)).sum();
    let writable = || {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        rustix::fs::openat(what.folder.as_fd(), what.name.as_slice(), flags, Mode::empty()).is_ok()
    };
    Ok(Found {
        right: found.0.clone(),
        right_bytes: found.1,
        whole: found.1 == size && status.size == size,
        status: *status,
        writable: what.try_writing && writable(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(content: &[u8], pieces: Vec<Piece>) -> Result<Found, Errno> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("f"), content).unwrap();
        let opened = Arc::new(OwnedFd::from(std::fs::File::open(folder.path()).unwrap()));
        let result = Mutex::new(None);
        let what = Comparison {
            folder: opened,
            name: b"f".to_vec(),
            pieces,
            tag: (),
            try_writing: true,
        };
        run(
            3,
            &Cancel::default(),
            &|_, found| *result.lock().unwrap() = Some(found),
            |jobs| jobs.push(what),
        );
        result.into_inner().unwrap().unwrap()
    }

    #[test]
    fn right_and_wrong_pieces_are_told_apart_over_several_parts() {
        let content: Vec<u8> = (0..1000_u32).flat_map(|n| n.to_le_bytes()).collect();
        let mut pieces: Vec<Piece> = content.chunks(10).map(|piece| (Id::of(piece), 10)).collect();
        let found = compare(&content, pieces.clone()).unwrap();
        assert!(found.whole && found.writable);
        assert_eq!(found.right_bytes, 4000);
        pieces[200].0 = Id::of(b"other");
        let found = compare(&content, pieces.clone()).unwrap();
        assert!(!found.whole && !found.right.get(200) && found.right.get(199) && found.right.get(399));
        assert_eq!(found.right_bytes, 3990);
        // Too long, and too short: the last piece is wrong only in the second case.
        let long = compare(&[content.clone(), vec![0]].concat(), pieces.clone()).unwrap();
        assert!(!long.whole && long.right.get(399));
        let short = compare(&content[..3995], pieces).unwrap();
        assert!(!short.whole && !short.right.get(399) && short.right.get(398));
    }

    #[test]
    fn what_is_no_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("f")).unwrap();
        let opened = Arc::new(OwnedFd::from(std::fs::File::open(folder.path()).unwrap()));
        let what = Comparison {
            folder: opened,
            name: b"f".to_vec(),
            pieces: vec![],
            tag: (),
            try_writing: false,
        };
        assert_eq!(open(&what).unwrap_err(), Errno::LOOP);
    }
}

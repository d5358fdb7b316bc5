//! Writing what is kept of packs into new ones. Several threads read, open and verify; what they bring comes into packs in
//! one fixed order, so that it is known beforehand which packs there will be.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::decide::Fate;
use super::layout::{extent, pieces};
use super::plan::{PrunePlan, in_use};
use crate::progress::{Cancel, Progress};
use crate::storage::FileKind;
use crate::vault::compress::Scratch;
use crate::vault::crew::threads;
use crate::vault::index::Location;
use crate::vault::lock::LockGuard;
use crate::vault::pack::PackBlob;
use crate::vault::writer::{BlobWriter, WriterOptions, WriterTotals};
use crate::vault::{BlobKind, Error, Id, Result};

/// A piece of a pack that is read in one go.
struct Piece {
    pack: Id,
    blobs: Range<usize>,
    /// Whether it is the last of its pack.
    last: bool,
}

/// All that is to be copied, in the order in which it comes into new packs.
struct Wanted {
    blobs: Vec<PackBlob>,
    pieces: Vec<Piece>,
}

/// Copies what is kept of the packs that a plan wants to read. Progress counts packs as files, and bytes read.
pub(super) fn run(plan: &PrunePlan, lock: &LockGuard, progress: &Progress, cancel: &Cancel) -> Result<WriterTotals> {
    let options = WriterOptions {
        pack_size: plan.options.pack_size,
        timed_index: false,
        lock: Some(lock.watch()),
        ..WriterOptions::default()
    };
    let writer = BlobWriter::new(&plan.vault, options)?;
    let wanted = wanted(plan)?;
    let next = AtomicUsize::new(0);
    let turns = Turns::default();
    let worker = || {
        // Whoever waits for this one's turn must not wait for ever.
        let _panicking = StopOnPanic(&turns);
        let mut copier = Copier::new(plan, &writer);
        while let Some((number, piece)) = take(&next, &wanted.pieces) {
            let copied = cancel
                .check()
                .map_err(Error::from)
                .and_then(|()| lock.check())
                .and_then(|()| copier.read(&piece.pack, &wanted.blobs[piece.blobs.clone()], progress))
                .and_then(|()| match turns.wait_for(number) {
                    true => copier.place(),
                    false => Ok(()),
                });
            match copied {
                Ok(()) => turns.done(number),
                Err(error) => return turns.stop(error),
            }
            if turns.stopped() {
                return;
            }
            progress.files_done.fetch_add(u64::from(piece.last), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads().min(wanted.pieces.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    cancel.check()?;
    turns.into_result()?;
    writer.finish()
}

fn take<'a>(next: &AtomicUsize, pieces: &'a [Piece]) -> Option<(usize, &'a Piece)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    pieces.get(number).map(|piece| (number, piece))
}

fn wanted(plan: &PrunePlan) -> Result<Wanted> {
    let mut wanted = Wanted {
        blobs: Vec::new(),
        pieces: Vec::new(),
    };
    let contents = &plan.contents;
    let mut kept = Vec::new();
    plan.vault.index().for_each_pack(|id, blobs| {
        if plan.fate(id) != Some(Fate::Repack) {
            return Ok(());
        }
        let at = contents
            .packs
            .binary_search_by_key(id, |pack| pack.id)
            .unwrap_or(usize::MAX);
        let numbers = contents.blobs_of(at);
        if numbers.len() != blobs.len() {
            return Err(Error::Internal(format!(
                "pack {id} has other blobs than when this was planned; nothing was deleted: plan it again"
            )));
        }
        kept.clear();
        kept.extend(
            numbers
                .zip(blobs)
                .filter(|(number, _)| contents.keeps(*number, &in_use, &plan.decision.other_copy))
                .map(|(_, blob)| *blob),
        );
        for piece in pieces(&kept) {
            let start = wanted.blobs.len();
            wanted.blobs.extend_from_slice(piece);
            wanted.pieces.push(Piece {
                pack: *id,
                blobs: start..wanted.blobs.len(),
                last: false,
            });
        }
        if let Some(last) = wanted.pieces.last_mut() {
            last.last = true;
        }
        Ok(())
    })?;
    Ok(wanted)
}

/// Whose turn it is to put something into packs.
#[derive(Default)]
struct Turns {
    state: Mutex<Turn>,
    changed: Condvar,
}

#[derive(Default)]
struct Turn {
    next: usize,
    stopped: bool,
    failure: Option<Error>,
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all before this number are done; false when there will be no more.
    fn wait_for(&self, number: usize) -> bool {
        let wait = |turn: &mut Turn| turn.next != number && !turn.stopped;
        let turn = self.changed.wait_while(self.lock(), wait);
        !turn.unwrap_or_else(PoisonError::into_inner).stopped
    }

    fn done(&self, number: usize) {
        let mut turn = self.lock();
        if !turn.stopped {
            turn.next = number + 1;
        }
        drop(turn);
        self.changed.notify_all();
    }

    fn stop(&self, error: Error) {
        let mut turn = self.lock();
        turn.stopped = true;
        turn.failure.get_or_insert(error);
        drop(turn);
        self.changed.notify_all();
    }

    fn stopped(&self) -> bool {
        self.lock().stopped
    }

    fn into_result(self) -> Result<()> {
        let turn = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        turn.failure.map_or(Ok(()), Err)
    }
}

struct StopOnPanic<'a>(&'a Turns);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0
                .stop(Error::Internal("a thread died while it copied blobs".into()));
        }
    }
}

/// One thread that copies blobs.
struct Copier<'a> {
    plan: &'a PrunePlan,
    writer: &'a BlobWriter,
    /// A piece of a pack.
    bytes: Vec<u8>,
    /// Blobs that had to be sealed anew, one after the other.
    anew: Vec<u8>,
    /// What is to be put into packs.
    ready: Vec<Ready>,
    opened: Vec<u8>,
    plain: Vec<u8>,
    scratch: Scratch,
}

/// A blob on its way into a pack.
struct Ready {
    kind: BlobKind,
    id: Id,
    uncompressed: Option<u32>,
    /// Where it is in `bytes`, or in `anew`.
    place: Range<usize>,
    anew: bool,
}

impl<'a> Copier<'a> {
    fn new(plan: &'a PrunePlan, writer: &'a BlobWriter) -> Copier<'a> {
        Copier {
            plan,
            writer,
            bytes: Vec::new(),
            anew: Vec::new(),
            ready: Vec::new(),
            opened: Vec::new(),
            plain: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    /// Reads a piece and verifies the blobs in it.
    fn read(&mut self, pack: &Id, blobs: &[PackBlob], progress: &Progress) -> Result<()> {
        self.anew.clear();
        self.ready.clear();
        let (from, to) = extent(blobs);
        self.bytes.resize(to.saturating_sub(from) as usize, 0);
        let storage = self.plan.vault.vault().storage();
        let read = storage.read_at(FileKind::Pack, pack, from.into(), &mut self.bytes);
        // A piece that cannot be read is tried blob by blob: other packs may hold them too.
        let readable = read.is_ok();
        for blob in blobs {
            let start = blob.offset.saturating_sub(from) as usize;
            let place = start..start + blob.length as usize;
            self.verify(pack, blob, place, readable)?;
        }
        progress
            .bytes_done
            .fetch_add(self.bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Takes one blob as it is sealed, after it was opened and compared with its id; or compresses it.
    fn verify(&mut self, pack: &Id, blob: &PackBlob, place: Range<usize>, readable: bool) -> Result<()> {
        let vault = &self.plan.vault;
        let location = Location {
            pack: *pack,
            offset: blob.offset,
            length: blob.length,
            uncompressed: blob.uncompressed,
        };
        let opened = readable
            && self.bytes.get(place.clone()).is_some_and(|sealed| {
                self.opened.clear();
                self.opened.extend_from_slice(sealed);
                let (scratch, plain) = (&mut self.scratch, &mut self.plain);
                let opened = vault.open_blob(blob.kind, &blob.id, &location, &mut self.opened, scratch, plain);
                opened.is_ok()
            });
        let compress = blob.uncompressed.is_none() && self.plan.options.compresses(blob.kind, vault.vault().version());
        if opened && !compress {
            self.ready.push(Ready {
                kind: blob.kind,
                id: blob.id,
                uncompressed: blob.uncompressed,
                place,
                anew: false,
            });
            return Ok(());
        }
        if !opened {
            // Once more from there, then from any other pack.
            vault.blob_into(blob.kind, &blob.id, &mut self.scratch, &mut self.plain)?;
        }
        let scratch = &mut self.scratch;
        // Even where it does not pay, or the next prune would read it again.
        let uncompressed = self.writer.seal(blob.kind, blob.id, &self.plain, compress, scratch)?;
        let start = self.anew.len();
        self.anew.extend_from_slice(&scratch.sealed);
        self.ready.push(Ready {
            kind: blob.kind,
            id: blob.id,
            uncompressed,
            place: start..self.anew.len(),
            anew: true,
        });
        Ok(())
    }

    /// Puts what was read into packs.
    fn place(&mut self) -> Result<()> {
        for ready in &self.ready {
            let from = if ready.anew { &self.anew } else { &self.bytes };
            let sealed = from
                .get(ready.place.clone())
                .ok_or_else(|| Error::Internal(format!("blob {} is not where it was read to", ready.id)))?;
            self.writer.copy(ready.kind, ready.id, sealed, ready.uncompressed)?;
        }
        Ok(())
    }
}

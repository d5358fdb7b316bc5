//! Packs, read whole: the hash in the name, the header against the index, and every blob.
//!
//! A pack is read front to back in pieces of whole blobs, so that memory does not depend on its size. One that seems wrong
//! is read again before it is reported: reads go wrong too.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::finding::{Collector, Finding, FindingKind, count};
use super::listing::{PackSize, reason};
use super::threads;
use crate::progress::{Cancel, Progress};
use crate::storage::FileKind;
use crate::vault::compress::{MAX_DATA_BLOB, MAX_TREE_BLOB, Scratch};
use crate::vault::index::Location;
use crate::vault::lock::LockGuard;
use crate::vault::pack::{PackBlob, read_header};
use crate::vault::{BlobKind, Error, Id, IndexedVault, Result};

/// Bytes that are read at a time, unless a single blob is longer.
const PIECE: usize = 2 << 20;

/// Reads the chosen packs (sorted by id) whole.
pub(super) fn check_data(
    vault: &IndexedVault,
    lock: &LockGuard,
    chosen: &[PackSize],
    report: &Collector<'_>,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<()> {
    progress
        .bytes_total
        .store(chosen.iter().map(|pack| pack.size).sum(), Ordering::Relaxed);
    progress.files_total.fetch_add(chosen.len() as u64, Ordering::Relaxed);
    progress.totals_known.store(true, Ordering::Relaxed);
    if chosen.is_empty() {
        return Ok(());
    }
    let threads = threads();
    let (send, receive) = crossbeam_channel::bounded::<(PackSize, Vec<PackBlob>)>(threads);
    let failed = Mutex::new(Ok(()));
    let fail = |error: Error| {
        let mut failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_ok() {
            *failed = Err(error);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let receive = receive.clone();
            scope.spawn(|| {
                let receive = receive;
                let mut reader = Reader::default();
                while let Ok((pack, told)) = receive.recv() {
                    // Emptying the channel, so that the sender is not left waiting.
                    if cancel.is_cancelled() {
                        continue;
                    }
                    if let Err(error) = lock.check() {
                        fail(error);
                        continue;
                    }
                    let check = PackCheck {
                        vault,
                        pack,
                        told: &told,
                        cancel,
                    };
                    check.run(&mut reader, report);
                    progress.file_done(pack.size);
                }
            });
        }
        drop(receive);
        let mut rest = chosen.iter().peekable();
        // The error only ends the walk over the index; which one it was is told by `cancel` and `failed`.
        let _: Result<(), ()> = vault.index().for_each_pack(&mut |id: &Id, blobs: &[PackBlob]| {
            while rest.next_if(|pack| pack.id < *id).is_some() {}
            let Some(pack) = rest.next_if(|pack| pack.id == *id) else {
                return Ok(());
            };
            if cancel.is_cancelled() {
                return Err(());
            }
            send.send((*pack, blobs.to_vec())).map_err(drop)
        });
        drop(send);
    });
    cancel.check()?;
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// One thread's buffers.
#[derive(Default)]
struct Reader {
    piece: Vec<u8>,
    plain: Vec<u8>,
    scratch: Scratch,
}

struct PackCheck<'a> {
    vault: &'a IndexedVault,
    pack: PackSize,
    /// Its blobs by the index, in order.
    told: &'a [PackBlob],
    cancel: &'a Cancel,
}

impl PackCheck<'_> {
    fn run(&self, reader: &mut Reader, report: &Collector<'_>) {
        let mut found = self.verify(reader);
        if !found.is_empty() {
            found = self.verify(reader);
        }
        if self.cancel.is_cancelled() {
            return;
        }
        count(&report.packs_read, 1);
        count(&report.blobs_read, self.told.len() as u64);
        count(&report.bytes_read, self.pack.size);
        found.into_iter().for_each(|finding| report.add_error(finding));
    }

    fn finding(&self, kind: FindingKind, what: impl ToString) -> Finding {
        let file = self.vault.vault().place_of(FileKind::Pack, &self.pack.id);
        Finding {
            kind,
            file,
            path: None,
            what: what.to_string(),
        }
    }

    /// All that is wrong with the pack.
    fn verify(&self, reader: &mut Reader) -> Vec<Finding> {
        let mut found = Vec::new();
        let header = match read_header(self.vault.vault(), &self.pack.id, self.pack.size) {
            Ok(mut header) => {
                header.sort_unstable_by_key(|blob| (blob.offset, blob.length, blob.kind, blob.id));
                found.extend(self.compare(&header));
                Some(header)
            }
            Err(error) => {
                found.push(self.finding(FindingKind::BadPack, reason(error)));
                None
            }
        };
        let blobs = header.as_deref().unwrap_or(self.told);
        match self.read_blobs(blobs, reader, &mut found) {
            Ok(hash) if hash != self.pack.id => {
                let what = format!("its content has the hash {} and not the one in its name", hash.short());
                found.insert(0, self.finding(FindingKind::BadPack, what));
            }
            Ok(_) => {}
            Err(error) => found.push(self.finding(FindingKind::BadPack, reason(error))),
        }
        found
    }

    /// The first difference between header and index.
    fn compare(&self, header: &[PackBlob]) -> Option<Finding> {
        let differs = header.iter().zip(self.told).find(|(a, b)| a != b);
        let what = match differs {
            Some((a, b)) if a.id == b.id && a.kind == b.kind => {
                format!(
                    "its header and the index tell different places or lengths of blob {}",
                    a.id
                )
            }
            Some((a, b)) => {
                format!(
                    "at byte {} its header tells of {:?} blob {}, the index of {:?} blob {}",
                    a.offset, a.kind, a.id, b.kind, b.id
                )
            }
            None if header.len() == self.told.len() => return None,
            None => format!(
                "its header tells of {} blobs, the index of {}",
                header.len(),
                self.told.len()
            ),
        };
        Some(self.finding(FindingKind::HeaderMismatch, what))
    }

    /// Reads the file front to back and opens the blobs (sorted by offset) on the way. Returns the hash of the file.
    fn read_blobs(&self, blobs: &[PackBlob], reader: &mut Reader, found: &mut Vec<Finding>) -> Result<Id> {
        let mut hash = Sha256::new();
        let mut at = 0u64;
        let mut rest = blobs;
        while at < self.pack.size {
            self.cancel.check()?;
            while let Some((first, after)) = rest.split_first()
                && let Some(what) = self.impossible(first, at)
            {
                found.push(self.bad_blob(first, what));
                rest = after;
            }
            let (length, here) = self.next_piece(at, rest);
            let piece = grown(&mut reader.piece, length);
            self.vault
                .vault()
                .storage()
                .read_at(FileKind::Pack, &self.pack.id, at, piece)?;
            hash.update(&*piece);
            let (blobs, after) = rest.split_at(here);
            for blob in blobs {
                let start = (u64::from(blob.offset) - at) as usize;
                let sealed = &mut piece[start..start + blob.length as usize];
                if let Some(bad) = self.open(blob, sealed, &mut reader.scratch, &mut reader.plain) {
                    found.push(bad);
                }
            }
            rest = after;
            at += length as u64;
        }
        Ok(Id(hash.finalize().into()))
    }

    /// Why a blob cannot be where it is told to be, or be opened.
    fn impossible(&self, blob: &PackBlob, at: u64) -> Option<&'static str> {
        let most = match blob.kind {
            BlobKind::Data => MAX_DATA_BLOB,
            BlobKind::Tree => MAX_TREE_BLOB,
        };
        if u64::from(blob.offset) < at || end(blob) > self.pack.size {
            Some("it is told to overlap another or the end of the pack")
        } else if blob.length > most {
            Some("it is told to be longer than any blob may be")
        } else {
            None
        }
    }

    /// How many bytes to read at `at`, and how many of the blobs `rest` these are: those that follow one another, but no
    /// more than a piece; or what lies before the next blob.
    fn next_piece(&self, at: u64, rest: &[PackBlob]) -> (usize, usize) {
        let mut reach = at;
        let mut here = 0;
        for blob in rest {
            let full = here > 0 && end(blob) - at > PIECE as u64;
            if u64::from(blob.offset) != reach || full || self.impossible(blob, reach).is_some() {
                break;
            }
            reach = end(blob);
            here += 1;
        }
        if reach == at {
            let next = rest
                .iter()
                .map(|blob| u64::from(blob.offset))
                .find(|offset| *offset > at);
            reach = next
                .unwrap_or(self.pack.size)
                .min(self.pack.size)
                .min(at + PIECE as u64);
        }
        ((reach - at) as usize, here)
    }

    fn bad_blob(&self, blob: &PackBlob, what: impl std::fmt::Display) -> Finding {
        self.finding(
            FindingKind::BadBlob,
            format!("{:?} blob {} at byte {}: {what}", blob.kind, blob.id, blob.offset),
        )
    }

    fn open(&self, blob: &PackBlob, sealed: &mut [u8], scratch: &mut Scratch, plain: &mut Vec<u8>) -> Option<Finding> {
        let location = Location {
            pack: self.pack.id,
            offset: blob.offset,
            length: blob.length,
            uncompressed: blob.uncompressed,
        };
        let opened = self
            .vault
            .open_blob(blob.kind, &blob.id, &location, sealed, scratch, plain);
        opened.err().map(|error| self.bad_blob(blob, reason(error)))
    }
}

/// Where a blob ends.
fn end(blob: &PackBlob) -> u64 {
    u64::from(blob.offset) + u64::from(blob.length)
}

/// The first `length` bytes of a buffer that only grows.
fn grown(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
    &mut buffer[..length]
}

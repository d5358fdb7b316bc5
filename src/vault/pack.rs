//! Pack files: blobs one after the other, an encrypted header that lists them, and the header's length.
//!
//! A [`PackBuilder`] collects sealed blobs in memory; [`PackBuilder::seal`] adds the header, after which the bytes are the
//! file and their SHA-256 its name. [`parse_header`] reads a header that may be damaged or hostile: every byte of the file
//! must be accounted for, or it is refused.

use super::crypto::{MasterKey, NONCE_SIZE, OVERHEAD};
use super::{BlobKind, Error, Id, Result, Vault};
use crate::storage::FileKind;

/// The target size of a pack unless told otherwise, bytes.
pub const DEFAULT_PACK_SIZE: u32 = 16 << 20;
/// The smallest target size, bytes.
pub const MIN_PACK_SIZE: u32 = 4 << 20;
/// The largest target size, bytes.
pub const MAX_PACK_SIZE: u32 = 128 << 20;
/// The longest header that is written or read, bytes.
pub const MAX_HEADER: u32 = 16 << 20;

/// Bytes of the header's length at the end of a pack.
const TRAILER: usize = 4;
/// Bytes of an entry: kind, length, id.
const PLAIN_ENTRY: usize = 1 + 4 + 32;
/// Bytes of an entry of a compressed blob: kind, length, length before compression, id.
const COMPRESSED_ENTRY: usize = 1 + 4 + 4 + 32;
/// A pack is full at this many blobs: the header stays well within [`MAX_HEADER`] and one index file holds the pack.
pub(super) const MAX_BLOBS: usize = 50_000;

/// One blob of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PackBlob {
    /// Data or tree.
    pub kind: BlobKind,
    /// The SHA-256 of its content.
    pub id: Id,
    /// Where it starts, bytes.
    pub offset: u32,
    /// Bytes it takes, the 32 of encryption overhead included.
    pub length: u32,
    /// Bytes before compression; `None` when stored uncompressed.
    pub uncompressed: Option<u32>,
}

/// Bytes a blob takes in the (plain) header.
pub fn entry_size(compressed: bool) -> usize {
    if compressed { COMPRESSED_ENTRY } else { PLAIN_ENTRY }
}

/// The exact size of a pack with these blobs, bytes.
pub fn pack_size(blob_bytes: u64, plain_blobs: u64, compressed_blobs: u64) -> u64 {
    let entries = plain_blobs * PLAIN_ENTRY as u64 + compressed_blobs * COMPRESSED_ENTRY as u64;
    blob_bytes + entries + (OVERHEAD + TRAILER) as u64
}

/// A pack that is being filled, in memory.
#[derive(Debug, Default)]
pub struct PackBuilder {
    bytes: Vec<u8>,
    blobs: Vec<PackBlob>,
}

/// A full pack: the bytes of the file, its name, and what is in it.
#[derive(Debug)]
pub struct SealedPack {
    /// The file's name.
    pub id: Id,
    /// The file.
    pub bytes: Vec<u8>,
    /// The blobs, by offset.
    pub blobs: Vec<PackBlob>,
}

impl PackBuilder {
    /// An empty pack that uses (and clears) a buffer.
    pub fn with_buffer(mut buffer: Vec<u8>) -> PackBuilder {
        buffer.clear();
        PackBuilder {
            bytes: buffer,
            blobs: Vec::new(),
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.blobs.is_empty()
    }

    /// Bytes of the blobs so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has reached its target size, or all the blobs that it may hold.
    pub fn is_full(&self, target: u32) -> bool {
        self.bytes.len() >= target as usize || self.blobs.len() >= MAX_BLOBS
    }

    /// Whether a further blob of this sealed length has room: offsets have 32 bits.
    pub fn has_room(&self, sealed: usize) -> bool {
        let header = (self.blobs.len() + 1) * COMPRESSED_ENTRY + OVERHEAD + TRAILER;
        (self.bytes.len() as u64) + (sealed as u64) + (header as u64) <= u64::from(u32::MAX)
    }

    /// Appends a sealed blob.
    pub fn push(&mut self, kind: BlobKind, id: Id, sealed: &[u8], uncompressed: Option<u32>) -> Result<()> {
        if !self.has_room(sealed.len()) {
            return Err(Error::Internal(format!("{kind:?} blob {id} has no room in its pack")));
        }
        self.blobs.push(PackBlob {
            kind,
            id,
            offset: self.bytes.len() as u32,
            length: sealed.len() as u32,
            uncompressed,
        });
        self.bytes.extend_from_slice(sealed);
        Ok(())
    }

    /// Adds the sealed header and names the pack.
    pub fn seal(self, key: &MasterKey) -> Result<SealedPack> {
        let PackBuilder { mut bytes, blobs } = self;
        let start = bytes.len();
        bytes.extend_from_slice(&[0; NONCE_SIZE]);
        for blob in &blobs {
            write_entry(blob, &mut bytes);
        }
        key.seal_tail(&mut bytes, start)?;
        let header = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX);
        if header > MAX_HEADER {
            return Err(Error::Internal(format!(
                "a pack of {} blobs has too long a header",
                blobs.len()
            )));
        }
        bytes.extend_from_slice(&header.to_le_bytes());
        Ok(SealedPack {
            id: Id::of(&bytes),
            bytes,
            blobs,
        })
    }
}

fn write_entry(blob: &PackBlob, out: &mut Vec<u8>) {
    let tree = u8::from(blob.kind == BlobKind::Tree);
    match blob.uncompressed {
        None => {
            out.push(tree);
            out.extend_from_slice(&blob.length.to_le_bytes());
        }
        Some(uncompressed) => {
            out.push(2 + tree);
            out.extend_from_slice(&blob.length.to_le_bytes());
            out.extend_from_slice(&uncompressed.to_le_bytes());
        }
    }
    out.extend_from_slice(&blob.id.0);
}

/// A pack's header is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHeader {
    /// The file is too short to be a pack.
    #[error("it has only {0} bytes, too few for a pack")]
    TooShort(u64),
    /// The header's length cannot be.
    #[error("its header claims {header} bytes, which cannot be in a pack of {pack}")]
    Length {
        /// Bytes the header claims.
        header: u64,
        /// Bytes of the file.
        pack: u64,
    },
    /// The header ends within an entry.
    #[error("its header ends within entry {0}")]
    Truncated(usize),
    /// An entry is of no known kind.
    #[error("entry {entry} of its header has the unknown kind {kind}")]
    Kind {
        /// Which, from 0.
        entry: usize,
        /// The kind's number.
        kind: u8,
    },
    /// A blob is shorter than its encryption overhead.
    #[error("entry {entry} of its header has a length of {length} bytes, which cannot be")]
    BlobLength {
        /// Which, from 0.
        entry: usize,
        /// Bytes it claims.
        length: u32,
    },
    /// Blobs and header do not add up to the file.
    #[error("its header accounts for {listed} bytes, but the file has {pack}")]
    Size {
        /// Bytes of blobs, header and trailer.
        listed: u64,
        /// Bytes of the file.
        pack: u64,
    },
    /// The header was not sealed with the vault's key.
    #[error("the MAC of its header is wrong")]
    Mac,
}

/// Reads the decrypted header of a pack file of `size` bytes.
pub fn parse_header(header: &[u8], size: u64) -> Result<Vec<PackBlob>, BadHeader> {
    let mut blobs = Vec::with_capacity(header.len() / PLAIN_ENTRY);
    let mut rest = header;
    let mut offset = 0u64;
    while let Some((&kind, after)) = rest.split_first() {
        let entry = blobs.len();
        let compressed = match kind {
            0 | 1 => false,
            2 | 3 => true,
            _ => return Err(BadHeader::Kind { entry, kind }),
        };
        let Some((fields, after)) = after.split_at_checked(entry_size(compressed) - 1) else {
            return Err(BadHeader::Truncated(entry));
        };
        rest = after;
        let number = |at: usize| -> u32 {
            let bytes = fields.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u32::from_le_bytes)
        };
        let (length, uncompressed) = (number(0), compressed.then(|| number(4)));
        if (length as usize) < OVERHEAD {
            return Err(BadHeader::BlobLength { entry, length });
        }
        let mut id = Id::ZERO;
        id.0.copy_from_slice(&fields[fields.len() - 32..]);
        let listed = offset + u64::from(length);
        let Ok(start) = u32::try_from(offset) else {
            return Err(BadHeader::Size { listed, pack: size });
        };
        blobs.push(PackBlob {
            kind: if kind & 1 == 1 { BlobKind::Tree } else { BlobKind::Data },
            id,
            offset: start,
            length,
            uncompressed,
        });
        offset = listed;
        // A hostile header must not make the sum grow for long beyond the file.
        if offset > size {
            break;
        }
    }
    let listed = offset + (header.len() + OVERHEAD + TRAILER) as u64;
    if listed != size {
        return Err(BadHeader::Size { listed, pack: size });
    }
    Ok(blobs)
}

/// The bytes of the sealed header, as the last four bytes of a pack of `size` bytes claim.
fn header_length(trailer: [u8; TRAILER], size: u64) -> Result<usize, BadHeader> {
    let header = u32::from_le_bytes(trailer);
    let possible = (OVERHEAD + PLAIN_ENTRY) as u32..=MAX_HEADER;
    if !possible.contains(&header) || u64::from(header) + TRAILER as u64 > size {
        let header = u64::from(header);
        return Err(BadHeader::Length { header, pack: size });
    }
    Ok(header as usize)
}

/// What is in a whole pack held in memory (for reading all data).
pub fn parse_pack(key: &MasterKey, pack: &[u8]) -> Result<Vec<PackBlob>, BadHeader> {
    let size = pack.len() as u64;
    let Some((rest, trailer)) = pack.split_last_chunk::<TRAILER>() else {
        return Err(BadHeader::TooShort(size));
    };
    let length = header_length(*trailer, size)?;
    let mut header = rest[rest.len() - length..].to_vec();
    let plain = key.open_in_place(&mut header).map_err(|_| BadHeader::Mac)?;
    parse_header(plain, size)
}

/// What is in a stored pack of `size` bytes, by its header alone.
pub fn read_header(vault: &Vault, id: &Id, size: u64) -> Result<Vec<PackBlob>> {
    let storage = vault.storage();
    let bad = |bad: BadHeader| Error::Damaged {
        file: storage.describe_file(FileKind::Pack, id),
        what: bad.to_string(),
    };
    // One read gets the header of nearly every pack.
    let guess = size.min(8 << 10) as usize;
    if guess < TRAILER {
        return Err(bad(BadHeader::TooShort(size)));
    }
    let mut tail = vec![0; guess];
    storage.read_at(FileKind::Pack, id, size - guess as u64, &mut tail)?;
    let trailer = tail.last_chunk::<TRAILER>().copied().unwrap_or_default();
    let length = header_length(trailer, size).map_err(bad)?;
    tail.truncate(guess - TRAILER);
    let mut header = if length <= tail.len() {
        tail.split_off(tail.len() - length)
    } else {
        let mut header = vec![0; length];
        storage.read_at(FileKind::Pack, id, size - (length + TRAILER) as u64, &mut header)?;
        header
    };
    let plain = vault
        .key()
        .open_in_place(&mut header)
        .map_err(|_| bad(BadHeader::Mac))?;
    parse_header(plain, size).map_err(bad)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(key: &MasterKey) -> SealedPack {
        let mut builder = PackBuilder::default();
        for n in 0..5u8 {
            let plain = vec![n; 100 * n as usize + 1];
            let mut sealed = Vec::new();
            key.seal_append(&plain, &mut sealed).unwrap();
            let kind = if n % 2 == 0 { BlobKind::Data } else { BlobKind::Tree };
            let uncompressed = (n > 2).then_some(7777);
            builder.push(kind, Id::of(&plain), &sealed, uncompressed).unwrap();
        }
        builder.seal(key).unwrap()
    }

    #[test]
    fn round_trip_and_exact_size() {
        let key = MasterKey::random().unwrap();
        let pack = sample(&key);
        assert_eq!(pack.id, Id::of(&pack.bytes));
        assert_eq!(parse_pack(&key, &pack.bytes).unwrap(), pack.blobs);
        let blob_bytes = pack.blobs.iter().map(|blob| u64::from(blob.length)).sum();
        assert_eq!(pack_size(blob_bytes, 3, 2), pack.bytes.len() as u64);
        for blob in &pack.blobs[..3] {
            let range = blob.offset as usize..(blob.offset + blob.length) as usize;
            let mut sealed = pack.bytes[range].to_vec();
            assert_eq!(Id::of(key.open_in_place(&mut sealed).unwrap()), blob.id);
        }
    }

    #[test]
    fn truncated_packs_are_refused() {
        let key = MasterKey::random().unwrap();
        let pack = sample(&key).bytes;
        for end in 0..pack.len() {
            assert!(parse_pack(&key, &pack[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn hostile_headers_are_refused() {
        let entry = |kind: u8, length: u32| {
            let mut bytes = vec![kind];
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.resize(entry_size(kind > 1), 9);
            bytes
        };
        assert_eq!(
            parse_header(&entry(4, 50), 123),
            Err(BadHeader::Kind { entry: 0, kind: 4 })
        );
        assert_eq!(
            parse_header(&entry(0, 31), 104),
            Err(BadHeader::BlobLength { entry: 0, length: 31 })
        );
        assert_eq!(parse_header(&entry(0, 50)[..36], 122), Err(BadHeader::Truncated(0)));
        assert_eq!(parse_header(&entry(2, 50)[..40], 126), Err(BadHeader::Truncated(0)));
        assert_eq!(
            parse_header(&entry(0, 50), 124),
            Err(BadHeader::Size { listed: 123, pack: 124 })
        );
        assert!(parse_header(&entry(0, 50), 123).is_ok());
        let huge = entry(1, u32::MAX).repeat(1000);
        assert!(matches!(parse_header(&huge, 40_000), Err(BadHeader::Size { .. })));
        assert!(matches!(parse_header(&huge, u64::MAX), Err(BadHeader::Size { .. })));
    }

    #[test]
    fn header_lengths_are_bounded() {
        assert!(header_length(u32::MAX.to_le_bytes(), u64::MAX).is_err());
        assert!(header_length((MAX_HEADER + 1).to_le_bytes(), u64::MAX).is_err());
        assert!(header_length(69u32.to_le_bytes(), 72).is_err());
        assert_eq!(header_length(69u32.to_le_bytes(), 73), Ok(69));
        assert!(header_length(0u32.to_le_bytes(), 100).is_err());
    }

    proptest! {
        #[test]
        fn random_headers_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), size in any::<u64>()) {
            let _ = parse_header(&bytes, size);
            let _ = parse_header(&bytes, bytes.len() as u64 + 300);
        }

        #[test]
        fn mutated_headers_never_panic(at in 0usize..205, to in any::<u8>()) {
            let mut header = Vec::new();
            for n in 0..5u8 {
                let blob = PackBlob { kind: BlobKind::Data, id: Id([n; 32]), offset: 0, length: 100, uncompressed: Some(9) };
                write_entry(&blob, &mut header);
            }
            let unchanged = header[at] == to;
            header[at] = to;
            let size = 500 + 205 + 36;
            if let Ok(blobs) = parse_header(&header, size) {
                let end = blobs.last().map(|blob| blob.offset + blob.length);
                prop_assert_eq!(end, Some(500));
            } else {
                prop_assert!(!unchanged);
            }
        }
    }
}

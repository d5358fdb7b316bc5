//! What is on the disk of an image at one moment: read in place, cluster by cluster, with what compressed clusters and
//! backing images hold. Nothing is converted, and QEMU is not needed.
//!
//! The format is QEMU's (docs/interop/qcow2.rst). What can be in an image but is not understood here (encryption, extended
//! tables, data in a file of its own) is refused before anything is read.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::format::{Entry, Extent, Place, State, Tables};
use crate::snapshot::system::io_error;
use crate::snapshot::{Error, Result};

const MAGIC: &[u8; 4] = b"QFI\xfb";
/// Set in the entry of a compressed cluster.
const COMPRESSED: u64 = 1 << 62;
/// Incompatible features: an external data file, another compression than deflate, extended tables.
const DATA_FILE: u64 = 1 << 2;
const COMPRESSION: u64 = 1 << 3;
const EXTENDED: u64 = 1 << 4;
/// An image may stand on another, and that on another; more than this is a circle.
const DEEPEST: usize = 32;

/// The content of a disk.
#[derive(Debug)]
pub struct Content {
    image: PathBuf,
    /// The snapshot that it is of, if it is of one.
    of: Option<Entry>,
    /// The disk's size, bytes.
    size: u64,
    layer: Layer,
    /// The images that the file was made of, the topmost first: name, size and time of change of those below it.
    below: Vec<Below>,
}

/// An image that another stands on. As long as these are the same, it holds the same; not so for a block device.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Below {
    /// Where.
    pub path: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// When it changed last: seconds since 1970 and nanoseconds.
    pub changed: (i64, i64),
}

impl Below {
    /// One as it is now.
    fn look(path: &Path) -> Result<Below> {
        let about = path.metadata().map_err(io_error("look at", path))?;
        let file = File::open(path).map_err(io_error("open", path))?;
        Ok(Below {
            path: path.to_path_buf(),
            size: size_of(&file, path)?,
            changed: (about.mtime(), about.mtime_nsec()),
        })
    }
}

/// How much a file or block device holds, bytes: of a device the system tells no size but where its end is.
fn size_of(mut file: &File, path: &Path) -> Result<u64> {
    file.seek(SeekFrom::End(0)).map_err(io_error("find the end of", path))
}

#[derive(Debug)]
struct Layer {
    file: File,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// The bytes of the disk, one after the other.
    Raw { size: u64 },
    Qcow2 {
        size: u64,
        cluster_bits: u32,
        zstd: bool,
        extents: Vec<Extent>,
        below: Option<Box<Layer>>,
        /// The compressed cluster that was read last, by its entry.
        last: Mutex<(u64, Vec<u8>)>,
    },
}

/// What the beginning of an image says.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    backing: Option<PathBuf>,
    /// Whether that is no qcow2 image, whatever it begins with.
    backing_is_raw: bool,
    cluster_bits: u32,
    size: u64,
    zstd: bool,
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let digits = bytes.get(at..at + N).unwrap_or_default();
    digits.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

impl Header {
    fn read(file: &File, path: &Path) -> Result<Header> {
        let unable = |why: &str| Error::Unable {
            target: path.display().to_string(),
            why: format!("{why}: convert it first (qemu-img convert -O qcow2)"),
        };
        let mut start = vec![0; 4096];
        let there = read_up_to(file, &mut start, 0).map_err(io_error("read", path))?;
        start.truncate(there);
        let version = number::<4>(&start, 4);
        if number::<4>(&start, 32) != 0 {
            return Err(unable("it is encrypted, and what is in it is not known here"));
        }
        let features = if version >= 3 { number::<8>(&start, 72) } else { 0 };
        if features & DATA_FILE != 0 {
            return Err(unable("its data lies in a file of its own"));
        }
        if features & EXTENDED != 0 {
            return Err(unable("it has extended tables"));
        }
        let zstd = match start.get(104) {
            Some(1) if features & COMPRESSION != 0 => true,
            Some(0) | None => false,
            _ if features & COMPRESSION == 0 => false,
            Some(_) => return Err(unable("it is compressed in a way that is not known here")),
        };
        let (at, length) = (number::<8>(&start, 8), number::<4>(&start, 16));
        let backing = match at {
            0 => None,
            _ => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                let name = from.checked_add(usize::try_from(length).unwrap_or(usize::MAX));
                let name = name.and_then(|end| start.get(from..end));
                let name = name.ok_or_else(|| unable("the name of the image it stands on cannot be read"))?;
                if name.starts_with(b"json:") || name.windows(3).any(|part| part == b"://") {
                    return Err(unable("it stands on something that is no file"));
                }
                let name = Path::new(std::ffi::OsStr::from_bytes(name));
                Some(path.parent().unwrap_or(path).join(name))
            }
        };
        Ok(Header {
            backing,
            backing_is_raw: backing_format(&start, version) == Some(b"raw".to_vec()),
            cluster_bits: u32::try_from(number::<4>(&start, 20)).unwrap_or(0),
            size: number::<8>(&start, 24),
            zstd,
        })
    }
}

/// The format of the backing image, if the header names it: an extension of type 0xe2792aca.
fn backing_format(start: &[u8], version: u64) -> Option<Vec<u8>> {
    const BACKING_FORMAT: u64 = 0xe279_2aca;
    let mut at = match version {
        2 => 72,
        _ => usize::try_from(number::<4>(start, 100)).ok()?,
    };
    loop {
        let (kind, length) = (
            number::<4>(start, at),
            usize::try_from(number::<4>(start, at + 4)).ok()?,
        );
        let content = start.get(at + 8..at.checked_add(8)?.checked_add(length)?)?;
        match kind {
            0 => return None,
            BACKING_FORMAT => return Some(content.to_vec()),
            _ => at += 8 + length.next_multiple_of(8),
        }
    }
}

/// Reads until the buffer is full or the file ends.
fn read_up_to(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match file.read_at(&mut into[done..], at + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

impl Content {
    /// The disk of an image: as it is now, or in one of its snapshots. Its tables are read here; they must not change
    /// meanwhile.
    pub fn open(image: &Path, state: State) -> Result<Content> {
        let of = match state {
            State::Now => None,
            State::Snapshot(id) => Some(Tables::open(image)?.entry(id)?.clone()),
        };
        let mut below = Vec::new();
        let layer = Layer::open(image, Some(state), &mut below, 0)?;
        Ok(Content {
            image: image.to_path_buf(),
            of,
            size: layer.size(),
            layer,
            below,
        })
    }

    /// How large the disk is, bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The images that this one stands on.
    pub fn below(&self) -> &[Below] {
        &self.below
    }

    /// Whether those it stands on show by their time when they are written to.
    pub fn below_is_told(&self) -> bool {
        let is_file = |below: &Below| below.path.metadata().is_ok_and(|about| about.is_file());
        self.below.iter().all(is_file)
    }

    /// Makes sure that all that was read was the snapshot's: once it is deleted, its place in the file is given to what is
    /// written next.
    pub fn is_still_there(&self) -> Result<()> {
        let changed = |what: String| Error::Cannot {
            what: format!("use what was read of {}", self.image.display()),
            why: format!("{what} meanwhile: take another snapshot, and export that"),
        };
        if let Some(of) = &self.of
            && !Tables::open(&self.image)?.has(of)
        {
            return Err(changed("the snapshot was deleted".into()));
        }
        for below in &self.below {
            if Below::look(&below.path)? != *below {
                return Err(changed(format!(
                    "{}, on which it stands, was written to",
                    below.path.display()
                )));
            }
        }
        Ok(())
    }

    /// How many bytes from `at` on are zeros for sure.
    pub fn zeros_at(&self, at: u64) -> u64 {
        self.layer.zeros_at(at, self.size)
    }

    /// Reads all of `into` from `at` on; behind the end there are zeros.
    pub fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<()> {
        self.layer.read_at(at, into)
    }
}

impl Layer {
    /// `state` is of a qcow2 image that must be one; without it the file may be anything.
    fn open(path: &Path, state: Option<State>, below: &mut Vec<Below>, depth: usize) -> Result<Layer> {
        let file = File::open(path).map_err(io_error("open", path))?;
        let mut magic = [0; 4];
        let there = read_up_to(&file, &mut magic, 0).map_err(io_error("read", path))?;
        if state.is_none() && (there < 4 || magic != *MAGIC) {
            let size = size_of(&file, path)?;
            return Ok(Layer::raw(file, size));
        }
        let header = Header::read(&file, path)?;
        let tables = Tables::open(path)?;
        let extents = tables.extents(state.unwrap_or(State::Now))?;
        let backing = match &header.backing {
            None => None,
            Some(_) if depth >= DEEPEST => {
                return Err(Error::Unable {
                    target: path.display().to_string(),
                    why: format!("it stands on more than {DEEPEST} other images: merge them (qemu-img rebase)"),
                });
            }
            Some(backing) => {
                let known = Below::look(backing)?;
                let size = known.size;
                below.push(known);
                Some(Box::new(match header.backing_is_raw {
                    true => Layer::raw(File::open(backing).map_err(io_error("open", backing))?, size),
                    false => Layer::open(backing, None, below, depth + 1)?,
                }))
            }
        };
        let size = extents.last().map_or(0, |extent| extent.start + extent.length);
        Ok(Layer {
            file,
            kind: Kind::Qcow2 {
                size: size.max(if extents.is_empty() { header.size } else { 0 }),
                cluster_bits: header.cluster_bits,
                zstd: header.zstd,
                extents,
                below: backing,
                last: Mutex::default(),
            },
        })
    }

    fn raw(file: File, size: u64) -> Layer {
        Layer {
            file,
            kind: Kind::Raw { size },
        }
    }

    fn size(&self) -> u64 {
        match &self.kind {
            Kind::Raw { size } | Kind::Qcow2 { size, .. } => *size,
        }
    }

    fn zeros_at(&self, at: u64, end: u64) -> u64 {
        let (extents, below) = match &self.kind {
            // What a raw file has of holes is read quickly.
            Kind::Raw { size } => return if at >= *size { end.saturating_sub(at) } else { 0 },
            Kind::Qcow2 { extents, below, .. } => (extents, below),
        };
        let mut to = at;
        while to < end {
            let next = extents.partition_point(|extent| extent.start + extent.length <= to);
            let Some(extent) = extents.get(next) else {
                return end - at;
            };
            let behind = (extent.start + extent.length).min(end);
            match (extent.place, below) {
                (Place::Zeros, _) | (Place::Nowhere, None) => to = behind,
                (Place::Nowhere, Some(below)) => match below.zeros_at(to, behind) {
                    0 => break,
                    zeros => to += zeros,
                },
                (Place::File(_), _) => break,
            }
        }
        to - at
    }

    fn read_at(&self, mut at: u64, mut into: &mut [u8]) -> io::Result<()> {
        let (size, cluster_bits, zstd, extents, below, last) = match &self.kind {
            Kind::Raw { .. } => {
                let done = read_up_to(&self.file, into, at)?;
                into[done..].fill(0);
                return Ok(());
            }
            Kind::Qcow2 {
                size,
                cluster_bits,
                zstd,
                extents,
                below,
                last,
            } => (*size, *cluster_bits, *zstd, extents, below, last),
        };
        while !into.is_empty() {
            let next = extents.partition_point(|extent| extent.start + extent.length <= at);
            let Some(extent) = extents.get(next).filter(|_| at < size) else {
                into.fill(0);
                return Ok(());
            };
            let there = extent.start + extent.length - at;
            let length = usize::try_from(there).unwrap_or(usize::MAX).min(into.len());
            let (piece, rest) = into.split_at_mut(length);
            let within = at - extent.start;
            match (extent.place, below) {
                (Place::Zeros, _) | (Place::Nowhere, None) => piece.fill(0),
                (Place::Nowhere, Some(below)) => below.read_at(at, piece)?,
                (Place::File(entry), _) if entry & COMPRESSED != 0 => {
                    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                    if last.0 != entry {
                        last.1 = self.unpacked(entry, cluster_bits, zstd)?;
                        last.0 = entry;
                    }
                    let from = usize::try_from(within).unwrap_or(usize::MAX);
                    let cluster = from.checked_add(length).and_then(|end| last.1.get(from..end));
                    piece.copy_from_slice(cluster.ok_or(io::ErrorKind::UnexpectedEof)?);
                }
                // The last cluster of the file may be a short one.
                (Place::File(offset), _) => {
                    let done = read_up_to(&self.file, piece, offset + within)?;
                    piece[done..].fill(0);
                }
            }
            at += length as u64;
            into = rest;
        }
        Ok(())
    }

    /// A compressed cluster: its entry tells where it begins and in how many sectors it ends.
    fn unpacked(&self, entry: u64, cluster_bits: u32, zstd: bool) -> io::Result<Vec<u8>> {
        let bits = 62 - (cluster_bits - 8);
        let offset = entry & ((1 << bits) - 1);
        let sectors = (entry & (COMPRESSED - 1)) >> bits;
        let length = (sectors + 1) * 512 - (offset & 511);
        let mut packed = vec![0; usize::try_from(length).unwrap_or(0)];
        let there = read_up_to(&self.file, &mut packed, offset)?;
        packed.truncate(there);
        let mut cluster = vec![0; 1 << cluster_bits];
        match zstd {
            true => zstd::stream::read::Decoder::new(packed.as_slice())?.read_exact(&mut cluster)?,
            // Plain deflate, without a header.
            false => flate2::read::DeflateDecoder::new(packed.as_slice()).read_exact(&mut cluster)?,
        }
        Ok(cluster)
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::tests::image;
    use super::*;

    #[test]
    fn what_was_read_counts_only_while_the_snapshot_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.qcow2");
        std::fs::write(&path, image()).unwrap();
        let content = Content::open(&path, State::Snapshot("1")).unwrap();
        content.is_still_there().unwrap();
        // No snapshot any more.
        let mut bytes = image();
        bytes[60..64].fill(0);
        std::fs::write(&path, bytes).unwrap();
        let said = content.is_still_there().unwrap_err().to_string();
        assert!(said.contains("the snapshot was deleted meanwhile"), "{said}");
        assert!(Content::open(&path, State::Snapshot("1")).is_err());
    }

    #[test]
    fn an_image_that_stands_on_what_is_written_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, base) = (folder.path().join("a.qcow2"), folder.path().join("base"));
        let mut bytes = image();
        // The name of what it stands on, behind the header.
        bytes[8..16].copy_from_slice(&512u64.to_be_bytes());
        bytes[16..20].copy_from_slice(&4u32.to_be_bytes());
        bytes[512..516].copy_from_slice(b"base");
        std::fs::write(&path, bytes).unwrap();
        std::fs::write(&base, "x".repeat(4 << 16)).unwrap();
        let content = Content::open(&path, State::Snapshot("1")).unwrap();
        assert_eq!((content.below()[0].size, content.below_is_told()), (4 << 16, true));
        content.is_still_there().unwrap();
        std::fs::write(&base, "y").unwrap();
        let said = content.is_still_there().unwrap_err().to_string();
        assert!(
            said.contains("base, on which it stands, was written to meanwhile"),
            "{said}"
        );
    }
}

//! zstd with reused state: contexts and buffers live in a [`Scratch`] that each thread keeps, since making a context for
//! every blob costs three times the compression of a small one.
//!
//! Blobs are bare frames whose plain length is known from the index; whole files start with a byte that says what follows.
//! Decompression writes straight into a buffer of the claimed length and never beyond, so that a bomb is refused before
//! it takes memory, and a frame's window size does not matter.

use zstd::zstd_safe::{self, CCtx, CParameter, DCtx, zstd_sys::ZSTD_ErrorCode};

use super::repository::Compression;

/// Longest content of a data blob that is read. Chunks are at most 8 MiB; other programs may be set to more.
pub const MAX_DATA_BLOB: u32 = 128 << 20;
/// Longest content of a tree blob that is read: a folder of more than a million entries.
pub const MAX_TREE_BLOB: u32 = 512 << 20;
/// Longest content of a whole file (index, generation, lock) that is read.
pub const MAX_FILE: usize = 256 << 20;

/// First byte of a compressed whole file in a vault of version 2.
const FILE_ZSTD: u8 = 2;
/// The most that zstd can shrink: a block of 128 KiB takes at least four bytes.
const MAX_RATIO: u64 = 32 * 1024;

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// zstd 3.
    Normal,
    /// zstd 16: beyond that a context takes more than 48 MB for the last percent.
    Max,
}

impl Level {
    /// The level that data is compressed at, if it is.
    pub fn for_data(compression: Compression) -> Option<Level> {
        match compression {
            Compression::Auto => Some(Level::Normal),
            Compression::Off => None,
            Compression::Max => Some(Level::Max),
        }
    }

    /// The level that trees and whole files are compressed at.
    pub fn for_trees(compression: Compression) -> Level {
        Level::for_data(compression).unwrap_or(Level::Normal)
    }

    fn zstd(self) -> i32 {
        match self {
            Level::Normal => 3,
            Level::Max => 16,
        }
    }
}

/// Compressed bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// zstd refuses them.
    #[error("it does not decompress ({0})")]
    Zstd(&'static str),
    /// They hold more or fewer bytes than claimed.
    #[error("it decompresses to {got} bytes and not to {claimed}")]
    Length {
        /// Bytes that came out.
        got: usize,
        /// Bytes that the index or header claims.
        claimed: usize,
    },
    /// The claimed length is beyond what may be or can be.
    #[error("it claims {claimed} bytes of content, more than there can be ({limit})")]
    TooLarge {
        /// Bytes claimed.
        claimed: u64,
        /// Bytes that would be believed.
        limit: u64,
    },
    /// A whole file starts with a byte that stands for nothing known.
    #[error("it starts with the unknown format byte {0:#04x}")]
    Format(u8),
    /// A whole file without a byte in it.
    #[error("it is empty")]
    Empty,
}

/// Compression and decompression contexts, made when first used.
#[derive(Default)]
pub struct Codec {
    compressor: Option<(CCtx<'static>, i32)>,
    decompressor: Option<DCtx<'static>>,
}

impl Codec {
    /// Compresses `plain` into one frame in `out`, which is cleared first.
    pub fn compress(&mut self, plain: &[u8], level: Level, out: &mut Vec<u8>) -> Result<(), BadFrame> {
        out.clear();
        self.compress_append(plain, level, out).map(drop)
    }

    /// Compresses `plain` into one frame at the end of `out`; returns the frame's length.
    pub fn compress_append(&mut self, plain: &[u8], level: Level, out: &mut Vec<u8>) -> Result<usize, BadFrame> {
        let wanted = level.zstd();
        let (context, current) = self.compressor.get_or_insert_with(|| (CCtx::create(), i32::MIN));
        if *current != wanted {
            context
                .set_parameter(CParameter::CompressionLevel(wanted))
                .map_err(zstd_error)?;
            *current = wanted;
        }
        out.reserve(zstd_safe::compress_bound(plain.len()));
        let mut tail = std::io::Cursor::new(out);
        tail.set_position(tail.get_ref().len() as u64);
        context.compress2(&mut tail, plain).map_err(zstd_error)
    }

    /// Decompresses `packed` into `out`, which is cleared first. Errors unless exactly `claimed` bytes come out.
    pub fn decompress(&mut self, packed: &[u8], claimed: usize, out: &mut Vec<u8>) -> Result<(), BadFrame> {
        let limit = (packed.len() as u64).saturating_mul(MAX_RATIO);
        if claimed as u64 > limit {
            return Err(BadFrame::TooLarge {
                claimed: claimed as u64,
                limit,
            });
        }
        out.clear();
        out.reserve(claimed);
        let context = self.decompressor.get_or_insert_with(DCtx::create);
        let got = match context.decompress(out, packed) {
            Ok(got) => got,
            Err(code) => {
                out.clear();
                return Err(zstd_error(code));
            }
        };
        if got != claimed {
            out.clear();
            return Err(BadFrame::Length { got, claimed });
        }
        Ok(())
    }

    /// Decompresses frames that tell nothing, or nothing to be trusted, about how long their content is.
    fn decompress_unknown(&mut self, packed: &[u8], limit: usize) -> Result<Vec<u8>, BadFrame> {
        let told = zstd_safe::get_frame_content_size(packed).ok().flatten().unwrap_or(0);
        let guess = usize::try_from(told)
            .unwrap_or(limit)
            .max(packed.len().saturating_mul(6))
            .max(4096);
        let mut capacity = guess.min(limit).min(packed.len().saturating_mul(MAX_RATIO as usize));
        let context = self.decompressor.get_or_insert_with(DCtx::create);
        loop {
            let mut out = Vec::with_capacity(capacity);
            match context.decompress(&mut out, packed) {
                Ok(_) if out.len() > limit => {
                    return Err(BadFrame::TooLarge {
                        claimed: out.len() as u64,
                        limit: limit as u64,
                    });
                }
                Ok(_) => return Ok(out),
                Err(code) if zstd_safe::is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall) => {
                    if capacity >= limit {
                        let claimed = told.max(limit as u64 + 1);
                        return Err(BadFrame::TooLarge {
                            claimed,
                            limit: limit as u64,
                        });
                    }
                    capacity = capacity.saturating_mul(4).min(limit);
                }
                Err(code) => return Err(zstd_error(code)),
            }
        }
    }

    /// The stored form of a whole file in a vault of version 2.
    pub fn encode_file(&mut self, plain: &[u8]) -> Result<Vec<u8>, BadFrame> {
        let mut packed = Vec::new();
        self.compress(plain, Level::Normal, &mut packed)?;
        packed.insert(0, FILE_ZSTD);
        Ok(packed)
    }

    /// The content of a whole file: plain JSON as it is, else decompressed to at most `limit` bytes.
    pub fn decode_file(&mut self, stored: Vec<u8>, limit: usize) -> Result<Vec<u8>, BadFrame> {
        match stored.first() {
            None => Err(BadFrame::Empty),
            Some(b'{' | b'[') if stored.len() > limit => Err(BadFrame::TooLarge {
                claimed: stored.len() as u64,
                limit: limit as u64,
            }),
            Some(b'{' | b'[') => Ok(stored),
            Some(&FILE_ZSTD) => self.decompress_unknown(&stored[1..], limit),
            Some(&other) => Err(BadFrame::Format(other)),
        }
    }
}

fn zstd_error(code: usize) -> BadFrame {
    if zstd_safe::is_error_kind(code, ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall) {
        return BadFrame::Zstd("more content than claimed");
    }
    BadFrame::Zstd(zstd_safe::get_error_name(code))
}

/// Per-thread reusable state: contexts, and the buffers that reading and storing a blob need.
#[derive(Default)]
pub struct Scratch {
    /// The contexts.
    pub codec: Codec,
    /// A blob in compressed form.
    pub packed: Vec<u8>,
    /// A blob in sealed form.
    pub sealed: Vec<u8>,
    /// A second copy, to compare with.
    pub check: Vec<u8>,
}

impl Scratch {
    /// Bytes of its buffers.
    pub fn size(&self) -> usize {
        self.packed.capacity() + self.sealed.capacity() + self.check.capacity()
    }
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(plain: &[u8], set: &[CParameter]) -> Vec<u8> {
        let mut context = CCtx::create();
        for parameter in set {
            context.set_parameter(*parameter).unwrap();
        }
        let mut out = Vec::with_capacity(zstd_safe::compress_bound(plain.len()));
        context.compress2(&mut out, plain).unwrap();
        out
    }

    #[test]
    fn other_writers_frames_are_read() {
        let plain: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
        for set in [
            vec![CParameter::ChecksumFlag(true)],
            vec![CParameter::ContentSizeFlag(false)],
            vec![
                CParameter::WindowLog(27),
                CParameter::ContentSizeFlag(false),
                CParameter::ChecksumFlag(true),
            ],
        ] {
            let packed = frame(&plain, &set);
            let mut codec = Codec::default();
            let mut out = Vec::new();
            codec.decompress(&packed, plain.len(), &mut out).unwrap();
            assert_eq!(out, plain);
            let mut file = vec![2];
            file.extend_from_slice(&packed);
            assert_eq!(codec.decode_file(file, MAX_FILE).unwrap(), plain);
        }
    }

    #[test]
    fn a_bomb_is_refused() {
        let packed = frame(&vec![0; 64 << 20], &[]);
        let mut codec = Codec::default();
        let mut out = Vec::new();
        assert_eq!(
            codec.decompress(&packed, 1000, &mut out),
            Err(BadFrame::Zstd("more content than claimed"))
        );
        assert!(out.capacity() < 1 << 20);
        let mut file = vec![2];
        file.extend_from_slice(&packed);
        assert_eq!(
            codec.decode_file(file, 1 << 20),
            Err(BadFrame::TooLarge {
                claimed: 64 << 20,
                limit: 1 << 20
            })
        );
        let nested = frame(&vec![0; 32 << 20], &[CParameter::ContentSizeFlag(false)]);
        let mut file = vec![2];
        file.extend_from_slice(&nested);
        assert!(matches!(
            codec.decode_file(file, 1 << 20),
            Err(BadFrame::TooLarge { .. })
        ));
    }

    #[test]
    fn a_claim_that_cannot_be_takes_no_memory() {
        let packed = frame(b"short", &[]);
        let mut out = Vec::new();
        let claimed = 3 << 30;
        assert!(matches!(
            Codec::default().decompress(&packed, claimed, &mut out),
            Err(BadFrame::TooLarge { .. })
        ));
        assert_eq!(out.capacity(), 0);
    }

    #[test]
    fn format_bytes() {
        let mut codec = Codec::default();
        assert_eq!(codec.decode_file(b"{}".to_vec(), 100).unwrap(), b"{}");
        assert_eq!(codec.decode_file(b"[]".to_vec(), 100).unwrap(), b"[]");
        assert_eq!(codec.decode_file(b"\x01{}".to_vec(), 100), Err(BadFrame::Format(1)));
        assert_eq!(codec.decode_file(Vec::new(), 100), Err(BadFrame::Empty));
        assert!(matches!(
            codec.decode_file(vec![2], 100),
            Err(BadFrame::Zstd(_)) | Ok(_)
        ));
    }

    proptest! {
        #[test]
        fn round_trip(plain in proptest::collection::vec(0u8..4, 0..5000), max in any::<bool>()) {
            let mut codec = Codec::default();
            let (mut packed, mut out) = (Vec::new(), Vec::new());
            let level = if max { Level::Max } else { Level::Normal };
            codec.compress(&plain, level, &mut packed).unwrap();
            codec.decompress(&packed, plain.len(), &mut out).unwrap();
            prop_assert_eq!(&out, &plain);
            let error = codec.decompress(&packed, plain.len() + 1, &mut out).unwrap_err();
            let (got, claimed) = (plain.len(), plain.len() + 1);
            prop_assert_eq!(error, BadFrame::Length { got, claimed });
            let file = codec.encode_file(&plain).unwrap();
            prop_assert_eq!(codec.decode_file(file, MAX_FILE).unwrap(), plain);
        }

        #[test]
        fn random_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), claimed in 0usize..100_000) {
            let mut codec = Codec::default();
            let mut out = Vec::new();
            let _ = codec.decompress(&bytes, claimed, &mut out);
            prop_assert!(out.len() <= claimed);
            bytes.insert(0, 2);
            if let Ok(plain) = codec.decode_file(bytes, 50_000) {
                prop_assert!(plain.len() <= 50_000);
            }
        }
    }
}

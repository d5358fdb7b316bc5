//! What must hold for any bytes that are read from a vault. The fuzz targets and the package's own tests both go through
//! here.

#![allow(dead_code, reason = "each fuzz target uses one of them")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

use coffer::vault::compress::{Codec, Level};
use coffer::vault::config::Config;
use coffer::vault::crypto::{KeyBytes, MasterKey, NONCE_SIZE};
use coffer::vault::index::json::{self, Sink};
use coffer::vault::key::KeyFile;
use coffer::vault::lock::Lock;
use coffer::vault::pack::{PackBlob, entry_size, parse_header, parse_pack};
use coffer::vault::tree::is_safe_name;
use coffer::vault::{Generation, Id, Time, Tree};

/// Decrypted pack headers: what is accepted adds up to the size of the file exactly.
pub fn pack_header(data: &[u8]) {
    let Some((size, header)) = data.split_first_chunk::<4>() else {
        return;
    };
    let size = u64::from(u32::from_le_bytes(*size));
    for size in [size, size + (header.len() + 36) as u64] {
        if let Ok(blobs) = parse_header(header, size) {
            let bytes: u64 = blobs.iter().map(|blob| u64::from(blob.length)).sum();
            let entries: usize = blobs.iter().map(|blob| entry_size(blob.uncompressed.is_some())).sum();
            assert_eq!(entries, header.len());
            assert_eq!(bytes + entries as u64 + 36, size);
            assert!(
                blobs
                    .windows(2)
                    .all(|two| two[0].offset + two[0].length == two[1].offset)
            );
        }
    }
}

/// Whole packs: as they come, and with a header that was sealed with the right key.
pub fn pack(data: &[u8]) {
    let key = MasterKey::new(KeyBytes {
        encrypt: [1; 32],
        k: [2; 16],
        r: [3; 16],
    });
    assert!(parse_pack(&key, data).is_err());
    let Some((&[low, high, wrong], header)) = data.split_first_chunk::<3>() else {
        return;
    };
    let mut pack = vec![0; usize::from(u16::from_le_bytes([low, high]))];
    let start = pack.len();
    pack.extend_from_slice(&[0; NONCE_SIZE]);
    pack.extend_from_slice(header);
    key.seal_tail_with([7; NONCE_SIZE], &mut pack, start).unwrap();
    let length = (pack.len() - start) as u32 ^ u32::from(wrong);
    pack.extend_from_slice(&length.to_le_bytes());
    if let Ok(blobs) = parse_pack(&key, &pack) {
        assert_eq!(wrong, 0);
        let end = blobs
            .last()
            .map_or(0, |blob| blob.offset as usize + blob.length as usize);
        assert_eq!(end, start);
    }
}

#[derive(Default, PartialEq, Debug)]
struct Listed(Vec<(Id, Vec<PackBlob>)>);

impl Sink for Listed {
    fn pack(&mut self) {
        self.0.push((Id::ZERO, Vec::new()));
    }
    fn blob(&mut self, blob: &PackBlob) {
        assert!(blob.offset.checked_add(blob.length).is_some() && blob.length >= 32);
        self.0.last_mut().unwrap().1.push(*blob);
    }
    fn pack_end(&mut self, id: Id) {
        self.0.last_mut().unwrap().0 = id;
    }
}

/// Index files: what is read is written, and read again the same.
pub fn index_json(data: &[u8]) {
    let mut listed = Listed::default();
    if json::parse(data, &mut listed).is_ok() {
        let mut text = Vec::new();
        json::start(&mut text);
        listed
            .0
            .iter()
            .for_each(|(id, blobs)| json::write_pack(&mut text, id, blobs));
        json::end(&mut text);
        let mut again = Listed::default();
        json::parse(&text, &mut again).unwrap();
        assert_eq!(again, listed);
    }
}

/// Tree blobs: what is read and written once is then stable to the byte.
pub fn tree_json(data: &[u8]) {
    if let Ok(mut tree) = Tree::decode(data) {
        // Only sorted trees with names of their own can be written.
        tree.nodes.sort_by(|a, b| a.name.cmp(&b.name));
        tree.nodes.dedup_by(|a, b| a.name == b.name);
        let _ = tree.nodes.iter().filter(|node| is_safe_name(&node.name)).count();
        let written = tree.encode();
        let again = Tree::decode(&written).expect("what was written is read");
        assert_eq!(again.encode(), written);
        assert_eq!(again.nodes.len(), tree.nodes.len());
        assert!(again.nodes.iter().zip(&tree.nodes).all(|(a, b)| a.name == b.name));
    }
}

/// Generation files: what is read and written is read again the same. Of fields this program does not know only the names
/// are compared: a number in them with more digits than a float holds may change in its last one.
pub fn generation_json(data: &[u8]) {
    if let Ok(mut generation) = Generation::decode(Id::ZERO, data) {
        let mut again = Generation::decode(Id::ZERO, &generation.encode()).expect("what was written is read");
        assert_eq!(take_unknown(&mut again), take_unknown(&mut generation));
        assert_eq!(again, generation);
    }
}

fn take_unknown(generation: &mut Generation) -> Vec<String> {
    let mut names: Vec<String> = std::mem::take(&mut generation.unknown)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    if let Some(summary) = &mut generation.summary {
        names.extend(std::mem::take(&mut summary.unknown).into_iter().map(|(name, _)| name));
    }
    names
}

/// Vault configs: what is accepted is written and read again the same.
pub fn config_json(data: &[u8]) {
    if let Ok(config) = Config::decode(data) {
        let written = config.encode().unwrap();
        assert_eq!(Config::decode(&written).unwrap(), config);
    }
}

/// Key files: what is accepted is written and read again the same.
pub fn key_json(data: &[u8]) {
    if let Ok(key) = KeyFile::decode(data) {
        let written = key.encode().unwrap();
        assert_eq!(KeyFile::decode(&written).unwrap().encode().unwrap(), written);
    }
}

/// Lock files: what is accepted is written and read again the same.
pub fn lock_json(data: &[u8]) {
    if let Ok(lock) = serde_json::from_slice::<Lock>(data) {
        let _ = lock.is_stale();
        let written = serde_json::to_vec(&lock).unwrap();
        let again: Lock = serde_json::from_slice(&written).unwrap();
        assert_eq!(serde_json::to_vec(&again).unwrap(), written);
    }
}

/// Times: what is read stands for the same instant once written, and is then stable.
pub fn time(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Some(time) = Time::parse(text) {
        assert!(time.nanos < 1_000_000_000 && time.offset % 60 == 0);
        let written = time.to_string();
        let again = Time::parse(&written).expect("what was written is read");
        assert_eq!(again.to_string(), written);
    }
}

/// Compressed blobs and files: never more than claimed, and never more than the limit.
pub fn decompress(data: &[u8]) {
    let Some((claimed, bytes)) = data.split_first_chunk::<3>() else {
        return;
    };
    let claimed = u32::from_le_bytes([claimed[0], claimed[1], claimed[2], 0]) as usize;
    let mut codec = Codec::default();
    let mut out = Vec::new();
    if codec.decompress(bytes, claimed, &mut out).is_ok() {
        assert_eq!(out.len(), claimed);
    }
    for first in [2, b'{', bytes.first().copied().unwrap_or(0)] {
        let file = [&[first], bytes].concat();
        if let Ok(plain) = codec.decode_file(file, 1 << 20) {
            assert!(plain.len() <= 1 << 20);
        }
    }
    let mut packed = Vec::new();
    codec.compress(bytes, Level::Normal, &mut packed).unwrap();
    codec.decompress(&packed, bytes.len(), &mut out).unwrap();
    assert_eq!(out, bytes);
}

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;

use super::*;
use crate::progress::Cancel;
use crate::storage::{FileKind, StorageError};
use crate::vault::testing::{PASSWORD, Tampered, storage, test_options, test_vault, test_vault_of};
use crate::vault::{LockKind, Password, Vault};

fn indexed(vault: &Vault) -> IndexedVault {
    vault.indexed(&Cancel::default()).unwrap()
}

/// Bytes that do not compress, different for each seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn text(seed: u64, length: usize) -> Vec<u8> {
    format!("line {seed} of some text\n")
        .into_bytes()
        .into_iter()
        .cycle()
        .take(length)
        .collect()
}

fn files(vault: &Vault, kind: FileKind) -> BTreeMap<Id, u64> {
    let mut files = BTreeMap::new();
    vault
        .storage()
        .list(kind, &mut |id, size| {
            files.insert(id, size);
        })
        .unwrap();
    files
}

#[test]
fn what_is_written_is_read() {
    for version in [1, 2] {
        let (_folder, vault) = test_vault_of(version);
        let indexed_vault = indexed(&vault);
        let writer = BlobWriter::new(&indexed_vault, WriterOptions::default()).unwrap();
        let mut scratch = Scratch::default();
        let contents = [text(1, 100_000), noise(2, 50_000), vec![0; 3 << 20], b"x".to_vec()];
        for content in &contents {
            for kind in [BlobKind::Data, BlobKind::Tree] {
                let added = writer.add(kind, content, &mut scratch).unwrap();
                assert!(added.new && added.id == Id::of(content));
                assert!(writer.has(kind, &added.id));
                assert!(!writer.add(kind, content, &mut scratch).unwrap().new);
            }
        }
        let totals = writer.finish().unwrap();
        assert_eq!((totals.data_blobs, totals.tree_blobs), (4, 4));
        assert_eq!(
            totals.added,
            2 * contents.iter().map(|content| content.len() as u64).sum::<u64>()
        );

        for reader in [indexed_vault, indexed(&vault)] {
            for content in &contents {
                for kind in [BlobKind::Data, BlobKind::Tree] {
                    assert_eq!(reader.blob(kind, &Id::of(content)).unwrap(), *content);
                }
            }
            let noise = reader.index().find(BlobKind::Data, &Id::of(&contents[1])).unwrap();
            assert_eq!(noise.uncompressed, None);
            let text = reader.index().find(BlobKind::Data, &Id::of(&contents[0])).unwrap();
            assert_eq!(text.uncompressed.is_some(), version == 2);
            let tree = reader.index().find(BlobKind::Tree, &Id::of(&contents[1])).unwrap();
            assert_eq!(tree.uncompressed.is_some(), version == 2, "trees always compress");
        }
    }
}

#[test]
fn packs_are_as_the_index_says_and_never_mixed() {
    let (_folder, vault) = test_vault();
    let indexed_vault = indexed(&vault);
    let options = WriterOptions {
        pack_size: pack::MIN_PACK_SIZE,
        ..WriterOptions::default()
    };
    let writer = BlobWriter::new(&indexed_vault, options).unwrap();
    let mut scratch = Scratch::default();
    for seed in 0..12 {
        writer.add(BlobKind::Data, &noise(seed, 1 << 20), &mut scratch).unwrap();
        writer.add(BlobKind::Tree, &text(seed, 1 << 16), &mut scratch).unwrap();
    }
    let large = writer.add(BlobKind::Data, &noise(99, 5 << 20), &mut scratch).unwrap();
    let totals = writer.finish().unwrap();
    let sizes = files(&vault, FileKind::Pack);
    let mut listed = BTreeMap::new();
    indexed_vault.index().packs(&mut |pack| {
        assert!(pack.data != pack.trees);
        listed.insert(pack.id, pack.size);
    });
    assert_eq!(listed, sizes);
    assert_eq!(sizes.len(), 5, "12 MiB in packs of 4, one large blob, one of trees");
    assert_eq!(totals.added_packed, sizes.values().map(|size| size - 36).sum::<u64>());
    indexed_vault
        .index()
        .for_each_pack(|id, blobs| -> Result<()> {
            let header = pack::read_header(&vault, id, sizes[id])?;
            assert_eq!(header, blobs);
            assert!(blobs.len() == 1 || blobs.iter().all(|blob| blob.id != large.id));
            Ok(())
        })
        .unwrap();
}

#[test]
fn many_threads_store_each_blob_once() {
    let (_folder, vault) = test_vault();
    let indexed_vault = indexed(&vault);
    let writer = BlobWriter::new(&indexed_vault, WriterOptions::default()).unwrap();
    let new = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let (writer, new) = (&writer, &new);
            scope.spawn(move || {
                let mut scratch = Scratch::default();
                for n in 0..500 {
                    let content = noise((n + thread * 50) % 500, 300);
                    let added = writer.add(BlobKind::Data, &content, &mut scratch).unwrap();
                    new.fetch_add(u32::from(added.new), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(writer.finish().unwrap().data_blobs, 500);
    assert_eq!(new.into_inner(), 500);
    assert_eq!(indexed(&vault).index().totals().data.blobs, 500);
    assert_eq!(indexed(&vault).index().totals().data.duplicates, 0);
}

#[test]
fn a_saved_index_takes_over_from_the_claims() {
    let (_folder, vault) = test_vault();
    let indexed_vault = indexed(&vault);
    let writer = BlobWriter::new(&indexed_vault, WriterOptions::default()).unwrap();
    let mut scratch = Scratch::default();
    let id = |n: u32| Id::of(&n.to_le_bytes());
    for n in 0..110_000u32 {
        assert!(writer.add(BlobKind::Data, &n.to_le_bytes(), &mut scratch).unwrap().new);
    }
    for n in (0..110_000u32).step_by(997) {
        assert!(writer.has(BlobKind::Data, &id(n)));
        assert!(!writer.add(BlobKind::Data, &n.to_le_bytes(), &mut scratch).unwrap().new);
    }
    let claims = writer.claims.clone();
    assert_eq!(writer.finish().unwrap().data_blobs, 110_000);
    assert_eq!(claims.len(), 0);
    assert_eq!(files(&vault, FileKind::Index).len(), 3);
    let again = indexed(&vault);
    assert_eq!(again.index().totals().data.blobs, 110_000);
    assert_eq!(
        again.blob(BlobKind::Data, &id(77_777)).unwrap(),
        77_777u32.to_le_bytes()
    );
}

#[test]
fn empty_blobs_are_not_stored_and_an_idle_writer_writes_nothing() {
    let (_folder, vault) = test_vault();
    let writer = BlobWriter::new(&indexed(&vault), WriterOptions::default()).unwrap();
    let added = writer.add(BlobKind::Data, b"", &mut Scratch::default()).unwrap();
    assert_eq!((added.new, added.stored, added.id), (false, 0, Id::of(b"")));
    assert_eq!(writer.finish().unwrap(), WriterTotals::default());
    assert!(files(&vault, FileKind::Pack).is_empty() && files(&vault, FileKind::Index).is_empty());
}

#[test]
fn a_dry_run_counts_the_same_and_stores_nothing() {
    let (_folder, vault) = test_vault();
    let mut scratch = Scratch::default();
    let mut totals = Vec::new();
    for dry_run in [true, false] {
        let options = WriterOptions {
            dry_run,
            ..WriterOptions::default()
        };
        let writer = BlobWriter::new(&indexed(&vault), options).unwrap();
        for seed in 0..10 {
            writer.add(BlobKind::Data, &text(seed, 10_000), &mut scratch).unwrap();
            writer.add(BlobKind::Data, &noise(seed, 10_000), &mut scratch).unwrap();
            writer.add(BlobKind::Data, &noise(seed, 10_000), &mut scratch).unwrap();
            writer.add(BlobKind::Tree, &noise(seed, 10_000), &mut scratch).unwrap();
        }
        totals.push(writer.finish().unwrap());
        assert_eq!(files(&vault, FileKind::Pack).is_empty(), dry_run);
        assert_eq!(files(&vault, FileKind::Index).is_empty(), dry_run);
    }
    let stored = WriterTotals {
        packs: 0,
        pack_bytes: 0,
        index_files: 0,
        ..totals[1]
    };
    assert_eq!(totals[0], stored);
    let pack_bytes = totals[1].added_packed + 2 * 36;
    let real = (totals[1].packs, totals[1].pack_bytes, totals[1].index_files);
    assert_eq!(real, (2, pack_bytes, 1));
}

#[test]
fn dropping_a_writer_keeps_what_was_added() {
    let (_folder, vault) = test_vault();
    let writer = BlobWriter::new(&indexed(&vault), WriterOptions::default()).unwrap();
    let added = writer.add(BlobKind::Data, b"kept", &mut Scratch::default()).unwrap();
    drop(writer);
    let next = BlobWriter::new(&indexed(&vault), WriterOptions::default()).unwrap();
    assert!(next.has(BlobKind::Data, &added.id));
    assert!(!next.add(BlobKind::Data, b"kept", &mut Scratch::default()).unwrap().new);
}

#[test]
fn compression_can_be_chosen() {
    let mut stored = Vec::new();
    for compression in [Compression::Off, Compression::Auto, Compression::Max] {
        let (_folder, vault) = test_vault();
        let options = WriterOptions {
            compression,
            ..WriterOptions::default()
        };
        let writer = BlobWriter::new(&indexed(&vault), options).unwrap();
        let content: Vec<u8> = (0..200_000u32)
            .flat_map(|n| (n * (n / 977)).to_string().into_bytes())
            .collect();
        stored.push(
            writer
                .add(BlobKind::Data, &content, &mut Scratch::default())
                .unwrap()
                .stored as usize,
        );
        writer.finish().unwrap();
        assert_eq!(
            indexed(&vault).blob(BlobKind::Data, &Id::of(&content)).unwrap(),
            content
        );
    }
    assert!(stored[0] > 2 * stored[1] && stored[1] > stored[2], "{stored:?}");
}

#[test]
fn a_full_disk_reaches_every_thread_and_keeps_what_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let mut full = Tampered::new(storage(&folder));
    let packs = AtomicU32::new(3);
    full.on_write = Box::new(move |kind, id| {
        let left = |packs: u32| packs.checked_sub(1);
        if kind == FileKind::Pack && packs.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_err() {
            return Err(StorageError::Io {
                action: "write",
                what: id.to_string(),
                source: std::io::ErrorKind::StorageFull.into(),
            });
        }
        Ok(())
    });
    let vault = Vault::create(Arc::new(full), &Password::new(PASSWORD), &test_options(2)).unwrap();
    let options = WriterOptions {
        pack_size: pack::MIN_PACK_SIZE,
        ..WriterOptions::default()
    };
    let writer = BlobWriter::new(&indexed(&vault), options).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let writer = &writer;
            scope.spawn(move || {
                let mut scratch = Scratch::default();
                let mut seeds = (0..10_000).map(|n| 10_000 * thread + n);
                let error = seeds
                    .find_map(|seed| writer.add(BlobKind::Data, &noise(seed, 200_000), &mut scratch).err())
                    .expect("the writer goes on for ever on a full disk");
                assert!(error.to_string().starts_with("cannot write "), "{error}");
            });
        }
    });
    assert!(writer.finish().is_err());
    let stored = files(&vault, FileKind::Pack);
    assert_eq!(stored.len(), 3);
    let mut listed = BTreeMap::new();
    indexed(&vault).index().packs(&mut |pack| {
        listed.insert(pack.id, pack.size);
    });
    assert_eq!(listed, stored);
}

#[test]
fn once_the_lock_is_taken_away_no_index_file_is_saved() {
    let (_folder, vault) = test_vault();
    for finishes in [true, false] {
        let held = vault.lock(LockKind::Shared).unwrap();
        let options = WriterOptions {
            lock: Some(held.watch()),
            ..WriterOptions::default()
        };
        let writer = BlobWriter::new(&indexed(&vault), options).unwrap();
        let mut scratch = Scratch::default();
        writer.add(BlobKind::Data, b"content", &mut scratch).unwrap();
        vault.unlock(true).unwrap();
        match finishes {
            true => assert!(matches!(writer.finish(), Err(Error::LockLost { .. }))),
            false => drop(writer),
        }
        assert_eq!(files(&vault, FileKind::Index), BTreeMap::new());
    }
}

#[test]
fn a_lost_lock_ends_the_storing_of_packs() {
    let (_folder, vault) = test_vault();
    let held = vault.lock(LockKind::Shared).unwrap();
    let options = WriterOptions {
        pack_size: pack::MIN_PACK_SIZE,
        lock: Some(held.watch()),
        ..WriterOptions::default()
    };
    let writer = BlobWriter::new(&indexed(&vault), options).unwrap();
    drop(held);
    let mut scratch = Scratch::default();
    let failed = (0..100).find_map(|seed| writer.add(BlobKind::Data, &noise(seed, 2 << 20), &mut scratch).err());
    assert!(matches!(failed, Some(Error::LockLost { .. })), "{failed:?}");
    drop(writer);
    assert_eq!(files(&vault, FileKind::Pack), BTreeMap::new());
}

#[test]
fn impossible_pack_sizes_are_refused() {
    let (_folder, vault) = test_vault();
    for pack_size in [0, (4 << 20) - 1, (128 << 20) + 1] {
        let options = WriterOptions {
            pack_size,
            ..WriterOptions::default()
        };
        assert!(matches!(
            BlobWriter::new(&indexed(&vault), options),
            Err(Error::Unsupported { .. })
        ));
    }
}

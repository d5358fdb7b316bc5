use std::sync::Mutex;

use super::*;
use crate::storage::StorageError;
use crate::vault::Password;
use crate::vault::index::json;
use crate::vault::pack::{PackBlob, PackBuilder, SealedPack};
use crate::vault::testing::{PASSWORD, Tampered, storage, test_options, test_vault};
use crate::vault::writer::{BlobWriter, WriterOptions};

fn indexed(vault: &Vault) -> IndexedVault {
    vault.indexed(&Cancel::default()).unwrap()
}

/// A pack of one blob each, as given: content, and whether compressed.
fn store_pack(vault: &Vault, blobs: &[(BlobKind, &[u8], bool)]) -> SealedPack {
    let mut builder = PackBuilder::default();
    for (kind, content, compressed) in blobs {
        let mut packed = content.to_vec();
        if *compressed {
            packed.clear();
            let level = crate::vault::compress::Level::Normal;
            Scratch::default().codec.compress(content, level, &mut packed).unwrap();
        }
        let mut sealed = Vec::new();
        vault.key().seal_append(&packed, &mut sealed).unwrap();
        let uncompressed = compressed.then_some(content.len() as u32);
        builder.push(*kind, Id::of(content), &sealed, uncompressed).unwrap();
    }
    let pack = builder.seal(vault.key()).unwrap();
    vault.storage().write(FileKind::Pack, &pack.id, &[&pack.bytes]).unwrap();
    pack
}

fn store_index(vault: &Vault, packs: &[(Id, Vec<PackBlob>)]) {
    let mut text = Vec::new();
    json::start(&mut text);
    packs
        .iter()
        .for_each(|(id, blobs)| json::write_pack(&mut text, id, blobs));
    json::end(&mut text);
    vault.write_file(FileKind::Index, &text).unwrap();
}

/// A vault that holds one compressible blob, whose index was changed by `change`.
fn with_changed_index(change: impl FnOnce(&mut PackBlob)) -> (tempfile::TempDir, IndexedVault, Id, Id) {
    let (folder, vault) = test_vault();
    let content = vec![7; 10_000];
    let pack = store_pack(&vault, &[(BlobKind::Data, &content, true)]);
    let mut blobs = pack.blobs;
    change(&mut blobs[0]);
    let id = blobs[0].id;
    store_index(&vault, &[(pack.id, blobs)]);
    let vault = indexed(&vault);
    (folder, vault, id, pack.id)
}

/// The error of reading a blob must be short and name the pack.
fn refused(vault: &IndexedVault, id: &Id, pack: &Id) -> String {
    let mut out = Vec::new();
    let error = vault
        .blob_into(BlobKind::Data, id, &mut Scratch::default(), &mut out)
        .unwrap_err();
    assert!(
        out.is_empty() && out.capacity() < 1 << 20,
        "{} bytes were taken",
        out.capacity()
    );
    let text = error.to_string();
    assert!(text.contains(&pack.to_string()), "{text}");
    text
}

#[test]
fn a_blob_that_is_nowhere_is_missing() {
    let (_folder, vault) = test_vault();
    let error = indexed(&vault).blob(BlobKind::Data, &Id::of(b"x")).unwrap_err();
    assert!(matches!(error, Error::MissingBlob { kind: BlobKind::Data, id } if id == Id::of(b"x")));
}

#[test]
fn entries_beyond_the_pack_are_refused() {
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.offset = 1 << 30);
    assert!(refused(&vault, &id, &pack).contains("too short"));
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.length = 100 << 20);
    assert!(refused(&vault, &id, &pack).contains("ends at byte"));
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.length = u32::MAX);
    assert!(refused(&vault, &id, &pack).contains("claims"));
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.offset = 200);
    assert!(refused(&vault, &id, &pack).contains("too short"));
}

#[test]
fn overlapping_entries_are_refused() {
    let (_folder, vault, id, pack) = with_changed_index(|blob| (blob.offset, blob.length) = (1, blob.length - 1));
    assert!(refused(&vault, &id, &pack).contains("MAC"));
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.length = 32);
    assert!(refused(&vault, &id, &pack).contains("MAC"));
}

#[test]
fn wrong_lengths_and_bombs_are_refused() {
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.uncompressed = Some(u32::MAX));
    assert!(refused(&vault, &id, &pack).contains("claims 4294967295 bytes"));
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.uncompressed = Some(100));
    assert!(refused(&vault, &id, &pack).contains("more content than claimed"));
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.uncompressed = Some(10_001));
    assert!(refused(&vault, &id, &pack).contains("decompresses to 10000 bytes and not to 10001"));
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.uncompressed = Some(100 << 20));
    assert!(refused(&vault, &id, &pack).contains("more than there can be"));
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.uncompressed = None);
    assert!(refused(&vault, &id, &pack).contains("its content has the id"));
}

#[test]
fn content_under_another_id_is_refused() {
    // So a tree cannot be made its own child, either.
    let (_folder, vault, id, pack) = with_changed_index(|blob| blob.id = Id::of(b"something else"));
    assert!(refused(&vault, &id, &pack).contains("its content has the id"));
}

#[test]
fn truncated_and_missing_packs_are_named() {
    let (folder, vault, id, pack) = with_changed_index(|_| {});
    let path = folder
        .path()
        .join("data")
        .join(&pack.to_string()[..2])
        .join(pack.to_string());
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 1, 20] {
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(refused(&vault, &id, &pack).contains("too short"));
    }
    std::fs::remove_file(&path).unwrap();
    assert!(refused(&vault, &id, &pack).contains("does not exist"));
}

#[test]
fn every_flipped_bit_is_found() {
    let (folder, vault, id, pack) = with_changed_index(|_| {});
    let path = folder
        .path()
        .join("data")
        .join(&pack.to_string()[..2])
        .join(pack.to_string());
    let whole = std::fs::read(&path).unwrap();
    let blob = vault.index().find(BlobKind::Data, &id).unwrap();
    for at in 0..blob.length as usize {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        assert!(refused(&vault, &id, &pack).contains("MAC"));
    }
}

#[test]
fn a_duplicate_stands_in_for_a_damaged_blob() {
    let (folder, vault) = test_vault();
    let content = vec![7; 10_000];
    let packs = [
        store_pack(&vault, &[(BlobKind::Data, &content, true)]),
        store_pack(
            &vault,
            &[(BlobKind::Data, b"other", false), (BlobKind::Data, &content, false)],
        ),
    ];
    store_index(&vault, &packs.each_ref().map(|pack| (pack.id, pack.blobs.clone())));
    let path = |pack: &Id| {
        folder
            .path()
            .join("data")
            .join(&pack.to_string()[..2])
            .join(pack.to_string())
    };
    let vault = indexed(&vault);
    for damaged in [0, 1] {
        let path = path(&packs[damaged].id);
        let whole = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(vault.blob(BlobKind::Data, &Id::of(&content)).unwrap(), content);
        std::fs::write(&path, vec![0; whole.len()]).unwrap();
        assert_eq!(vault.blob(BlobKind::Data, &Id::of(&content)).unwrap(), content);
        std::fs::write(&path, &whole).unwrap();
    }
    for pack in &packs {
        std::fs::remove_file(path(&pack.id)).unwrap();
    }
    let text = vault.blob(BlobKind::Data, &Id::of(&content)).unwrap_err().to_string();
    assert!(packs.iter().all(|pack| text.contains(&pack.id.to_string())), "{text}");
}

#[test]
fn a_failed_read_is_tried_once_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut tampered = Tampered::new(storage(&folder));
    let reads = Arc::new(Mutex::new(Vec::new()));
    let seen = reads.clone();
    tampered.on_read = Box::new(move |kind, id, _, bytes| {
        assert_eq!(kind, FileKind::Pack);
        let mut seen = seen.lock().unwrap();
        seen.push(*id);
        match seen.len() {
            1 => bytes[20] ^= 1,
            3 => return Err(StorageError::NotFound { what: "it".into() }),
            _ => {}
        }
        Ok(())
    });
    let vault = Vault::create(Arc::new(tampered), &Password::new(PASSWORD), &test_options(2)).unwrap();
    let vault = indexed(&vault);
    let writer = BlobWriter::new(&vault, WriterOptions::default()).unwrap();
    let id = writer
        .add(BlobKind::Data, b"read twice", &mut Scratch::default())
        .unwrap()
        .id;
    writer.finish().unwrap();
    for count in [2, 4, 5] {
        assert_eq!(vault.blob(BlobKind::Data, &id).unwrap(), b"read twice");
        assert_eq!(reads.lock().unwrap().len(), count);
    }
}

#[test]
fn bytes_read_by_others_are_verified_the_same() {
    let (_folder, vault) = test_vault();
    let pack = store_pack(
        &vault,
        &[(BlobKind::Data, &[1; 500], true), (BlobKind::Tree, &[2; 500], false)],
    );
    store_index(&vault, &[(pack.id, pack.blobs.clone())]);
    let vault = indexed(&vault);
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    for blob in &pack.blobs {
        let location = vault.index().find(blob.kind, &blob.id).unwrap();
        let range = blob.offset as usize..(blob.offset + blob.length) as usize;
        let mut open = |kind, id: &Id, sealed: &mut [u8]| {
            vault
                .open_blob(kind, id, &location, sealed, &mut scratch, &mut out)
                .map(|()| out.len())
        };
        assert_eq!(
            open(blob.kind, &blob.id, &mut pack.bytes[range.clone()].to_vec()).unwrap(),
            500
        );
        let mut damaged = pack.bytes[range.clone()].to_vec();
        damaged[17] ^= 1;
        assert!(open(blob.kind, &blob.id, &mut damaged).is_err());
        assert!(open(blob.kind, &pack.id, &mut pack.bytes[range].to_vec()).is_err());
    }
}

#[test]
fn trees_are_read_and_bad_ones_named() {
    let (_folder, vault) = test_vault();
    let good: &[u8] = b"{\"nodes\":null}";
    let bad: &[u8] = b"{\"nodes\":[{}";
    let pack = store_pack(&vault, &[(BlobKind::Tree, good, true), (BlobKind::Tree, bad, true)]);
    store_index(&vault, &[(pack.id, pack.blobs.clone())]);
    let vault = indexed(&vault);
    assert_eq!(vault.tree(&Id::of(good)).unwrap(), Tree::default());
    let error = vault.tree(&Id::of(bad)).unwrap_err().to_string();
    assert!(error.contains(&Id::of(bad).to_string()), "{error}");
    // The same id as another kind is another blob.
    assert!(matches!(
        vault.blob(BlobKind::Data, &Id::of(good)),
        Err(Error::MissingBlob { .. })
    ));
}

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::progress::Cancel;
use crate::storage::FileKind;
use crate::vault::testing::test_vault;
use crate::vault::{Error, Vault};

type Packs = Vec<(Id, Vec<PackBlob>)>;

fn id(n: u64) -> Id {
    Id::of(&n.to_le_bytes())
}

fn blob(n: u64, offset: u32) -> PackBlob {
    PackBlob {
        kind: if n.is_multiple_of(5) {
            BlobKind::Tree
        } else {
            BlobKind::Data
        },
        id: id(n),
        offset,
        length: 100 + (n % 50) as u32,
        uncompressed: n.is_multiple_of(3).then_some(500 + n as u32),
    }
}

/// A pack that holds the blobs `from..to`.
fn pack_of(from: u64, to: u64) -> (Id, Vec<PackBlob>) {
    let mut offset = 0;
    let blobs = (from..to).map(|n| {
        let blob = blob(n, offset);
        offset += blob.length;
        blob
    });
    let blobs: Vec<PackBlob> = blobs.collect();
    (id(from * 1_000_000 + to), blobs)
}

fn save(vault: &Vault, packs: &[(Id, Vec<PackBlob>)]) -> Id {
    let mut text = Vec::new();
    json::start(&mut text);
    packs
        .iter()
        .for_each(|(id, blobs)| json::write_pack(&mut text, id, blobs));
    json::end(&mut text);
    vault.write_file(FileKind::Index, &text).unwrap()
}

fn load(vault: &Vault) -> Index {
    Index::load(vault, &Cancel::default()).unwrap()
}

fn segment_files(vault: &Vault) -> Vec<PathBuf> {
    let folder = vault.cache_folder().unwrap().join("index");
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect()
}

/// Compares all that the index answers with what it was made of.
fn check(index: &Index, packs: &Packs) {
    let mut by_pack: BTreeMap<Id, Vec<PackBlob>> = BTreeMap::new();
    for (id, blobs) in packs {
        let all = by_pack.entry(*id).or_default();
        all.extend(
            blobs
                .iter()
                .filter(|blob| !blobs_contain(all, blob))
                .copied()
                .collect::<Vec<_>>(),
        );
        all.sort_by_key(|blob| (blob.offset, blob.length));
    }
    let mut entries = Vec::new();
    for (pack, blobs) in &by_pack {
        for blob in blobs {
            let location = Location {
                pack: *pack,
                offset: blob.offset,
                length: blob.length,
                uncompressed: blob.uncompressed,
            };
            entries.push((blob.kind, blob.id, location));
            assert!(index.contains(blob.kind, &blob.id));
            assert_eq!(
                index
                    .find_all(blob.kind, &blob.id)
                    .iter()
                    .filter(|found| **found == location)
                    .count(),
                1
            );
            assert!(
                index
                    .find_all(blob.kind, &blob.id)
                    .contains(&index.find(blob.kind, &blob.id).unwrap())
            );
        }
    }
    entries.sort_by_key(|(kind, id, location)| (*kind, *id, location.pack, location.offset));
    let mut listed = Vec::new();
    index.for_each(&mut |kind, id, location| listed.push((kind, id, location)));
    assert_eq!(listed, entries);
    let totals = index.totals();
    assert_eq!(
        totals.data.blobs + totals.data.duplicates + totals.trees.blobs + totals.trees.duplicates,
        entries.len() as u64
    );

    let mut listed = BTreeMap::new();
    let visit = |id: &Id, blobs: &[PackBlob]| -> Result<()> {
        assert!(listed.insert(*id, blobs.to_vec()).is_none());
        Ok(())
    };
    index.for_each_pack(visit).unwrap();
    assert_eq!(listed, by_pack);
    let mut sizes = BTreeMap::new();
    index.packs(&mut |pack| {
        sizes.insert(pack.id, (pack.blobs, pack.blob_bytes));
    });
    let expected = by_pack.iter().map(|(id, blobs)| {
        let bytes = blobs.iter().map(|blob| u64::from(blob.length)).sum();
        (*id, (blobs.len() as u64, bytes))
    });
    assert_eq!(sizes, expected.collect());
    for n in 1_000_000..1_000_020 {
        assert!(!index.contains(BlobKind::Data, &id(n)));
        assert_eq!(index.find(BlobKind::Tree, &id(n)), None);
    }
}

fn blobs_contain(all: &[PackBlob], blob: &PackBlob) -> bool {
    all.iter().any(|other| other == blob)
}

#[test]
fn an_empty_vault_has_an_empty_index() {
    let (_folder, vault) = test_vault();
    let index = load(&vault);
    assert!(index.is_empty());
    check(&index, &Vec::new());
    save(&vault, &[]);
    check(&load(&vault), &Vec::new());
}

#[test]
fn grows_with_the_vault_and_merges_segments() {
    let (_folder, vault) = test_vault();
    let mut packs = Packs::new();
    for n in 0..30 {
        let new = [pack_of(n * 100, n * 100 + 40), pack_of(n * 100 + 30, n * 100 + 90)];
        packs.extend(new.clone());
        save(&vault, &new);
        let index = load(&vault);
        if n % 7 == 0 {
            check(&index, &packs);
        }
        assert!(segment_files(&vault).len() <= 7);
    }
    check(&load(&vault), &packs);
}

#[test]
fn what_is_covered_is_not_read_again() {
    let (folder, vault) = test_vault();
    let packs = vec![pack_of(0, 50)];
    let file = save(&vault, &packs);
    check(&load(&vault), &packs);
    let path = folder.path().join("index").join(file.to_string());
    fs::remove_file(&path).unwrap();
    fs::write(&path, "no index any more").unwrap();
    check(&load(&vault), &packs);
    segment_files(&vault)
        .iter()
        .for_each(|path| fs::remove_file(path).unwrap());
    let error = Index::load(&vault, &Cancel::default()).unwrap_err();
    assert!(error.to_string().contains(&file.to_string()), "{error}");
    assert!(error.to_string().contains("restic's command repair index"), "{error}");
    let bad = std::sync::Mutex::new(Vec::new());
    let index = Index::load_reporting(&vault, &Cancel::default(), &|id, _| {
        bad.lock().unwrap().push(id);
        Ok(())
    });
    assert!(index.unwrap().is_empty());
    assert_eq!(bad.into_inner().unwrap(), [file]);
}

#[test]
fn an_index_file_that_goes_takes_its_entries_along() {
    let (_folder, vault) = test_vault();
    let (kept, gone) = (vec![pack_of(0, 50)], vec![pack_of(20, 80)]);
    save(&vault, &kept);
    let file = save(&vault, &gone);
    let both = load(&vault);
    vault.remove_file(FileKind::Index, &file).unwrap();
    check(&load(&vault), &kept);
    // Whoever had it open is not disturbed, until it asks.
    check(&both, &[kept.clone(), gone].concat());
    both.refresh(&vault, &Cancel::default()).unwrap();
    check(&both, &kept);
}

#[test]
fn an_invalid_index_file_is_an_error_that_names_it() {
    let (_folder, vault) = test_vault();
    for text in [
        "",
        "[]",
        "{",
        r#"{"packs":[{"id":"xy","blobs":[]}]}"#,
        r#"{"packs":[{"blobs":[]}]}"#,
    ] {
        let file = vault.write_file(FileKind::Index, text.as_bytes()).unwrap();
        let error = Index::load(&vault, &Cancel::default()).unwrap_err();
        assert!(
            matches!(&error, Error::Damaged { file: named, .. } if named.contains(&file.to_string())),
            "{error}"
        );
        vault.remove_file(FileKind::Index, &file).unwrap();
    }
}

#[test]
fn a_part_of_an_invalid_index_file_is_not_taken() {
    let (_folder, vault) = test_vault();
    let good = vec![pack_of(0, 20)];
    save(&vault, &good);
    let mut text = Vec::new();
    json::start(&mut text);
    json::write_pack(&mut text, &id(1), &pack_of(100, 120).1);
    vault.write_file(FileKind::Index, &text).unwrap();
    let index = Index::load_reporting(&vault, &Cancel::default(), &|_, _| Ok(())).unwrap();
    check(&index, &good);
}

#[test]
fn a_damaged_cache_is_made_again() {
    let (_folder, vault) = test_vault();
    let packs = vec![pack_of(0, 20), pack_of(10, 40)];
    save(&vault, &packs);
    load(&vault);
    let path = segment_files(&vault).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    let damage = |bytes: &[u8]| {
        segment_files(&vault)
            .iter()
            .for_each(|path| fs::remove_file(path).unwrap());
        fs::write(&path, bytes).unwrap();
        check(&load(&vault), &packs);
    };
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        damage(&bytes);
        damage(&whole[..at]);
    }
    damage(&[whole.clone(), vec![0]].concat());
    damage(&whole);
}

#[test]
fn damage_in_a_large_segment_never_panics_and_is_found_when_asked_for() {
    let (_folder, vault) = test_vault();
    let packs: Packs = (0..100).map(|n| pack_of(n * 1000, n * 1000 + 1000)).collect();
    save(&vault, &packs);
    let index = load(&vault);
    assert!(index.verify_cache().is_ok());
    let path = segment_files(&vault).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() as u64 > segment::SMALL);
    // It is not read a second time: nothing is seen of a byte that is changed now.
    let write = |byte: u8| {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all_at(&[byte], 4096).unwrap();
    };
    write(!whole[4096]);
    assert!(index.verify_cache().is_ok());
    write(whole[4096]);
    drop(index);
    for part in [128..4_000_000, 4_700_000..whole.len() - 32] {
        let mut bytes = whole.clone();
        for at in part.step_by(997) {
            bytes[at] ^= 0xff;
        }
        // Under the same name, as a failing disk would do it.
        fs::remove_file(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        let index = load(&vault);
        for n in (0..100_000).step_by(61) {
            let blob = blob(n, 0);
            let _ = (index.find(blob.kind, &blob.id), index.find_all(blob.kind, &blob.id));
        }
        let mut entries = 0;
        index.for_each(&mut |_, _, _| entries += 1);
        index.for_each_pack(|_, _| Ok::<(), ()>(())).unwrap();
        index.packs(&mut |pack| entries += pack.blobs);
        assert!(matches!(index.verify_cache(), Err(Error::Damaged { .. })));
        assert!(!path.exists());
        let index = load(&vault);
        assert!(index.verify_cache().is_ok());
        assert_eq!(
            index.find(BlobKind::Data, &id(77_777)).unwrap().pack,
            id(77_000 * 1_000_000 + 78_000)
        );
        fs::rename(segment_files(&vault).pop().unwrap(), &path).unwrap();
    }
}

#[test]
fn several_at_once_see_the_same() {
    let (_folder, vault) = test_vault();
    let packs: Packs = (0..40).map(|n| pack_of(n * 30, n * 30 + 35)).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            packs
                .iter()
                .for_each(|pack| drop(save(&vault, std::slice::from_ref(pack)).to_string()))
        });
        for _ in 0..4 {
            scope.spawn(|| {
                let mut seen = 0;
                for _ in 0..20 {
                    let index = load(&vault);
                    assert!(index.len() >= seen);
                    seen = index.len();
                }
            });
        }
    });
    check(&load(&vault), &packs);
    check(&load(&vault), &packs);
}

#[test]
fn one_pack_in_two_index_files_counts_once() {
    let (_folder, vault) = test_vault();
    let (pack, blobs) = pack_of(0, 60);
    let overlapping = vec![(pack, blobs[..40].to_vec())];
    save(&vault, &overlapping);
    load(&vault);
    let rest = vec![(pack, blobs[20..].to_vec()), pack_of(100, 110)];
    save(&vault, &rest);
    check(&load(&vault), &[overlapping, rest].concat());
    assert_eq!(load(&vault).totals().data.duplicates, 0);
}

#[test]
fn a_cancelled_load_stops() {
    let (_folder, vault) = test_vault();
    save(&vault, &[pack_of(0, 10)]);
    let cancel = Cancel::default();
    cancel.cancel();
    assert!(matches!(Index::load(&vault, &cancel), Err(Error::Cancelled(_))));
}

fn any_packs() -> impl Strategy<Value = Vec<Packs>> {
    // Few different ids, so that blobs and packs repeat; all ids start alike in one half, so that buckets are uneven.
    let any_id = (any::<bool>(), 0u8..40).prop_map(|(alike, n)| if alike { Id([n; 32]) } else { id(n.into()) });
    let blob = (any_id.clone(), any::<bool>(), 0u32..5000, 32u32..5000, 0u32..9).prop_map(
        |(id, tree, offset, length, uncompressed)| PackBlob {
            kind: if tree { BlobKind::Tree } else { BlobKind::Data },
            id,
            offset,
            length,
            uncompressed: (uncompressed > 0).then_some(uncompressed),
        },
    );
    let pack = (any_id, proptest::collection::vec(blob, 0..20));
    proptest::collection::vec(proptest::collection::vec(pack, 0..4), 0..9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn answers_equal_a_model(files in any_packs(), load_each in any::<bool>()) {
        let (_folder, vault) = test_vault();
        for packs in &files {
            save(&vault, packs);
            if load_each {
                load(&vault);
            }
        }
        // Entries at the same place with different lengths are told apart, but their order is not defined.
        let mut seen = std::collections::BTreeSet::new();
        let packs = files.concat();
        prop_assume!(packs.iter().all(|(pack, blobs)| blobs.iter().all(|blob| seen.insert((*pack, blob.offset)))));
        check(&load(&vault), &packs);
    }
}

#[test]
fn marks_tell_every_blob_apart_and_count_it_once() {
    let (_folder, vault) = test_vault();
    // Blobs 50 to 99 lie in two packs, of two index files.
    save(&vault, &[pack_of(0, 100)]);
    save(&vault, &[pack_of(50, 200)]);
    let index = load(&vault);
    let mut marks = index.marks();
    for n in 0..200 {
        let (kind, id) = (blob(n, 0).kind, id(n));
        assert!(!marks.contains(kind, &id), "{n}");
        assert!(
            matches!(marks.mark(kind, &id), Mark::First(location) if location.length == blob(n, 0).length),
            "{n}"
        );
        assert_eq!(marks.mark(kind, &id), Mark::Again, "{n}");
        assert!(marks.contains(kind, &id), "{n}");
    }
    assert_eq!(marks.mark(BlobKind::Data, &id(200)), Mark::Missing);
    // The same id as another kind is another blob.
    assert_eq!(marks.mark(BlobKind::Data, &id(0)), Mark::Missing);
}

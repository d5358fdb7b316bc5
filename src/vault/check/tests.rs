//! A small vault, damaged in every way there is.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::storage::FileKind;
use crate::vault::compress::Scratch;
use crate::vault::crypto::OVERHEAD;
use crate::vault::index::json;
use crate::vault::pack::{PackBlob, PackBuilder, SealedPack, read_header};
use crate::vault::repository::Compression;
use crate::vault::testing::test_vault;
use crate::vault::tree::{Node, NodeType, Tree};
use crate::vault::writer::{BlobWriter, WriterOptions};
use crate::vault::{BlobKind, Generation, Id, LockKind};

/// A vault with one generation: `/docs/{a,b}` and `/empty`.
struct Sample {
    _folder: TempDir,
    vault: Vault,
}

const CONTENT: &[&[u8]] = &[b"first part ", b"second part"];

fn file(name: &str, content: &[Id], size: u64) -> Node {
    Node {
        name: name.into(),
        mode: 0o644,
        size,
        content: Some(content.to_vec()),
        ..Node::default()
    }
}

fn folder(name: &str, subtree: Id) -> Node {
    Node {
        name: name.into(),
        kind: NodeType::Dir,
        subtree: Some(subtree),
        ..Node::default()
    }
}

/// The bytes of a tree whatever the order of its nodes.
fn encode(nodes: &[Node]) -> Vec<u8> {
    let bodies: Vec<String> = nodes
        .iter()
        .map(|node| {
            let whole = String::from_utf8(
                Tree {
                    nodes: vec![node.clone()],
                }
                .encode(),
            )
            .unwrap();
            whole
                .trim_end()
                .strip_prefix("{\"nodes\":[")
                .unwrap()
                .strip_suffix("]}")
                .unwrap()
                .to_owned()
        })
        .collect();
    format!("{{\"nodes\":[{}]}}\n", bodies.join(",")).into_bytes()
}

impl Sample {
    fn new() -> Sample {
        let (folder, vault) = test_vault();
        // Taking a real lock waits a fifth of a second each time.
        let vault = vault.without_locks();
        let sample = Sample { _folder: folder, vault };
        let docs = encode(&[sample.file("a"), file("b", &[], 0)]);
        sample.add(&[&encode(&[folder_of("docs", &docs), file("empty", &[], 0)]), &docs]);
        sample
    }

    /// A file with the sample's content.
    fn file(&self, name: &str) -> Node {
        let ids: Vec<Id> = CONTENT.iter().map(|part| Id::of(part)).collect();
        file(name, &ids, CONTENT.iter().map(|part| part.len() as u64).sum())
    }

    /// Stores the content, the trees, and a generation of the first of them; returns its id.
    fn add(&self, trees: &[&[u8]]) -> Id {
        let indexed = self.vault.indexed(&Cancel::default()).unwrap();
        let options = WriterOptions {
            compression: Compression::Auto,
            pack_size: 4 << 20,
            dry_run: false,
            ..WriterOptions::default()
        };
        let writer = BlobWriter::new(&indexed, options).unwrap();
        let mut scratch = Scratch::default();
        for part in CONTENT {
            writer.add(BlobKind::Data, part, &mut scratch).unwrap();
        }
        for tree in trees {
            writer.add(BlobKind::Tree, tree, &mut scratch).unwrap();
        }
        writer.finish().unwrap();
        self.save(Id::of(trees[0]))
    }

    fn save(&self, tree: Id) -> Id {
        let json = format!(r#"{{"time":"2026-01-02T03:04:05Z","tree":"{tree}","paths":["/"]}}"#);
        self.vault
            .save_generation(&serde_json::from_str::<Generation>(&json).unwrap())
            .unwrap()
    }

    fn check(&self, data: DataSubset) -> Report {
        let lock = self.vault.lock(LockKind::Shared).unwrap();
        run(&self.vault, &lock, &data, &Progress::default(), &Cancel::default()).unwrap()
    }

    /// The kinds of errors, then of warnings, found by a check of everything, and the first error in words.
    fn found(&self) -> (Vec<FindingKind>, Vec<FindingKind>, String) {
        let report = self.check(DataSubset::All);
        assert_eq!(report.errors_found, report.errors.len() as u64);
        let kinds = |findings: &[Finding]| findings.iter().map(|finding| finding.kind).collect();
        let first = report.errors.first().map(ToString::to_string).unwrap_or_default();
        (kinds(&report.errors), kinds(&report.warnings), first)
    }

    fn packs(&self) -> Vec<(Id, u64)> {
        let mut packs = Vec::new();
        self.vault
            .storage()
            .list(FileKind::Pack, &mut |id, size| packs.push((id, size)))
            .unwrap();
        packs
    }

    /// The pack with data in it, and its blobs.
    fn data_pack(&self) -> (Id, Vec<PackBlob>) {
        let headers = self
            .packs()
            .into_iter()
            .map(|(id, size)| (id, read_header(&self.vault, &id, size).unwrap()));
        headers
            .into_iter()
            .find(|(_, blobs)| blobs[0].kind == BlobKind::Data)
            .unwrap()
    }

    /// Changes the bytes of a file.
    fn damage(&self, kind: FileKind, id: &Id, change: impl FnOnce(&mut Vec<u8>)) {
        let place = self.vault.place_of(kind, id);
        let mut bytes = fs::read(&place).unwrap();
        change(&mut bytes);
        fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&place, bytes).unwrap();
    }

    /// Stores an index file that tells of these packs.
    fn index(&self, packs: &[(Id, Vec<PackBlob>)]) -> Id {
        let mut bytes = Vec::new();
        json::start(&mut bytes);
        for (id, blobs) in packs {
            json::write_pack(&mut bytes, id, blobs);
        }
        json::end(&mut bytes);
        self.vault.write_file(FileKind::Index, &bytes).unwrap()
    }

    /// Replaces the index by one that tells of these packs.
    fn replace_index(&self, packs: &[(Id, Vec<PackBlob>)]) {
        let old = self.vault.list_files(FileKind::Index).unwrap();
        self.index(packs);
        old.iter()
            .for_each(|id| self.vault.remove_file(FileKind::Index, id).unwrap());
    }

    /// All packs with their blobs, by their headers.
    fn all_packs(&self) -> Vec<(Id, Vec<PackBlob>)> {
        self.packs()
            .into_iter()
            .map(|(id, size)| (id, read_header(&self.vault, &id, size).unwrap()))
            .collect()
    }

    fn store_pack(&self, pack: &SealedPack) {
        self.vault
            .storage()
            .write(FileKind::Pack, &pack.id, &[&pack.bytes])
            .unwrap();
    }
}

fn folder_of(name: &str, listing: &[u8]) -> Node {
    folder(name, Id::of(listing))
}

#[test]
fn a_sound_vault_is_sound_and_counted() {
    let sample = Sample::new();
    let report = sample.check(DataSubset::All);
    assert_eq!(report.errors, []);
    assert_eq!(report.warnings, []);
    assert!(report.is_sound());
    assert_eq!((report.generations, report.trees, report.entries), (1, 2, 4));
    assert_eq!(
        (report.index_files, report.packs, report.packs_read, report.blobs_read),
        (1, 2, 2, 4)
    );
    assert_eq!(
        report.bytes_read,
        sample.packs().iter().map(|(_, size)| size).sum::<u64>()
    );
    let report = sample.check(DataSubset::None);
    assert_eq!((report.trees, report.packs, report.packs_read), (2, 2, 0));
    let (folder, empty) = test_vault();
    let lock = empty.lock(LockKind::Exclusive).unwrap();
    let report = run(
        &empty,
        &lock,
        &DataSubset::All,
        &Progress::default(),
        &Cancel::default(),
    )
    .unwrap();
    assert_eq!(report, Report::default());
    drop(folder);
}

#[test]
fn cancelling_ends_it() {
    let sample = Sample::new();
    let lock = sample.vault.lock(LockKind::Shared).unwrap();
    let cancel = Cancel::default();
    cancel.cancel();
    let result = run(&sample.vault, &lock, &DataSubset::All, &Progress::default(), &cancel);
    assert!(matches!(result, Err(crate::vault::Error::Cancelled(_))));
}

#[test]
fn a_flipped_bit_is_found_in_every_kind_of_file() {
    let kinds = [
        (FileKind::Key, FindingKind::BadKey),
        (FileKind::Generation, FindingKind::BadGeneration),
        (FileKind::Index, FindingKind::BadIndex),
        (FileKind::Pack, FindingKind::BadPack),
    ];
    for (kind, expected) in kinds {
        let sample = Sample::new();
        let ids = match kind {
            FileKind::Pack => sample.packs().into_iter().map(|(id, _)| id).collect(),
            _ => sample.vault.list_files(kind).unwrap(),
        };
        for id in ids {
            let length = sample.vault.storage().size(kind, &id).unwrap() as usize;
            // Every byte of a small file would take long: nonce, content and end.
            for at in [0, 15, 16, length / 2, length - 17, length - 1] {
                sample.damage(kind, &id, |bytes| bytes[at] ^= 0x10);
                let (errors, _, first) = sample.found();
                assert!(errors.contains(&expected), "{kind:?} byte {at}: {errors:?}");
                assert!(first.contains(&id.to_string()), "{kind:?} byte {at}: {first}");
                sample.damage(kind, &id, |bytes| bytes[at] ^= 0x10);
            }
        }
        assert!(sample.check(DataSubset::All).is_sound());
    }
}

#[test]
fn missing_truncated_and_orphaned_packs_are_told_apart() {
    let sample = Sample::new();
    let (id, _) = sample.data_pack();
    sample.damage(FileKind::Pack, &id, |bytes| bytes.truncate(bytes.len() - 1));
    let (errors, _, _) = sample.found();
    assert_eq!(errors[0], FindingKind::PackSize);
    assert!(errors.contains(&FindingKind::BadPack));
    let report = sample.check(DataSubset::None);
    assert_eq!(report.errors.len(), 1, "the structure check sees the size too");

    sample.vault.remove_file(FileKind::Pack, &id).unwrap();
    let (errors, _, first) = sample.found();
    assert_eq!(errors, [FindingKind::MissingPack]);
    assert!(first.contains(&id.to_string()));

    let sample = Sample::new();
    let mut orphan = PackBuilder::default();
    orphan.push(BlobKind::Data, Id::of(b"x"), &[1; OVERHEAD], None).unwrap();
    let orphan = orphan.seal(sample.vault.key()).unwrap();
    sample.store_pack(&orphan);
    let (errors, warnings, _) = sample.found();
    assert_eq!((errors, warnings), (vec![], vec![FindingKind::OrphanPack]));
}

#[test]
fn without_its_index_a_vault_has_missing_trees_and_blobs() {
    let sample = Sample::new();
    let trees: Vec<_> = sample
        .all_packs()
        .into_iter()
        .filter(|(_, blobs)| blobs[0].kind == BlobKind::Tree)
        .collect();
    sample.replace_index(&trees);
    let (errors, warnings, first) = sample.found();
    assert_eq!(
        (errors, warnings),
        (vec![FindingKind::MissingBlob; 2], vec![FindingKind::OrphanPack])
    );
    assert!(first.contains("/docs/a: a part of its content"), "{first}");
    sample.replace_index(&[]);
    let (errors, _, first) = sample.found();
    assert_eq!(errors, [FindingKind::MissingTree]);
    assert!(first.contains(": /: its listing"), "{first}");
}

#[test]
fn packs_that_the_index_tells_of_twice() {
    let sample = Sample::new();
    let packs = sample.all_packs();
    sample.index(&packs[..1]);
    let (errors, warnings, _) = sample.found();
    assert_eq!((errors, warnings), (vec![], vec![FindingKind::DuplicatePack]));

    let sample = Sample::new();
    let (id, mut blobs) = sample.data_pack();
    blobs.pop();
    sample.index(&[(id, blobs)]);
    let (errors, _, first) = sample.found();
    assert!(errors.contains(&FindingKind::DuplicatePack), "{errors:?}");
    assert!(first.contains("not with the same blobs"), "{first}");
}

#[test]
fn an_index_that_disagrees_with_headers_is_found() {
    type Change = fn(&mut [PackBlob]);
    let changes: [(&str, Change); 5] = [
        ("another id", |blobs| blobs[0].id = Id::of(b"other")),
        ("another kind", |blobs| blobs[0].kind = BlobKind::Tree),
        ("another content length", |blobs| blobs[0].uncompressed = Some(99)),
        ("swapped lengths", |blobs| {
            blobs[0].length += 1;
            blobs[1].offset += 1;
            blobs[1].length -= 1;
        }),
        ("swapped ids", |blobs| {
            let id = blobs[0].id;
            blobs[0].id = blobs[1].id;
            blobs[1].id = id;
        }),
    ];
    for (name, change) in changes {
        let sample = Sample::new();
        let mut packs = sample.all_packs();
        change(
            &mut packs
                .iter_mut()
                .find(|(_, blobs)| blobs[0].kind == BlobKind::Data)
                .unwrap()
                .1,
        );
        sample.replace_index(&packs);
        let (errors, _, _) = sample.found();
        assert!(errors.contains(&FindingKind::HeaderMismatch), "{name}: {errors:?}");
    }
    let sample = Sample::new();
    let mut packs = sample.all_packs();
    packs.iter_mut().for_each(|(_, blobs)| blobs[0].offset += 7);
    sample.replace_index(&packs);
    let (errors, _, _) = sample.found();
    assert!(errors.contains(&FindingKind::BadIndexEntry), "{errors:?}");
}

#[test]
fn hostile_trees_are_found() {
    let sample = Sample::new();
    let (a, b) = (sample.file("a"), sample.file("b"));
    let cases: Vec<(&str, Vec<Node>, Vec<FindingKind>)> = vec![
        ("unsorted", vec![b.clone(), a.clone()], vec![FindingKind::Unsorted]),
        ("twice", vec![a.clone(), a.clone()], vec![FindingKind::DuplicateName]),
        (
            "twice, apart",
            vec![a.clone(), b.clone(), a.clone()],
            vec![FindingKind::Unsorted, FindingKind::DuplicateName],
        ),
        ("parent", vec![sample.file("..")], vec![FindingKind::UnsafeName]),
        ("itself", vec![sample.file(".")], vec![FindingKind::UnsafeName]),
        ("slash", vec![sample.file("../evil")], vec![FindingKind::UnsafeName]),
        ("zero byte", vec![sample.file("a\0b")], vec![FindingKind::UnsafeName]),
        (
            "size",
            vec![Node { size: 5, ..a.clone() }],
            vec![FindingKind::WrongSize],
        ),
        ("size of nothing", vec![file("x", &[], 1)], vec![FindingKind::WrongSize]),
        (
            "no such blob",
            vec![file("x", &[Id::of(b"none")], 0)],
            vec![FindingKind::MissingBlob],
        ),
        (
            "no content",
            vec![Node {
                content: None,
                ..a.clone()
            }],
            vec![FindingKind::BadNode],
        ),
        (
            "no subtree",
            vec![Node {
                subtree: None,
                ..folder("d", Id::ZERO)
            }],
            vec![FindingKind::BadNode],
        ),
        (
            "no such tree",
            vec![folder("d", Id::of(b"none"))],
            vec![FindingKind::MissingTree],
        ),
    ];
    for (name, nodes, expected) in cases {
        let sample = Sample::new();
        sample.add(&[&encode(&nodes)]);
        let (errors, _, _) = sample.found();
        assert_eq!(errors, expected, "{name}");
    }
}

#[test]
fn what_is_no_tree_at_all_is_found() {
    for bytes in [
        &b"{\"nodes\":[null]}\n"[..],
        b"{\"nodes\":[{}]}",
        b"{\"nodes\":",
        b"[]",
        b"nonsense",
    ] {
        let sample = Sample::new();
        sample.add(&[bytes]);
        let (errors, _, first) = sample.found();
        assert_eq!(errors, [FindingKind::BadTree], "{:?}", String::from_utf8_lossy(bytes));
        assert!(first.contains(&Id::of(bytes).to_string()), "{first}");
    }
    let sample = Sample::new();
    sample.add(&[b"{\"nodes\":null}\n"]);
    assert!(sample.check(DataSubset::All).is_sound());
    let data_as_tree = sample.save(Id::of(CONTENT[0]));
    let (errors, _, first) = sample.found();
    assert_eq!(errors, [FindingKind::MissingTree]);
    assert!(first.contains(&data_as_tree.to_string()), "{first}");
}

#[test]
fn a_tree_reached_by_many_ways_is_read_once_and_depth_ends() {
    let sample = Sample::new();
    let mut trees = vec![encode(&[])];
    for _ in 0..40 {
        // Two folders each: 2^40 ways to the bottom.
        let below = Id::of(trees.last().unwrap());
        trees.push(encode(&[folder("l", below), folder("r", below)]));
    }
    trees.reverse();
    let trees: Vec<&[u8]> = trees.iter().map(|tree| &tree[..]).collect();
    sample.add(&trees);
    let report = sample.check(DataSubset::None);
    assert!(report.is_sound());
    assert_eq!(report.trees, 2 + 41);

    let sample = Sample::new();
    let mut trees = vec![encode(&[])];
    for _ in 0..4200 {
        trees.push(encode(&[folder("d", Id::of(trees.last().unwrap()))]));
    }
    trees.reverse();
    sample.add(&trees.iter().map(|tree| &tree[..]).collect::<Vec<_>>());
    let (errors, _, first) = sample.found();
    assert_eq!(errors, [FindingKind::TooDeep], "{first}");
}

#[test]
fn blobs_that_lie_and_blobs_that_overlap() {
    let sample = Sample::new();
    let mut sealed = Vec::new();
    sample.vault.key().seal_append(b"content", &mut sealed).unwrap();
    let mut builder = PackBuilder::default();
    builder
        .push(BlobKind::Data, Id::of(b"something else"), &sealed, None)
        .unwrap();
    builder.push(BlobKind::Data, Id::of(b"content"), &sealed, None).unwrap();
    builder
        .push(BlobKind::Data, Id::of(b"compressed"), &sealed, Some(7))
        .unwrap();
    let pack = builder.seal(sample.vault.key()).unwrap();
    sample.store_pack(&pack);
    sample.index(&[(pack.id, pack.blobs.clone())]);
    let report = sample.check(DataSubset::All);
    let kinds: Vec<_> = report.errors.iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::BadBlob; 2], "{:?}", report.errors);
    assert!(
        report
            .errors
            .iter()
            .all(|finding| finding.file.contains(&pack.id.to_string()))
    );

    // No header to go by, and an index that lies about lengths: everything is read, nothing opened twice.
    let mut blobs = pack.blobs.clone();
    blobs[0].length = u32::MAX;
    blobs[1].offset = 3;
    let sample = Sample::new();
    sample.store_pack(&pack);
    sample.damage(FileKind::Pack, &pack.id, |bytes| {
        let end = bytes.len() - 5;
        bytes[end] ^= 1;
    });
    sample.index(&[(pack.id, blobs)]);
    let (errors, _, _) = sample.found();
    assert!(errors.contains(&FindingKind::BadPack), "{errors:?}");
    assert!(errors.contains(&FindingKind::BadBlob), "{errors:?}");
}

#[test]
fn a_large_pack_is_read_in_pieces() {
    let sample = Sample::new();
    let mut builder = PackBuilder::default();
    for n in 0..40u8 {
        let plain: Vec<u8> = (0..500_000u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8 ^ n)
            .collect();
        let mut sealed = Vec::new();
        sample.vault.key().seal_append(&plain, &mut sealed).unwrap();
        builder.push(BlobKind::Data, Id::of(&plain), &sealed, None).unwrap();
    }
    let pack = builder.seal(sample.vault.key()).unwrap();
    sample.store_pack(&pack);
    sample.index(&[(pack.id, pack.blobs.clone())]);
    let report = sample.check(DataSubset::All);
    assert!(report.is_sound(), "{:?}", report.errors);
    assert_eq!(report.blobs_read, 44);
    for (at, blob) in [(10_000_000, true), (pack.bytes.len() - 40, false)] {
        sample.damage(FileKind::Pack, &pack.id, |bytes| bytes[at] ^= 1);
        let (errors, _, _) = sample.found();
        assert!(errors.contains(&FindingKind::BadPack), "{errors:?}");
        assert_eq!(errors.contains(&FindingKind::BadBlob), blob, "{errors:?}");
        sample.damage(FileKind::Pack, &pack.id, |bytes| bytes[at] ^= 1);
    }
}

#[test]
fn findings_read_well() {
    let sample = Sample::new();
    let id = sample.add(&[&encode(&[sample.file("b\n\u{1b}"), sample.file("a")])]);
    let report = sample.check(DataSubset::None);
    let text = report.errors[0]
        .to_string()
        .replace(&sample.vault.place(), "VAULT")
        .replace(&id.to_string(), "ID");
    insta::assert_snapshot!(text, @"VAULT/snapshots/ID: /: its listing (tree b46f3579387f3866db76bd45e914760771d900466b808280b0448b20cc5bc658) is not sorted by name");
    let json = serde_json::to_value(&report.errors[0]).unwrap();
    assert_eq!(
        (json["kind"].as_str(), json["path"].as_str()),
        (Some("unsorted"), Some("/"))
    );
}

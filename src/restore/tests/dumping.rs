//! Dumps: one file, tar, zip.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use super::*;

fn dump(made: &Made, path: &str, format: ArchiveFormat) -> (Vec<u8>, Vec<Issue>) {
    let mut out = Vec::new();
    let issues = std::sync::Mutex::new(Vec::new());
    let report = |issue| issues.lock().unwrap().push(issue);
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let path = path.as_bytes();
    dump_archive(
        &made.vault,
        &made.generation,
        path,
        format,
        &mut out,
        &progress,
        &cancel,
        &report,
    )
    .unwrap();
    (out, issues.into_inner().unwrap())
}

#[test]
fn one_file_is_printed_whole_and_only_files_are() {
    let made = make(everything(), &["/data"]);
    let print = |path: &str| {
        let mut out = Vec::new();
        let (progress, cancel) = (Progress::default(), Cancel::default());
        dump_file(
            &made.vault,
            &made.generation,
            path.as_bytes(),
            &mut out,
            &progress,
            &cancel,
        )
        .map(|()| out)
    };
    let expected = [vec![1; 3 << 20], vec![2; 3 << 20], vec![0; 70_000]].concat();
    assert!(print("/data/large").unwrap() == expected);
    assert_eq!(print("data/sub/h3").unwrap(), b"shared");
    assert_eq!(print("data/empty").unwrap(), b"");
    assert!(matches!(
        print("/data/sub"),
        Err(Error::WrongKind { found: "a folder", .. })
    ));
    assert!(matches!(
        print("/data/sub/out"),
        Err(Error::WrongKind { found: "a symlink", .. })
    ));
    assert!(matches!(print("/data/none"), Err(Error::NotInGeneration { .. })));
}

#[test]
fn tar_keeps_everything() {
    let long = "long-".repeat(50);
    let mut entries = everything();
    entries.push(file(&long, &[b"long"]));
    let mut raw = node("raw", NodeType::File);
    raw.name = b"raw\xff".to_vec();
    raw.xattrs.push(crate::vault::tree::Xattr {
        name: b"user.x".to_vec(),
        value: vec![0, 255],
    });
    entries.push(At::File(raw, vec![b"raw".to_vec()]));
    let made = make(entries, &["/data"]);
    let (archive, issues) = dump(&made, "/", ArchiveFormat::Tar);
    assert_eq!(issues, []);
    assert_eq!(archive.len() % 512, 0);
    let mut found = BTreeMap::new();
    let mut extended = Vec::new();
    let mut reader = ::tar::Archive::new(Cursor::new(archive));
    for entry in reader.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(records) = entry.pax_extensions().unwrap() {
            for record in records {
                let record = record.unwrap();
                extended.push((name.clone(), record.key_bytes().to_vec(), record.value_bytes().to_vec()));
            }
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let link = entry.link_name_bytes().map(|link| link.into_owned());
        found.insert(
            name,
            (
                entry.header().entry_type(),
                content,
                link,
                entry.header().mode().unwrap(),
            ),
        );
    }
    assert_eq!(found.len(), 14, "{:?}", found.keys());
    assert_eq!(found[&long].1, b"long");
    assert_eq!(found["data/large"].1.len(), (6 << 20) + 70_000);
    assert_eq!(found["data/h1"].1, b"shared");
    assert_eq!(found["data/sub/h2"].0, ::tar::EntryType::Link);
    assert_eq!(found["data/sub/h2"].2.as_deref(), Some(b"data/h1".as_slice()));
    assert_eq!(found["data/odd"].3, 0o4751);
    assert_eq!(found["data/pipe"].0, ::tar::EntryType::Fifo);
    assert_eq!(
        found["data/sub/out"].2.as_deref(),
        Some(b"/nonexistent/target".as_slice())
    );
    let has = |name: &str, key: &[u8], value: &[u8]| {
        extended
            .iter()
            .any(|(n, k, v)| (n.as_str(), k.as_slice(), v.as_slice()) == (name, key, value))
    };
    assert!(has("raw\u{fffd}", b"path", b"raw\xff") && has("raw\u{fffd}", b"SCHILY.xattr.user.x", &[0, 255]));
    assert!(has("data/odd", b"mtime", b"-1.000000001"));
}

#[test]
fn zip_keeps_content_and_says_what_it_cannot_keep() {
    let made = make(everything(), &["/data"]);
    let (archive, issues) = dump(&made, "/data", ArchiveFormat::Zip);
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert_eq!(issues[0].path, b"/data/pipe");
    let mut zip = ::zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut read = |name: &str| {
        let mut content = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut content).unwrap();
        content
    };
    assert_eq!(read("large").len(), (6 << 20) + 70_000);
    assert_eq!((read("h1"), read("sub/h2")), (b"shared".to_vec(), b"shared".to_vec()));
    assert_eq!(read("sub/out"), b"/nonexistent/target");
    assert_eq!(zip.by_name("odd").unwrap().unix_mode().unwrap() & 0o777, 0o751);
}

#[test]
fn a_lost_blob_ends_a_dump_and_names_the_file() {
    let made = make(vec![dir("d", vec![file("f", &[b"1", b"2"])])], &["/d"]);
    let storage = made.vault.vault().storage();
    let mut packs = Vec::new();
    storage
        .list(crate::storage::FileKind::Pack, &mut |id, _| packs.push(id))
        .unwrap();
    let location = made
        .vault
        .index()
        .find(crate::vault::BlobKind::Data, &crate::vault::Id::of(b"2"))
        .unwrap();
    storage.remove(crate::storage::FileKind::Pack, &location.pack).unwrap();
    let (progress, cancel) = (Progress::default(), Cancel::default());
    let mut out = Vec::new();
    let path = b"/d".as_slice();
    let format = ArchiveFormat::Tar;
    let ended = dump_archive(
        &made.vault,
        &made.generation,
        path,
        format,
        &mut out,
        &progress,
        &cancel,
        &|_| {},
    )
    .unwrap_err();
    assert!(
        matches!(&ended, Error::Content { path, .. } if path == "/d/f"),
        "{ended}"
    );
}

#[test]
fn zip_keeps_apart_names_that_are_no_text() {
    let named = |name: &[u8]| {
        let mut file = node("", NodeType::File);
        file.name = name.to_vec();
        At::File(file, vec![name.to_vec()])
    };
    let names: [&[u8]; 4] = [b"%FC.txt", b"\xe4.txt", b"\xf6.txt", b"\xfc.txt"];
    let made = make(vec![dir("d", names.map(named).into())], &["/d"]);
    let (archive, issues) = dump(&made, "/d", ArchiveFormat::Zip);
    let mut zip = ::zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    for (name, content) in [("%FC.txt", names[0]), ("%E4.txt", names[1]), ("%F6.txt", names[2])] {
        let mut read = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(read, content);
    }
    let kinds: Vec<IssueKind> = issues.iter().map(|issue| issue.kind).collect();
    assert_eq!(
        kinds,
        [IssueKind::NotRestored, IssueKind::NotRestored, IssueKind::Failed]
    );
    assert!(issues[2].error.contains("Duplicate"), "{issues:?}");
}

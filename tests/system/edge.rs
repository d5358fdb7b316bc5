//! The edge-case tree: every kind of name, type, time, size and attribute that a backup tool gets wrong, made for real.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, mknodat, utimensat};

/// A source whose folders above do not change while the test runs: they are part of the generation, and in the system's
/// folder for temporary files anybody makes files at any time. All tests' folders are made before the first test goes on.
pub fn quiet_folder(of: &str) -> PathBuf {
    const ALL: [&str; 8] = [
        "new",
        "old",
        "without a parent",
        "exchange",
        "btrfs-subvolume",
        "btrfs",
        "xfs-folder",
        "xfs",
    ];
    static MADE: Once = Once::new();
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("quiet");
    MADE.call_once(|| {
        let _ = fs::remove_dir_all(&root);
        for name in ALL {
            fs::create_dir_all(root.join(name)).unwrap();
        }
    });
    assert!(ALL.contains(&of));
    root.join(of).join("source")
}

/// Which of the costlier or newer edge cases to make beside the others.
#[derive(Clone, Copy)]
pub struct Cases {
    /// Link targets that are not UTF-8: restic 0.14 stores them in another way.
    pub links_not_utf8: bool,
    /// A sparse file of more than 4 GiB: many seconds for each program that reads it.
    pub over_4_gib: bool,
}

fn raw(folder: &Path, name: &[u8]) -> PathBuf {
    folder.join(OsStr::from_bytes(name))
}

/// Bytes that do not compress and do not repeat, the same for the same seed.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = Vec::with_capacity(length + 8);
    while out.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(length);
    out
}

fn set_mtime(path: &Path, seconds: i64, nanos: i64) {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: nanos,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

fn run(program: &str, arguments: &[&OsStr]) {
    let status = Command::new(program)
        .args(arguments)
        .status()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

/// Makes the tree in `root`, which must not exist. Needs root for devices, owners and capabilities: the system tests
/// run as root, and say so if they do not.
pub fn make(root: &Path, cases: Cases) {
    assert!(
        rustix::process::getuid().is_root(),
        "the edge-case tree has devices and foreign owners: run the system tests as root"
    );
    fs::create_dir_all(root).unwrap();
    names(&root.join("names"));
    links(&root.join("links"), cases);
    contents(&root.join("contents"), cases);
    attributes(&root.join("attributes"));
    types(&root.join("types"));
    modes(&root.join("modes"));
    times(&root.join("times"));
    fs::create_dir(root.join("empty")).unwrap();
}

fn names(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let mut names: Vec<Vec<u8>> = [
        "a&b",
        "a<b>",
        "q\"uote",
        "back\\slash",
        "new\nline",
        "tab\t",
        "apo'strophe",
        "\u{1}",
        "\u{7f}",
        "\u{8}\u{c}",
        "-leading",
        " ",
        "  two",
        "trailing ",
        ".hidden",
        "...",
        "$HOME",
        "*",
        "?",
        "[x]",
        "a:b",
        "%41",
        "\u{a0}",
        "\u{ad}",
        "\u{200d}",
        "\u{feff}",
        "\u{2028}",
        "\u{3000}",
        "\u{e000}",
        "\u{10ffff}",
        "\u{202e}txt.exe",
        "caf\u{e9}",
        "cafe\u{301}",
        "日本語",
        "🦀",
        "\u{378}",
        "ÿ",
        "\u{85}",
    ]
    .iter()
    .map(|name| name.as_bytes().to_vec())
    .collect();
    names.extend([
        b"\xff".to_vec(),
        b"bad\xffbyte".to_vec(),
        b"\xf0\x9f\x92".to_vec(),
        b"\xc3".to_vec(),
        b"\xed\xa0\x80".to_vec(),
    ]);
    names.extend([vec![b'n'; 255], "é".repeat(127).into_bytes()]);
    for name in &names {
        fs::write(raw(folder, name), name).unwrap();
    }
    // The same bytes sort differently as a folder's name in some tools.
    for name in ["dir", "dir-", "dir.", "dir0"] {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join("x"), name).unwrap();
    }
    let mut deep = folder.join("deep");
    for level in 0..40 {
        deep = deep.join(format!("level {level:02}"));
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), "far down").unwrap();
}

fn links(folder: &Path, cases: Cases) {
    fs::create_dir_all(folder.join("sub")).unwrap();
    fs::write(folder.join("target"), "target").unwrap();
    symlink("target", folder.join("good")).unwrap();
    symlink("nowhere/at/all", folder.join("dangling")).unwrap();
    symlink("self", folder.join("self")).unwrap();
    symlink("..", folder.join("up")).unwrap();
    symlink("a&b <\u{2028}>\t\"", folder.join("escapes")).unwrap();
    symlink("x".repeat(4095), folder.join("long")).unwrap();
    symlink("sub", folder.join("to folder")).unwrap();
    if cases.links_not_utf8 {
        symlink(
            OsStr::from_bytes(b"bad\xff\xf0\x9f\x92target"),
            folder.join("not utf-8"),
        )
        .unwrap();
    }
    fs::hard_link(folder.join("target"), folder.join("hard")).unwrap();
    fs::hard_link(folder.join("target"), folder.join("sub/hard across")).unwrap();
    set_mtime(&folder.join("good"), 1_000_000_000, 123_456_789);
}

fn contents(folder: &Path, cases: Cases) {
    fs::create_dir(folder).unwrap();
    const KIB: usize = 1024;
    const MIB: usize = 1024 * KIB;
    for size in [
        0,
        1,
        512 * KIB - 1,
        512 * KIB,
        512 * KIB + 1,
        8 * MIB - 1,
        8 * MIB,
        8 * MIB + 1,
        20 * MIB,
    ] {
        fs::write(folder.join(format!("noise {size}")), noise(size as u64, size)).unwrap();
    }
    fs::write(folder.join("zeros 20 MiB"), vec![0; 20 * MIB]).unwrap();
    fs::write(folder.join("text"), "the same line again and again\n".repeat(100_000)).unwrap();
    fs::write(folder.join("twin a"), noise(7, 3 * MIB)).unwrap();
    fs::write(folder.join("twin b"), noise(7, 3 * MIB)).unwrap();
    let sparse = |name: &str, size: u64, data: &[(u64, usize)]| {
        let mut file = File::create(folder.join(name)).unwrap();
        file.set_len(size).unwrap();
        for &(offset, length) in data {
            file.seek(SeekFrom::Start(offset)).unwrap();
            file.write_all(&noise(offset + 1, length)).unwrap();
        }
    };
    sparse("sparse all hole", 64 << 20, &[]);
    sparse("sparse hole at head", 32 << 20, &[((32 << 20) - 5000, 5000)]);
    sparse("sparse hole at tail", 32 << 20, &[(0, 5000)]);
    if cases.over_4_gib {
        sparse(
            "sparse over 4 GiB",
            (4 << 30) + 12_345,
            &[(0, 100_000), (2 << 30, 70_000), (4 << 30, 12_345)],
        );
    }
}

fn attributes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let file = folder.join("attributed");
    fs::write(&file, "x").unwrap();
    xattr::set(&file, "user.text", b"some text").unwrap();
    xattr::set(&file, "user.empty", b"").unwrap();
    xattr::set(&file, "user.binary", &[0, 1, 2, 255, 254, b'\n']).unwrap();
    xattr::set(&file, "user.a", b"sorts first").unwrap();
    xattr::set(&file, "trusted.root-only", b"t").unwrap();
    let listed = folder.join("acl");
    fs::write(&listed, "x").unwrap();
    run(
        "setfacl",
        &["-m".as_ref(), "u:1234:rwx,g:4321:r".as_ref(), listed.as_ref()],
    );
    let inherited = folder.join("acl folder");
    fs::create_dir(&inherited).unwrap();
    run(
        "setfacl",
        &["-d".as_ref(), "-m".as_ref(), "u:1234:rwx".as_ref(), inherited.as_ref()],
    );
    let capable = folder.join("capable");
    fs::write(&capable, "#!/bin/sh\n").unwrap();
    std::os::unix::fs::chown(&capable, Some(1), Some(1)).unwrap();
    fs::set_permissions(&capable, fs::Permissions::from_mode(0o755)).unwrap();
    run("setcap", &["cap_net_raw+ep".as_ref(), capable.as_ref()]);
    xattr::set(folder, "user.on-folder", b"yes").unwrap();
}

fn types(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let node = |name: &str, kind, mode: u32, device| {
        mknodat(CWD, folder.join(name), kind, Mode::from_raw_mode(mode), device).unwrap();
    };
    node("fifo", FileType::Fifo, 0o640, 0);
    node("null", FileType::CharacterDevice, 0o666, rustix::fs::makedev(1, 3));
    node(
        "char far",
        FileType::CharacterDevice,
        0o600,
        rustix::fs::makedev(511, 70_000),
    );
    node("block", FileType::BlockDevice, 0o660, rustix::fs::makedev(7, 200));
    // Bound and closed again: the socket file stays. Backups pass over it.
    drop(std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap());
}

fn modes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for mode in [0o000, 0o400, 0o644, 0o777, 0o4755, 0o2755, 0o6711] {
        let file = folder.join(format!("file {mode:04o}"));
        fs::write(&file, format!("{mode:o}")).unwrap();
        std::os::unix::fs::chown(&file, Some(4000 + mode), Some(5000)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }
    for mode in [0o000, 0o500, 0o1777, 0o2770] {
        let sub = folder.join(format!("folder {mode:04o}"));
        fs::create_dir(&sub).unwrap();
        fs::write(sub.join("inside"), "x").unwrap();
        set_mtime(&sub, 1_600_000_000, 5);
        fs::set_permissions(&sub, fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn times(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let times = [
        ("epoch", 0, 0),
        ("one nanosecond before", -1, 999_999_999),
        ("trimmed 100", 1_700_000_000, 100_000_000),
        ("trimmed 120", 1_700_000_000, 120_000_000),
        ("all nine", 1_700_000_000, 123_456_789),
        ("one", 1_700_000_000, 1),
        ("year 1901", -2_147_483_648, 0),
        ("year 1960", -315_619_200, 7),
        ("year 2300", 10_413_792_000, 0),
        ("before the clocks go back", 1_761_440_399, 0),
        ("after the clocks went back", 1_761_440_401, 0),
        ("before the clocks go forward", 1_743_296_399, 0),
        ("after the clocks went forward", 1_743_296_401, 0),
    ];
    for (name, seconds, nanos) in times {
        let file = folder.join(name);
        fs::write(&file, name).unwrap();
        set_mtime(&file, seconds, nanos);
    }
    let sub = folder.join("old folder");
    fs::create_dir(&sub).unwrap();
    fs::write(sub.join("new file"), "x").unwrap();
    set_mtime(&sub, 86_400, 42);
}

/// Everything that must be the same after a restore, of one entry: a line of text to compare and to read in a failure.
fn describe(path: &Path, relative: &Path, first_of_inode: &mut std::collections::HashMap<u64, PathBuf>) -> String {
    let meta = fs::symlink_metadata(path).unwrap();
    let kind = meta.file_type();
    let mut line = format!(
        "{:?} mode {:o} owner {}:{} mtime {}.{:09}",
        relative,
        meta.mode(),
        meta.uid(),
        meta.gid(),
        meta.mtime(),
        meta.mtime_nsec()
    );
    if kind.is_file() {
        line += &format!(" size {} links {}", meta.len(), meta.nlink());
        if meta.nlink() > 1 {
            line += &format!(
                " same as {:?}",
                first_of_inode.entry(meta.ino()).or_insert_with(|| relative.into())
            );
        }
        line += &format!(" content {}", content_hash(path));
    } else if kind.is_symlink() {
        line += &format!(" -> {:?}", fs::read_link(path).unwrap().as_os_str().as_bytes());
    } else if !kind.is_dir() {
        line += &format!(" device {:x}", meta.rdev());
    }
    let mut attributes: Vec<_> = xattr::list(path).map(Iterator::collect).unwrap_or_default();
    attributes.sort();
    for name in attributes {
        line += &format!(
            " {}={:?}",
            name.to_string_lossy(),
            xattr::get(path, &name).unwrap().unwrap_or_default()
        );
    }
    line
}

/// A cheap hash of a file's content that passes over holes quickly enough for the 4 GiB sparse file.
fn content_hash(path: &Path) -> String {
    use std::io::Read;
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let zeros = vec![0; 1 << 20];
    let (mut hash, mut offset) = (0xcbf2_9ce4_8422_2325_u64, 0_u64);
    loop {
        let read = file.read(&mut buffer).unwrap();
        if read == 0 {
            return format!("{hash:016x}/{offset}");
        }
        let piece = &buffer[..read];
        if piece != &zeros[..read] {
            hash ^= offset;
            for chunk in piece.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                hash = (hash ^ u64::from_le_bytes(word))
                    .wrapping_mul(0x0000_0100_0000_01b3)
                    .rotate_left(17);
            }
        }
        offset += read as u64;
    }
}

/// The whole tree below `root` as sorted lines, sockets left out (no backup holds them).
fn listing(root: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, inodes: &mut std::collections::HashMap<u64, PathBuf>, out: &mut Vec<String>) {
        let mut entries: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        entries.sort();
        for path in entries {
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if std::os::unix::fs::FileTypeExt::is_socket(&kind) {
                continue;
            }
            out.push(describe(&path, path.strip_prefix(root).unwrap(), inodes));
            if kind.is_dir() {
                walk(root, &path, inodes, out);
            }
        }
    }
    let mut out = Vec::new();
    let mut inodes = std::collections::HashMap::new();
    walk(root, root, &mut inodes, &mut out);
    out
}

/// Fails with the first differences when two trees are not the same.
pub fn assert_same(expected: &Path, actual: &Path) {
    assert_same_but(expected, actual, None);
}

/// Fails with the first differences when two trees are not the same; one path is passed over.
pub fn assert_same_but(expected: &Path, actual: &Path, but: Option<&str>) {
    let listing = |root: &Path| {
        let mut lines = listing(root);
        lines.retain(|line| but.is_none_or(|path| !line.starts_with(&format!("{path:?}"))));
        lines
    };
    let (expected, actual) = (listing(expected), listing(actual));
    if expected != actual {
        let missing: Vec<_> = expected.iter().filter(|line| !actual.contains(line)).take(12).collect();
        let surplus: Vec<_> = actual.iter().filter(|line| !expected.contains(line)).take(12).collect();
        panic!("the trees differ\nexpected, not found:\n{missing:#?}\nfound, not expected:\n{surplus:#?}");
    }
}

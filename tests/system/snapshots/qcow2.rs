//! Images of machines that do not run.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{id, list, run, snapshot, snapshot_any, take};
use crate::support::{Bench, both, lines};

/// A raw disk with an ext4 that holds one file.
fn raw(bench: &Bench, name: &str, text: &str) -> PathBuf {
    let (folder, raw) = (bench.path(&format!("{name}.files")), bench.path(&format!("{name}.raw")));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("note"), text).unwrap();
    fs::write(folder.join("big"), text.repeat(100_000)).unwrap();
    fs::File::create(&raw).unwrap().set_len(32 << 20).unwrap();
    run(
        "mkfs.ext4",
        &["-q", "-d"]
            .map(OsStr::new)
            .iter()
            .copied()
            .chain([folder.as_os_str(), raw.as_os_str()])
            .collect::<Vec<_>>(),
    );
    raw
}

fn qemu_img(words: &[&str], paths: &[&Path]) -> String {
    let mut all: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    all.extend(paths.iter().map(|path| path.as_os_str()));
    both(&run("qemu-img", &all))
}

/// Makes an image what a raw disk is, in place: its snapshots stay.
fn write_over(raw: &Path, image: &Path) {
    qemu_img(&["convert", "-n", "-f", "raw", "-O", "qcow2"], &[raw, image]);
}

#[test]
#[ignore = "needs root, qemu-utils (tests/run)"]
fn an_image_is_looked_into_goes_back_and_is_the_same_to_the_bit() {
    let bench = Bench::new();
    let (then, now) = (raw(&bench, "then", "then"), raw(&bench, "now", "now"));
    let image = bench.path("a, b.qcow2");
    qemu_img(&["convert", "-O", "qcow2"], &[&then, &image]);
    let one = take(&bench, &image, &["--label", "first"]);
    assert_eq!(
        (one["kind"].as_str(), one["consistency"].as_str()),
        (Some("qcow2"), Some("crash"))
    );
    write_over(&now, &image);

    let listed = list(&bench, &image);
    assert_eq!(listed[0]["size"]["exact"], true);
    // What its deletion gives back, by qemu-img's own count of the clusters in use.
    let used = |image: &Path| {
        let told = run(
            "qemu-img",
            &[OsStr::new("check"), "--output=json".as_ref(), image.as_os_str()],
        )
        .stdout;
        let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
        (
            told["allocated-clusters"].as_u64().unwrap(),
            told["image-end-offset"].as_u64().unwrap(),
        )
    };
    assert!(used(&image).0 > 0);
    let copy = bench.path("copy.qcow2");
    fs::copy(&image, &copy).unwrap();
    qemu_img(&["snapshot", "-d", one["handle"].as_str().unwrap()], &[&copy]);
    let blocks = |image: &Path| fs::metadata(image).unwrap().blocks() * 512;
    let exclusive = listed[0]["size"]["exclusive"].as_u64().unwrap();
    let given_back = blocks(&image) - blocks(&copy);
    assert!(
        exclusive.abs_diff(given_back) <= 4 * 65_536,
        "{exclusive} and {given_back}"
    );

    let out = bench.path("out");
    let words = ["restore", id(&one), "note", "--target"].map(OsStr::new);
    snapshot(&bench, &[&words[..], &[out.as_os_str()]].concat());
    assert_eq!(fs::read_to_string(out.join("note")).unwrap(), "then");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(
        !mounts.contains(bench.path("coffer-data").to_str().unwrap()),
        "nothing stays mounted"
    );

    let two = take(&bench, &image, &[]);
    let plan = both(&snapshot(&bench, &["rollback", id(&one), "--dry-run"]));
    assert!(plan.contains("differ") && plan.contains("safety snapshot"), "{plan}");
    snapshot(&bench, &["rollback", id(&one)]);
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&then, &image]);
    snapshot(&bench, &["rollback", id(&two), "--no-safety"]);
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&now, &image]);
    let clone = bench.path("clone.qcow2");
    snapshot(&bench, &["clone", id(&one), clone.to_str().unwrap()]);
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&then, &clone]);

    snapshot(&bench, &["protect", id(&one)]);
    let refused = both(&snapshot_any(&bench, &["delete", id(&one)]));
    assert!(refused.contains("protected"), "{refused}");
    snapshot(&bench, &["protect", id(&one), "--off"]);
    for one in list(&bench, &image) {
        snapshot(&bench, &["delete", id(&one)]);
    }
    qemu_img(&["check"], &[&image]);
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&now, &image]);
    let left = fs::read_dir(image.parent().unwrap().join(".coffer-snapshots"))
        .unwrap()
        .flatten();
    let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
    assert_eq!(left, ["lock"]);
}

#[test]
#[ignore = "needs root, qemu-utils, perl (tests/run)"]
fn an_image_that_is_in_use_is_left_alone_and_the_user_is_named() {
    let bench = Bench::new();
    let then = raw(&bench, "then", "then");
    let image = bench.path("a.qcow2");
    qemu_img(&["convert", "-O", "qcow2"], &[&then, &image]);
    let one = take(&bench, &image, &[]);
    let mut user = std::process::Command::new("qemu-io")
        .arg(&image)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // It answers once the image is open.
    user.stdin.as_mut().unwrap().write_all(b"length\n").unwrap();
    let mut said = [0; 1];
    std::io::Read::read_exact(user.stdout.as_mut().unwrap(), &mut said).unwrap();
    let name = format!("qemu-io ({})", user.id());
    for words in [
        vec![OsStr::new("take"), image.as_os_str()],
        vec!["rollback".as_ref(), id(&one).as_ref()],
        vec!["delete".as_ref(), id(&one).as_ref()],
    ] {
        let refused = snapshot_any(&bench, &words);
        let said = both(&refused);
        assert!(!refused.status.success() && said.contains(&name), "{words:?}: {said}");
    }
    drop(user.stdin.take());
    user.wait().unwrap();
    snapshot(&bench, &["rollback", id(&one)]);
}

#[test]
#[ignore = "needs root, qemu-utils, strace (tests/run)"]
fn others_snapshots_bitmaps_and_what_a_killed_one_left() {
    let bench = Bench::new();
    let then = raw(&bench, "then", "then");
    let image = bench.path("a.qcow2");
    qemu_img(&["convert", "-O", "qcow2"], &[&then, &image]);
    qemu_img(&["snapshot", "-c", "their \u{1b}[31m own"], &[&image]);
    let listed = list(&bench, &image);
    assert_eq!((listed[0]["made_by"].as_str(), listed.len()), (Some("other"), 1));
    let target = image.to_str().unwrap();
    let refused = both(&snapshot_any(&bench, &["delete", id(&listed[0]), "--of", target]));
    assert!(refused.contains("another program made it"), "{refused}");
    write_over(&raw(&bench, "now", "now"), &image);
    snapshot(&bench, &["rollback", id(&listed[0]), "--of", target]);
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&then, &image]);

    qemu_img(&["bitmap", "--add", target, "daily"], &[]);
    let refused = both(&snapshot_any(&bench, &["rollback", id(&listed[0]), "--of", target]));
    assert!(
        refused.contains("dirty bitmap") && refused.contains("qemu-img bitmap --remove"),
        "{refused}"
    );
    qemu_img(&["bitmap", "--remove", target, "daily"], &[]);

    // Killed when the snapshot is in the image and its record not yet in its place.
    let before = list(&bench, &image).len();
    let coffer = env!("CARGO_BIN_EXE_coffer");
    let mut killed = bench.coffer_command(&[]);
    let mut strace = std::process::Command::new("strace");
    strace.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "inject=rename:signal=KILL:when=2",
        coffer,
        "snapshot",
        "take",
        target,
    ]);
    for (name, value) in killed.get_envs() {
        strace.env(name, value.unwrap_or_default());
    }
    killed.stdin(std::process::Stdio::null());
    let output = strace.output().unwrap();
    assert!(!output.status.success(), "{}", both(&output));
    let names = qemu_img(&["snapshot", "-l"], &[&image]);
    assert_eq!(
        names.matches("coffer-").count(),
        before,
        "the dead one's is in the image: {names}"
    );
    take(&bench, &image, &[]);
    let names = qemu_img(&["snapshot", "-l"], &[&image]);
    assert_eq!(
        names.matches("coffer-").count(),
        before,
        "and gone with the next: {names}"
    );
    assert_eq!(list(&bench, &image).len(), before + 1);
}

#[test]
#[ignore = "needs root, qemu-utils (tests/run)"]
fn partitions_are_looked_into_each_and_what_is_none_is_said() {
    let bench = Bench::new();
    let (one, two) = (raw(&bench, "one", "one"), raw(&bench, "two", "two"));
    let disk = bench.path("disk.raw");
    let mut file = OpenOptions::new().create_new(true).write(true).open(&disk).unwrap();
    file.set_len(80 << 20).unwrap();
    let mut table = [0; 512];
    for (n, (start, raw)) in [(1u32, &one), (40, &two)].into_iter().enumerate() {
        let entry = &mut table[446 + 16 * n..][..16];
        entry[4] = 0x83;
        entry[8..12].copy_from_slice(&(start * 2048).to_le_bytes());
        entry[12..].copy_from_slice(&(32u32 * 2048).to_le_bytes());
        file.seek(SeekFrom::Start(u64::from(start) << 20)).unwrap();
        file.write_all(&fs::read(raw).unwrap()).unwrap();
    }
    table[510..].copy_from_slice(&[0x55, 0xaa]);
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&table).unwrap();
    drop(file);
    let image = bench.path("disk.qcow2");
    qemu_img(&["convert", "-O", "qcow2"], &[&disk, &image]);
    let taken = take(&bench, &image, &[]);
    let ls = snapshot(&bench, &["ls", id(&taken), "disk-2", "--json"]);
    let names: Vec<String> = lines(&ls)
        .iter()
        .map(|row| row["path"].as_str().unwrap().into())
        .collect();
    assert_eq!(names, ["disk-2/big", "disk-2/lost+found", "disk-2/note"]);

    let empty = bench.path("empty.qcow2");
    qemu_img(&["create", "-q", "-f", "qcow2"], &[&empty, Path::new("8M")]);
    let taken = take(&bench, &empty, &[]);
    let refused = both(&snapshot_any(&bench, &["ls", id(&taken)]));
    assert!(refused.contains("no filesystem that is known"), "{refused}");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(
        !mounts.contains(bench.path("coffer-data").to_str().unwrap()),
        "nothing stays mounted"
    );
}

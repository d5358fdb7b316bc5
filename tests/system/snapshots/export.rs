//! Snapshots sent into vaults: disks by what changed, folders as backups of them.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use coffer::vault::chunker::MAX_SIZE;
use serde_json::Value;

use super::{Volume, files, id, run, same, take};
use crate::edge::noise;
use crate::support::{Bench, HOST, Restic, both, last_line, os};

const MIB: u64 = 1 << 20;

/// `coffer snapshot export`: its summary, and how many bytes all its processes read from files and pipes.
pub fn export(bench: &Bench, vault: &Path, snapshot: &Value, of: &Path) -> (Value, u64) {
    let mut words = os(&["snapshot", "export", "--json", "--host", HOST, "--vault"]);
    words.extend([vault.into(), id(snapshot).into(), "--of".into(), of.into()]);
    let words: Vec<&OsStr> = words.iter().map(OsString::as_os_str).collect();
    let coffer = bench.coffer_command(&words);
    // What a child has read counts as its parent's once that has waited for it (proc(5), io).
    let counted = bench.path("io");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "io=$1; shift; \"$@\" || exit; cat /proc/$$/io > \"$io\"", "sh"]);
    shell.arg(&counted).arg(coffer.get_program()).args(coffer.get_args());
    for (name, value) in coffer.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    let io = fs::read_to_string(counted).unwrap();
    let read = io.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap();
    (last_line(&output), read.parse().unwrap())
}

pub fn qemu_img(words: &[&str], paths: &[&Path]) {
    let mut arguments: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    arguments.extend(paths.iter().map(|path| path.as_os_str()));
    run("qemu-img", &arguments);
}

fn write(image: &Path, command: &str) {
    run("qemu-io", &["-c".as_ref(), command.as_ref(), image.as_os_str()]);
}

/// The disk of a generation, brought back.
pub fn restored(bench: &Bench, vault: &Path, generation: &Value, image: &Path) -> PathBuf {
    let to = bench.path(&format!("to-{}", generation["generation"].as_str().unwrap()));
    let generation = generation["generation"].as_str().unwrap();
    let words = [
        OsStr::new("restore"),
        "--vault".as_ref(),
        vault.as_ref(),
        generation.as_ref(),
    ];
    bench.coffer(&[&words[..], &["--target".as_ref(), to.as_os_str()]].concat());
    let mut name = image.as_os_str().to_owned();
    name.push(".raw");
    to.join(Path::new(&name).strip_prefix("/").unwrap())
}

#[test]
#[ignore = "needs qemu-utils, restic (tests/run)"]
fn the_second_export_of_an_image_reads_and_stores_what_changed() {
    let bench = Bench::new();
    let vault = bench.coffer_vault("vault", &[]);
    let (raw, image) = (bench.path("disk"), bench.path("disk.qcow2"));
    fs::write(&raw, noise(3, 64 << 20)).unwrap();
    qemu_img(&["convert", "-f", "raw", "-O", "qcow2"], &[&raw, &image]);
    fs::remove_file(&raw).unwrap();
    qemu_img(&["resize", "-q"], &[&image, Path::new("128M")]);
    let one = take(&bench, &image, &[]);
    let (first, read) = export(&bench, &vault, &one, &image);
    assert!(read < 112 * MIB, "what is not there is not read: {read}");
    assert_eq!(first["total_bytes_processed"].as_u64().unwrap() / MIB, 128, "{first}");

    write(&image, "write -P 7 20M 5M");
    let two = take(&bench, &image, &[]);
    let (second, read) = export(&bench, &vault, &two, &image);
    assert_eq!(second["parent"], first["generation"]);
    let told = second["bytes_read"].as_u64().unwrap();
    println!(
        "read {read} bytes in all, {told} of the disk; stored {}",
        second["data_added_packed"]
    );
    // Each vault cuts elsewhere. A chunk is up to 8 MiB long: the change may begin at the end of one and end at the
    // beginning of another. Most often it is about 6.5 MiB.
    assert!((5 * MIB..5 * MIB + 2 * MAX_SIZE as u64).contains(&told), "{second}");
    assert!(read < told + MIB, "{read} bytes were read, the vault's index included");
    assert!(second["data_added"].as_u64().unwrap() < told + MIB, "{second}");

    // The first one again reads nothing of the disk, and both come back to the bit.
    let (again, _) = export(&bench, &vault, &two, &image);
    assert_eq!(again["bytes_read"], 0, "{again}");
    let back = restored(&bench, &vault, &second, &image);
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&back, &image]);
    let then = bench.path("then");
    qemu_img(
        &["convert", "-f", "qcow2", "-O", "raw", "-l", "snapshot.id=1"],
        &[&image, &then],
    );
    let back = restored(&bench, &vault, &first, &image);
    run("cmp", &[back.as_os_str(), then.as_os_str()]);
    bench.restic_check(Restic::New, &vault);
    let to = bench.path("by-restic");
    let words = [
        OsStr::new("restore"),
        "latest".as_ref(),
        "--target".as_ref(),
        to.as_ref(),
    ];
    bench.restic(Restic::New, &vault, &words);
    let inner = to.join(image.strip_prefix("/").unwrap());
    let raw = PathBuf::from(format!("{}.raw", inner.display()));
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&raw, &image]);
    let about: Value = serde_json::from_slice(&fs::read(format!("{}.json", inner.display())).unwrap()).unwrap();
    assert_eq!(
        (&about["snapshot"]["id"], &about["virtual_size"]),
        (&two["id"], &(128 * MIB).into())
    );
}

#[test]
#[ignore = "needs qemu-utils (tests/run)"]
fn compressed_images_and_those_that_stand_on_others_are_read() {
    let bench = Bench::new();
    let vault = bench.coffer_vault("vault", &[]);
    let text: Vec<u8> = (0..4_500_000_u32).flat_map(|n| format!("{n} ").into_bytes()).collect();
    for (name, more) in [("deflate", &[][..]), ("zstd", &["-o", "compression_type=zstd"])] {
        let raw = bench.path("raw");
        fs::write(&raw, &text[..32 << 20]).unwrap();
        let base = bench.path(&format!("{name}.base"));
        qemu_img(
            &[&["convert", "-c", "-f", "raw", "-O", "qcow2"], more].concat(),
            &[&raw, &base],
        );
        let top = bench.path(&format!("{name}.qcow2"));
        qemu_img(
            &[
                "create",
                "-q",
                "-f",
                "qcow2",
                "-F",
                "qcow2",
                "-b",
                &format!("{name}.base"),
            ],
            &[&top, Path::new("40M")],
        );
        write(&top, "write -P 9 3M 100k");
        write(&top, "write -z 7M 1M");
        write(&top, "write -P 8 36M 64k");
        let taken = take(&bench, &top, &[]);
        let (done, _) = export(&bench, &vault, &taken, &top);
        let back = restored(&bench, &vault, &done, &top);
        qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&back, &top]);
        // A base that was changed makes all of it new.
        write(&top, "write -P 5 10M 64k");
        let taken = take(&bench, &top, &[]);
        let (less, _) = export(&bench, &vault, &taken, &top);
        // The change may begin at the end of one chunk and end at the beginning of another.
        assert!(less["bytes_read"].as_u64().unwrap() < 2 * MAX_SIZE as u64, "{less}");
        fs::File::open(&base)
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        let taken = take(&bench, &top, &[]);
        let (all, _) = export(&bench, &vault, &taken, &top);
        assert!(all["bytes_read"].as_u64().unwrap() > 28 * MIB, "{all}");
        let back = restored(&bench, &vault, &all, &top);
        qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&back, &top]);
    }
}

/// A block device whose content is a file's, while this lives.
struct Loop(PathBuf);

impl Loop {
    fn new(of: &Path) -> Loop {
        let words = [OsStr::new("--find"), "--show".as_ref(), of.as_os_str()];
        let output = run("losetup", &words);
        Loop(String::from_utf8(output.stdout).unwrap().trim().into())
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = std::process::Command::new("losetup").arg("-d").arg(&self.0).status();
    }
}

#[test]
#[ignore = "needs root, qemu-utils (tests/run)"]
fn an_image_that_stands_on_a_block_device_is_read_with_what_that_holds() {
    let bench = Bench::new();
    let vault = bench.coffer_vault("vault", &[]);
    let base = bench.path("base");
    fs::write(&base, noise(5, 8 << 20)).unwrap();
    let device = Loop::new(&base);
    let top = bench.path("top.qcow2");
    let on = device.0.to_str().unwrap();
    qemu_img(&["create", "-q", "-f", "qcow2", "-F", "raw", "-b", on], &[&top]);
    write(&top, "write -P 9 3M 100k");
    let one = take(&bench, &top, &[]);
    let (first, _) = export(&bench, &vault, &one, &top);
    let back = restored(&bench, &vault, &first, &top);
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&back, &top]);
    // No time tells of writes to a device: all is read each time.
    write(&device.0, "write -P 5 6M 64k");
    let two = take(&bench, &top, &[]);
    let (second, _) = export(&bench, &vault, &two, &top);
    assert!(second["bytes_read"].as_u64().unwrap() >= 8 * MIB, "{second}");
    let back = restored(&bench, &vault, &second, &top);
    qemu_img(&["compare", "-f", "raw", "-F", "qcow2"], &[&back, &top]);
}

fn folder_twice(bench: &Bench, folder: &Path) {
    let vault = bench.coffer_vault("vault", &[]);
    fs::create_dir(folder.join("d")).unwrap();
    for n in 0..100 {
        fs::write(folder.join(format!("d/{n}")), noise(n, 40_000)).unwrap();
    }
    // Nothing is in doubt that is older than a tick of the clock.
    let now = std::time::Instant::now();
    crate::support::wait_until("some ticks have passed", || now.elapsed().as_millis() > 100);
    let one = take(bench, folder, &[]);
    fs::write(folder.join("d/7"), noise(777, 40_000)).unwrap();
    let two = take(bench, folder, &[]);
    fs::write(folder.join("d/8"), "later").unwrap();
    let (first, _) = export(bench, &vault, &one, folder);
    assert_eq!(first["files_new"], 100, "{first}");
    let (second, _) = export(bench, &vault, &two, folder);
    assert_eq!(
        (&second["files_changed"], &second["files_unmodified"], &second["parent"]),
        (&1.into(), &99.into(), &first["generation"]),
        "{second}"
    );
    let to = bench.path("to");
    let words = [
        OsStr::new("restore"),
        "--vault".as_ref(),
        vault.as_ref(),
        "latest".as_ref(),
    ];
    bench.coffer(&[&words[..], &["--target".as_ref(), to.as_os_str()]].concat());
    same(&to.join(folder.strip_prefix("/").unwrap()), &files(&two));
    bench.restic_check(Restic::New, &vault);
}

#[test]
#[ignore = "needs root, btrfs-progs, xfsprogs, restic (tests/run)"]
fn folders_become_generations_of_their_files() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    folder_twice(&bench, &volume.subvolume("a"));
    let second = Bench::new();
    let copies = Volume::xfs(&second, "m");
    let folder = copies.mount.join("a");
    fs::create_dir(&folder).unwrap();
    folder_twice(&second, &folder);
}

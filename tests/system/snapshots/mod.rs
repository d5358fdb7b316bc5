//! Snapshots on real filesystems and databases. Run as root: filesystems are made in files and mounted.

mod bridge;
mod btrfs;
mod databases;
mod ebs;
mod export;
mod export_live;
mod group;
mod guest;
mod killed;
mod qcow2;
mod qemu;
mod ram;
mod reflink;
mod safety;
mod still;
mod turns;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

use serde_json::Value;

use crate::edge::quiet_folder;
use crate::support::{Bench, both, lines};

/// Makes btrfs.
pub const BTRFS: &[&str] = &["mkfs.btrfs", "-q", "-f"];
/// Makes XFS whose files can share their blocks.
pub const XFS: &[&str] = &["mkfs.xfs", "-q", "-f", "-m", "reflink=1"];

/// A filesystem in a file, mounted while this lives.
pub struct Volume {
    image: PathBuf,
    pub mount: PathBuf,
}

impl Volume {
    /// Makes and mounts one. Drop it before its bench.
    pub fn new(bench: &Bench, name: &str, make: &[&str], options: &str) -> Volume {
        let image = bench.path(&format!("{name}.image"));
        Volume::at(image, bench.path(name), make, options)
    }

    /// The same where the folders above stand still while the test runs; `of` is one of [`quiet_folder`]'s.
    pub fn quiet(bench: &Bench, of: &str, make: &[&str]) -> Volume {
        Volume::at(bench.path(&format!("{of}.image")), quiet_folder(of), make, "loop")
    }

    pub fn at(image: PathBuf, mount_point: PathBuf, make: &[&str], options: &str) -> Volume {
        let volume = Volume {
            image,
            mount: mount_point,
        };
        std::fs::File::create(&volume.image)
            .unwrap()
            .set_len(600 << 20)
            .unwrap();
        std::fs::create_dir(&volume.mount).unwrap();
        let [program, arguments @ ..] = make else {
            panic!("no program")
        };
        let mut words: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        words.push(volume.image.as_os_str());
        run(program, &words);
        mount(&[
            OsStr::new("-o"),
            OsStr::new(options),
            volume.image.as_os_str(),
            volume.mount.as_os_str(),
        ]);
        volume
    }

    pub fn btrfs(bench: &Bench, name: &str) -> Volume {
        Volume::new(bench, name, BTRFS, "loop")
    }

    pub fn xfs(bench: &Bench, name: &str) -> Volume {
        Volume::new(bench, name, XFS, "loop")
    }

    /// A new subvolume.
    pub fn subvolume(&self, name: &str) -> PathBuf {
        let path = self.mount.join(name);
        btrfs(&["subvolume", "create"], &[&path]);
        path
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        unmount(&self.mount);
    }
}

/// A process of a test's own: ended when it is dropped, so that it never outlives a test that fails. Drop it before its
/// volume.
pub struct Ended(Child);

impl Ended {
    pub fn spawn(command: &mut Command) -> Ended {
        Ended(command.spawn().unwrap())
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it ended well, by itself.
    pub fn done(mut self) -> bool {
        self.0.wait().unwrap().success()
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl guest::Guest {
    /// Names it in the config.
    pub fn name_it(&self, bench: &Bench, name: &str) {
        let words = ["machine", "add", name, "--qmp", self.qmp.to_str().unwrap(), "--agent"];
        bench.coffer(&[&words[..], &[self.agent.to_str().unwrap()]].concat());
    }
}

/// A further mount, while this lives.
pub struct Mounted(pub PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

pub fn mount(arguments: &[&OsStr]) {
    run("mount", arguments);
}

fn unmount(path: &Path) {
    // Lazily where something still holds it: the folder is removed next.
    let done = Command::new("umount").arg(path).status();
    if !done.is_ok_and(|status| status.success()) {
        let _ = Command::new("umount").arg("-l").arg(path).status();
    }
}

/// Runs a program; it must succeed.
pub fn run(program: &str, arguments: &[&OsStr]) -> Output {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}: run tests/run"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", both(&output));
    output
}

pub fn btrfs(words: &[&str], paths: &[&Path]) -> Output {
    let mut arguments: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    arguments.extend(paths.iter().map(|path| path.as_os_str()));
    run("btrfs", &arguments)
}

/// `coffer snapshot …`; it must succeed.
pub fn snapshot<S: AsRef<OsStr>>(bench: &Bench, arguments: &[S]) -> Output {
    let output = snapshot_any(bench, arguments);
    assert!(output.status.success(), "{}", both(&output));
    output
}

/// The same, whatever becomes of it.
pub fn snapshot_any<S: AsRef<OsStr>>(bench: &Bench, arguments: &[S]) -> Output {
    let mut words = vec![OsStr::new("snapshot")];
    words.extend(arguments.iter().map(AsRef::as_ref));
    bench.coffer_any(&words)
}

/// Coffer, to one system call of which something is done: as strace's `inject` takes it.
pub fn injected(bench: &Bench, what: &str, words: &[&OsStr]) -> Command {
    let coffer = bench.coffer_command(words);
    let mut traced = Command::new("strace");
    let call = what.split(':').next().unwrap();
    traced.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    traced.args(["-e", &format!("inject={what}")]);
    traced.arg(coffer.get_program()).args(coffer.get_args());
    for (name, value) in coffer.get_envs() {
        traced.env(name, value.unwrap_or_default());
    }
    traced
}

/// Takes a snapshot of a path.
pub fn take(bench: &Bench, target: &Path, more: &[&str]) -> Value {
    let mut words = vec![OsStr::new("take"), OsStr::new("--json"), target.as_os_str()];
    words.extend(more.iter().map(OsStr::new));
    results(&snapshot(bench, &words)).remove(0)
}

/// The snapshots of a path, oldest first.
pub fn list(bench: &Bench, target: &Path) -> Vec<Value> {
    results(&snapshot(
        bench,
        &[OsStr::new("list"), OsStr::new("--json"), target.as_os_str()],
    ))
}

/// What a command told, without its progress. (Rows of files have a type of their own.)
pub fn results(output: &Output) -> Vec<Value> {
    let mut all = lines(output);
    all.retain(|value| !matches!(value["type"].as_str(), Some("progress" | "problem")));
    all
}

pub fn id(snapshot: &Value) -> &str {
    snapshot["id"].as_str().unwrap()
}

/// The folder of a snapshot's files.
pub fn files(snapshot: &Value) -> PathBuf {
    PathBuf::from(snapshot["handle"].as_str().unwrap())
}

/// Two folders hold the same, but for snapshots in them.
pub fn same(a: &Path, b: &Path) {
    let words = ["-r", "--no-dereference", "--exclude=.coffer-snapshots"].map(OsStr::new);
    run("diff", &[&words[..], &[a.as_os_str(), b.as_os_str()]].concat());
}

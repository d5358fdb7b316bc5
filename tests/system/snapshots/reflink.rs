//! Folders on XFS, copied by sharing their blocks.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use super::{Ended, Mounted, Volume, files, id, list, snapshot, snapshot_any, take};
use crate::support::{Bench, both};

#[test]
#[ignore = "needs root, xfsprogs, strace (tests/run)"]
fn a_folder_is_copied_with_all_its_metadata_and_goes_back() {
    let bench = Bench::new();
    let volume = Volume::xfs(&bench, "x");
    let web = volume.mount.join("web");
    fs::create_dir_all(web.join("d/e")).unwrap();
    for n in 0..50 {
        fs::write(web.join(format!("d/{n}")), vec![n; 100_000]).unwrap();
    }
    fs::hard_link(web.join("d/1"), web.join("d/e/again")).unwrap();
    std::os::unix::fs::symlink("d/1", web.join("link")).unwrap();
    xattr::set(web.join("d/2"), "user.note", b"x").unwrap();
    std::os::unix::fs::chown(web.join("d/3"), Some(1234), Some(4321)).unwrap();
    super::run("chmod", &["4755".as_ref(), web.join("d/3").as_os_str()]);
    super::run("mkfifo", &[web.join("pipe").as_os_str()]);

    let one = take(&bench, &web, &[]);
    assert_eq!(
        (one["kind"].as_str(), one["consistency"].as_str()),
        (Some("reflink"), Some("filesystem"))
    );
    let tree = |path: &std::path::Path| {
        let words = [
            "-c",
            "cd \"$0\" && find . -name .coffer-snapshots -prune -o -printf '%p %y %m %U %G %n %s %T@ %l\\n' | sort",
        ]
        .map(OsStr::new);
        String::from_utf8(super::run("sh", &[&words[..], &[path.as_os_str()]].concat()).stdout).unwrap()
    };
    assert_eq!(tree(&web), tree(&files(&one)));
    assert_eq!(
        xattr::get(files(&one).join("d/2"), "user.note").unwrap().as_deref(),
        Some(b"x".as_slice())
    );
    let alone = |n: usize| list(&bench, &web)[n]["size"]["exclusive"].as_u64().unwrap();
    assert_eq!(alone(0), 0, "all blocks are shared");

    fs::write(web.join("d/7"), vec![9; 100_000]).unwrap();
    fs::remove_file(web.join("link")).unwrap();
    super::run("sync", &[]);
    assert!((98_304..=102_400).contains(&alone(0)), "{}", alone(0));
    let busy = Ended::spawn(Command::new("sleep").arg("1000").current_dir(&web));
    let refused = snapshot_any(&bench, &["rollback", id(&one)]);
    assert!(
        both(&refused).contains(&format!("sleep ({})", busy.id())),
        "{}",
        both(&refused)
    );
    drop(busy);
    the_folder_is_used_through_other_mounts(&bench, &volume, id(&one));
    let before = tree(&files(&one));
    // The snapshots of folders within are none of it, whether the state before is kept or not.
    let inner = take(&bench, &web.join("d"), &["--protect"]);
    snapshot(&bench, &["rollback", id(&one), "--no-safety"]);
    fs::write(web.join("d/7"), vec![9; 100_000]).unwrap();
    snapshot(&bench, &["rollback", id(&one)]);
    // The folder itself counts the shelf in it.
    let below = |tree: &str| tree.split_once('\n').unwrap().1.to_owned();
    assert_eq!(below(&tree(&web)), below(&before));
    let changed = |folder: &std::path::Path| fs::metadata(folder).unwrap().modified().unwrap();
    assert_eq!(changed(&web), changed(&files(&one)));
    assert_eq!(id(&list(&bench, &web.join("d"))[0]), id(&inner));
    assert!(files(&inner).join("7").exists());
    let listed = list(&bench, &web);
    let safety = listed
        .iter()
        .find(|one| one["made_by"] == "safety")
        .expect("a safety snapshot");
    assert_eq!(fs::read(files(safety).join("d/7")).unwrap()[0], 9);

    let clone = volume.mount.join("clone");
    let words = ["snapshot", "clone", id(&one)].map(OsStr::new);
    let slow = super::injected(
        &bench,
        "ioctl:delay_enter=50000",
        &[&words[..], &[clone.as_os_str()]].concat(),
    )
    .spawn();
    let slow = slow.unwrap();
    crate::support::wait_until("the clone is begun", || clone.join("d").exists());
    let refused = both(&snapshot_any(&bench, &["delete", id(&one)]));
    assert!(refused.contains("is being read"), "{refused}");
    assert!(slow.wait_with_output().unwrap().status.success());
    assert_eq!(tree(&clone), before);
    snapshot(&bench, &["delete", id(&one), id(safety)]);
    assert!(list(&bench, &web).is_empty());
}

/// By other names, as a container does, it is in use all the same.
fn the_folder_is_used_through_other_mounts(bench: &Bench, volume: &Volume, one: &str) {
    let (web, other) = (volume.mount.join("web"), bench.path("other"));
    fs::create_dir(&other).unwrap();
    let refused = |why: &str| {
        let refused = snapshot_any(bench, &["rollback", one, "--no-safety"]);
        let said = both(&refused);
        assert!(!refused.status.success() && said.contains(why), "{why}: {said}");
    };
    super::mount(&["--bind".as_ref(), volume.mount.as_os_str(), other.as_os_str()]);
    let above = Mounted(other.clone());
    let busy = Ended::spawn(Command::new("sleep").arg("1000").current_dir(other.join("web")));
    refused(&format!("sleep ({})", busy.id()));
    drop((busy, above));
    super::mount(&["--bind".as_ref(), web.as_os_str(), other.as_os_str()]);
    let same = Mounted(other);
    refused("is mounted at");
    let contained = Ended::spawn(Command::new("unshare").args(["--mount", "sleep", "1000"]));
    let name = format!("/proc/{}/comm", contained.id());
    crate::support::wait_until("it has mounts of its own", || {
        fs::read_to_string(&name).is_ok_and(|name| name == "sleep\n")
    });
    drop(same);
    refused(&format!("sleep ({})", contained.id()));
}

#[test]
#[ignore = "needs root, xfsprogs (tests/run)"]
fn going_back_on_a_full_disk_is_refused_with_what_to_do_and_leaves_nothing() {
    let bench = Bench::new();
    let volume = Volume::xfs(&bench, "x");
    let web = volume.mount.join("web");
    fs::create_dir(&web).unwrap();
    for n in 0..20_000 {
        fs::write(web.join(format!("file-{n}")), n.to_string()).unwrap();
    }
    let one = take(&bench, &web, &[]);
    fs::write(web.join("file-7"), "now").unwrap();
    let filler = volume.mount.join("filler");
    let mut file = fs::File::create(&filler).unwrap();
    // Most of it at once, the rest until nothing more fits.
    let about = rustix::fs::statvfs(&volume.mount).unwrap();
    let most = (about.f_bavail * about.f_frsize).saturating_sub(16 << 20);
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, most).unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    let mut block = vec![7; 1 << 20];
    while !block.is_empty() {
        if std::io::Write::write_all(&mut file, &block)
            .and_then(|()| file.sync_all())
            .is_err()
        {
            block.truncate(block.len() / 2);
        }
    }
    for more in [&[][..], &["--no-safety"]] {
        let refused = snapshot_any(&bench, &[&["rollback", id(&one)], more].concat());
        let said = both(&refused);
        assert!(
            !refused.status.success() && said.contains("its filesystem is full"),
            "{said}"
        );
        assert!(
            said.contains("20,001 files and folders") && said.contains("coffer snapshot restore"),
            "{said}"
        );
    }
    assert_eq!(fs::read_to_string(web.join("file-7")).unwrap(), "now");
    assert_eq!(list(&bench, &web).len(), 1);
    let left = fs::read_dir(volume.mount.join(".coffer-snapshots")).unwrap().flatten();
    assert_eq!(left.filter(|entry| entry.path().extension().is_some()).count(), 0);
    drop(file);
    fs::remove_file(&filler).unwrap();
    snapshot(&bench, &["rollback", id(&one)]);
    assert_eq!(fs::read_to_string(web.join("file-7")).unwrap(), "7");
}

#[test]
#[ignore = "needs root, xfsprogs, strace (tests/run)"]
fn what_does_not_stand_still_is_said_to_be_of_no_one_moment() {
    let bench = Bench::new();
    let volume = Volume::xfs(&bench, "x");
    let web = volume.mount.join("web");
    fs::create_dir(&web).unwrap();
    // It opens each file anew, so that there is nobody to hold when it begins, and never empties it: what is empty is not
    // shared.
    let script = "while :; do n=$((n + 1)); echo $n 1<> \"$0/a\"; echo $n 1<> \"$0/b\"; done";
    let writer = Ended::spawn(Command::new("sh").args(["-c", script]).arg(&web));
    crate::support::wait_until("the writer writes", || {
        fs::metadata(web.join("b")).is_ok_and(|about| about.len() > 0)
    });
    // Between looking at a file and looking again lies half a second in which its blocks are shared: the writer is there too.
    let words = ["snapshot", "take", "--json", "--consistency", "crash"].map(OsStr::new);
    let mut slow = super::injected(
        &bench,
        "ioctl:delay_enter=500000",
        &[&words[..], &[web.as_os_str()]].concat(),
    );
    let output = slow.output().unwrap();
    assert!(both(&output).contains("not of one moment"), "{}", both(&output));
    drop(writer);
    let still = take(&bench, &web, &[]);
    assert_eq!(
        (still["consistency"].as_str(), still["notes"].to_string().as_str()),
        (Some("filesystem"), "[]")
    );
}

#[test]
#[ignore = "needs root, xfsprogs (tests/run)"]
fn a_filesystem_that_shares_no_blocks_says_so() {
    let bench = Bench::new();
    let volume = Volume::new(&bench, "x", &["mkfs.xfs", "-q", "-f", "-m", "reflink=0"], "loop");
    let web = volume.mount.join("web");
    fs::create_dir(&web).unwrap();
    let refused = snapshot_any(&bench, &[OsStr::new("take"), web.as_os_str()]);
    assert!(both(&refused).contains("reflink=1"), "{}", both(&refused));
    assert!(!volume.mount.join(".coffer-snapshots").exists());
}

#[test]
#[ignore = "needs root, xfsprogs (tests/run)"]
fn the_snapshots_of_a_folder_outlive_it() {
    let bench = Bench::new();
    let volume = Volume::xfs(&bench, "x");
    let web = volume.mount.join("web");
    fs::create_dir(&web).unwrap();
    fs::write(web.join("a"), "then").unwrap();
    let one = take(&bench, &web, &[]);
    fs::remove_dir_all(&web).unwrap();
    assert_eq!(list(&bench, &web).iter().map(id).collect::<Vec<_>>(), [id(&one)]);
    let refused = both(&snapshot_any(&bench, &["rollback", id(&one)]));
    assert!(refused.contains("coffer snapshot clone"), "{refused}");
    // Not by a slip all of it.
    for path in ["..", "."] {
        let refused = snapshot_any(&bench, &["restore", id(&one), path, "--in-place"]);
        assert!(!refused.status.success() && !web.exists(), "{}", both(&refused));
    }
    snapshot(&bench, &["restore", id(&one), "--in-place"]);
    assert_eq!(fs::read_to_string(web.join("a")).unwrap(), "then");
    fs::remove_dir_all(&web).unwrap();
    snapshot(&bench, &[OsStr::new("clone"), id(&one).as_ref(), web.as_os_str()]);
    assert_eq!(fs::read_to_string(web.join("a")).unwrap(), "then");
    // What is there is not taken for a place that can be cleared again.
    let taken = snapshot_any(&bench, &[OsStr::new("clone"), id(&one).as_ref(), web.as_os_str()]);
    assert!(!taken.status.success() && web.join("a").exists(), "{}", both(&taken));
    snapshot(&bench, &["delete", id(&one)]);
}

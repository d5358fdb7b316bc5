//! btrfs subvolumes: take, list, look into, go back, expire.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Ended, Mounted, Volume, btrfs, files, id, list, mount, run, same, snapshot, snapshot_any, take};
use crate::support::{Bench, both, wait_until};

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn what_a_snapshot_takes_is_counted_to_the_byte_and_files_come_back() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("a b\nc");
    btrfs(&["quota", "enable"], &[&volume.mount]);
    btrfs(&["quota", "rescan", "-w"], &[&volume.mount]);
    fs::create_dir(vol.join("d")).unwrap();
    fs::write(vol.join("d/big"), vec![7; 3 << 20]).unwrap();
    fs::write(vol.join("d/note"), "then").unwrap();
    let one = take(&bench, &vol, &["--label", "first"]);
    assert_eq!(
        (one["consistency"].as_str(), one["label"].as_str()),
        (Some("filesystem"), Some("first"))
    );
    fs::remove_file(vol.join("d/big")).unwrap();
    fs::write(vol.join("d/note"), "now, and longer").unwrap();
    let before = bench.path("before");
    let two = take(
        &bench,
        &vol,
        &["--run-before", &format!("touch '{}'", before.display())],
    );
    let taken: std::time::SystemTime = two["taken"]
        .as_str()
        .unwrap()
        .parse::<jiff::Timestamp>()
        .unwrap()
        .into();
    assert!(
        taken > fs::metadata(&before).unwrap().modified().unwrap(),
        "not when the job began"
    );
    btrfs(&["filesystem", "sync"], &[&volume.mount]);

    let listed = list(&bench, &vol);
    assert_eq!(listed.iter().map(id).collect::<Vec<_>>(), [id(&one), id(&two)]);
    for one in &listed {
        assert_eq!(one["size"]["exact"], true);
        let text = btrfs(&["qgroup", "show", "--raw", "-f"], &[&files(one)]);
        let text = String::from_utf8_lossy(&text.stdout).into_owned();
        let row = text.lines().rev().find(|line| line.starts_with("0/")).unwrap();
        let exclusive: u64 = row.split_whitespace().nth(2).unwrap().parse().unwrap();
        assert_eq!(one["size"]["exclusive"], exclusive, "{text}");
    }
    assert!(listed[0]["size"]["exclusive"].as_u64().unwrap() >= 3 << 20);

    let ls = snapshot(&bench, &["ls", id(&one), "d", "--json"]);
    let names: Vec<String> = super::results(&ls)
        .iter()
        .map(|row| row["path"].as_str().unwrap().into())
        .collect();
    assert_eq!(names, ["d/big", "d/note"]);
    snapshot(&bench, &["restore", id(&one), "d/note", "--in-place"]);
    assert_eq!(fs::read_to_string(vol.join("d/note")).unwrap(), "then");
    let out = bench.path("out");
    let words = [
        OsStr::new("restore"),
        OsStr::new(id(&one)),
        OsStr::new("--target"),
        out.as_os_str(),
    ];
    snapshot(&bench, &words);
    same(&files(&one), &out);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_subvolume_goes_back_whole_unless_somebody_uses_it() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    btrfs(&["subvolume", "create"], &[&vol.join("nested")]);
    fs::write(vol.join("a"), "one").unwrap();
    fs::write(vol.join("nested/kept"), "stays").unwrap();
    let one = take(&bench, &vol, &[]);
    assert!(one["notes"][0].as_str().unwrap().contains("nested"));
    fs::write(vol.join("a"), "two").unwrap();
    fs::write(vol.join("b"), "new").unwrap();

    let busy = Ended::spawn(Command::new("sleep").arg("1000").current_dir(&vol));
    let refused = snapshot_any(&bench, &["rollback", id(&one)]);
    let said = both(&refused);
    assert!(
        !refused.status.success() && said.contains(&format!("sleep ({})", busy.id())),
        "{said}"
    );
    assert_eq!(fs::read_to_string(vol.join("a")).unwrap(), "two");
    drop(busy);

    let plan = snapshot(&bench, &["rollback", id(&one), "--dry-run"]);
    assert!(both(&plan).contains("(a, b)"), "{}", both(&plan));
    snapshot(&bench, &["rollback", id(&one)]);
    assert_eq!(fs::read_to_string(vol.join("a")).unwrap(), "one");
    assert_eq!(fs::read_to_string(vol.join("nested/kept")).unwrap(), "stays");
    assert!(!vol.join("b").exists());

    let listed = list(&bench, &vol);
    let safety = listed
        .iter()
        .find(|one| one["made_by"] == "safety")
        .expect("a safety snapshot");
    assert_eq!(safety["made_for"], id(&one));
    assert_eq!(fs::read_to_string(files(safety).join("a")).unwrap(), "two");
    let read_only = fs::write(files(safety).join("a"), "x").unwrap_err();
    assert_eq!(read_only.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    // And forth again, without keeping.
    snapshot(&bench, &["rollback", id(safety), "--no-safety"]);
    assert_eq!(fs::read_to_string(vol.join("b")).unwrap(), "new");
    assert_eq!(fs::read_to_string(vol.join("nested/kept")).unwrap(), "stays");
    assert_eq!(list(&bench, &vol).len(), listed.len());
    let names = fs::read_dir(&volume.mount).unwrap().flatten().count();
    assert_eq!(names, 2, "the subvolume and the shelf, nothing left over");
}

#[test]
#[ignore = "needs root, btrfs-progs, strace (tests/run)"]
fn a_subvolume_that_is_mounted_alone_goes_back_too() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    volume.subvolume("@home");
    let home = bench.path("home alone");
    fs::create_dir(&home).unwrap();
    let device = run(
        "findmnt",
        &["-n", "-o", "SOURCE"]
            .map(OsStr::new)
            .iter()
            .chain([&volume.mount.as_os_str()])
            .copied()
            .collect::<Vec<_>>(),
    );
    let device = String::from_utf8(device.stdout)
        .unwrap()
        .trim()
        .split('[')
        .next()
        .unwrap()
        .to_owned();
    let words = ["-t", "btrfs", "-o", "subvol=@home,noatime", &device].map(OsStr::new);
    mount(&[&words[..], &[home.as_os_str()]].concat());
    let _mounted = Mounted(home.clone());
    fs::write(home.join("a"), "one").unwrap();
    let one = take(&bench, &home, &[]);
    fs::write(home.join("a"), "two").unwrap();
    let second = take(&bench, &home, &[]);
    // A second mount of the subvolume alone would go on showing the old state.
    let again = bench.path("again");
    fs::create_dir(&again).unwrap();
    mount(&[&words[..], &[again.as_os_str()]].concat());
    let again = Mounted(again);
    let rollback = ["rollback", id(&one), "--of", home.to_str().unwrap()];
    let refused = snapshot_any(&bench, &rollback);
    let said = both(&refused);
    assert!(
        !refused.status.success() && said.contains(&format!("umount {}", again.0.display())),
        "{said}"
    );
    assert_eq!(fs::read_to_string(home.join("a")).unwrap(), "two");
    drop(again);

    // The mount of all that holds it follows the names.
    snapshot(&bench, &rollback);
    assert_eq!(fs::read_to_string(home.join("a")).unwrap(), "one");
    assert_eq!(fs::read_to_string(volume.mount.join("@home/a")).unwrap(), "one");
    assert_eq!(fs::read_dir(&volume.mount).unwrap().count(), 1, "nothing is left over");
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let line = mounts
        .lines()
        .find(|line| line.contains("home\\040alone"))
        .expect("it is mounted again");
    assert!(line.contains("noatime") && line.contains("/@home"), "{line}");
    let listed = list(&bench, &home);
    assert!(
        listed.iter().any(|other| id(other) == id(&second)),
        "the snapshots went along"
    );
    assert_eq!(listed.len(), 3);

    // Cut off when the shelf is still in the old state: the next one brings it back.
    let rollback = ["snapshot", "rollback", id(&second), "--of", home.to_str().unwrap()].map(OsStr::new);
    let mut killed = super::injected(&bench, "renameat2:signal=KILL:when=3", &rollback);
    assert!(!killed.output().unwrap().status.success());
    mount(&[&words[..], &[home.as_os_str()]].concat());
    assert!(list(&bench, &home).is_empty(), "it was cut off there");
    take(&bench, &home, &[]);
    assert_eq!(fs::read_to_string(home.join("a")).unwrap(), "two");
    assert_eq!(list(&bench, &home).len(), 5);
    assert_eq!(fs::read_dir(&volume.mount).unwrap().count(), 1, "nothing is left over");
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn policies_expire_what_they_took_and_nothing_else() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let by_hand = take(&bench, &vol, &[]);
    let path = vol.to_str().unwrap();
    snapshot(
        &bench,
        &[
            "policy",
            "add",
            "often",
            path,
            "--at",
            "hourly",
            "--keep-last",
            "2",
            "--limit",
            "3",
        ],
    );
    for _ in 0..3 {
        snapshot(&bench, &["policy", "run", "often"]);
    }
    let own = |all: &[serde_json::Value]| -> Vec<String> {
        let own = all.iter().filter(|one| one["made_by"] == "policy");
        own.map(|one| id(one).to_owned()).collect()
    };
    let kept = own(&list(&bench, &vol));
    assert_eq!(kept.len(), 2);
    snapshot(&bench, &["protect", &kept[0]]);
    for _ in 0..3 {
        snapshot(&bench, &["policy", "run", "often"]);
    }
    let left = own(&list(&bench, &vol));
    assert!(left.len() == 3 && left.contains(&kept[0]), "{left:?}");
    assert!(list(&bench, &vol).iter().any(|one| id(one) == id(&by_hand)));
    let refused = snapshot_any(&bench, &["delete", &kept[0]]);
    assert!(both(&refused).contains("protected"), "{}", both(&refused));

    // What a stricter rule would do is told before anything is changed.
    let words = ["cost", "snapshots", path, "--keep-last", "1", "--json"].map(OsStr::new);
    let told = bench.coffer_any(&words);
    assert!(told.status.success(), "{}", both(&told));
    let what = super::results(&told).remove(0);
    assert_eq!(
        (
            &what["policy"],
            &what["now"]["go"],
            &what["after"]["go"],
            &what["after"]["stay"]
        ),
        (&json!("often"), &json!(0), &json!(1), &json!(3)),
        "{what}"
    );
    assert_eq!((&what["not_by_policies"], &what["protected"]), (&json!(1), &json!(1)));
    let goes: Vec<&serde_json::Value> = what["snapshots"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["goes"] == true)
        .collect();
    let spared = [&kept[0], id(&by_hand)];
    assert!(goes.len() == 1 && !spared.contains(&id(goes[0])), "{what}");
    assert!(
        goes[0]["exclusive_bytes"].is_u64() && what["after"]["unknown"] == 0,
        "{what}"
    );
    assert_eq!(own(&list(&bench, &vol)).len(), 3, "nothing is changed by asking");
    let shown = both(&bench.coffer_any(&words[..5]));
    assert!(
        shown.contains("Lost for ever") && shown.contains(id(goes[0])),
        "{shown}"
    );

    // A stricter rule is not slipped upon what is there.
    let replace = ["policy", "add", "often", path, "--keep-last", "1", "--replace"];
    let asked = snapshot_any(&bench, &replace);
    assert!(both(&asked).contains("--existing"), "{}", both(&asked));
    snapshot(&bench, &[&replace[..], &["--existing", "spare"]].concat());
    snapshot(&bench, &["policy", "run", "often"]);
    assert_eq!(
        own(&list(&bench, &vol)).len(),
        4,
        "those of before stay, the new one is kept"
    );
    snapshot(&bench, &[&replace[..], &["--existing", "count"]].concat());
    snapshot(&bench, &["policy", "run", "often"]);
    assert_eq!(own(&list(&bench, &vol)).len(), 2, "the newest and the protected one");
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_policy_runs_once_at_a_time_and_is_asked_about_what_it_finds() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let path = vol.to_str().unwrap();
    let (started, go) = (bench.path("started"), bench.path("go"));
    let wait = format!(
        ": > '{}'; until [ -e '{}' ]; do sleep 0.05; done",
        started.display(),
        go.display()
    );
    let add = ["policy", "add", "slow", path, "--keep-last", "3"];
    let hook = ["--at", "hourly", "--hook-seconds", "900", "--run-before", &wait];
    snapshot(&bench, &[&add[..], &hook].concat());
    let run = ["snapshot", "policy", "run", "slow"].map(OsStr::new);
    let first = Ended::spawn(&mut bench.coffer_command(&run));
    wait_until("it runs", || started.exists());
    let second = both(&bench.coffer_any(&run));
    assert!(second.contains("is being run already"), "{second}");
    fs::write(&go, "").unwrap();
    assert!(first.done());
    snapshot(&bench, &["policy", "run", "slow"]);
    let told = super::results(&snapshot(&bench, &["policy", "show", "slow", "--json"]));
    assert!(told[0]["snapshots"] == 2 && told[0]["next"].is_string(), "{told:?}");

    // Taken away and written anew with a stricter rule, it would find what it took before.
    snapshot(&bench, &["policy", "remove", "slow"]);
    let strict = ["policy", "add", "slow", path, "--keep-last", "1"];
    let asked = both(&snapshot_any(&bench, &strict));
    assert!(
        asked.contains("--existing") && asked.contains(id(&list(&bench, &vol)[0])),
        "{asked}"
    );
    snapshot(&bench, &[&strict[..], &["--existing", "spare"]].concat());
    snapshot(&bench, &["policy", "run", "slow"]);
    assert_eq!(list(&bench, &vol).len(), 3);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn snapshots_of_other_programs_are_listed_and_left_alone() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let other = volume.mount.join("theirs\nID 5 gen 1");
    btrfs(&["subvolume", "snapshot", "-r"], &[&vol, &other]);
    btrfs(&["subvolume", "snapshot"], &[&vol, &volume.mount.join("a clone")]);
    let listed = list(&bench, &vol);
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(
        (listed[0]["made_by"].as_str(), files(&listed[0])),
        (Some("other"), other.clone())
    );
    let refused = snapshot_any(&bench, &["delete", id(&listed[0])]);
    assert!(both(&refused).contains("another program made it"), "{}", both(&refused));
    fs::write(vol.join("new"), "x").unwrap();
    snapshot(&bench, &["rollback", id(&listed[0])]);
    assert!(!vol.join("new").exists() && other.is_dir());
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn without_root_it_is_said_what_is_missing() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let (mine, theirs) = (volume.subvolume("mine"), volume.subvolume("theirs"));
    let nobody = 65_534;
    for path in [&volume.mount, &mine] {
        std::os::unix::fs::chown(path, Some(nobody), Some(nobody)).unwrap();
    }
    // The bench is root's alone: what is in it is to be reached.
    fs::set_permissions(
        mine.parent().unwrap().parent().unwrap(),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    let home = volume.mount.join("home");
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(nobody), Some(nobody)).unwrap();
    let coffer = |arguments: &[&OsStr]| {
        let mut command = bench.coffer_command(&[&[OsStr::new("snapshot")], arguments].concat());
        command.uid(nobody).gid(nobody).current_dir("/");
        command
            .env("COFFER_CONFIG", home.join("c.toml"))
            .env("COFFER_DATA_DIR", home.join("data"));
        command.env("COFFER_CACHE_DIR", home.join("cache"));
        command.output().unwrap()
    };
    let refused = both(&coffer(&[OsStr::new("take"), theirs.as_os_str()]));
    assert!(refused.contains("belongs to somebody else: use sudo"), "{refused}");
    let taken = coffer(&[OsStr::new("take"), "--json".as_ref(), mine.as_os_str()]);
    assert!(taken.status.success(), "{}", both(&taken));
    let taken = super::results(&taken).remove(0);
    assert_eq!(files(&taken).symlink_metadata().unwrap().uid(), nobody);
    let refused = both(&coffer(&[
        OsStr::new("delete"),
        id(&taken).as_ref(),
        "--of".as_ref(),
        mine.as_os_str(),
    ]));
    assert!(refused.contains("user_subvol_rm_allowed"), "{refused}");
    let refused = both(&coffer(&[
        OsStr::new("rollback"),
        id(&taken).as_ref(),
        "--of".as_ref(),
        mine.as_os_str(),
    ]));
    assert!(refused.contains("run it with sudo"), "{refused}");
    // Root believes nothing that another user could have put there, until told to.
    let delete = [
        OsStr::new("delete"),
        id(&taken).as_ref(),
        "--of".as_ref(),
        mine.as_os_str(),
    ];
    let refused = both(&snapshot_any(&bench, &delete));
    assert!(refused.contains("belongs to another user (number 65534)"), "{refused}");
    let shelf = volume.mount.join(".coffer-snapshots");
    std::os::unix::fs::chown(&shelf, Some(0), Some(0)).unwrap();
    snapshot(&bench, &delete);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn what_others_put_in_the_place_of_the_shelf_is_not_believed() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let victim = bench.path("victim");
    fs::create_dir_all(victim.join("a1b2c3d4e5f6.part")).unwrap();
    fs::write(victim.join("a1b2c3d4e5f6.part/kept"), "x").unwrap();
    let shelf = volume.mount.join(".coffer-snapshots");
    std::os::unix::fs::symlink(&victim, &shelf).unwrap();
    for arguments in [["take"], ["list"]] {
        let words = [OsStr::new(arguments[0]), vol.as_os_str()];
        let refused = snapshot_any(&bench, &words);
        assert!(both(&refused).contains("no folder but a link"), "{}", both(&refused));
    }
    fs::remove_file(&shelf).unwrap();
    // What others may write to by the umask is made so that it is.
    let coffer = bench.coffer_command(&["snapshot".as_ref(), "take".as_ref(), vol.as_os_str()]);
    let mut open = Command::new("sh");
    open.args(["-c", "umask 002; exec \"$0\" \"$@\""])
        .arg(coffer.get_program())
        .args(coffer.get_args());
    for (name, value) in coffer.get_envs() {
        open.env(name, value.unwrap_or_default());
    }
    let taken = open.output().unwrap();
    assert!(taken.status.success(), "{}", both(&taken));
    // One within the target is only passed over.
    std::os::unix::fs::symlink(&victim, vol.join(".coffer-snapshots")).unwrap();
    assert_eq!(list(&bench, &vol).len(), 1);
    // Nor is a link among what is half done.
    std::os::unix::fs::symlink(victim.join("a1b2c3d4e5f6.part"), shelf.join("ffffffffffff.part")).unwrap();
    take(&bench, &vol, &[]);
    assert!(victim.join("a1b2c3d4e5f6.part/kept").exists());
    assert!(!victim.join("lock").exists());
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn the_snapshots_of_a_subvolume_outlive_it() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    fs::write(vol.join("a"), "then").unwrap();
    let one = take(&bench, &vol, &[]);
    btrfs(&["subvolume", "delete"], &[&vol]);
    assert_eq!(list(&bench, &vol).iter().map(id).collect::<Vec<_>>(), [id(&one)]);
    // Also by its id alone.
    let ls = both(&snapshot(&bench, &["ls", id(&one)]));
    assert!(ls.contains('a'), "{ls}");
    let refused = both(&snapshot_any(&bench, &["rollback", id(&one)]));
    assert!(
        refused.contains(&format!("coffer snapshot clone {} {}", id(&one), vol.display())),
        "{refused}"
    );
    // A plain folder is there in its place.
    fs::create_dir(&vol).unwrap();
    let folder = take(&bench, &vol, &[]);
    assert_eq!(folder["kind"], "reflink");
    assert_eq!(
        list(&bench, &vol).iter().map(id).collect::<Vec<_>>(),
        [id(&one), id(&folder)]
    );
    snapshot(&bench, &["restore", id(&one), "a", "--in-place"]);
    assert_eq!(fs::read_to_string(vol.join("a")).unwrap(), "then");
    let refused = both(&snapshot_any(&bench, &["rollback", id(&one)]));
    assert!(refused.contains("move it away"), "{refused}");
    // Beside a subvolume's snapshots a folder cannot be exchanged with its own.
    let refused = both(&snapshot_any(&bench, &["rollback", id(&folder)]));
    assert!(refused.contains("a subvolume of its own"), "{refused}");
    fs::remove_dir_all(&vol).unwrap();
    snapshot(&bench, &[OsStr::new("clone"), id(&one).as_ref(), vol.as_os_str()]);
    assert_eq!(fs::read_to_string(vol.join("a")).unwrap(), "then");
    snapshot(&bench, &["rollback", id(&one)]);
    snapshot(&bench, &["delete", id(&one), id(&folder)]);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn what_is_written_while_a_snapshot_is_made_is_noticed() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let still = take(&bench, &vol, &[]);
    assert_eq!(still["consistency"], "filesystem");
    // It opens each file anew, so that there is nobody to hold when it begins.
    let script = "while :; do n=$((n + 1)); echo $n > \"$0/a\"; done";
    let writer = Ended::spawn(Command::new("sh").args(["-c", script]).arg(&vol));
    wait_until("the writer writes", || vol.join("a").exists());
    let is_noticed = |_| {
        let taken = snapshot_any(&bench, &[OsStr::new("take"), "--json".as_ref(), vol.as_os_str()]);
        // Where it was met with a file open it is held, and all is still.
        let noted = both(&taken).contains("something was written here while it was made");
        assert!(!noted || super::results(&taken)[0]["consistency"] == "crash");
        noted
    };
    assert!((0..20).any(is_noticed));
    drop(writer);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_loop_device_keeps_a_subvolume_in_use_and_lowers_the_level() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let one = take(&bench, &vol, &[]);
    let inner = Volume::at(vol.join("disk"), bench.path("inner"), &["mkfs.ext4", "-q"], "loop");
    let refused = both(&snapshot_any(&bench, &["rollback", id(&one)]));
    assert!(refused.contains("the loop device /dev/loop"), "{refused}");
    let two = take(&bench, &vol, &[]);
    assert_eq!(two["consistency"], "crash");
    assert!(two["notes"].to_string().contains("as after a power cut"), "{two}");
    let words = ["take", "--consistency", "filesystem"].map(OsStr::new);
    let refused = both(&snapshot_any(&bench, &[&words[..], &[vol.as_os_str()]].concat()));
    assert!(refused.contains("as after a power cut"), "{refused}");
    drop(inner);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn the_default_subvolume_does_not_go_back_since_the_next_start_would_mount_the_old_one() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    let one = take(&bench, &vol, &[]);
    btrfs(&["subvolume", "set-default"], &[&vol]);
    let refused = both(&snapshot_any(&bench, &["rollback", id(&one)]));
    assert!(refused.contains("set-default 5"), "{refused}");
    btrfs(&["subvolume", "set-default", "5"], &[&volume.mount]);
    snapshot(&bench, &["rollback", id(&one)]);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_backup_leaves_the_snapshots_out() {
    let bench = Bench::new();
    let volume = Volume::btrfs(&bench, "m");
    let vol = volume.subvolume("vol");
    fs::write(vol.join("a"), "one").unwrap();
    take(&bench, &vol, &[]);
    // A folder of the user's own that is called the same is not left out.
    fs::create_dir_all(vol.join("d/.coffer-snapshots")).unwrap();
    fs::write(vol.join("d/.coffer-snapshots/mine"), "two").unwrap();
    let vault = bench.coffer_vault("vault", &[]);
    let place = [OsStr::new("--vault"), vault.as_os_str()];
    bench.coffer(&[&[OsStr::new("backup")], &place[..], &[volume.mount.as_os_str()]].concat());
    let listed = bench.coffer(&[&["ls", "latest"].map(OsStr::new)[..], &place[..]].concat());
    let listed = both(&listed);
    assert!(
        listed.contains("vol/a") && listed.contains("d/.coffer-snapshots/mine"),
        "{listed}"
    );
    assert!(!listed.contains("record.json"), "{listed}");
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn what_cannot_be_snapshotted_says_why() {
    let bench = Bench::new();
    let plain = bench.path("plain");
    fs::create_dir(&plain).unwrap();
    let refused = snapshot_any(&bench, &[OsStr::new("take"), Path::new("/proc").as_os_str()]);
    assert!(
        both(&refused).contains("keeps no snapshots: btrfs does"),
        "{}",
        both(&refused)
    );
    let refused = snapshot_any(&bench, &["take", "nosuchmachine"]);
    assert!(both(&refused).contains("coffer machine add"), "{}", both(&refused));
}

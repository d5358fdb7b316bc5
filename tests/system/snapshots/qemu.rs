//! Machines that run: RAM and disks go back together, disks alone with the guest's filesystems frozen.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::guest::{Counted, Guest, image};
use super::{id, list, snapshot, snapshot_any, take};
use crate::support::{Bench, both, lines, signal, wait_until};

/// What the guest's disk has in a snapshot: its count.
fn count_in(bench: &Bench, id: &str, folder: &str) -> u64 {
    let out = bench.path(folder);
    let words = ["restore", id, "count", "--target"].map(OsStr::new);
    snapshot(bench, &[&words[..], &[out.as_os_str()]].concat());
    let text = fs::read_to_string(out.join("count")).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
#[ignore = "needs root, QEMU, the guest (tests/run)"]
fn a_machine_goes_back_in_ram_and_on_disk_and_runs_on() {
    let bench = Bench::new();
    let disk = image(&bench, "disk");
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    guest.name_it(&bench, "web");
    let web = Path::new("web");
    for _ in 0..5 {
        guest.count();
    }
    let at_five = take(&bench, web, &["--consistency", "memory", "--label", "five"]);
    assert_eq!(
        (at_five["consistency"].as_str(), at_five["kind"].as_str()),
        (Some("memory"), Some("qemu"))
    );
    assert!(at_five["pause_ms"].is_u64());
    for _ in 0..6 {
        guest.count();
    }

    let plan = snapshot(&bench, &["rollback", id(&at_five), "--dry-run"]);
    assert!(both(&plan).contains("in RAM and on its disks"), "{}", both(&plan));
    let done = snapshot(&bench, &["rollback", id(&at_five)]);
    assert!(
        both(&done).contains("it runs, and its guest agent answers"),
        "{}",
        both(&done)
    );
    assert_eq!(guest.qmp("query-status")["status"], "running");
    assert_eq!(guest.count(), Counted { ram: 6, disk: 6 });

    // And forth again, to what was saved before.
    let listed = list(&bench, web);
    let safety = listed.iter().find(|one| one["made_by"] == "safety").unwrap();
    assert_eq!(
        (safety["made_for"].as_str(), safety["consistency"].as_str()),
        (Some(id(&at_five)), Some("memory"))
    );
    snapshot(&bench, &["rollback", id(safety), "--no-safety"]);
    assert_eq!(guest.count(), Counted { ram: 12, disk: 12 });
    assert_eq!(list(&bench, web).len(), 2, "what was saved for the while is gone");

    // Files of a snapshot, while the machine runs.
    assert_eq!(count_in(&bench, id(&at_five), "out"), 5);
    assert_eq!(guest.count(), Counted { ram: 13, disk: 13 });
    snapshot(&bench, &["protect", id(&at_five)]);
    assert!(!snapshot_any(&bench, &["delete", id(&at_five)]).status.success());
    snapshot(&bench, &["protect", id(&at_five), "--off", "--label", "then"]);
    assert_eq!(list(&bench, web)[0]["label"], "then");
    let copy = bench.path("copy.qcow2");
    snapshot(&bench, &["clone", id(&at_five), copy.to_str().unwrap()]);
    snapshot(&bench, &["delete", id(&at_five), id(safety)]);
    assert!(list(&bench, web).is_empty());
    assert_eq!(guest.count(), Counted { ram: 14, disk: 14 });
    guest.end();
    super::run("qemu-img", &["check".as_ref(), disk.as_os_str()]);

    // The copy is a machine's disk of its own.
    let mut other = Guest::start(&bench, "other", &[&copy]);
    assert_eq!(other.count(), Counted { ram: 1, disk: 6 });
}

/// Stands between coffer and QEMU's monitor, and keeps an order until it is told to let it pass.
pub struct Between {
    pub asked: Receiver<()>,
    pub pass: Sender<()>,
}

pub fn between(qmp: &Path, at: &Path, order: &'static str) -> Between {
    let listener = UnixListener::bind(at).unwrap();
    let (tell, asked) = channel();
    let (pass, passed) = channel::<()>();
    let qmp = qmp.to_path_buf();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            relay(UnixStream::connect(&qmp).unwrap(), client, |line| {
                if line.contains(order) {
                    tell.send(()).ok()?;
                    passed.recv().ok()?;
                }
                Some(line)
            });
        }
    });
    Between { asked, pass }
}

/// Stands there too, and has QEMU hear an order in other words.
pub fn other_words(qmp: &Path, at: &Path, order: &'static str, [words, others]: [&'static str; 2]) {
    let listener = UnixListener::bind(at).unwrap();
    let qmp = qmp.to_path_buf();
    let hear = move |line: String| match line.contains(order) {
        true => Some(line.replace(words, others)),
        false => Some(line),
    };
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            relay(UnixStream::connect(&qmp).unwrap(), client, hear);
        }
    });
}

/// Hands on all that both say until one of them goes, or `hear` has nothing more for QEMU.
fn relay(mut server: UnixStream, client: UnixStream, hear: impl Fn(String) -> Option<String>) {
    let (mut answers, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
    for line in BufReader::new(client).lines().map_while(Result::ok).map_while(hear) {
        if server.write_all(format!("{line}\n").as_bytes()).is_err() {
            break;
        }
    }
    let _ = server.shutdown(std::net::Shutdown::Both);
}

#[test]
#[ignore = "needs root, QEMU, the guest (tests/run)"]
fn the_guest_is_frozen_for_its_disks_and_thaws_whatever_happens() {
    let bench = Bench::new();
    let disk = image(&bench, "disk");
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    let proxy = bench.path("between");
    let between = between(&guest.qmp, &proxy, "\"transaction\"");
    let words = ["machine", "add", "web", "--qmp", proxy.to_str().unwrap(), "--agent"];
    bench.coffer(&[&words[..], &[guest.agent.to_str().unwrap()]].concat());
    assert_eq!(guest.count().disk, 1);

    let start = || {
        let words = ["snapshot", "take", "web", "--json"].map(OsStr::new);
        bench
            .coffer_command(&words)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let soon = Duration::from_secs(60);
    let coffer = start();
    between
        .asked
        .recv_timeout(soon)
        .expect("it is about to take the snapshot");
    guest.send("held");
    assert_eq!(guest.answer(Duration::from_millis(500)), None, "its writer is held");
    between.pass.send(()).unwrap();
    let output = coffer.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", both(&output));
    let taken = super::results(&output).remove(0);
    assert_eq!(taken["consistency"], "filesystem");
    assert!(taken["pause_ms"].as_u64().unwrap() >= 500, "{taken}");
    assert_eq!(guest.answer(soon), Some(Counted { ram: 2, disk: 2 }), "and goes on");
    assert_eq!(
        count_in(&bench, id(&taken), "one"),
        1,
        "what it wrote while it was held is not in it"
    );

    // Killed while the guest is frozen.
    let mut coffer = start();
    between
        .asked
        .recv_timeout(soon)
        .expect("it is about to take the snapshot");
    guest.send("held");
    assert_eq!(guest.answer(Duration::from_millis(500)), None, "its writer is held");
    signal(&coffer, rustix::process::Signal::KILL);
    coffer.wait().unwrap();
    assert_eq!(
        guest.answer(soon),
        Some(Counted { ram: 3, disk: 3 }),
        "thawed all the same"
    );
    between.pass.send(()).unwrap();
    // What the dead one left goes with the next.
    let coffer = start();
    between
        .asked
        .recv_timeout(soon)
        .expect("it is about to take the snapshot");
    between.pass.send(()).unwrap();
    assert!(coffer.wait_with_output().unwrap().status.success());
    let listed = list(&bench, Path::new("web"));
    assert_eq!(listed.len(), 2, "{listed:?}");
    let left = fs::read_dir(disk.parent().unwrap().join(".coffer-snapshots"))
        .unwrap()
        .flatten();
    let parts = left.filter(|entry| entry.path().extension().is_some()).count();
    assert_eq!(parts, 0);
}

#[test]
#[ignore = "needs root, QEMU, the guest, strace (tests/run)"]
fn all_disks_of_a_machine_go_back_together_while_it_is_off() {
    let bench = Bench::new();
    let (disk, more) = (image(&bench, "disk"), image(&bench, "more"));
    let mut guest = Guest::start(&bench, "web", &[&disk, &more]);
    guest.name_it(&bench, "web");
    let web = Path::new("web");
    guest.count();
    let one = take(&bench, web, &[]);
    guest.count();
    let refused = both(&snapshot_any(&bench, &["rollback", id(&one)]));
    assert!(refused.contains("shut the machine down"), "{refused}");
    let refused = both(&snapshot_any(&bench, &[OsStr::new("take"), disk.as_os_str()]));
    assert!(refused.contains("a machine that runs has it open"), "{refused}");
    let refused = both(&snapshot_any(
        &bench,
        &["rollback", id(&one), "--of", disk.to_str().unwrap()],
    ));
    assert!(refused.contains("qemu-system"), "{refused}");
    guest.end();

    // Not with a disk less.
    let away = bench.path("away");
    fs::rename(&more, &away).unwrap();
    let refused = both(&snapshot_any(&bench, &["take", "web"]));
    assert!(refused.contains("is not there any more"), "{refused}");
    fs::rename(&away, &more).unwrap();
    let off = take(&bench, web, &["--label", "off"]);
    assert_eq!(off["consistency"], "crash");
    let notes = off["notes"].to_string();
    assert!(
        notes.contains("disk.qcow2, ") && notes.contains("more.qcow2"),
        "{notes}"
    );
    // Killed before it is written down that all of them have gone back: nothing is taken until they have.
    let words = ["snapshot", "rollback", id(&off), "--of", "web"].map(OsStr::new);
    let mut killed = super::injected(&bench, "rename:signal=KILL:when=4", &words);
    assert!(!killed.output().unwrap().status.success());
    let refused = both(&snapshot_any(&bench, &["take", "web"]));
    assert!(refused.contains("of two moments"), "{refused}");
    snapshot(&bench, &["rollback", id(&off), "--of", "web", "--no-safety"]);
    let again = take(&bench, web, &[]);
    snapshot(&bench, &["delete", id(&again), "--of", "web"]);
    let killed = list(&bench, web).pop().unwrap();
    snapshot(&bench, &["delete", id(&killed), "--of", "web"]);
    let refused = both(&snapshot_any(
        &bench,
        &["delete", id(&one), "--of", disk.to_str().unwrap()],
    ));
    assert!(refused.contains("all 2 disks of the machine web"), "{refused}");
    let done = snapshot(&bench, &["rollback", id(&one), "--of", "web"]);
    assert!(
        both(&done).contains("every block of the disk is the snapshot's"),
        "{}",
        both(&done)
    );
    let listed = list(&bench, web);
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert!(listed.iter().all(|one| one["size"]["exact"] == true), "{listed:?}");
    let mut guest = Guest::start(&bench, "web", &[&disk, &more]);
    assert_eq!(guest.count(), Counted { ram: 1, disk: 2 });
    let ls = snapshot(&bench, &["ls", id(&off), "--of", "web", "--json"]);
    let names: Vec<String> = lines(&ls)
        .iter()
        .map(|row| row["path"].as_str().unwrap().into())
        .collect();
    assert_eq!(names, ["disk", "more"], "each disk in a folder of its own");
    for one in &listed {
        snapshot(&bench, &["delete", id(one), "--of", "web"]);
    }
    assert_eq!(guest.count(), Counted { ram: 2, disk: 3 });
}

#[test]
#[ignore = "needs root, QEMU, the guest (tests/run)"]
fn what_cannot_be_reached_is_said() {
    let bench = Bench::new();
    let disk = image(&bench, "disk");
    let guest = Guest::start(&bench, "web", &[&disk]);
    let qmp = guest.qmp.clone();
    let words = ["machine", "add", "web", "--qmp", qmp.to_str().unwrap()];
    bench.coffer(&words);
    // Another program holds the monitor.
    let holder = UnixStream::connect(&guest.qmp).unwrap();
    holder.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    let mut greeting = String::new();
    BufReader::new(&holder).read_line(&mut greeting).unwrap();
    let refused = both(&snapshot_any(&bench, &["take", "web"]));
    assert!(refused.contains("another program holds its QMP socket"), "{refused}");
    drop(holder);
    wait_until("it answers again", || {
        snapshot_any(&bench, &["take", "web"]).status.success()
    });
    let crash = list(&bench, Path::new("web"));
    assert_eq!(crash[0]["consistency"], "crash", "it has no agent");
    let refused = both(&snapshot_any(&bench, &["take", "web", "--consistency", "filesystem"]));
    assert!(refused.contains("install qemu-guest-agent"), "{refused}");
    guest.end();
    let refused = both(&snapshot_any(&bench, &["take", "web", "--consistency", "memory"]));
    assert!(refused.contains("it does not run"), "{refused}");
    // Another one that gets its name has not its disks.
    bench.coffer(&["machine", "remove", "web"]);
    bench.coffer(&words);
    let refused = both(&snapshot_any(&bench, &["take", "web"]));
    assert!(refused.contains("which disks it has is not known"), "{refused}");
}

/// Writes 1, 2, 3, … to a file on each of two volumes and then to a guest's disk, and waits for the guest's answer.
struct Writer(std::process::Child);

impl Writer {
    fn start(a: &Path, b: &Path, guest: &Path) -> Writer {
        let script = "use IO::Socket::UNIX; open A, '+>', $ARGV[0]; open B, '+>', $ARGV[1]; \
            $g = IO::Socket::UNIX->new(Peer => $ARGV[2]) or die; $g->autoflush(1); \
            for ($n = 1;; $n++) { $t = sprintf '%012d', $n; sysseek A, 0, 0; syswrite A, $t; sysseek B, 0, 0; \
            syswrite B, $t; print $g \"$n\\n\"; $g->getline; }";
        let child = std::process::Command::new("perl")
            .args(["-e", script])
            .args([a, b, guest])
            .spawn();
        Writer(child.unwrap())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn number(path: &Path) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

#[test]
#[ignore = "needs root, btrfs-progs, perl, QEMU, the guest (tests/run)"]
fn a_farm_of_two_volumes_and_a_guest_never_holds_a_later_number_without_the_earlier() {
    let bench = Bench::new();
    let (one, two) = (super::Volume::btrfs(&bench, "m1"), super::Volume::btrfs(&bench, "m2"));
    let (a, b) = (one.subvolume("a"), two.subvolume("b"));
    let disk = image(&bench, "disk");
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    guest.name_it(&bench, "web");
    guest.let_go();
    let writer = Writer::start(&a.join("n"), &b.join("n"), &guest.counting());
    wait_until("the writer writes", || number(&a.join("n")) > 2);
    let mut groups = Vec::new();
    for round in 0..3 {
        let words = [
            OsStr::new("group"),
            "--json".as_ref(),
            a.as_os_str(),
            b.as_os_str(),
            "web".as_ref(),
        ];
        let taken = super::results(&snapshot(&bench, &words));
        assert_eq!(taken.len(), 3);
        for one in &taken {
            assert!(one["pause_ms"].is_u64() && one["consistency"] == "filesystem", "{one}");
            assert_eq!(one["group"], taken[0]["group"]);
        }
        let first = number(&super::files(&taken[0]).join("n"));
        let second = number(&super::files(&taken[1]).join("n"));
        let third = count_in(&bench, id(&taken[2]), &format!("out{round}"));
        assert!(
            first >= second && second >= third && third + 1 >= first,
            "{first}, {second}, {third}"
        );
        wait_until("the writer goes on", || number(&a.join("n")) > first + 2);
        groups.push((taken, first, second, third));
    }
    drop(writer);
    guest.end();
    let (taken, first, second, third) = groups.swap_remove(1);
    for one in &taken {
        let of = one["target"].as_str().unwrap();
        snapshot(&bench, &["rollback", id(one), "--of", of]);
    }
    assert_eq!((number(&a.join("n")), number(&b.join("n"))), (first, second));
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    assert_eq!(
        guest.count(),
        Counted {
            ram: 1,
            disk: third + 1
        }
    );
}

//! Machines that stand still for a while: several of one moment with their RAM, and one that goes on by itself.

use std::ffi::OsStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::guest::{Guest, image};
use super::qemu::{between, other_words};
use super::{id, results, snapshot, snapshot_any, take};
use crate::support::{Bench, both, signal, wait_until};

#[test]
#[ignore = "needs root, QEMU, the guest (tests/run)"]
fn machines_of_a_group_are_of_one_moment_with_their_ram() {
    let bench = Bench::new();
    let (one, two) = (image(&bench, "one"), image(&bench, "two"));
    let (mut a, mut b) = (Guest::start(&bench, "a", &[&one]), Guest::start(&bench, "b", &[&two]));
    a.name_it(&bench, "a");
    b.name_it(&bench, "b");
    let (counted, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let (told, stopped) = (counted.clone(), stop.clone());
    // The second never counts further than the first.
    let counting = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            a.count();
            told.store(b.count().ram, Ordering::SeqCst);
        }
        (a, b)
    });
    let now = || counted.load(Ordering::SeqCst);
    wait_until("they count", || now() > 2);
    let words = ["group", "--json", "a", "b", "--consistency", "memory"];
    let taken = results(&snapshot(&bench, &words));
    assert_eq!(taken.len(), 2);
    for one in &taken {
        assert!(one["consistency"] == "memory" && one["pause_ms"].is_u64(), "{one}");
    }
    let then = now();
    wait_until("they count on", || now() > then + 2);
    stop.store(true, Ordering::Relaxed);
    let (mut a, mut b) = counting.join().unwrap();
    for (one, of) in taken.iter().zip(["a", "b"]) {
        snapshot(&bench, &["rollback", id(one), "--of", of, "--no-safety"]);
    }
    let (first, second) = (a.count(), b.count());
    assert!(first.ram == first.disk && second.ram == second.disk);
    assert!(
        first.ram == second.ram || first.ram == second.ram + 1,
        "{first:?} and {second:?}"
    );
    assert!(second.ram <= then + 2, "{second:?} after {then}");
    let crash = results(&snapshot(
        &bench,
        &["group", "--json", "a", "b", "--consistency", "crash"],
    ));
    for one in &crash {
        let notes = one["notes"].to_string();
        assert!(notes.contains("one after the other, within"), "{notes}");
    }
}

#[test]
#[ignore = "needs root, QEMU, the guest (tests/run)"]
fn a_machine_goes_on_when_coffer_is_killed_while_it_goes_back() {
    let bench = Bench::new();
    let disk = image(&bench, "disk");
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    let proxy = bench.path("between");
    let between = between(&guest.qmp, &proxy, "\"snapshot-load\"");
    bench.coffer(&["machine", "add", "web", "--qmp", proxy.to_str().unwrap()]);
    guest.count();
    let one = take(&bench, "web".as_ref(), &["--consistency", "memory"]);
    guest.count();
    let words = ["snapshot", "rollback", id(&one), "--of", "web"].map(OsStr::new);
    let mut coffer = bench.coffer_command(&words).spawn().unwrap();
    let soon = Duration::from_secs(60);
    between.asked.recv_timeout(soon).expect("it is about to go back");
    guest.send("still");
    assert_eq!(guest.answer(Duration::from_millis(500)), None, "it stands still");
    signal(&coffer, rustix::process::Signal::KILL);
    coffer.wait().unwrap();
    between.pass.send(()).unwrap();
    wait_until("it goes on", || guest.qmp("query-status")["status"] == "running");
    // A line that had come as far as its port when it went back is gone with what the port held: the next one tells.
    guest.send("next");
    let counted = guest.answer(soon).expect("it answers one of them");
    assert_eq!(counted.ram, counted.disk);

    // QEMU loads nothing, neither this one nor what was before: as nothing has happened, it goes on too.
    let proxy = bench.path("spoils");
    other_words(
        &guest.qmp,
        &proxy,
        "\"snapshot-load\"",
        ["\"tag\":\"coffer-", "\"tag\":\"nowhere-"],
    );
    bench.coffer(&["machine", "add", "spoilt", "--qmp", proxy.to_str().unwrap()]);
    let now = guest.count();
    let words = ["rollback", id(&one), "--of", "spoilt"];
    let refused = both(&snapshot_any(&bench, &words));
    assert!(refused.contains("nowhere-"), "{refused}");
    assert_eq!(guest.qmp("query-status")["status"], "running", "{refused}");
    let next = guest.count();
    assert_eq!((next.ram, next.disk), (now.ram + 1, now.disk + 1));
}

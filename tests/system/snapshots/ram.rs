//! RAM that takes a while to be written: how far it is, is told, and who wants it to stop gets the machine as it was.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use super::guest::{Counted, Guest, image};
use super::{Ended, id, list, snapshot, take};
use crate::support::{Bench, both, signal, wait_until};

/// Lets QEMU write and read slowly while it lives.
fn slowly(guest: &Guest) -> Ended {
    let calls = "pwrite64,pwritev,pread64,preadv";
    let slow = Ended::spawn(
        Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args([
                "-e",
                &format!("inject={calls}:delay_enter=20000"),
                "-p",
                &guest.pid().to_string(),
            ]),
    );
    let status = format!("/proc/{}/status", guest.pid());
    wait_until("strace has it", || {
        std::fs::read_to_string(&status).is_ok_and(|text| text.contains(&format!("TracerPid:\t{}", slow.id())))
    });
    slow
}

/// How far a command of coffer's is, by the first line that says it is on its way.
fn on_its_way(lines: &mut impl Iterator<Item = Value>) -> (u64, u64) {
    let number = |value: &Value, name: &str| value[name].as_u64().unwrap_or(0);
    let mut moments = lines.map(|line| (number(&line, "bytes_done"), number(&line, "total_bytes")));
    moments
        .find(|(done, total)| *done > 0 && done < total)
        .expect("it tells how far it is before it ends")
}

#[test]
#[ignore = "needs root, QEMU, the guest, strace (tests/run)"]
fn a_machine_whose_ram_is_being_written_says_how_far_it_is_and_is_as_before_when_stopped() {
    let bench = Bench::new();
    let disk = image(&bench, "disk");
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    guest.name_it(&bench, "web");
    let web = std::path::Path::new("web");
    assert_eq!(guest.count(), Counted { ram: 1, disk: 1 });
    let start = |words: &[&str]| {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        let mut command = bench.coffer_command(&words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        (child, lines)
    };

    let slow = slowly(&guest);
    let (coffer, mut lines) = start(&["snapshot", "take", "web", "--consistency", "memory", "--json"]);
    let (done, total) = on_its_way(&mut lines);
    assert!(done < total && total <= 128 << 20, "{done} of {total}");
    signal(&coffer, Signal::INT);
    let stopping = lines.any(|line| {
        let current = line["current"].as_str().unwrap_or_default();
        current.contains("QEMU cannot be interrupted while it writes RAM")
    });
    assert!(stopping, "it says why it does not stop at once");
    drop(slow);
    let output = coffer.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", both(&output));
    assert!(list(&bench, web).is_empty(), "what was written is deleted again");
    assert!(
        super::export_live::bitmaps(&guest).is_empty(),
        "and what recorded from then on"
    );
    assert_eq!(guest.count(), Counted { ram: 2, disk: 2 });
    let jobs = crate::support::list(&bench.coffer(&["jobs", "--json"]));
    let shown = bench.coffer(&["jobs", "show", &jobs[0]["id"].to_string()]);
    assert!(
        both(&shown).contains("when that is done the snapshot is deleted again"),
        "{}",
        both(&shown)
    );

    // Going back: stopped while the present state is saved, nothing has happened.
    let one = take(&bench, web, &["--consistency", "memory"]);
    assert_eq!(guest.count(), Counted { ram: 3, disk: 3 });
    let slow = self::slowly(&guest);
    let (coffer, mut lines) = start(&["snapshot", "rollback", id(&one), "--json"]);
    on_its_way(&mut lines);
    signal(&coffer, Signal::INT);
    assert!(lines.any(|line| {
        line["current"]
            .as_str()
            .is_some_and(|text| text.starts_with("stopping"))
    }));
    drop(slow);
    let output = coffer.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", both(&output));
    assert_eq!(list(&bench, web).len(), 1);
    assert_eq!(guest.count(), Counted { ram: 4, disk: 4 });
    snapshot(&bench, &["rollback", id(&one), "--no-safety"]);
    assert_eq!(guest.count(), Counted { ram: 3, disk: 3 });
}

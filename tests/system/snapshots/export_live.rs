//! Snapshots of a machine that runs sent into a vault while it writes on: what comes back is the snapshot, to the bit.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use coffer::vault::chunker::MAX_SIZE;
use serde_json::{Value, json};

use super::export::{export, qemu_img, restored};
use super::guest::Guest;
use super::{id, results, run, take};
use crate::edge::noise;
use crate::support::{Bench, Restic};

const MIB: u64 = 1 << 20;

/// Less than this is read of what the guest has changed since. Most of that lies among zeros, where chunks are short; each vault
/// cuts the noise elsewhere, and a change there may begin at the end of one chunk and end at the beginning of another.
const CHANGED: u64 = 2 * MAX_SIZE as u64 + 8 * MIB;

/// A disk with an ext4 that has something in it.
fn image(bench: &Bench) -> PathBuf {
    let (raw, image, content) = (bench.path("disk.raw"), bench.path("disk.qcow2"), bench.path("content"));
    fs::create_dir(&content).unwrap();
    fs::write(content.join("noise"), noise(11, 40 << 20)).unwrap();
    fs::File::create(&raw).unwrap().set_len(96 << 20).unwrap();
    run(
        "mkfs.ext4",
        &["-q".as_ref(), "-d".as_ref(), content.as_os_str(), raw.as_os_str()],
    );
    qemu_img(&["convert", "-f", "raw", "-O", "qcow2"], &[&raw, &image]);
    fs::remove_file(raw).unwrap();
    image
}

/// The guest counts for as long as `work` takes, and at least once.
fn while_it_counts<T>(guest: &mut Guest, work: impl FnOnce() -> T + Send) -> T
where
    T: Send,
{
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            done.store(true, Ordering::Relaxed);
            result
        });
        guest.count();
        while !done.load(Ordering::Relaxed) {
            guest.count();
        }
        worker
            .join()
            .unwrap()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
#[ignore = "needs root, QEMU, the guest, restic (tests/run)"]
fn a_running_machine_is_exported_while_it_writes_and_comes_back_to_the_bit() {
    let bench = Bench::new();
    let vault = bench.coffer_vault("vault", &[]);
    let disk = image(&bench);
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    guest.name_it(&bench, "web");
    let web = Path::new("web");
    guest.count();
    let export = |snapshot: &Value| export(&bench, &vault, snapshot, web).0;
    let mut done = Vec::new();
    for how in ["memory", "filesystem", "crash", "memory"] {
        let taken = while_it_counts(&mut guest, || take(&bench, web, &["--consistency", how]));
        let exported = while_it_counts(&mut guest, || export(&taken));
        let read = exported["bytes_read"].as_u64().unwrap();
        match done.last() {
            None => assert!(read >= 40 * MIB, "{exported}"),
            Some((_, before)) => {
                let before: &Value = before;
                assert_eq!(exported["parent"], before["generation"]);
                assert!(
                    read > 0 && read < CHANGED,
                    "{how}: what has changed is read: {exported}"
                );
            }
        }
        assert_eq!(
            exported["total_bytes_processed"].as_u64().unwrap() / MIB,
            96,
            "{exported}"
        );
        done.push((taken, exported));
    }
    // The vault counts as what brings the machine back, and no single file of it.
    let words = ["vault", "add", "main"].map(OsStr::new);
    bench.coffer(&[&words[..], &[vault.as_os_str()]].concat());
    let last = id(&done.last().unwrap().0);
    bench.coffer(&["snapshot", "export", "--vault", "main", last, "--of", "web"]);
    let rows = results(&bench.coffer(&["coverage", "--json"]));
    let row = rows
        .iter()
        .find(|row| row["what"] == "web")
        .unwrap_or_else(|| panic!("{rows:?}"));
    assert_eq!(row["vaults"], json!(["main"]), "{row}");
    assert!(row["whole_state"].as_str().unwrap().contains("vault main"), "{row}");
    assert!(!row["one_file"].as_str().unwrap().contains("vault"), "{row}");
    guest.end();
    bench.restic_check(Restic::New, &vault);
    for (taken, exported) in &done {
        let then = bench.path(&format!("then-{}", id(taken)));
        let name = format!("snapshot.name=coffer-{}", id(taken));
        qemu_img(&["convert", "-f", "qcow2", "-O", "raw", "-l", &name], &[&disk, &then]);
        let back = restored(&bench, &vault, exported, &disk);
        run("cmp", &[back.as_os_str(), then.as_os_str()]);
    }
    // A machine starts from what came back.
    let (back, again) = (restored(&bench, &vault, &done[1].1, &disk), bench.path("again.qcow2"));
    qemu_img(&["convert", "-f", "raw", "-O", "qcow2"], &[&back, &again]);
    Guest::start(&bench, "again", &[&again]).count();
}

/// The names of the bitmaps that QEMU has of the machine's first disk.
pub fn bitmaps(guest: &Guest) -> Vec<String> {
    let told = guest.qmp("query-block");
    let all = told[0]["inserted"]["dirty-bitmaps"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

/// What a process leaves in QEMU that dies while it reads a bitmap.
fn leave(guest: &Guest) {
    let copy = "coffer-copy-aaaaaaaaaaaa";
    let bitmap = json!({ "node": "disk0", "name": copy, "persistent": false, "disabled": true });
    guest.order("block-dirty-bitmap-add", bitmap);
    let at = json!({ "type": "unix", "data": { "path": format!("{}.coffer", guest.qmp.display()) } });
    guest.order("nbd-server-start", json!({ "addr": at, "max-connections": 1 }));
    let shown = json!({
        "type": "nbd", "id": copy, "node-name": "disk0", "name": "changes", "writable": false, "bitmaps": [copy],
    });
    guest.order("block-export-add", shown);
}

#[test]
#[ignore = "needs root, QEMU, the guest, restic (tests/run)"]
fn what_a_machine_wrote_since_a_snapshot_that_is_gone_is_known_while_it_runs() {
    let bench = Bench::new();
    let vault = bench.coffer_vault("vault", &[]);
    let disk = image(&bench);
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    guest.name_it(&bench, "web");
    let web = Path::new("web");
    let export = |snapshot: &Value| export(&bench, &vault, snapshot, web).0;
    let read = |exported: &Value| exported["bytes_read"].as_u64().unwrap();
    let delete = |snapshot: &Value| super::snapshot(&bench, &["delete", id(snapshot), "--of", "web"]);
    let same = |taken: &Value, exported: &Value| {
        let then = bench.path(&format!("then-{}", id(taken)));
        let name = format!("snapshot.name=coffer-{}", id(taken));
        qemu_img(
            &["convert", "-U", "-f", "qcow2", "-O", "raw", "-l", &name],
            &[&disk, &then],
        );
        let back = restored(&bench, &vault, exported, &disk);
        run("cmp", &[back.as_os_str(), then.as_os_str()]);
    };
    let mut done: Vec<(Value, Value)> = Vec::new();
    for how in ["filesystem", "memory", "crash", "memory"] {
        guest.count();
        let taken = take(&bench, web, &["--consistency", how]);
        guest.count();
        let exported = match done.last() {
            None => export(&taken),
            Some((gone, before)) => {
                delete(gone);
                if done.len() == 2 {
                    leave(&guest);
                }
                let exported = export(&taken);
                assert_eq!(exported["parent"], before["generation"]);
                assert!(read(&exported) > 0 && read(&exported) < CHANGED, "{how}: {exported}");
                exported
            }
        };
        let then = bench.path(&format!("then-{}", id(&taken)));
        let name = format!("snapshot.name=coffer-{}", id(&taken));
        qemu_img(
            &["convert", "-U", "-f", "qcow2", "-O", "raw", "-l", &name],
            &[&disk, &then],
        );
        let back = restored(&bench, &vault, &exported, &disk);
        run("cmp", &[back.as_os_str(), then.as_os_str()]);
        done.push((taken, exported));
        assert_eq!(bitmaps(&guest).len(), done.len().min(2), "{:?}", bitmaps(&guest));
    }
    // An earlier one after a later one that is gone: nothing was recorded from that one on to this.
    let early = take(&bench, web, &[]);
    guest.count();
    let late = take(&bench, web, &[]);
    export(&late);
    delete(&late);
    same(&early, &export(&early));
    // Going back takes them away, and so nothing is believed of what was before.
    let (ram, _) = done.pop().unwrap();
    leave(&guest);
    super::snapshot(&bench, &["rollback", id(&ram), "--no-safety"]);
    assert!(bitmaps(&guest).is_empty());
    assert_eq!(guest.qmp("query-status")["status"], "running");
    delete(&early);
    guest.count();
    let taken = take(&bench, web, &[]);
    let exported = export(&taken);
    assert!(read(&exported) >= 40 * MIB, "{exported}");
    // Nor of another run of QEMU.
    guest.end();
    super::snapshot(&bench, &["delete", id(&taken), "--of", "web"]);
    let mut guest = Guest::start(&bench, "web", &[&disk]);
    guest.count();
    let taken = take(&bench, web, &[]);
    let exported = export(&taken);
    assert!(read(&exported) >= 40 * MIB, "{exported}");
    bench.restic_check(Restic::New, &vault);
}

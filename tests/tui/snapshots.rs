//! The screen Snapshots on a real btrfs subvolume and a real machine: take one, change something, go back.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::guest::{Counted, Guest, image};
use crate::session::{Demo, PATIENCE, Session, environment};

/// A btrfs filesystem in a file, mounted while this lives.
struct Volume {
    mount: PathBuf,
}

impl Volume {
    fn new(folder: &Path) -> Volume {
        let (image, mount) = (folder.join("btrfs.image"), folder.join("volume"));
        std::fs::File::create(&image).unwrap().set_len(400 << 20).unwrap();
        std::fs::create_dir(&mount).unwrap();
        run(Command::new("mkfs.btrfs").args(["-q", "-f"]).arg(&image));
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&mount));
        Volume { mount }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mount).status();
    }
}

fn run(command: &mut Command) {
    let status = command.status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "{command:?}: run tests/run"
    );
}

/// Answers the question that has its name typed: in its first moment it does not hear Enter, and says so.
fn confirm(session: &mut Session) {
    let asks = |screen: &vt100::Screen| screen.contents().contains("to go on");
    loop {
        session.press("\r");
        let told = |screen: &vt100::Screen| !asks(screen) || screen.contents().contains("That is not it");
        assert!(session.watch(PATIENCE, told), "{}", session.contents());
        if !session.contents().contains("to go on") {
            return;
        }
        // Another letter and away again: then it asks anew.
        session.press("x\x7f");
        session.see_gone("That is not it");
    }
}

/// Goes to the snapshots of a subvolume, takes one, breaks a file, goes back, and looks into what was kept.
fn there_and_back(columns: u16, rows: u16) {
    let demo = Demo::make();
    let volume = Volume::new(demo.path());
    let site = volume.mount.join("site");
    run(Command::new("btrfs").args(["-q", "subvolume", "create"]).arg(&site));
    std::fs::write(site.join("index.html"), "then").unwrap();

    let mut session = Session::start(&demo, columns, rows, &[]);
    session.see("up to date");
    session.press("5");
    session.see("/site");
    // Whatever else can be snapshotted on this machine is not looked at.
    session.press(&format!("/{}\r", site.display()));
    session.see("1/1");
    session.press("\r");
    session.see("There is no snapshot of it yet");

    session.press("n");
    session.see("nobody now");
    session.press("first one\r");
    session.see_gone("Take a snapshot");
    let listed = |screen: &vt100::Screen| {
        let text = screen.contents();
        text.contains("◐ filesystem") && text.contains("first one") && !text.contains("There is no snapshot")
    };
    assert!(session.watch(PATIENCE, listed), "{}", session.contents());

    std::fs::write(site.join("index.html"), "broken, and much longer").unwrap();
    session.press("c");
    session.see("~ changed");
    session.press("\x1b");
    session.see_gone("~ changed");
    session.press("r");
    session.see("Is lost");
    session.press_until_gone("y", "Is lost");
    session.see("Type site to go on");
    // A second y may have been typed into the name.
    session.press("\x15site");
    confirm(&mut session);
    session.see("safety");
    session.see_gone("Roll back /");
    assert_eq!(std::fs::read_to_string(site.join("index.html")).unwrap(), "then");

    // The state before is kept, and can be looked into.
    session.press("g\r");
    session.see("index.html");
    session.press("\r");
    session.see("broken, and much longer");
    session.press("\x1b");
    session.see_gone("broken, and much longer");
    session.press("\x1b");
    session.see_gone("index.html");
    session.press("q");
    session.ends(true);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_subvolume_goes_back_by_screen_5() {
    there_and_back(120, 40);
}

#[test]
#[ignore = "needs root, btrfs-progs (tests/run)"]
fn a_subvolume_goes_back_by_screen_5_on_a_small_terminal() {
    there_and_back(80, 24);
}

#[test]
#[ignore = "needs root, QEMU, the guest (tests/run)"]
fn a_live_machine_goes_back_by_screen_5() {
    let demo = Demo::make();
    let disk = image(demo.path(), "disk");
    let mut guest = Guest::start(demo.path(), "counting", &[&disk]);
    let mut add = Command::new(env!("CARGO_BIN_EXE_coffer"));
    add.env_clear().envs(environment(demo.path()));
    add.args(["machine", "add", "counting", "--qmp"]).arg(&guest.qmp);
    run(add.arg("--agent").arg(&guest.agent));
    for n in 1..=5 {
        assert_eq!(guest.count(), Counted { ram: n, disk: n });
    }

    let mut session = Session::start(&demo, 120, 40, &[]);
    session.see("up to date");
    session.press("5");
    session.see("counting");
    session.press("/counting\r");
    session.see("1/1");
    session.press("\r");
    session.see("There is no snapshot of it yet");
    session.press("n");
    session.see("what runs in it");
    // The level that holds most stands last.
    session.press("at five\t\x1b[F");
    session.see("● memory");
    session.press("\r");
    session.see_gone("Take a snapshot");
    session.see("Snapshot counting");
    let listed = |screen: &vt100::Screen| {
        let text = screen.contents();
        text.contains("at five") && text.contains("memory") && !text.contains("Snapshot counting")
    };
    assert!(session.watch(PATIENCE, listed), "{}", session.contents());
    for n in 6..=11 {
        assert_eq!(guest.count(), Counted { ram: n, disk: n });
    }

    session.press("r");
    session.see("Is lost");
    session.press_until_gone("y", "Is lost");
    session.see("Type counting to go on");
    session.press("\x15counting");
    confirm(&mut session);
    session.see("Roll back counting");
    session.see("safety");
    session.see_gone("Roll back counting");
    assert_eq!(
        guest.count(),
        Counted { ram: 6, disk: 6 },
        "it goes on from where it was"
    );
    session.press("q");
    session.ends(true);
}

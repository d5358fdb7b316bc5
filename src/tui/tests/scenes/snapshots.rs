//! The screen Snapshots and its dialogs.

use super::Scene;
use crate::engine::JobKind;
use crate::tui::stage::Stage;

/// The snapshots of `/home`.
fn home(s: &mut Stage) {
    s.keys("5 j Enter");
}

/// The snapshots of `/srv/www`.
fn www(s: &mut Stage) {
    s.keys("5 j j Enter");
}

/// The policy `hourly`, changed to keep the last three and none a day.
fn shorter(s: &mut Stage) {
    s.keys("5 p Enter Tab Tab Tab Ctrl-u");
    s.text("3");
    s.keys("Tab Tab Ctrl-u");
}

pub(super) const SCENES: &[Scene] = &[
    ("snapshots", true, |s| s.keys("5")),
    ("snapshots-looking", true, |s| {
        s.silent = true;
        s.keys("5");
    }),
    ("snapshots-bare", false, |s| s.keys("5")),
    ("snapshots-cannot", true, |s| {
        s.keys("5 G");
        s.wait(1000);
    }),
    ("snapshots-picked", true, |s| s.keys("5 Space Space G k")),
    ("snapshots-of", true, www),
    ("snapshots-none", true, |s| s.keys("5 j j j Enter")),
    ("snapshots-priced", true, |s| s.keys("5 G k Enter")),
    ("snapshots-marked", true, |s| {
        www(s);
        s.keys("j j m j j j m j Space j v j j");
    }),
    ("snapshots-staged", true, |s| {
        www(s);
        s.keys("j d d G d k k k k d");
    }),
    ("snapshots-details", true, |s| {
        s.keys("5 Enter j Tab");
    }),
    ("snapshots-running", true, |s| {
        www(s);
        let job = s.start_job(JobKind::Snapshot, "Snapshot /srv/www");
        s.progress(&job, 30);
    }),
    ("snapshot-take", true, |s| {
        www(s);
        s.keys("n");
    }),
    ("snapshot-take-looking", true, |s| {
        www(s);
        s.silent = true;
        s.keys("n");
    }),
    ("snapshot-take-several", true, |s| {
        s.keys("5 Space j Space n");
        s.text("before the move");
        s.keys("Tab →");
    }),
    ("snapshot-take-unable", true, |s| s.keys("5 j j j n")),
    ("snapshot-take-application", true, |s| s.keys("5 j n Tab → → → Enter")),
    ("snapshot-label", true, |s| {
        home(s);
        s.keys("e");
        s.text(" to the NAS");
    }),
    ("snapshot-rollback", true, |s| {
        www(s);
        s.keys("G r");
    }),
    ("snapshot-rollback-unsafe", true, |s| {
        www(s);
        s.keys("j r s");
    }),
    ("snapshot-rollback-busy", true, |s| {
        home(s);
        s.keys("r y");
    }),
    ("snapshot-rollback-confirm", true, |s| {
        www(s);
        s.keys("j r y");
        s.text("ww");
    }),
    ("snapshot-review", true, |s| {
        www(s);
        s.keys("v j j d w");
    }),
    ("snapshot-review-confirm", true, |s| {
        www(s);
        s.keys("d w y");
        s.text("home");
        s.keys("Enter");
    }),
    ("snapshot-compare", true, |s| {
        www(s);
        s.keys("j c j j");
    }),
    ("snapshot-compare-two", true, |s| {
        www(s);
        s.keys("m G m c");
    }),
    ("snapshot-files", true, |s| {
        www(s);
        s.keys("G Enter j j Space");
    }),
    ("snapshot-files-folder", true, |s| {
        www(s);
        s.keys("Enter Enter j j s");
    }),
    ("snapshot-files-preview", true, |s| {
        www(s);
        s.keys("Enter j j j");
        s.wait(500);
    }),
    ("snapshot-files-preview-bytes", true, |s| {
        www(s);
        s.keys("Enter j j j x");
        s.wait(500);
    }),
    ("snapshot-files-preview-folder", true, |s| {
        www(s);
        s.keys("Enter j");
        s.wait(500);
    }),
    ("snapshot-export", true, |s| {
        www(s);
        s.keys("E");
    }),
    ("snapshot-files-hostile", true, |s| {
        s.world.poison = Some(super::super::hostile::poison);
        www(s);
        s.keys("Enter");
    }),
    ("snapshot-restore", true, |s| {
        www(s);
        s.keys("Enter j j j r");
    }),
    ("snapshot-restore-in-place", true, |s| {
        www(s);
        s.keys("Enter Space Space r → Enter");
    }),
    ("snapshot-clone", true, |s| {
        www(s);
        s.keys("C");
    }),
    ("snapshot-policies", true, |s| s.keys("5 p")),
    ("snapshot-policies-problem", true, |s| s.keys("5 p G")),
    ("snapshot-policies-none", false, |s| s.keys("5 p")),
    ("snapshot-policy-run", true, |s| s.keys("5 p r")),
    ("snapshot-policy", true, |s| {
        s.keys("5 p Enter");
        s.wait(1000);
    }),
    ("snapshot-policy-new", true, |s| {
        s.keys("5 j j p n");
        s.text("evenings");
        s.keys("Tab Tab");
        s.text("mon-fri 20:00");
        s.keys("Enter Ctrl-s");
    }),
    ("snapshot-policy-shorter", true, |s| {
        shorter(s);
        s.wait(1000);
    }),
    ("snapshot-settle", true, |s| {
        shorter(s);
        s.keys("Ctrl-s");
    }),
    ("snapshot-settle-confirm", true, |s| {
        shorter(s);
        s.keys("Ctrl-s y");
        s.text("hour");
    }),
    ("snapshot-policy-remove", true, |s| s.keys("5 p x")),
];

//! The screen Retention and cost.

use super::Scene;
use crate::tui::stage::Stage;

/// On the screen, with the rule shortened from 730 to 180 days.
fn shortened(s: &mut Stage) {
    s.keys("6 ← ← ← ←");
}

/// On what snapshots cost, with the rule of `/srv/www` shortened to the last five.
fn fewer_snapshots(s: &mut Stage) {
    s.keys("6 S Enter ← ← ← j");
}

pub(super) const SCENES: &[Scene] = &[
    ("cost", true, |s| s.keys("6")),
    ("cost-shortened", true, shortened),
    ("cost-figures", true, |s| {
        shortened(s);
        s.keys("Tab");
    }),
    ("cost-generations", true, |s| {
        shortened(s);
        s.keys("Shift-Tab Shift-Tab j");
    }),
    ("cost-all-generations", true, |s| {
        shortened(s);
        s.keys("Shift-Tab Shift-Tab a g d G k");
    }),
    ("cost-lost-hostile", true, |s| {
        shortened(s);
        s.keys("Shift-Tab j j");
    }),
    ("cost-table", true, |s| {
        shortened(s);
        s.keys("t Tab");
    }),
    ("cost-money", true, |s| {
        shortened(s);
        s.keys("$ Tab");
    }),
    ("cost-more-fields", true, |s| {
        s.keys("6 j j → j j → → G k = g");
        s.keys("G k k k k k k → → →");
    }),
    ("cost-typing", true, |s| {
        s.keys("6 Enter Ctrl-u");
        s.text("9x");
    }),
    ("cost-nothing-kept", true, |s| s.keys("6 0")),
    ("cost-measuring", true, |s| {
        s.world.measuring = true;
        s.keys("6");
    }),
    ("cost-old-figures", true, |s| {
        s.keys("6");
        s.silent = true;
        s.keys("←");
        s.wait(500);
    }),
    ("cost-price-not-named", true, |s| {
        s.keys("6 ]");
        s.text("secret");
        s.keys("Enter ← ← ← ← Tab");
    }),
    ("cost-locked", true, |s| s.keys("2 j 6 Esc")),
    ("cost-no-generations", true, |s| s.keys("2 j j 6")),
    ("cost-unreachable", true, |s| s.keys("2 G 6")),
    ("cost-no-vaults", false, |s| s.keys("6")),
    ("cost-prices", true, |s| s.keys("6 p ↓")),
    ("cost-prices-none", true, |s| {
        s.keys("6 p");
        s.text("tape");
    }),
    ("cost-staged", true, |s| s.keys("2 Enter j d d W")),
    ("cost-review", true, |s| {
        shortened(s);
        s.keys("w j");
    }),
    ("cost-review-confirm", true, |s| {
        shortened(s);
        s.keys("w y");
        s.text("hom");
    }),
    ("cost-snapshots", true, |s| s.keys("6 S")),
    ("cost-snapshots-looking", true, |s| {
        s.keys("6");
        s.silent = true;
        s.keys("S");
    }),
    ("cost-snapshots-bare", false, |s| s.keys("6 S")),
    ("cost-snapshots-priced", true, |s| s.keys("6 S G")),
    ("cost-snapshots-rule", true, fewer_snapshots),
    ("cost-snapshots-go", true, |s| {
        fewer_snapshots(s);
        s.keys("Tab j");
    }),
    ("cost-snapshots-all", true, |s| {
        fewer_snapshots(s);
        s.keys("Tab a g");
    }),
    ("cost-snapshots-no-policy", true, |s| s.keys("5 j $ Tab")),
    ("cost-snapshots-nothing-kept", true, |s| s.keys("6 S Enter 0 j j j j 0")),
    ("cost-snapshots-review", true, |s| {
        fewer_snapshots(s);
        s.keys("w");
    }),
    ("cost-save-rule", true, |s| {
        shortened(s);
        s.keys("w y");
        s.text("home");
        s.keys("Enter");
    }),
];

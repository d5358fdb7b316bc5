//! Setting up: plans, the browser, vaults, keys, locks, the check.

use super::Scene;

pub(super) const SCENES: &[Scene] = &[
    ("plans", true, |s| s.keys("P j")),
    ("plans-none", false, |s| s.keys("P")),
    ("plan-editor", true, |s| s.keys("P Enter")),
    ("plan-wrong", true, |s| {
        s.keys("P n Tab");
        s.text("relative/path");
        s.keys("Tab Tab Space Tab Tab Tab Tab Tab");
        s.text("daily");
        s.keys("Enter");
    }),
    ("browser", true, |s| {
        s.keys("P n Tab Tab Enter j Space");
        s.keys("j Space Space G");
    }),
    ("vault-new", true, |s| {
        s.keys("n Tab Ctrl-u");
        s.text("offsite");
        s.keys("Tab Tab Tab Tab Tab");
        s.text("secret");
    }),
    ("vault-refused", true, |s| {
        s.keys("n Tab Tab Ctrl-u");
        s.text("/root/vault");
        s.keys("Tab Tab → Tab");
        s.text("correct horse");
        s.keys("Tab");
        s.text("correct horse");
        s.keys("Enter");
    }),
    ("keys", true, |s| s.keys("K j")),
    ("keys-add", true, |s| {
        s.keys("K a");
        s.text("correct horse");
        s.keys("Enter");
    }),
    ("locks", true, |s| s.keys("U")),
    ("locks-none", true, |s| s.keys("j j U")),
    ("locks-remove-all", true, |s| {
        s.keys("U D");
        s.text("hom");
    }),
    ("check", true, |s| s.keys("C →")),
    ("assistant-1-where", false, |s| s.keys("A")),
    ("assistant-2-password", false, |s| {
        s.keys("A Enter Tab Tab");
        s.text("correct horse");
        s.keys("Enter");
    }),
    ("assistant-3-what", false, |s| {
        s.keys("A Enter Tab Tab");
        s.text("correct horse");
        s.keys("Tab");
        s.text("correct horse");
        s.keys("Enter");
        s.wait(1000);
    }),
    ("assistant-4-how-long", false, |s| {
        s.keys("A Enter → Tab");
        s.text("correct horse");
        s.keys("Tab");
        s.text("correct horse");
        s.keys("Enter Enter Tab");
        s.text("daily 02:00");
        s.wait(1000);
    }),
    ("assistant-done", false, |s| {
        s.keys("A Enter → Tab");
        s.text("pw");
        s.keys("Tab");
        s.text("pw");
        s.keys("Enter Enter Enter");
    }),
    ("browser-unreadable", true, |s| {
        s.keys("P n Tab Tab Enter h j l / b Enter")
    }),
];

//! The help.

use super::Scene;

pub(super) const SCENES: &[Scene] = &[
    ("help", true, |s| s.keys("Enter Enter ? ↓ ↓")),
    ("help-searched", true, |s| {
        s.keys("?");
        s.text("pane");
    }),
    ("palette", true, |s| {
        s.keys("2 Enter :");
        s.text("res");
        s.keys("↓");
    }),
    ("copy", true, |s| s.keys("2 Enter Enter j y")),
    ("config-problems", true, |s| {
        let wrong = |line, what: &str| coffer::config::Problem {
            line,
            what: what.into(),
        };
        let problems = vec![
            wrong(12, "theme is \"drak\": did you mean \"dark\"?"),
            wrong(17, "\"files.restor\" is no action: did you mean \"files.restore\"?"),
        ];
        let file = std::path::Path::new("/home/anna/.config/coffer/config.toml");
        s.model
            .push(coffer::tui::dialogs::problems::Problems::new(file, problems));
        s.wait(1);
    }),
];

//! What screens look like: text, and styles as letters below it.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use crate::engine::{JobKind, JobState};
use crate::tui::stage::Stage;
use crate::tui::text;
use crate::tui::theme::{ASCII, Look, Role, Theme, UNICODE};

/// A cell's style as the letter of a role that looks so.
fn letter(theme: Theme, style: Style) -> char {
    const ROLES: [(Role, char); 13] = [
        (Role::Text, ' '),
        (Role::Dim, '.'),
        (Role::Title, 't'),
        (Role::Cursor, 'c'),
        (Role::Chip, 'h'),
        (Role::Marked, 'm'),
        (Role::Folder, 'f'),
        (Role::CursorAway, 'b'),
        (Role::Danger, 'D'),
        (Role::Good, 'g'),
        (Role::Warning, 'w'),
        (Role::Gauge, 'G'),
        (Role::Field, 'u'),
    ];
    let same = |role: Role| {
        let wanted = theme.style(role);
        wanted.fg.unwrap_or_default() == style.fg.unwrap_or_default() && wanted.add_modifier == style.add_modifier
    };
    ROLES
        .iter()
        .find(|(role, _)| same(*role))
        .map_or('?', |(_, letter)| *letter)
}

/// Text, then styles.
fn picture(stage: &Stage) -> String {
    let buffer: Buffer = stage.buffer();
    let mut styles = String::new();
    for y in 0..buffer.area.height {
        let mut line = String::new();
        let mut x = 0;
        while x < buffer.area.width {
            let cell = &buffer[(x, y)];
            line.push(letter(stage.model.look.theme, cell.style()));
            x += (text::width(cell.symbol()) as u16).max(1);
        }
        styles.push_str(line.trim_end());
        styles.push('\n');
    }
    format!("{}{}\n{styles}", stage.screen(), "=".repeat(40))
}

/// The scenes: a name, whether a vault is set up, and what is done.
type Scene = (&'static str, bool, fn(&mut Stage));

const SCENES: &[Scene] = &[
    ("vaults", true, |_| {}),
    ("no-vaults", false, |_| {}),
    ("generations", true, |s| s.keys("Enter j")),
    ("no-generations", true, |s| s.keys("j j Enter")),
    ("unreachable", true, |s| s.keys("G Enter")),
    ("password", true, |s| {
        s.keys("j Enter");
        s.text("wrong");
        s.keys("Enter");
        s.text("sec");
    }),
    ("files", true, |s| s.keys("Enter j j j j j j j j Enter j j")),
    ("selected", true, |s| {
        s.keys("Enter Enter Space j Space G Space g j Enter j Space h v j j")
    }),
    ("hostile", true, |s| s.keys("Enter Enter j j j Enter j")),
    ("many", true, |s| s.keys("Enter Enter j j j j j Enter G")),
    ("empty-folder", true, |s| s.keys("Enter Enter j j Enter")),
    ("filtered", true, |s| {
        s.keys("Enter Enter /");
        s.text("note");
        s.keys("Enter");
    }),
    ("filtering-nothing", true, |s| {
        s.keys("Enter Enter /");
        s.text("nowhere");
    }),
    ("restore-form", true, |s| {
        s.keys("Enter Enter j Space j j Space r Tab →")
    }),
    ("restore-plan", true, |s| {
        s.keys("Enter Enter j Space j j Space r Ctrl-u");
        s.text("~/full");
        s.keys("Enter");
    }),
    ("restore-refused", true, |s| {
        s.keys("Enter Enter j r Ctrl-u");
        s.text("/root/forbidden");
        s.keys("Enter");
    }),
    ("backup", true, |s| s.keys("b")),
    ("no-plans", false, |s| s.keys("b")),
    ("jobs", true, |s| {
        let first = s.start_job(JobKind::Backup, "Back up everything to home");
        s.progress(&first, 40);
        s.end_job(
            &first,
            JobState::Failed {
                error: "no space left on device".into(),
                exit_code: 1,
            },
        );
        let second = s.start_job(JobKind::Restore, "Restore photos/ to /home/anna/restored");
        s.end_job(
            &second,
            JobState::Done {
                summary: "41 files, 3.3 MiB".into(),
                problems: 2,
            },
        );
        let third = s.start_job(JobKind::Restore, "Restore 3 items to /home/anna/restored");
        s.progress(&third, 10);
        s.progress(&third, 37);
        s.keys("J j");
    }),
    ("no-jobs", true, |s| s.keys("J")),
    ("report", true, |s| {
        let job = s.start_job(JobKind::Restore, "Restore photos/ to /home/anna/restored");
        s.wait(65_000);
        s.end_job(
            &job,
            JobState::Done {
                summary: "41 files, 3.3 MiB".into(),
                problems: 2,
            },
        );
        s.keys("J Enter j");
    }),
    ("running", true, |s| {
        s.keys("Enter Enter");
        let job = s.start_job(JobKind::Restore, "Restore 3 items to /home/anna/restored");
        s.start_job(JobKind::Backup, "Back up everything to home");
        s.progress(&job, 10);
        s.progress(&job, 62);
    }),
    ("quit", true, |s| {
        s.start_job(JobKind::Backup, "Back up everything to home");
        s.keys("q");
    }),
    ("cancel", true, |s| {
        s.start_job(JobKind::Backup, "Back up everything to home");
        s.keys("J x");
    }),
    ("help", true, |s| s.keys("Enter Enter ? ↓ ↓")),
    ("help-searched", true, |s| {
        s.keys("?");
        s.text("pane");
    }),
];

fn check(label: &str, columns: u16, rows: u16, look: Look) {
    for (name, set_up, play) in SCENES {
        let mut stage = if *set_up {
            Stage::new(columns, rows, look)
        } else {
            Stage::bare(columns, rows, look)
        };
        play(&mut stage);
        insta::assert_snapshot!(format!("{name}@{label}"), picture(&stage));
    }
}

#[test]
fn at_80_by_24() {
    check("80x24", 80, 24, Look::default());
}

#[test]
fn at_120_by_40() {
    check("120x40", 120, 40, Look::default());
}

#[test]
fn at_80_by_24_in_ascii_without_colour() {
    check(
        "80x24-ascii-mono",
        80,
        24,
        Look {
            theme: Theme::Mono,
            symbols: &ASCII,
        },
    );
}

#[test]
fn at_40_by_10_one_line_says_so() {
    let mut stage = Stage::new(
        40,
        10,
        Look {
            theme: Theme::Ansi,
            symbols: &UNICODE,
        },
    );
    stage.keys("Enter");
    assert_eq!(stage.screen().trim_end(), "Coffer needs 60x15; q quits");
}

/// Nothing but ASCII goes to a terminal that shows nothing else, but for the names themselves.
#[test]
fn ascii_means_ascii() {
    for (name, set_up, play) in SCENES {
        let look = Look {
            theme: Theme::Mono,
            symbols: &ASCII,
        };
        let mut stage = if *set_up {
            Stage::new(80, 24, look)
        } else {
            Stage::bare(80, 24, look)
        };
        play(&mut stage);
        let foreign: String = stage.screen().chars().filter(|c| !c.is_ascii()).collect();
        assert!(*name == "hostile" || foreign.is_empty(), "{name}: {foreign}");
    }
}

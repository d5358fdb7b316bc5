//! What screens look like: text, and styles as letters below it.

use ratatui::buffer::Buffer;
use ratatui::style::Style;

use super::scenes;
use crate::text;
use crate::tui::stage::Stage;
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

fn check(label: &str, columns: u16, rows: u16, look: Look) {
    for (name, set_up, play) in scenes::all() {
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
    for (name, set_up, play) in scenes::all() {
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
        // Hostile and foreign names show as they are, made harmless.
        let foreign_names = name.contains("hostile") || *name == "restore-plan-deleting";
        assert!(foreign_names || foreign.is_empty(), "{name}: {foreign}");
    }
}

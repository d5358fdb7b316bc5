//! The themes that need no colours of their own: the terminal's sixteen, and none.

use ratatui::style::{Color, Modifier, Style};

use super::role::Role;

/// Weight only. What has the same weight here differs in its glyph and its word.
pub(super) fn mono(role: Role) -> Style {
    let plain = Style::new();
    match role {
        Role::Dim | Role::Border | Role::Disabled | Role::Axis | Role::Projection | Role::Heat(0) => {
            plain.add_modifier(Modifier::DIM)
        }
        Role::Title
        | Role::Focus
        | Role::CursorAway
        | Role::Marked
        | Role::Folder
        | Role::Key
        | Role::Danger
        | Role::LaneFailed
        | Role::Missed
        | Role::Heat(3..) => plain.add_modifier(Modifier::BOLD),
        Role::Cursor | Role::Chip => plain.add_modifier(Modifier::REVERSED),
        Role::Field => plain.add_modifier(Modifier::UNDERLINED),
        Role::Match => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        Role::Removed => plain.add_modifier(Modifier::DIM),
        _ => plain,
    }
}

/// The terminal's own sixteen colours.
pub(super) fn ansi(role: Role) -> Style {
    coloured(
        role,
        match role {
            Role::Good | Role::Added | Role::LaneFull | Role::Heat(1..) => Color::Green,
            Role::Danger | Role::Removed | Role::LaneFailed | Role::Missed => Color::Red,
            other => common(other),
        },
    )
}

/// The terminal's own sixteen colours, of which no two states differ by red and green alone.
pub(super) fn safe(role: Role) -> Style {
    coloured(
        role,
        match role {
            Role::Good | Role::Added | Role::LaneFull | Role::Heat(1..) => Color::Blue,
            Role::Danger | Role::Removed | Role::LaneFailed | Role::Missed => Color::LightMagenta,
            other => common(other),
        },
    )
}

fn coloured(role: Role, colour: Color) -> Style {
    match colour {
        Color::Reset => mono(role),
        colour => mono(role).fg(colour),
    }
}

fn common(role: Role) -> Color {
    match role {
        Role::Title | Role::Focus | Role::Key | Role::Cursor | Role::Gauge | Role::LaneIncremental => Color::Cyan,
        Role::Folder | Role::ClassCold => Color::Blue,
        Role::Marked
        | Role::Chip
        | Role::Warning
        | Role::Match
        | Role::Changed
        | Role::LaneLeaving
        | Role::Projection
        | Role::ClassCool => Color::Yellow,
        Role::ClassHot => Color::LightRed,
        Role::ClassArchive => Color::Magenta,
        Role::Series(n) => match n % super::SERIES {
            0 => Color::Cyan,
            1 => Color::Yellow,
            2 => Color::Magenta,
            3 => Color::Green,
            4 => Color::Red,
            _ => Color::Blue,
        },
        _ => Color::Reset,
    }
}

//! How things look: roles, never colours, and the symbols of a terminal that can or cannot show Unicode.
//!
//! The default theme speaks the terminal's own sixteen colours, so that it fits whatever scheme the user chose. State is
//! always a glyph and a word as well: the mono theme loses no meaning.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Text,
    /// What matters less.
    Dim,
    /// The program's name, a dialog's title.
    Title,
    /// The focused pane's title and rule.
    Focus,
    /// Rules and frames.
    Border,
    /// The row the keys act on.
    Cursor,
    /// The row that would be acted on if its pane had the focus.
    CursorAway,
    /// Chosen with Space.
    Marked,
    /// A folder's name.
    Folder,
    /// A key in a hint.
    Key,
    /// A filter in force.
    Chip,
    /// Done, fine.
    Good,
    /// Worth a look.
    Warning,
    /// Failed, or will be lost.
    Danger,
    /// The done part of a gauge.
    Gauge,
    /// A field one types into.
    Field,
}

/// A set of styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// The terminal's sixteen colours.
    #[default]
    Ansi,
    /// Weight only (`NO_COLOR`).
    Mono,
}

impl Theme {
    /// The style of a role.
    pub fn style(self, role: Role) -> Style {
        let plain = Style::new();
        let modified = match role {
            Role::Text | Role::Gauge => plain,
            Role::Dim | Role::Border => plain.add_modifier(Modifier::DIM),
            Role::Title | Role::Focus | Role::CursorAway | Role::Marked | Role::Folder | Role::Key => {
                plain.add_modifier(Modifier::BOLD)
            }
            Role::Cursor | Role::Chip => plain.add_modifier(Modifier::REVERSED),
            Role::Good | Role::Warning => plain,
            Role::Danger => plain.add_modifier(Modifier::BOLD),
            Role::Field => plain.add_modifier(Modifier::UNDERLINED),
        };
        if self == Theme::Mono {
            return modified;
        }
        match role {
            Role::Title | Role::Focus | Role::Key | Role::Cursor | Role::Gauge => modified.fg(Color::Cyan),
            Role::Folder => modified.fg(Color::Blue),
            Role::Marked | Role::Chip | Role::Warning => modified.fg(Color::Yellow),
            Role::Good => modified.fg(Color::Green),
            Role::Danger => modified.fg(Color::Red),
            _ => modified,
        }
    }
}

/// The glyphs in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is named for what it shows
pub struct Symbols {
    pub more: &'static str,
    pub crumb: &'static str,
    pub marked: &'static str,
    pub partly: &'static str,
    pub cursor: &'static str,
    pub rule: &'static str,
    pub rule_focus: &'static str,
    pub column: &'static str,
    pub tee: &'static str,
    pub gauge_done: &'static str,
    pub gauge_left: &'static str,
    pub arrow: &'static str,
    pub good: &'static str,
    pub bad: &'static str,
    pub warning: &'static str,
    pub dot: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub bullet: &'static str,
    pub spinner: &'static [&'static str],
    pub corners: [&'static str; 4],
    pub side: &'static str,
}

/// Symbols for a UTF-8 locale.
pub const UNICODE: Symbols = Symbols {
    more: "…",
    crumb: "›",
    marked: "●",
    partly: "◐",
    cursor: "▌",
    rule: "─",
    rule_focus: "━",
    column: "│",
    tee: "┬",
    gauge_done: "█",
    gauge_left: "░",
    arrow: "→",
    good: "✓",
    bad: "✗",
    warning: "!",
    dot: "·",
    up: "↑",
    down: "↓",
    bullet: "•",
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
    corners: ["╭", "╮", "╰", "╯"],
    side: "│",
};

/// Symbols for everything else.
pub const ASCII: Symbols = Symbols {
    more: "~",
    crumb: ">",
    marked: "*",
    partly: "+",
    cursor: ">",
    rule: "-",
    rule_focus: "=",
    column: "|",
    tee: "+",
    gauge_done: "#",
    gauge_left: ".",
    arrow: "->",
    good: "ok",
    bad: "x",
    warning: "!",
    dot: "-",
    up: "^",
    down: "v",
    bullet: "*",
    spinner: &["|", "/", "-", "\\"],
    corners: ["+", "+", "+", "+"],
    side: "|",
};

/// How the interface is drawn: theme and symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The styles.
    pub theme: Theme,
    /// The glyphs.
    pub symbols: &'static Symbols,
}

impl Default for Look {
    fn default() -> Self {
        Look {
            theme: Theme::Ansi,
            symbols: &UNICODE,
        }
    }
}

impl Look {
    /// The look for an environment: `NO_COLOR` as set (not empty), and the locale's name (of `LC_ALL`, `LC_CTYPE`,
    /// `LANG`, the first that is set).
    pub fn for_environment(no_color: bool, locale: &str) -> Look {
        let utf8 = locale.to_ascii_lowercase().replace('-', "").contains("utf8");
        Look {
            theme: if no_color { Theme::Mono } else { Theme::Ansi },
            symbols: if utf8 { &UNICODE } else { &ASCII },
        }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locale_and_no_color_choose_the_look() {
        assert_eq!(Look::for_environment(false, "de_DE.UTF-8"), Look::default());
        assert_eq!(
            Look::for_environment(true, "C"),
            Look {
                theme: Theme::Mono,
                symbols: &ASCII
            }
        );
        assert_eq!(Look::for_environment(false, "C.utf8").symbols, &UNICODE);
    }

    #[test]
    fn mono_has_no_colour() {
        for role in [Role::Danger, Role::Cursor, Role::Folder, Role::Chip, Role::Gauge] {
            assert_eq!(Theme::Mono.style(role).fg, None, "{role:?}");
        }
    }
}

//! How things look: roles, never colours, and the symbols of a terminal that can or cannot show Unicode.
//!
//! Drawing code names a [`Role`]; a [`Theme`] makes it a style. The default theme speaks the terminal's own sixteen colours,
//! so that it fits whatever scheme the user chose; those with colours of their own (`palette`) come in the terminal's
//! [`Depth`]: true colour only where it says so, else the nearest of the 256, else the sixteen. State is always a glyph and
//! a word as well: the mono theme loses no meaning. [`Symbols`] are the glyphs.

mod depth;
#[cfg(test)]
mod eyes;
mod palette;
mod role;
mod sixteen;
mod symbols;

use ratatui::style::Style;

pub use depth::Depth;
pub use role::{HEATS, Role, SERIES};
pub use symbols::{ASCII, BLOCK, Symbols, UNICODE};

use crate::config::{Interface, SymbolSet, ThemeName};

/// A set of styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// The terminal's sixteen colours.
    #[default]
    Ansi,
    /// Weight only (`NO_COLOR`).
    Mono,
    /// For dark backgrounds.
    Dark(Depth),
    /// For light backgrounds.
    Light(Depth),
    /// For dark backgrounds and colour-blind eyes.
    SafeDark(Depth),
    /// For light backgrounds and colour-blind eyes.
    SafeLight(Depth),
}

impl Theme {
    /// The theme of a name, in the colours that the terminal has.
    pub fn new(name: ThemeName, depth: Depth) -> Theme {
        match name {
            ThemeName::Ansi => Theme::Ansi,
            ThemeName::Mono => Theme::Mono,
            ThemeName::Dark => Theme::Dark(depth),
            ThemeName::Light => Theme::Light(depth),
            ThemeName::ColourBlindDark => Theme::SafeDark(depth),
            ThemeName::ColourBlindLight => Theme::SafeLight(depth),
        }
    }

    /// The style of a role.
    pub fn style(self, role: Role) -> Style {
        let (palette, depth, sixteen): (_, _, fn(Role) -> Style) = match self {
            Theme::Ansi => return sixteen::ansi(role),
            Theme::Mono => return sixteen::mono(role),
            Theme::Dark(depth) => (palette::DARK, depth, sixteen::ansi),
            Theme::Light(depth) => (palette::LIGHT, depth, sixteen::ansi),
            Theme::SafeDark(depth) => (palette::SAFE_DARK, depth, sixteen::safe),
            Theme::SafeLight(depth) => (palette::SAFE_LIGHT, depth, sixteen::safe),
        };
        if depth == Depth::Sixteen {
            return sixteen(role);
        }
        let (text, background, modifier) = palette.paint(role);
        let mut style = Style::new().add_modifier(modifier);
        style.fg = text.and_then(|rgb| rgb.in_depth(depth));
        style.bg = background.and_then(|rgb| rgb.in_depth(depth));
        style
    }
}

/// What the environment says about the terminal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal<'a> {
    /// Whether `NO_COLOR` is set to anything.
    pub no_color: bool,
    /// `COLORTERM`.
    pub colorterm: &'a str,
    /// `TERM`.
    pub term: &'a str,
    /// The locale's name: `LC_ALL`, `LC_CTYPE` or `LANG`, the first that is set.
    pub locale: &'a str,
}

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
    /// The look for a terminal, as far as the config leaves it open. `NO_COLOR` wins over a theme that is only the default,
    /// not over one that the user wrote down for this program.
    pub fn new(terminal: Terminal, chosen: &Interface) -> Look {
        let depth = chosen
            .colours
            .map_or_else(|| Depth::of_terminal(terminal.colorterm, terminal.term), Depth::from);
        let theme = match chosen.theme {
            Some(name) => Theme::new(name, depth),
            None if terminal.no_color => Theme::Mono,
            None => Theme::Ansi,
        };
        let utf8 = terminal.locale.to_ascii_lowercase().replace('-', "").contains("utf8");
        let symbols = match chosen.symbols {
            Some(SymbolSet::Unicode) => &UNICODE,
            Some(SymbolSet::Block) => &BLOCK,
            Some(SymbolSet::Ascii) => &ASCII,
            None if !utf8 => &ASCII,
            // The console's font has a few hundred glyphs.
            None if terminal.term == "linux" => &BLOCK,
            None => &UNICODE,
        };
        Look { theme, symbols }
    }

    /// The style of a role.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Colours;

    const GOOD: Terminal = Terminal {
        no_color: false,
        colorterm: "truecolor",
        term: "xterm-256color",
        locale: "de_DE.UTF-8",
    };

    #[test]
    fn the_terminal_chooses_where_the_user_does_not() {
        let none = Interface::default();
        let look = |terminal| Look::new(terminal, &none);
        assert_eq!(look(GOOD), Look::default());
        let bare = look(Terminal {
            no_color: true,
            locale: "C",
            ..GOOD
        });
        assert_eq!((bare.theme, bare.symbols), (Theme::Mono, &ASCII));
        let console = look(Terminal {
            term: "linux",
            locale: "C.utf8",
            ..GOOD
        });
        assert_eq!(console.symbols, &BLOCK);
    }

    #[test]
    fn the_user_wins() {
        let chosen = Interface {
            theme: Some(ThemeName::Dark),
            symbols: Some(SymbolSet::Ascii),
            ..Interface::default()
        };
        let no_color = Terminal { no_color: true, ..GOOD };
        assert_eq!(
            Look::new(no_color, &chosen).theme,
            Theme::Dark(Depth::True),
            "written down for Coffer alone"
        );
        assert_eq!(Look::new(GOOD, &chosen).symbols, &ASCII);
        let ssh = Terminal { colorterm: "", ..GOOD };
        assert_eq!(Look::new(ssh, &chosen).theme, Theme::Dark(Depth::Many));
        let sixteen = Interface {
            colours: Some(Colours::Sixteen),
            ..chosen
        };
        assert_eq!(Look::new(GOOD, &sixteen).theme, Theme::Dark(Depth::Sixteen));
    }

    #[test]
    fn mono_has_no_colour() {
        for role in Role::all() {
            let style = Theme::Mono.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }

    #[test]
    fn sixteen_colours_means_the_terminals_own() {
        use ratatui::style::Color;
        let fixed = |colour: Option<Color>| matches!(colour, Some(Color::Rgb(..) | Color::Indexed(_)));
        for theme in [Theme::Dark, Theme::Light, Theme::SafeDark, Theme::SafeLight] {
            for role in Role::all() {
                let style = theme(Depth::Sixteen).style(role);
                assert!(!fixed(style.fg) && !fixed(style.bg), "{role:?}");
                let style = theme(Depth::Many).style(role);
                assert!(!matches!(style.fg, Some(Color::Rgb(..))), "{role:?}");
            }
        }
    }
}

//! How many colours a terminal shows, and the nearest of them.

use ratatui::style::Color;

use crate::config::Colours;

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum Depth {
    /// The sixteen that the terminal's own scheme defines.
    #[default]
    Sixteen,
    /// 256, of which 240 are fixed.
    Many,
    /// All.
    True,
}

impl Depth {
    /// What `COLORTERM` and `TERM` promise. Over SSH `COLORTERM` mostly stays behind, so that 256 is what is left.
    pub fn of_terminal(colorterm: &str, term: &str) -> Depth {
        if matches!(colorterm, "truecolor" | "24bit") {
            Depth::True
        } else if term.contains("256") || term.ends_with("-direct") {
            Depth::Many
        } else {
            Depth::Sixteen
        }
    }
}

impl From<Colours> for Depth {
    fn from(colours: Colours) -> Depth {
        match colours {
            Colours::Sixteen => Depth::Sixteen,
            Colours::Many => Depth::Many,
            Colours::True => Depth::True,
        }
    }
}

/// A colour by its red, green and blue, gamma-encoded as in CSS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

/// The six levels of the colour cube among the 256.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Rgb {
    /// From `0xrrggbb`.
    pub(super) const fn hex(rgb: u32) -> Rgb {
        Rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
    }

    /// As the terminal is told.
    pub(super) fn in_depth(self, depth: Depth) -> Option<Color> {
        match depth {
            Depth::Sixteen => None,
            Depth::Many => Some(Color::Indexed(self.nearest())),
            Depth::True => Some(Color::Rgb(self.0, self.1, self.2)),
        }
    }

    /// The nearest of the 240 fixed colours (the first sixteen are the terminal's own and may be anything).
    pub(super) fn nearest(self) -> u8 {
        (16..=255u8)
            .min_by_key(|index| self.distance(Rgb::indexed(*index)))
            .unwrap_or(16)
    }

    /// What a fixed colour looks like.
    pub(super) fn indexed(index: u8) -> Rgb {
        match index {
            232.. => {
                let grey = 8 + 10 * (index - 232);
                Rgb(grey, grey, grey)
            }
            _ => {
                let at = index.saturating_sub(16);
                let level = |n: u8| CUBE[usize::from(n % 6)];
                Rgb(level(at / 36), level(at / 6), level(at))
            }
        }
    }

    /// How different two colours look, roughly: the channels weighed by how red the pair is.
    fn distance(self, other: Rgb) -> u64 {
        let by = |a: u8, b: u8| i64::from(a) - i64::from(b);
        let (r, g, b) = (by(self.0, other.0), by(self.1, other.1), by(self.2, other.2));
        let red = (i64::from(self.0) + i64::from(other.0)) / 2;
        ((((512 + red) * r * r) >> 8) + 4 * g * g + (((767 - red) * b * b) >> 8)).unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_decides() {
        assert_eq!(Depth::of_terminal("truecolor", "xterm-256color"), Depth::True);
        assert_eq!(Depth::of_terminal("24bit", ""), Depth::True);
        assert_eq!(Depth::of_terminal("", "tmux-256color"), Depth::Many);
        assert_eq!(Depth::of_terminal("yes", "linux"), Depth::Sixteen);
    }

    #[test]
    fn fixed_colours_are_their_own_nearest() {
        for index in 16..=255u8 {
            let rgb = Rgb::indexed(index);
            assert_eq!(Rgb::indexed(rgb.nearest()), rgb, "{index}");
        }
        assert_eq!(Rgb::indexed(196), Rgb(255, 0, 0));
        assert_eq!(Rgb::indexed(244), Rgb(128, 128, 128));
    }
}

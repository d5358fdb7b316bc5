//! The colours of the themes that have their own.
//!
//! They colour the text, not the screen: what lies behind stays the terminal's, so that a theme is for terminals with a dark
//! or with a light background. A test holds every colour against the lightest dark and the darkest light background in use,
//! and, for the colour-blind, the states against each other as those eyes see them.

use ratatui::style::Modifier;

use super::depth::Rgb;
use super::role::Role;

/// The colours a theme is mixed from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    dim: Rgb,
    border: Rgb,
    accent: Rgb,
    folder: Rgb,
    marked: Rgb,
    good: Rgb,
    warning: Rgb,
    danger: Rgb,
    cursor: (Rgb, Rgb),
    away: (Rgb, Rgb),
    chip: (Rgb, Rgb),
    field: (Rgb, Rgb),
    classes: [Rgb; 4],
    heat: [Rgb; 5],
    series: [Rgb; 6],
}

const fn hex(rgb: u32) -> Rgb {
    Rgb::hex(rgb)
}

const fn on(text: u32, background: u32) -> (Rgb, Rgb) {
    (hex(text), hex(background))
}

const fn hexes<const N: usize>(rgb: [u32; N]) -> [Rgb; N] {
    let mut out = [Rgb::hex(0); N];
    let mut n = 0;
    while n < N {
        out[n] = Rgb::hex(rgb[n]);
        n += 1;
    }
    out
}

/// For dark backgrounds.
pub(super) const DARK: Palette = Palette {
    dim: hex(0x9aa5b5),
    border: hex(0x7a8698),
    accent: hex(0x5fc9d6),
    folder: hex(0x8fb4ff),
    marked: hex(0xf0bf5a),
    good: hex(0x86d08c),
    warning: hex(0xf0bf5a),
    danger: hex(0xff8a80),
    cursor: on(0xffffff, 0x24697f),
    away: on(0xe6ebf2, 0x414b5c),
    chip: on(0x14181f, 0xf0bf5a),
    field: on(0xf2f5f9, 0x3a4352),
    classes: hexes([0xff9e7a, 0xf0d07a, 0x7fc4f5, 0xb5b0f0]),
    heat: hexes([0x7a8698, 0x4f9a63, 0x66b374, 0x86d08c, 0xb6efb4]),
    series: hexes([0x5fc9d6, 0xf0bf5a, 0xc79bf2, 0x86d08c, 0xff9e7a, 0x8fb4ff]),
};

/// For light backgrounds.
pub(super) const LIGHT: Palette = Palette {
    dim: hex(0x59616e),
    border: hex(0x7b8493),
    accent: hex(0x006a78),
    folder: hex(0x1b4fb8),
    marked: hex(0x855400),
    good: hex(0x1a6b2b),
    warning: hex(0x855400),
    danger: hex(0xb3201a),
    cursor: on(0xffffff, 0x1f6f86),
    away: on(0x1a2330, 0xcfd8e3),
    chip: on(0xffffff, 0x855400),
    field: on(0x10161f, 0xdde3ea),
    classes: hexes([0xac2f00, 0x7a5b00, 0x0060a8, 0x5b4bb5]),
    heat: hexes([0x7b8493, 0x418f5a, 0x2c7f45, 0x1f7538, 0x0a5524]),
    series: hexes([0x006a78, 0x9a5b00, 0x7a3fb0, 0x1a6b2b, 0xb23c00, 0x1b4fb8]),
};

/// For dark backgrounds and any kind of colour blindness: states differ in lightness and along blue to yellow.
pub(super) const SAFE_DARK: Palette = Palette {
    dim: hex(0x9aa5b5),
    border: hex(0x7a8698),
    accent: hex(0xb8ecff),
    folder: hex(0x7fb8f0),
    marked: hex(0xf7e25c),
    good: hex(0x4fa8e8),
    warning: hex(0xf7e25c),
    danger: hex(0xf0803c),
    cursor: on(0xffffff, 0x2b5f8c),
    away: on(0xe6ebf2, 0x414b5c),
    chip: on(0x14181f, 0xf7e25c),
    field: on(0xf2f5f9, 0x3a4352),
    classes: hexes([0xf0803c, 0xf7e25c, 0x4fa8e8, 0xd0d6e0]),
    heat: hexes([0x7a8698, 0x4b86b8, 0x66a5d8, 0x92c8f2, 0xcfeaff]),
    series: hexes([0x4ea8e9, 0xf7e25c, 0xe0805a, 0xbeeceb, 0xe3c4ff, 0x84bf9d]),
};

/// For light backgrounds and any kind of colour blindness.
pub(super) const SAFE_LIGHT: Palette = Palette {
    dim: hex(0x59616e),
    border: hex(0x7b8493),
    accent: hex(0x0a2a58),
    folder: hex(0x14529c),
    marked: hex(0x8a6000),
    good: hex(0x0067b5),
    warning: hex(0x8a6000),
    danger: hex(0x730c00),
    cursor: on(0xffffff, 0x1d5c94),
    away: on(0x1a2330, 0xcfd8e3),
    chip: on(0xffffff, 0x8a6000),
    field: on(0x10161f, 0xdde3ea),
    classes: hexes([0x730c00, 0x8a6000, 0x0067b5, 0x3a4150]),
    heat: hexes([0x7b8493, 0x5b9bcb, 0x3a80b8, 0x1c639c, 0x08406e]),
    series: hexes([0x316ab8, 0xa67300, 0x9b2900, 0x3a4150, 0xcb435a, 0x009a76]),
};

impl Palette {
    /// The colours of a role, text first, and what else it has.
    pub(super) fn paint(&self, role: Role) -> (Option<Rgb>, Option<Rgb>, Modifier) {
        let text = |rgb| (Some(rgb), None, Modifier::empty());
        let bold = |rgb| (Some(rgb), None, Modifier::BOLD);
        let both = |(text, background)| (Some(text), Some(background), Modifier::empty());
        match role {
            Role::Text => (None, None, Modifier::empty()),
            Role::Dim | Role::Axis => text(self.dim),
            Role::Border => text(self.border),
            Role::Title | Role::Focus | Role::Key => bold(self.accent),
            Role::Match => (Some(self.marked), None, Modifier::BOLD | Modifier::UNDERLINED),
            Role::Disabled => text(self.border),
            Role::Cursor => both(self.cursor),
            Role::CursorAway => both(self.away),
            Role::Chip => both(self.chip),
            Role::Field => both(self.field),
            Role::Marked => bold(self.marked),
            Role::Folder => bold(self.folder),
            Role::Good | Role::Added | Role::LaneFull => text(self.good),
            Role::Warning | Role::Changed | Role::LaneLeaving => text(self.warning),
            Role::Danger => bold(self.danger),
            Role::Removed | Role::LaneFailed | Role::Missed => text(self.danger),
            Role::Gauge | Role::LaneIncremental => text(self.accent),
            Role::Projection => text(self.marked),
            Role::ClassHot => text(self.classes[0]),
            Role::ClassCool => text(self.classes[1]),
            Role::ClassCold => text(self.classes[2]),
            Role::ClassArchive => text(self.classes[3]),
            Role::Heat(step) => text(self.heat[usize::from(step).min(self.heat.len() - 1)]),
            Role::Series(n) => text(self.series[usize::from(n) % self.series.len()]),
        }
    }
}

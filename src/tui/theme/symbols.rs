//! The glyphs, in three sets: for terminals with a good font, for those that show line drawing and blocks (the console of
//! a server), and for those that show nothing but ASCII.

/// The glyphs in use. Each takes one cell, but for `arrow`, `good` and `delta`, which may take more.
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
    /// A place where something can be chosen, not chosen.
    pub unmarked: &'static str,
    /// A branch that shows what it holds, and one that does not.
    pub expanded: &'static str,
    pub collapsed: &'static str,
    /// A choice among several, taken and not.
    pub radio_on: &'static str,
    pub radio_off: &'static str,
    /// What is between two amounts: `3 × 4`, `80×24`.
    pub times: &'static str,
    /// A difference.
    pub delta: &'static str,
    /// Bars that grow to the right, as finely as the set can: the last one is full. Lower than the cell where it can be, so
    /// that bars in rows under each other stay bars.
    pub bar: &'static [&'static str],
    /// Columns that grow upwards, likewise: for sparklines.
    pub spark: &'static [&'static str],
    /// The upper and the lower half of a cell, and both.
    pub upper_half: &'static str,
    pub lower_half: &'static str,
    pub full: &'static str,
    /// A calendar's days, from nothing to most.
    pub heat: [&'static str; 5],
    /// A day on which a run was due and none was.
    pub missed: &'static str,
    /// A timeline's lanes: whole, incremental, failed, would go.
    pub lanes: [&'static str; 4],
    /// A timeline's or a chart's base line, and its tick.
    pub axis: &'static str,
    pub tick: &'static str,
    /// Several things in one cell of a timeline.
    pub several: &'static str,
    /// What is expected of the future.
    pub projection: &'static str,
    /// The thumb and the track of a scroll bar.
    pub thumb: &'static str,
    pub track: &'static str,
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
    unmarked: "○",
    expanded: "▾",
    collapsed: "▸",
    radio_on: "●",
    radio_off: "○",
    times: "×",
    delta: "Δ",
    bar: &["╸", "━"],
    spark: &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    upper_half: "▀",
    lower_half: "▄",
    full: "█",
    heat: ["·", "░", "▒", "▓", "█"],
    missed: "×",
    lanes: ["◆", "●", "✗", "○"],
    axis: "─",
    tick: "┴",
    several: "■",
    projection: "┄",
    thumb: "┃",
    track: "│",
};

/// Symbols for a UTF-8 terminal whose font is small, such as the Linux console: those of code page 437.
pub const BLOCK: Symbols = Symbols {
    more: "~",
    crumb: "»",
    marked: "■",
    partly: "▒",
    cursor: "▌",
    rule: "─",
    rule_focus: "═",
    column: "│",
    tee: "┬",
    gauge_done: "█",
    gauge_left: "░",
    arrow: "→",
    good: "√",
    bad: "x",
    warning: "!",
    dot: "·",
    up: "↑",
    down: "↓",
    bullet: "•",
    spinner: &["|", "/", "─", "\\"],
    corners: ["┌", "┐", "└", "┘"],
    side: "│",
    unmarked: "·",
    expanded: "▼",
    collapsed: "►",
    radio_on: "■",
    radio_off: "·",
    times: "x",
    delta: "δ",
    bar: &["■"],
    spark: &["▄", "█"],
    upper_half: "▀",
    lower_half: "▄",
    full: "█",
    heat: ["·", "░", "▒", "▓", "█"],
    missed: "x",
    lanes: ["■", "•", "x", "○"],
    axis: "─",
    tick: "┴",
    several: "█",
    projection: "·",
    thumb: "█",
    track: "│",
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
    unmarked: ".",
    expanded: "v",
    collapsed: ">",
    radio_on: "*",
    radio_off: ".",
    times: "x",
    delta: "+/-",
    bar: &["#"],
    spark: &["_", ".", "-", "=", "#"],
    upper_half: "\"",
    lower_half: "_",
    full: "#",
    heat: [".", "-", "+", "x", "#"],
    missed: "!",
    lanes: ["#", "o", "x", "-"],
    axis: "-",
    tick: "+",
    several: "@",
    projection: ".",
    thumb: "#",
    track: "|",
};

impl Symbols {
    /// A key's name as this set can show it.
    pub fn key_name(&self, key: &str) -> String {
        if self.up.is_ascii() {
            key.replace('↑', "Up")
                .replace('↓', "Down")
                .replace('←', "Left")
                .replace('→', "Right")
        } else {
            key.to_owned()
        }
    }

    /// A column of a sparkline or chart: blank for nothing, the last one for everything, never blank for something.
    pub fn column_of(&self, part: f64) -> &'static str {
        step(self.spark, part)
    }
}

/// The step for a part of 0 to 1; blank for nothing, at least the first step for anything.
fn step(steps: &'static [&'static str], part: f64) -> &'static str {
    if part.is_nan() || part <= 0.0 {
        return " ";
    }
    let at = (part.min(1.0) * steps.len() as f64).ceil() as usize;
    steps.get(at.saturating_sub(1)).copied().unwrap_or(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    /// What code page 437 can show beyond ASCII, as far as it is used here.
    const CODE_PAGE_437: &str = "─│┌┐└┘├┤┬┴┼═║░▒▓█▄▌▐▀■·•○→←↑↓►◄▲▼√»«δ";

    fn all(symbols: &Symbols) -> Vec<&'static str> {
        let mut out = vec![
            symbols.more,
            symbols.crumb,
            symbols.marked,
            symbols.partly,
            symbols.cursor,
            symbols.rule,
            symbols.rule_focus,
            symbols.column,
            symbols.tee,
            symbols.gauge_done,
            symbols.gauge_left,
            symbols.bad,
            symbols.warning,
            symbols.dot,
            symbols.up,
            symbols.down,
            symbols.bullet,
            symbols.side,
            symbols.unmarked,
            symbols.expanded,
            symbols.collapsed,
            symbols.radio_on,
            symbols.radio_off,
            symbols.times,
            symbols.upper_half,
            symbols.lower_half,
            symbols.full,
            symbols.missed,
            symbols.axis,
            symbols.tick,
            symbols.several,
            symbols.projection,
            symbols.thumb,
            symbols.track,
        ];
        out.extend(symbols.spinner);
        out.extend(symbols.corners);
        out.extend(symbols.bar);
        out.extend(symbols.spark);
        out.extend(symbols.heat);
        out.extend(symbols.lanes);
        out
    }

    #[test]
    fn every_glyph_takes_one_cell() {
        for set in [&UNICODE, &BLOCK, &ASCII] {
            for symbol in all(set) {
                assert_eq!(text::width(symbol), 1, "{symbol}");
            }
        }
    }

    #[test]
    fn each_set_keeps_to_what_its_terminals_show() {
        for symbol in all(&ASCII).into_iter().chain([ASCII.arrow, ASCII.good, ASCII.delta]) {
            assert!(symbol.is_ascii(), "{symbol}");
        }
        for symbol in all(&BLOCK).into_iter().chain([BLOCK.arrow, BLOCK.good, BLOCK.delta]) {
            assert!(
                symbol
                    .chars()
                    .all(|c| c.is_ascii_graphic() || CODE_PAGE_437.contains(c)),
                "{symbol}"
            );
        }
    }

    #[test]
    fn lanes_and_days_differ_without_colour() {
        for set in [&UNICODE, &BLOCK, &ASCII] {
            let different = |glyphs: &[&str]| {
                let mut sorted = glyphs.to_vec();
                sorted.sort_unstable();
                sorted.dedup();
                sorted.len() == glyphs.len()
            };
            assert!(different(&set.lanes) && different(&[&set.heat[..], &[set.missed]].concat()));
            assert!(different(&[set.marked, set.partly, set.unmarked]));
        }
    }

    #[test]
    fn a_column_is_blank_only_for_nothing() {
        assert_eq!(
            [0.0, 0.001, 0.5, 1.0, 7.0, f64::NAN].map(|part| UNICODE.column_of(part)),
            [" ", "▁", "▄", "█", "█", " "]
        );
        assert_eq!(ASCII.column_of(0.1), "_");
    }
}

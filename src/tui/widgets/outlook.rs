//! What was and what is expected, as one area over months: the past full, the future as full as it is at least, then
//! lighter up to what is likely and to what it may come to; what would be without the change as a dotted line over it.
//!
//! The scale starts at nothing; its upper end and the middle are named at the left, months below. The past is drawn by half
//! cells where the symbols have them.

use ratatui::layout::Rect;

use crate::text;
use crate::tui::theme::{Role, Symbols};
use crate::tui::view::canvas::Canvas;

/// A figure of the future.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Fan {
    /// Hardly less than this.
    pub(crate) low: f64,
    /// Probably.
    pub(crate) likely: f64,
    /// Hardly more than this.
    pub(crate) high: f64,
}

impl Fan {
    /// A figure that is certain.
    pub(crate) fn sure(value: f64) -> Fan {
        Fan {
            low: value,
            likely: value,
            high: value,
        }
    }

    fn between(self, other: Fan, part: f64) -> Fan {
        let mix = |a: f64, b: f64| a + (b - a) * part;
        Fan {
            low: mix(self.low, other.low),
            likely: mix(self.likely, other.likely),
            high: mix(self.high, other.high),
        }
    }
}

/// What is drawn: a point a month in each series.
pub(crate) struct Outlook<'a> {
    /// The past, oldest first, the last one now.
    pub(crate) past: Vec<f64>,
    /// As things are: the first one now, then the months to come.
    pub(crate) now: Vec<f64>,
    /// What would be: the first one at once, then the months to come.
    pub(crate) after: Vec<Fan>,
    /// An amount in words, for the scale.
    pub(crate) tell: &'a dyn Fn(f64) -> String,
    /// The upper end of the scale for a largest amount.
    pub(crate) top: &'a dyn Fn(f64) -> f64,
    /// The name of a month so many months from now, negative in the past.
    pub(crate) month: &'a dyn Fn(i32) -> String,
}

impl Outlook<'_> {
    /// The largest amount in it.
    fn most(&self) -> f64 {
        let fans = self.after.iter().map(|fan| fan.high);
        let all = self.past.iter().chain(&self.now).copied().chain(fans);
        all.filter(|amount| amount.is_finite()).fold(0.0, f64::max)
    }

    /// Draws it; nothing where there is too little room.
    pub(crate) fn draw(&self, canvas: &mut Canvas, area: Rect) {
        let top = (self.top)(self.most());
        let labels = [top, top / 2.0, 0.0].map(|amount| (self.tell)(amount));
        let left = labels.iter().map(|label| text::width(label)).max().unwrap_or(0) as u16 + 1;
        if area.width < left + 16 || area.height < 5 || top <= 0.0 {
            return;
        }
        let plot = Rect {
            x: area.x + left,
            width: area.width - left,
            height: area.height - 2,
            ..area
        };
        let symbols = canvas.look.symbols;
        let middle = plot.y + plot.height / 2;
        for (label, y) in labels.iter().zip([plot.y, middle, plot.bottom() - 1]) {
            canvas.right(y, plot.x - 1, label, Role::Axis);
        }
        let months = Months {
            past: self.past.len().saturating_sub(1),
            future: self.after.len().saturating_sub(1).max(1),
            width: plot.width,
        };
        let now = plot.x + months.column(0);
        if months.past > 0 {
            for y in plot.y..plot.bottom() {
                canvas.text(now, y, now + 1, symbols.column, Role::Axis);
            }
        }
        for column in 0..plot.width {
            self.column(canvas, plot, &months, column, top);
        }
        canvas.rule(plot.x, plot.bottom(), plot.right(), symbols.axis, Role::Axis);
        self.dates(canvas, plot, &months);
    }

    fn column(&self, canvas: &mut Canvas, plot: Rect, months: &Months, column: u16, top: f64) {
        let symbols = canvas.look.symbols;
        let x = plot.x + column;
        // In half cells from the bottom; something is never nothing.
        let halves = |amount: f64| {
            let share = (amount / top).clamp(0.0, 1.0);
            let halves = (share * f64::from(plot.height) * 2.0).round() as u16;
            if amount > 0.0 { halves.max(1) } else { 0 }
        };
        let month = months.at(column);
        let (fan, line, role) = if month <= 0.0 {
            let at = month + months.past as f64;
            (Fan::sure(along(&self.past, at)), None, Role::Series(0))
        } else {
            let fan = fan_along(&self.after, month);
            (fan, Some(along(&self.now, month)), Role::Series(1))
        };
        let (low, likely, high) = (halves(fan.low), halves(fan.likely), halves(fan.high));
        for row in 0..plot.height {
            let y = plot.bottom() - 1 - row;
            let (lower, upper) = (row * 2 + 1, row * 2 + 2);
            let (glyph, role) = if low >= upper {
                (symbols.full, role)
            } else if low >= lower && high >= upper {
                // No gap between what is sure and its range.
                (symbols.heat[3], role)
            } else if low >= lower {
                (symbols.lower_half, role)
            } else if likely >= upper {
                (symbols.heat[2], role)
            } else if high >= upper {
                (symbols.heat[1], role)
            } else {
                continue;
            };
            canvas.text(x, y, x + 1, glyph, role);
        }
        if let Some(line) = line {
            let row = halves(line).saturating_sub(1) / 2;
            let y = plot.bottom() - 1 - row.min(plot.height - 1);
            canvas.text(x, y, x + 1, symbols.bullet, Role::Projection);
        }
    }

    /// The months below, as many as fit, now always.
    fn dates(&self, canvas: &mut Canvas, plot: Rect, months: &Months) {
        let symbols = canvas.look.symbols;
        let y = plot.bottom();
        let now = plot.x + months.column(0);
        let last = plot.right();
        let mut taken: Vec<(u16, u16)> = Vec::new();
        let mut put = |canvas: &mut Canvas, month: i32, word: &str| {
            let column = plot.x + months.column(month);
            let width = text::width(word) as u16;
            let start = column
                .saturating_sub(width / 2)
                .clamp(plot.x, last.saturating_sub(width).max(plot.x));
            let free = taken.iter().all(|(from, to)| start > *to || start + width < *from);
            if free {
                canvas.text(start, y + 1, last, word, Role::Axis);
                canvas.text(column, y, last, symbols.tick, Role::Axis);
                taken.push((start, start + width));
            }
        };
        put(canvas, 0, "now");
        canvas.text(now, y, last, symbols.tick, Role::Focus);
        let (past, future) = (months.past as i32, months.future as i32);
        put(canvas, future, &(self.month)(future));
        put(canvas, -past, &(self.month)(-past));
        for step in [6, 3] {
            for month in (-past..future).filter(|month| month % step == 0) {
                put(canvas, month, &(self.month)(month));
            }
        }
    }

    /// What its glyphs mean.
    pub(crate) fn legend(&self, symbols: &Symbols) -> Vec<(String, Role, &'static str)> {
        let mut legend = vec![
            (symbols.full.to_owned(), Role::Series(0), "past"),
            (symbols.full.to_owned(), Role::Series(1), "if so"),
            (
                format!("{}{}", symbols.heat[2], symbols.heat[1]),
                Role::Series(1),
                "range, 4 in 5 times",
            ),
            (symbols.bullet.to_owned(), Role::Projection, "as it is"),
        ];
        if self.after.iter().all(|fan| fan.low == fan.high) {
            legend.remove(2);
        }
        if self.past.is_empty() {
            legend.remove(0);
        }
        legend
    }
}

/// Months and columns.
struct Months {
    past: usize,
    future: usize,
    width: u16,
}

impl Months {
    /// The month of a column, 0 is now.
    fn at(&self, column: u16) -> f64 {
        let all = (self.past + self.future) as f64;
        f64::from(column) * all / f64::from(self.width.saturating_sub(1).max(1)) - self.past as f64
    }

    fn column(&self, month: i32) -> u16 {
        let all = (self.past + self.future) as f64;
        let at = f64::from(month) + self.past as f64;
        (at * f64::from(self.width.saturating_sub(1)) / all).round().max(0.0) as u16
    }
}

/// The value between two points of a series.
fn along(points: &[f64], at: f64) -> f64 {
    let get = |n: usize| {
        points
            .get(n.min(points.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0.0)
    };
    let whole = at.max(0.0).floor();
    let (one, other) = (get(whole as usize), get(whole as usize + 1));
    one + (other - one) * (at - whole).clamp(0.0, 1.0)
}

fn fan_along(points: &[Fan], at: f64) -> Fan {
    let none = Fan::sure(0.0);
    let get = |n: usize| {
        points
            .get(n.min(points.len().saturating_sub(1)))
            .copied()
            .unwrap_or(none)
    };
    let whole = at.max(0.0).floor();
    get(whole as usize).between(get(whole as usize + 1), (at - whole).clamp(0.0, 1.0))
}

/// A round amount that is not below another, and not far above it.
pub(crate) fn round_up(amount: f64) -> f64 {
    if !amount.is_finite() || amount <= 0.0 {
        return 1.0;
    }
    let ten = 10f64.powf(amount.log10().floor());
    let steps = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let fits = steps
        .iter()
        .map(|step| step * ten)
        .find(|top| *top >= amount * 0.999_999);
    fits.unwrap_or(10.0 * ten)
}

/// The same for bytes, round in the unit they are told in.
pub(crate) fn round_up_bytes(bytes: f64) -> f64 {
    let mut unit = 1.0;
    while bytes / unit >= 1000.0 {
        unit *= 1024.0;
    }
    // A thousand of a unit is told as one of the next.
    match round_up(bytes / unit) {
        round if round >= 1000.0 => 1024.0 * unit,
        round => round * unit,
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::testing::{ascii, drawn, plain};
    use super::*;

    const GIB: f64 = 1024.0 * 1024.0 * 1024.0;

    fn tell(amount: f64) -> String {
        text::bytes(amount as u64)
    }

    fn month(n: i32) -> String {
        format!("m{n}")
    }

    fn outlook() -> Outlook<'static> {
        let likely = |n: usize| (8.0 + 0.2 * n as f64) * GIB;
        Outlook {
            past: (0..10).map(|n| (5.0 + 1.6 * f64::from(n)) * GIB).collect(),
            now: (0..=12).map(|n| (19.4 + 0.3 * f64::from(n)) * GIB).collect(),
            after: (0..=12)
                .map(|n| Fan {
                    low: likely(n) - 0.1 * n as f64 * GIB,
                    likely: likely(n),
                    high: likely(n) + 0.3 * n as f64 * GIB,
                })
                .collect(),
            tell: &tell,
            top: &round_up_bytes,
            month: &month,
        }
    }

    #[test]
    fn the_past_the_future_and_what_is_left_as_it_is() {
        let outlook = outlook();
        let draw = |canvas: &mut Canvas, area| outlook.draw(canvas, area);
        assert_snapshot!(drawn(64, 10, plain(), draw), @r#"
        25.0 GiB                        │                            •••
                                        │ •••••••••••••••••••••••••••
                                    ▄▄███•
                               ▄▄████████
        12.5 GiB          ▄▄█████████████                   ░░░░░░░░░░░░
                     ▄▄██████████████████▄▄▄▓▓▓▓▓▓▓▓▓▓▓▓████████████████
                 ▄██████████████████████████████████████████████████████
             0 B ███████████████████████████████████████████████████████
                 ┴───────┴──────┴───────┴───────┴───────┴──────┴───────┴
                 m-9    m-6    m-3     now     m3      m6     m9     m12
        "#);
        assert_snapshot!(drawn(48, 8, ascii(), draw), @r#"
        25.0 GiB                 |               *******
                                __***************
                           ___####
        12.5 GiB      ___#########            ----------
                  __####################################
             0 B #######################################
                 +----+-----+----+-----+----+-----+----+
                 m-9 m-6   m-3  now   m3   m6    m9  m12
        "#);
    }

    #[test]
    fn scales_end_at_round_amounts() {
        assert_eq!(
            [0.0, 3.0, 12.0, 13.0, 21.0, 99.0].map(round_up),
            [1.0, 3.0, 12.0, 15.0, 25.0, 100.0]
        );
        assert_eq!(tell(round_up_bytes(21.8 * GIB)), "25.0 GiB");
        assert_eq!(round_up_bytes(900.0 * 1024.0 * 1024.0), GIB);
    }

    proptest! {
        #[test]
        fn any_amounts_are_drawn_inside(
            past in prop::collection::vec(any::<f64>(), 0..20),
            now in prop::collection::vec(any::<f64>(), 0..14),
            after in prop::collection::vec(any::<f64>(), 0..14),
            width in 0u16..90,
            height in 0u16..20,
        ) {
            let outlook = Outlook {
                past,
                now,
                after: after.into_iter().map(Fan::sure).collect(),
                tell: &tell,
                top: &round_up_bytes,
                month: &month,
            };
            drawn(width, height, plain(), |canvas, area| outlook.draw(canvas, area));
        }
    }
}

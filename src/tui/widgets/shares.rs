//! A bar of several parts on a scale that starts at nothing: what each part is shows in its glyph, not in its colour alone.

use crate::tui::theme::{Role, Symbols};
use crate::tui::view::canvas::Canvas;

/// Parts a bar can tell apart.
const PARTS: usize = 3;

/// The glyph of a part, the first one the heaviest.
pub(crate) fn glyph(part: usize, symbols: &Symbols) -> &'static str {
    symbols.heat[4 - part.min(PARTS - 1)]
}

/// How a part looks.
pub(crate) fn role(part: usize) -> Role {
    Role::Series(part.min(PARTS - 1) as u8)
}

/// The cells of each part: rounded as a sum, so that the whole is right. What is not nothing shows as something.
fn cells(parts: &[f64], most: f64, width: u16) -> Vec<u16> {
    let whole = f64::from(width);
    let (mut sum, mut used) = (0.0, 0u16);
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        sum += part.max(0.0);
        let share = if most > 0.0 { (sum / most).clamp(0.0, 1.0) } else { 0.0 };
        let least = if *part > 0.0 { used + 1 } else { used };
        let end = ((share * whole).round() as u16).max(least).min(width);
        out.push(end - used);
        used = end;
    }
    out
}

/// Draws a bar: `most` takes the whole width.
pub(crate) fn draw(canvas: &mut Canvas, x: u16, y: u16, width: u16, parts: &[f64], most: f64) {
    let symbols = canvas.look.symbols;
    let mut at = x;
    for (n, cells) in cells(parts, most, width).into_iter().enumerate() {
        canvas.rule(at, y, at + cells, glyph(n, symbols), role(n));
        at += cells;
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::testing::{ascii, drawn, plain};
    use super::*;

    #[test]
    fn parts_on_one_scale() {
        let two = |canvas: &mut Canvas, _| {
            draw(canvas, 0, 0, 20, &[60.0, 20.0, 20.0], 100.0);
            draw(canvas, 0, 1, 20, &[30.0, 5.0, 0.1], 100.0);
            draw(canvas, 0, 2, 20, &[0.0, 0.0, 0.0], 0.0);
        };
        assert_snapshot!(drawn(20, 3, plain(), two), @r"
        ████████████▓▓▓▓▒▒▒▒
        ██████▓▒
        ");
        assert_snapshot!(drawn(20, 3, ascii(), two), @r"
        ############xxxx++++
        ######x+
        ");
    }

    proptest! {
        #[test]
        fn no_part_leaves_the_bar(parts in prop::collection::vec(any::<f64>(), 0..5), most: f64, width in 0u16..40) {
            prop_assert!(cells(&parts, most, width).iter().sum::<u16>() <= width);
        }
    }
}

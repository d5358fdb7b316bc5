//! A bar that says a part of a whole, as fine as the symbols allow.

use crate::tui::theme::{Role, Symbols};
use crate::tui::view::canvas::Canvas;

/// The bar's text, blanks behind it, `width` cells in all. A part that is not nothing shows as something.
pub(crate) fn bar(part: f64, width: u16, symbols: &Symbols) -> String {
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    let (width, fine) = (usize::from(width), symbols.bar.len().max(1));
    let steps = (part * (width * fine) as f64).round() as usize;
    let steps = if part > 0.0 { steps.max(1).min(width * fine) } else { 0 };
    let mut text = symbols.bar.last().unwrap_or(&"").repeat(steps / fine);
    let rest = (steps % fine).checked_sub(1).and_then(|rest| symbols.bar.get(rest));
    text.push_str(rest.unwrap_or(&""));
    let used = text.chars().count();
    text.push_str(&" ".repeat(width.saturating_sub(used)));
    text
}

/// Draws a bar.
pub(crate) fn draw(canvas: &mut Canvas, x: u16, y: u16, width: u16, part: f64, role: Role) {
    let text = bar(part, width, canvas.look.symbols);
    canvas.text(x, y, x + width, &text, role);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{ASCII, BLOCK, UNICODE};

    #[test]
    fn parts_of_a_whole() {
        let bars = [0.0, 0.001, 0.5, 0.55, 1.0, 7.0, f64::NAN, -1.0].map(|part| bar(part, 4, &UNICODE));
        assert_eq!(bars, ["    ", "╸   ", "━━  ", "━━  ", "━━━━", "━━━━", "    ", "    "]);
        assert_eq!(
            [0.01, 0.5, 0.6].map(|part| bar(part, 4, &BLOCK)),
            ["■   ", "■■  ", "■■  "]
        );
        assert_eq!(
            [0.01, 0.5, 1.0].map(|part| bar(part, 4, &ASCII)),
            ["#   ", "##  ", "####"]
        );
        assert_eq!(bar(0.6, 4, &UNICODE), "━━╸ ");
        assert_eq!(bar(0.5, 0, &UNICODE), "");
    }
}

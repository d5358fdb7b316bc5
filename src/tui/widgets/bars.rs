//! A bar that says a part of a whole, an eighth of a cell fine where the symbols allow it.

use crate::tui::theme::Role;
use crate::tui::view::canvas::Canvas;

/// From one eighth of a cell to seven.
const EIGHTHS: [&str; 7] = ["▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The bar's text, blanks behind it, `width` cells in all. A part that is not nothing shows as something.
pub(crate) fn bar(part: f64, width: u16, ascii: bool) -> String {
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    let width = usize::from(width);
    let eighths = (part * width as f64 * 8.0).round() as usize;
    let eighths = if part > 0.0 { eighths.max(1).min(width * 8) } else { 0 };
    let mut text;
    if ascii {
        text = "#".repeat(eighths.div_ceil(8).min(width));
    } else {
        text = "█".repeat(eighths / 8);
        if let Some(rest) = (eighths % 8).checked_sub(1) {
            text.push_str(EIGHTHS[rest]);
        }
    }
    let used = text.chars().count();
    text.push_str(&" ".repeat(width.saturating_sub(used)));
    text
}

/// Draws a bar.
pub(crate) fn draw(canvas: &mut Canvas, x: u16, y: u16, width: u16, part: f64, role: Role) {
    let text = bar(part, width, canvas.look.symbols.rule.is_ascii());
    canvas.text(x, y, x + width, &text, role);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_whole() {
        let bars = [0.0, 0.001, 0.5, 0.55, 1.0, 7.0, f64::NAN, -1.0].map(|part| bar(part, 4, false));
        assert_eq!(bars, ["    ", "▏   ", "██  ", "██▎ ", "████", "████", "    ", "    "]);
        assert_eq!(
            [0.01, 0.5, 1.0].map(|part| bar(part, 4, true)),
            ["#   ", "##  ", "####"]
        );
        assert_eq!(bar(0.5, 0, false), "");
    }
}

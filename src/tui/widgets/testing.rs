//! Widgets drawn for tests: the text of a small screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::theme::{ASCII, Look, Theme};
use crate::tui::view::canvas::Canvas;

/// The plain look.
pub(crate) fn plain() -> Look {
    Look::default()
}

/// The look of a terminal with neither colours nor Unicode.
pub(crate) fn ascii() -> Look {
    Look {
        theme: Theme::Mono,
        symbols: &ASCII,
    }
}

/// What is drawn on a screen of this size: its lines without the blanks at their ends.
pub(crate) fn drawn(width: u16, height: u16, look: Look, draw: impl FnOnce(&mut Canvas, Rect)) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    draw(&mut Canvas::new(&mut buffer, area, look), area);
    let line = |y| {
        let cells = (0..width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    (0..height).map(line).collect::<Vec<_>>().join("\n")
}

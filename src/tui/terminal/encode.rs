//! Changed cells as bytes: the fewest that do it, in one write a frame.
//!
//! A frame is gathered in memory, wrapped in the synchronised-update marks, and written at once; a frame in which nothing
//! changed writes nothing. The terminal is never asked anything: size and cursor are known here.

use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// What a frame's buffer holds before it grows.
const BUFFER: usize = 64 * 1024;
/// Blanks from which erasing is shorter than writing them.
const ERASE_FROM: usize = 9;
const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";

/// A terminal as ratatui draws on it, over any writer.
#[derive(Debug)]
pub struct Screen<W: Write> {
    out: W,
    frame: Vec<u8>,
    size: Size,
    /// Where the next character goes, if that is certain.
    at: Option<(u16, u16)>,
    /// The attributes in force.
    pen: Pen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen {
    fg: Color::Reset,
    bg: Color::Reset,
    modifier: Modifier::empty(),
};

impl<W: Write> Screen<W> {
    /// A screen of this size.
    pub fn new(out: W, columns: u16, rows: u16) -> Self {
        Screen {
            out,
            frame: Vec::with_capacity(BUFFER),
            size: Size::new(columns, rows),
            at: None,
            pen: PLAIN,
        }
    }

    /// Takes a new size; what is on the screen counts as unknown.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.size = Size::new(columns, rows);
        self.at = None;
    }

    /// Where the bytes go.
    #[cfg(test)]
    pub fn writer_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// What is written counts as unknown: after something else wrote to the terminal.
    pub fn forget(&mut self) {
        self.at = None;
        self.frame.clear();
        // An attribute that is surely not in force makes the next cell set all of its own.
        self.pen = PLAIN;
        self.frame.extend_from_slice(b"\x1b[m");
    }

    fn begin(&mut self) {
        if self.frame.is_empty() {
            self.frame.extend_from_slice(SYNC_BEGIN);
        }
    }

    fn move_to(&mut self, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((from, row)) if row == y && x > from => {
                // Never more than a few bytes: the row need not be told.
                _ = match x - from {
                    1 => write!(self.frame, "\x1b[C"),
                    by => write!(self.frame, "\x1b[{by}C"),
                };
            }
            _ if x == 0 => _ = write!(self.frame, "\x1b[{}H", y + 1),
            _ => _ = write!(self.frame, "\x1b[{};{}H", y + 1, x + 1),
        }
        self.at = Some((x, y));
    }

    fn set_pen(&mut self, wanted: Pen) {
        if wanted == self.pen {
            return;
        }
        let mut fresh = Vec::with_capacity(24);
        fresh.push(String::new());
        codes(PLAIN, wanted, &mut fresh);
        let fresh = fresh.join(";");
        let gone = self.pen.modifier - wanted.modifier;
        // Bold and dim share one code to end them: from there on, starting anew is simplest.
        let mut change = Vec::new();
        if gone.is_empty() {
            codes(self.pen, wanted, &mut change);
        }
        let change = change.join(";");
        let shorter = if gone.is_empty() && change.len() < fresh.len() {
            change
        } else {
            fresh
        };
        _ = write!(self.frame, "\x1b[{shorter}m");
        self.pen = wanted;
    }

    fn put(&mut self, x: u16, y: u16, cell: &Cell) {
        self.move_to(x, y);
        self.set_pen(pen_of(cell));
        let symbol = cell.symbol();
        self.frame.extend_from_slice(symbol.as_bytes());
        // Terminals disagree on the width of what is not plain: then the next cell's place is told again. Neither is it
        // certain behind the last column.
        let certain = symbol.chars().count() == 1 && symbol.width() == 1 && x + 1 < self.size.width;
        self.at = certain.then_some((x + 1, y));
    }

    /// Erases blanks; the cursor stays where it is.
    fn erase(&mut self, x: u16, y: u16, cells: usize, cell: &Cell) {
        self.move_to(x, y);
        self.set_pen(pen_of(cell));
        if usize::from(x) + cells >= usize::from(self.size.width) {
            self.frame.extend_from_slice(b"\x1b[K");
        } else {
            _ = write!(self.frame, "\x1b[{cells}X");
        }
    }
}

fn pen_of(cell: &Cell) -> Pen {
    Pen {
        fg: cell.fg,
        bg: cell.bg,
        modifier: cell.modifier,
    }
}

/// The codes that lead from one pen to another, nothing being taken away.
fn codes(from: Pen, to: Pen, out: &mut Vec<String>) {
    const MODIFIERS: [(Modifier, u8); 7] = [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::SLOW_BLINK, 5),
        (Modifier::REVERSED, 7),
        (Modifier::CROSSED_OUT, 9),
    ];
    let new = to.modifier - from.modifier;
    out.extend(
        MODIFIERS
            .iter()
            .filter(|(m, _)| new.contains(*m))
            .map(|(_, code)| code.to_string()),
    );
    if to.fg != from.fg {
        out.push(colour(to.fg, 30));
    }
    if to.bg != from.bg {
        out.push(colour(to.bg, 40));
    }
}

fn colour(colour: Color, base: u8) -> String {
    let plain = |n: u8| (base + n).to_string();
    let bright = |n: u8| (base + 60 + n).to_string();
    match colour {
        Color::Reset => plain(9),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// Whether erasing gives this cell: blank, with nothing that shows on a blank but a background.
fn is_erasable(cell: &Cell) -> bool {
    cell.symbol() == " "
        && !cell
            .modifier
            .intersects(Modifier::REVERSED | Modifier::UNDERLINED | Modifier::CROSSED_OUT)
}

impl<W: Write> Backend for Screen<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let cells: Vec<_> = content.collect();
        let mut n = 0;
        while n < cells.len() {
            let (x, y, cell) = cells[n];
            self.begin();
            if is_erasable(cell) {
                // On a blank only the background shows.
                let bare = |cell: &Cell| (is_erasable(cell), cell.bg);
                let same = |(at, (x2, y2, other)): &(usize, &(u16, u16, &Cell))| {
                    *y2 == y && usize::from(*x2) == usize::from(x) + at && bare(other) == bare(cell)
                };
                let run = cells[n..].iter().enumerate().take_while(same).count();
                if run >= ERASE_FROM || (run > 3 && usize::from(x) + run == usize::from(self.size.width)) {
                    let mut blank = Cell::default();
                    blank.set_bg(cell.bg);
                    self.erase(x, y, run, &blank);
                    n += run;
                    continue;
                }
            }
            self.put(x, y, cell);
            n += 1;
        }
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        // Hidden for as long as the interface has the terminal.
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(Position::ORIGIN)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, _: P) -> io::Result<()> {
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.begin();
        self.set_pen(PLAIN);
        self.frame.extend_from_slice(b"\x1b[2J");
        self.at = None;
        Ok(())
    }

    fn clear_region(&mut self, _: ClearType) -> io::Result<()> {
        self.clear()
    }

    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize {
            columns_rows: self.size,
            pixels: Size::ZERO,
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        self.frame.extend_from_slice(SYNC_END);
        let written = self.out.write_all(&self.frame).and_then(|()| self.out.flush());
        // Whatever became of it: half a frame is not sent again in front of the next.
        self.frame.clear();
        if written.is_err() {
            self.at = None;
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::Terminal;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::tui::view::canvas::settle_wide;

    /// Draws buffers one after the other and gives what a terminal shows in the end.
    fn shown(buffers: &[Buffer]) -> vt100::Parser {
        let area = buffers[0].area;
        let mut terminal = Terminal::new(Screen::new(Vec::new(), area.width, area.height)).unwrap();
        for buffer in buffers {
            terminal.draw(|frame| frame.buffer_mut().clone_from(buffer)).unwrap();
        }
        let mut parser = vt100::Parser::new(area.height.try_into().unwrap(), area.width.try_into().unwrap(), 0);
        parser.process(terminal.backend_mut().writer_mut());
        parser
    }

    fn vt(colour: Color) -> vt100::Color {
        match colour {
            Color::Reset => vt100::Color::Default,
            Color::Red => vt100::Color::Idx(1),
            Color::Cyan => vt100::Color::Idx(6),
            Color::Indexed(n) => vt100::Color::Idx(n),
            Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
            other => panic!("{other:?} is not used in these tests"),
        }
    }

    fn assert_same(buffer: &Buffer, screen: &vt100::Screen) {
        for y in 0..buffer.area.height {
            let mut x = 0;
            while x < buffer.area.width {
                let (cell, there) = (&buffer[(x, y)], screen.cell(y, x).unwrap());
                let contents = if there.has_contents() { there.contents() } else { " " };
                assert_eq!(cell.symbol(), contents, "at {x},{y}");
                assert_eq!(vt(cell.bg), there.bgcolor(), "at {x},{y}");
                assert_eq!(
                    cell.modifier.contains(Modifier::REVERSED),
                    there.inverse(),
                    "at {x},{y}"
                );
                assert_eq!(
                    cell.modifier.contains(Modifier::UNDERLINED),
                    there.underline(),
                    "at {x},{y}"
                );
                if cell.symbol() != " " {
                    assert_eq!(vt(cell.fg), there.fgcolor(), "at {x},{y}");
                    assert_eq!(cell.modifier.contains(Modifier::BOLD), there.bold(), "at {x},{y}");
                    assert_eq!(cell.modifier.contains(Modifier::DIM), there.dim(), "at {x},{y}");
                }
                x += (cell.symbol().width() as u16).max(1);
            }
        }
    }

    fn any_buffer() -> impl Strategy<Value = Buffer> {
        let texts = prop::sample::select(vec!["a", "file.txt", "          ", "日本", "é", "─────", "x y"]);
        let styles = (
            prop::sample::select(vec![Color::Reset, Color::Red, Color::Cyan, Color::Rgb(1, 2, 3)]),
            prop::sample::select(vec![Color::Reset, Color::Indexed(200)]),
            prop::sample::select(vec![
                Modifier::empty(),
                Modifier::BOLD,
                Modifier::DIM,
                Modifier::REVERSED,
                Modifier::BOLD | Modifier::UNDERLINED,
            ]),
        );
        prop::collection::vec((0u16..20, 0u16..5, texts, styles), 0..25).prop_map(|pieces| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 5));
            for (x, y, text, (fg, bg, modifier)) in pieces {
                buffer.set_string(
                    x,
                    y,
                    text,
                    Style::new()
                        .fg(fg)
                        .bg(bg)
                        .add_modifier(modifier)
                        .remove_modifier(!modifier),
                );
            }
            settle_wide(&mut buffer);
            buffer
        })
    }

    proptest! {
        #[test]
        fn the_terminal_shows_the_last_buffer(buffers in prop::collection::vec(any_buffer(), 1..5)) {
            let parser = shown(&buffers);
            assert_same(buffers.last().unwrap(), parser.screen());
        }
    }

    #[test]
    fn an_unchanged_frame_is_not_sent() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 24, 5));
        buffer.set_string(0, 0, "same", Style::new());
        let mut terminal = Terminal::new(Screen::new(Vec::new(), 24, 5)).unwrap();
        terminal.draw(|frame| frame.buffer_mut().clone_from(&buffer)).unwrap();
        let sent = terminal.backend_mut().writer_mut().len();
        assert!(sent > 0);
        terminal.draw(|frame| frame.buffer_mut().clone_from(&buffer)).unwrap();
        assert_eq!(terminal.backend_mut().writer_mut().len(), sent);
    }
}

//! A form as cells: labels left, values right, what is wrong right below, the focused entry's help at the bottom.

use ratatui::layout::Rect;

use super::super::super::field::Field;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::{Entry, Form, List, Value};
use crate::text;

/// Cells between labels and values.
const GAP: u16 = 2;
/// Widest line of help: longer ones are hard to read.
const HELP: u16 = 90;

/// One row of cells: which entry it is of, and which part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    /// The value, or the nth row of a list.
    Value(usize),
    /// The nth line of a note or of what is wrong.
    Note(usize),
    Problem(usize),
}

impl Form {
    /// How many rows the whole form takes in this width, help and the blank above it included.
    pub(crate) fn height(&self, width: u16) -> u16 {
        let rows = self.layout(width).len() + 1 + self.help_rows(width);
        u16::try_from(rows).unwrap_or(u16::MAX)
    }

    /// Draws the form; the help takes the last rows.
    pub(crate) fn draw(&self, canvas: &mut Canvas, area: Rect) {
        let layout = self.layout(area.width);
        let help = self.help_lines(area.width);
        let help_rows = u16::try_from(self.help_rows(area.width)).unwrap_or(0);
        // In a low place one line of help is left, without a blank above it.
        let fits = layout.len() + 1 + usize::from(help_rows) <= usize::from(area.height);
        let (help_rows, blank) = match fits || area.height >= 8 {
            true => (help_rows, 1),
            false => (help_rows.min(1), 0),
        };
        let room = usize::from(area.height.saturating_sub(help_rows + blank));
        let first = self.first_row(&layout, room);
        let labels = self.labels();
        for (row, (entry, part)) in layout.iter().skip(first).take(room).enumerate() {
            let y = area.y + row as u16;
            self.row(canvas, area, y, labels, *entry, *part);
        }
        let symbols = canvas.look.symbols;
        if first > 0 {
            canvas.right(area.y, area.right(), symbols.up, Role::Key);
        }
        if layout.len() > first + room && room > 0 {
            canvas.right(area.y + room as u16 - 1, area.right(), symbols.down, Role::Key);
        }
        let y = area.bottom().saturating_sub(help_rows);
        for (n, line) in help.iter().take(usize::from(help_rows)).enumerate() {
            canvas.text(area.x, y + n as u16, area.right(), line, Role::Dim);
        }
    }

    /// The first row shown: the focus is always in sight, and the form moves no more than that takes.
    fn first_row(&self, layout: &[(usize, Part)], room: usize) -> usize {
        let focus_at = match self.entries.get(self.at).map(|entry| &entry.value) {
            Some(Value::List(list)) => Part::Value(list.at),
            _ => Part::Value(0),
        };
        let focus = layout.iter().position(|row| *row == (self.at, focus_at)).unwrap_or(0);
        // What belongs to it is in sight with it, as far as there is room.
        let behind = layout[focus..]
            .iter()
            .skip(1)
            .take_while(|(entry, part)| *entry == self.at && !matches!(part, Part::Value(_)))
            .count();
        let end = (focus + behind + 1).min(focus + room);
        end.saturating_sub(room)
    }

    fn layout(&self, width: u16) -> Vec<(usize, Part)> {
        let room = usize::from(self.value_width(width));
        let mut rows = Vec::new();
        for (n, entry) in self.entries.iter().enumerate().filter(|(_, entry)| !entry.hidden) {
            let values = match &entry.value {
                Value::List(list) if list.typing => list.rows.len() + 1,
                Value::List(list) => list.rows.len().max(1),
                Value::Note(words) => text::wrap(words, room).len(),
                _ => 1,
            };
            rows.extend((0..values).map(|part| (n, Part::Value(part))));
            if !entry.note.is_empty() && !note_fits_beside(entry, room) {
                let notes = text::wrap(&entry.note, room).len();
                rows.extend((0..notes).map(|part| (n, Part::Note(part))));
            }
            if !entry.problem.is_empty() {
                let problems = text::wrap(&entry.problem, room.saturating_sub(2)).len();
                rows.extend((0..problems).map(|part| (n, Part::Problem(part))));
            }
        }
        rows
    }

    /// The label column's width.
    fn labels(&self) -> u16 {
        let widest = self.entries.iter().map(|entry| text::width(entry.label)).max();
        widest.unwrap_or(0) as u16 + 2
    }

    fn value_width(&self, width: u16) -> u16 {
        width.saturating_sub(self.labels() + GAP + 1).max(1)
    }

    /// The most that any entry's help takes, so that nothing moves when the focus does.
    fn help_rows(&self, width: u16) -> usize {
        let cells = usize::from(width.min(HELP));
        let mut most = 0;
        for entry in self.entries.iter().filter(|entry| !entry.hidden) {
            most = most.max(lines_of(&entry.help, cells).len());
            match &entry.value {
                Value::Choice { words, .. } => {
                    let longest = words.iter().map(|word| lines_of(&word.help, cells).len()).max();
                    most = most.max(longest.unwrap_or(0));
                }
                Value::List(_) => most = most.max(1),
                _ => {}
            }
        }
        most.min(3)
    }

    fn help_lines(&self, width: u16) -> Vec<String> {
        let cells = usize::from(width.min(HELP));
        let Some(entry) = self.entries.get(self.at) else {
            return Vec::new();
        };
        match &entry.value {
            Value::Choice { words, at } if words.get(*at).is_some_and(|word| !word.help.is_empty()) => {
                lines_of(&words[*at].help, cells)
            }
            Value::List(list) if list.at < list.rows.len() => {
                let keys = match list.typing {
                    true => "x removes this row, Enter takes it up to be changed.",
                    false => "x removes this row.",
                };
                lines_of(keys, cells)
            }
            _ => lines_of(&entry.help, cells),
        }
    }

    fn row(&self, canvas: &mut Canvas, area: Rect, y: u16, labels: u16, n: usize, part: Part) {
        let Some(entry) = self.entries.get(n) else { return };
        let focused = n == self.at && entry.takes_focus();
        let (x, end) = (area.x + labels + GAP, area.right().saturating_sub(1));
        let symbols = canvas.look.symbols;
        let room = usize::from(self.value_width(area.width));
        if part == Part::Value(0) {
            if focused {
                canvas.text(area.x, y, area.right(), symbols.cursor, Role::Focus);
            }
            let role = match focused {
                true => Role::Focus,
                false => Role::Dim,
            };
            canvas.text(area.x + 2, y, area.right(), entry.label, role);
        }
        match part {
            Part::Value(row) => {
                let behind = value(canvas, entry, row, focused, x, y, end);
                if row == 0 && note_fits_beside(entry, room) {
                    canvas.text(behind + 2, y, area.right(), &entry.note, Role::Dim);
                }
            }
            Part::Note(line) => {
                let lines = text::wrap(&entry.note, room);
                canvas.text(
                    x,
                    y,
                    area.right(),
                    lines.get(line).map_or("", String::as_str),
                    Role::Dim,
                );
            }
            Part::Problem(line) => {
                let lines = text::wrap(&entry.problem, room.saturating_sub(2));
                if line == 0 {
                    canvas.text(x, y, area.right(), symbols.bad, Role::Danger);
                }
                let line = lines.get(line).map_or("", String::as_str);
                canvas.text(
                    x + text::width(symbols.bad) as u16 + 1,
                    y,
                    area.right(),
                    line,
                    Role::Danger,
                );
            }
        }
    }
}

fn lines_of(help: &str, cells: usize) -> Vec<String> {
    if help.is_empty() {
        return Vec::new();
    }
    text::wrap(help, cells)
}

/// Whether what is known of an entry has its place on the value's own row.
fn note_fits_beside(entry: &Entry, room: usize) -> bool {
    let taken = match &entry.value {
        Value::Toggle(_) => 5,
        Value::Number(number) => number_words(number.value, number.unit).chars().count() + 6,
        Value::Button(words) => text::width(words) + 4,
        _ => return false,
    };
    !entry.note.is_empty() && taken + 2 + text::width(&entry.note) <= room
}

/// Draws one row of a value; gives the column behind it.
fn value(canvas: &mut Canvas, entry: &Entry, row: usize, focused: bool, x: u16, y: u16, end: u16) -> u16 {
    let symbols = canvas.look.symbols;
    match &entry.value {
        Value::Text(field) => {
            let behind = line(canvas, field, false, focused, x, y, end);
            if focused && field.halves().1.is_empty() {
                suggestion(canvas, field, &entry.suggestion, x, y, end);
            }
            behind
        }
        Value::Secret(field) => line(canvas, field, true, focused, x, y, end),
        Value::Choice { words, at } => {
            let words: Vec<String> = words
                .iter()
                .map(|choice| text::escape(choice.word.as_bytes()))
                .collect();
            choice(canvas, &words, *at, focused, x, y, end)
        }
        Value::Set { words, on, at } => set(canvas, words, on, *at, focused, x, y, end),
        Value::Toggle(on) => {
            let (mark, word) = if *on {
                (symbols.marked, "yes")
            } else {
                (symbols.dot, "no")
            };
            let role = if focused { Role::Cursor } else { Role::Text };
            canvas.text(x, y, end, &format!("{mark} {}", text::pad(word, 3)), role)
        }
        Value::Number(number) => {
            let words = number_words(number.value, number.unit);
            match focused {
                true => {
                    let at = canvas.text(x, y, end, "- ", Role::Key);
                    let at = canvas.text(at, y, end, &words, Role::Cursor);
                    canvas.text(at, y, end, " +", Role::Key)
                }
                false => canvas.text(x + 2, y, end, &words, Role::Text),
            }
        }
        Value::List(list) => {
            let behind = list_row(canvas, list, row, focused, x, y, end);
            let types = list.typing && row == list.at && row >= list.rows.len();
            if focused && types && list.typed.halves().1.is_empty() {
                suggestion(canvas, &list.typed, &entry.suggestion, x, y, end);
            }
            behind
        }
        Value::Button(words) => {
            let role = if focused { Role::Cursor } else { Role::Key };
            canvas.text(x, y, end, &format!("[ {words} ]"), role)
        }
        Value::Note(words) => {
            let lines = text::wrap(words, usize::from((end + 1).saturating_sub(x)));
            canvas.text(x, y, end + 1, lines.get(row).map_or("", String::as_str), Role::Text)
        }
    }
}

fn number_words(value: u64, unit: (&str, &str)) -> String {
    match unit {
        ("", "") => text::count(value),
        (one, many) => text::counted(value, one, many),
    }
}

fn line(canvas: &mut Canvas, field: &Field, secret: bool, focused: bool, x: u16, y: u16, end: u16) -> u16 {
    let width = end.saturating_sub(x);
    if focused {
        canvas.field(x, y, width, field, secret);
        return end;
    }
    let shown = match secret {
        true => canvas
            .look
            .symbols
            .bullet
            .repeat(field.text().chars().count().min(4096)),
        false => text::escape(field.text().as_bytes()),
    };
    let shown = text::cut_start(&shown, usize::from(width), canvas.look.symbols.more);
    canvas.text(x, y, end, &text::pad(&shown, usize::from(width)), Role::Field);
    end
}

/// What a text could go on with, dim behind it; the caret stays where it is.
fn suggestion(canvas: &mut Canvas, field: &Field, suggestion: &str, x: u16, y: u16, end: u16) {
    let shown = text::width(&text::escape(field.text().as_bytes()));
    let caret = x + shown.min(usize::from(end.saturating_sub(x + 2))) as u16;
    let suggestion = text::escape(suggestion.as_bytes());
    let mut chars = suggestion.chars();
    if let Some(first) = chars.next() {
        let behind = canvas.text(caret, y, end, &first.to_string(), Role::Cursor);
        canvas.text(behind, y, end, chars.as_str(), Role::Dim);
    }
}

/// All words in a row where they fit, the chosen one marked; else the chosen one and which of how many it is.
fn choice(canvas: &mut Canvas, words: &[String], at: usize, focused: bool, x: u16, y: u16, end: u16) -> u16 {
    let symbols = canvas.look.symbols;
    let chosen = if focused { Role::Cursor } else { Role::Marked };
    let room = usize::from(end.saturating_sub(x));
    let whole: usize = words.iter().map(|word| text::width(word) + 5).sum();
    if whole <= room + 3 {
        let mut column = x;
        for (n, word) in words.iter().enumerate() {
            column = if n == at {
                canvas.text(column, y, end, &format!("{} {word} ", symbols.marked), chosen) + 2
            } else {
                canvas.text(column, y, end, &format!("{} {word} ", symbols.dot), Role::Dim) + 2
            };
        }
        return column;
    }
    let which = format!("  {} of {}", at + 1, words.len());
    let word = words.get(at).map_or("", String::as_str);
    let word = text::cut_end(word, room.saturating_sub(which.len() + 3), symbols.more);
    let column = canvas.text(x, y, end, &format!("{} {word} ", symbols.marked), chosen);
    canvas.text(column, y, end, &which, Role::Dim)
}

/// The words in a row, those chosen marked; as many as fit around the one with the cursor.
#[expect(clippy::too_many_arguments, reason = "a place in cells is four numbers")]
fn set(canvas: &mut Canvas, words: &[String], on: &[bool], at: usize, focused: bool, x: u16, y: u16, end: u16) -> u16 {
    let symbols = canvas.look.symbols;
    let room = usize::from(end.saturating_sub(x));
    let width = |word: &String| text::width(&text::escape(word.as_bytes())) + 5;
    let mut first = 0;
    while first < at && words[first..=at].iter().map(width).sum::<usize>() > room {
        first += 1;
    }
    let mut column = x;
    for (n, word) in words.iter().enumerate().skip(first) {
        let chosen = on.get(n).copied().unwrap_or(false);
        let mark = if chosen { symbols.marked } else { symbols.dot };
        let role = match () {
            () if focused && n == at => Role::Cursor,
            () if chosen => Role::Marked,
            () => Role::Dim,
        };
        let word = text::escape(word.as_bytes());
        let left = usize::from(end.saturating_sub(column));
        if n > at && text::width(&word) + 3 > left {
            return canvas.text(column, y, end, symbols.more, Role::Dim);
        }
        let word = text::cut_end(&word, left.saturating_sub(3), symbols.more);
        column = canvas.text(column, y, end, &format!("{mark} {word} "), role) + 2;
    }
    if words.is_empty() {
        canvas.text(x, y, end, "none yet", Role::Dim);
    }
    column
}

fn list_row(canvas: &mut Canvas, list: &List, row: usize, focused: bool, x: u16, y: u16, end: u16) -> u16 {
    let symbols = canvas.look.symbols;
    let here = focused && row == list.at;
    let Some(shown) = list.rows.get(row) else {
        if !list.typing {
            canvas.text(x, y, end, &list.hint, Role::Dim);
        } else if here || !list.typed.text().is_empty() {
            line(canvas, &list.typed, false, here, x, y, end);
            // Where nothing is typed yet, what could be.
            if list.typed.text().is_empty() {
                canvas.text(x + 2, y, end, &list.hint, Role::Dim);
            }
        } else {
            canvas.text(x, y, end, &format!("+ {}", list.hint), Role::Dim);
        }
        return end;
    };
    let note = list.notes.get(row).map_or("", String::as_str);
    let note_width = text::width(note).min(usize::from(end.saturating_sub(x)) / 2);
    let text_end = end.saturating_sub(note_width as u16 + 1);
    let room = usize::from(text_end.saturating_sub(x));
    let shown = text::cut_start(&text::escape(shown.as_bytes()), room, symbols.more);
    if here {
        let blank = " ".repeat(usize::from(end.saturating_sub(x)));
        canvas.text(x, y, end, &blank, Role::Cursor);
    }
    let (role, note_role) = match here {
        true => (Role::Cursor, Role::Cursor),
        false => (Role::Text, Role::Dim),
    };
    canvas.text(x, y, text_end, &shown, role);
    canvas.right(y, end, &text::cut_end(note, note_width, symbols.more), note_role);
    end
}

//! A file's content as rows of text or of bytes, and a place in them to scroll.

use crate::engine::question::Content;
use crate::text;
use crate::tui::dialog::Moves;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Row {
    /// What stands at its left: the line's number or the place of its first byte; empty where a line goes on.
    pub(crate) label: String,
    /// Its text, harmless.
    pub(crate) text: String,
}

/// Texts as lines, everything else as bytes, in rows of `width` cells with labels; at most `most` rows.
pub(crate) fn rows(content: &Content, hex: bool, wrap: bool, width: usize, most: usize) -> Vec<Row> {
    if hex || !content.form.is_text() {
        return dump(&content.head, width, most);
    }
    let mut out = Vec::new();
    let body = content.head.strip_suffix(b"\n").unwrap_or(&content.head);
    if content.head.is_empty() {
        return out;
    }
    for (n, raw) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = text::line(raw.strip_suffix(b"\r").unwrap_or(raw));
        let mut label = (n + 1).to_string();
        if !wrap {
            out.push(Row { label, text: line });
        } else {
            for text in broken(&line, width.max(8), most.saturating_sub(out.len())) {
                out.push(Row {
                    label: std::mem::take(&mut label),
                    text,
                });
            }
        }
        if out.len() >= most {
            break;
        }
    }
    out
}

/// A line broken at exactly so many cells, wherever that is: content is not prose. At most `most` rows.
fn broken(line: &str, cells: usize, most: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = line;
    while out.len() < most {
        let (row, after) = rest.split_at(text::fitting(rest, cells));
        out.push(row.to_owned());
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    out
}

/// Bytes in hexadecimal and as letters, as many to a row as fit: 16, 8 or 4.
fn dump(bytes: &[u8], width: usize, most: usize) -> Vec<Row> {
    let many = [16, 8].into_iter().find(|many| many * 4 + 2 <= width).unwrap_or(4);
    let row = |(n, part): (usize, &[u8])| {
        let mut text = String::with_capacity(many * 4 + 2);
        for at in 0..many {
            if at == many / 2 {
                text.push(' ');
            }
            match part.get(at) {
                Some(byte) => text.push_str(&format!("{byte:02x} ")),
                None => text.push_str("   "),
            }
        }
        text.push(' ');
        let letter = |byte: &u8| {
            if (0x20..0x7f).contains(byte) {
                *byte as char
            } else {
                '.'
            }
        };
        text.extend(part.iter().map(letter));
        Row {
            label: format!("{:06x}", n * many),
            text,
        }
    };
    bytes.chunks(many).take(most).enumerate().map(row).collect()
}

/// A place in something that is read, not picked from: keys move the first row shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scroll {
    top: u64,
    total: u64,
    height: u64,
}

impl Scroll {
    /// Says how many rows there are, and how many are shown.
    pub(crate) fn fit(&mut self, total: u64, height: u64) {
        (self.total, self.height) = (total, height.max(1));
        self.go(self.top);
    }

    /// The rows shown.
    pub(crate) fn visible(&self) -> std::ops::Range<u64> {
        self.top..self.top.saturating_add(self.height).min(self.total)
    }

    /// Where one is: `12–40 of 300`, or all.
    pub(crate) fn words(&self) -> String {
        let shown = self.visible();
        if shown.start == 0 && shown.end == self.total {
            return String::new();
        }
        format!(
            "{}-{} of {}",
            text::count(shown.start + 1),
            text::count(shown.end),
            text::count(self.total)
        )
    }
}

impl Moves for Scroll {
    fn step(&mut self, by: i64) {
        self.go(self.top.saturating_add_signed(by));
    }

    fn go(&mut self, to: u64) {
        self.top = to.min(self.total.saturating_sub(self.height));
    }

    fn page(&self) -> i64 {
        i64::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::question::Form;

    fn text_of(head: &str) -> Content {
        Content {
            form: Form::Text,
            head: head.into(),
            size: head.len() as u64,
            whole: true,
            mtime: 0,
        }
    }

    fn shown(rows: Vec<Row>) -> Vec<String> {
        rows.into_iter()
            .map(|row| format!("{:>2}|{}", row.label, row.text))
            .collect()
    }

    #[test]
    fn lines_are_numbered_and_broken_where_wanted() {
        let content = text_of("short\r\na line that is longer\n\nend\n");
        assert_eq!(
            shown(rows(&content, false, true, 10, 99)),
            [" 1|short", " 2|a line tha", "  |t is longe", "  |r", " 3|", " 4|end"]
        );
        assert_eq!(
            shown(rows(&content, false, false, 10, 2)),
            [" 1|short", " 2|a line that is longer"]
        );
        assert_eq!(rows(&text_of(""), false, true, 10, 9), []);
    }

    /// A minified file, as much of it as is read: no row measures what lies behind it.
    #[test]
    fn one_long_line_is_broken_in_one_go() {
        let content = text_of(&"x".repeat(16 << 20));
        let start = std::time::Instant::now();
        assert_eq!(
            rows(&content, false, true, 70, 1_000_000).len(),
            (16usize << 20).div_ceil(70)
        );
        assert_eq!(rows(&content, false, true, 70, 100).len(), 100);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn bytes_are_shown_as_numbers_and_letters() {
        let content = Content {
            form: Form::Binary(None),
            head: b"\0Hello,\x1b[31m \xff w".to_vec(),
            ..Content::default()
        };
        let narrow = rows(&content, false, true, 40, 9);
        assert_eq!(
            shown(narrow),
            [
                "000000|00 48 65 6c  6c 6f 2c 1b  .Hello,.",
                "000008|5b 33 31 6d  20 ff 20 77  [31m . w"
            ]
        );
        assert_eq!(rows(&content, false, true, 66, 9).len(), 1);
        assert_eq!(rows(&text_of("a"), true, true, 66, 9)[0].text.trim_end().len(), 51);
    }

    proptest! {
        #[test]
        fn rows_fit_and_stay_few(head: Vec<u8>, width in 20usize..90, hex: bool) {
            let content = Content { form: Form::OldText, head, ..Content::default() };
            let rows = rows(&content, hex, true, width, 50);
            prop_assert!(rows.len() <= 50);
            prop_assert!(rows.iter().all(|row| text::width(&row.text) <= width));
        }

        #[test]
        fn scrolling_stays_inside(moves in prop::collection::vec((any::<i64>(), 0u64..100, 1u64..40), 1..20)) {
            let mut scroll = Scroll::default();
            for (by, total, height) in moves {
                scroll.fit(total, height);
                scroll.step(by);
                prop_assert!(scroll.visible().end <= total);
                prop_assert_eq!(scroll.visible().count() as u64, height.min(total));
            }
        }
    }
}

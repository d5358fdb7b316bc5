//! Hostile names made harmless.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// Combining marks shown behind one character before the rest is escaped.
const MARKS_ALLOWED: u32 = 2;

/// A raw file name as text that can neither move the cursor, reorder the line, nor hide: control, bidirectional,
/// zero-width and blank-looking characters and bytes that are no UTF-8 come out as backslash escapes.
pub fn escape(raw: &[u8]) -> String {
    harmless(raw, false)
}

/// Columns from one tab stop to the next.
const TAB: usize = 8;

/// A line of a file's content (without its end) as text that is as harmless as [`escape`] makes it, for reading: tabs go
/// to the next stop, backslashes stay as they are.
pub fn line(raw: &[u8]) -> String {
    harmless(raw, true)
}

fn harmless(raw: &[u8], reading: bool) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut marks = MARKS_ALLOWED; // a mark needs a character before it
    let mut stop = 0; // where text after the last tab begins: bytes, cells
    let mut cells = 0;
    for chunk in raw.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\t' if reading => {
                    cells += super::width(&out[stop..]);
                    let blanks = TAB - cells % TAB;
                    out.push_str(&" ".repeat(blanks));
                    (stop, cells) = (out.len(), cells + blanks);
                }
                '\\' if reading => out.push('\\'),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\\' => out.push_str("\\\\"),
                c if c.is_control() => _ = write!(out, "\\x{:02x}", u32::from(c)),
                c if deceives(c) => _ = write!(out, "\\u{{{:x}}}", u32::from(c)),
                c if c.width() == Some(0) => {
                    if marks < MARKS_ALLOWED {
                        marks += 1;
                        out.push(c);
                    } else {
                        _ = write!(out, "\\u{{{:x}}}", u32::from(c));
                    }
                    continue;
                }
                c => {
                    marks = 0;
                    out.push(c);
                    continue;
                }
            }
            marks = MARKS_ALLOWED;
        }
        for byte in chunk.invalid() {
            _ = write!(out, "\\x{byte:02x}");
            marks = MARKS_ALLOWED;
        }
    }
    out
}

/// Characters that reorder text or cannot be seen.
fn deceives(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_names_come_out_harmless() {
        assert_eq!(escape(b"a\x1b[31mb\nc"), "a\\x1b[31mb\\nc");
        assert_eq!(escape("evil\u{202e}fdp.exe".as_bytes()), "evil\\u{202e}fdp.exe");
        assert_eq!(escape("zero\u{200b}width".as_bytes()), "zero\\u{200b}width");
        assert_eq!(escape(b"bad\xff\xfe"), "bad\\xff\\xfe");
        assert_eq!(escape("\u{9b}31m".as_bytes()), "\\x9b31m");
        assert_eq!(escape("cafe\u{301}".as_bytes()), "cafe\u{301}");
        assert_eq!(escape("a\u{301}\u{301}\u{301}".as_bytes()), "a\u{301}\u{301}\\u{301}");
        assert_eq!(escape("\u{301}x".as_bytes()), "\\u{301}x");
        assert_eq!(escape("日本 ü".as_bytes()), "日本 ü");
    }

    #[test]
    fn lines_of_content_keep_their_tabs_and_backslashes() {
        assert_eq!(line(b"a\tbc\t\td"), "a       bc              d");
        assert_eq!(line("日\tx".as_bytes()), "日      x");
        assert_eq!(line(b"C:\\dir\x1b[31m\r"), "C:\\dir\\x1b[31m\\r");
    }

    proptest! {
        #[test]
        fn lines_hold_nothing_that_acts(raw: Vec<u8>) {
            prop_assert!(line(&raw).chars().all(|c| !c.is_control() && !deceives(c)));
        }

        #[test]
        fn escaped_names_hold_nothing_that_acts(raw: Vec<u8>) {
            let shown = escape(&raw);
            prop_assert!(shown.chars().all(|c| !c.is_control() && !deceives(c)));
        }
    }
}

//! Text for the screen: hostile names made harmless, widths counted in cells, amounts and times as people read them.

use std::fmt::Write as _;

use jiff::tz::{Offset, TimeZone};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Combining marks shown behind one character before the rest is escaped.
const MARKS_ALLOWED: u32 = 2;

/// A raw file name as text that can neither move the cursor, reorder the line, nor hide: control, bidirectional,
/// zero-width and blank-looking characters and bytes that are no UTF-8 come out as backslash escapes.
pub fn escape(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut marks = MARKS_ALLOWED; // a mark needs a character before it
    for chunk in raw.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
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

/// Cells a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text, cut at its end to `cells` cells; what is cut shows as `mark` (such as `…`).
pub fn cut_end(text: &str, cells: usize, mark: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(mark));
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > room {
            break;
        }
        used += w;
        out.push(c);
    }
    if width(mark) <= cells {
        out.push_str(mark);
    }
    out
}

/// The text, cut at its start to `cells` cells: for paths, whose end says most.
pub fn cut_start(text: &str, cells: usize, mark: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    if width(mark) > cells {
        return String::new();
    }
    let room = cells - width(mark);
    let mut used = 0;
    let mut from = text.len();
    for (at, c) in text.char_indices().rev() {
        let w = c.width().unwrap_or(0);
        if used + w > room {
            break;
        }
        used += w;
        if w > 0 {
            from = at;
        }
    }
    format!("{mark}{}", &text[from..])
}

/// The text, cut in its middle: for names, whose start and extension both say something.
pub fn cut_middle(text: &str, cells: usize, mark: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(mark));
    if room < 8 {
        return cut_end(text, cells, mark);
    }
    let tail = cut_start(text, room / 3, "");
    let head = cut_end(text, room - width(&tail), "");
    format!("{head}{mark}{tail}")
}

/// The text padded with blanks to `cells` cells (never cut).
pub fn pad(text: &str, cells: usize) -> String {
    format!("{text}{}", " ".repeat(cells.saturating_sub(width(text))))
}

/// Text broken into lines of at most `cells` cells, at blanks where it can.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            let mut word = word.to_owned();
            if !line.is_empty() && width(&line) + 1 + width(&word) > cells {
                lines.push(std::mem::take(&mut line));
            }
            while width(&word) > cells {
                let mut head = cut_end(&word, cells, "");
                if head.is_empty() {
                    // A character wider than the line: take it all the same, the view clips it.
                    head = word.chars().take(1).collect();
                }
                word.drain(..head.len());
                lines.push(head);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
        lines.push(line);
    }
    lines
}

/// Bytes in binary units, named as such: `0 B`, `999 B`, `1.5 KiB`, `23.4 GiB`. At most nine cells.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A number with its thousands set apart: `78,579`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1 file`, `2 files`: the number and its noun.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A span of seconds: `0:07`, `12:34`, `1:02:03`, `2 d 3 h`.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes}:{:02}", seconds % 60),
        (0, _) => format!("{hours}:{minutes:02}:{:02}", seconds % 60),
        _ => format!("{days} d {hours} h"),
    }
}

/// An instant as a local date and minute: `2026-08-22 03:00`.
pub fn stamp(seconds: i64, zone: &TimeZone) -> String {
    let shown = jiff::Timestamp::from_second(seconds).map(|at| {
        let offset: Offset = zone.to_offset(at);
        offset.to_datetime(at)
    });
    match shown {
        Ok(at) => {
            format!(
                "{:04}-{:02}-{:02} {:02}:{:02}",
                at.year(),
                at.month(),
                at.day(),
                at.hour(),
                at.minute()
            )
        }
        Err(_) => "out of range".to_owned(),
    }
}

/// How long ago, roughly: `just now`, `5 min ago`, `3 months ago`; `in the future` for clocks that disagree.
pub fn ago(then: i64, now: i64) -> String {
    let seconds = now.saturating_sub(then);
    // To the nearest, so that 90 days are three months.
    let told = |unit: i64, one: &str, many: &str| {
        let n = seconds.saturating_add(unit / 2) / unit;
        format!("{n} {} ago", if n == 1 { one } else { many })
    };
    match seconds {
        ..=-61 => "in the future".to_owned(),
        -60..=59 => "just now".to_owned(),
        60..=3569 => told(60, "min", "min"),
        3570..=84_599 => told(3600, "hour", "hours"),
        84_600..=1_166_399 => told(86_400, "day", "days"),
        1_166_400..=5_140_799 => told(604_800, "week", "weeks"),
        5_140_800..=60_999_999 => told(2_629_800, "month", "months"),
        _ => told(31_557_600, "year", "years"),
    }
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
    fn cutting_counts_cells() {
        assert_eq!(cut_end("日本語", 5, "…"), "日本…");
        assert_eq!(cut_end("日本語", 4, "…"), "日…");
        assert_eq!(cut_start("/a/long/path", 6, "…"), "…/path");
        assert_eq!(cut_middle("a-very-long-name.tar.gz", 16, "…"), "a-very-lon…ar.gz");
        assert_eq!(cut_end("abc", 0, "…"), "");
    }

    #[test]
    fn amounts_read_well() {
        assert_eq!(
            [0, 999, 1000, 1536, 1 << 20, u64::MAX].map(bytes),
            ["0 B", "999 B", "1.0 KiB", "1.5 KiB", "1.0 MiB", "16.0 EiB"]
        );
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [7, 754, 3723, 183_600].map(span),
            ["0:07", "12:34", "1:02:03", "2 d 3 h"]
        );
        assert_eq!(
            [0, 300, 7_900_000].map(|s| ago(0, s)),
            ["just now", "5 min ago", "3 months ago"]
        );
    }

    #[test]
    fn stamps_are_in_the_given_zone() {
        assert_eq!(stamp(1_787_360_400, &TimeZone::UTC), "2026-08-22 01:00");
        assert_eq!(
            stamp(1_787_360_400, &TimeZone::fixed(jiff::tz::offset(2))),
            "2026-08-22 03:00"
        );
        assert_eq!(stamp(i64::MAX, &TimeZone::UTC), "out of range");
    }

    proptest! {
        #[test]
        fn escaped_names_hold_nothing_that_acts(raw: Vec<u8>) {
            let shown = escape(&raw);
            prop_assert!(shown.chars().all(|c| !c.is_control() && !deceives(c)));
        }

        #[test]
        fn cuts_fit_and_keep_what_fits(text in "\\PC{0,40}", cells in 0usize..30) {
            for cut in [cut_end(&text, cells, "…"), cut_start(&text, cells, "…"), cut_middle(&text, cells, "…")] {
                prop_assert!(width(&cut) <= cells, "{cut:?} is wider than {cells}");
                prop_assert!(width(&text) > cells || cut == text);
            }
        }

        #[test]
        fn wrapped_lines_fit(text in "[a-z \\n日]{0,60}", cells in 2usize..20) {
            prop_assert!(wrap(&text, cells).iter().all(|line| width(line) <= cells));
        }
    }
}

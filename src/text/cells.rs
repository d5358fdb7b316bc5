//! Widths counted in cells: cutting, padding, wrapping.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Cells a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// How many bytes of a text's start fit into `cells` cells, each character counted for itself; looks no further.
pub fn fitting(text: &str, cells: usize) -> usize {
    let mut used = 0;
    let over = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > cells
    });
    over.map_or(text.len(), |(at, _)| at)
}

/// Whether a text takes at most `cells` cells. Of a long one only the start is looked at: in frames, and for each row.
pub fn fits(text: &str, cells: usize) -> bool {
    // Characters that are drawn as one take less than each for itself, four of them at most.
    fitting(text, cells.saturating_mul(4).saturating_add(8)) == text.len() && width(text) <= cells
}

/// The text, cut at its end to `cells` cells; what is cut shows as `mark` (such as `…`).
pub fn cut_end(text: &str, cells: usize, mark: &str) -> String {
    if fits(text, cells) {
        return text.to_owned();
    }
    let room = cells.saturating_sub(width(mark));
    let mut out = text[..fitting(text, room)].to_owned();
    if width(mark) <= cells {
        out.push_str(mark);
    }
    out
}

/// The text, cut at its start to `cells` cells: for paths, whose end says most.
pub fn cut_start(text: &str, cells: usize, mark: &str) -> String {
    if fits(text, cells) {
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

/// A path, cut at its start like [`cut_start`], and where that leaves most of it, at the start of a name: `…/backup/home`.
pub fn cut_path(path: &str, cells: usize, mark: &str) -> String {
    let cut = cut_start(path, cells, mark);
    let rest = cut.strip_prefix(mark).filter(|_| cut != path).unwrap_or_default();
    match rest.find('/').filter(|at| at * 2 <= rest.len()) {
        Some(at) => format!("{mark}{}", &rest[at..]),
        None => cut,
    }
}

/// The text, cut in its middle: for names, whose start and extension both say something.
pub fn cut_middle(text: &str, cells: usize, mark: &str) -> String {
    if fits(text, cells) {
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
        for mut word in paragraph.split(' ') {
            let room = cells.checked_sub(width(&line) + 1);
            if !line.is_empty() && !room.is_some_and(|room| fits(word, room)) {
                lines.push(std::mem::take(&mut line));
            }
            while !fits(word, cells) {
                let at = match fitting(word, cells) {
                    // A character wider than the line: take it all the same, the view clips it.
                    0 => word.chars().next().map_or(word.len(), char::len_utf8),
                    at => at,
                };
                let (head, rest) = word.split_at(at);
                lines.push(head.to_owned());
                word = rest;
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// The same in at most `most` lines: what is left out shows as `mark` at the end of the last.
pub fn wrap_short(text: &str, cells: usize, most: usize, mark: &str) -> Vec<String> {
    let mut lines = wrap(text, cells);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = format!("{}{mark}", cut_end(last, cells.saturating_sub(width(mark)), ""));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cutting_counts_cells() {
        assert_eq!(cut_end("日本語", 5, "…"), "日本…");
        assert_eq!(cut_end("日本語", 4, "…"), "日…");
        assert_eq!(cut_start("/a/long/path", 6, "…"), "…/path");
        assert_eq!(cut_path("/srv/backup/home", 14, "…"), "…/backup/home");
        assert_eq!(cut_path("/srv/a-very-long-name/b", 14, "…"), "…y-long-name/b");
        assert_eq!(cut_path("/srv/b", 6, "…"), "/srv/b");
        assert_eq!(cut_middle("a-very-long-name.tar.gz", 16, "…"), "a-very-lon…ar.gz");
        assert_eq!(cut_end("abc", 0, "…"), "");
        assert_eq!(wrap_short("one two six", 4, 2, "…"), ["one", "two…"]);
        assert_eq!(wrap_short("abcdefgh", 4, 1, "…"), ["abc…"]);
        assert_eq!(wrap_short("one two", 4, 2, "…"), ["one", "two"]);
    }

    /// Its time grows with the text, not with the square of it: a minified file is one line, and a tag may be a megabyte.
    #[test]
    fn a_long_word_is_wrapped_and_cut_in_one_go() {
        let long = "x".repeat(4 << 20);
        let start = std::time::Instant::now();
        assert_eq!(wrap(&long, 70).len(), (4usize << 20).div_ceil(70));
        for _ in 0..10_000 {
            assert_eq!(cut_end(&long, 70, "…").chars().count(), 70);
        }
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    proptest! {
        #[test]
        fn cuts_fit_and_keep_what_fits(text in "\\PC{0,40}", cells in 0usize..30) {
            for cut in [cut_end, cut_start, cut_path, cut_middle].map(|cut| cut(&text, cells, "…")) {
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

//! How two texts differ, line by line, with what changed within a line.

use std::time::{Duration, Instant};

use similar::{ChangeTag, DiffOp, DiffTag, TextDiffConfig};

/// Equal lines shown around changes.
const CONTEXT: usize = 3;
/// Most lines given.
const MOST_LINES: usize = 20_000;
/// After this long a coarser answer has to do: texts can be made so that the best one takes hours.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In both texts.
    Both,
    /// In the first only.
    Before,
    /// In the second only.
    After,
}

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffLine {
    /// So many equal lines are left out here.
    Gap(u64),
    /// A line.
    Line {
        /// Where it is.
        side: Side,
        /// Its number in the first text, from 1.
        before: Option<u64>,
        /// Its number in the second text, from 1.
        after: Option<u64>,
        /// Its text without the line's end, in pieces: whether a piece is what changed within the line, and the piece.
        parts: Vec<(bool, String)>,
        /// Whether the text ends here without a line's end.
        open_end: bool,
    },
}

/// How two texts differ.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextDiff {
    /// Lines in the second only.
    pub added: u64,
    /// Lines in the first only.
    pub removed: u64,
    /// What changed, with some equal lines around it.
    pub lines: Vec<DiffLine>,
    /// Whether there is more than `lines` holds.
    pub cut: bool,
}

/// Compares two texts. Bytes that are no UTF-8 are compared as escapes (`\xff`); line ends count unless all lines of both
/// texts end the way they do on Windows.
pub fn compare(before: &[u8], after: &[u8]) -> TextDiff {
    let (mut before, mut after) = (readable(before), readable(after));
    if is_dos(&before) && is_dos(&after) {
        before = before.replace("\r\n", "\n");
        after = after.replace("\r\n", "\n");
    }
    let deadline = Instant::now() + PATIENCE;
    let diff = TextDiffConfig::new().deadline(deadline).diff_lines(&before, &after);
    let mut out = TextDiff::default();
    for op in diff.ops() {
        match op.tag() {
            DiffTag::Equal => {}
            _ => {
                out.removed += op.old_range().len() as u64;
                out.added += op.new_range().len() as u64;
            }
        }
    }
    let mut shown = 0;
    for group in diff.grouped_ops(CONTEXT) {
        let start = group.first().map_or(0, |op| op.old_range().start);
        if start > shown {
            out.lines.push(DiffLine::Gap((start - shown) as u64));
        }
        shown = group.last().map_or(start, |op| op.old_range().end);
        for op in &group {
            if out.lines.len() >= MOST_LINES {
                out.cut = true;
                return out;
            }
            push(&diff, op, deadline, &mut out);
        }
    }
    let rest = diff.old_len().saturating_sub(shown);
    if rest > 0 && !out.lines.is_empty() {
        out.lines.push(DiffLine::Gap(rest as u64));
    }
    out
}

fn push<'a>(diff: &similar::TextDiff<'a, 'a, str>, op: &DiffOp, deadline: Instant, out: &mut TextDiff) {
    for change in diff.iter_inline_changes_deadline(op, Some(deadline)) {
        if out.lines.len() >= MOST_LINES {
            out.cut = true;
            return;
        }
        let mut parts: Vec<(bool, String)> = Vec::new();
        for (changed, piece) in change.values() {
            let piece = piece.strip_suffix('\n').unwrap_or(piece);
            match parts.last_mut() {
                Some((last, text)) if last == changed => text.push_str(piece),
                _ if piece.is_empty() => {}
                _ => parts.push((*changed, piece.to_owned())),
            }
        }
        // A line that changed from end to end needs no emphasis.
        if let [(changed, _)] = parts.as_mut_slice() {
            *changed = false;
        }
        out.lines.push(DiffLine::Line {
            side: match change.tag() {
                ChangeTag::Equal => Side::Both,
                ChangeTag::Delete => Side::Before,
                ChangeTag::Insert => Side::After,
            },
            before: change.old_index().map(|n| n as u64 + 1),
            after: change.new_index().map(|n| n as u64 + 1),
            parts,
            open_end: change.missing_newline(),
        });
    }
}

/// Bytes as text; those that are no UTF-8 as escapes.
fn readable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk
            .invalid()
            .iter()
            .for_each(|byte| out.push_str(&format!("\\x{byte:02x}")));
    }
    out
}

fn is_dos(text: &str) -> bool {
    let ends = text.matches('\n').count();
    ends > 0 && ends == text.matches("\r\n").count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(diff: &TextDiff) -> Vec<String> {
        let line = |line: &DiffLine| match line {
            DiffLine::Gap(n) => format!("@{n}"),
            DiffLine::Line {
                side, parts, open_end, ..
            } => {
                let sign = match side {
                    Side::Both => ' ',
                    Side::Before => '-',
                    Side::After => '+',
                };
                let text: String = parts
                    .iter()
                    .map(|(changed, text)| if *changed { format!("[{text}]") } else { text.clone() })
                    .collect();
                format!("{sign}{text}{}", if *open_end { "$" } else { "" })
            }
        };
        diff.lines.iter().map(line).collect()
    }

    fn numbered(range: std::ops::Range<u32>) -> String {
        range.map(|n| format!("line {n}\n")).collect()
    }

    #[test]
    fn changes_come_with_context_gaps_and_what_changed_within() {
        let before = numbered(0..20);
        let after = before
            .replace("line 9\n", "line nine\n")
            .replace("line 19\n", "line 19");
        let diff = compare(before.as_bytes(), after.as_bytes());
        assert_eq!((diff.added, diff.removed), (2, 2));
        let expected = [
            "@6",
            " line 6",
            " line 7",
            " line 8",
            "-line [9]",
            "+line [nine]",
            " line 10",
            " line 11",
            " line 12",
            "@3",
            " line 16",
            " line 17",
            " line 18",
            "-line 19",
            "+line 19$",
        ];
        assert_eq!(show(&diff), expected);
        let DiffLine::Line { before, after, .. } = &diff.lines[6] else {
            panic!("a gap")
        };
        assert_eq!((*before, *after), (Some(11), Some(11)));
    }

    #[test]
    fn line_ends_of_windows_do_not_hide_what_changed() {
        assert_eq!(show(&compare(b"a\r\nb\r\n", b"a\r\nc\r\n")), [" a", "-b", "+c"]);
        assert_eq!(show(&compare(b"a\r\n", b"a\n")), ["-a\r", "+a"]);
    }

    #[test]
    fn same_texts_have_no_lines() {
        assert_eq!(compare(b"x\ny", b"x\ny"), TextDiff::default());
        assert_eq!(show(&compare(b"", b"one\n")), ["+one"]);
    }

    #[test]
    fn hostile_texts_end_in_time() {
        let text = |odd: usize| -> Vec<u8> {
            (0..60_000usize)
                .map(|n| {
                    if (n * n / 7 + odd * n).is_multiple_of(3) {
                        b'a'
                    } else {
                        b'\n'
                    }
                })
                .collect()
        };
        let diff = compare(&text(1), &text(2));
        assert!(diff.lines.len() <= MOST_LINES + 1);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_told_from_it(before in "([ab]{0,3}\n){0,30}", after in "([ab]{0,3}\n){0,30}") {
            let diff = compare(before.as_bytes(), after.as_bytes());
            let count = |side| diff.lines.iter().filter(|line| matches!(line, DiffLine::Line { side: s, .. } if *s == side)).count() as u64;
            prop_assert_eq!(count(Side::Before), diff.removed);
            prop_assert_eq!(count(Side::After), diff.added);
            let (b, a) = (before.lines().count() as u64, after.lines().count() as u64);
            prop_assert_eq!(b + diff.added, a + diff.removed);
            let equal: u64 = diff.lines.iter().map(|line| match line {
                DiffLine::Gap(n) => *n,
                DiffLine::Line { side: Side::Both, .. } => 1,
                DiffLine::Line { .. } => 0,
            }).sum();
            if before != after {
                prop_assert_eq!(equal + diff.removed, b);
            }
        }
    }
}

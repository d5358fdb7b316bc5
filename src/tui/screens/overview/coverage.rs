//! What brings each path, machine and volume back: a line each, with what outlives what.
//!
//! Marks stand for four questions: one file, the whole state, after the loss of the disk, after the loss of the place.

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::view::{NAME, state};
use crate::engine::question::CoverageRow;
use crate::text;

/// Where the columns behind the name start, for a width.
pub(super) struct Columns {
    /// The age of the last backup.
    pub backup: Option<u16>,
    /// The age of the last snapshot.
    pub snapshot: Option<u16>,
    /// The four marks.
    pub marks: [u16; 4],
    /// What else is to be said.
    pub rest: Option<u16>,
}

/// The heads of the marks.
pub(super) const MARKS: [&str; 4] = ["file", "all", "disk", "site"];

impl Columns {
    pub(super) fn of(width: u16) -> Columns {
        match width {
            ..76 => Columns {
                backup: None,
                snapshot: None,
                marks: [30, 32, 34, 36],
                rest: None,
            },
            76..100 => Columns {
                backup: Some(33),
                snapshot: Some(46),
                marks: [59, 64, 68, 73],
                rest: None,
            },
            _ => Columns {
                backup: Some(36),
                snapshot: Some(54),
                marks: [68, 73, 77, 82],
                rest: Some(89),
            },
        }
    }

    /// How far the name may go.
    fn name_end(&self) -> u16 {
        self.backup.unwrap_or(self.marks[0]) - 1
    }
}

/// Whether a row is worth a line: something brings it back, or somebody chose it. The rest, such as the many subvolumes of a
/// machine that runs containers, is counted.
pub(super) fn is_told(row: &CoverageRow) -> bool {
    !row.one_file.is_empty() || row.snapshots > 0 || matches!(row.kind, "path" | "machine")
}

/// How well it is kept: a glyph, a word, and how they look.
fn standing(model: &Model, row: &CoverageRow) -> (&'static str, &'static str, Role) {
    let symbols = model.look.symbols;
    match row {
        row if row.whole_state.is_empty() && row.one_file.is_empty() => (symbols.bad, "unprotected", Role::Danger),
        row if row.after_disk.is_empty() => (symbols.warning, "on one disk", Role::Warning),
        row if row.after_site.is_empty() => (symbols.dot, "in one place", Role::Text),
        _ => (symbols.good, "protected", Role::Good),
    }
}

/// One line.
pub(super) fn line(model: &Model, canvas: &mut Canvas, y: u16, row: &CoverageRow) {
    let (width, now) = (canvas.width(), model.now.unix);
    let columns = Columns::of(width);
    let symbols = model.look.symbols;
    let (glyph, word, role) = standing(model, row);
    state(canvas, y, glyph, word, role);
    let name = text::escape(row.what.as_bytes());
    let name = text::cut_path(&name, usize::from(columns.name_end() - NAME), symbols.more);
    canvas.text(NAME, y, columns.name_end(), &name, Role::Folder);
    for (at, moment) in [(columns.backup, row.last_backup), (columns.snapshot, row.last_snapshot)] {
        let Some(x) = at else { continue };
        match moment {
            Some(moment) => canvas.text(x, y, width, &text::ago(moment, now), Role::Text),
            None => canvas.text(x, y, width, "none", Role::Dim),
        };
    }
    let brings = [&row.one_file, &row.whole_state, &row.after_disk, &row.after_site];
    for (x, who) in columns.marks.into_iter().zip(brings) {
        match who.is_empty() {
            true => canvas.text(x, y, width, symbols.bad, Role::Warning),
            false => canvas.text(x, y, width, symbols.good, Role::Good),
        };
    }
    if let Some(rest) = columns.rest {
        let (copies, media, elsewhere) = row.copies;
        let (words, role) = match row.warnings.first() {
            Some(warning) => (text::escape(warning.as_bytes()), Role::Warning),
            None => {
                let words = format!("{copies} copies, {media} media, {elsewhere} elsewhere");
                (words, Role::Dim)
            }
        };
        let words = text::cut_end(&words, usize::from(width - 1 - rest), symbols.more);
        canvas.text(rest, y, width - 1, &words, role);
    }
}

/// The line for those that are not told one by one.
pub(super) fn others(canvas: &mut Canvas, y: u16, count: u64) {
    let volumes = text::counted(count, "volume", "volumes");
    let words = format!("{volumes} more without backup or snapshot (5 shows them)");
    canvas.text(NAME, y, canvas.width() - 1, &words, Role::Dim);
}

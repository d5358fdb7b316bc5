//! The three lists, one at a time or side by side.

use super::super::model::{Load, Model, Overlay, Pane};
use super::super::text;
use super::super::theme::Role;
use super::super::window::Window;
use super::canvas::Canvas;
use super::{empty, folder_words};
use crate::engine::Picked;
use crate::engine::question::{EntryRow, GenerationRow, VaultRow};
use crate::vault::NodeType;

/// The first row of the panes: their titles.
const TOP: u16 = 1;

/// Columns from `x` up to `end`, and whether the keys act here.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) x: u16,
    pub(super) end: u16,
    pub(super) focus: bool,
}

impl Span {
    pub(super) fn width(&self) -> u16 {
        self.end.saturating_sub(self.x)
    }
}

/// Draws the panes that are shown.
pub(super) fn draw(model: &Model, canvas: &mut Canvas) {
    let width = canvas.width();
    let span = |x, end, pane| Span {
        x,
        end,
        focus: model.focus == pane,
    };
    if !model.is_wide() {
        let whole = Span {
            x: 0,
            end: width,
            focus: true,
        };
        match model.focus {
            Pane::Vaults => vaults(model, canvas, whole),
            Pane::Generations => generations(model, canvas, whole),
            Pane::Files => files(model, canvas, whole),
        }
        return;
    }
    let first = if width >= 120 { 27 } else { 22 };
    let second = first + 1 + if width >= 150 { 47 } else { 35 };
    vaults(model, canvas, span(0, first, Pane::Vaults));
    generations(model, canvas, span(first + 1, second, Pane::Generations));
    files(model, canvas, span(second + 1, width, Pane::Files));
    let bottom = canvas.height() - 2 - model.strip_rows();
    for x in [first, second] {
        for y in TOP + 1..bottom {
            canvas.text(x, y, x + 1, model.look.symbols.column, Role::Border);
        }
        canvas.text(x, TOP, x + 1, model.look.symbols.tee, Role::Border);
    }
}

/// The title in its rule, with where the cursor is, and the filter in force.
fn heading<T>(model: &Model, canvas: &mut Canvas, span: Span, title: &str, filter: &str, list: &Window<T>) {
    let symbols = model.look.symbols;
    let (rule, role) = if span.focus {
        (symbols.rule_focus, Role::Focus)
    } else {
        (symbols.rule, Role::Border)
    };
    canvas.rule(span.x, TOP, span.end, rule, role);
    let place = match list.total() {
        Some(0) | None => String::new(),
        Some(total) => format!(" {}/{} ", text::count(list.cursor() + 1), text::count(total)),
    };
    let end = span.end.saturating_sub(text::width(&place) as u16 + 1);
    canvas.text(end, TOP, span.end, &place, Role::Dim);
    let room = usize::from(end.saturating_sub(span.x + 4));
    let title = format!(" {} ", text::cut_start(title, room, symbols.more));
    let x = canvas.text(
        span.x + 1,
        TOP,
        end,
        &title,
        if span.focus { Role::Focus } else { Role::Dim },
    );
    if !filter.is_empty() {
        let room = usize::from(end.saturating_sub(x + 4));
        let chip = format!(
            " {} ",
            text::cut_end(&text::escape(filter.as_bytes()), room, symbols.more)
        );
        canvas.text(x, TOP, end, &chip, Role::Chip);
    }
}

/// How the cursor's row looks.
fn cursor_role(model: &Model, span: Span) -> Role {
    let away = matches!(model.overlays.last(), Some(Overlay::Jobs(_)));
    if span.focus && !away {
        Role::Cursor
    } else {
        Role::CursorAway
    }
}

/// Marks the cursor's row: painted where the keys act, a bar at its side elsewhere.
fn cursor(model: &Model, canvas: &mut Canvas, span: Span, y: u16) {
    if cursor_role(model, span) == Role::Cursor {
        canvas.paint(span.x, y, span.end, model.look.style(Role::Cursor));
    } else {
        canvas.text(span.x, y, span.end, model.look.symbols.cursor, Role::Focus);
    }
}

fn vaults(model: &Model, canvas: &mut Canvas, span: Span) {
    let pane = &model.vaults;
    heading(model, canvas, span, "Vaults", &pane.filter, &pane.list);
    if empty::vaults(model, canvas, span) {
        return;
    }
    let more = model.look.symbols.more;
    for (n, index) in pane.list.visible().enumerate() {
        let y = TOP + 1 + 2 * n as u16;
        let Some(row) = pane.list.get(index) else { continue };
        vault(canvas, span, y, row, model.now.unix, more);
        if index == pane.list.cursor() {
            cursor(model, canvas, span, y);
            // The second line keeps its own style: a move of the cursor is to cost little.
            canvas.text(span.x, y + 1, span.end, model.look.symbols.cursor, Role::Focus);
        }
    }
}

fn vault(canvas: &mut Canvas, span: Span, y: u16, row: &VaultRow, now: i64, more: &str) {
    let count = row.generations.map(text::count).unwrap_or_default();
    let wide = span.width() >= 60;
    let amount = match row.generations {
        Some(n) if wide => text::counted(n, "generation", "generations"),
        _ => count,
    };
    canvas.right(y, span.end - 1, &amount, Role::Dim);
    let room = usize::from(span.width()).saturating_sub(text::width(&amount) + 5);
    let name = text::cut_middle(&text::escape(row.name.as_bytes()), room, more);
    canvas.text(span.x + 2, y, span.end, &name, Role::Folder);
    if !row.problem.is_empty() {
        let problem = text::cut_end(
            &format!("! {}", text::escape(row.problem.as_bytes())),
            usize::from(span.width()) - 4,
            more,
        );
        canvas.text(span.x + 2, y + 1, span.end, &problem, Role::Warning);
        return;
    }
    let latest = row.latest.map(|time| text::ago(time, now)).unwrap_or_default();
    let stored = row.stored.map(text::bytes).unwrap_or_default();
    let about = match (latest.is_empty(), stored.is_empty()) {
        (false, false) if wide => format!("{latest}, {stored}"),
        (true, _) => stored,
        _ => latest,
    };
    if wide {
        canvas.right(y + 1, span.end - 1, &about, Role::Dim);
        let room = usize::from(span.width()).saturating_sub(text::width(&about) + 5);
        let place = text::cut_start(&text::escape(row.location.as_bytes()), room, more);
        canvas.text(span.x + 2, y + 1, span.end, &place, Role::Dim);
    } else {
        let about = if about.is_empty() {
            text::cut_start(
                &text::escape(row.location.as_bytes()),
                usize::from(span.width()) - 4,
                more,
            )
        } else {
            about
        };
        canvas.text(span.x + 2, y + 1, span.end, &about, Role::Dim);
    }
}

/// A column: its head, its width, whether its text stands right.
type Column = (&'static str, u16, bool);

/// As many of the columns, most needed first, as fit behind `used`; in the order to be shown.
fn fitting(columns: &[(u8, Column)], room: u16) -> Vec<(usize, Column)> {
    let mut by_need: Vec<usize> = (0..columns.len()).collect();
    by_need.sort_by_key(|n| columns[*n].0);
    let mut used = 0;
    let mut shown: Vec<usize> = Vec::new();
    for n in by_need {
        let width = columns[n].1.1 + 2;
        if used + width > room {
            break;
        }
        used += width;
        shown.push(n);
    }
    shown.sort_unstable();
    shown.into_iter().map(|n| (n, columns[n].1)).collect()
}

fn generations(model: &Model, canvas: &mut Canvas, span: Span) {
    let pane = &model.generations;
    heading(model, canvas, span, "Generations", &pane.filter, &pane.list);
    if empty::generations(model, canvas, span) {
        return;
    }
    let columns = [
        (0, ("made", 16, false)),
        (1, ("", 13, false)),
        (3, ("host", 12, false)),
        (5, ("files", 9, true)),
        (2, ("size", 9, true)),
        (4, ("added", 9, true)),
        (6, ("tags", 16, false)),
    ];
    let shown = fitting(&columns, span.width().saturating_sub(1));
    let mut x = span.x + 3;
    for (_, (head, width, right)) in &shown {
        if *right {
            canvas.right(TOP + 1, x + width, head, Role::Dim);
        } else {
            canvas.text(x, TOP + 1, span.end, head, Role::Dim);
        }
        x += width + 2;
    }
    for (n, index) in pane.list.visible().enumerate() {
        let y = TOP + 2 + n as u16;
        let Some(row) = pane.list.get(index) else {
            canvas.text(span.x + 3, y, span.end, model.look.symbols.more, Role::Dim);
            continue;
        };
        let mut x = span.x + 3;
        for (column, (_, width, right)) in &shown {
            let (value, role) = generation_cell(model, row, *column);
            let value = text::cut_end(&value, usize::from(*width), model.look.symbols.more);
            if *right {
                canvas.right(y, x + width, &value, role);
            } else {
                canvas.text(x, y, span.end, &value, role);
            }
            x += width + 2;
        }
        if index == pane.list.cursor() {
            cursor(model, canvas, span, y);
        }
        if model.selections.contains_key(&row.id) {
            let role = if index == pane.list.cursor() {
                cursor_role(model, span)
            } else {
                Role::Marked
            };
            canvas.text(span.x + 1, y, span.end, model.look.symbols.partly, role);
        }
    }
}

fn generation_cell(model: &Model, row: &GenerationRow, column: usize) -> (String, Role) {
    let amount = |n: Option<u64>, tell: fn(u64) -> String| n.map(tell).unwrap_or_default();
    match column {
        0 => (text::stamp(row.time, &model.zone), Role::Text),
        1 => (text::ago(row.time, model.now.unix), Role::Dim),
        2 => (text::escape(row.host.as_bytes()), Role::Dim),
        3 => (amount(row.files, text::count), Role::Dim),
        4 => (amount(row.logical, text::bytes), Role::Dim),
        5 => (amount(row.added, text::bytes), Role::Dim),
        _ => (text::escape(row.tags.join(" ").as_bytes()), Role::Dim),
    }
}

fn files(model: &Model, canvas: &mut Canvas, span: Span) {
    let pane = &model.files;
    let title = match (&pane.of, model.is_wide()) {
        (Some(_), true) => format!("Files in {}", folder_words(model)),
        _ => "Files".to_owned(),
    };
    heading(model, canvas, span, &title, &pane.filter, &pane.list);
    if empty::files(model, canvas, span) {
        return;
    }
    let modified = if span.width() >= 56 { 16 } else { 10 };
    let columns = [
        (3, ("mode", 9, false)),
        (1, ("size", 9, true)),
        (2, ("modified", modified, false)),
    ];
    let spare = span
        .width()
        .saturating_sub(3 + if span.width() >= 76 { 30 } else { 16 });
    let shown = fitting(&columns, spare);
    let taken: u16 = shown.iter().map(|(_, (_, width, _))| width + 2).sum();
    let names = span.end.saturating_sub(taken + 1);
    canvas.text(span.x + 3, TOP + 1, names, "name", Role::Dim);
    let mut x = names + 2;
    for (_, (head, width, right)) in &shown {
        if *right {
            canvas.right(TOP + 1, x + width, head, Role::Dim);
        } else {
            canvas.text(x, TOP + 1, span.end, head, Role::Dim);
        }
        x += width + 2;
    }
    let range = pane
        .anchor
        .map(|anchor| anchor.min(pane.list.cursor())..=anchor.max(pane.list.cursor()));
    let selection = model.selected().map(|selected| &selected.selection);
    let mut path = pane.folder.clone();
    for (n, index) in pane.list.visible().enumerate() {
        let y = TOP + 2 + n as u16;
        let on_cursor = index == pane.list.cursor();
        let row = pane.list.get(index);
        let mut picked = Picked::None;
        match row {
            None => _ = canvas.text(span.x + 3, y, names, model.look.symbols.more, Role::Dim),
            Some(row) => {
                path.push(row.name.clone());
                picked = selection.map_or(Picked::None, |selection| selection.state(&path));
                path.pop();
                entry(
                    model,
                    canvas,
                    Span { end: names, ..span },
                    y,
                    row,
                    picked == Picked::All,
                );
                let mut x = names + 2;
                for (column, (_, width, right)) in &shown {
                    let value = match column {
                        0 => mode_words(row),
                        1 => row.size.map(text::bytes).unwrap_or_default(),
                        _ => text::stamp(row.mtime, &model.zone)
                            .chars()
                            .take(usize::from(*width))
                            .collect(),
                    };
                    if *right {
                        canvas.right(y, x + width, &value, Role::Dim);
                    } else {
                        canvas.text(x, y, span.end, &value, Role::Dim);
                    }
                    x += width + 2;
                }
            }
        }
        if on_cursor {
            cursor(model, canvas, span, y);
        }
        let glyph = match picked {
            Picked::All => model.look.symbols.marked,
            Picked::Some => model.look.symbols.partly,
            Picked::None if range.as_ref().is_some_and(|range| range.contains(&index)) => model.look.symbols.dot,
            Picked::None => continue,
        };
        let role = if on_cursor {
            cursor_role(model, span)
        } else {
            Role::Marked
        };
        canvas.text(span.x + 1, y, span.end, glyph, role);
    }
}

/// A name, with what says its kind: a slash, an arrow and the target, a word.
fn entry(model: &Model, canvas: &mut Canvas, span: Span, y: u16, row: &EntryRow, selected: bool) {
    let symbols = model.look.symbols;
    let (suffix, role) = match row.kind {
        NodeType::Dir => ("/".to_owned(), Role::Folder),
        NodeType::Symlink => (
            format!(" {} {}", symbols.arrow, text::escape(&row.link_target)),
            Role::Text,
        ),
        NodeType::File => (String::new(), Role::Text),
        NodeType::Dev => (" (block device)".to_owned(), Role::Text),
        NodeType::CharDev => (" (character device)".to_owned(), Role::Text),
        NodeType::Fifo => (" (pipe)".to_owned(), Role::Text),
        NodeType::Socket => (" (socket)".to_owned(), Role::Text),
    };
    let role = if selected { Role::Marked } else { role };
    let room = usize::from(span.width().saturating_sub(3));
    let name = text::escape(&row.name);
    let for_name = room.saturating_sub(if row.kind == NodeType::Dir { 1 } else { 0 });
    let name = text::cut_middle(&name, for_name, symbols.more);
    let x = canvas.text(span.x + 3, y, span.end, &name, role);
    let left = usize::from(span.end.saturating_sub(x));
    let suffix = text::cut_end(&suffix, left, symbols.more);
    canvas.text(
        x,
        y,
        span.end,
        &suffix,
        if row.kind == NodeType::Dir { role } else { Role::Dim },
    );
}

/// Permissions as `ls` writes them.
fn mode_words(row: &EntryRow) -> String {
    let bits = [
        (0o400, 'r'),
        (0o200, 'w'),
        (0o100, 'x'),
        (0o40, 'r'),
        (0o20, 'w'),
        (0o10, 'x'),
        (4, 'r'),
        (2, 'w'),
        (1, 'x'),
    ];
    let mut out: Vec<char> = bits
        .iter()
        .map(|(bit, c)| if row.mode & bit != 0 { *c } else { '-' })
        .collect();
    for (bit, at, set) in [(0o4000, 2, 's'), (0o2000, 5, 's'), (0o1000, 8, 't')] {
        if row.mode & bit != 0 {
            out[at] = if out[at] == 'x' { set } else { set.to_ascii_uppercase() };
        }
    }
    out.into_iter().collect()
}

/// Whether a list shows nothing yet but will.
pub(super) fn is_waiting<T>(load: &Load, list: &Window<T>) -> bool {
    matches!(load, Load::Idle | Load::Loading) && list.total().is_none()
}

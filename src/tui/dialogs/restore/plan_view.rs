//! How the plan is drawn: amounts, warnings, and the list of what is in the way.

use ratatui::layout::Rect;

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::hint_line;
use super::super::{keys_line, labelled, line};
use super::plan::{CLASSES, RestorePlan, is_there};
use super::{MAKING, PLAN};
use crate::engine::question::{Class, ConflictRow, Difference, RestorePreview, State};
use crate::text;
use crate::vault::NodeType;

/// Widest dialog: longer lines are hard to read.
const WIDEST: u16 = 112;
/// Columns of the list from which it says what is there and what the generation has.
const STATES_FROM: u16 = 88;

fn width(model: &Model) -> u16 {
    model.size.0.saturating_sub(4).min(WIDEST)
}

/// Rows of all but the list.
fn head_rows(plan: &RestorePlan, warnings: usize) -> u16 {
    let Some(preview) = &plan.preview else { return 0 };
    // What, where, a blank, the amounts, to write, a blank, the list's heading; a blank and the keys.
    let amounts = amounts(preview).len() as u16;
    let any = CLASSES.iter().any(|(class, _)| plan.count(*class) > 0);
    2 + 1 + amounts + 2 + warnings as u16 + u16::from(warnings > 0) + 2 * u16::from(any) + 2
}

/// Rows the list has on the screen.
pub(super) fn list_rows(model: &Model, plan: &RestorePlan) -> u16 {
    let room = model.size.1.saturating_sub(2 + model.strip_rows() + 1 + 2);
    let rows = room.saturating_sub(head_rows(plan, warnings(model, plan).len()));
    let most = CLASSES
        .iter()
        .map(|(class, _)| plan.count(*class))
        .fold(0, u64::saturating_add);
    rows.min(u16::try_from(most).unwrap_or(u16::MAX)).clamp(1, 16)
}

/// The warnings, wrapped; on a low screen the gravest only.
fn warnings(model: &Model, plan: &RestorePlan) -> Vec<String> {
    let Some(preview) = &plan.preview else {
        return Vec::new();
    };
    let cells = usize::from(width(model).saturating_sub(6));
    let most = if model.size.1 < 30 { 2 } else { 6 };
    let lines = preview.warnings.iter().flat_map(|warning| {
        let lines = text::wrap(&text::escape(warning.as_bytes()), cells)
            .into_iter()
            .enumerate();
        lines.map(|(n, line)| format!("{} {line}", if n == 0 { "!" } else { " " }))
    });
    let mut lines: Vec<String> = lines.collect();
    let left = (lines.len() + 1).saturating_sub(most);
    if lines.len() > most {
        lines.truncate(most - 1);
        let left = text::counted(left as u64, "more line", "more lines");
        lines.push(format!(
            "  {} {left}: a higher window shows all",
            model.look.symbols.more
        ));
    }
    lines
}

/// What there is of each, what it is called, and what it means.
fn amounts(preview: &RestorePreview) -> Vec<Amount> {
    let made = preview.create_files + preview.create_folders + preview.create_others;
    let mut of_them = text::counted(preview.create_files, "file", "files");
    if preview.create_folders > 0 {
        of_them.push_str(&format!(
            ", {}",
            text::counted(preview.create_folders, "folder", "folders")
        ));
    }
    if preview.create_others > 0 {
        of_them.push_str(&format!(
            ", {}",
            text::counted(preview.create_others, "other", "others")
        ));
    }
    let mut rows = vec![(
        "new",
        made,
        if made > 0 {
            of_them
        } else {
            "nothing that is not there already".into()
        },
        if made > 0 { Role::Good } else { Role::Dim },
    )];
    let newer = match preview.overwrite_newer {
        0 => String::new(),
        newer => format!(", {} newer than the generation", text::count(newer)),
    };
    rows.push(match preview.overwrite {
        0 => ("overwrite", 0, "nothing that is there is lost".into(), Role::Dim),
        count => (
            "overwrite",
            count,
            format!("{} there now{newer}", text::bytes(preview.overwrite_bytes)),
            Role::Danger,
        ),
    });
    rows.push((
        "right",
        preview.keep,
        match is_there(preview) && preview.left == 0 {
            true => "there already, all of it: at most modes, owners and times are set".into(),
            false => "there already, as in the generation".into(),
        },
        Role::Dim,
    ));
    if preview.left > 0 {
        rows.push((
            "left alone",
            preview.left,
            "there, and not to be changed".into(),
            Role::Dim,
        ));
    }
    if preview.delete > 0 {
        let about = format!("{} not in the generation", text::bytes(preview.delete_bytes));
        rows.push(("delete", preview.delete, about, Role::Danger));
    }
    if preview.problems > 0 {
        rows.push((
            "impossible",
            preview.problems,
            "the list says why".into(),
            Role::Warning,
        ));
    }
    rows
}

/// Draws it.
pub(super) fn draw(model: &Model, plan: &RestorePlan, canvas: &mut Canvas) {
    let Some(preview) = &plan.preview else {
        return unready(model, plan, canvas);
    };
    let warnings = warnings(model, plan);
    let any = CLASSES.iter().any(|(class, _)| plan.count(*class) > 0);
    let rows = if any { list_rows(model, plan) } else { 0 };
    let wanted = head_rows(plan, warnings.len()) + rows;
    let area = canvas.middle(width(model), wanted + 2);
    let inside = canvas.frame(area, "Restore: the plan", Role::Focus);
    let airy = wanted <= inside.height;
    let keys = inside.height.saturating_sub(1 + u16::from(airy));
    let mut parts = parts(preview, &warnings);
    if !airy {
        fit(&mut parts, usize::from(keys));
    }
    let mut y = 0;
    for part in &parts {
        match part {
            Part::What => labelled(canvas, inside, y, "restore", &plan.wanted.what, Role::Text),
            Part::Where => labelled(canvas, inside, y, "to", &plan.target(), Role::Text),
            Part::Amount((label, count, about, role)) => {
                line(canvas, inside, y, label, Role::Dim);
                let number = format!("{:>11}", text::count(*count));
                canvas.text(inside.x + 10, inside.y + y, inside.right(), &number, *role);
                canvas.text(inside.x + 23, inside.y + y, inside.right(), about, Role::Dim);
            }
            Part::Bytes => bytes(canvas, inside, y, preview),
            Part::Warning(warning) => line(canvas, inside, y, warning, Role::Warning),
            Part::Air => {}
        }
        y += 1;
    }
    let listed = rows.min(keys.saturating_sub(y + 1 + u16::from(airy)));
    if any && listed > 0 {
        heading(canvas, inside, y, plan);
        for index in plan.list.visible().take(usize::from(listed)) {
            y += 1;
            row(model, canvas, inside, y, plan, index);
        }
    }
    hint_line(model, canvas, PLAN, inside.x, inside.y + keys, inside.right());
}

/// What there is of something, what it is called, and what it means.
type Amount = (&'static str, u64, String, Role);

/// A line of the plan.
enum Part {
    What,
    Where,
    Amount(Amount),
    Bytes,
    Warning(String),
    Air,
}

impl Part {
    /// How little is missed where it is not shown, the most needed lowest.
    fn rank(&self) -> u8 {
        match self {
            Part::Amount((.., Role::Danger | Role::Warning)) => 0,
            Part::Warning(_) => 1,
            Part::Where => 2,
            Part::Bytes => 3,
            Part::What => 4,
            Part::Amount((.., Role::Good)) => 5,
            Part::Amount(_) => 6,
            Part::Air => 7,
        }
    }
}

/// The lines of the plan above the list.
fn parts(preview: &RestorePreview, warnings: &[String]) -> Vec<Part> {
    let mut parts = vec![Part::What, Part::Where, Part::Air];
    parts.extend(amounts(preview).into_iter().map(Part::Amount));
    parts.extend([Part::Bytes, Part::Air]);
    if !warnings.is_empty() {
        parts.extend(warnings.iter().cloned().map(Part::Warning));
        parts.push(Part::Air);
    }
    parts
}

/// Leaves out what is needed least until the lines fit: what is lost stays.
fn fit(parts: &mut Vec<Part>, rows: usize) {
    while parts.len() > rows {
        let least = (0..parts.len()).rev().max_by_key(|n| parts[*n].rank());
        let Some(least) = least else { return };
        parts.remove(least);
    }
}

/// What is written and what is fetched for it.
fn bytes(canvas: &mut Canvas, inside: Rect, y: u16, preview: &RestorePreview) {
    line(canvas, inside, y, "to write", Role::Dim);
    let number = format!("{:>11}", text::bytes(preview.write_bytes));
    let fits = preview.room.free_bytes.is_none_or(|free| free >= preview.write_bytes);
    let role = if fits { Role::Text } else { Role::Danger };
    canvas.text(inside.x + 10, inside.y + y, inside.right(), &number, role);
    let mut about = format!("from {} in the vault", text::bytes(preview.fetch_bytes));
    if let Some(free) = preview.room.free_bytes {
        about.push_str(&format!("; {} are free", text::bytes(free)));
    }
    canvas.text(inside.x + 23, inside.y + y, inside.right(), &about, Role::Dim);
}

/// What is listed, and how many of each class there are.
fn heading(canvas: &mut Canvas, inside: Rect, y: u16, plan: &RestorePlan) {
    if y >= inside.height {
        return;
    }
    let total = CLASSES
        .iter()
        .map(|(class, _)| plan.count(*class))
        .fold(0, u64::saturating_add);
    let all = [(None, "all", total)];
    let classes = CLASSES.map(|(class, word)| (Some(class), word, plan.count(class)));
    let mut x = inside.x;
    for (class, word, count) in all.into_iter().chain(classes) {
        if count == 0 {
            continue;
        }
        let (words, role) = match class == plan.class {
            true => (format!(" {word} {} ", text::count(count)), Role::Chip),
            false => (format!(" {word} {} ", text::count(count)), Role::Dim),
        };
        x = canvas.text(x, inside.y + y, inside.right(), &words, role) + 1;
    }
    if plan.beyond > 0 {
        let beyond = format!("{} more are not listed", text::count(plan.beyond));
        canvas.right(inside.y + y, inside.right(), &beyond, Role::Dim);
    }
}

/// One entry that is in the way: where it is, why, and how it differs.
fn row(model: &Model, canvas: &mut Canvas, inside: Rect, y: u16, plan: &RestorePlan, index: u64) {
    if y >= inside.height {
        return;
    }
    let (at, end) = (inside.y + y, inside.right());
    let more = model.look.symbols.more;
    match plan.list.get(index) {
        None => _ = canvas.text(inside.x + 1, at, end, more, Role::Dim),
        Some(found) => {
            let (glyph, word, role) = why(model, found);
            let states = if inside.width >= STATES_FROM {
                states(model, found)
            } else {
                String::new()
            };
            let states_width = if states.is_empty() { 0 } else { 44 };
            // Without a place of its own, why it is impossible stands where the word does.
            let tell = states.is_empty() && !found.why.is_empty();
            let why_told = text::escape(found.why.as_bytes());
            let word = if tell { why_told.as_str() } else { word };
            let word_width = if tell {
                (text::width(word) as u16 + 3).clamp(17, inside.width / 2)
            } else {
                17
            };
            let word = text::cut_end(word, usize::from(word_width.saturating_sub(2)), more);
            let word_x = end.saturating_sub(states_width + word_width);
            let path = text::escape(found.place.as_os_str().as_encoded_bytes());
            let room = usize::from(word_x.saturating_sub(inside.x + 2));
            canvas.text(
                inside.x + 1,
                at,
                word_x,
                &text::cut_start(&path, room, more),
                Role::Text,
            );
            canvas.text(word_x, at, end, &format!("{glyph} {word}"), role);
            canvas.text(word_x + 18, at, end, &states, Role::Dim);
        }
    }
    if index == plan.list.cursor() {
        canvas.paint(inside.x, at, end, model.look.style(Role::Cursor));
    }
}

/// Why an entry is in the list.
fn why(model: &Model, row: &ConflictRow) -> (&'static str, &'static str, Role) {
    let symbols = model.look.symbols;
    match (row.class, row.difference) {
        (Class::Problem, _) => (symbols.bad, "impossible", Role::Danger),
        (Class::Left, _) => (symbols.dot, "left alone", Role::Dim),
        (Class::Deleted, _) => (symbols.bad, "deleted", Role::Danger),
        (_, Some(Difference::NewerOnDisk)) => (symbols.warning, "newer on disk", Role::Danger),
        (_, Some(Difference::OtherType)) => (symbols.warning, "another type", Role::Danger),
        (_, Some(Difference::Size)) => (symbols.warning, "size differs", Role::Warning),
        _ => (symbols.warning, "content differs", Role::Warning),
    }
}

/// What is there, and what the generation has.
fn states(model: &Model, row: &ConflictRow) -> String {
    if !row.why.is_empty() {
        return text::cut_end(&text::escape(row.why.as_bytes()), 42, model.look.symbols.more);
    }
    let told = |state: State| match state.kind {
        NodeType::File => format!(
            "{:>9}  {}",
            text::bytes(state.size),
            &text::stamp(state.mtime, &model.zone)[2..]
        ),
        NodeType::Dir if state.size > 0 => format!("folder, {}", text::bytes(state.size)),
        kind => kind.as_str().to_owned(),
    };
    let now = row.now.map(told).unwrap_or_default();
    match row.then {
        Some(then) => {
            let then = if then.kind == NodeType::File {
                text::bytes(then.size)
            } else {
                then.kind.as_str().into()
            };
            format!("{now} {} {then}", model.look.symbols.arrow)
        }
        None => now,
    }
}

/// While the plan is made, or when there is none.
fn unready(model: &Model, plan: &RestorePlan, canvas: &mut Canvas) {
    let cells = usize::from(
        super::super::WIDTH
            .min(canvas.width().saturating_sub(4))
            .saturating_sub(6),
    );
    let mut wrapped = text::wrap(&plan.problem, cells);
    if !wrapped.is_empty() && !plan.problem.is_empty() {
        wrapped.push("n goes back to the form: another place or choice may do.".into());
    }
    let inside = super::super::frame(canvas, 7 + wrapped.len() as u16, "Restore: the plan", Role::Focus);
    labelled(canvas, inside, 1, "restore", &plan.wanted.what, Role::Text);
    labelled(canvas, inside, 2, "to", &plan.target(), Role::Text);
    if plan.problem.is_empty() {
        let more = model.look.symbols.more;
        let looked = match plan.looked {
            Some((files, bytes)) => format!(
                "comparing with what is there: {}, {}{more}",
                text::counted(files, "file", "files"),
                text::bytes(bytes)
            ),
            None => format!("comparing with what is there{more}"),
        };
        line(canvas, inside, 4, &looked, Role::Dim);
    }
    for (n, text) in wrapped.iter().enumerate() {
        line(canvas, inside, 4 + n as u16, text, Role::Danger);
    }
    keys_line(model, canvas, inside, MAKING);
}

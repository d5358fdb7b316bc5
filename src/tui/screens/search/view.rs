//! How the search is drawn: the field, how far it reaches, the rows.

use super::super::super::model::{Load, Model};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::empty::message;
use super::super::super::view::pane::{Column, Span, TOP, bottom, cursor, fitting, heading};
use super::Searching;
use crate::engine::question::{FoundRow, Kinds, Presence, SearchedVault, Standing};
use crate::text;
use crate::vault::NodeType;

/// Draws the screen.
pub(in super::super) fn draw(model: &Model, canvas: &mut Canvas) {
    let search = &model.search;
    let span = Span::whole(canvas);
    let rows = Span {
        focus: !search.typing,
        ..span
    };
    heading(model, canvas, rows, "Search", "", &search.list);
    field(model, canvas, span);
    reach(model, canvas, span);
    if !empty(model, canvas, span) {
        list(model, canvas, rows);
    }
}

/// What is typed, and what narrows it.
fn field(model: &Model, canvas: &mut Canvas, span: Span) {
    let search = &model.search;
    let y = TOP + 1;
    let kinds = match search.kinds {
        Kinds::All => "all kinds",
        Kinds::Files => "files",
        Kinds::Folders => "folders",
        Kinds::Others => "links and others",
    };
    let vault = match &search.vault {
        Some(vault) => text::cut_end(&text::escape(vault.as_bytes()), 16, model.look.symbols.more),
        None => "all vaults".to_owned(),
    };
    let chips = [
        (kinds.to_owned(), search.kinds != Kinds::All),
        (vault, search.vault.is_some()),
        (
            if search.gone { "only gone" } else { "gone too" }.to_owned(),
            search.gone,
        ),
    ];
    let taken: usize = chips.iter().map(|(text, _)| text::width(text) + 2).sum();
    let mut x = span.end.saturating_sub(taken as u16 + 1);
    let label = canvas.text(span.x + 1, y, span.end, "Name ", Role::Key);
    let width = x.saturating_sub(label + 2).min(60);
    if search.typing {
        canvas.field(label, y, width, &search.field, false);
    } else {
        let typed = text::cut_end(
            &text::escape(search.field.text().as_bytes()),
            usize::from(width),
            model.look.symbols.more,
        );
        canvas.text(label, y, label + width, &typed, Role::Text);
    }
    for (text, set) in chips {
        let role = if set { Role::Chip } else { Role::Dim };
        x = canvas.text(x, y, span.end, &format!(" {text} "), role);
    }
}

/// How far the search reaches: always said.
fn reach(model: &Model, canvas: &mut Canvas, span: Span) {
    let search = &model.search;
    let y = TOP + 2;
    let symbols = model.look.symbols;
    let (words, role) = reach_words(search, symbols.warning);
    let mut end = span.end;
    if search.running && model.search.load == Load::Ready {
        let words = format!("searching{}", symbols.more);
        canvas.right(y, end - 1, &words, Role::Dim);
        end -= text::width(&words) as u16 + 3;
    } else if search.more {
        let words = "more than can be listed: type more of the name";
        canvas.right(y, end - 1, words, Role::Warning);
        end = end.saturating_sub(text::width(words) as u16 + 3);
    }
    let room = usize::from(end.saturating_sub(span.x + 2));
    canvas.text(span.x + 1, y, end, &text::cut_end(&words, room, symbols.more), role);
}

/// How far the vaults can be searched, in words; what is missing first.
pub(super) fn reach_words(search: &Searching, warning: &str) -> (String, Role) {
    let sum = |count: fn(&SearchedVault) -> u64| search.vaults.iter().map(count).fold(0, u64::saturating_add);
    let (known, catalogued) = (sum(|vault| vault.generations), sum(|vault| vault.catalogued));
    let generations = text::counted(known, "generation", "generations");
    let vaults = text::counted(search.vaults.len() as u64, "vault", "vaults");
    let part = |vault: &SearchedVault| {
        let name = text::escape(vault.vault.as_bytes());
        let done = match vault.generations {
            0 => String::new(),
            _ => format!(
                " ({} of {})",
                text::count(vault.catalogued),
                text::count(vault.generations)
            ),
        };
        match &vault.standing {
            Standing::Ready => None,
            Standing::Reading => Some((false, format!("{name} is being read{done}"))),
            Standing::Locked => Some((true, format!("{name} is locked{done}"))),
            Standing::Failed(why) => Some((true, format!("{name}{done}: {}", text::escape(why.as_bytes())))),
        }
    };
    let mut parts: Vec<(bool, String)> = search.vaults.iter().filter_map(part).collect();
    parts.sort_by_key(|(grave, _)| !grave);
    if search.vaults.is_empty() {
        return (String::new(), Role::Dim);
    }
    if parts.is_empty() {
        let all = if search.vaults.len() == 1 {
            String::new()
        } else {
            format!(" of {vaults}")
        };
        let words = match known {
            0 => "The vaults hold no generation yet.".to_owned(),
            1 => format!("Searches the one generation{all}."),
            _ => format!("Searches all {generations}{all}."),
        };
        return (words, Role::Dim);
    }
    let grave = parts.iter().any(|(grave, _)| *grave);
    let listed: Vec<String> = parts.into_iter().map(|(_, words)| words).collect();
    let glyph = if grave { format!("{warning} ") } else { String::new() };
    let words = format!(
        "{glyph}Searches {} of {generations}; {}",
        text::count(catalogued),
        listed.join(", ")
    );
    (words, if grave { Role::Warning } else { Role::Dim })
}

/// Whether no vault can be read, so that nothing found says nothing.
fn is_blind(search: &Searching) -> bool {
    let blind = |vault: &SearchedVault| vault.catalogued == 0 && vault.standing != Standing::Ready;
    !search.vaults.is_empty() && search.vaults.iter().all(blind)
}

/// Says what to do where there are no rows; whether it did.
fn empty(model: &Model, canvas: &mut Canvas, span: Span) -> bool {
    let search = &model.search;
    let y = TOP + 4;
    match &search.load {
        Load::Failed(why) => {
            message(
                canvas,
                span,
                y,
                &text::escape(why.as_bytes()),
                &[("R", "tries again")],
                "",
            );
            true
        }
        Load::Idle => {
            let keys = [
                ("*", "and ? stand for anything: *.odt"),
                ("/", "is where a name begins: /2024, taxes/2024, taxes/*.odt"),
                ("Alt-x", "lists what is gone from the newest generations"),
            ];
            let sentence = "Type a part of a name: it is looked for in every generation of every vault.";
            message(canvas, span, y, sentence, &keys, "coffer find '*.odt' --vault NAME");
            true
        }
        Load::Loading if search.list.total().is_none() => {
            let words = format!("searching{}", model.look.symbols.more);
            canvas.text(span.x + 3, y, span.end, &words, Role::Dim);
            true
        }
        _ if search.list.total() == Some(0) && search.running => {
            let words = format!("searching{}", model.look.symbols.more);
            canvas.text(span.x + 3, y, span.end, &words, Role::Dim);
            true
        }
        _ if search.list.total() == Some(0) && is_blind(search) => {
            let sentence =
                "No vault could be searched: what is in them is not known here yet. The line above says why.";
            message(
                canvas,
                span,
                y,
                sentence,
                &[("2", "goes to the vaults: Enter on one asks for its password")],
                "",
            );
            true
        }
        _ if search.list.total() == Some(0) => {
            let typed = text::escape(search.field.text().trim().as_bytes());
            let kind = match search.kinds {
                Kinds::All => "Nothing",
                Kinds::Files => "No file",
                Kinds::Folders => "No folder",
                Kinds::Others => "No link, pipe or device",
            };
            let gone = if search.gone { " is gone" } else { " was found" };
            let sentence = match typed.is_empty() {
                true => format!("{kind}{gone}."),
                false => format!("{kind}{gone} that is called \"{typed}\"."),
            };
            let narrowed = search.gone || search.vault.is_some() || search.kinds != Kinds::All;
            let keys: &[(&str, &str)] = if narrowed {
                &[("Esc", "looks everywhere, for everything")]
            } else if search.typing {
                &[("Esc", "leaves the field")]
            } else {
                &[("/", "back to the field")]
            };
            message(canvas, span, y, &sentence, keys, "");
            true
        }
        _ => false,
    }
}

/// The columns after the path: how much each is needed, its head, its width, whether it stands right.
const COLUMNS: [(u8, Column); 7] = [
    (0, ("newest", 8, false)),
    (1, ("size", 9, true)),
    (2, ("last in", 10, false)),
    (6, ("first in", 10, false)),
    (4, ("held", 6, true)),
    (5, ("modified", 10, false)),
    (3, ("vault", 10, false)),
];

fn list(model: &Model, canvas: &mut Canvas, span: Span) {
    let search = &model.search;
    let least = if span.width() >= 100 { 44 } else { 30 };
    let columns = COLUMNS.map(|(need, column)| {
        (
            if one_vault(search) && column.0 == "vault" {
                9
            } else {
                need
            },
            column,
        )
    });
    let shown = fitting(&columns, span.width().saturating_sub(3 + least));
    let taken: u16 = shown.iter().map(|(_, (_, width, _))| width + 2).sum();
    let paths = span.end.saturating_sub(taken + 1);
    let y = TOP + 3;
    canvas.text(span.x + 3, y, paths, "name", Role::Dim);
    let mut x = paths + 2;
    for (_, (head, width, right)) in &shown {
        if *right {
            canvas.right(y, x + width, head, Role::Dim);
        } else {
            canvas.text(x, y, span.end, head, Role::Dim);
        }
        x += width + 2;
    }
    for (n, index) in search.list.visible().enumerate() {
        let y = TOP + 4 + n as u16;
        if y >= bottom(model, canvas) {
            return;
        }
        match search.list.get(index) {
            None => _ = canvas.text(span.x + 3, y, paths, model.look.symbols.more, Role::Dim),
            Some(row) => {
                path(model, canvas, Span { end: paths, ..span }, y, row);
                let mut x = paths + 2;
                for (column, (_, width, right)) in &shown {
                    let (value, role) = cell(model, row, *column);
                    let value = text::cut_end(&value, usize::from(*width), model.look.symbols.more);
                    if *right {
                        canvas.right(y, x + width, &value, role);
                    } else {
                        canvas.text(x, y, span.end, &value, role);
                    }
                    x += width + 2;
                }
            }
        }
        if index == search.list.cursor() {
            cursor(model, canvas, span, y);
        }
    }
}

fn one_vault(search: &Searching) -> bool {
    search.vault.is_some() || search.vaults.len() < 2
}

fn cell(model: &Model, row: &FoundRow, column: usize) -> (String, Role) {
    let symbols = model.look.symbols;
    let day = |time| text::stamp(time, &model.zone).chars().take(10).collect();
    match column {
        0 => match row.presence {
            Presence::There => (format!("{} has it", symbols.dot), Role::Dim),
            Presence::Gone => (format!("{} gone", symbols.bad), Role::Removed),
            Presence::Unknown => ("? unread".to_owned(), Role::Warning),
        },
        1 => (row.size.map(text::bytes).unwrap_or_default(), Role::Dim),
        2 => (day(row.last.1), Role::Text),
        3 => (day(row.first.1), Role::Dim),
        4 => (text::count(row.generations), Role::Dim),
        5 => (day(row.mtime), Role::Dim),
        _ => (text::escape(row.vault.as_bytes()), Role::Dim),
    }
}

/// A path: its folder dim, its name with the letters that were looked for.
fn path(model: &Model, canvas: &mut Canvas, span: Span, y: u16, row: &FoundRow) {
    let symbols = model.look.symbols;
    let room = usize::from(span.width().saturating_sub(3));
    let Some((name, folder)) = row.path.split_last() else {
        return;
    };
    let slash = if row.kind == NodeType::Dir { "/" } else { "" };
    // The name is what one looks for: it takes what it needs, as far as there is room, and the folder the rest.
    let name = text::cut_middle(&text::escape(name), room.saturating_sub(slash.len()), symbols.more);
    let left = room.saturating_sub(text::width(&name) + slash.len());
    let mut words = String::new();
    for part in folder {
        words.push('/');
        words.push_str(&text::escape(part));
    }
    words.push('/');
    let mut x = span.x + 3;
    if left >= 2 {
        x = canvas.text(x, y, span.end, &text::cut_path(&words, left, symbols.more), Role::Dim);
    }
    let role = if row.kind == NodeType::Dir {
        Role::Folder
    } else {
        Role::Text
    };
    let start = x;
    x = canvas.text(x, y, span.end, &name, role);
    canvas.text(x, y, span.end, slash, role);
    let (from, to) = matched(&name, model.search.field.text());
    if from < to
        && let (Some(before), Some(part)) = (name.get(..from), name.get(from..to))
    {
        canvas.text(start + text::width(before) as u16, y, span.end, part, Role::Match);
    }
}

/// Where in a name the letters looked for are, as bytes; nowhere when they are a pattern or not all ASCII.
fn matched(name: &str, typed: &str) -> (usize, usize) {
    let part = typed.trim().rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    if part.is_empty() || part.contains(['*', '?']) || !part.is_ascii() {
        return (0, 0);
    }
    match name.to_ascii_lowercase().find(&part) {
        Some(at) => (at, at + part.len()),
        None => (0, 0),
    }
}

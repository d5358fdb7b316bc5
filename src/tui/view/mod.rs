//! The model as cells. Pure: what is on the screen follows from the model alone.
//!
//! From the top: where one is, and the screens; the pane's title, its column heads, its rows; then what is selected or was
//! just said, the strip of running jobs, and the keys of this place. Screens and dialogs draw themselves; here is what they
//! have in common: `canvas` writes text into cells, `pane` is headings and columns, `empty` what a list says when there is
//! nothing in it.

pub(crate) mod canvas;
pub(crate) mod empty;
pub(crate) mod pane;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use canvas::Canvas;

use super::actions::{self, Action, At, Context};
use super::dialogs::filter::Filter;
use super::dialogs::{jobs, quit};
use super::model::{Model, SMALLEST, Screen, WIDE};
use super::screens;
use super::screens::files::Selected;
use super::screens::files::view::folder_words;
use super::screens::vaults::Pane;
use super::theme::Role;
use crate::text;

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame) {
    let area = frame.area();
    draw(model, frame.buffer_mut(), area);
}

/// Draws everything into a buffer.
pub fn draw(model: &Model, buffer: &mut Buffer, area: Rect) {
    let mut canvas = Canvas::new(buffer, area, model.look);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        let (columns, rows) = SMALLEST;
        let line = match quit::asked(model) {
            Some(why) => format!("{why}: {columns}x{rows} shows what to do"),
            None => format!("Coffer needs {columns}x{rows}; q quits"),
        };
        canvas.text(0, 0, area.width, &line, Role::Text);
        return;
    }
    title(model, &mut canvas);
    screens::draw(model, &mut canvas);
    let strip = model.strip_rows();
    status(model, &mut canvas, area.height - 2 - strip);
    if strip > 0 {
        jobs::strip(model, &mut canvas, area.height - 2);
    }
    if model.key_hints && model.dialogs.last().is_none_or(|dialog| dialog.in_footer()) {
        hint_line(model, &mut canvas, model.context(), 1, area.height - 1, area.width - 1);
    }
    canvas.floor = 2 + strip;
    for (n, dialog) in model.dialogs.iter().enumerate() {
        let replaced = model.dialogs.get(n + 1).is_some_and(|above| above.replaces_below());
        if !replaced {
            dialog.draw(model, &mut canvas);
        }
    }
    canvas::settle_wide(buffer);
}

/// The first line: the program, the place, and the screens.
fn title(model: &Model, canvas: &mut Canvas) {
    let width = canvas.width();
    let mut x = canvas.text(1, 0, width, "Coffer", Role::Title) + 2;
    let room = tabs(model, canvas);
    if model.read_only {
        x = canvas.text(x, 0, room, "read-only", Role::Warning) + 2;
    }
    let (crumb, more) = (model.look.symbols.crumb, model.look.symbols.more);
    let crumbs = crumbs(model);
    let last = crumbs.len().saturating_sub(1);
    for (n, part) in crumbs.iter().enumerate() {
        if n > 0 {
            x = canvas.text(x, 0, room, &format!(" {crumb} "), Role::Dim);
        }
        let left = usize::from(room.saturating_sub(x));
        let cut = if n == last {
            text::cut_path(part, left, more)
        } else {
            text::cut_end(part, left.min(28), more)
        };
        x = canvas.text(x, 0, room, &cut, if n == last { Role::Text } else { Role::Dim });
    }
}

/// The screens and their keys, at the right of the first line; gives the column they start before.
fn tabs(model: &Model, canvas: &mut Canvas) -> u16 {
    let width = canvas.width();
    let places = tab_places(model, width);
    for (screen, x, tab) in &places {
        let role = if *screen == model.screen {
            Role::Focus
        } else {
            Role::Dim
        };
        canvas.text(*x, 0, width, tab, role);
    }
    places.first().map_or(width, |(_, x, _)| *x).saturating_sub(2)
}

/// Each screen's column in the first line, and its words.
fn tab_places(model: &Model, width: u16) -> Vec<(Screen, u16, String)> {
    let named = |screen: Screen| width >= 120 || screen == model.screen;
    let words = |(n, screen): (usize, &Screen)| match named(*screen) {
        true => format!("{} {}", n + 1, screen.title()),
        false => (n + 1).to_string(),
    };
    let tabs: Vec<String> = Screen::ALL.iter().enumerate().map(words).collect();
    let gap = if width >= WIDE { 2 } else { 1 };
    let total: usize = tabs.iter().map(|tab| text::width(tab) + gap).sum();
    let mut x = width.saturating_sub(total as u16);
    let place = |(screen, tab): (&Screen, String)| {
        let at = x;
        x = x.saturating_add((text::width(&tab) + gap) as u16);
        (*screen, at, tab)
    };
    Screen::ALL.iter().zip(tabs).map(place).collect()
}

/// The screen whose name is at this column of the first line.
pub(super) fn tab_at(model: &Model, column: u16) -> Option<Screen> {
    let places = tab_places(model, model.size.0);
    let hit = |(_, x, tab): &&(Screen, u16, String)| (*x..*x + text::width(tab) as u16).contains(&column);
    places.iter().find(hit).map(|(screen, ..)| *screen)
}

/// Where one is: vault, generation, folder; or volume, snapshot.
fn crumbs(model: &Model) -> Vec<String> {
    let mut crumbs = Vec::new();
    if model.screen == Screen::Snapshots {
        return screens::snapshots::crumbs(model);
    }
    if !matches!(model.screen, Screen::Vaults | Screen::Files | Screen::Cost) {
        return crumbs;
    }
    let snapshots = model.screen == Screen::Cost && model.cost.snapshots.shown;
    if let Some(vault) = model.generations.vault.as_ref().filter(|_| !snapshots) {
        crumbs.push(text::escape(vault.as_bytes()));
    }
    if model.screen == Screen::Cost {
        crumbs.extend(screens::cost::crumb(model).map(str::to_owned));
        return crumbs;
    }
    if (model.screen == Screen::Files || model.pane != Pane::Vaults)
        && let Some(row) = model.generations.list.current()
    {
        crumbs.push(text::stamp(row.time, &model.zone));
        if model.screen == Screen::Files {
            crumbs.push(folder_words(model));
        }
    }
    crumbs
}

/// What a selection weighs, in words.
fn weight_words(model: &Model, selected: &Selected) -> String {
    let more = if selected.counted { "" } else { model.look.symbols.more };
    match selected.totals {
        Some(totals) => format!(
            ": {}, {}, {}{more}",
            text::counted(totals.files, "file", "files"),
            text::counted(totals.folders, "folder", "folders"),
            text::bytes(totals.bytes)
        ),
        None if selected.counted => ": size unknown".to_owned(),
        None => format!(": counting{more}"),
    }
}

/// What is selected, and what was last said.
fn status(model: &Model, canvas: &mut Canvas, y: u16) {
    let width = canvas.width();
    let symbols = model.look.symbols;
    let mut x = 1;
    if model.dialog::<Filter>().is_some() {
        // It is typed here.
        return;
    }
    if let Some(selected) = model.selected().filter(|_| model.screen == Screen::Files) {
        let mark = format!("{} {} selected", symbols.marked, selected.words());
        let weight = weight_words(model, selected);
        // What was said needs the room more than the counts do; number and size stay.
        let said = model.notice.as_ref().map_or(0, |notice| text::width(&notice.text) + 6);
        let crowded = text::width(&mark) + text::width(&weight) + said > usize::from(width);
        x = canvas.text(x, y, width, &mark, Role::Marked);
        let weight = match selected.totals {
            Some(totals) if crowded => format!(": {}", text::bytes(totals.bytes)),
            _ => weight,
        };
        x = canvas.text(x, y, width, &weight, Role::Text) + 3;
    }
    if model.files.anchor.is_some() && model.screen == Screen::Files {
        x = canvas.text(x, y, width, "range: Space selects it, Esc leaves it", Role::Chip) + 3;
    }
    if let Some((words, role)) = screens::status(model) {
        // What was said needs the room more.
        let said = model.notice.as_ref().map_or(0, |notice| text::width(&notice.text) + 6);
        if text::width(&words) + said <= usize::from(width) {
            x = canvas.text(x, y, width, &words, role) + 3;
        }
    }
    if let Some(notice) = &model.notice {
        let glyph = match notice.role {
            Role::Good => symbols.good,
            Role::Danger => symbols.bad,
            Role::Warning => symbols.warning,
            _ => "",
        };
        if !glyph.is_empty() {
            x = canvas.text(x, y, width, glyph, notice.role) + 1;
        }
        let room = usize::from(width.saturating_sub(x + 1));
        let role = if notice.role == Role::Good {
            Role::Text
        } else {
            notice.role
        };
        canvas.text(x, y, width, &text::cut_end(&notice.text, room, symbols.more), role);
    }
}

/// A hint's column, its key as shown, and what it does.
type Hint = (u16, String, &'static Action);

/// The hints of a place that fit from `x` up to `end`, the most needed first.
fn hints(model: &Model, canvas: &Canvas, context: Context, mut x: u16, end: u16) -> Vec<Hint> {
    // What has no key here has no hint.
    let keyed = |action: &'static Action| Some((model.keymap.keys_in(context, action).into_iter().next()?, action));
    let mut hinted: Vec<_> = actions::of(context)
        .filter(|action| action.hint > 0)
        // A dialog's line has room for its own keys only.
        .filter(|action| !(context.dialog && matches!(action.at, At::Everywhere)))
        .filter_map(keyed)
        .collect();
    hinted.sort_by_key(|(_, action)| action.hint);
    // What has keys of two kinds is hinted by the first that is heard.
    hinted.dedup_by_key(|(_, action)| action.id);
    // Help and quit have their place even where there is little: what does not fit goes from the middle.
    let widths: Vec<u16> = hinted
        .iter()
        .map(|(key, action)| (text::width(key) + 1 + text::width(action.name) + 2) as u16)
        .collect();
    let mut total: u16 = widths.iter().sum();
    let mut keep = vec![true; hinted.len()];
    // What cannot be done now goes first.
    let usable = |n: &usize| {
        hinted
            .get(*n)
            .is_some_and(|(_, action)| (action.why_not)(model).is_none())
    };
    let mut order: Vec<usize> = (1..hinted.len().saturating_sub(2)).rev().collect();
    order.sort_by_key(usable);
    for n in order {
        if total <= end.saturating_sub(x) + 2 {
            break;
        }
        keep[n] = false;
        total -= widths[n];
    }
    let mut places = Vec::new();
    for ((key, action), _) in hinted.into_iter().zip(keep).filter(|(_, keep)| *keep) {
        let key = canvas.key_name(&key);
        let width = text::width(&key) + 1 + text::width(action.name) + 2;
        places.push((x, key, action));
        x = x.saturating_add(width as u16);
        if x >= end {
            break;
        }
    }
    places
}

/// The keys of a place, as many as fit from `x` up to `end`.
pub(crate) fn hint_line(model: &Model, canvas: &mut Canvas, context: Context, x: u16, y: u16, end: u16) {
    for (x, key, action) in hints(model, canvas, context, x, end) {
        let usable = (action.why_not)(model).is_none();
        let next = canvas.text(x, y, end, &key, if usable { Role::Key } else { Role::Dim });
        let role = if usable { Role::Text } else { Role::Dim };
        canvas.text(next + 1, y, end, action.name, role);
    }
}

/// What the last line names at this column.
pub(super) fn hint_at(model: &Model, column: u16) -> Option<&'static Action> {
    if model.dialogs.last().is_some_and(|dialog| !dialog.in_footer()) {
        return None;
    }
    let area = Rect::new(0, 0, model.size.0, 1);
    let mut buffer = Buffer::empty(area);
    let canvas = Canvas::new(&mut buffer, area, model.look);
    let hints = hints(model, &canvas, model.context(), 1, model.size.0.saturating_sub(1));
    let hit = |(x, key, action): &&Hint| {
        let width = text::width(key) + 1 + text::width(action.name);
        (*x..*x + width as u16).contains(&column)
    };
    hints.iter().find(hit).map(|(_, _, action)| *action)
}

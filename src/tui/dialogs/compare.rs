//! Two versions of a text side by side in time: what was taken out, what came in.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::super::actions::{Act, Action, At, Context};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::files::{self, Spot, travel};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::empty::message;
use super::super::view::hint_line;
use super::super::view::pane::Span;
use super::super::widgets::content::Scroll;
use crate::engine::question::{Comparison, DiffLine, FileAt, Side, TextDiff, on_disk_path};
use crate::engine::{Answer, Question};
use crate::text;

const CONTEXT: Context = Context::dialog("compare", "Two versions").with_list();
const SLOT: &str = "compare";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("compare.next", "next change", "To the next change", &["n"], At::Only(&[CONTEXT]), |act| jump(act, true)).hint(1),
    Action::new("compare.previous", "change before", "To the change before", &["N"], At::Only(&[CONTEXT]), |act| jump(act, false)).hint(2),
    Action::new("compare.swap", "swap", "The other way round", &["x"], At::Only(&[CONTEXT]), swap).hint(3),
    Action::new("compare.back", "back", "Back to where one was", &["h", "Backspace", "←", "Enter"], At::Only(&[CONTEXT]),
        super::super::dialog::close).hint(4),
];

/// One of the two: the file, and when, safe to show.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) file: FileAt,
    pub(crate) when: String,
}

/// Two versions.
#[derive(Debug)]
pub struct Compare {
    name: String,
    before: Option<Version>,
    after: Version,
    /// The entry whose version before is still looked for.
    looks_for: Option<Spot>,
    found: Option<Comparison>,
    load: Load,
    scroll: Scroll,
}

/// Compares the file under the cursor with its version before.
pub fn with_older(act: &mut Act) {
    let Some(spot) = files::spot(act.model) else { return };
    let after = Version {
        file: spot.file(),
        when: shown_time(act.model),
    };
    travel::ensure(act.model, &spot.vault, &spot.path, spot.generation, act.effects);
    act.model.push(Compare {
        name: text::escape(&spot.row.name),
        before: None,
        after,
        looks_for: Some(spot),
        found: None,
        load: Load::Idle,
        scroll: Scroll::default(),
    });
}

/// Compares the file under the cursor with the one on the disk.
pub fn with_disk(act: &mut Act) {
    let Some(spot) = files::spot(act.model) else { return };
    let before = Version {
        file: spot.file(),
        when: shown_time(act.model),
    };
    let after = on_disk(&spot);
    open(act, text::escape(&spot.row.name), before, after);
}

/// The file on the disk at an entry's path.
fn on_disk(spot: &Spot) -> Version {
    Version {
        file: FileAt::Disk(on_disk_path(&spot.path)),
        when: "on the disk now".to_owned(),
    }
}

fn shown_time(model: &Model) -> String {
    let time = model.generations.list.current().map_or(0, |row| row.time);
    text::stamp(time, &model.zone)
}

/// Compares two versions; the name must be safe to show.
pub(crate) fn open(act: &mut Act, name: String, before: Version, after: Version) {
    act.model.push(Compare {
        name,
        before: Some(before),
        after,
        looks_for: None,
        found: None,
        load: Load::Idle,
        scroll: Scroll::default(),
    });
}

fn swap(act: &mut Act) {
    with_top::<Compare>(act, |compare, _| {
        if let Some(before) = compare.before.take() {
            compare.before = Some(std::mem::replace(&mut compare.after, before));
            compare.found = None;
            compare.load = Load::Idle;
        }
        Then::Keep
    });
}

/// To the first line of the next change, or of the one before.
fn jump(act: &mut Act, forward: bool) {
    with_top::<Compare>(act, |compare, act| {
        let Some(Comparison::Text(diff)) = &compare.found else {
            return Then::Keep;
        };
        let top = compare.scroll.visible().start;
        let starts = starts(diff);
        let to = if forward {
            starts.into_iter().find(|at| *at > top + 1)
        } else {
            starts.into_iter().rev().find(|at| *at < top)
        };
        let before = compare.scroll;
        if let Some(to) = to {
            // A line of what stays is left above it.
            compare.scroll.go(to.saturating_sub(1));
        }
        if compare.scroll == before {
            act.model.say(
                Role::Dim,
                if forward {
                    "No change further down."
                } else {
                    "No change further up."
                },
            );
        }
        Then::Keep
    });
}

/// The rows where changes begin.
fn starts(diff: &TextDiff) -> Vec<u64> {
    let changed = |line: &DiffLine| {
        matches!(
            line,
            DiffLine::Line {
                side: Side::Before | Side::After,
                ..
            }
        )
    };
    let lines = &diff.lines;
    let begins = |n: &usize| changed(&lines[*n]) && n.checked_sub(1).is_none_or(|before| !changed(&lines[before]));
    (0..lines.len()).filter(begins).map(|n| n as u64).collect()
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Some(compare) = model.dialog_mut::<Compare>() else {
        return;
    };
    let Question::Compare { before, after } = asked else {
        return;
    };
    if compare.before.as_ref().map(|version| &version.file) != Some(before) || compare.after.file != *after {
        return;
    }
    match told.answer {
        Answer::Comparison(found) => {
            compare.found = Some(found);
            compare.load = Load::Ready;
        }
        other => compare.load = failed(other),
    }
}

impl Compare {
    /// Looks whether the version before is known by now.
    fn find_older(&mut self, model: &Model) {
        let Some(spot) = &self.looks_for else { return };
        let travel = &model.files.travel;
        let Some(versions) = travel.of(&spot.vault, &spot.path, spot.generation) else {
            return;
        };
        match &travel.load {
            Load::Failed(_) | Load::Locked => {
                self.load = travel.load.clone();
                self.looks_for = None;
                return;
            }
            Load::Ready => {}
            _ => return,
        }
        let at = travel::run_of(versions, spot.generation);
        let older = at.and_then(|at| {
            versions.versions[at + 1..]
                .iter()
                .find(|run| run.entry.as_ref().is_some_and(|entry| entry.kind == spot.row.kind))
        });
        match older.and_then(|run| run.held.first()) {
            Some((generation, time)) => {
                self.before = Some(Version {
                    file: FileAt::Generation {
                        vault: spot.vault.clone(),
                        generation: *generation,
                        path: spot.path.clone(),
                    },
                    when: text::stamp(*time, &model.zone),
                });
                self.looks_for = None;
            }
            None if versions.oldest_seen => {
                self.load = Load::Failed(
                    "There is no version before this one: it is the oldest. D compares it with the disk.".into(),
                );
                self.looks_for = None;
            }
            None => {}
        }
    }
}

fn inside(size: (u16, u16)) -> Rect {
    Rect::new(0, 2, size.0, size.1.saturating_sub(3))
}

impl Dialog for Compare {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.scroll)
    }

    fn layout(&mut self, model: &Model) {
        let lines = match &self.found {
            Some(Comparison::Text(diff)) => diff.lines.len() as u64,
            _ => 0,
        };
        self.scroll.fit(lines, u64::from(inside(model.size).height));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if let Some(spot) = self.looks_for.clone() {
            travel::ensure(model, &spot.vault, &spot.path, spot.generation, effects);
        }
        self.find_older(model);
        if self.load == Load::Idle
            && let Some(before) = &self.before
        {
            self.load = Load::Loading;
            let question = Question::Compare {
                before: before.file.clone(),
                after: self.after.file.clone(),
            };
            ask(model, SLOT, question, take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, self, canvas);
    }
}

fn draw(model: &Model, compare: &Compare, canvas: &mut Canvas) {
    let (width, height) = model.size;
    canvas.clear(Rect::new(0, 1, width, height.saturating_sub(1)));
    let symbols = model.look.symbols;
    canvas.rule(0, 1, width, symbols.rule_focus, Role::Focus);
    let place = compare.scroll.words();
    let mut end = width.saturating_sub(1);
    if !place.is_empty() {
        end = end.saturating_sub(text::width(&place) as u16 + 2);
        canvas.text(end, 1, width, &format!(" {place} "), Role::Dim);
    }
    if let Some(Comparison::Text(diff)) = &compare.found {
        let counts = [
            (format!("-{}", diff.removed), Role::Removed),
            (format!("+{}", diff.added), Role::Added),
        ];
        for (count, role) in counts {
            end = end.saturating_sub(text::width(&count) as u16 + 2);
            canvas.text(end, 1, width, &format!(" {count} "), role);
        }
    }
    let before = compare.before.as_ref().map_or("…", |version| &version.when);
    let before = if before == "…" { symbols.more } else { before };
    let when = format!("{before} {} {}", symbols.arrow, compare.after.when);
    let room = usize::from(end.saturating_sub(5)).saturating_sub(text::width(&when) + 2);
    let name = text::cut_middle(&compare.name, room.max(8), symbols.more);
    let x = canvas.text(1, 1, end, &format!(" {name} "), Role::Focus);
    canvas.text(x, 1, end, &format!(" {when} "), Role::Dim);
    let span = Span {
        x: 0,
        end: width,
        focus: true,
    };
    let back = [("Esc", "goes back")];
    match (&compare.load, &compare.found) {
        (Load::Failed(why), _) => message(canvas, span, 3, &text::escape(why.as_bytes()), &back, ""),
        (Load::Locked, _) => {
            let keys = [("Esc", "goes back; 2, then Enter on the vault, asks for the password")];
            message(
                canvas,
                span,
                3,
                "The vault is locked: its files cannot be read.",
                &keys,
                "",
            );
        }
        (_, None) if compare.looks_for.is_some() => {
            let line = format!("looking for the version before{}", symbols.more);
            canvas.text(3, 3, width, &line, Role::Dim);
        }
        (_, None) => _ = canvas.text(3, 3, width, &format!("comparing{}", symbols.more), Role::Dim),
        (_, Some(Comparison::Same)) => message(canvas, span, 3, "Both are the same, to the byte.", &back, ""),
        (_, Some(Comparison::Other(why))) => message(canvas, span, 3, &text::escape(why.as_bytes()), &back, ""),
        (_, Some(Comparison::Text(diff))) => {
            for (n, index) in compare.scroll.visible().enumerate() {
                if let Some(line) = diff.lines.get(index as usize) {
                    draw_line(canvas, 2 + n as u16, width, line);
                }
            }
        }
    }
    hint_line(model, canvas, CONTEXT, 1, height - 1, width - 1);
}

/// Columns of a line's number.
const NUMBER: u16 = 6;

fn draw_line(canvas: &mut Canvas, y: u16, width: u16, line: &DiffLine) {
    let symbols = canvas.look.symbols;
    match line {
        DiffLine::Gap(lines) => {
            let words = format!(" {} the same ", text::counted(*lines, "line", "lines"));
            canvas.rule(2, y, 2 + NUMBER + 1, symbols.rule, Role::Border);
            let x = canvas.text(2 + NUMBER + 1, y, width, &words, Role::Dim);
            canvas.rule(x, y, width.saturating_sub(2), symbols.rule, Role::Border);
        }
        DiffLine::Line {
            side,
            before,
            after,
            parts,
            open_end,
        } => {
            let (sign, role, number) = match side {
                Side::Both => (" ", Role::Text, after),
                Side::Before => ("-", Role::Removed, before),
                Side::After => ("+", Role::Added, after),
            };
            let number = number.map(|n| n.to_string()).unwrap_or_default();
            canvas.right(y, NUMBER, &number, Role::Dim);
            let mut x = canvas.text(NUMBER + 1, y, width, sign, role) + 1;
            let end = width.saturating_sub(1);
            let style = canvas.look.style(role);
            for (changed, part) in parts {
                let room = usize::from(end.saturating_sub(x));
                let part = text::cut_end(&text::line(part.as_bytes()), room, symbols.more);
                let style = match changed {
                    true => style.add_modifier(Modifier::REVERSED),
                    false => style,
                };
                x = canvas.styled(x, y, end, &part, style);
            }
            if *open_end {
                canvas.text(x + 1, y, end, "(no line end)", Role::Dim);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::question::TextDiff;

    #[test]
    fn changes_begin_where_a_line_of_one_side_follows_one_of_both() {
        let line = |side| DiffLine::Line {
            side,
            before: None,
            after: None,
            parts: vec![],
            open_end: false,
        };
        let lines = [Side::Before, Side::After, Side::Both, Side::After].map(line);
        let mut all = lines.to_vec();
        all.push(DiffLine::Gap(3));
        all.extend(lines);
        let diff = TextDiff {
            lines: all,
            ..TextDiff::default()
        };
        assert_eq!(starts(&diff), [0, 3, 5, 8]);
    }
}

//! What is staged for deletion, before it is done: which generations, what stays, what is freed, saved and lost for ever.
//! The figures are those of the what-if of screen 6, asked for when the review opens and whenever one is taken back.

use std::collections::HashSet;

use super::super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialog::{Dialog, Guard, Moves, Then, with_top};
use super::super::super::dialogs::confirm::{Confirm, typed_name};
use super::super::super::dialogs::going::Going;
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::cost::words;
use super::staging;
use crate::engine::question::{GenerationRow, StayRule, WhatIf, WhatIfAsked};
use crate::engine::{Answer, Question, Task};
use crate::text;
use crate::vault::Id;

const WHAT_IF: &str = "review.what-if";

/// Where keys go.
const CONTEXT: Context = Context::dialog("review", "Review deletions").with_list();

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("review.delete", "delete them", "Delete them, once the vault's name is typed", &["y"], At::Only(&[CONTEXT]), go_on)
        .danger(Danger::Type).hint(1).unless(why_not),
    Action::new("review.keep", "keep this one", "Take this one back", &["Space", "x"], At::Only(&[CONTEXT]), keep).hint(2),
];

/// The review.
#[derive(Debug)]
pub struct Review {
    vault: String,
    going: Going<GenerationRow>,
    guard: Guard,
    /// What was asked, and what came of it.
    asked: Option<WhatIfAsked>,
    figures: Option<Box<WhatIf>>,
    load: Load,
}

/// Opens it.
pub(super) fn open(act: &mut Act) {
    let Some(vault) = act.model.generations.vault.clone() else {
        return;
    };
    let going = Going::new(staging::staged_rows(act.model));
    let guard = Guard::now(act);
    act.model.push(Review {
        vault,
        going,
        guard,
        asked: None,
        figures: None,
        load: Load::Idle,
    });
}

/// Why nothing can be deleted now.
fn why_not(model: &Model) -> Option<String> {
    let review = model.dialog::<Review>()?;
    let why = match (review.going.list.total(), &review.load) {
        (Some(0), _) => Some("All that was staged is gone already."),
        (_, Load::Idle | Load::Loading) => Some("What is lost is not worked out yet."),
        // Where that cannot be, the sentences say so.
        _ => None,
    };
    read_only(model).or_else(|| why.map(Into::into))
}

fn keep(act: &mut Act) {
    with_top::<Review>(act, |review, act| {
        let Some(id) = review.going.list.current().map(|row| row.id) else {
            return Then::Keep;
        };
        staging::keep(act.model, id);
        let rows = staging::staged_rows(act.model);
        if rows.is_empty() {
            return Then::Close;
        }
        review.going.hold(rows);
        Then::Keep
    });
}

fn go_on(act: &mut Act) {
    with_top::<Review>(act, |review, act| {
        let (_, rows) = review.going.list.held();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let words = text::counted(ids.len() as u64, "generation", "generations");
        let name = text::escape(review.vault.as_bytes());
        let sentence = format!("{words} of the vault {name} will be deleted. This cannot be undone.");
        let what = review.going.sentences();
        let title = format!("Delete {words} of {name}");
        let task = Task::Forget {
            vault: review.vault.clone(),
            ids,
            prune: None,
        };
        let confirm = Confirm::ask(act, "Delete generations", sentence, move |act| {
            act.effects.push(Effect::Start {
                task: Box::new(task),
                title,
            });
        });
        let confirm = what.fold(confirm, Confirm::and);
        act.model.push(confirm.by_name(typed_name(&review.vault, "vault")));
        Then::Close
    });
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::WhatIf(asked) = asked else { return };
    let Some(review) = model.dialog_mut::<Review>() else {
        return;
    };
    // What was taken back meanwhile is asked anew.
    if review.asked.as_ref() != Some(asked) {
        return;
    }
    match told.answer {
        Answer::Measuring { .. } => {}
        Answer::WhatIf(what) => {
            review.figures = Some(what);
            review.load = Load::Ready;
        }
        other => review.load = failed(other),
    }
}

impl Review {
    /// What would be without what is listed.
    fn wanted(&self) -> WhatIfAsked {
        let (_, rows) = self.going.list.held();
        WhatIfAsked {
            vault: self.vault.clone(),
            rule: StayRule::Without(rows.iter().map(|row| row.id).collect()),
            go: Vec::new(),
            price: None,
            every_hours: None,
        }
    }

    /// Holds the rows up with what is staged and there, once the list is.
    fn follow(&mut self, model: &Model) {
        if model.generations.vault.as_ref() != Some(&self.vault) || !staging::all_listed(model) {
            return;
        }
        let rows = staging::staged_rows(model);
        let (_, held) = self.going.list.held();
        if !rows.iter().map(|row| row.id).eq(held.iter().map(|row| row.id)) {
            self.going.hold(rows);
        }
    }

    /// What their going means, in sentences.
    fn sentences(&self, model: &Model) -> Vec<(String, Role)> {
        let (_, going) = self.going.list.held();
        let added = going.iter().filter_map(|row| row.added).fold(0u64, u64::saturating_add);
        let gone: HashSet<Id> = going.iter().map(|row| row.id).collect();
        let staying: Vec<&GenerationRow> = model
            .generations
            .all
            .iter()
            .filter(|row| !gone.contains(&row.id))
            .collect();
        let mut out = Vec::new();
        let newest_goes = going.iter().find(|gone| {
            let same = |row: &&GenerationRow| row.host == gone.host && row.paths == gone.paths;
            let mut series = staying.iter().copied().filter(same);
            series.all(|row| row.time < gone.time)
        });
        match staying.first() {
            None if going.is_empty() => {}
            None => out.push(("No generation stays: the vault will be empty.".to_owned(), Role::Danger)),
            Some(newest) => {
                let count = text::counted(staying.len() as u64, "generation stays", "generations stay");
                let stamp = text::stamp(newest.time, &model.zone);
                out.push((format!("{count}; the newest was made {stamp}."), Role::Text));
                if let Some(row) = newest_goes {
                    let host = text::escape(row.host.as_bytes());
                    let paths = text::escape(row.paths.join(" ").as_bytes());
                    let paths = text::cut_end(&paths, 40, model.look.symbols.more);
                    let sentence = format!("The newest one of {paths} on {host} is among those that go.");
                    out.push((sentence, Role::Warning));
                }
            }
        }
        match (&self.figures, &self.load) {
            (Some(what), Load::Ready) => {
                out.extend(words::figures(what));
                let gives = "Deleting alone gives no space back: S on the vault (coffer prune) does.";
                out.push((gives.to_owned(), Role::Text));
            }
            (_, Load::Idle | Load::Loading) => {
                let words = format!("What is freed and lost is being worked out{}", model.look.symbols.more);
                out.push((words, Role::Dim));
            }
            _ => out.push((
                format!(
                    "They brought {} when they were made. What is freed is not known; versions of files that only these hold \
                     are lost for ever.",
                    text::bytes(added)
                ),
                Role::Warning,
            )),
        }
        out
    }
}

impl Dialog for Review {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn guard(&self) -> Option<Guard> {
        Some(self.guard)
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.going.list)
    }

    fn layout(&mut self, model: &Model) {
        self.follow(model);
        let said = self.sentences(model);
        self.going.say(said);
        self.going.layout(model);
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        let wanted = self.wanted();
        if self.asked.as_ref() != Some(&wanted) {
            abandon(model, WHAT_IF, effects);
            self.load = Load::Loading;
            self.asked = Some(wanted.clone());
            ask(model, WHAT_IF, Question::WhatIf(wanted), take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, WHAT_IF, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let title = format!(
            "Delete {} of {}?",
            text::counted(self.going.list.total().unwrap_or(0), "generation", "generations"),
            text::escape(self.vault.as_bytes())
        );
        let row =
            |canvas: &mut Canvas, row: &GenerationRow, place: (u16, u16, u16)| draw_row(model, canvas, row, place);
        self.going.draw(model, canvas, &title, CONTEXT, row);
    }
}

fn draw_row(model: &Model, canvas: &mut Canvas, row: &GenerationRow, (x, y, end): (u16, u16, u16)) {
    let symbols = model.look.symbols;
    let x = canvas.text(x + 1, y, end, symbols.bad, Role::Danger) + 1;
    let x = canvas.text(x, y, end, &text::stamp(row.time, &model.zone), Role::Text) + 2;
    let added = row
        .added
        .map(|added| format!("+{}", text::bytes(added)))
        .unwrap_or_default();
    canvas.right(y, end - 1, &added, Role::Dim);
    let stop = end.saturating_sub(text::width(&added) as u16 + 3);
    let about = format!("{}  {}", row.host, row.paths.join(" "));
    let about = text::cut_end(
        &text::escape(about.as_bytes()),
        usize::from(stop.saturating_sub(x)),
        symbols.more,
    );
    canvas.text(x, y, stop, &about, Role::Dim);
}

//! Giving back the space of what no generation reaches any more: the plan, and `y`.

use super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::asking::{Told, abandon, ask, failed};
use super::super::dialog::{Dialog, Guard, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::screens::vaults::{DETAILS, GENERATIONS, VAULTS};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::hint_line;
use super::{frame, keys_line, line, room};
use crate::engine::{Answer, Question, Task};
use crate::text;
use crate::vault::prune::{PruneFigures, PruneOptions};

/// Where keys go.
const CONTEXT: Context = Context::dialog("prune", "Give back space");
const SLOT: &str = "prune.plan";

/// What one can do in it, and where it opens.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("vaults.prune", "prune", "Give back the space of what no generation needs any more; plans first", &["S"],
        At::Only(&[VAULTS, GENERATIONS, DETAILS]), open).danger(Danger::Plan).hint(17).unless(why_not),
    Action::new("prune.yes", "give it back", "Prune as planned", &["y"], At::Only(&[CONTEXT]), yes).danger(Danger::Plan).hint(1)
        .unless(nothing_to_do),
    Action::new("prune.no", "leave it", "Leave everything as it is", &["n"], At::Only(&[CONTEXT]), super::super::dialog::close).hint(2),
];

/// What a prune would do.
#[derive(Debug)]
pub struct Prune {
    vault: String,
    figures: Option<PruneFigures>,
    problem: String,
    guard: Guard,
}

fn why_not(model: &Model) -> Option<String> {
    let none = model.vaults.list.current().is_none();
    none.then(|| "There is no vault to prune.".into())
        .or_else(|| read_only(model))
}

fn nothing_to_do(model: &Model) -> Option<String> {
    match model.dialog::<Prune>().map(|dialog| dialog.figures) {
        Some(Some(figures)) if freed(&figures) > 0 => None,
        Some(Some(_)) => Some("There is no space to give back.".into()),
        _ => Some("The plan is not there yet.".into()),
    }
}

fn freed(figures: &PruneFigures) -> u64 {
    figures.bytes_freed.saturating_add(figures.leftover_bytes)
}

fn open(act: &mut Act) {
    let Some(vault) = act.model.vaults.list.current().map(|row| row.name.clone()) else {
        return;
    };
    let guard = Guard::now(act);
    act.model.push(Prune {
        vault: vault.clone(),
        figures: None,
        problem: String::new(),
        guard,
    });
    ask(act.model, SLOT, Question::PlanPrune { vault }, take, act.effects);
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let now = model.now.millis;
    let Some(dialog) = model.dialog_mut::<Prune>() else {
        return;
    };
    match told.answer {
        Answer::PrunePlan(figures) => {
            dialog.figures = Some(figures);
            // The plan is on the screen only now: so starts the guard.
            dialog.guard.since = now;
        }
        other => match failed(other) {
            Load::Failed(why) => dialog.problem = text::escape(why.as_bytes()),
            _ => dialog.problem = "The vault is locked: open it with Enter first.".into(),
        },
    }
}

fn yes(act: &mut Act) {
    with_top::<Prune>(act, |dialog, act| {
        let title = format!("Give back space of {}", text::escape(dialog.vault.as_bytes()));
        let task = Task::Prune {
            vault: dialog.vault.clone(),
            options: PruneOptions::default(),
            dry_run: false,
        };
        act.effects.push(Effect::Start {
            task: Box::new(task),
            title,
        });
        Then::Close
    });
}

impl Dialog for Prune {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn guard(&self) -> Option<Guard> {
        Some(self.guard)
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let more = model.look.symbols.more;
        let vault = text::cut_middle(&text::escape(self.vault.as_bytes()), 40, more);
        let Some(figures) = &self.figures else {
            let wrapped = text::wrap(&self.problem, room(canvas));
            let inside = frame(canvas, 5 + wrapped.len() as u16, "Give back space", Role::Focus);
            let sentence = match self.problem.is_empty() {
                true => format!("Looking what {vault} needs: every folder of every generation{more}"),
                false => format!("Nothing can be given back in {vault} now:"),
            };
            line(canvas, inside, 1, &sentence, Role::Text);
            for (n, text) in wrapped.iter().enumerate() {
                line(canvas, inside, 2 + n as u16, text, Role::Danger);
            }
            keys_line(model, canvas, inside, CONTEXT);
            return;
        };
        let packs = |n: u64| text::counted(n, "pack", "packs");
        let rows = [
            (
                "stored",
                figures.bytes_before,
                packs(figures.packs_kept + figures.packs_repacked + figures.packs_deleted + figures.packs_unindexed),
            ),
            (
                "in use",
                figures.bytes_before - figures.bytes_unused.min(figures.bytes_before),
                format!(
                    "{} of {}",
                    text::counted(figures.blobs_used, "piece", "pieces"),
                    text::counted(figures.generations, "generation", "generations")
                ),
            ),
            (
                "to rewrite",
                figures.bytes_rewritten,
                format!("of {}, used in part or small", packs(figures.packs_repacked)),
            ),
            (
                "given back",
                freed(figures),
                format!(
                    "{} go",
                    packs(figures.packs_deleted + figures.packs_unindexed + figures.packs_repacked,)
                ),
            ),
            (
                "stays unused",
                figures.bytes_left_unused,
                match figures.bytes_left_unused {
                    0 => String::new(),
                    _ => "less than 5 % is not worth rewriting".into(),
                },
            ),
        ];
        let wanted = rows.len() as u16 + 6;
        let inside = frame(canvas, wanted, "Give back space: the plan", Role::Focus);
        let air = u16::from(wanted <= inside.height);
        line(
            canvas,
            inside,
            air,
            &format!("Of vault {vault}, what no generation needs any more:"),
            Role::Text,
        );
        for (n, (label, bytes, about)) in rows.into_iter().enumerate() {
            let y = 1 + 2 * air + n as u16;
            line(canvas, inside, y, label, Role::Dim);
            if y < inside.height {
                let role = if label == "given back" { Role::Good } else { Role::Text };
                canvas.right(inside.y + y, inside.x + 25, &text::bytes(bytes), role);
                canvas.text(inside.x + 28, inside.y + y, inside.right(), &about, Role::Dim);
            }
        }
        let keys = inside.bottom().saturating_sub(1 + air);
        hint_line(model, canvas, CONTEXT, inside.x, keys, inside.right());
    }
}

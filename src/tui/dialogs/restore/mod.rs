//! Restoring: what, where to, what about that which is there; then the plan with all it would change, and `y` (or the
//! vault's name, where something can be lost in its original place); then how it goes, and what came of it.
//!
//! `form` is the first step, `plan` the second, `run` the third. Nothing is written before the second is answered.

mod form;
mod plan;
mod plan_view;
mod run;
mod run_view;

use super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::model::{Model, Screen};
use super::super::screens::files;
#[cfg(test)]
pub(crate) use form::RestoreForm;
pub(crate) use form::{Place, Wanted};
pub(super) use form::{chosen_overwrite, existing};
#[cfg(test)]
pub(crate) use plan::RestorePlan;

const FORM: Context = Context::form("restore", "Restore");
const PLAN: Context = Context::dialog("restore-plan", "Restore: the plan").with_list();
const MAKING: Context = Context::dialog("restore-making", "Restore: the plan is made");
const RUN: Context = Context::dialog("restore-run", "Restore: how it goes");
const RESULT: Context = Context::dialog("restore-result", "Restore: what came of it").with_list();
const CLEAN: Context = Context::dialog("restore-clean", "Restore: it has ended");

/// What one can do in the three steps.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("restore.plan", "plan it", "See what it would do; writes nothing", &["Enter"], At::Only(&[FORM]), form::plan).hint(1),
    Action::new("restore.yes", "restore", "Restore as planned", &["y"], At::Only(&[PLAN]), plan::yes).danger(Danger::Plan).hint(1)
        .unless(plan::why_not),
    Action::new("restore.back", "change it", "Back to the form", &["n"], At::Only(&[PLAN, MAKING]), super::super::dialog::close).hint(2),
    Action::new("restore.show", "show", "List only what would be overwritten, left, deleted, or fail", &["f", "Tab"], At::Only(&[PLAN]),
        plan::next_class).hint(3),
    Action::new("restore.cancel", "cancel it", "Stop the restore; what is written by then stays", &["x"], At::Only(&[RUN]), run::cancel)
        .danger(Danger::Ask).hint(1).unless(|model| run::running(model).is_none().then(|| "It does not run any more.".into())),
    Action::new("restore.reach", "go to it", "To the file that this problem is about", &["Enter"], At::Only(&[RESULT]), run::reach).hint(1)
        .unless(run::nothing_to_reach),
];

/// Why nothing can be restored here now.
pub fn why_not(model: &Model) -> Option<String> {
    if model.generations.list.current().is_none() {
        return Some("There is no generation to restore.".into());
    }
    if model.screen == Screen::Files && model.files.list.total().unwrap_or(0) == 0 {
        return Some("There is nothing here to restore.".into());
    }
    if files::to_restore(model).is_none() {
        return Some("This row is still being read: press again.".into());
    }
    read_only(model)
}

/// Opens the form for what is selected, or what the cursor is on.
pub fn open(act: &mut Act) {
    let model = &*act.model;
    let Some((rules, what)) = files::to_restore(model) else {
        return;
    };
    let (Some(vault), Some(row)) = (model.generations.vault.clone(), model.generations.list.current()) else {
        return;
    };
    let wanted = Wanted {
        vault,
        generation: row.id,
        time: row.time,
        rules,
        what,
    };
    open_with(act, wanted, Place::Keep);
}

/// Opens the form for what another place of the interface wants restored.
pub(crate) fn open_with(act: &mut Act, wanted: Wanted, place: Place) {
    let form = form::RestoreForm::new(act.model, wanted, place);
    act.model.push(form);
}

//! The plan: counts, bytes, what is in the way and why; then `y`, or the vault's name.

use super::super::super::actions::{Act, Context};
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialog::{Dialog, Guard, Moves, Then, with_top};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::view::canvas::Canvas;
use super::super::super::window::Window;
use super::super::confirm::{Confirm, typed_name};
use super::form::{RestoreForm, Wanted};
use super::run::RestoreRun;
use super::{MAKING, PLAN, plan_view};
use crate::engine::question::{Class, ConflictRow, ConflictsAsked, Landing, RestorePreview, RestoreRequest};
use crate::engine::{Answer, Question, Task};
use crate::text;

const PREVIEW: &str = "restore.plan";
const CONFLICTS: &str = "restore.conflicts";

/// What a restore would do.
#[derive(Debug)]
pub(crate) struct RestorePlan {
    pub(super) wanted: Wanted,
    pub(super) request: RestoreRequest,
    /// How many files and bytes have been looked at, while it is being made.
    pub(super) looked: Option<(u64, u64)>,
    /// What it comes to, once known.
    pub(super) preview: Option<Box<RestorePreview>>,
    /// Why there is none.
    pub(super) problem: String,
    /// Which conflicts are listed; all, when `None`.
    pub(super) class: Option<Class>,
    /// What is in the way.
    pub(super) list: Window<ConflictRow>,
    /// How many more there are than the list holds.
    pub(super) beyond: u64,
    /// From when on it hears keys.
    guard: Guard,
}

/// The classes, in the order they are gone through.
pub(super) const CLASSES: [(Class, &str); 4] = [
    (Class::Overwritten, "overwritten"),
    (Class::Deleted, "deleted"),
    (Class::Left, "left alone"),
    (Class::Problem, "impossible"),
];

impl RestorePlan {
    /// A plan that is still to be made.
    pub(super) fn new(model: &Model, wanted: Wanted, request: RestoreRequest) -> RestorePlan {
        RestorePlan {
            wanted,
            request,
            looked: None,
            preview: None,
            problem: String::new(),
            class: None,
            list: Window::default(),
            beyond: 0,
            guard: Guard {
                since: model.now.millis,
                opener: None,
            },
        }
    }

    /// Where it goes, in words.
    pub(super) fn target(&self) -> String {
        match &self.request.landing {
            Landing::Below(folder) | Landing::Flat(folder) => text::escape(folder.as_os_str().as_encoded_bytes()),
            Landing::InPlace => "where it was".into(),
            Landing::Beside { stamp } => format!("beside the present one, as ({stamp})"),
        }
    }

    /// Whether the vault's name must be typed. Where all of it is there already, at most modes, owners and times are set.
    pub(super) fn is_grave(&self) -> bool {
        let grave = self.request.delete || self.request.landing == Landing::InPlace;
        grave && !self.preview.as_ref().is_some_and(|preview| is_there(preview))
    }

    /// How many conflicts of a class the plan has.
    pub(super) fn count(&self, class: Class) -> u64 {
        let counts = self.preview.as_ref().map(|preview| preview.conflicts);
        counts.map_or(0, |counts| counts[class as usize])
    }

    /// What is listed now.
    fn asked(&self, first: u64, rows: u32) -> Option<ConflictsAsked> {
        Some(ConflictsAsked {
            plan: self.preview.as_ref()?.plan,
            classes: self.class.into_iter().collect(),
            first,
            rows,
        })
    }
}

/// Whether nothing would be made, overwritten or deleted: all of it is there.
pub(super) fn is_there(preview: &RestorePreview) -> bool {
    let made = preview.create_files + preview.create_folders + preview.create_others;
    made == 0 && preview.overwrite == 0 && preview.delete == 0 && preview.write_bytes == 0 && preview.problems == 0
}

/// Has the plan on top made.
pub(super) fn start(model: &mut Model, effects: &mut Vec<Effect>) {
    abandon(model, PREVIEW, effects);
    if let Some(request) = model.dialog::<RestorePlan>().map(|plan| plan.request.clone()) {
        ask(model, PREVIEW, Question::PreviewRestore(request), take_preview, effects);
    }
}

fn take_preview(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let now = model.now.millis;
    let Question::PreviewRestore(request) = asked else {
        return;
    };
    let plan = model
        .dialog_mut::<RestorePlan>()
        .filter(|plan| plan.request == *request);
    let Some(plan) = plan else { return };
    match told.answer {
        Answer::RestorePlanning { files, bytes } => plan.looked = Some((files, bytes)),
        Answer::RestorePreview(preview) => {
            plan.preview = Some(preview);
            // The plan is on the screen only now: so starts the guard.
            plan.guard.since = now;
        }
        other => match failed(other) {
            Load::Failed(why) => plan.problem = text::escape(why.as_bytes()),
            _ => plan.problem = "The vault is locked.".to_owned(),
        },
    }
}

fn take_conflicts(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::RestoreConflicts(asked) = asked else {
        return;
    };
    let Some(plan) = model.dialog_mut::<RestorePlan>() else {
        return;
    };
    if plan.asked(asked.first, asked.rows).as_ref() != Some(asked) {
        return;
    }
    match told.answer {
        Answer::RestoreConflicts(window) => {
            plan.beyond = window.beyond;
            plan.list.accept(window.first, window.rows, window.total);
        }
        other => {
            plan.list.accept(0, Vec::new(), 0);
            if let Load::Failed(why) = failed(other) {
                plan.problem = text::escape(why.as_bytes());
            }
        }
    }
}

/// Why it cannot be restored as planned.
pub(super) fn why_not(model: &Model) -> Option<String> {
    let plan = model.dialog::<RestorePlan>()?;
    match &plan.preview {
        None if plan.problem.is_empty() => Some("The plan is not made yet.".into()),
        None => Some("There is no plan to carry out: n goes back to the form.".into()),
        Some(preview) if !preview.room.writable => Some("You may not write there: n goes back to the form.".into()),
        Some(_) => None,
    }
}

/// Lists the next class of conflicts.
pub(super) fn next_class(act: &mut Act) {
    let mut dropped = false;
    with_top::<RestorePlan>(act, |plan, _| {
        let order = [None].into_iter().chain(CLASSES.map(|(class, _)| Some(class)));
        let order: Vec<_> = order
            .filter(|class| class.is_none_or(|class| plan.count(class) > 0))
            .collect();
        let at = order.iter().position(|class| *class == plan.class).unwrap_or(0);
        plan.class = order.get(at + 1).copied().flatten();
        plan.list.start_at(0);
        dropped = true;
        Then::Keep
    });
    if dropped {
        abandon(act.model, CONFLICTS, act.effects);
    }
}

/// Restores as planned; asks for the vault's name first where something can be lost.
pub(super) fn yes(act: &mut Act) {
    let Some(plan) = act.model.dialog::<RestorePlan>() else {
        return;
    };
    let Some(preview) = &plan.preview else { return };
    let title = format!("Restore {} to {}", plan.wanted.what, plan.target());
    let (number, vault) = (preview.plan, plan.wanted.vault.clone());
    let run = RestoreRun::new(act.model, &plan.wanted, title.clone(), preview.base.clone());
    let go = move |act: &mut Act| {
        act.model.dismiss::<RestorePlan>();
        // The form below the plan has done its work.
        act.model.dismiss::<RestoreForm>();
        act.effects.push(Effect::Start {
            task: Box::new(Task::PlannedRestore { plan: number }),
            title,
        });
        act.model.push(run);
    };
    if !plan.is_grave() {
        return go(act);
    }
    let lost = [
        (preview.overwrite, "overwritten", preview.overwrite_bytes),
        (preview.delete, "deleted", preview.delete_bytes),
    ];
    let lost: Vec<String> = lost
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, what, bytes)| {
            let entries = text::counted(*count, "entry is", "entries are");
            format!("{entries} {what} ({} there now).", text::bytes(*bytes))
        })
        .collect();
    let base = text::escape(preview.base.as_os_str().as_encoded_bytes());
    let sentence = match plan.request.landing {
        Landing::InPlace => format!("This writes to the original places, under {base}."),
        _ => format!("This deletes in {base} what the generation does not have."),
    };
    let name = text::escape(vault.as_bytes());
    let mut confirm = Confirm::ask(act, "Restore over what is there?", sentence, go)
        .and(format!("What is written comes from the vault {name}."))
        .by_name(typed_name(&vault, "vault"));
    confirm = match lost.is_empty() {
        true => confirm.and("Nothing that is there now is overwritten or deleted.".into()),
        false => confirm.and(format!("{} There is no undo.", lost.join(" "))),
    };
    act.model.push(confirm);
}

impl Dialog for RestorePlan {
    fn context(&self) -> Context {
        if self.preview.is_some() { PLAN } else { MAKING }
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn guard(&self) -> Option<Guard> {
        Some(self.guard)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(plan_view::list_rows(model, self)));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if let Some((first, rows)) = self.list.missing()
            && !model.asks(CONFLICTS)
            && let Some(asked) = self.asked(first, rows)
        {
            ask(
                model,
                CONFLICTS,
                Question::RestoreConflicts(asked),
                take_conflicts,
                effects,
            );
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, PREVIEW, effects);
        abandon(model, CONFLICTS, effects);
    }

    fn replaces_below(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        plan_view::draw(model, self, canvas);
    }
}

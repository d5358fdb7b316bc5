//! The plans: what is backed up into which vaults. Listed here, changed in the editor.

pub(super) mod count;
pub mod editor;
pub(super) mod entries;
mod less;

use super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::asking::{Told, abandon, ask, change, complain, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::model::{Load, Model};
use super::super::msg::Effect;
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::empty::message;
use super::super::view::pane::Span;
use super::super::window::Window;
use super::backup::{Backup, PLANS};
use super::confirm::Confirm;
use super::{frame, keys_line};
use crate::config::PlanConfig;
use crate::engine::setup::{Change, ConfigNow};
use crate::engine::{Answer, Question, Task};
use crate::text;
use editor::PlanEditor;

/// Where keys go.
const CONTEXT: Context = Context::dialog("plans", "Plans").with_list();
const SLOT: &str = "plans.config";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("plans.show", "plans", "Show the plans: what is backed up, into which vaults", &["P"], At::Screens, open),
    Action::new("plans.set-up", "new plan", "Set up a plan", &["n"], At::Only(&[PLANS]), set_up).hint(4).unless(read_only),
    Action::new("plans.edit", "change", "Change this plan", &["Enter", "e"], At::Only(&[CONTEXT]), edit).hint(1).unless(no_plan_to_write),
    Action::new("plans.new", "new", "Set up a new plan", &["n"], At::Only(&[CONTEXT]), new).hint(2).unless(no_vault),
    Action::new("plans.run", "back up now", "Run this plan now, into each of its vaults", &["b"], At::Only(&[CONTEXT]), run).hint(3)
        .unless(no_plan_to_write),
    Action::new("plans.remove", "remove", "Take this plan out of the config; its generations stay", &["x"], At::Only(&[CONTEXT]), remove).hint(4)
        .danger(Danger::Ask).unless(no_plan_to_write),
];

/// The plans.
#[derive(Debug, Default)]
pub struct Plans {
    list: Window<PlanConfig>,
    load: Load,
    now: Option<ConfigNow>,
}

/// Shows the plans.
pub fn open(act: &mut Act) {
    act.model.push(Plans::default());
}

/// Sets up a plan, from where one chooses what to run.
fn set_up(act: &mut Act) {
    ask(act.model, "plans.set-up", Question::Config, set_up_with, act.effects);
}

fn set_up_with(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    match told.answer {
        Answer::Config(now) if now.config.vaults.is_empty() => {
            model.say(Role::Warning, "A plan needs a vault to go to: Esc, then A sets one up.");
        }
        Answer::Config(now) => {
            let millis = model.now.millis;
            model.dismiss::<Backup>();
            model.push(PlanEditor::new(None, &now, millis));
        }
        other => complain(model, other),
    }
}

/// Reads the plans anew, if they are shown.
pub(super) fn reload(model: &mut Model) {
    if let Some(plans) = model.dialog_mut::<Plans>() {
        plans.load = Load::Idle;
    }
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Some(plans) = model.dialog_mut::<Plans>() else {
        return;
    };
    match told.answer {
        Answer::Config(now) => {
            plans.list.hold(now.config.plans.clone());
            plans.load = Load::Ready;
            plans.now = Some(now);
        }
        other => plans.load = failed(other),
    }
}

fn no_plan_to_write(model: &Model) -> Option<String> {
    let plan = model.dialog::<Plans>().and_then(|plans| plans.list.current());
    plan.is_none()
        .then(|| "There is no plan yet: n sets one up.".into())
        .or_else(|| read_only(model))
}

fn no_vault(model: &Model) -> Option<String> {
    let now = model.dialog::<Plans>().and_then(|plans| plans.now.as_ref());
    match now {
        None => Some("The config is being read.".into()),
        Some(now) if now.config.vaults.is_empty() => {
            Some("A plan needs a vault to go to: Esc, then A sets one up.".into())
        }
        Some(_) => read_only(model),
    }
}

fn edit(act: &mut Act) {
    with_top::<Plans>(act, |plans, act| {
        if let (Some(plan), Some(now)) = (plans.list.current(), &plans.now) {
            let editor = PlanEditor::new(Some(plan), now, act.model.now.millis);
            act.model.push(editor);
        }
        Then::Keep
    });
}

fn new(act: &mut Act) {
    with_top::<Plans>(act, |plans, act| {
        if let Some(now) = &plans.now {
            let editor = PlanEditor::new(None, now, act.model.now.millis);
            act.model.push(editor);
        }
        Then::Keep
    });
}

fn run(act: &mut Act) {
    with_top::<Plans>(act, |plans, act| {
        let Some(plan) = plans.list.current() else {
            return Then::Keep;
        };
        for vault in &plan.vaults {
            start(act.effects, &plan.name, vault);
        }
        Then::Close
    });
}

/// Runs a plan into a vault.
pub(super) fn start(effects: &mut Vec<Effect>, plan: &str, vault: &str) {
    let (shown, into) = (text::escape(plan.as_bytes()), text::escape(vault.as_bytes()));
    effects.push(Effect::Start {
        task: Box::new(Task::Plan {
            plan: plan.to_owned(),
            vault: Some(vault.to_owned()),
            dry_run: false,
        }),
        title: format!("Back up {shown} to {into}"),
    });
}

fn remove(act: &mut Act) {
    let Some(plan) = act.model.dialog::<Plans>().and_then(|plans| plans.list.current()) else {
        return;
    };
    let name = plan.name.clone();
    let shown = text::cut_middle(&text::escape(name.as_bytes()), 40, act.model.look.symbols.more);
    let sentence = format!("Plan {shown} goes from the config. The generations it made stay where they are.");
    let confirm = Confirm::ask(act, "Remove the plan?", sentence, move |act| {
        let gone = Change::RemovePlan { plan: name };
        change(act.model, "plans.remove", gone, removed, act.effects);
    });
    act.model.push(confirm);
}

fn removed(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    match answer {
        Answer::Changed(changed) => model.say(Role::Good, text::escape(changed.text.as_bytes())),
        other => complain(model, other),
    }
    reload(model);
}

impl Dialog for Plans {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        // Two rows each.
        self.list
            .resize(u64::from(model.size.1.saturating_sub(10).clamp(2, 24) / 2));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.load == Load::Idle {
            self.load = Load::Loading;
            ask(model, SLOT, Question::Config, take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, self, canvas);
    }
}

fn draw(model: &Model, plans: &Plans, canvas: &mut Canvas) {
    let symbols = model.look.symbols;
    if plans.list.total().unwrap_or(0) == 0 {
        let inside = frame(canvas, 11, "Plans", Role::Focus);
        let span = Span {
            x: inside.x.saturating_sub(3),
            end: inside.right(),
            focus: true,
        };
        let y = inside.y + 1;
        match &plans.load {
            Load::Failed(why) => message(canvas, span, y, &text::escape(why.as_bytes()), &[], ""),
            Load::Ready => message(
                canvas,
                span,
                y,
                "No plan is set up yet. A plan says what is backed up, and into which vault.",
                &[("n", "sets one up, or in a shell:")],
                "coffer plan add home /home --vault NAME",
            ),
            _ => message(canvas, span, y, &format!("reading{}", symbols.more), &[], ""),
        }
        keys_line(model, canvas, inside, CONTEXT);
        return;
    }
    let rows = plans.list.visible();
    let inside = frame(canvas, 2 * rows.clone().count() as u16 + 4, "Plans", Role::Focus);
    for (n, index) in rows.enumerate() {
        let Some(plan) = plans.list.get(index) else { continue };
        let y = inside.y + 1 + 2 * n as u16;
        let end = inside.right();
        let vaults: Vec<String> = plan.vaults.iter().map(|vault| text::escape(vault.as_bytes())).collect();
        let name = text::cut_middle(&text::escape(plan.name.as_bytes()), 28, symbols.more);
        let x = canvas.text(inside.x + 1, y, end, &name, Role::Folder);
        let into = format!(" {} {}", symbols.arrow, vaults.join(", "));
        let x = canvas.text(x, y, end, &text::cut_end(&into, 24, symbols.more), Role::Text);
        let when = plan
            .schedule
            .map_or("by hand".to_owned(), |schedule| schedule.to_string());
        let behind = format!("{when}, kept {}", text::escape(plan.retention.to_string().as_bytes()));
        let room = usize::from(end.saturating_sub(x + 3));
        canvas.right(
            y,
            end.saturating_sub(1),
            &text::cut_end(&behind, room, symbols.more),
            Role::Dim,
        );
        let paths: Vec<String> = plan
            .paths
            .iter()
            .map(|p| text::escape(p.as_os_str().as_encoded_bytes()))
            .collect();
        let mut what = paths.join("  ");
        if !plan.excludes.is_empty() {
            what.push_str(&format!(
                "   without {}",
                text::escape(plan.excludes.join(" ").as_bytes())
            ));
        }
        let room = usize::from(inside.width.saturating_sub(4));
        canvas.text(
            inside.x + 3,
            y + 1,
            end,
            &text::cut_end(&what, room, symbols.more),
            Role::Dim,
        );
        if index == plans.list.cursor() {
            canvas.paint(inside.x, y, end, model.look.style(Role::Cursor));
        }
    }
    keys_line(model, canvas, inside, CONTEXT);
}

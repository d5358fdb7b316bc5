//! Going back to a snapshot: the plan with all that is lost, what happens, and what stands against it; then the name.

use super::super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialog::{Dialog, Guard, Moves, Then, with_top};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::{at, snapshot, words};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::content::Scroll;
use super::super::confirm::Confirm;
use super::super::{frame, keys_line, line};
use super::{short, start};
use crate::engine::question::{SnapshotAt, SnapshotRow};
use crate::engine::{Answer, Question, SnapshotTask};
use crate::snapshot::RollbackPlan;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("roll-back", "Roll back: the plan").with_list();
const SLOT: &str = "snapshots.rollback";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("roll-back.yes", "roll back", "Go back as planned, once the name is typed", &["y"], At::Only(&[CONTEXT]), yes)
        .danger(Danger::Type).hint(1).unless(why_not),
    Action::new("roll-back.no", "leave it", "Leave everything as it is", &["n"], At::Only(&[CONTEXT]), super::super::super::dialog::close).hint(2),
    Action::new("roll-back.safety", "safety", "Keep the present as a snapshot first, or lose it", &["s"], At::Only(&[CONTEXT]), safety).hint(3),
    Action::new("roll-back.again", "look again", "Make the plan anew: what was in the way may be gone", &["a"], At::Only(&[CONTEXT]), again).hint(4),
];

/// Going back, being planned.
#[derive(Debug)]
pub struct RollBack {
    at: SnapshotAt,
    row: SnapshotRow,
    safety: bool,
    plan: Option<RollbackPlan>,
    load: Load,
    guard: Guard,
    /// The plan in lines, as wide as they were made for.
    lines: Vec<(String, Role)>,
    made: Option<(u16, u16)>,
    scroll: Scroll,
}

/// Opens it on the snapshot under the cursor.
pub fn open(act: &mut Act) {
    let Some(row) = snapshot(act.model).cloned() else {
        return;
    };
    let guard = Guard::now(act);
    act.model.push(RollBack {
        at: at(&row),
        row,
        safety: true,
        plan: None,
        load: Load::Idle,
        guard,
        lines: Vec::new(),
        made: None,
        scroll: Scroll::default(),
    });
}

/// Why one cannot go back now.
fn why_not(model: &Model) -> Option<String> {
    let dialog = model.dialog::<RollBack>()?;
    read_only(model).or_else(|| match (&dialog.load, &dialog.plan) {
        (Load::Failed(why), _) => Some(text::escape(why.as_bytes())),
        (Load::Ready, Some(plan)) => {
            let why = plan.obstacles.first()?;
            Some(format!("Something is in the way: {}", text::escape(why.as_bytes())))
        }
        _ => Some("The plan is not there yet.".into()),
    })
}

fn safety(act: &mut Act) {
    with_top::<RollBack>(act, |dialog, act| {
        dialog.safety = !dialog.safety;
        dialog.anew(act)
    });
}

fn again(act: &mut Act) {
    with_top::<RollBack>(act, |dialog, act| dialog.anew(act));
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let now = model.now.millis;
    let Some(dialog) = model.dialog_mut::<RollBack>() else {
        return;
    };
    if !matches!(asked, Question::PlanRollback { at, safety } if *at == dialog.at && *safety == dialog.safety) {
        return;
    }
    dialog.made = None;
    match told.answer {
        Answer::RollbackPlan(plan) => {
            dialog.plan = Some(*plan);
            dialog.load = Load::Ready;
            // The plan is on the screen only now: so starts the guard.
            dialog.guard.since = now;
        }
        other => dialog.load = failed(other),
    }
}

fn yes(act: &mut Act) {
    with_top::<RollBack>(act, |dialog, act| {
        let Some(plan) = dialog.plan.clone() else {
            return Then::Keep;
        };
        let target = words::target(&dialog.at.target);
        let name = words::typed_name(&dialog.at.target);
        let to = short(act.model, &dialog.row.snapshot);
        let when = text::stamp(dialog.row.snapshot.taken.seconds, &act.model.zone);
        let keeps = match plan.safety {
            true => "The state now is kept as a snapshot first.",
            false => "The state now is NOT kept: it cannot be brought back.",
        };
        let sentence = format!("{target} goes back to how it was {when}. {keeps}");
        let title = format!("Roll back {target} to {to}");
        // Where the plan had no room it was read a few lines at a time: what is lost is said once more.
        let more = act.model.look.symbols.more;
        let escape = |text: &String| text::escape(text.as_bytes()).replace('…', more);
        let loses: Vec<String> = plan.loses.iter().map(escape).collect();
        let plan_along: Vec<String> = plan.takes_along.iter().map(|id| format!("snapshot {id}")).collect();
        let confirm = Confirm::ask(act, "Roll back", sentence, move |act| {
            start(act, SnapshotTask::RollBack(Box::new(plan)), title);
        });
        let along = match plan_along.as_slice() {
            [] => None,
            ids => Some(format!("With it go: {}.", ids.join(", "))),
        };
        let said = loses.into_iter().chain(along);
        let confirm = said.fold(confirm, Confirm::and);
        act.model.push(confirm.by_name(name));
        Then::Close
    });
}

impl RollBack {
    /// Has the plan made again.
    fn anew(&mut self, act: &mut Act) -> Then {
        abandon(act.model, SLOT, act.effects);
        self.load = Load::Idle;
        self.plan = None;
        self.made = None;
        Then::Keep
    }

    /// What there is to say, in sentences under their heads.
    fn sentences(&self, model: &Model) -> Vec<(String, Role)> {
        let symbols = model.look.symbols;
        // What a terminal cannot show is said in what it can.
        let escape = |text: &str| text::escape(text.as_bytes()).replace('…', symbols.more);
        let mut out: Vec<(String, Role)> = Vec::new();
        let Some(plan) = &self.plan else {
            let (words, role) = match &self.load {
                Load::Failed(why) => (format!("{} {}", symbols.bad, escape(why)), Role::Danger),
                _ => (format!("looking what would be lost{}", symbols.more), Role::Dim),
            };
            out.push((words, role));
            return out;
        };
        let mut part = |head: &str, rows: &[String], glyph: &str, role: Role| {
            if rows.is_empty() {
                return;
            }
            if !out.is_empty() {
                out.push((String::new(), Role::Text));
            }
            out.push((head.to_owned(), Role::Title));
            out.extend(rows.iter().map(|row| (format!("{glyph} {}", escape(row)), role)));
        };
        part(
            "In the way: nothing is done while this is so",
            &plan.obstacles,
            symbols.bad,
            Role::Danger,
        );
        part("Is lost", &plan.loses, symbols.warning, Role::Warning);
        let along: Vec<String> = plan.takes_along.iter().map(|id| format!("snapshot {id}")).collect();
        part("Goes with it", &along, symbols.warning, Role::Danger);
        part("Happens", &plan.steps, symbols.bullet, Role::Text);
        out
    }
}

/// Rows inside the frame at most.
fn most(model: &Model) -> u16 {
    model.size.1.saturating_sub(5 + model.strip_rows()).max(8)
}

impl Dialog for RollBack {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn guard(&self) -> Option<Guard> {
        Some(self.guard)
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.scroll)
    }

    fn layout(&mut self, model: &Model) {
        if self.made != Some(model.size) {
            let cells = usize::from(
                super::super::WIDTH
                    .min(model.size.0.saturating_sub(4))
                    .saturating_sub(8),
            );
            let wrapped = self.sentences(model).into_iter().flat_map(|(text, role)| {
                let indent = text.chars().nth(1) == Some(' ');
                let lines = text::wrap(&text, cells).into_iter().enumerate();
                lines.map(move |(n, line)| match n > 0 && indent {
                    true => (format!("  {line}"), role),
                    false => (line, role),
                })
            });
            self.lines = wrapped.collect();
            self.made = Some(model.size);
        }
        let room = most(model).saturating_sub(7);
        self.scroll.fit(self.lines.len() as u64, u64::from(room));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.load == Load::Idle && !model.asks(SLOT) {
            self.load = Load::Loading;
            let question = Question::PlanRollback {
                at: self.at.clone(),
                safety: self.safety,
            };
            ask(model, SLOT, question, take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let symbols = model.look.symbols;
        let rows = (self.lines.len() as u16).min(most(model).saturating_sub(7));
        let target = text::cut_path(&words::target(&self.at.target), 48, symbols.more);
        let inside = frame(canvas, rows + 7, &format!("Roll back {target}?"), Role::Danger);
        let snapshot = &self.row.snapshot;
        let (badge, role) = words::badge_word(snapshot.consistency, symbols);
        let when = format!(
            "to {}, {}",
            text::stamp(snapshot.taken.seconds, &model.zone),
            text::ago(snapshot.taken.seconds, model.now.unix)
        );
        let x = canvas.text(inside.x, inside.y + 1, inside.right(), &when, Role::Text) + 2;
        let x = canvas.text(x, inside.y + 1, inside.right(), &badge, role) + 2;
        let label = text::escape(snapshot.label.as_bytes());
        let room = usize::from(inside.right().saturating_sub(x));
        canvas.text(
            x,
            inside.y + 1,
            inside.right(),
            &text::cut_end(&label, room, symbols.more),
            Role::Dim,
        );
        let (glyph, words, role) = match self.safety {
            true => (symbols.marked, "the state now is kept as a snapshot first", Role::Good),
            false => (
                symbols.unmarked,
                "the state now is lost: no snapshot of it first",
                Role::Danger,
            ),
        };
        line(canvas, inside, 2, &format!("{glyph} {words}"), role);
        for (n, index) in self.scroll.visible().take(usize::from(rows)).enumerate() {
            if let Some((text, role)) = usize::try_from(index).ok().and_then(|index| self.lines.get(index)) {
                line(canvas, inside, 4 + n as u16, text, *role);
            }
        }
        let place = self.scroll.words();
        canvas.right(inside.y + 3, inside.right(), &place, Role::Dim);
        keys_line(model, canvas, inside, CONTEXT);
    }
}

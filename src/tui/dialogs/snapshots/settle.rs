//! Whether another rule of a policy counts for the snapshots that are there: which of them it would let go, what comes back,
//! what is left. Then the policy is written into the config; what goes, goes with its next run.

use super::super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::super::asking::{change, complain};
use super::super::super::dialog::{Dialog, Guard, Moves, Then, with_top};
use super::super::super::keys::{Code, Key};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::screens::cost;
use super::super::super::screens::snapshots::words;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::confirm::{Confirm, typed_name};
use super::super::going::Going;
use super::policies;
use super::policy_editor::{self, PolicyEditor};
use super::review::draw_row;
use crate::config::SnapshotPolicy;
use crate::engine::Answer;
use crate::engine::question::{SnapshotRow, SnapshotWhatIf};
use crate::engine::setup::Change;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("snapshot-settle", "Does the rule count for those there?").with_list();
const SAVE: &str = "snapshots.save-policy";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-settle.count", "it counts", "It counts for them too: they go with the next run; the policy's name is typed first", &["y"],
        At::Only(&[CONTEXT]), count).danger(Danger::Type).hint(1).unless(read_only),
    Action::new("snapshot-settle.spare", "spare them", "It counts from now on: those that are there stay", &["s"],
        At::Only(&[CONTEXT]), spare).hint(2).unless(read_only),
];

/// The question.
#[derive(Debug)]
pub struct Settle {
    policy: SnapshotPolicy,
    /// Whether the config does not have it yet.
    new: bool,
    /// Those that stay now and would go.
    going: Going<SnapshotRow>,
    /// Whether it was said that the rule counts for them.
    counts: bool,
    guard: Guard,
}

/// The snapshots that stay now and would go.
pub(super) fn going(what: &SnapshotWhatIf) -> Vec<SnapshotRow> {
    let more = what.fates.iter().filter(|fate| fate.goes && !fate.goes_now);
    more.map(|fate| fate.row.clone()).collect()
}

/// Asks about a policy of the config that has another rule now. Where the rule lets nothing more go there is only a yes to say.
pub fn open(act: &mut Act, policy: SnapshotPolicy, what: &SnapshotWhatIf) {
    if !going(what).is_empty() {
        return ask(act, policy, false, what);
    }
    let name = text::escape(policy.name.as_bytes());
    let sentence = format!(
        "Policy {name} is to keep {} from now on. Nothing that is there goes by that and stays now.",
        text::escape(policy.keep.to_string().as_bytes())
    );
    let confirm = Confirm::ask(act, "Write the rule into the policy?", sentence, move |act| {
        write(act.model, act.effects, policy, false, false);
    });
    act.model.push(confirm);
}

/// Asks whether the rule counts for those there, of which some would go by it.
pub(super) fn ask(act: &mut Act, policy: SnapshotPolicy, new: bool, what: &SnapshotWhatIf) {
    let rows = going(what);
    let said = sentences(act.model, &policy, &rows, what);
    let mut going = Going::new(rows.into_iter().rev().collect());
    going.say(said);
    let dialog = Settle {
        policy,
        new,
        going,
        counts: false,
        guard: Guard::now(act),
    };
    act.model.push(dialog);
}

/// What it means, in sentences.
fn sentences(
    model: &Model,
    policy: &SnapshotPolicy,
    going: &[SnapshotRow],
    what: &SnapshotWhatIf,
) -> Vec<(String, Role)> {
    let mut said = Vec::new();
    let sizes = going.iter().map(|row| row.size.and_then(|size| size.exclusive));
    said.push(match sizes.sum::<Option<u64>>() {
        Some(bytes) => (
            format!("At least {} come back with these.", text::bytes(bytes)),
            Role::Text,
        ),
        None => ("How much comes back with these is not known.".to_owned(), Role::Dim),
    });
    said.push(match (what.after.oldest, what.after.largest_gap) {
        (Some(oldest), Some(gap)) => (
            format!(
                "The oldest point left is of {}, the largest gap {}.",
                text::stamp(oldest, &model.zone),
                cost::words::gap(gap)
            ),
            Role::Text,
        ),
        (Some(oldest), None) => (
            format!("The only point left is of {}.", text::stamp(oldest, &model.zone)),
            Role::Warning,
        ),
        (None, _) => ("No point is left.".to_owned(), Role::Danger),
    });
    let name = text::escape(policy.name.as_bytes());
    said.push((
        format!("y: they go with the next run of {name}, for ever. s: they stay until they are deleted by hand, or a limit takes them."),
        Role::Text,
    ));
    said
}

fn count(act: &mut Act) {
    with_top::<Settle>(act, |dialog, act| {
        let number = text::counted(dialog.going.list.total().unwrap_or(0), "snapshot goes", "snapshots go");
        let (policy, new) = (dialog.policy.clone(), dialog.new);
        let name = text::escape(policy.name.as_bytes());
        let sentence = format!("{number} with the next run of policy {name}. That cannot be undone.");
        let typed = typed_name(&policy.name, "policy");
        let confirm = Confirm::ask(act, "The rule counts for those there", sentence, move |act| {
            if let Some(settle) = act.model.dialog_mut::<Settle>() {
                settle.counts = true;
            }
            write(act.model, act.effects, policy, new, false);
        });
        // The last of them is about the keys of this dialog.
        let mut said: Vec<String> = dialog.going.sentences().collect();
        said.pop();
        let confirm = said.into_iter().fold(confirm, Confirm::and);
        act.model.push(confirm.by_name(typed));
        Then::Keep
    });
}

fn spare(act: &mut Act) {
    with_top::<Settle>(act, |dialog, act| {
        write(act.model, act.effects, dialog.policy.clone(), dialog.new, true);
        Then::Keep
    });
}

/// Writes a policy into the config.
pub(super) fn write(model: &mut Model, effects: &mut Vec<Effect>, policy: SnapshotPolicy, new: bool, spare: bool) {
    let policy = Box::new(policy);
    change(
        model,
        SAVE,
        Change::SaveSnapshotPolicy { policy, new, spare },
        written,
        effects,
    );
}

fn written(model: &mut Model, answer: Answer, effects: &mut Vec<Effect>) {
    let counts = model.dialog_mut::<Settle>().filter(|settle| settle.counts);
    let goes = counts.map(|settle| (settle.policy.name.clone(), settle.going.list.total().unwrap_or(0)));
    model.dismiss::<Settle>();
    match answer {
        Answer::Changed(changed) => {
            model.dismiss::<PolicyEditor>();
            model.say(Role::Good, text::escape(changed.text.as_bytes()));
            // What the rule counts for goes with the next run: that need not wait for its time.
            if let Some((policy, many)) = goes {
                let key = Key::plain(Code::Enter);
                policies::ask_to_run(&mut Act { model, key, effects }, policy, many);
            }
        }
        other => {
            policy_editor::refused(model);
            complain(model, other);
        }
    }
    policies::reload(model);
    cost::snapshots_changed(model);
}

impl Dialog for Settle {
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
        self.going.layout(model);
    }

    fn closed(&mut self, model: &mut Model, _: &mut Vec<Effect>) {
        policy_editor::refused(model);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let count = self.going.list.total().unwrap_or(0);
        let title = format!(
            "{} would go by this rule",
            text::counted(count, "more snapshot", "more snapshots")
        );
        let several = self.policy.targets.len() > 1;
        let row = |canvas: &mut Canvas, row: &SnapshotRow, place: (u16, u16, u16)| {
            draw_row(model, canvas, row, place);
            if several {
                let target = words::target(&row.snapshot.target);
                let target = text::cut_path(&target, 24, model.look.symbols.more);
                canvas.right(place.1, place.2.saturating_sub(13), &target, Role::Dim);
            }
        };
        self.going.draw(model, canvas, &title, CONTEXT, row);
    }
}

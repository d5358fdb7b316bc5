//! The other side of the screen: what snapshots cost, and what another rule of the policy that takes them would change.
//!
//! `ask` asks what each target's snapshots take and what would be under the rule that is tried out, `view` draws, `words` says
//! it. The rule's fields and the keys that change them are those of the vaults' side. What a policy keeps is decided by the
//! engine; writing it into the config is asked about in `dialogs::snapshots::settle`.

mod ask;
mod view;
mod words;

use std::collections::HashMap;

use super::super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::super::dialog::Moves;
use super::super::super::dialogs::snapshots::settle;
use super::super::super::model::{Load, Model, Screen};
use super::super::super::theme::Role;
use super::super::super::window::Window;
use super::super::snapshots;
use super::fields::{Fields, POLICY_LINES};
use super::{Draft, edit};
use crate::config::SnapshotPolicy;
use crate::engine::question::{SnapshotCostRow, SnapshotFate};
use crate::snapshot::Target;
pub(super) use ask::{changed, fetch, reload};
pub(super) use view::{draw, layout};

/// The pane of targets.
pub const TARGETS: Context = Context::screen("cost-snapshots", "What snapshots cost");
/// The pane of the rule's fields.
pub const RULE: Context = Context::screen("cost-snapshot-rule", "Rule of a snapshot policy");
/// The pane of snapshots.
pub const FATES: Context = Context::screen("cost-snapshot-fates", "Snapshots that go");

/// All of them.
pub(super) const ALL: &[Context] = &[TARGETS, RULE, FATES];

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("cost-snapshots.rule", "rule", "To the rule of the policy that takes it", &["Enter", "l", "→"], At::Only(&[TARGETS]),
        |act| act.model.cost.snapshots.pane = Pane::Rule).hint(1).unless(no_policy),
    Action::new("cost-snapshots.back", "back", "To the rule", &["h", "Backspace", "←"], At::Only(&[FATES]),
        |act| act.model.cost.snapshots.pane = Pane::Rule).hint(2),
    Action::new("cost-snapshots.reset", "policy's rule", "Back to the rule that the policy has", &["u"], At::Only(&[RULE]), edit::reset).hint(20)
        .unless(edit::unchanged),
    Action::new("cost-snapshots.all", "all", "List all snapshots, or only those that go", &["a"], At::Only(&[FATES]), |act| {
        act.model.cost.snapshots.all = !act.model.cost.snapshots.all;
        ask::show_fates(act.model);
    }).hint(4),
    Action::new("cost-snapshots.next-policy", "next policy", "To the next policy that takes it", &["]", "v"], At::Only(ALL),
        |act| change_policy(act.model, 1)).unless(one_policy),
    Action::new("cost-snapshots.previous-policy", "policy before", "To the policy before", &["[", "V"], At::Only(ALL),
        |act| change_policy(act.model, -1)).unless(one_policy),
    Action::new("cost-snapshots.open", "snapshots", "To the snapshots of this target", &["o"], At::Only(ALL), open).hint(10).unless(nothing),
    Action::new("cost-snapshots.apply", "apply", "Review what the rule lets go, then write it into the policy", &["w"], At::Only(ALL), apply).hint(6)
        .danger(Danger::Type).unless(why_not),
    Action::new("cost-snapshots.vaults", "vaults", "Back to what vaults cost", &["S"], At::Only(ALL),
        |act| act.model.cost.snapshots.shown = false).hint(12),
];

/// The panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[allow(missing_docs)] // each is what it names
pub enum Pane {
    #[default]
    Targets,
    Rule,
    Fates,
}

/// What this side shows.
#[derive(Debug)]
pub struct OfSnapshots {
    /// Whether it is shown; the vaults are otherwise.
    pub shown: bool,
    /// The pane that has the keys.
    pub pane: Pane,
    /// The targets that have snapshots, and what those cost.
    pub rows: Window<SnapshotCostRow>,
    /// Whether they are here.
    pub load: Load,
    /// Whether they have changed since they were asked for.
    old: bool,
    /// The target to put the cursor on as soon as it is here.
    wanted: Option<Target>,
    /// Which of the policies that take the target is looked at.
    policy: usize,
    /// What is tried out, by policy.
    drafts: HashMap<String, Draft>,
    /// The rule's fields.
    pub(super) fields: Fields,
    /// What would be.
    known: ask::Known,
    /// Whether all snapshots are listed, not only those that go.
    pub all: bool,
}

impl Default for OfSnapshots {
    fn default() -> OfSnapshots {
        OfSnapshots {
            shown: false,
            pane: Pane::default(),
            rows: Window::default(),
            load: Load::default(),
            old: false,
            wanted: None,
            policy: 0,
            drafts: HashMap::new(),
            fields: Fields::of(POLICY_LINES),
            known: ask::Known::default(),
            all: false,
        }
    }
}

pub(super) fn context(model: &Model) -> Context {
    match model.cost.snapshots.pane {
        Pane::Targets => TARGETS,
        Pane::Rule => RULE,
        Pane::Fates => FATES,
    }
}

pub(super) fn list(model: &mut Model) -> &mut dyn Moves {
    let side = &mut model.cost.snapshots;
    match side.pane {
        Pane::Targets => &mut side.rows,
        Pane::Rule => &mut side.fields,
        Pane::Fates => &mut side.known.fates,
    }
}

pub(super) fn change_pane(model: &mut Model, by: isize) {
    const PANES: [Pane; 3] = [Pane::Targets, Pane::Rule, Pane::Fates];
    let pane = &mut model.cost.snapshots.pane;
    *pane = PANES[(*pane as usize).wrapping_add_signed(by.rem_euclid(3)) % 3];
}

/// Goes to what a target's snapshots cost, from another screen.
pub(crate) fn go_to(model: &mut Model, target: Option<Target>) {
    model.screen = Screen::Cost;
    let side = &mut model.cost.snapshots;
    side.shown = true;
    side.pane = Pane::Targets;
    side.wanted = target;
    ask::find_wanted(side);
}

/// The target under the cursor.
pub(super) fn row(model: &Model) -> Option<&SnapshotCostRow> {
    model.cost.snapshots.rows.current()
}

/// The name of the policy that is looked at.
fn policy_name(model: &Model) -> Option<&String> {
    let policies = &row(model)?.policies;
    policies.get(model.cost.snapshots.policy % policies.len().max(1))
}

/// The policy that is looked at, as the config has it.
pub(super) fn policy(model: &Model) -> Option<&SnapshotPolicy> {
    let name = policy_name(model)?;
    model.cost.config.as_ref()?.config.snapshot_policy(name)
}

/// What is tried out on the policy that is looked at.
pub(super) fn draft(model: &Model) -> Option<&Draft> {
    model.cost.snapshots.drafts.get(policy_name(model)?)
}

pub(super) fn draft_mut(model: &mut Model) -> Option<&mut Draft> {
    let name = policy_name(model)?.clone();
    model.cost.snapshots.drafts.get_mut(&name)
}

/// The policy with the rule that is tried out. A rule that was changed counts for all snapshots that are there.
fn tried(model: &Model) -> Option<SnapshotPolicy> {
    let (policy, draft) = (policy(model)?, draft(model)?);
    if !draft.rule.policy.keeps() {
        return None;
    }
    Some(match draft.rule.policy == policy.keep {
        true => policy.clone(),
        false => SnapshotPolicy {
            keep: draft.rule.policy.clone(),
            since: None,
            ..policy.clone()
        },
    })
}

/// Why there is nothing here.
fn nothing(model: &Model) -> Option<String> {
    row(model).is_none().then(|| "There is no snapshot yet.".into())
}

/// Why there is no rule to try out.
pub(super) fn no_policy(model: &Model) -> Option<String> {
    let why = || match row(model) {
        Some(_) if policy_name(model).is_some() => "The policy's rule is not here yet.".to_owned(),
        Some(_) => "No policy takes it: nothing of it goes by itself.".to_owned(),
        None => "There is no snapshot yet.".to_owned(),
    };
    draft(model).is_none().then(why)
}

fn one_policy(model: &Model) -> Option<String> {
    let one = row(model).is_none_or(|row| row.policies.len() < 2);
    one.then(|| "No other policy takes it.".into())
}

fn change_policy(model: &mut Model, by: isize) {
    let count = row(model).map_or(1, |row| row.policies.len().max(1));
    let at = &mut model.cost.snapshots.policy;
    *at = (*at % count + count).wrapping_add_signed(by) % count;
}

/// To its snapshots on their own screen.
fn open(act: &mut Act) {
    if let Some(row) = row(act.model) {
        let name = row.target.to_string();
        snapshots::go_to(act.model, &name);
    }
}

/// Why the rule cannot be written into the policy.
fn why_not(model: &Model) -> Option<String> {
    let why = || match (draft(model), policy(model)) {
        (Some(draft), _) if !draft.rule.policy.keeps() => "The rule keeps nothing: set at least one of its fields.",
        (Some(draft), Some(policy)) if draft.rule.policy == policy.keep => "This is the rule that the policy has.",
        _ => "What would go is not worked out yet.",
    };
    let ready = ask::fresh(model).is_some_and(|(asked, _)| policy(model).is_some_and(|now| now.keep != asked.keep));
    read_only(model)
        .or_else(|| no_policy(model))
        .or_else(|| (!ready).then(|| why().to_owned()))
}

/// Asks what is to become of the snapshots that are there, then writes the rule.
fn apply(act: &mut Act) {
    let Some((asked, what)) = ask::fresh(act.model) else {
        return;
    };
    let (asked, what) = (asked.clone(), what.clone());
    settle::open(act, asked, &what);
}

/// The policy that takes the target, for the status line and headings; safe to show.
pub(super) fn status(model: &Model) -> Option<(String, Role)> {
    (model.cost.snapshots.pane == Pane::Rule)
        .then(|| (model.cost.snapshots.fields.current().help().to_owned(), Role::Dim))
}

/// The snapshots of a list that go, or all.
fn listed(fates: &[SnapshotFate], all: bool) -> Vec<SnapshotFate> {
    let newest_first = fates.iter().rev();
    newest_first
        .filter(|fate| all || fate.goes || fate.goes_now)
        .cloned()
        .collect()
}

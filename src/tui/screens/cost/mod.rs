//! The screen Retention and cost: what a rule keeps, frees, saves and loses, before it is carried out.
//!
//! `rule` is what is tried out, `value` what its fields hold in words, `steps` and `typed` how they change, `fields` the rows
//! they are, `edit` the keys that change them, `plan` where the rule comes from and goes to, `price` what it is worked out
//! with. `ask` asks what would be, `fates` lists the generations and marks some by hand, `apply` does it after a review.
//! `snapshots` is the other side: snapshots and their policies instead of vaults and their plans. `view` and its siblings
//! draw: `rule_view`, `figures`, `outlook` (the next months), `lists`; `words` says it all. The vault is the one under the
//! cursor of the screen Vaults.

mod apply;
mod ask;
mod edit;
mod fates;
mod fields;
mod figures;
mod lists;
mod outlook;
mod plan;
mod price;
mod rule;
mod rule_view;
pub(crate) mod snapshots;
mod steps;
mod typed;
mod value;
mod view;
pub(crate) mod words;

use std::collections::HashMap;

use super::super::actions::{Act, Action, At, Context, Danger};
use super::super::dialog::Moves;
use super::super::dialogs::prices;
use super::super::field;
use super::super::model::{Load, Model, Screen};
use super::super::theme::Role;
use super::vaults;
use super::vaults::staging;
use crate::engine::question::PriceRow;
use crate::engine::setup::ConfigNow;
use crate::vault::Id;
pub use apply::ACTIONS as APPLY_ACTIONS;
pub(super) use ask::{fetch, stale};
use rule::{Field, Rule};
use steps::Step;
pub(super) use view::draw;

/// The pane of the rule's fields.
pub const RULE: Context = Context::screen("cost", "Rule");
/// The pane of figures and charts.
pub const FIGURES: Context = Context {
    list: false,
    ..Context::screen("cost-figures", "Figures")
};
/// The pane of generations.
pub const FATES: Context = Context::screen("cost-generations", "Generations that go");
/// The pane of file versions.
pub const LOST: Context = Context::screen("cost-lost", "Versions lost");

const ALL: &[Context] = &[RULE, FIGURES, FATES, LOST];
const BEHIND: &[Context] = &[FIGURES, FATES, LOST];
/// Where a rule's fields are, of a plan or of a snapshot policy.
const RULES: &[Context] = &[RULE, snapshots::RULE];
const EVERYWHERE: &[Context] = &[
    RULE,
    FIGURES,
    FATES,
    LOST,
    snapshots::TARGETS,
    snapshots::RULE,
    snapshots::FATES,
];

/// What one can do here.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("cost.more", "more", "The next larger amount", &["→", "l", "="], At::Only(RULES), |act| edit::step(act, Step::More))
        .hint(2).unless(no_rule),
    Action::new("cost.less", "less", "The next smaller amount", &["←", "h", "-"], At::Only(RULES), |act| edit::step(act, Step::Less))
        .hint(1).unless(no_rule),
    Action::new("cost.one-more", "one more", "One more", &["L", ">"], At::Only(RULES), |act| edit::step(act, Step::MoreFine)).unless(no_rule),
    Action::new("cost.one-less", "one less", "One less", &["H", "<"], At::Only(RULES), |act| edit::step(act, Step::LessFine)).unless(no_rule),
    Action::new("cost.type", "type", "Type the value; Enter again or Esc ends that", &["Enter", "i"], At::Only(RULES), edit::type_in)
        .hint(3).unless(no_rule),
    Action::new("cost.clear", "clear", "Set it to nothing", &["0", "Backspace", "Del"], At::Only(RULES), edit::clear).hint(5).unless(no_rule),
    Action::new("cost.reset", "plan's rule", "Back to the rule of the vault's plan", &["u"], At::Only(&[RULE]), edit::reset).hint(20)
        .unless(edit::unchanged),
    Action::new("cost.undo", "undo", "Take back the last change", &["z"], At::Only(EVERYWHERE), edit::undo).hint(8).unless(edit::nothing_to_undo),
    Action::new("cost.save", "save", "Write this rule into the vault's plan; nothing is deleted", &["s"], At::Only(&[RULE]), apply::save_rule)
        .hint(21).danger(Danger::Ask).unless(apply::cannot_save),
    Action::new("cost.lost", "lost", "To the file versions that would be lost", &["Enter", "l", "→"], At::Only(&[FATES]),
        |act| act.model.cost.pane = Pane::Lost).hint(1),
    Action::new("cost.mark", "mark", "Let this one go whatever the rule says, or not", &["d", "Space"], At::Only(&[FATES]), fates::mark)
        .hint(3).unless(fates::none_here),
    Action::new("cost.all", "all", "List all generations, or only those that go", &["a"], At::Only(&[FATES]), fates::toggle_all).hint(4),
    Action::new("cost.open-generation", "files", "To the files of this generation", &["o"], At::Only(&[FATES]), fates::open_generation)
        .hint(5).unless(fates::none_here),
    Action::new("cost.go", "go to it", "To the file, in the last generation that holds this version", &["Enter", "l", "→"], At::Only(&[LOST]),
        fates::go_to_lost).hint(1).unless(|model| model.cost.lost.list.current().is_none().then(|| "No version would be lost.".into())),
    Action::new("cost.back", "back", "To the pane before", &["h", "Backspace", "←"], At::Only(BEHIND), |act| change_pane(act.model, -1)).hint(2),
    Action::new("cost.price", "price", "Choose a price from the book: what if, or for good", &["p"], At::Only(ALL), prices::open).hint(9)
        .unless(no_vault),
    Action::new("cost.table", "table", "Show the charts as a table, or as charts again", &["t"], At::Only(ALL),
        |act| act.model.cost.table = !act.model.cost.table).hint(10),
    Action::new("cost.unit", "money", "The next months in money, or in bytes", &["$"], At::Only(ALL),
        |act| act.model.cost.money = !act.model.cost.money).hint(11).unless(outlook::no_money),
    Action::new("cost.notes", "notes", "All that is to be said of what the rule would do, in sentences", &["N"], At::Only(ALL),
        rule_view::show_notes).hint(22).unless(rule_view::nothing_said),
    Action::new("cost.next-vault", "next vault", "To the next vault", &["]", "v"], At::Only(ALL), |act| ask::change_vault(act.model, 1)).hint(12)
        .unless(ask::no_other_vault),
    Action::new("cost.previous-vault", "vault before", "To the vault before", &["[", "V"], At::Only(ALL),
        |act| ask::change_vault(act.model, -1)).unless(ask::no_other_vault),
    Action::new("cost.open", "open", "Ask for the vault's password", &["O"], At::Only(ALL), edit::open_vault).unless(edit::is_open),
    Action::new("cost.snapshots", "snapshots", "What snapshots cost, and what another rule of a policy would change", &["S"], At::Only(ALL),
        |act| snapshots::go_to(act.model, None)).hint(13),
    Action::new("cost.apply", "apply", "Review what goes, then delete it", &["w"], At::Only(ALL), apply::open).hint(6)
        .danger(Danger::Type).unless(apply::why_not),
    Action::new("generations.what-if", "what if", "What it frees, saves and loses if those staged go", &["W"],
        At::Only(&[vaults::GENERATIONS, vaults::DETAILS]), staged).hint(15).unless(staging::nothing_staged),
];

/// The panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[allow(missing_docs)] // each is what it names
pub enum Pane {
    #[default]
    Rule,
    Figures,
    Fates,
    Lost,
}

/// The rule tried out on a vault, and how it came to be.
#[derive(Debug)]
pub struct Draft {
    /// The rule of the vault's plan.
    start: Rule,
    /// What is tried out.
    rule: Rule,
    /// What was tried out before, the last one at the end.
    before: Vec<Rule>,
}

impl Draft {
    fn new(start: Rule) -> Draft {
        Draft {
            rule: start.clone(),
            start,
            before: Vec::new(),
        }
    }

    /// Tries out something else.
    fn change(&mut self, rule: Rule) {
        if rule != self.rule {
            self.before.push(std::mem::replace(&mut self.rule, rule));
        }
    }

    /// The plan's rule is another one now: what was not changed of it here follows.
    fn follow(&mut self, start: Rule) {
        if self.rule.policy == self.start.policy && self.rule.group == self.start.group {
            self.rule.policy = start.policy.clone();
            self.rule.group = start.group;
        }
        self.start = start;
    }
}

/// The field that is being typed into.
#[derive(Debug)]
pub(super) struct Typing {
    of: Field,
    field: field::Field,
    /// The rule before.
    before: Rule,
    /// What is wrong with what is typed, empty when nothing is.
    problem: String,
}

/// What the screen shows.
#[derive(Debug, Default)]
pub struct Costs {
    /// The pane that has the keys.
    pub pane: Pane,
    /// Which of the two lists was seen last.
    lost_below: bool,
    /// Whether charts are shown as tables.
    pub table: bool,
    /// Whether the next months are shown in money.
    pub money: bool,
    /// Whether all generations are listed, not only those that go.
    pub all: bool,
    /// The rule's fields.
    fields: fields::Fields,
    /// The field being typed into.
    typing: Option<Typing>,
    /// What is tried out, by vault.
    drafts: HashMap<String, Draft>,
    /// Prices to try out on vaults where nothing is tried out yet.
    tried_prices: HashMap<String, Option<String>>,
    /// The vault whose price is being written into the config.
    pub priced: Option<String>,
    /// What would be.
    known: ask::Known,
    /// What would be lost.
    lost: ask::Lost,
    /// The config.
    pub config: Option<ConfigNow>,
    config_load: Load,
    /// The price book.
    pub prices: Vec<PriceRow>,
    prices_load: Load,
    /// The other side: snapshots and their policies.
    pub snapshots: snapshots::OfSnapshots,
}

impl Costs {
    /// The list that is shown below the figures where panes stand side by side; the pane itself elsewhere.
    fn lower(&self, wide: bool) -> Option<Pane> {
        match self.pane {
            Pane::Fates | Pane::Lost => Some(self.pane),
            _ if !wide => None,
            _ if self.lost_below => Some(Pane::Lost),
            _ => Some(Pane::Fates),
        }
    }
}

pub(super) fn context(model: &Model) -> Context {
    if model.cost.snapshots.shown {
        return snapshots::context(model);
    }
    match model.cost.pane {
        Pane::Rule => RULE,
        Pane::Figures if model.is_wide() => RULE,
        Pane::Figures => FIGURES,
        Pane::Fates => FATES,
        Pane::Lost => LOST,
    }
}

pub(super) fn list(model: &mut Model) -> Option<&mut dyn Moves> {
    if model.cost.snapshots.shown {
        return Some(snapshots::list(model));
    }
    let wide = model.is_wide();
    let cost = &mut model.cost;
    match cost.pane {
        Pane::Figures if !wide => None,
        Pane::Rule | Pane::Figures => Some(&mut cost.fields),
        Pane::Fates => Some(&mut cost.known.fates),
        Pane::Lost => Some(&mut cost.lost.list),
    }
}

/// The field that has the keys, if any.
pub(super) fn field(model: &mut Model) -> Option<&mut field::Field> {
    model.cost.typing.as_mut().map(|typing| &mut typing.field)
}

pub(super) use edit::edited;
pub(crate) use price::{price_tried, try_price};
pub(crate) use typed::many as typed_many;

pub(super) fn layout(model: &mut Model) {
    let (wide, rows) = (model.is_wide(), model.body_rows());
    let cost = &mut model.cost;
    match cost.pane {
        Pane::Fates => cost.lost_below = false,
        Pane::Lost => cost.lost_below = true,
        _ => {}
    }
    cost.fields.resize(usize::from(view::field_rows(wide, rows)));
    let below = u64::from(view::list_rows(wide, rows));
    cost.known.fates.resize(below);
    cost.lost.list.resize(below);
    snapshots::layout(model);
    edit::settle(model);
}

pub(super) fn change_pane(model: &mut Model, by: isize) {
    if model.cost.snapshots.shown {
        return snapshots::change_pane(model, by);
    }
    const NARROW: &[Pane] = &[Pane::Rule, Pane::Figures, Pane::Fates, Pane::Lost];
    const WIDE: &[Pane] = &[Pane::Rule, Pane::Fates, Pane::Lost];
    let panes = if model.is_wide() { WIDE } else { NARROW };
    let at = panes.iter().position(|pane| *pane == model.cost.pane).unwrap_or(0);
    let to = at.wrapping_add_signed(by.rem_euclid(panes.len() as isize)) % panes.len();
    model.cost.pane = panes[to];
}

/// Leaves what is being typed; whether there was something.
pub(super) fn escape(model: &mut Model) -> bool {
    edit::leave(model)
}

/// What is tried out differs from the plan's rule: for the status line.
pub(super) fn status(model: &Model) -> Option<(String, Role)> {
    if let Some(typing) = &model.cost.typing {
        let problem = (!typing.problem.is_empty()).then(|| (typing.problem.clone(), Role::Warning));
        return problem.or_else(|| Some((typing.of.help().to_owned(), Role::Dim)));
    }
    if model.cost.snapshots.shown {
        return snapshots::status(model);
    }
    (context(model) == RULE).then(|| (model.cost.fields.current().help().to_owned(), Role::Dim))
}

/// The pane shown, for where there is but one.
pub(crate) fn crumb(model: &Model) -> Option<&'static str> {
    if model.cost.snapshots.shown {
        return (!model.is_wide()).then(|| context(model).title);
    }
    let narrow = !model.is_wide() && model.generations.vault.is_some();
    narrow.then(|| context(model).title)
}

/// The fields of the rule that is shown.
fn fields(model: &Model) -> &fields::Fields {
    match model.cost.snapshots.shown {
        true => &model.cost.snapshots.fields,
        false => &model.cost.fields,
    }
}

/// What is tried out on the vault or the snapshot policy that is shown.
fn draft(model: &Model) -> Option<&Draft> {
    if model.cost.snapshots.shown {
        return snapshots::draft(model);
    }
    model.cost.drafts.get(model.generations.vault.as_ref()?)
}

fn draft_mut(model: &mut Model) -> Option<&mut Draft> {
    if model.cost.snapshots.shown {
        return snapshots::draft_mut(model);
    }
    model.cost.drafts.get_mut(model.generations.vault.as_ref()?)
}

fn no_vault(model: &Model) -> Option<String> {
    let none = model.generations.vault.is_none();
    none.then(|| "There is no vault.".into())
}

fn no_rule(model: &Model) -> Option<String> {
    if model.cost.snapshots.shown {
        return snapshots::no_policy(model);
    }
    let none = draft(model).is_none();
    no_vault(model).or_else(|| none.then(|| "The plan's rule is not here yet.".into()))
}

/// Goes to a vault's costs, from another screen.
pub(crate) fn go_to(model: &mut Model, vault: &str) {
    vaults::put_cursor(model, vault);
    model.screen = Screen::Cost;
    model.cost.pane = Pane::Rule;
    model.cost.snapshots.shown = false;
}

/// Snapshots are others now, or a policy is.
pub(crate) fn snapshots_changed(model: &mut Model) {
    snapshots::changed(model);
}

/// Reads anew what is not read anew with the vaults.
pub(super) fn reload(model: &mut Model) {
    snapshots::reload(model);
}

/// To what would be if the generations that are staged went.
fn staged(act: &mut Act) {
    let model = &mut *act.model;
    let marked: Vec<Id> = staging::staged(model);
    let Some(vault) = model.generations.vault.clone() else {
        return;
    };
    model.screen = Screen::Cost;
    model.cost.snapshots.shown = false;
    model.cost.pane = Pane::Fates;
    model.cost.all = false;
    let start = model.cost.drafts.get(&vault).map(|draft| draft.start.clone());
    let draft = model.cost.drafts.entry(vault.clone()).or_insert_with(|| {
        // The plan's rule arrives later; until then only the marks count.
        Draft::new(start.unwrap_or_else(|| plan::start(&crate::config::Config::default(), &vault)))
    });
    let rule = Rule {
        everything: true,
        marked,
        ..draft.rule.clone()
    };
    draft.change(rule);
}

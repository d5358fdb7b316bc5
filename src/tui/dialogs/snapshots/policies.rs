//! The snapshot policies of the config: what each takes and when, what it keeps, and running one now. They are changed in the
//! editor.

use ratatui::layout::Rect;

use super::super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::super::asking::{Told, abandon, ask, change, complain, failed};
use super::super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::screens::cost;
use super::super::super::screens::snapshots::words;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::window::Window;
use super::super::confirm::Confirm;
use super::super::{frame, keys_line, labelled, line, room};
use super::policy_editor::PolicyEditor;
use super::start;
use crate::engine::question::SnapshotPolicyRow;
use crate::engine::setup::{Change, ConfigNow};
use crate::engine::{Answer, Question, SnapshotTask};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("snapshot-policies", "Snapshot policies").with_list();
const SLOT: &str = "snapshots.policies";
const CONFIG: &str = "snapshots.config";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-policies.run", "run now", "Take what it takes now, then delete what its rule does not keep", &["r"], At::Only(&[CONTEXT]), run)
        .danger(Danger::Ask).hint(1).unless(why_not),
    Action::new("snapshot-policies.edit", "change", "Change this policy", &["Enter", "e"], At::Only(&[CONTEXT]), edit).hint(2).unless(none_to_change),
    Action::new("snapshot-policies.new", "new", "Set up a new policy", &["n"], At::Only(&[CONTEXT]), new).hint(3).unless(not_read),
    Action::new("snapshot-policies.remove", "remove", "Take this policy out of the config; its snapshots stay", &["x"], At::Only(&[CONTEXT]), remove)
        .danger(Danger::Ask).hint(4).unless(none_to_change),
];

/// The policies.
#[derive(Debug, Default)]
pub struct Policies {
    list: Window<SnapshotPolicyRow>,
    load: Load,
    /// The config that they are in.
    now: Option<ConfigNow>,
}

/// Shows them.
pub fn open(act: &mut Act) {
    act.model.push(Policies::default());
}

/// Reads them anew, if they are shown.
pub(crate) fn reload(model: &mut Model) {
    if let Some(policies) = model.dialog_mut::<Policies>() {
        policies.load = Load::Idle;
    }
}

/// Why the policy under the cursor cannot run now.
fn why_not(model: &Model) -> Option<String> {
    let row = model.dialog::<Policies>().and_then(|policies| policies.list.current());
    let Some(row) = row else {
        return Some("There is no policy to run.".into());
    };
    let problem = (!row.problem.is_empty()).then(|| text::escape(row.problem.as_bytes()));
    read_only(model).or(problem)
}

/// Why no policy can be changed.
fn none_to_change(model: &Model) -> Option<String> {
    let row = model.dialog::<Policies>().and_then(|policies| policies.list.current());
    let none = row
        .is_none()
        .then(|| "There is no policy yet: n sets one up.".to_owned());
    none.or_else(|| not_read(model))
}

/// Why the config cannot be changed.
fn not_read(model: &Model) -> Option<String> {
    let read = model
        .dialog::<Policies>()
        .is_some_and(|policies| policies.now.is_some());
    read_only(model).or_else(|| (!read).then(|| "The config is being read.".into()))
}

fn edit(act: &mut Act) {
    with_top::<Policies>(act, |policies, act| {
        let policy = policies.list.current().zip(policies.now.as_ref());
        let policy = policy.and_then(|(row, now)| now.config.snapshot_policy(&row.name));
        if let Some(policy) = policy {
            act.model.push(PolicyEditor::of(policy, act.model.now.millis));
        }
        Then::Keep
    });
}

fn new(act: &mut Act) {
    let target = act.model.snapshots.targets.list.current();
    let target = target
        .filter(|row| row.found.problem.is_none())
        .map(|row| row.found.target.clone());
    let editor = PolicyEditor::new(target.as_ref(), act.model.now.millis);
    act.model.push(editor);
}

fn remove(act: &mut Act) {
    with_top::<Policies>(act, |policies, act| {
        let Some(row) = policies.list.current() else {
            return Then::Keep;
        };
        let policy = row.name.clone();
        let name = text::cut_middle(&text::escape(policy.as_bytes()), 40, act.model.look.symbols.more);
        let stay = match row.snapshots {
            0 => "It has no snapshots.".to_owned(),
            many => format!(
                "{} it took; none of them goes by itself any more.",
                text::counted(many, "snapshot stays that", "snapshots stay that")
            ),
        };
        let sentence = format!("Policy {name} goes from the config. {stay}");
        let confirm = Confirm::ask(act, "Remove the policy?", sentence, move |act| {
            let gone = Change::RemoveSnapshotPolicy { policy };
            change(act.model, "snapshots.remove-policy", gone, removed, act.effects);
        });
        act.model.push(confirm);
        Then::Keep
    });
}

fn removed(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    match answer {
        Answer::Changed(changed) => model.say(Role::Good, text::escape(changed.text.as_bytes())),
        other => complain(model, other),
    }
    reload(model);
    cost::snapshots_changed(model);
}

fn take_config(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    if let (Some(policies), Answer::Config(now)) = (model.dialog_mut::<Policies>(), told.answer) {
        policies.now = Some(now);
    }
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Some(policies) = model.dialog_mut::<Policies>() else {
        return;
    };
    match told.answer {
        Answer::SnapshotPolicies(rows) => {
            policies.list.hold(rows);
            policies.load = Load::Ready;
        }
        other => policies.load = failed(other),
    }
}

fn run(act: &mut Act) {
    with_top::<Policies>(act, |policies, act| {
        let Some(row) = policies.list.current() else {
            return Then::Keep;
        };
        let (policy, going) = (row.name.clone(), row.going);
        ask_to_run(act, policy, going);
        Then::Keep
    });
}

/// Asks whether a policy is to run now, of which so many snapshots go then.
pub(super) fn ask_to_run(act: &mut Act, policy: String, going: u64) {
    let name = text::escape(policy.as_bytes());
    let goes = match going {
        0 => "Of those it has, none goes now; one that is one too many with the new one does.".to_owned(),
        many => format!("{} of it then.", text::counted(many, "snapshot goes", "snapshots go")),
    };
    let sentence = format!("Policy {name} takes its snapshots, then deletes what its rule does not keep. {goes}");
    let confirm = Confirm::ask(act, "Run the policy now?", sentence, move |act| {
        let title = format!("Snapshot policy {}", text::escape(policy.as_bytes()));
        start(act, SnapshotTask::RunPolicy { policy }, title);
    });
    act.model.push(confirm);
}

/// Rows of the list at most: the frame, what the policy is, air and the keys stay.
fn rows(model: &Model) -> u16 {
    model.size.1.saturating_sub(19 + model.strip_rows()).clamp(2, 12)
}

impl Dialog for Policies {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(rows(model)));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.load == Load::Idle && !model.asks(SLOT) {
            self.load = Load::Loading;
            ask(model, SLOT, Question::SnapshotPolicies, take, effects);
            abandon(model, CONFIG, effects);
            ask(model, CONFIG, Question::Config, take_config, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
        abandon(model, CONFIG, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let symbols = model.look.symbols;
        let count = self.list.visible().count() as u16;
        let state = match &self.load {
            Load::Failed(why) => Some((text::escape(why.as_bytes()), Role::Danger)),
            _ if self.list.total().is_none() => Some((format!("reading{}", symbols.more), Role::Dim)),
            _ if count == 0 => Some((
                "No policy is set up. One takes snapshots by itself and lets old ones go. n sets one up, or in a shell: \
                 coffer snapshot policy add hourly /srv --at hourly --keep-last 24"
                    .to_owned(),
                Role::Text,
            )),
            _ => None,
        };
        let said = state.map(|(words, role)| (text::wrap(&words, room(canvas)), role));
        let height = said.as_ref().map_or(count + 12, |(lines, _)| lines.len() as u16 + 4);
        let inside = frame(canvas, height, "Snapshot policies", Role::Focus);
        keys_line(model, canvas, inside, CONTEXT);
        if let Some((lines, role)) = said {
            let fit = usize::from(inside.height.saturating_sub(4)).max(1);
            for (n, text) in lines.iter().take(fit).enumerate() {
                line(canvas, inside, 1 + n as u16, text, role);
            }
            return;
        }
        for (n, index) in self.list.visible().enumerate() {
            let Some(row) = self.list.get(index) else { continue };
            let y = inside.y + 1 + n as u16;
            let amount = text::counted(row.snapshots, "snapshot", "snapshots");
            canvas.right(y, inside.right() - 1, &amount, Role::Dim);
            let room = usize::from(inside.width).saturating_sub(text::width(&amount) + 8);
            let name = text::cut_middle(&text::escape(row.name.as_bytes()), room, symbols.more);
            let x = canvas.text(inside.x + 1, y, inside.right(), &name, Role::Folder);
            if !row.problem.is_empty() {
                canvas.text(x + 1, y, inside.right(), symbols.warning, Role::Warning);
            }
            if index == self.list.cursor() {
                canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
            }
        }
        if let Some(row) = self.list.current() {
            details(model, canvas, inside, count + 2, row);
        }
    }
}

/// What the policy under the cursor is.
fn details(model: &Model, canvas: &mut Canvas, inside: Rect, at: u16, row: &SnapshotPolicyRow) {
    let escape = |text: &str| text::escape(text.as_bytes());
    let when = match row.when.as_str() {
        "" => "only when it is run".to_owned(),
        when => escape(when),
    };
    let next = row
        .next
        .map(|next| format!(", next {}", text::stamp(next, &model.zone)));
    let last = row.last.map_or_else(
        || "none yet".to_owned(),
        |last| {
            let stamp = text::stamp(last.seconds, &model.zone);
            format!("{stamp}, {}", text::ago(last.seconds, model.now.unix))
        },
    );
    let level = match row.consistency {
        Some(level) => words::badge_word(level, model.look.symbols).0,
        None => "the best without commands and RAM".to_owned(),
    };
    let going = match row.going {
        0 => "none".to_owned(),
        many => text::counted(many, "snapshot", "snapshots"),
    };
    let facts = [
        ("takes", escape(&row.targets.join(", ")), Role::Text),
        ("when", format!("{when}{}", next.unwrap_or_default()), Role::Text),
        ("keeps", escape(&row.keeps), Role::Text),
        ("level", level, Role::Text),
        ("last", last, Role::Text),
        ("goes next", going, Role::Text),
        ("problem", escape(&row.problem), Role::Warning),
    ];
    let told = facts.iter().filter(|(_, value, _)| !value.is_empty());
    for (n, (label, value, role)) in told.enumerate() {
        labelled(canvas, inside, at + n as u16, label, value, *role);
    }
}

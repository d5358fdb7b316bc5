//! One snapshot policy being set up or changed. What its rule would do to the snapshots that are there is worked out while
//! one types, and asked about (`settle`) before it is written.

use super::super::super::actions::{Act, Action, At, Context, read_only};
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::keys::{Code, Key};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::Form;
use super::super::confirm::Confirm;
use super::super::form_dialog;
use super::{policy_form, settle};
use crate::config::SnapshotPolicy;
use crate::engine::question::SnapshotWhatIf;
use crate::engine::{Answer, Question};
use crate::retention::Policy;
use crate::snapshot::Target;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("snapshot-policy", "Snapshot policy");
const WHAT_IF: &str = "snapshots.policy-what-if";
/// Milliseconds after the last change before it is worked out anew.
const PAUSE: u64 = 400;

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-policy.save", "save", "Write the policy into the config; asks first what becomes of the snapshots that are there", &["Enter", "Ctrl-s"],
        At::Only(&[CONTEXT]), save).hint(1).unless(read_only),
];

/// A policy being changed.
#[derive(Debug)]
pub struct PolicyEditor {
    /// What the form does not show stays as it is.
    base: SnapshotPolicy,
    /// Whether the config does not have it yet.
    new: bool,
    form: Form,
    /// The form as it was, to see whether anything changed.
    before: Form,
    known: Known,
    /// Whether it is to be written as soon as it is known what that would do.
    saving: bool,
}

/// What the rule would do to the snapshots that are there.
#[derive(Debug, Default)]
struct Known {
    /// What was last asked.
    asked: Option<SnapshotPolicy>,
    /// What was answered whole, or why not.
    answer: Option<Result<SnapshotWhatIf, String>>,
    /// When to ask anew, in milliseconds.
    due: u64,
}

impl PolicyEditor {
    /// An editor for a policy of the config.
    pub(super) fn of(policy: &SnapshotPolicy, millis: u64) -> PolicyEditor {
        PolicyEditor::made(policy.clone(), false, millis)
    }

    /// An editor for a new one, of a target if one is at hand.
    pub(super) fn new(target: Option<&Target>, millis: u64) -> PolicyEditor {
        let policy = SnapshotPolicy {
            name: String::new(),
            targets: target.map(ToString::to_string).into_iter().collect(),
            at: Vec::new(),
            consistency: None,
            hooks: Vec::new(),
            before: None,
            after: None,
            hook_seconds: None,
            keep: Policy::default(),
            since: None,
            limit: None,
        };
        PolicyEditor::made(policy, true, millis)
    }

    fn made(base: SnapshotPolicy, new: bool, millis: u64) -> PolicyEditor {
        let form = policy_form::form(&base, new);
        PolicyEditor {
            base,
            new,
            before: form.clone(),
            form,
            known: Known {
                due: millis,
                ..Known::default()
            },
            saving: false,
        }
    }

    /// The policy as the form has it. A rule that is another one counts for all snapshots that are there, until that is
    /// asked about.
    fn policy(&self, model: &Model) -> Result<SnapshotPolicy, Vec<(&'static str, String)>> {
        let mut policy = policy_form::read(&self.form, &self.base, model)?;
        if policy.keep != self.base.keep {
            policy.since = None;
        }
        Ok(policy)
    }

    /// What it comes to, in a sentence.
    fn words(&self, model: &Model) -> (String, Role) {
        let more = model.look.symbols.more;
        match (&self.known.asked, &self.known.answer) {
            _ if self.saving => (format!("saving{more}"), Role::Dim),
            (None, _) => (String::new(), Role::Dim),
            (Some(_), None) => (
                format!("Working out what becomes of the snapshots that are there{more}"),
                Role::Dim,
            ),
            (Some(_), Some(Err(why))) => (
                format!(
                    "What becomes of the snapshots that are there cannot be told: {}",
                    text::escape(why.as_bytes())
                ),
                Role::Warning,
            ),
            (Some(_), Some(Ok(what))) => match settle::going(what).len() as u64 {
                0 => ("By this rule nothing goes that stays now.".to_owned(), Role::Text),
                many => (
                    format!(
                        "{}, if the rule counts for them: saving asks.",
                        text::counted(
                            many,
                            "snapshot that stays now would go",
                            "snapshots that stay now would go"
                        )
                    ),
                    Role::Warning,
                ),
            },
        }
    }
}

fn save(act: &mut Act) {
    with_top::<PolicyEditor>(act, |editor, act| {
        editor.form.clear_problems();
        match editor.policy(act.model) {
            Ok(_) => {
                editor.saving = true;
                editor.known.due = act.model.now.millis;
                act.effects.push(Effect::Wake(editor.known.due));
            }
            Err(problems) => {
                for (entry, problem) in problems {
                    editor.form.set_problem(entry, problem);
                }
                editor.form.focus_problem();
            }
        }
        Then::Keep
    });
    settle_if_known(act.model, act.key, act.effects);
}

/// Once it is known what the policy would do: asks about that, or writes it.
fn settle_if_known(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    let Some(editor) = model.dialog::<PolicyEditor>().filter(|editor| editor.saving) else {
        return;
    };
    let Ok(policy) = editor.policy(model) else { return };
    let Some(answer) = editor
        .known
        .answer
        .clone()
        .filter(|_| editor.known.asked.as_ref() == Some(&policy))
    else {
        return;
    };
    let (new, other_rule) = (editor.new, policy.keep != editor.base.keep);
    match answer {
        Ok(what) if !settle::going(&what).is_empty() => {
            let mut act = Act { model, key, effects };
            settle::ask(&mut act, policy, new, &what);
        }
        Ok(_) => settle::write(model, effects, policy, new, false),
        // What a target has that cannot be looked at cannot be judged: nothing of it goes unasked.
        Err(_) => settle::write(model, effects, policy, new, other_rule),
    }
}

/// The policy was not written after all: it can be changed again.
pub(super) fn refused(model: &mut Model) {
    if let Some(editor) = model.dialog_mut::<PolicyEditor>() {
        editor.saving = false;
    }
}

fn take(model: &mut Model, asked: &Question, told: Told, effects: &mut Vec<Effect>) {
    let Question::SnapshotWhatIf(asked) = asked else { return };
    let Some(editor) = model.dialog_mut::<PolicyEditor>() else {
        return;
    };
    if editor.known.asked.as_ref() != Some(&**asked) || !told.complete {
        return;
    }
    editor.known.answer = Some(match told.answer {
        Answer::SnapshotWhatIf(what) => Ok(*what),
        other => Err(match failed(other) {
            Load::Failed(why) => why,
            _ => "it is not known".to_owned(),
        }),
    });
    settle_if_known(model, Key::plain(Code::Enter), effects);
}

impl Dialog for PolicyEditor {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        (!self.saving).then_some(&mut self.form)
    }

    fn unsaved(&mut self) -> bool {
        !self.saving && !self.form.same_values(&self.before)
    }

    fn edited(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        policy_form::follow(&mut self.form);
        self.known.due = model.now.millis + PAUSE;
        effects.push(Effect::Wake(self.known.due));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if model.now.millis < self.known.due {
            return;
        }
        // What cannot be a policy yet is not asked about.
        let wanted = self.policy(model).ok();
        if wanted == self.known.asked {
            return;
        }
        abandon(model, WHAT_IF, effects);
        self.known.answer = None;
        self.known.asked.clone_from(&wanted);
        if let Some(policy) = wanted {
            ask(
                model,
                WHAT_IF,
                Question::SnapshotWhatIf(Box::new(policy)),
                take,
                effects,
            );
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, WHAT_IF, effects);
        if self.form.same_values(&self.before) {
            return;
        }
        // Put back, under the question whether to leave it.
        let due = model.now.millis;
        model.push(PolicyEditor {
            base: self.base.clone(),
            new: self.new,
            form: std::mem::take(&mut self.form),
            before: std::mem::take(&mut self.before),
            known: Known {
                due,
                ..Known::default()
            },
            saving: false,
        });
        let key = Key::plain(Code::Esc);
        let act = Act { model, key, effects };
        let sentence = "The policy was changed and is not saved.".to_owned();
        let confirm = Confirm::ask(&act, "Leave without saving?", sentence, |act| {
            abandon(act.model, WHAT_IF, act.effects);
            act.model.dismiss::<PolicyEditor>();
        });
        act.model.push(confirm);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let title = match self.new {
            true => "New snapshot policy".to_owned(),
            false => format!("Snapshot policy {}", text::escape(self.base.name.as_bytes())),
        };
        let (words, role) = self.words(model);
        form_dialog(model, canvas, &title, &[], &self.form, (&words, role), CONTEXT);
    }
}

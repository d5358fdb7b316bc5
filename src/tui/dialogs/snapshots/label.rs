//! A snapshot's label and protection: what can be changed of it.

use super::super::super::actions::{Act, Action, At, Context};
use super::super::super::asking::{change, complain};
use super::super::super::dialog::{Dialog, Then, with_top};
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::{at, snapshot, words};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::form::{Entry, Form};
use super::super::confirm::Confirm;
use super::super::form_dialog;
use super::short;
use crate::engine::Answer;
use crate::engine::question::SnapshotAt;
use crate::engine::setup::Change;
use crate::snapshot::Labels;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::form("snapshot-label", "Label and protection");
const SLOT: &str = "snapshots.label";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-label.save", "save", "Write both down, beside the snapshot", &["Enter", "Ctrl-s"], At::Only(&[CONTEXT]), save).hint(1),
];

/// Both, being changed.
#[derive(Debug)]
pub struct Labelling {
    at: SnapshotAt,
    title: String,
    before: Labels,
    form: Form,
}

/// Opens it on the snapshot under the cursor.
pub fn open(act: &mut Act) {
    let model = &*act.model;
    let Some(row) = snapshot(model) else { return };
    let before = Labels {
        label: row.snapshot.label.clone(),
        protected: row.snapshot.protected,
    };
    let form = Form::new(vec![
        Entry::text("label", "label", &before.label).help("What you call it: why it was taken."),
        Entry::toggle("protected", "protected", before.protected)
            .help("Nothing deletes it until the protection is taken away: no policy, no key."),
    ]);
    let dialog = Labelling {
        at: at(row),
        title: format!(
            "Snapshot {} of {}",
            short(model, &row.snapshot),
            text::cut_path(&words::target(&row.snapshot.target), 40, model.look.symbols.more)
        ),
        before,
        form,
    };
    act.model.push(dialog);
}

/// Protects the snapshot under the cursor, or no longer: that is asked first.
pub fn protect(act: &mut Act) {
    let Some(row) = snapshot(act.model) else { return };
    let labels = Labels {
        label: row.snapshot.label.clone(),
        protected: !row.snapshot.protected,
    };
    let at = at(row);
    if labels.protected {
        return write(act, at, labels);
    }
    let sentence = format!(
        "Snapshot {} of {} may be deleted then, by d and w here, and by the next run of its policy.",
        short(act.model, &row.snapshot),
        words::target(&row.snapshot.target)
    );
    let confirm = Confirm::ask(act, "Take the protection away?", sentence, move |act| {
        write(act, at, labels)
    });
    act.model.push(confirm);
}

fn save(act: &mut Act) {
    with_top::<Labelling>(act, |dialog, act| {
        let labels = Labels {
            label: dialog.form.text("label").trim().to_owned(),
            protected: dialog.form.on("protected"),
        };
        match labels == dialog.before {
            true => act.model.say(Role::Text, "Both stay as they are."),
            false => write(act, dialog.at.clone(), labels),
        }
        Then::Close
    });
}

fn write(act: &mut Act, at: SnapshotAt, labels: Labels) {
    change(
        act.model,
        SLOT,
        Change::LabelSnapshot { at, labels },
        written,
        act.effects,
    );
}

fn written(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    match answer {
        Answer::Changed(changed) => model.say(Role::Good, text::escape(changed.text.as_bytes())),
        other => complain(model, other),
    }
}

impl Dialog for Labelling {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        form_dialog(model, canvas, &self.title, &[], &self.form, ("", Role::Dim), CONTEXT);
    }
}

//! What is staged for deletion, before it is done: which snapshots, what comes back, what stays.

use super::super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::super::dialog::{Dialog, Guard, Moves, Then, with_top};
use super::super::super::model::Model;
use super::super::super::screens::snapshots::{at, chosen, words};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::confirm::Confirm;
use super::super::going::Going;
use super::start;
use crate::engine::SnapshotTask;
use crate::engine::question::SnapshotRow;
use crate::snapshot::Target;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("snapshot-review", "Review deletions of snapshots").with_list();

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-review.delete", "delete them", "Delete them, once the name is typed", &["y"], At::Only(&[CONTEXT]), go_on)
        .danger(Danger::Type).hint(1).unless(why_not),
    Action::new("snapshot-review.keep", "keep this one", "Take this one back", &["Space", "x"], At::Only(&[CONTEXT]), keep).hint(2),
];

/// Columns of a level's badge and word.
const BADGE: u16 = 15;

/// The review.
#[derive(Debug)]
pub struct Review {
    target: Target,
    going: Going<SnapshotRow>,
    guard: Guard,
}

/// Opens it.
pub fn open(act: &mut Act) {
    let Some(target) = act.model.snapshots.taken.of.clone() else {
        return;
    };
    let going = Going::new(chosen::staged_rows(act.model));
    let guard = Guard::now(act);
    act.model.push(Review { target, going, guard });
}

/// Why nothing can be deleted now.
fn why_not(model: &Model) -> Option<String> {
    let gone = model
        .dialog::<Review>()
        .is_some_and(|review| review.going.list.total() == Some(0));
    read_only(model).or_else(|| gone.then(|| "All that was staged is gone already.".into()))
}

fn keep(act: &mut Act) {
    with_top::<Review>(act, |review, act| {
        let Some(id) = review.going.list.current().map(|row| row.snapshot.id.clone()) else {
            return Then::Keep;
        };
        chosen::keep(act.model, id);
        let rows = chosen::staged_rows(act.model);
        if rows.is_empty() {
            return Then::Close;
        }
        review.going.hold(rows);
        Then::Keep
    });
}

fn go_on(act: &mut Act) {
    with_top::<Review>(act, |review, act| {
        let all: Vec<_> = review.going.list.held().1.iter().map(at).collect();
        let words = text::counted(all.len() as u64, "snapshot", "snapshots");
        let name = words::target(&review.target);
        let sentence = format!("{words} of {name} will be deleted. This cannot be undone.");
        let title = format!("Delete {words} of {name}");
        let what = review.going.sentences();
        let confirm = Confirm::ask(act, "Delete snapshots", sentence, move |act| {
            start(act, SnapshotTask::Delete(all), title);
        });
        let confirm = what.fold(confirm, Confirm::and);
        act.model.push(confirm.by_name(words::typed_name(&review.target)));
        Then::Close
    });
}

impl Review {
    /// Holds the rows up with what is staged and there, once the list is.
    fn follow(&mut self, model: &Model) {
        if model.snapshots.taken.of.as_ref() != Some(&self.target) || !chosen::all_listed(model) {
            return;
        }
        let rows = chosen::staged_rows(model);
        let (_, held) = self.going.list.held();
        if !rows.iter().map(at).eq(held.iter().map(at)) {
            self.going.hold(rows);
        }
    }

    /// What their going means, in sentences.
    fn sentences(&self, model: &Model) -> Vec<(String, Role)> {
        let (_, going) = self.going.list.held();
        let taken = &model.snapshots.taken;
        let goes = |row: &&SnapshotRow| going.iter().any(|gone| gone.snapshot.id == row.snapshot.id);
        let staying: Vec<&SnapshotRow> = taken.all.iter().filter(|row| !goes(row)).collect();
        let mut out = Vec::new();
        match staying.first() {
            None => out.push(("No snapshot stays.".to_owned(), Role::Danger)),
            Some(newest) => {
                let count = text::counted(staying.len() as u64, "snapshot stays", "snapshots stay");
                let stamp = text::stamp(newest.snapshot.taken.seconds, &model.zone);
                out.push((format!("{count}; the newest was taken {stamp}."), Role::Text));
            }
        }
        let alone = going.iter().map(|row| row.size.and_then(|size| size.exclusive));
        let freed = match alone.sum::<Option<u64>>() {
            Some(alone) => format!(
                "At least {} come back: what only one of them holds, and what only they share.",
                text::bytes(alone)
            ),
            None => "How much comes back is not known.".to_owned(),
        };
        out.push((freed, Role::Text));
        out
    }
}

impl Dialog for Review {
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
        self.follow(model);
        let said = self.sentences(model);
        self.going.say(said);
        self.going.layout(model);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let total = self.going.list.total().unwrap_or(0);
        let name = text::cut_path(&words::target(&self.target), 36, model.look.symbols.more);
        let title = format!("Delete {} of {name}?", text::counted(total, "snapshot", "snapshots"));
        let row = |canvas: &mut Canvas, row: &SnapshotRow, place: (u16, u16, u16)| draw_row(model, canvas, row, place);
        self.going.draw(model, canvas, &title, CONTEXT, row);
    }
}

/// A snapshot that goes, in a line.
pub(super) fn draw_row(model: &Model, canvas: &mut Canvas, row: &SnapshotRow, (x, y, end): (u16, u16, u16)) {
    let symbols = model.look.symbols;
    let snapshot = &row.snapshot;
    let x = canvas.text(x + 1, y, end, symbols.bad, Role::Danger) + 1;
    let x = canvas.text(x, y, end, &text::stamp(snapshot.taken.seconds, &model.zone), Role::Text) + 2;
    let (badge, role) = words::badge_word(snapshot.consistency, symbols);
    canvas.text(x, y, end, &badge, role);
    let x = x + BADGE;
    let alone = words::alone(row);
    canvas.right(y, end - 1, &alone, Role::Dim);
    let stop = end.saturating_sub(text::width(&alone) as u16 + 3);
    let about = format!(
        "{}  {}",
        words::made_by(&snapshot.made_by),
        text::escape(snapshot.label.as_bytes())
    );
    let about = text::cut_end(&about, usize::from(stop.saturating_sub(x)), symbols.more);
    canvas.text(x, y, stop, &about, Role::Dim);
}

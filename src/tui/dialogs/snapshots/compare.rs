//! What changed between two snapshots of a target, or from one to the present, file by file.

use super::super::super::actions::{Act, Action, At, Context};
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialog::{Dialog, Moves};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::{chosen, snapshot, words};
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::view::hint_line;
use super::super::super::window::Window;
use super::browse;
use crate::engine::question::{
    CompareSnapshots, SnapshotAt, SnapshotChange, SnapshotChangeKind, SnapshotChanges, SnapshotRow,
};
use crate::engine::{Answer, Question};
use crate::snapshot::Snapshot;
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("snapshot-changes", "What changed between snapshots").with_list();
const SLOT: &str = "snapshots.compare";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-changes.go", "go to it", "To the file in the snapshot; in the newer one, for what is new", &["Enter", "l", "→"], At::Only(&[CONTEXT]), go)
        .hint(1).unless(|model| goal(model).is_none().then(|| "It is only in the present: there is no snapshot of it.".into())),
];

/// What changed.
#[derive(Debug)]
pub struct Changes {
    before: Snapshot,
    /// The newer one; `None` is the present.
    after: Option<Snapshot>,
    list: Window<SnapshotChange>,
    load: Load,
    /// Whether all differences are found.
    whole: bool,
}

/// Opens it on the two marked; on the marked one and the one under the cursor; else on the latter and the present.
pub fn open(act: &mut Act) {
    let model = &*act.model;
    let Some(current) = snapshot(model) else { return };
    let marked: Vec<&SnapshotRow> = chosen::marks(model).into_iter().map(|(_, row)| row).collect();
    let (one, other) = match marked.as_slice() {
        [one, other] => (*one, Some(*other)),
        [one] if one.snapshot.id != current.snapshot.id => (*one, Some(current)),
        _ => (current, None),
    };
    let (before, after) = match other {
        Some(other) if other.snapshot.taken.seconds < one.snapshot.taken.seconds => (other, Some(one)),
        other => (one, other),
    };
    let dialog = Changes {
        before: before.snapshot.clone(),
        after: after.map(|row| row.snapshot.clone()),
        list: Window::default(),
        load: Load::Idle,
        whole: false,
    };
    act.model.push(dialog);
}

impl Changes {
    fn question(&self, first: u64, rows: u32) -> CompareSnapshots {
        CompareSnapshots {
            before: place(&self.before),
            after: self.after.as_ref().map(|after| after.id.clone()),
            first,
            rows,
        }
    }
}

fn place(snapshot: &Snapshot) -> SnapshotAt {
    SnapshotAt {
        target: snapshot.target.clone(),
        id: snapshot.id.clone(),
    }
}

/// The snapshot that has what the cursor is on, and which one that is.
fn goal(model: &Model) -> Option<(Snapshot, SnapshotChange)> {
    let changes = model.dialog::<Changes>()?;
    let row = changes.list.current()?.clone();
    let of = match (row.how, &changes.after) {
        (SnapshotChangeKind::Added, after) => after.clone()?,
        (SnapshotChangeKind::Gone, _) | (_, None) => changes.before.clone(),
        (_, Some(after)) => after.clone(),
    };
    Some((of, row))
}

fn go(act: &mut Act) {
    if let Some((of, row)) = goal(act.model) {
        browse::open_at(act, of, row.path);
    }
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::CompareSnapshots(asked) = asked else {
        return;
    };
    let Some(changes) = model.dialog_mut::<Changes>() else {
        return;
    };
    let now = changes.question(0, 0);
    if (&now.before, &now.after) != (&asked.before, &asked.after) {
        return;
    }
    match told.answer {
        Answer::SnapshotChanges(SnapshotChanges {
            first,
            rows,
            total,
            whole,
        }) => {
            changes.load = Load::Ready;
            changes.whole = whole;
            changes.list.accept(first, rows, total);
        }
        other => changes.load = failed(other),
    }
}

/// Rows of the list: without the screen's first line and last two, the frame, three lines above the list and two below.
fn rows(model: &Model) -> u16 {
    model.size.1.saturating_sub(3 + model.strip_rows() + 2 + 5).max(3)
}

impl Dialog for Changes {
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
        if matches!(self.load, Load::Failed(_)) || model.asks(SLOT) {
            return;
        }
        if let Some((first, rows)) = self.list.missing() {
            if self.load == Load::Idle {
                self.load = Load::Loading;
            }
            let question = Question::CompareSnapshots(self.question(first, rows));
            ask(model, SLOT, question, take, effects);
        }
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, self, canvas);
    }
}

fn draw(model: &Model, changes: &Changes, canvas: &mut Canvas) {
    let symbols = model.look.symbols;
    let area = canvas.middle(canvas.width(), rows(model) + 7);
    let target = text::cut_path(&words::target(&changes.before.target), 50, symbols.more);
    let inside = canvas.frame(area, &format!("What changed in {target}"), Role::Focus);
    let end = inside.right();
    let name = |snapshot: &Snapshot| {
        let stamp = text::stamp(snapshot.taken.seconds, &model.zone);
        match snapshot.label.as_str() {
            "" => stamp,
            label => format!(
                "{stamp} {}",
                text::cut_end(&text::escape(label.as_bytes()), 16, symbols.more)
            ),
        }
    };
    let after = changes.after.as_ref().map_or_else(|| "now".to_owned(), name);
    let when = format!("{} {} {after}", name(&changes.before), symbols.arrow);
    canvas.text(inside.x, inside.y, end, &when, Role::Title);
    let total = changes.list.total();
    let first = inside.y + 3;
    hint_line(model, canvas, CONTEXT, inside.x, inside.bottom().saturating_sub(1), end);
    let state = match &changes.load {
        Load::Failed(why) => Some((text::escape(why.as_bytes()), Role::Danger)),
        _ if total.is_none() => Some((format!("comparing{}", symbols.more), Role::Dim)),
        _ if total == Some(0) => Some(("Nothing changed.".into(), Role::Text)),
        _ => None,
    };
    if let Some((words, role)) = state {
        let lines = text::wrap(&words, usize::from(inside.width));
        for (n, line) in lines.iter().take(usize::from(rows(model))).enumerate() {
            canvas.text(inside.x, first + n as u16, end, line, role);
        }
        return;
    }
    let total = total.unwrap_or(0);
    let held = if changes.whole { "" } else { ", and more" };
    let words = format!("{}{held}", text::counted(total, "difference", "differences"));
    canvas.text(inside.x, inside.y + 1, end, &words, Role::Text);
    let at = format!("{}/{}", text::count(changes.list.cursor() + 1), text::count(total));
    canvas.right(inside.y + 1, end, &at, Role::Dim);
    for (n, index) in changes.list.visible().enumerate() {
        let y = first + n as u16;
        match changes.list.get(index) {
            None => _ = canvas.text(inside.x + 1, y, end, symbols.more, Role::Dim),
            Some(row) => draw_row(model, row, canvas, (inside.x, y, end)),
        }
        if index == changes.list.cursor() {
            canvas.paint(inside.x, y, end, model.look.style(Role::Cursor));
        }
    }
}

fn draw_row(model: &Model, row: &SnapshotChange, canvas: &mut Canvas, (x, y, end): (u16, u16, u16)) {
    let symbols = model.look.symbols;
    let (glyph, word, role) = match row.how {
        SnapshotChangeKind::Added => ("+", "new", Role::Added),
        SnapshotChangeKind::Gone => ("-", "gone", Role::Removed),
        SnapshotChangeKind::Content => ("~", "changed", Role::Changed),
        SnapshotChangeKind::Attributes => (".", "metadata", Role::Dim),
    };
    let size = match (row.how, row.sizes) {
        (SnapshotChangeKind::Added, (_, Some(after))) => format!("+{}", text::bytes(after)),
        (SnapshotChangeKind::Gone, (Some(before), _)) => format!("-{}", text::bytes(before)),
        (_, (Some(before), Some(after))) => super::super::changes::from_to(before, after, symbols.arrow),
        _ => String::new(),
    };
    canvas.right(y, end.saturating_sub(1), &size, Role::Dim);
    canvas.text(x + 1, y, end, &format!("{glyph} {word}"), role);
    let stop = end.saturating_sub(text::width(&size) as u16 + 3);
    let path = browse::path_words(&row.path);
    let room = usize::from(stop.saturating_sub(x + 14));
    let path = text::cut_start(path.trim_start_matches('/'), room, symbols.more);
    canvas.text(x + 14, y, stop, &path, Role::Text);
}

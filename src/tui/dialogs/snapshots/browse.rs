//! Looking into a snapshot: one folder at a time, in windows, with what is picked for a restore kept while one goes about.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use super::super::super::actions::{Act, Action, At, Context, Danger, read_only};
use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::super::model::{Load, Model};
use super::super::super::msg::Effect;
use super::super::super::screens::snapshots::snapshot;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::window::Window;
use super::super::browser::Narrow;
use super::super::look;
use super::browse_view::{draw, rows};
use super::peek::{self, Peek};
use super::{restore, short};
use crate::engine::question::{
    Direction, EntryRow, FileAt, FolderOrder, ListSnapshotFolder, SnapshotAt, SortKey, TreePath,
};
use crate::engine::{Answer, Question};
use crate::snapshot::Snapshot;
use crate::text;
use crate::vault::NodeType;

/// Where keys go.
pub(super) const CONTEXT: Context = Context::dialog("snapshot-files", "Files of a snapshot").with_list();
const SLOT: &str = "snapshots.folder";

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("snapshot-files.open", "open", "Into the folder; a file is shown as text or bytes", &["Enter", "l", "→"], At::Only(&[CONTEXT]), into)
        .hint(1).unless(nothing),
    Action::new("snapshot-files.back", "back", "To the folder that holds this; from the top back to the snapshots", &["h", "Backspace", "←"],
        At::Only(&[CONTEXT]), out).hint(2),
    Action::new("snapshot-files.pick", "select", "Select or unselect, and go down", &["Space"], At::Only(&[CONTEXT]), pick).hint(3).unless(nothing),
    Action::new("snapshot-files.restore", "restore", "Restore what is selected, or the row under the cursor", &["r"], At::Only(&[CONTEXT]), restore)
        .danger(Danger::Plan).hint(4).unless(|model| nothing(model).or_else(|| read_only(model))),
    Action::new("snapshot-files.sort", "sort", "By name, by size, by time", &["s"], At::Only(&[CONTEXT]), sort).hint(6),
    Action::new("snapshot-files.hex", "bytes", "Show the file beside the list as bytes, or as text again", &["x"], At::Only(&[CONTEXT]),
        |act| with_top::<Browse>(act, |browse, _| { browse.peek.hex = !browse.peek.hex; Then::Keep })).hint(7).unless(no_peek),
    Action::new("snapshot-files.unselect", "unselect", "Forget what is selected", &["u"], At::Only(&[CONTEXT]),
        |act| with_top::<Browse>(act, |browse, _| { browse.picked.clear(); Then::Keep })),
    Action::new("snapshot-files.filter", "filter", "Show only names that hold a text", &["/"], At::Only(&[CONTEXT]), |act| act.model.push(Narrow::new(narrow))).hint(5),
];

/// A snapshot that is looked into.
#[derive(Debug)]
pub struct Browse {
    pub(super) snapshot: Snapshot,
    /// Which one, in words, safe to show.
    pub(super) title: String,
    pub(super) folder: TreePath,
    pub(super) order: FolderOrder,
    pub(super) filter: String,
    pub(super) list: Window<EntryRow>,
    pub(super) load: Load,
    /// Why the folder cannot be listed; empty when it can.
    pub(super) problem: String,
    pub(super) picked: BTreeSet<TreePath>,
    /// Where the folder lies while it is looked at.
    pub(super) on_disk: Option<PathBuf>,
    /// What is in the entry under the cursor.
    pub(super) peek: Peek,
    /// The name to put the cursor on once rows arrive.
    want: Option<Vec<u8>>,
    /// Where the cursor was in folders one left.
    left_at: HashMap<TreePath, u64>,
}

/// Opens it on the snapshot under the cursor.
pub fn open(act: &mut Act) {
    if let Some(row) = snapshot(act.model) {
        let snapshot = row.snapshot.clone();
        open_at(act, snapshot, Vec::new());
    }
}

/// Opens it on a path of a snapshot: its folder, with the cursor on it.
pub(super) fn open_at(act: &mut Act, snapshot: Snapshot, mut path: TreePath) {
    let want = path.pop();
    let title = short(act.model, &snapshot);
    act.model.push(Browse {
        snapshot,
        title,
        folder: path,
        order: FolderOrder::default(),
        filter: String::new(),
        list: Window::default(),
        load: Load::Idle,
        problem: String::new(),
        picked: BTreeSet::new(),
        on_disk: None,
        peek: Peek::default(),
        want,
        left_at: HashMap::new(),
    });
}

/// A path from a snapshot's root as text, safe to show.
pub(super) fn path_words(path: &TreePath) -> String {
    let mut out = String::new();
    for name in path {
        out.push('/');
        out.push_str(&text::escape(name));
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

impl Browse {
    pub(super) fn at(&self) -> SnapshotAt {
        SnapshotAt {
            target: self.snapshot.target.clone(),
            id: self.snapshot.id.clone(),
        }
    }

    fn question(&self, first: u64, rows: u32) -> ListSnapshotFolder {
        ListSnapshotFolder {
            at: self.at(),
            folder: self.folder.clone(),
            order: self.order,
            filter: self.filter.clone(),
            first,
            near: self.want.clone(),
            rows,
        }
    }

    /// The path of a row of the folder shown.
    pub(super) fn path_of(&self, row: &EntryRow) -> TreePath {
        let mut path = self.folder.clone();
        path.push(row.name.clone());
        path
    }

    /// Shows another folder, or this one otherwise; what was asked for is not waited for any more.
    fn show(&mut self, cursor: u64, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
        self.list.start_at(cursor);
        self.problem.clear();
        self.load = Load::Idle;
    }

    /// What a restore is to bring back.
    fn chosen(&self) -> Vec<TreePath> {
        if !self.picked.is_empty() {
            return self.picked.iter().cloned().collect();
        }
        self.list.current().map(|row| self.path_of(row)).into_iter().collect()
    }
}

fn no_peek(model: &Model) -> Option<String> {
    (!peek::is_shown(model)).then(|| "Here is no room for it: Enter shows the file.".into())
}

fn nothing(model: &Model) -> Option<String> {
    let browse = model.dialog::<Browse>()?;
    let none = browse.list.current().is_none() && browse.picked.is_empty();
    none.then(|| "The cursor is on nothing.".into())
}

fn into(act: &mut Act) {
    with_top::<Browse>(act, |browse, act| {
        let Some(row) = browse.list.current().cloned() else {
            return Then::Keep;
        };
        match (row.kind, &browse.on_disk) {
            (NodeType::Dir, _) => {
                browse.left_at.insert(browse.folder.clone(), browse.list.cursor());
                browse.folder.push(row.name);
                browse.filter.clear();
                let cursor = browse.left_at.get(&browse.folder).copied().unwrap_or(0);
                browse.show(cursor, act.model, act.effects);
            }
            (NodeType::File, Some(folder)) => {
                let file = FileAt::Disk(folder.join(OsStr::from_bytes(&row.name)));
                let title = format!("{} in snapshot {}", text::escape(&row.name), browse.title);
                look::open_file(act, file, title);
            }
            _ => act.model.say(
                Role::Dim,
                "Neither a folder nor a file: Space selects it, r restores it.",
            ),
        }
        Then::Keep
    });
}

fn out(act: &mut Act) {
    with_top::<Browse>(act, |browse, act| {
        let Some(name) = browse.folder.pop() else {
            abandon(act.model, SLOT, act.effects);
            abandon(act.model, peek::SLOT, act.effects);
            return Then::Close;
        };
        browse.filter.clear();
        browse.want = Some(name);
        browse.show(0, act.model, act.effects);
        Then::Keep
    });
}

fn pick(act: &mut Act) {
    with_top::<Browse>(act, |browse, _| {
        let Some(path) = browse.list.current().map(|row| browse.path_of(row)) else {
            return Then::Keep;
        };
        if !browse.picked.remove(&path) {
            // What lies below it comes with it.
            browse.picked.retain(|other| !other.starts_with(&path));
            browse.picked.insert(path);
        }
        browse.list.step(1);
        Then::Keep
    });
}

fn restore(act: &mut Act) {
    with_top::<Browse>(act, |browse, act| {
        let paths = browse.chosen();
        if !paths.is_empty() {
            restore::open(act, &browse.snapshot, paths);
        }
        Then::Keep
    });
}

fn sort(act: &mut Act) {
    with_top::<Browse>(act, |browse, act| {
        let (key, direction) = match browse.order.key {
            SortKey::Name => (SortKey::Size, Direction::Descending),
            SortKey::Size => (SortKey::Modified, Direction::Descending),
            SortKey::Modified => (SortKey::Name, Direction::Ascending),
        };
        browse.order = FolderOrder {
            key,
            direction,
            folders_first: true,
        };
        browse.want = browse.list.current().map(|row| row.name.clone());
        browse.show(0, act.model, act.effects);
        Then::Keep
    });
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Some(browse) = model.dialog_mut::<Browse>() else {
        return;
    };
    let Question::SnapshotFolder(asked) = asked else { return };
    let now = browse.question(0, 0);
    // Of another folder by now, or of this one otherwise.
    if (&now.at, &now.folder, &now.filter, now.order) != (&asked.at, &asked.folder, &asked.filter, asked.order) {
        return;
    }
    match told.answer {
        Answer::SnapshotFolder(window) => {
            browse.problem = window.problem;
            browse.on_disk = window.on_disk;
            browse.list.accept(window.first, window.rows, window.total);
            if browse.want.take().is_some()
                && let Some(at) = window.row_of_near
            {
                browse.list.go(at);
            }
            browse.load = Load::Ready;
        }
        other => browse.load = failed(other),
    }
}

impl Dialog for Browse {
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
        if !matches!(self.load, Load::Failed(_))
            && !model.asks(SLOT)
            && let Some((first, rows)) = self.list.missing()
        {
            let question = Question::SnapshotFolder(self.question(first, rows));
            ask(model, SLOT, question, take, effects);
        }
        peek::fetch(self, model, effects);
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
        abandon(model, peek::SLOT, effects);
    }

    fn replaces_below(&self) -> bool {
        true
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        draw(model, self, canvas);
    }
}

fn narrow(model: &mut Model, filter: &str, effects: &mut Vec<Effect>) {
    abandon(model, SLOT, effects);
    if let Some(browse) = model.dialog_mut::<Browse>() {
        browse.filter = filter.to_owned();
        browse.list.start_at(0);
        browse.problem.clear();
        browse.load = Load::Idle;
    }
}

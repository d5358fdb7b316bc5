//! What is in the entry under the cursor of a snapshot's folder: the start of a file as text or bytes, the first rows of a
//! folder. It follows once the cursor rests, so that moving it costs little; where there is no room for it nothing is read.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use ratatui::layout::Rect;

use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::model::{Load, Model, WIDE};
use super::super::super::msg::Effect;
use super::super::super::screens::files::side_view::{rows_of_folder, start_of_file};
use super::super::super::screens::files::view::mode_words;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::look::about;
use super::browse::Browse;
use crate::engine::question::{Content, EntryRow, FileAt, FolderOrder, ListSnapshotFolder, SnapshotFolder, TreePath};
use crate::engine::{Answer, Question};
use crate::text;
use crate::vault::NodeType;

pub(super) const SLOT: &str = "snapshots.peek";

/// Milliseconds that the cursor rests before its entry is read.
const REST: u64 = 160;
/// Bytes read of a file.
const PREVIEW: u64 = 32 << 10;
/// Rows read of a folder.
const ROWS: u32 = 100;

/// What is read of an entry.
#[derive(Debug, Default)]
pub(super) struct Peek {
    /// Which, with where it lies.
    of: Option<(TreePath, EntryRow)>,
    piece: Piece,
    load: Load,
    /// The entry that the cursor went to since.
    wanted: Option<TreePath>,
    /// When that is read, in milliseconds.
    due: u64,
    /// Whether files are shown as bytes, texts too.
    pub(super) hex: bool,
}

#[derive(Debug, Default)]
enum Piece {
    #[default]
    None,
    File(Content),
    Folder(SnapshotFolder),
}

/// Whether there is room for it.
pub(super) fn is_shown(model: &Model) -> bool {
    model.size.0 >= WIDE
}

/// Follows the cursor once it rests, and asks for what is shown.
pub(super) fn fetch(browse: &mut Browse, model: &mut Model, effects: &mut Vec<Effect>) {
    if !is_shown(model) {
        return;
    }
    let now = model.now.millis;
    let on = browse.list.current().map(|row| (browse.path_of(row), row.clone()));
    let peek = &mut browse.peek;
    let path = on.as_ref().map(|(path, _)| path);
    if peek.wanted.as_ref() != path {
        peek.wanted = path.cloned();
        peek.due = now.saturating_add(REST);
        effects.push(Effect::Wake(peek.due));
    }
    if peek.of.as_ref().map(|(path, _)| path) != path && now >= peek.due {
        peek.of = on;
        peek.piece = Piece::None;
        peek.load = Load::Idle;
        abandon(model, SLOT, effects);
    }
    let Some((path, row)) = browse.peek.of.clone().filter(|_| browse.peek.load == Load::Idle) else {
        return;
    };
    let question = match (row.kind, &browse.on_disk) {
        (NodeType::File, Some(folder)) => Question::Content {
            file: FileAt::Disk(folder.join(OsStr::from_bytes(&row.name))),
            limit: PREVIEW,
        },
        (NodeType::Dir, _) => Question::SnapshotFolder(ListSnapshotFolder {
            at: browse.at(),
            folder: path,
            order: FolderOrder::default(),
            filter: String::new(),
            first: 0,
            near: None,
            rows: ROWS,
        }),
        _ => return,
    };
    browse.peek.load = Load::Loading;
    ask(model, SLOT, question, take, effects);
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Some(browse) = model.dialog_mut::<Browse>() else {
        return;
    };
    let on_disk = browse.on_disk.clone();
    let peek = &mut browse.peek;
    let Some((path, row)) = &peek.of else { return };
    let same = match asked {
        Question::Content { file, .. } => {
            let lies = on_disk.map(|folder| FileAt::Disk(folder.join(OsStr::from_bytes(&row.name))));
            lies.as_ref() == Some(file)
        }
        Question::SnapshotFolder(asked) => asked.folder == *path,
        _ => false,
    };
    if !same {
        return;
    }
    peek.load = Load::Ready;
    match told.answer {
        Answer::Content(content) => peek.piece = Piece::File(content),
        Answer::SnapshotFolder(folder) => peek.piece = Piece::Folder(folder),
        other => peek.load = failed(other),
    }
}

/// Draws it.
pub(super) fn draw(model: &Model, peek: &Peek, canvas: &mut Canvas, area: Rect) {
    let Some((_, row)) = &peek.of else { return };
    let symbols = model.look.symbols;
    let room = usize::from(area.width);
    let say = |canvas: &mut Canvas, n: u16, words: &str, role: Role| {
        if n < area.height {
            let words = text::cut_end(words, room, symbols.more);
            canvas.text(area.x, area.y + n, area.right(), &words, role);
        }
    };
    let (slash, role) = match row.kind {
        NodeType::Dir => ("/", Role::Folder),
        _ => ("", Role::Title),
    };
    say(canvas, 0, &format!("{}{slash}", text::escape(&row.name)), role);
    let fact = match (&peek.piece, row.kind) {
        (Piece::File(content), NodeType::File) => about(content, symbols.times),
        (Piece::Folder(folder), NodeType::Dir) => text::counted(folder.total, "entry", "entries"),
        (_, NodeType::Symlink) => format!("{} {}", symbols.arrow, text::escape(&row.link_target)),
        _ => row.size.map(text::bytes).unwrap_or_default(),
    };
    say(canvas, 1, &fact, Role::Text);
    let who = format!("{}  {}:{}", mode_words(row), row.uid, row.gid);
    say(canvas, 2, &who, Role::Dim);
    let below = Rect {
        y: area.y + 4,
        height: area.height.saturating_sub(4),
        ..area
    };
    let tell = |canvas: &mut Canvas, words: &str, role: Role| {
        for (n, line) in text::wrap(words, room)
            .iter()
            .enumerate()
            .take(usize::from(below.height))
        {
            canvas.text(below.x, below.y + n as u16, below.right(), line, role);
        }
    };
    match (row.kind, &peek.load, &peek.piece) {
        (NodeType::Symlink, ..) => tell(canvas, "A link: it has no content of its own.", Role::Dim),
        (NodeType::File | NodeType::Dir, Load::Failed(why), _) => {
            tell(canvas, &text::escape(why.as_bytes()), Role::Danger)
        }
        (NodeType::File | NodeType::Dir, Load::Ready, Piece::File(content)) => {
            start_of_file(model, canvas, below, content, peek.hex);
        }
        (NodeType::File | NodeType::Dir, Load::Ready, Piece::Folder(folder)) => match folder.problem.as_str() {
            "" => rows_of_folder(model, canvas, below, &folder.rows, folder.total),
            problem => tell(canvas, &text::escape(problem.as_bytes()), Role::Warning),
        },
        (NodeType::File | NodeType::Dir, ..) => tell(canvas, &format!("reading{}", symbols.more), Role::Dim),
        _ => tell(canvas, "It has no content.", Role::Dim),
    }
}

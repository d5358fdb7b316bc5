//! The pane beside the list: what is in the entry under the cursor, or its versions. It follows once the cursor rests, so
//! that moving it costs little.

use super::super::super::asking::{Told, abandon, ask, failed};
use super::super::super::model::{Load, Model, Screen};
use super::super::super::msg::Effect;
use super::{Spot, travel};
use crate::engine::question::{Content, FileAt, FolderWindow};
use crate::engine::{Answer, Question};
use crate::vault::NodeType;

const SLOT: &str = "files.preview";

/// Milliseconds that the cursor rests before the pane follows it.
const REST: u64 = 160;

/// Bytes read of a file for a preview.
const PREVIEW: u64 = 32 << 10;

/// Rows read of a folder for a preview.
const ROWS: u32 = 100;

/// What the pane shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// The start of a file, what a folder holds.
    #[default]
    Preview,
    /// The versions.
    Versions,
    /// There is no pane.
    Nothing,
}

impl Show {
    /// The one that comes next.
    pub fn next(self, by: isize) -> Show {
        const ALL: [Show; 3] = [Show::Preview, Show::Versions, Show::Nothing];
        ALL[(self as usize).wrapping_add_signed(by.rem_euclid(3)) % 3]
    }
}

/// What was read of an entry.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Piece {
    /// Nothing yet.
    #[default]
    None,
    /// The start of a file.
    File(Content),
    /// The first rows of a folder.
    Folder(FolderWindow),
}

/// The pane.
#[derive(Debug, Default)]
pub struct Side {
    /// What it shows.
    pub show: Show,
    /// The entry it is about.
    pub of: Option<Spot>,
    /// What was read of it.
    pub piece: Piece,
    /// Whether that is here.
    pub load: Load,
    /// The entry the cursor went to since.
    wanted: Option<Spot>,
    /// When to show that, in milliseconds.
    due: u64,
}

/// Whether there is room for the pane, and it is wanted.
pub fn is_shown(model: &Model) -> bool {
    model.is_wide() && model.files.side.show != Show::Nothing
}

/// Follows the cursor once it rests, and asks for what is shown.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.screen != Screen::Files || !is_shown(model) {
        return;
    }
    let now = model.now.millis;
    let spot = super::spot(model);
    let on = spot.clone();
    let waits = spot.is_none() && model.files.list.total() != Some(0);
    let side = &mut model.files.side;
    if !waits && side.wanted != spot {
        side.wanted = spot;
        side.due = now.saturating_add(REST);
        effects.push(Effect::Wake(side.due));
    }
    if side.wanted != side.of && now >= side.due {
        side.of = side.wanted.clone();
        side.piece = Piece::None;
        side.load = Load::Idle;
        abandon(model, SLOT, effects);
    }
    let Some(of) = model.files.side.of.clone() else { return };
    match model.files.side.show {
        // Not while the cursor is elsewhere: a step from there needs the versions for itself.
        Show::Versions if on.as_ref() != Some(&of) => {}
        Show::Versions => travel::ensure(model, &of.vault, &of.path, of.generation, effects),
        Show::Preview if model.files.side.load == Load::Idle => {
            let question = match of.row.kind {
                NodeType::File => Question::Content {
                    file: of.file(),
                    limit: PREVIEW,
                },
                NodeType::Dir => Question::Folder {
                    vault: of.vault,
                    generation: of.generation,
                    folder: of.path,
                    order: model.files.order,
                    filter: String::new(),
                    first: 0,
                    near: None,
                    rows: ROWS,
                },
                _ => return,
            };
            model.files.side.load = Load::Loading;
            ask(model, SLOT, question, take, effects);
        }
        Show::Preview | Show::Nothing => {}
    }
}

fn take(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let side = &mut model.files.side;
    let Some(of) = &side.of else { return };
    let same = match asked {
        Question::Content { file, .. } => *file == of.file(),
        Question::Folder { generation, folder, .. } => *generation == of.generation && *folder == of.path,
        _ => false,
    };
    if !same {
        return;
    }
    side.load = Load::Ready;
    match told.answer {
        Answer::Content(content) => side.piece = Piece::File(content),
        Answer::Folder(window) => side.piece = Piece::Folder(window),
        other => side.load = failed(other),
    }
}

impl Spot {
    /// The entry as a file whose content can be asked for.
    pub fn file(&self) -> FileAt {
        FileAt::Generation {
            vault: self.vault.clone(),
            generation: self.generation,
            path: self.path.clone(),
        }
    }
}

//! Folders' sizes that the catalog does not know yet: counted in the background, told as they are found.

use super::super::super::asking::{Told, abandon, ask};
use super::super::super::model::{Load, Model, Screen};
use super::super::super::msg::Effect;
use crate::engine::question::{TreePath, Weighed};
use crate::engine::{Answer, Question};
use crate::vault::{Id, NodeType};

const SLOT: &str = "files.weigh";

/// How far the folder shown is weighed.
#[derive(Debug, Default)]
pub struct Weighing {
    /// Which folder of which generation was asked for last.
    of: Option<(Id, TreePath)>,
    /// Folders known, and folders in all, while it goes on.
    pub progress: Option<(u64, u64)>,
}

/// Asks for the weight of the folder's folders, once for each place.
pub(super) fn fetch(model: &mut Model, effects: &mut Vec<Effect>) {
    let files = &model.files;
    let place = files
        .of
        .as_ref()
        .map(|(_, generation)| (*generation, files.folder.clone()));
    if model.screen != Screen::Files || files.weighing.of != place {
        if model.asks(SLOT) {
            // What is found by then stays in the catalog.
            abandon(model, SLOT, effects);
        }
        model.files.weighing.progress = None;
    }
    let files = &model.files;
    let unknown = |row: &crate::engine::question::EntryRow| row.kind == NodeType::Dir && row.size.is_none();
    if model.screen != Screen::Files
        || files.load != Load::Ready
        || files.weighing.of == place
        || files.below.is_some()
        || !files.list.held().1.iter().any(unknown)
    {
        return;
    }
    let Some((vault, generation)) = files.of.clone() else {
        return;
    };
    let folder = files.folder.clone();
    model.files.weighing = Weighing {
        of: place,
        progress: None,
    };
    let question = Question::Weigh {
        vault,
        generation,
        folder,
    };
    ask(model, SLOT, question, take, effects);
}

fn take(model: &mut Model, asked: &Question, told: Told, effects: &mut Vec<Effect>) {
    let Question::Weigh { generation, folder, .. } = asked else {
        return;
    };
    let files = &mut model.files;
    let here = files.of.as_ref().is_some_and(|(_, id)| id == generation) && files.folder == *folder;
    if !here {
        return;
    }
    // Sizes are a help: without them the folder is shown all the same.
    let Answer::Weighed(Weighed { known, of, found }) = told.answer else {
        files.weighing.progress = None;
        return;
    };
    files.weighing.progress = (!told.complete).then_some((known, of));
    let (first, rows) = files.list.held();
    let (mut rows, total) = (rows.to_vec(), files.list.total().unwrap_or(0));
    for (name, totals) in found {
        files.heaviest = files.heaviest.max(totals.bytes);
        if let Some(row) = rows
            .iter_mut()
            .find(|row| row.kind == NodeType::Dir && row.name == name)
        {
            row.size = Some(totals.bytes);
            row.entries = Some(totals.files.saturating_add(totals.folders));
        }
    }
    files.list.accept(first, rows, total);
    if told.complete {
        // Now the order by size is right, and the whole folder's weight is known.
        super::ask::read_again(model, effects);
    }
}

//! From a row to where it lies: its vault, the last generation that holds it, its folder. Lists that are not here yet are
//! waited for.

use super::super::super::actions::Act;
use super::super::super::dialogs::restore::{self, Place, Wanted};
use super::super::super::model::{Load, Model, Screen};
use super::super::super::theme::Role;
use super::super::files;
use super::super::vaults;
use crate::engine::question::TreePath;
use crate::text;
use crate::vault::Id;

/// Where one is on the way to.
#[derive(Debug, Clone)]
pub(super) struct Going {
    vault: String,
    generation: Id,
    path: TreePath,
}

/// Goes to the row under the cursor.
pub(super) fn open(act: &mut Act) {
    let model = &mut *act.model;
    let Some(row) = model.search.list.current() else { return };
    let (vault, generation, path) = (row.vault.clone(), row.last.0, row.path.clone());
    go_to(model, &vault, generation, path);
}

/// Goes to a path of a generation of any vault.
pub(crate) fn go_to(model: &mut Model, vault: &str, generation: Id, path: TreePath) {
    model.vaults.filter.clear();
    vaults::show_vaults(model);
    let (first, rows) = model.vaults.list.held();
    let Some(at) = rows.iter().position(|row| row.name == vault) else {
        let vault = text::escape(vault.as_bytes());
        return model.say(
            Role::Warning,
            format!("There is no vault {vault} in the list any more."),
        );
    };
    let at = first + at as u64;
    model.vaults.list.go(at);
    model.screen = Screen::Files;
    model.search.going = Some(Going {
        vault: vault.to_owned(),
        generation,
        path,
    });
}

/// Goes on once the generations are here; gives up when they cannot be, or one has gone elsewhere.
pub(super) fn go_on(model: &mut Model) {
    let Some(going) = &model.search.going else { return };
    if model.screen != Screen::Files {
        model.search.going = None;
        return;
    }
    if model.generations.vault.as_deref() != Some(&going.vault) {
        return;
    }
    let known = model.generations.all.iter().any(|row| row.id == going.generation);
    if !known {
        if matches!(model.generations.load, Load::Failed(_) | Load::Ready) {
            model.search.going = None;
            if model.generations.load == Load::Ready {
                model.say(
                    Role::Warning,
                    "This generation is not in the vault any more; R on Search looks again.",
                );
            }
        }
        return;
    }
    let Some(going) = model.search.going.take() else { return };
    model.generations.filter.clear();
    vaults::show_generations(model);
    files::reveal(model, &going.vault, going.generation, &going.path);
}

/// Opens the restore form for the row under the cursor.
pub(super) fn restore(act: &mut Act) {
    let Some(row) = act.model.search.list.current() else {
        return;
    };
    let name = row.path.last().map(|name| text::escape(name)).unwrap_or_default();
    let wanted = Wanted {
        vault: row.vault.clone(),
        generation: row.last.0,
        time: row.last.1,
        rules: vec![(row.path.clone(), true)],
        what: name,
    };
    restore::open_with(act, wanted, Place::Keep);
}

//! Completing a folder's path while it is typed: which question finds the folders, and what the text could go on with.
//!
//! The dialog that holds the text asks (one question at a time, in its `fetch`) and hands the answer back with the text as
//! it is by then; an answer to other text suggests nothing.

use std::path::PathBuf;

use super::model::Model;
use crate::engine::Question;
use crate::engine::setup::{DiskWindow, ListDisk};
use crate::text;

/// Folders looked at for one that fits.
const ROWS: u32 = 500;

/// The question that finds the folders a typed path could be; `None` while it is no path.
pub(crate) fn question(model: &Model, typed: &str) -> Option<Question> {
    let (folder, start) = split(model, typed)?;
    Some(Question::Disk(ListDisk {
        folder,
        hidden: start.starts_with('.'),
        filter: start,
        folders_only: true,
        first: 0,
        rows: ROWS,
    }))
}

/// What a typed path could go on with, by the answer to [`question`]; empty when nothing is known.
pub(crate) fn suggestion(model: &Model, typed: &str, found: &DiskWindow) -> String {
    let Some((folder, start)) = split(model, typed) else {
        return String::new();
    };
    if found.folder != folder {
        return String::new();
    }
    // What cannot be typed as it is cannot be completed either: a field takes no control characters.
    let names = found.rows.iter().filter(|row| row.folder);
    let names = names.filter_map(|row| std::str::from_utf8(&row.name).ok());
    let rest = names
        .filter(|name| text::escape(name.as_bytes()) == **name)
        .find_map(|name| name.strip_prefix(&start));
    // A whole name is left alone: who has typed it goes on to the next field.
    rest.filter(|rest| !rest.is_empty() && !start.is_empty())
        .map(|rest| format!("{rest}/"))
        .unwrap_or_default()
}

/// A typed path's folder, and the beginning of a name in it.
fn split(model: &Model, typed: &str) -> Option<(PathBuf, String)> {
    let typed = typed.trim_start();
    let slash = typed.rfind('/')?;
    let folder = model.expand_home(&typed[..=slash]);
    folder
        .starts_with('/')
        .then(|| (PathBuf::from(folder), typed[slash + 1..].to_owned()))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::engine::setup::DiskRow;
    use crate::tui::theme::Look;

    fn found(folder: &str, names: &[&str]) -> DiskWindow {
        let row = |name: &&str| DiskRow {
            name: name.as_bytes().to_vec(),
            folder: true,
            ..DiskRow::default()
        };
        DiskWindow {
            folder: folder.into(),
            rows: names.iter().map(row).collect(),
            ..DiskWindow::default()
        }
    }

    #[test]
    fn the_first_name_that_starts_so_is_suggested() {
        let mut model = Model::new((80, 24), Look::default(), TimeZone::UTC);
        model.home = "/home/anna".into();
        let told = |typed: &str, names: &[&str]| suggestion(&model, typed, &found("/home/anna/", names));
        assert_eq!(told("~/do", &["Do", "adobe", "documents", "downloads"]), "cuments/");
        assert_eq!(told("/home/anna/documents", &["documents", "documents2"]), "");
        assert_eq!(told("~/", &["documents"]), "", "nothing is typed of it");
        assert_eq!(told("/home/anna/x", &["documents"]), "");
        assert_eq!(told("/srv/do", &["documents"]), "", "an answer about another folder");
        assert_eq!(
            told("~/e", &["evil\u{202e}", "esc\u{1b}"]),
            "",
            "names that cannot be typed"
        );
        assert!(question(&model, "relative").is_none() && question(&model, "a/b").is_none());
        assert!(
            matches!(question(&model, "~/.c"), Some(Question::Disk(asked)) if asked.hidden && asked.folder == *"/home/anna")
        );
    }
}

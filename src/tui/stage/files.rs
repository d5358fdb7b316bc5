//! Folders of the made-up world.

use coffer::engine::question::{EntryRow, FolderWindow, Totals, TreePath};
use coffer::engine::{Answer, Question};
use coffer::vault::NodeType;

use super::vaults::generations;
use super::{NOW, World};

pub(super) fn answer(_: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Folder {
            folder,
            filter,
            first,
            rows,
            generation,
            ..
        } => {
            if *generation == generations()[4].id && folder.len() > 3 {
                return Some(Answer::NoSuchFolder);
            }
            window(folder, filter, *first, *rows)
        }
        Question::Totals { rules, .. } => {
            let items = rules.iter().filter(|(_, include)| *include).count() as u64;
            Answer::Totals(Totals {
                files: 41 * items,
                folders: items,
                bytes: 3_456_789 * items,
            })
        }
        _ => return None,
    })
}

fn entry(name: &[u8], kind: NodeType, size: Option<u64>, age: i64) -> EntryRow {
    EntryRow {
        name: name.to_vec(),
        kind,
        size,
        mtime: NOW - age * 3600,
        mode: if kind == NodeType::Dir { 0o755 } else { 0o644 },
        link_target: if kind == NodeType::Symlink {
            b"documents/notes.txt".to_vec()
        } else {
            Vec::new()
        },
        ..EntryRow::default()
    }
}

/// A folder of the made-up tree.
fn folder(path: &TreePath) -> Option<Vec<EntryRow>> {
    let names: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
    let dir = |name: &str, size| entry(name.as_bytes(), NodeType::Dir, Some(size), 900);
    let file = |name: &str, size, age| entry(name.as_bytes(), NodeType::File, Some(size), age);
    Some(match names.as_slice() {
        [] => vec![dir("home", 1_345_678_901)],
        [b"home"] => vec![dir("anna", 1_345_678_901)],
        [b"home", b"anna"] => vec![
            dir(".config", 4_567_890),
            dir("documents", 234_567_890),
            dir("empty", 0),
            dir("hostile", 12_345),
            dir("mail", 456_789_012),
            dir("many", 98_765_432),
            dir("photos", 654_321_098),
            file(".bashrc", 3_526, 9_000),
            file(".profile", 807, 9_000),
            EntryRow {
                mode: 0o600,
                ..file("keys.kdbx", 45_678, 50)
            },
            entry(b"latest-notes", NodeType::Symlink, None, 700),
            file("letter to the tax office, second version (final).odt", 34_567, 1_300),
            file("notes.txt", 12_345, 5),
            file("todo.md", 2_345, 1),
        ],
        [b"home", b"anna", b"documents"] => {
            vec![
                dir("taxes", 12_345_678),
                file("contract.pdf", 1_234_567, 4_000),
                file("notes.txt", 999, 30),
            ]
        }
        [b"home", b"anna", b"documents", b"taxes"] => {
            vec![file("2024.ods", 45_678, 7_000), file("2025.ods", 56_789, 80)]
        }
        [b"home", b"anna", b"empty"] => Vec::new(),
        [b"home", b"anna", b"hostile"] => [
            &b"a\x1b]0;title\x07b"[..],
            b"bad \xff\xfe utf8",
            "evil\u{202e}gnp.exe".as_bytes(),
            b"new\nline",
            "zero\u{200b}width".as_bytes(),
            "wide \u{65e5}\u{672c}\u{8a9e}".as_bytes(),
            "cafe\u{301}".as_bytes(),
            &[b'x'; 250],
        ]
        .iter()
        .map(|name| entry(name, NodeType::File, Some(1_234), 100))
        .collect(),
        [b"home", b"anna", ..] => vec![file("one", 1, 1), file("two", 2, 2)],
        _ => return None,
    })
}

/// Rows of a folder; `many` has 150,000, made as they are asked for.
fn window(path: &TreePath, filter: &str, first: u64, rows: u32) -> Answer {
    if path.last().is_some_and(|name| name == b"many") && filter.is_empty() {
        let total = 150_000;
        let first = first.min(total);
        let end = (first + u64::from(rows)).min(total);
        let row = |n| {
            entry(
                format!("measurement-{n:06}.csv").as_bytes(),
                NodeType::File,
                Some(4_000 + n),
                40,
            )
        };
        return Answer::Folder(FolderWindow {
            first,
            rows: (first..end).map(row).collect(),
            total,
            ..FolderWindow::default()
        });
    }
    let Some(all) = folder(path) else {
        return Answer::NoSuchFolder;
    };
    let filter = filter.to_lowercase();
    let all: Vec<EntryRow> = all
        .into_iter()
        .filter(|row| String::from_utf8_lossy(&row.name).to_lowercase().contains(&filter))
        .collect();
    let total = all.len() as u64;
    let first = first.min(total);
    let rows = all.into_iter().skip(first as usize).take(rows as usize).collect();
    Answer::Folder(FolderWindow {
        first,
        rows,
        total,
        ..FolderWindow::default()
    })
}

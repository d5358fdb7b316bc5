//! Folders of the made-up world.

use coffer::engine::question::{Direction, EntryRow, FolderOrder, FolderWindow, SortKey, Totals, TreePath, Weighed};
use coffer::engine::{Answer, Question};
use coffer::vault::NodeType;

use super::vaults::generations;
use super::{NOW, World, versions};

pub(super) fn answer(_: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Folder {
            folder,
            order,
            filter,
            first,
            near,
            rows,
            generation,
            ..
        } => {
            if *generation == generations()[4].id && folder.len() > 3 {
                return Some(Answer::NoSuchFolder);
            }
            let shown = |row: EntryRow| versions::as_in(folder, row, generation);
            window(folder, *order, filter, *first, near.as_deref(), *rows, shown)
        }
        Question::Weigh { .. } => {
            let below = |bytes| Totals {
                files: 321,
                folders: 12,
                bytes,
            };
            Answer::Weighed(Weighed {
                known: 2,
                of: 2,
                found: vec![
                    (b"archive".to_vec(), below(345_678_901)),
                    (b"scans".to_vec(), below(23_456_789)),
                ],
            })
        }
        Question::Totals { rules, .. } => {
            let chosen = || rules.iter().filter(|(_, include)| *include);
            let weight = |path: &TreePath| weight(path).unwrap_or(3_456_789);
            let items = chosen().count() as u64;
            Answer::Totals(Totals {
                files: 41 * items,
                folders: items,
                bytes: chosen().map(|(path, _)| weight(path)).sum(),
            })
        }
        _ => return None,
    })
}

pub(super) fn entry(name: &[u8], kind: NodeType, size: Option<u64>, age: i64) -> EntryRow {
    EntryRow {
        name: name.to_vec(),
        kind,
        size,
        mtime: NOW - age * 3600,
        mode: if kind == NodeType::Dir { 0o755 } else { 0o644 },
        uid: 1000,
        gid: 1000,
        link_target: if kind == NodeType::Symlink {
            b"documents/notes.txt".to_vec()
        } else {
            Vec::new()
        },
        ..EntryRow::default()
    }
}

/// What an entry of the made-up tree weighs.
fn weight(path: &TreePath) -> Option<u64> {
    let (name, parent) = path.split_last()?;
    let rows = folder(&parent.to_vec())?;
    rows.into_iter().find(|row| row.name == *name)?.size
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
            entry(b"projects", NodeType::Dir, None, 900),
            file(".bashrc", 3_526, 9_000),
            file(".profile", 807, 9_000),
            EntryRow {
                mode: 0o600,
                ..file("keys.kdbx", 45_678, 50)
            },
            entry(b"latest-notes", NodeType::Symlink, None, 700),
            file("letter to the tax office, second version (final).odt", 34_567, 1_300),
            file("notes.txt", 12_345, 5),
            file("todo.md", 24, 1),
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
        [b"home", b"anna", b"projects"] => vec![
            entry(b"archive", NodeType::Dir, None, 900),
            entry(b"scans", NodeType::Dir, None, 90),
            file("index.html", 23_456, 90),
            file("plan.pdf", 1_234_567, 4_000),
        ],
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
fn window(
    path: &TreePath,
    order: FolderOrder,
    filter: &str,
    first: u64,
    near: Option<&[u8]>,
    rows: u32,
    shown: impl Fn(EntryRow) -> Option<EntryRow>,
) -> Answer {
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
            heaviest: 154_000,
            ..FolderWindow::default()
        });
    }
    let Some(all) = folder(path) else {
        return Answer::NoSuchFolder;
    };
    let mut all: Vec<EntryRow> = all.into_iter().filter_map(shown).collect();
    let filter = filter.to_lowercase();
    all.retain(|row| String::from_utf8_lossy(&row.name).to_lowercase().contains(&filter));
    if order != FolderOrder::default() {
        all.sort_by_key(|row| match order.key {
            SortKey::Name => (0, row.name.clone()),
            SortKey::Size => (row.size.unwrap_or(0) as i64, row.name.clone()),
            SortKey::Modified => (row.mtime, row.name.clone()),
        });
        if order.direction == Direction::Descending {
            all.reverse();
        }
        if order.folders_first {
            all.sort_by_key(|row| row.kind != NodeType::Dir);
        }
    }
    let at = near.and_then(|name| all.iter().position(|row| row.name == name));
    let total = all.len() as u64;
    let heaviest = all.iter().filter_map(|row| row.size).max().unwrap_or(0);
    let first = first.min(total.saturating_sub(u64::from(rows)));
    let rows = all.into_iter().skip(first as usize).take(rows as usize).collect();
    Answer::Folder(FolderWindow {
        first,
        rows,
        total,
        at: at.map(|at| at as u64),
        heaviest,
        below: None,
    })
}

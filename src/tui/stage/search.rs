//! What is found by name, and what changed, in the made-up world.

use coffer::engine::question::{
    Change, ChangeRow, ChangeTotals, ChangesWindow, FoundRow, FoundWindow, Kinds, Presence, Search, SearchedVault,
    Standing, Totals, TreePath,
};
use coffer::engine::{Answer, Question};
use coffer::vault::NodeType;

use super::vaults::generations;
use super::{NOW, World};

pub(super) fn answer(world: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Search(asked) => {
            let all: Vec<FoundRow> = match asked.rows {
                0 => Vec::new(),
                _ => rows().into_iter().filter(|row| fits(row, &asked.search)).collect(),
            };
            let total = all.len() as u64;
            let first = asked.first.min(total);
            Answer::Found(FoundWindow {
                first,
                rows: all.into_iter().skip(first as usize).take(asked.rows as usize).collect(),
                total,
                searching: false,
                more: asked.search.text == "more",
                vaults: vaults(world),
            })
        }
        Question::Changes(asked) => {
            let all = changes();
            let total = all.len() as u64;
            let first = asked.first.min(total);
            Answer::Changes(ChangesWindow {
                first,
                rows: all.into_iter().skip(first as usize).take(asked.rows as usize).collect(),
                total,
                comparing: false,
                more: false,
                totals: totals(),
            })
        }
        _ => return None,
    })
}

fn vaults(world: &World) -> Vec<SearchedVault> {
    let vault = |name: &str, generations, catalogued, standing| SearchedVault {
        vault: name.into(),
        generations,
        catalogued,
        standing,
    };
    let away = if world.unlocked {
        Standing::Reading
    } else {
        Standing::Locked
    };
    vec![
        vault("home", 14, 14, Standing::Ready),
        vault("away", 52, 12, away),
        vault("new", 0, 0, Standing::Ready),
        vault("gone", 3, 3, Standing::Ready),
    ]
}

fn path(text: &str) -> TreePath {
    text.split('/').map(|name| name.as_bytes().to_vec()).collect()
}

/// Everything there is to find.
fn rows() -> Vec<FoundRow> {
    let times = generations();
    let row = |vault: &str, text: &str, kind, size, newest: usize, oldest: usize| FoundRow {
        vault: vault.into(),
        path: path(text),
        kind,
        size,
        mtime: NOW - 86_400 * (newest as i64 + 3),
        first: (times[oldest].id, times[oldest].time),
        last: (times[newest].id, times[newest].time),
        generations: (oldest - newest + 1) as u64,
        presence: if newest == 0 { Presence::There } else { Presence::Gone },
    };
    let file = NodeType::File;
    let mut rows = vec![
        row("home", "home/anna/notes.txt", file, Some(12_345), 0, 13),
        row("away", "home/anna/notes.txt", file, Some(12_201), 0, 9),
        row("home", "home/anna/documents/notes.txt", file, Some(999), 0, 4),
        row(
            "home",
            "home/anna/documents/notes",
            NodeType::Dir,
            Some(45_678_901),
            6,
            11,
        ),
        row(
            "home",
            "home/anna/documents/taxes/Notes on 2024.odt",
            file,
            Some(34_567),
            3,
            8,
        ),
        row("home", "home/anna/latest-notes", NodeType::Symlink, None, 0, 2),
        row(
            "home",
            "home/anna/projects/a very long way down/where/nobody/ever/looks/old notes of the meeting in March.md",
            file,
            Some(2_345),
            5,
            5,
        ),
        row("home", "home/anna/hostile/evil\u{202e}gnp.exe", file, Some(1_234), 0, 1),
        row(
            "home",
            "home/anna/hostile/wide \u{65e5}\u{672c}\u{8a9e}",
            file,
            Some(1_234),
            0,
            1,
        ),
        row(
            "home",
            "home/anna/hostile/\x1b]0;title\x07b",
            file,
            Some(u64::MAX),
            0,
            1,
        ),
        row("home", "home/anna/hostile/new\nline", file, Some(1_234), 0, 1),
        row("home", "home/anna/hostile/zero\u{200b}width", file, Some(1_234), 0, 1),
    ];
    if let Some(row) = rows.get_mut(1) {
        row.presence = Presence::Unknown;
    }
    rows.push(row(
        "home",
        &format!("home/anna/hostile/{}", "x".repeat(250)),
        file,
        Some(1),
        0,
        1,
    ));
    rows
}

fn fits(row: &FoundRow, search: &Search) -> bool {
    let name = row.path.last().map(|name| String::from_utf8_lossy(name).to_lowercase());
    let kind = match search.kinds {
        Kinds::All => true,
        Kinds::Files => row.kind == NodeType::File,
        Kinds::Folders => row.kind == NodeType::Dir,
        Kinds::Others => !matches!(row.kind, NodeType::File | NodeType::Dir),
    };
    let hostile = search.text == "hostile" && row.path.iter().any(|name| name == b"hostile");
    kind && (hostile || name.is_some_and(|name| name.contains(&search.text.to_lowercase())))
        && search.vault.as_ref().is_none_or(|vault| *vault == row.vault)
        && (!search.gone || row.presence == Presence::Gone)
}

fn changes() -> Vec<ChangeRow> {
    let row = |change, text: &str, kind, before, after| ChangeRow {
        path: path(text),
        change,
        kind,
        before,
        after,
        below: None,
    };
    let file = NodeType::File;
    let below = |files, folders, bytes| Some(Totals { files, folders, bytes });
    vec![
        row(
            Change::Content,
            "home/anna/documents/contract.pdf",
            file,
            Some(1_234_567),
            Some(1_245_678),
        ),
        ChangeRow {
            below: below(311, 12, 45_678_901),
            ..row(
                Change::Removed,
                "home/anna/documents/notes",
                NodeType::Dir,
                Some(45_678_901),
                None,
            )
        },
        row(Change::Content, "home/anna/keys.kdbx", file, Some(45_678), Some(45_678)),
        row(Change::Metadata, "home/anna/.profile", file, Some(807), Some(807)),
        row(
            Change::Kind,
            "home/anna/latest-notes",
            NodeType::Symlink,
            Some(12_345),
            None,
        ),
        row(Change::Added, "home/anna/notes.txt", file, None, Some(12_345)),
        ChangeRow {
            below: below(1_024, 3, 654_321_098),
            ..row(
                Change::Added,
                "home/anna/photos/2026-11",
                NodeType::Dir,
                None,
                Some(654_321_098),
            )
        },
        row(
            Change::Removed,
            "home/anna/hostile/evil\u{202e}gnp.exe",
            file,
            Some(1_234),
            None,
        ),
        row(
            Change::Added,
            "home/anna/hostile/\x1b]0;title\x07b",
            file,
            None,
            Some(u64::MAX),
        ),
    ]
}

fn totals() -> ChangeTotals {
    ChangeTotals {
        added: Totals {
            files: 1_026,
            folders: 4,
            bytes: 654_333_443,
        },
        removed: Totals {
            files: 313,
            folders: 13,
            bytes: 45_692_480,
        },
        changed: 2,
        changed_before: 1_280_245,
        changed_after: 1_291_356,
        metadata: 1,
    }
}

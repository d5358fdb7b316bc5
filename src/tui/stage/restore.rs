//! Plans, jobs and restores of the made-up world.

use coffer::engine::overview::{Overview, PlanCopy, PlanState};
use coffer::engine::question::{
    Class, ConflictRow, ConflictWindow, ConflictsAsked, Difference, Landing, PlanRow, RestorePreview, RestoreRequest,
    Room, State,
};
use coffer::engine::setup::{DiskRow, DiskWindow, ListDisk};
use coffer::engine::{Answer, Question};

use coffer::vault::NodeType;

use super::{NOW, World};

pub(super) fn answer(world: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Plans if world.bare => Answer::Plans(Vec::new()),
        Question::Plans => Answer::Plans(vec![
            plan("documents", "away", &["/home/anna/documents"]),
            plan("everything", "home", &["/etc", "/home", "/root", "/srv"]),
        ]),
        Question::Disk(asked) if asked.folders_only => Answer::Disk(folders(asked)),
        Question::Overview => Answer::Overview(Box::new(overview())),
        Question::PreviewRestore(asked) => preview(asked),
        Question::RestoreConflicts(asked) => Answer::RestoreConflicts(conflicts(asked)),
        _ => return None,
    })
}

fn plan(name: &str, vault: &str, paths: &[&str]) -> PlanRow {
    PlanRow {
        name: name.into(),
        vault: vault.into(),
        paths: paths.iter().map(Into::into).collect(),
    }
}

/// Into `full` and in place there is much in the way; `forbidden` may not be written; anything else is empty.
fn preview(asked: &RestoreRequest) -> Answer {
    let (base, crowded) = match &asked.landing {
        Landing::Below(folder) | Landing::Flat(folder) => (folder.clone(), folder.ends_with("full")),
        Landing::InPlace => ("/home/anna".into(), true),
        Landing::Beside { .. } => ("/home/anna".into(), false),
    };
    if base.ends_with("forbidden") {
        return Answer::Failed("cannot make /root/forbidden: Permission denied".into());
    }
    let room = Room {
        free_bytes: Some(4_400_000_000),
        free_entries: Some(1_000_000),
        on: "/home/anna".into(),
        writable: true,
    };
    let items = asked.rules.iter().filter(|(_, picked)| *picked).count() as u64;
    let empty = RestorePreview {
        plan: 7,
        base,
        create_files: 41 * items,
        create_folders: items,
        bytes: 3_456_789 * items,
        write_bytes: 3_456_789 * items,
        fetch_bytes: 1_234_567 * items,
        room,
        ..RestorePreview::default()
    };
    if !crowded {
        return Answer::RestorePreview(Box::new(empty));
    }
    let deleted = if asked.delete { 2 } else { 0 };
    Answer::RestorePreview(Box::new(RestorePreview {
        plan: if asked.delete { 9 } else { 8 },
        overwrite: 24,
        overwrite_newer: 6,
        overwrite_bytes: 12_345_678,
        keep: 1_204,
        delete: deleted * 20,
        delete_bytes: deleted * 45_678,
        problems: 1,
        write_bytes: 345_678_901,
        right_bytes: 45_678_901,
        fetch_bytes: 123_456_789,
        conflicts: [24, 0, deleted, 1],
        warnings: vec![
            "6 files on disk changed after this generation: what they hold now is lost unless another generation has it."
                .into(),
            "1 entry cannot be restored: the list says why.".into(),
            "Files will belong to you: only root can give them their owners back.".into(),
        ],
        ..empty
    }))
}

/// What is in the way of the crowded restores, hostile names among it.
fn conflicts(asked: &ConflictsAsked) -> ConflictWindow {
    let file = |size: u64, hours: i64| {
        Some(State {
            kind: NodeType::File,
            size,
            mtime: NOW - hours * 3600,
            nanos: 0,
        })
    };
    let row = |name: &str, class, difference, then, now| ConflictRow {
        path: ["home", "anna", name].map(|part| part.as_bytes().to_vec()).to_vec(),
        place: ["/home/anna", name].iter().collect(),
        class,
        difference: Some(difference),
        then,
        now,
        why: String::new(),
    };
    let mut all = vec![
        row(
            "notes.txt",
            Class::Overwritten,
            Difference::NewerOnDisk,
            file(3_400, 900),
            file(3_900, 20),
        ),
        row(
            "taxes/2025.ods",
            Class::Overwritten,
            Difference::Size,
            file(88_000, 900),
            file(91_000, 2_000),
        ),
        row(
            "evil\u{202e}gnp.exe",
            Class::Overwritten,
            Difference::Content,
            file(12, 900),
            file(12, 900),
        ),
        row(
            "esc\u{1b}[31m\u{200b}",
            Class::Overwritten,
            Difference::OtherType,
            file(12, 900),
            file(0, 900),
        ),
    ];
    all.extend((0..20).map(|n| {
        let name = format!("photos/2026/IMG_{:04}.jpg", 4000 + n);
        row(
            &name,
            Class::Overwritten,
            Difference::Content,
            file(4_000_000 + n, 900),
            file(4_000_000 + n, 1000),
        )
    }));
    if asked.plan == 9 {
        let gone = |name, size| row(name, Class::Deleted, Difference::NotInGeneration, None, file(size, 3));
        all.extend([
            gone("photos/new.jpg", 45_000),
            gone("photos/日本語の長い名前.txt", 46_356),
        ]);
    }
    all.push(ConflictRow {
        why: "part of its content is in no pack of the vault".into(),
        difference: None,
        ..row(
            "photos/2026/lost.raw",
            Class::Problem,
            Difference::Content,
            file(9_000_000, 900),
            None,
        )
    });
    all.retain(|row| asked.classes.is_empty() || asked.classes.contains(&row.class));
    let total = all.len() as u64;
    let first = asked.first.min(total);
    let rows = all.into_iter().skip(first as usize).take(asked.rows as usize).collect();
    ConflictWindow {
        first,
        rows,
        total,
        beyond: 0,
    }
}

/// Folders of the live filesystem: the same in every one.
fn folders(asked: &ListDisk) -> DiskWindow {
    let names = ["documents", "downloads", "restored", "evil\u{202e}"];
    let rows = names
        .into_iter()
        .filter(|name| name.contains(&asked.filter))
        .map(|name| DiskRow {
            name: name.as_bytes().to_vec(),
            kind: NodeType::Dir,
            folder: true,
            readable: true,
            ..DiskRow::default()
        });
    let rows: Vec<_> = rows.collect();
    DiskWindow {
        folder: asked.folder.clone(),
        first: 0,
        total: rows.len() as u64,
        rows,
        problem: String::new(),
    }
}

/// When the plans last stored something.
fn overview() -> Overview {
    let plan = |name: &str, vault: &str, newest| PlanState {
        name: name.into(),
        copies: vec![PlanCopy {
            vault: vault.into(),
            newest,
            ..PlanCopy::default()
        }],
        ..PlanState::default()
    };
    Overview {
        plans: vec![
            plan("documents", "away", None),
            plan("everything", "home", Some(NOW - 9 * 3600)),
        ],
        ..Overview::default()
    }
}

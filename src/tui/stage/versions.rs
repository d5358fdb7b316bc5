//! Versions and contents of files in the made-up world: `notes.txt` has four versions and was deleted once.

use coffer::engine::question::{
    Comparison, Content, DiffLine, DiskNow, EntryRow, FileAt, Form, ImageFormat, ImageSize, Side, TextDiff, TreePath,
    VersionChange, VersionRow, Versions,
};
use coffer::engine::{Answer, Question};
use coffer::vault::{Id, NodeType};

use super::files::entry;
use super::vaults::generations;
use super::{NOW, World};

/// Stretches of generations, newest first, with what `notes.txt` weighs in each.
const STRETCHES: [(usize, usize, Option<u64>, VersionChange); 5] = [
    (0, 2, Some(12_345), VersionChange::Added),
    (2, 3, None, VersionChange::Deleted),
    (3, 7, Some(12_345), VersionChange::Content),
    (7, 11, Some(9_876), VersionChange::Content),
    (11, 14, Some(1_204), VersionChange::Added),
];

pub(super) fn answer(_: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Versions { path, generation, .. } => Answer::Versions(versions(path, generation)),
        Question::Content { file, .. } => content(file),
        Question::Compare { before, after } => compare(before, after),
        _ => return None,
    })
}

/// An entry of a folder as a generation has it, if it has it: nothing in it is younger than the generation.
pub(super) fn as_in(folder: &TreePath, mut row: EntryRow, generation: &Id) -> Option<EntryRow> {
    let all = generations();
    let Some(at) = all.iter().position(|row| row.id == *generation) else {
        return Some(row);
    };
    if row.mtime > all[at].time {
        row.mtime = all[at].time - row.mtime % 86_400;
    }
    if row.name == b"notes.txt" && folder.len() == 2 {
        let (_, to, size, _) = STRETCHES
            .into_iter()
            .find(|(from, to, ..)| (*from..*to).contains(&at))?;
        row.size = Some(size?);
        row.mtime = all[to - 1].time - 7_200;
    }
    Some(row)
}

fn name_of(path: &TreePath) -> &[u8] {
    path.last().map_or(b"", Vec::as_slice)
}

fn versions(path: &TreePath, generation: &Id) -> Versions {
    let all = generations();
    let held = |from: usize, to: usize| all[from..to].iter().map(|row| (row.id, row.time)).collect::<Vec<_>>();
    let name = name_of(path);
    let mut versions = Vec::new();
    if name == b"notes.txt" {
        for (from, to, size, change) in STRETCHES {
            versions.push(VersionRow {
                entry: size.map(|size| EntryRow {
                    mtime: all[to - 1].time - 7_200,
                    ..entry(name, NodeType::File, Some(size), 0)
                }),
                content: size,
                change,
                held: held(from, to),
            });
        }
    } else {
        let kind = if name.contains(&b'.') {
            NodeType::File
        } else {
            NodeType::Dir
        };
        versions.push(VersionRow {
            entry: Some(entry(name, kind, Some(if name == b"todo.md" { 24 } else { 2_345 }), 1)),
            content: Some(1),
            change: VersionChange::Added,
            held: held(0, 14),
        });
    }
    let known = all.iter().any(|row| row.id == *generation);
    Versions {
        versions,
        looked: 14,
        of: 14,
        newest_seen: known,
        oldest_seen: known,
        disk: (name == b"notes.txt").then(|| DiskNow::There {
            path: "/home/anna/notes.txt".into(),
            size: Some(12_401),
            mtime: NOW - 3_600,
            like_newest: false,
        }),
    }
}

fn text(head: &[u8], size: u64) -> Answer {
    Answer::Content(Content {
        form: Form::Text,
        head: head.to_vec(),
        size,
        whole: head.len() as u64 == size,
        mtime: NOW - 18_000,
    })
}

fn content(file: &FileAt) -> Answer {
    let name = match file {
        FileAt::Generation { path, .. } => name_of(path).to_vec(),
        FileAt::Disk(path) => path.file_name().unwrap_or_default().as_encoded_bytes().to_vec(),
    };
    let notes = "# Notes\n\nCall the dentist.\n\tA line that is indented by a tab,\nand one that is much longer than any \
                 terminal is wide, so that it has to be broken or cut somewhere: here it goes on and on and on until it ends.\n\
                 evil \u{202e}txt\u{1b}[31m\n";
    match name.as_slice() {
        b"notes.txt" => text(notes.as_bytes(), 12_345),
        b"keys.kdbx" => Answer::Content(Content {
            form: Form::Binary(None),
            head: (0..600u32).map(|n| (n * n * 7 + 3) as u8).collect(),
            size: 45_678,
            whole: false,
            mtime: NOW - 180_000,
        }),
        b"one" => Answer::Content(Content {
            form: Form::Image(
                ImageFormat::Jpeg,
                Some(ImageSize {
                    width: 4_032,
                    height: 3_024,
                }),
            ),
            head: b"\xff\xd8\xff\xe0".to_vec(),
            size: 3_456_789,
            whole: false,
            mtime: NOW - 3_600,
        }),
        b"two" => Answer::Content(Content::default()),
        b".profile" => Answer::Failed("cannot read pack 3f2a: Input/output error".into()),
        _ => text(b"plain text\nof two lines\n", 24),
    }
}

fn compare(before: &FileAt, after: &FileAt) -> Answer {
    if before == after {
        return Answer::Comparison(Comparison::Same);
    }
    let line = |side, before, after, parts: &[(bool, &str)]| DiffLine::Line {
        side,
        before,
        after,
        parts: parts
            .iter()
            .map(|(changed, part)| (*changed, (*part).to_owned()))
            .collect(),
        open_end: after == Some(42),
    };
    let lines = vec![
        line(Side::Both, Some(1), Some(1), &[(false, "# Notes")]),
        line(Side::Both, Some(2), Some(2), &[]),
        line(
            Side::Before,
            Some(3),
            None,
            &[(false, "Call the "), (true, "doctor"), (false, ".")],
        ),
        line(
            Side::After,
            None,
            Some(3),
            &[(false, "Call the "), (true, "dentist"), (false, ".")],
        ),
        line(Side::After, None, Some(4), &[(false, "evil \u{202e}txt\u{1b}[31m")]),
        line(
            Side::Both,
            Some(4),
            Some(5),
            &[(false, "\tA line that is indented by a tab,")],
        ),
        DiffLine::Gap(35),
        line(Side::Before, Some(40), None, &[(false, "an old end")]),
        line(Side::After, None, Some(42), &[(false, "a new end")]),
    ];
    Answer::Comparison(Comparison::Text(TextDiff {
        added: 3,
        removed: 2,
        lines,
        cut: false,
    }))
}

//! Hostile names and texts: whatever vaults, disks and errors say, nothing that acts on a terminal reaches a cell.

use super::scenes;
use crate::engine::Answer;
use crate::snapshot::MadeBy;
use crate::tui::stage::Stage;
use crate::tui::theme::Look;
use crate::vault::NodeType;

/// Escape sequences, reordering, invisible and wide characters, and four thousand more.
fn evil() -> String {
    format!(
        "\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\r\n\t日本{}",
        "x".repeat(4000)
    )
}

/// Puts it wherever an answer holds a name or a text that comes from outside; folders and vaults keep their names, so
/// that scenes find their way.
pub(super) fn poison(answer: &mut Answer) {
    let text = |text: &mut String| text.insert_str(0, &evil());
    let raw = |name: &mut Vec<u8>| *name = [evil().as_bytes(), b"\xff", name].concat();
    match answer {
        Answer::Failed(why) => text(why),
        Answer::Generations(rows) => rows.iter_mut().for_each(|row| {
            [&mut row.host, &mut row.user, &mut row.program]
                .into_iter()
                .for_each(text);
            row.paths.iter_mut().chain(&mut row.tags).for_each(text);
        }),
        Answer::Folder(window) => {
            for row in window.rows.iter_mut().filter(|row| row.kind != NodeType::Dir) {
                raw(&mut row.name);
                raw(&mut row.link_target);
            }
        }
        Answer::RestorePreview(preview) => preview.warnings.iter_mut().for_each(text),
        Answer::RestoreConflicts(window) => window.rows.iter_mut().for_each(|row| {
            row.place = row.place.join(evil());
            text(&mut row.why);
        }),
        Answer::Found(window) => window.rows.iter_mut().for_each(|row| row.path.iter_mut().for_each(raw)),
        Answer::Changes(window) => window.rows.iter_mut().for_each(|row| row.path.iter_mut().for_each(raw)),
        Answer::Issues(issues) => issues.iter_mut().for_each(|issue| {
            raw(&mut issue.path);
            text(&mut issue.text);
        }),
        Answer::WhatIf(what) => {
            what.fates.iter_mut().for_each(|fate| {
                text(&mut fate.host);
                fate.paths.iter_mut().chain(&mut fate.reasons).for_each(text);
            });
            what.notes.iter_mut().for_each(text);
        }
        Answer::Lost(window) => window.rows.iter_mut().for_each(|row| row.path.iter_mut().for_each(raw)),
        Answer::Prices(rows) => rows.iter_mut().for_each(|row| {
            [&mut row.name, &mut row.terms, &mut row.source]
                .into_iter()
                .for_each(text);
        }),
        Answer::VaultCosts(rows) => rows.iter_mut().filter_map(|row| row.price.as_mut()).for_each(text),
        Answer::Coverage(rows) => rows.iter_mut().for_each(|row| {
            text(&mut row.what);
            row.warnings.iter_mut().for_each(text);
        }),
        Answer::Plans(rows) => rows.iter_mut().for_each(|row| row.paths.push(evil().into())),
        Answer::Disk(window) => window.rows.iter_mut().for_each(|row| raw(&mut row.name)),
        Answer::Keys(rows) => rows.iter_mut().for_each(|row| {
            [&mut row.user, &mut row.host, &mut row.problem]
                .into_iter()
                .for_each(text);
        }),
        Answer::Locks(rows) => rows.iter_mut().for_each(|row| {
            [&mut row.user, &mut row.host, &mut row.problem]
                .into_iter()
                .for_each(text);
        }),
        Answer::SnapshotTargets(rows) => rows.iter_mut().for_each(|row| {
            [&mut row.name, &mut row.found.about].into_iter().for_each(text);
            row.found.problem.iter_mut().for_each(text);
            row.policies.iter_mut().chain(&mut row.warnings).for_each(text);
        }),
        Answer::Snapshots(list) => {
            list.notes.iter_mut().for_each(text);
            list.rows.iter_mut().for_each(|row| {
                let snapshot = &mut row.snapshot;
                [&mut snapshot.label, &mut snapshot.handle, &mut row.fate]
                    .into_iter()
                    .for_each(text);
                snapshot.notes.iter_mut().chain(&mut snapshot.group).for_each(text);
                if let MadeBy::Policy(name) = &mut snapshot.made_by {
                    text(name);
                }
            });
        }
        Answer::SnapshotAbility(ability) => {
            ability.hooks.iter_mut().for_each(text);
            ability.ability.hints.iter_mut().for_each(text);
            ability
                .ability
                .writers
                .iter_mut()
                .for_each(|writer| text(&mut writer.name));
        }
        Answer::RollbackPlan(plan) => {
            let plan = &mut **plan;
            [&mut plan.loses, &mut plan.steps, &mut plan.obstacles]
                .into_iter()
                .for_each(|lines| lines.iter_mut().for_each(text));
        }
        Answer::SnapshotFolder(window) => {
            for row in window.rows.iter_mut().filter(|row| row.kind != NodeType::Dir) {
                raw(&mut row.name);
            }
        }
        Answer::SnapshotChanges(window) => window.rows.iter_mut().for_each(|row| row.path.iter_mut().for_each(raw)),
        Answer::SnapshotPolicies(rows) => rows.iter_mut().for_each(|row| {
            [&mut row.name, &mut row.when, &mut row.keeps, &mut row.problem]
                .into_iter()
                .for_each(text);
            row.targets.iter_mut().for_each(text);
        }),
        Answer::Jobs(rows) => rows.iter_mut().for_each(|row| text(&mut row.title)),
        _ => {}
    }
}

/// Whether a character moves the cursor, reorders the line, or hides.
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[test]
fn nothing_that_acts_reaches_a_cell_in_any_scene() {
    let mut poisoned = 0;
    for (columns, rows) in [(80, 24), (120, 40)] {
        for (name, set_up, play) in scenes::all() {
            let mut stage = match set_up {
                true => Stage::new(columns, rows, Look::default()),
                false => Stage::bare(columns, rows, Look::default()),
            };
            stage.world.poison = Some(poison);
            play(&mut stage);
            let buffer = stage.buffer();
            for (n, cell) in buffer.content.iter().enumerate() {
                let bad: Vec<char> = cell.symbol().chars().filter(|c| acts(*c)).collect();
                assert!(
                    bad.is_empty(),
                    "{name} at {columns}x{rows}, cell {n}: {bad:?}\n{}",
                    stage.screen()
                );
            }
            poisoned += usize::from(stage.screen().contains("\\x1b[2J"));
        }
    }
    assert!(
        poisoned >= 10,
        "the hostile texts do reach the screens, made harmless: {poisoned}"
    );
}

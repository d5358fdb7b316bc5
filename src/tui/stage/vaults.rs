//! Vaults and generations of the made-up world.

use coffer::engine::question::{GenerationRow, VaultRow};
use coffer::engine::{Answer, Question};
use coffer::vault::Id;
use coffer::vault::prune::PruneFigures;

use super::{DAY, NOW, World};

pub(super) fn answer(world: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Vaults if world.bare => Answer::Vaults(Vec::new()),
        Question::Vaults => Answer::Vaults(vaults()),
        Question::Generations { vault } => match vault.as_str() {
            "away" if !world.unlocked => Answer::PasswordNeeded {
                vault: vault.clone(),
                problem: String::new(),
            },
            "new" => Answer::Generations(Vec::new()),
            "gone" => Answer::Failed("cannot read /mnt/usb/vault/config: No such file or directory".into()),
            _ => Answer::Generations(generations()),
        },
        Question::PlanPrune { .. } => Answer::PrunePlan(PruneFigures {
            generations: 11,
            trees: 4_321,
            blobs_used: 61_234,
            blobs_unused: 2_345,
            packs_kept: 1_254,
            packs_repacked: 37,
            packs_deleted: 108,
            bytes_before: 23_456_789_012,
            bytes_unused: 2_345_678_901,
            bytes_repacked: 620_756_992,
            bytes_rewritten: 234_567_890,
            bytes_freed: 2_198_123_456,
            bytes_left_unused: 147_555_445,
            bytes_after: 21_258_665_556,
            ..PruneFigures::default()
        }),
        _ => return None,
    })
}

fn vaults() -> Vec<VaultRow> {
    let vault = |name: &str, location: &str, generations, days: Option<i64>, stored| VaultRow {
        name: name.into(),
        location: location.into(),
        generations,
        latest: days.map(|days| NOW - days * DAY - 9 * 3600),
        stored,
        problem: String::new(),
    };
    vec![
        vault("home", "/srv/backup/home", Some(14), Some(0), Some(23_456_789_012)),
        vault("away", "/mnt/nas/coffer/away", Some(52), Some(6), Some(312_456_789_012)),
        vault("new", "/srv/backup/new", Some(0), None, None),
        VaultRow {
            problem: "not reachable".into(),
            ..vault("gone", "/mnt/usb/vault", Some(3), Some(80), None)
        },
    ]
}

/// Fourteen generations over nine months.
pub fn generations() -> Vec<GenerationRow> {
    let days = [0, 1, 2, 7, 14, 21, 30, 61, 92, 122, 153, 183, 214, 270];
    let row = |(n, days): (usize, &i64)| GenerationRow {
        id: Id::of(&[n as u8]),
        time: NOW - days * DAY - 9 * 3600,
        host: "anna-laptop".into(),
        paths: vec!["/home/anna".into(), "/etc".into()],
        tags: match n {
            10 => vec!["weekly".into(), "protected".into()],
            n if n % 5 == 0 => vec!["weekly".into()],
            _ => Vec::new(),
        },
        files: Some(78_579 - 311 * n as u64),
        logical: Some(1_345_678_901 - 12_345_678 * n as u64),
        added: Some(if n == 13 {
            1_100_000_000
        } else {
            4_567_890 * (n as u64 % 4 + 1)
        }),
        parent: (n != 13).then(|| Id::of(&[n as u8 + 1])),
        user: "anna".into(),
        program: "coffer 0.1.0".into(),
        changes: Some((311, 12 + n as u64)),
        took: Some(74 + n as u64),
    };
    days.iter().enumerate().map(row).collect()
}

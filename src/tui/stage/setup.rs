//! The config, the live filesystem, keys and locks of the made-up world.

use std::sync::Arc;

use coffer::config::{Config, PlanConfig, VaultConfig};
use coffer::engine::setup::{
    Change, Changed, ConfigNow, CountExcludes, DiskRow, DiskWindow, Holder, KeyRow, ListDisk, LockRow, Tally, Weight,
};
use coffer::engine::{Answer, Question};
use coffer::vault::{Id, NodeType};

use super::{DAY, NOW, World};

pub(super) fn answer(world: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::Config => Answer::Config(ConfigNow {
            config: Arc::new(if world.bare { Config::default() } else { config() }),
            file: "/home/anna/.config/coffer/config.toml".into(),
            host: "anna-laptop".into(),
        }),
        Question::Disk(asked) => Answer::Disk(disk(asked)),
        Question::Excludes(asked) => Answer::Excludes(tally(asked)),
        Question::Keys { vault } if vault == "away" && !world.unlocked => Answer::PasswordNeeded {
            vault: vault.clone(),
            problem: String::new(),
        },
        Question::Keys { .. } => Answer::Keys(keys()),
        Question::Locks { vault } if vault == "new" => Answer::Locks(Vec::new()),
        Question::Locks { .. } => Answer::Locks(locks()),
        _ => return None,
    })
}

/// What comes of a change.
pub(super) fn change(change: &Change) -> Answer {
    let text = match change {
        Change::SavePlan { plan, .. } if plan.name == "taken" => {
            return Answer::Failed("there is a plan taken in /home/anna/.config/coffer/config.toml already".into());
        }
        Change::SavePlan { plan, .. } => format!("Saved plan {}.", plan.name),
        Change::RemovePlan { plan } => format!("Removed plan {plan} from the config; its generations stay."),
        Change::SaveVault(new) if new.vault.path.starts_with("/root") => {
            return Answer::Failed("cannot create /root/vault: Permission denied".into());
        }
        Change::SaveVault(new) => format!("Made vault {} in {}.", new.vault.name, new.vault.path.display()),
        Change::SetPrice {
            vault,
            price: Some(price),
        } => format!("Vault {vault} is at {price} from now on."),
        Change::SetPrice { vault, price: None } => format!("Vault {vault} names no price any more."),
        Change::RemoveVault { vault } => format!("Removed vault {vault} from the config; its data stays."),
        Change::LabelSnapshot { at, .. } => format!("Changed snapshot {}.", at.id),
        Change::SaveSnapshotPolicy { policy, .. } if policy.name == "taken" => {
            return Answer::Failed(
                "there is a snapshot policy taken in /home/anna/.config/coffer/config.toml already".into(),
            );
        }
        Change::SaveSnapshotPolicy { policy, .. } => format!("Saved snapshot policy {}.", policy.name),
        Change::RemoveSnapshotPolicy { policy } => {
            format!("Removed snapshot policy {policy} from the config; its snapshots stay.")
        }
        Change::AddKey { vault, .. } => format!("Added key 0fdc8e63: its password opens {vault} from now on."),
        Change::RemoveKey { vault, key } => format!("Removed key {}: its password opens {vault} no more.", key.short()),
        Change::ChangePassword { vault, .. } => format!("Changed the password of {vault}."),
    };
    Answer::Changed(Changed {
        text,
        remark: String::new(),
    })
}

/// A change in short, passwords left out.
pub(super) fn told(change: &Change) -> String {
    match change {
        Change::SavePlan { was, plan } => format!(
            "save plan {} (was {was:?}): {:?} into {:?} without {:?}, {}, {:?}",
            plan.name,
            plan.paths,
            plan.vaults,
            plan.excludes,
            plan.retention,
            plan.schedule.map(|schedule| schedule.to_string())
        ),
        Change::RemovePlan { plan } => format!("remove plan {plan}"),
        Change::SaveVault(new) => format!(
            "{} vault {} in {:?}, password {:?}, typed {:?}",
            if new.create { "make" } else { "add" },
            new.vault.name,
            new.vault.path,
            new.vault.password,
            new.password.as_ref().map(|password| password.0.len())
        ),
        Change::SetPrice { vault, price } => {
            format!("set the price of {vault} to {}", price.as_deref().unwrap_or("none"))
        }
        Change::RemoveVault { vault } => format!("remove vault {vault}"),
        Change::SaveSnapshotPolicy { policy, new, spare } => format!(
            "{} snapshot policy {}, {}: {:?} at {:?}, {}, at most {:?}, hooks {:?}",
            if *new { "add" } else { "replace" },
            policy.name,
            if *spare { "sparing" } else { "counting" },
            policy.targets,
            policy.at.iter().map(ToString::to_string).collect::<Vec<_>>(),
            policy.keep,
            policy.limit,
            policy.hooks
        ),
        Change::RemoveSnapshotPolicy { policy } => format!("remove snapshot policy {policy}"),
        Change::LabelSnapshot { at, labels } => format!("snapshot {} of {}: {labels:?}", at.id, at.target),
        Change::AddKey { vault, password } => format!("add a key of {} bytes to {vault}", password.0.len()),
        Change::RemoveKey { vault, key } => format!("remove key {} from {vault}", key.short()),
        Change::ChangePassword { vault, password } => {
            format!("change the password of {vault} to one of {} bytes", password.0.len())
        }
    }
}

fn config() -> Config {
    let vault = |name: &str, path: &str| VaultConfig {
        name: name.into(),
        path: path.into(),
        password: None,
        compression: None,
        pack_size: None,
        price: None,
    };
    let plan = |name: &str, vaults: &[&str], paths: &[&str], schedule: &str| PlanConfig {
        name: name.into(),
        paths: paths.iter().map(Into::into).collect(),
        vaults: vaults.iter().map(ToString::to_string).collect(),
        excludes: vec!["*.tmp".into(), "node_modules".into(), "/home/*/.cache".into()],
        exclude_caches: true,
        tags: vec!["weekly".into()],
        schedule: schedule.parse().ok(),
        ..PlanConfig::default()
    };
    Config {
        vaults: vec![
            vault("home", "/srv/backup/home"),
            vault("away", "/mnt/nas/coffer/away"),
            vault("new", "/srv/backup/new"),
        ],
        plans: vec![
            plan(
                "everything",
                &["home", "away"],
                &["/etc", "/home", "/root", "/srv/www"],
                "daily 02:00",
            ),
            plan("documents", &["away"], &["/home/anna/documents"], ""),
        ],
        snapshots: super::snapshots::policies_of_config(),
        ..Config::default()
    }
}

fn disk(asked: &ListDisk) -> DiskWindow {
    let row = |name: &[u8], kind: NodeType, size: Option<u64>, readable: bool| DiskRow {
        name: name.to_vec(),
        kind,
        folder: kind == NodeType::Dir,
        size,
        mtime: Some(NOW - 3 * DAY),
        readable,
    };
    let folder = |name: &str| row(name.as_bytes(), NodeType::Dir, None, true);
    let file = |name: &[u8], size| row(name, NodeType::File, Some(size), true);
    let mut window = DiskWindow {
        folder: asked.folder.clone(),
        ..DiskWindow::default()
    };
    let mut rows = match asked.folder.to_str() {
        Some("/") => ["boot", "etc", "home", "srv", "usr", "var"].map(folder).to_vec(),
        Some("/home") => vec![folder("anna"), row(b"ben", NodeType::Dir, None, false)],
        Some("/home/anna") => vec![
            folder("documents"),
            folder("evil\u{202e}gnp"),
            folder("music"),
            folder("photos"),
            file(b"notes.txt", 4_321),
            file(b"raw\xff\x1b[31m", 77),
            file("very-long-name-".repeat(12).as_bytes(), 9_876_543_210),
        ],
        Some("/home/ben") => {
            window.problem = "You may not list this folder.".into();
            Vec::new()
        }
        _ => Vec::new(),
    };
    rows.retain(|row| row.folder || !asked.folders_only);
    rows.retain(|row| String::from_utf8_lossy(&row.name).contains(&asked.filter));
    window.total = rows.len() as u64;
    window.rows = rows;
    window
}

fn tally(asked: &CountExcludes) -> Tally {
    let drops = |pattern: &String| match pattern.as_str() {
        "*.tmp" => Weight {
            files: 312,
            bytes: 45_678_901,
        },
        "node_modules" => Weight {
            files: 81_234,
            bytes: 1_234_567_890,
        },
        _ => Weight::default(),
    };
    Tally {
        kept: Weight {
            files: 78_579 * asked.paths.len() as u64,
            bytes: 23_456_789_012,
        },
        dropped: asked.excludes.iter().map(drops).collect(),
        other: Weight {
            files: 12,
            bytes: 3_456,
        },
        unreadable: 0,
    }
}

fn keys() -> Vec<KeyRow> {
    let key = |n: u8, current, user: &str, host: &str, days: i64| KeyRow {
        id: Id::of(&[n]),
        current,
        user: user.into(),
        host: host.into(),
        made: Some(NOW - days * DAY),
        problem: String::new(),
    };
    vec![
        key(1, true, "anna", "anna-laptop", 400),
        key(2, false, "root", "evil\u{202e}host", 12),
        KeyRow {
            id: Id::of(&[3]),
            problem: "keys/3 is damaged: it is no key file".into(),
            ..KeyRow::default()
        },
    ]
}

fn locks() -> Vec<LockRow> {
    let lock = |n: u8, host: &str, pid, seconds, exclusive, holder, stale| LockRow {
        id: Id::of(&[n]),
        user: "anna".into(),
        host: host.into(),
        pid,
        since: Some(NOW - seconds),
        exclusive,
        holder,
        stale,
        problem: String::new(),
    };
    vec![
        lock(1, "anna-laptop", 4711, 8_000, true, Holder::Gone, true),
        lock(2, "nas\u{202e}x", 815, 120, false, Holder::Elsewhere, false),
    ]
}

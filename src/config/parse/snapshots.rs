//! `[machines.NAME]`, `[snapshots.NAME]` and `[snapshot-prices]`, and what plans say of snapshots.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::super::{FromSnapshot, MachineConfig, Result, SnapshotPolicy};
use super::check_name;
use super::retention::{self, COUNTS, OTHERS, WITHINS};
use super::table::Table;
use crate::retention::Many;
use crate::schedule::Schedule;
use crate::snapshot::{Consistency, Kind};
use crate::vault::Time;

/// Commands and hooks may take so many seconds at most.
const MOST_SECONDS: u64 = 3600;

const MACHINE_KEYS: &[&str] = &["qmp", "agent"];
const POLICY_KEYS: &[&str] = &[
    "target",
    "targets",
    "at",
    "consistency",
    "hook",
    "hooks",
    "run-before",
    "run-after",
    "hook-seconds",
    "since",
    "limit",
];

/// A list that may be written as one string, or under either of two keys.
fn either(table: &Table, one: &str, several: &str) -> Result<Vec<(String, usize)>> {
    let (key, other) = match (table.get(one), table.get(several)) {
        (Some(_), Some(value)) if one != several => {
            let what = format!("give {one} or {several}, not both");
            return Err(table.source.error(value.span().start, &what));
        }
        (Some(value), _) => (one, value),
        (None, Some(value)) => (several, value),
        (None, None) => return Ok(Vec::new()),
    };
    match other.get_ref().is_str() {
        true => Ok(table.string(key)?.into_iter().collect()),
        false => table.strings(key),
    }
}

pub(super) fn machine(name: &str, at: usize, table: &Table) -> Result<MachineConfig> {
    table.only(MACHINE_KEYS)?;
    check_name(name, at, table)?;
    let path = |key: &str| table.string(key)?.map(|(text, at)| table.path(&text, at)).transpose();
    Ok(MachineConfig {
        name: name.into(),
        qmp: path("qmp")?.ok_or_else(|| table.missing(at, "qmp = \"/run/machine.qmp\""))?,
        agent: path("agent")?,
    })
}

fn consistency(table: &Table, key: &str) -> Result<Option<Consistency>> {
    let Some((text, at)) = table.string(key)? else {
        return Ok(None);
    };
    let level = text.parse::<Consistency>();
    level.map(Some).map_err(|why| table.source.error(at, &why))
}

/// Ready-made hooks, which must be known.
fn hooks(table: &Table, one: &str, several: &str) -> Result<Vec<String>> {
    let mut hooks = Vec::new();
    for (text, at) in either(table, one, several)? {
        text.parse::<crate::snapshot::hooks::Ready>()
            .map_err(|why| table.source.error(at, &why))?;
        hooks.push(text);
    }
    Ok(hooks)
}

fn number(table: &Table, key: &str, most: u64) -> Result<Option<u64>> {
    let Some((n, at)) = table.integer(key)? else {
        return Ok(None);
    };
    let number = u64::try_from(n).ok().filter(|n| (1..=most).contains(n));
    let what = format!("{key} is a number from 1 to {most}");
    number.map(Some).ok_or_else(|| table.source.error(at, &what))
}

/// Whether and how a plan reads from a snapshot.
pub(super) fn from_snapshot(table: &Table) -> Result<Option<FromSnapshot>> {
    let or_live = match table.get("snapshot") {
        Some(value) if value.get_ref().is_str() => match table.string("snapshot")? {
            Some((text, _)) if text == "where-possible" => Some(true),
            Some((text, at)) => {
                let what = format!("snapshot is {text:?}: it can be true, false or \"where-possible\"");
                return Err(table.source.error(at, &what));
            }
            None => None,
        },
        _ => table.boolean("snapshot")?.then_some(false),
    };
    let from = FromSnapshot {
        or_live: or_live.unwrap_or(false),
        consistency: consistency(table, "snapshot-consistency")?,
        hooks: hooks(table, "snapshot-hook", "snapshot-hooks")?,
        before: table.string("snapshot-run-before")?.map(|(command, _)| command),
        after: table.string("snapshot-run-after")?.map(|(command, _)| command),
        hook_seconds: number(table, "snapshot-hook-seconds", MOST_SECONDS)?,
    };
    if from.consistency == Some(Consistency::Memory)
        && let Some((_, at)) = table.string("snapshot-consistency")?
    {
        return Err(table
            .source
            .error(at, "files have no memory: it can be crash, filesystem or application"));
    }
    let keys = super::PLAN_KEYS.iter().filter(|key| key.starts_with("snapshot-"));
    let said = keys.filter_map(|key| table.get(key)).next();
    match (or_live, said) {
        (Some(_), _) => Ok(Some(from)),
        (None, None) => Ok(None),
        // What was set aside for a while stays where it is.
        (None, Some(_)) if table.get("snapshot").is_some() => Ok(None),
        (None, Some(value)) => Err(table
            .source
            .error(value.span().start, "this goes with snapshot = true: say that too")),
    }
}

pub(super) fn policy(name: &str, at: usize, table: &Table) -> Result<SnapshotPolicy> {
    // What is kept by tags is for generations: snapshots have none.
    let keep_keys = OTHERS
        .iter()
        .chain(&COUNTS)
        .chain(&WITHINS)
        .filter(|key| **key != "keep-tags");
    let keys: Vec<&str> = POLICY_KEYS.iter().chain(keep_keys.clone()).copied().collect();
    table.only(&keys)?;
    check_name(name, at, table)?;
    let targets = either(table, "target", "targets")?;
    if targets.is_empty() {
        return Err(table.missing(at, "target = \"/srv\""));
    }
    if !keep_keys.clone().any(|key| table.get(key).is_some()) {
        return Err(table.missing(at, "what it keeps, such as keep-last = 24 or retention-days = 7"));
    }
    let mut schedules = Vec::new();
    for (text, at) in either(table, "at", "at")? {
        let schedule = text.parse::<Schedule>();
        schedules.push(schedule.map_err(|error| table.source.error(at, &error.to_string()))?);
    }
    let consistency = consistency(table, "consistency")?;
    let hooks = hooks(table, "hook", "hooks")?;
    let since = match table.string("since")? {
        None => None,
        Some((text, at)) => {
            let time = Time::parse(&text);
            Some(time.ok_or_else(|| {
                table
                    .source
                    .error(at, "since is a moment such as 2026-11-02T14:00:00+01:00")
            })?)
        }
    };
    Ok(SnapshotPolicy {
        name: name.into(),
        targets: targets.into_iter().map(|(text, _)| text).collect(),
        at: schedules,
        consistency,
        hooks,
        before: table.string("run-before")?.map(|(command, _)| command),
        after: table.string("run-after")?.map(|(command, _)| command),
        hook_seconds: number(table, "hook-seconds", MOST_SECONDS)?,
        keep: retention::retention(table)?,
        since,
        limit: number(table, "limit", 100_000)?.and_then(|n| u32::try_from(n).ok()),
    })
}

/// The key of `[snapshots]` that is no policy.
pub(super) const SAFETY_DAYS: &str = "safety-days";

/// How long what rollbacks keep beforehand stays.
pub(super) fn safety_days(top: &Table) -> Result<Option<Many>> {
    let Some(table) = top.table("snapshots", "[snapshots]")? else {
        return Ok(None);
    };
    let Some(value) = table.get(SAFETY_DAYS) else {
        return Ok(None);
    };
    let days = match value.get_ref() {
        DeValue::String(text) => text.parse().ok().filter(|many| *many == Many::All),
        DeValue::Integer(_) => number(&table, SAFETY_DAYS, 100_000)?
            .and_then(|n| u32::try_from(n).ok())
            .map(Many::Of),
        _ => None,
    };
    days.map(Some).ok_or_else(|| {
        let what =
            "safety-days is a number of days, 1 or more, or \"unlimited\"; a rollback that keeps nothing: --no-safety";
        table.source.error(value.span().start, what)
    })
}

/// `[snapshot-prices]`: whether the price book has such an id is told when it is asked for, as with vaults.
pub(super) fn prices(top: &Table) -> Result<BTreeMap<Kind, String>> {
    let mut prices = BTreeMap::new();
    let Some(table) = top.table("snapshot-prices", "[snapshot-prices]")? else {
        return Ok(prices);
    };
    let keys: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
    table.only(&keys)?;
    for kind in Kind::ALL {
        if let Some((id, _)) = table.string(kind.word())? {
            prices.insert(kind, id);
        }
    }
    Ok(prices)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;
    use crate::snapshot::Kind;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/c.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_rollbacks_keep_stays_as_long_as_is_said() {
        let read = |text: &str| Config::parse(text, Path::new("/etc/coffer.toml"));
        let days = |text: &str| read(text).unwrap().safety_days();
        assert_eq!(days(""), Some(14));
        assert_eq!(days("[snapshots]\nsafety-days = 3\n"), Some(3));
        assert_eq!(days("[snapshots]\nsafety-days = \"unlimited\"\n"), None);
        let both = "[snapshots.a]\ntarget = \"/srv\"\nkeep-last = 1\n[snapshots]\nsafety-days = 3\n";
        assert_eq!((days(both), read(both).unwrap().snapshots.len()), (Some(3), 1));
        for wrong in ["0", "-1", "\"14d\"", "true", "{}"] {
            let error = read(&format!("[snapshots]\nsafety-days = {wrong}\n")).unwrap_err();
            assert!(error.to_string().contains("safety-days"), "{wrong}: {error}");
        }
        assert!(read("[snapshots]\nsafty-days = 3\n").is_err());
    }

    #[test]
    fn machines_and_policies_are_read() {
        let text = "[machines.web]\nqmp = \"/run/web.qmp\"\n\
            [snapshots.hourly]\ntargets = [\"/srv\", \"web\"]\nat = [\"mon-fri 08:00\", \"daily 20:00\"]\n\
            hook = \"sqlite:/srv/a.db\"\nconsistency = \"application\"\nkeep-last = 24\nlimit = 64\n";
        let config = parse(text).unwrap();
        assert_eq!(config.machines[0].qmp, Path::new("/run/web.qmp"));
        let policy = &config.snapshots[0];
        assert_eq!((policy.targets.len(), policy.at.len(), policy.limit), (2, 2, Some(64)));
        assert_eq!(policy.keep.to_string(), "last 24");
    }

    #[test]
    fn snapshots_are_priced_by_what_keeps_them() {
        let config = parse("[snapshot-prices]\nebs = \"aws-ebs-snapshot\"\n").unwrap();
        assert_eq!(
            config.snapshot_prices.get(&Kind::Ebs).map(String::as_str),
            Some("aws-ebs-snapshot")
        );
        let wrong = parse("[snapshot-prices]\nzfs = \"x\"\n").unwrap_err();
        assert!(wrong.starts_with("/c.toml:2:") && wrong.contains("btrfs"), "{wrong}");
    }

    #[test]
    fn plans_say_whether_they_read_from_a_snapshot() {
        let plan = |more: &str| {
            let text = format!("[vaults.v]\npath = \"/v\"\n[plans.p]\npaths = [\"/srv\"]\nvault = \"v\"\n{more}\n");
            parse(&text).map(|config| config.plans[0].snapshot.clone())
        };
        assert_eq!(plan("").unwrap(), None);
        assert_eq!(plan("snapshot = false\nsnapshot-hook = \"sqlite\"").unwrap(), None);
        let whole = plan("snapshot = \"where-possible\"\nsnapshot-hook = \"sqlite\"\nsnapshot-run-after = \"x\"");
        let whole = whole.unwrap().unwrap();
        assert!(whole.or_live && whole.hooks == ["sqlite"] && whole.after.as_deref() == Some("x"));
        assert!(!plan("snapshot = true").unwrap().unwrap().or_live);
        assert!(plan("snapshot = \"maybe\"").unwrap_err().contains("where-possible"));
        assert!(
            plan("snapshot-hook = \"sqlite\"")
                .unwrap_err()
                .starts_with("/c.toml:6:")
        );
        assert!(
            plan("snapshot = true\nsnapshot-consistency = \"memory\"")
                .unwrap_err()
                .contains("no memory")
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let wrong = |text: &str| parse(text).unwrap_err();
        assert!(wrong("[machines.web]\n").contains("qmp = "));
        assert!(wrong("[snapshots.a]\ntarget = \"/srv\"\n").contains("what it keeps"));
        assert!(wrong("[snapshots.a]\nkeep-last = 1\n").contains("target = "));
        let hook = "[snapshots.a]\ntarget = \"/srv\"\nkeep-last = 1\nhook = \"oracle\"\n";
        assert!(wrong(hook).starts_with("/c.toml:4:") && wrong(hook).contains("postgresql"));
        assert!(wrong("[snapshots.a]\ntarget = \"/srv\"\nkeep-last = 1\nkeep-tags = [\"x\"]\n").contains("keep-tags"));
    }
}

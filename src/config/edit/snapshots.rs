//! Adding and removing machines and snapshot policies.

use std::path::Path;

use super::{append, array, key, line, path, remove, retention, string};
use crate::config::{Config, Error, FromSnapshot, MachineConfig, Result, SnapshotPolicy};

/// What is written of how a plan reads from a snapshot.
pub(super) fn of_plan(from: Option<&FromSnapshot>) -> Vec<(&'static str, String)> {
    let Some(from) = from else { return Vec::new() };
    let mut values = vec![(
        "snapshot",
        if from.or_live { "\"where-possible\"" } else { "true" }.to_owned(),
    )];
    if let Some(level) = from.consistency {
        values.push(("snapshot-consistency", string(level.word())));
    }
    match from.hooks.as_slice() {
        [] => {}
        [hook] => values.push(("snapshot-hook", string(hook))),
        hooks => values.push(("snapshot-hooks", array(hooks))),
    }
    if let Some(command) = &from.before {
        values.push(("snapshot-run-before", string(command)));
    }
    if let Some(command) = &from.after {
        values.push(("snapshot-run-after", string(command)));
    }
    if let Some(seconds) = from.hook_seconds {
        values.push(("snapshot-hook-seconds", seconds.to_string()));
    }
    values
}

/// The text with a machine added at its end. Errors when the name is taken.
pub fn add_machine(text: &str, file: &Path, machine: &MachineConfig) -> Result<String> {
    if Config::parse(text, file)?.machine(&machine.name).is_some() {
        return Err(Error::Edit(format!(
            "there is a machine {} in {} already",
            machine.name,
            file.display()
        )));
    }
    let mut section = format!("[machines.{}]\n", key(&machine.name));
    line(&mut section, "qmp", &path(&machine.qmp)?);
    if let Some(agent) = &machine.agent {
        line(&mut section, "agent", &path(agent)?);
    }
    append(text, file, &section)
}

/// The text without this machine's table. Errors when there is none, or a policy still names it.
pub fn remove_machine(text: &str, file: &Path, name: &str) -> Result<String> {
    let config = Config::parse(text, file)?;
    let names = |policy: &&SnapshotPolicy| policy.targets.iter().any(|target| target == name);
    if let Some(policy) = config.snapshots.iter().find(names) {
        return Err(Error::Edit(format!(
            "snapshot policy {} takes machine {name}: remove or change the policy first",
            policy.name
        )));
    }
    remove(text, file, "machines", name)
}

/// The text with a snapshot policy added at its end. Errors when the name is taken.
pub fn add_snapshot_policy(text: &str, file: &Path, policy: &SnapshotPolicy) -> Result<String> {
    if Config::parse(text, file)?.snapshot_policy(&policy.name).is_some() {
        return Err(Error::Edit(format!(
            "there is a snapshot policy {} in {} already",
            policy.name,
            file.display()
        )));
    }
    let mut section = format!("[snapshots.{}]\n", key(&policy.name));
    let mut write = |key: &str, value: &str| line(&mut section, key, value);
    match policy.targets.as_slice() {
        [target] => write("target", &string(target)),
        targets => write("targets", &array(targets)),
    }
    let at: Vec<String> = policy.at.iter().map(ToString::to_string).collect();
    if !at.is_empty() {
        write("at", &array(&at));
    }
    if let Some(level) = policy.consistency {
        write("consistency", &string(level.word()));
    }
    if !policy.hooks.is_empty() {
        write("hooks", &array(&policy.hooks));
    }
    if let Some(command) = &policy.before {
        write("run-before", &string(command));
    }
    if let Some(command) = &policy.after {
        write("run-after", &string(command));
    }
    if let Some(seconds) = policy.hook_seconds {
        write("hook-seconds", &seconds.to_string());
    }
    let kept = retention::values(&policy.keep);
    for (key, value) in &kept {
        write(key, value);
    }
    if kept.is_empty() {
        // The usual period of a plan's generations, which here must be said.
        let days = policy
            .keep
            .period
            .map_or(crate::config::DEFAULT_RETENTION_DAYS, |period| period.days);
        write("retention-days", &days.to_string());
    }
    if let Some(since) = &policy.since {
        write("since", &string(&since.to_string()));
    }
    if let Some(limit) = policy.limit {
        write("limit", &limit.to_string());
    }
    append(text, file, &section)
}

/// The text without this policy's table. Its snapshots stay. Errors when there is none.
pub fn remove_snapshot_policy(text: &str, file: &Path, name: &str) -> Result<String> {
    Config::parse(text, file)?;
    remove(text, file, "snapshots", name)
}

/// The text with a policy of the same name written anew, at the end.
pub fn replace_snapshot_policy(text: &str, file: &Path, policy: &SnapshotPolicy) -> Result<String> {
    let without = remove_snapshot_policy(text, file, &policy.name)?;
    add_snapshot_policy(&without, file, policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::{Many, Policy};

    #[test]
    fn what_is_written_is_read_back() {
        let file = Path::new("/c.toml");
        let policy = SnapshotPolicy {
            name: "hourly of web".into(),
            targets: vec!["/srv".into(), "web".into()],
            at: vec!["mon-fri 08:00".parse().unwrap(), "every 6 hours".parse().unwrap()],
            consistency: Some(crate::snapshot::Consistency::Application),
            hooks: vec!["sqlite:/srv/a.db".into()],
            before: Some("echo \"x\"".into()),
            after: None,
            hook_seconds: Some(9),
            keep: Policy {
                last: Some(Many::Of(24)),
                ..Policy::default()
            },
            since: crate::vault::Time::parse("2026-11-02T14:00:00+01:00"),
            limit: Some(64),
        };
        let machine = MachineConfig {
            name: "web".into(),
            qmp: "/run/web.qmp".into(),
            agent: Some("/run/web.agent".into()),
        };
        let text = add_machine("# mine\n", file, &machine).unwrap();
        let text = add_snapshot_policy(&text, file, &policy).unwrap();
        let config = Config::parse(&text, file).unwrap();
        assert_eq!(
            (&config.machines, &config.snapshots),
            (&vec![machine], &vec![policy.clone()])
        );
        assert!(
            remove_machine(&text, file, "web")
                .unwrap_err()
                .to_string()
                .contains("hourly of web takes")
        );
        let days = SnapshotPolicy {
            keep: Policy::of_days(730),
            ..policy.clone()
        };
        let text = replace_snapshot_policy(&text, file, &days).unwrap();
        assert_eq!(Config::parse(&text, file).unwrap().snapshots, [days]);
        let text = remove_snapshot_policy(&text, file, &policy.name).unwrap();
        assert_eq!(remove_machine(&text, file, "web").unwrap().trim_end(), "# mine");
        let none = remove_snapshot_policy("", file, "x").unwrap_err().to_string();
        assert_eq!(none, "there is no snapshot policy x in /c.toml");
    }
}

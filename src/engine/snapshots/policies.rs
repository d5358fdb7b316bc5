//! Policies: what of a target's snapshots stays, and running one. Cron or a timer starts them (`coffer snapshot policy run`).

use std::collections::BTreeSet;

use super::SnapshotOutcome;
use crate::config::{SnapshotPolicy, suggest};
use crate::engine::question::{SnapshotHooks, SnapshotPolicyPreview, SnapshotPolicyRow, TakeAsked};
use crate::engine::{Engine, Error, Result};
use crate::snapshot::policy::{Fate, Rule, fates};
use crate::snapshot::{MadeBy, Snapshot, Target, Work};

impl Engine {
    /// The policy of this name.
    pub fn snapshot_policy(&self, name: &str) -> Result<SnapshotPolicy> {
        let config = self.config();
        config.snapshot_policy(name).cloned().ok_or_else(|| {
            let meant = suggest(name, config.snapshots.iter().map(|policy| policy.name.as_str()));
            let meant = meant.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
            Error::Usage(format!("there is no snapshot policy {name:?} in the config{meant}"))
        })
    }

    /// What a policy takes.
    fn targets_of(&self, policy: &SnapshotPolicy) -> Result<Vec<Target>> {
        policy.targets.iter().map(|text| self.target(text)).collect()
    }

    /// The names of the policies that take a target.
    pub(super) fn policies_on(&self, target: &Target) -> Vec<String> {
        let config = self.config();
        let takes = |policy: &&SnapshotPolicy| {
            let targets = policy.targets.iter();
            targets
                .filter_map(|text| self.target(text).ok())
                .any(|one| one == *target)
        };
        config
            .snapshots
            .iter()
            .filter(takes)
            .map(|policy| policy.name.clone())
            .collect()
    }

    /// What becomes of a target's snapshots by the config as it is.
    pub fn fates(&self, target: &Target, snapshots: &[Snapshot]) -> Vec<Fate> {
        self.fates_with(target, snapshots, &self.config().snapshots)
    }

    fn fates_with(&self, target: &Target, snapshots: &[Snapshot], policies: &[SnapshotPolicy]) -> Vec<Fate> {
        let rules: Vec<Rule> = policies
            .iter()
            .map(|policy| Rule {
                name: &policy.name,
                keep: &policy.keep,
                since: policy.since,
            })
            .collect();
        let on: BTreeSet<String> = self.policies_on(target).into_iter().collect();
        let limits = policies.iter().filter(|policy| on.contains(&policy.name));
        let limit = limits.filter_map(|policy| policy.limit).min();
        fates(snapshots, &rules, limit, self.now(), &self.settings().zone)
    }

    /// What another rule of a policy would do to the snapshots it has, if it counted for them too.
    pub fn preview_policy(&self, new: &SnapshotPolicy) -> Result<SnapshotPolicyPreview> {
        let mut policies = self.config().snapshots.clone();
        policies.retain(|policy| policy.name != new.name);
        policies.push(new.clone());
        let mut preview = SnapshotPolicyPreview {
            name: new.name.clone(),
            go: Vec::new(),
            go_now: Vec::new(),
        };
        for target in self.targets_of(new)? {
            let snapshots = self.snapshots_of(&target)?;
            let going = |fates: Vec<Fate>| {
                let pairs = snapshots.iter().zip(fates).filter(|(_, fate)| fate.goes);
                pairs.map(|(snapshot, _)| snapshot.clone()).collect::<Vec<_>>()
            };
            preview
                .go
                .extend(going(self.fates_with(&target, &snapshots, &policies)));
            preview.go_now.extend(going(self.fates(&target, &snapshots)));
        }
        Ok(preview)
    }

    /// The policies of the config, with what they have.
    pub fn snapshot_policies(&self) -> Vec<SnapshotPolicyRow> {
        let config = self.config();
        config.snapshots.iter().map(|policy| self.policy_row(policy)).collect()
    }

    fn policy_row(&self, policy: &SnapshotPolicy) -> SnapshotPolicyRow {
        let when: Vec<String> = policy.at.iter().map(|schedule| schedule.words()).collect();
        let mut keeps = policy.keep.to_string();
        if let Some(limit) = policy.limit {
            keeps.push_str(&format!("; at most {limit} of a target"));
        }
        let mut row = SnapshotPolicyRow {
            name: policy.name.clone(),
            targets: policy.targets.clone(),
            when: when.join(", and "),
            keeps,
            consistency: policy.consistency,
            snapshots: 0,
            going: 0,
            last: None,
            next: None,
            problem: String::new(),
        };
        let looked = self.targets_of(policy).and_then(|targets| {
            for target in targets {
                let snapshots = self.snapshots_of(&target)?;
                let fates = self.fates(&target, &snapshots);
                for (snapshot, fate) in snapshots.iter().zip(fates) {
                    if snapshot.made_by == MadeBy::Policy(policy.name.clone()) {
                        row.snapshots += 1;
                        row.going += u64::from(fate.goes);
                        let later = row.last.is_none_or(|last| last.seconds < snapshot.taken.seconds);
                        row.last = if later { Some(snapshot.taken) } else { row.last };
                    }
                }
            }
            Ok(())
        });
        if let Err(error) = looked {
            row.problem = error.to_string();
        }
        row
    }

    /// Takes what a policy takes, then deletes what the rules do not keep. A failed taking deletes nothing.
    pub(super) fn run_policy(&self, name: &str, work: &Work) -> Result<SnapshotOutcome> {
        let policy = self.snapshot_policy(name)?;
        let targets = self.targets_of(&policy)?;
        let asked = TakeAsked {
            targets: targets.clone(),
            consistency: policy.consistency,
            label: String::new(),
            protected: false,
            hooks: SnapshotHooks {
                ready: policy.hooks.clone(),
                before: policy.before.clone(),
                after: policy.after.clone(),
                seconds: policy.hook_seconds,
            },
            made_by: MadeBy::Policy(policy.name.clone()),
        };
        let taken = self.take(asked, work)?;
        let mut deleted = Vec::new();
        for target in &targets {
            let snapshots = self.snapshots_of(target)?;
            let fates = self.fates(target, &snapshots);
            for (snapshot, fate) in snapshots.iter().zip(fates).filter(|(_, fate)| fate.goes) {
                work.cancel.check()?;
                self.keeper(snapshot)?.delete(snapshot, work)?;
                (work.note)(format!("deleted {} of {target}: {}", snapshot.id, fate.words));
                deleted.push(snapshot.clone());
            }
            self.tell_snapshots(target);
        }
        Ok(SnapshotOutcome::Policy { taken, deleted })
    }
}

//! Policies: what of a target's snapshots stays, and running one. Cron or a timer starts them (`coffer snapshot policy run`).

use std::fs::{File, TryLockError};

use super::SnapshotOutcome;
use crate::config::{SnapshotPolicy, edit, suggest};
use crate::engine::question::{SnapshotHooks, SnapshotPolicyPreview, SnapshotPolicyRow, TakeAsked};
use crate::engine::{Engine, Error, Result};
use crate::snapshot::policy::{Fate, Rule, ahead, fates};
use crate::snapshot::{self, MadeBy, RollbackPlan, Snapshot, Target, Work};

impl Engine {
    /// The policy of this name.
    pub fn snapshot_policy(&self, name: &str) -> Result<SnapshotPolicy> {
        let config = self.config();
        config.snapshot_policy(name).cloned().ok_or_else(|| {
            let meant = suggest(name, config.snapshots.iter().map(|policy| policy.name.as_str()));
            Error::UnknownPolicy {
                text: name.into(),
                suggestion: meant.map(Into::into),
            }
        })
    }

    /// What a policy takes.
    pub(in crate::engine) fn targets_of(&self, policy: &SnapshotPolicy) -> Result<Vec<Target>> {
        policy.targets.iter().map(|text| self.target(text)).collect()
    }

    /// Whether a policy takes a target.
    fn takes(&self, policy: &SnapshotPolicy, target: &Target) -> bool {
        let mut targets = policy.targets.iter().filter_map(|text| self.target(text).ok());
        targets.any(|one| one == *target)
    }

    /// The names of the policies that take a target.
    pub fn policies_on(&self, target: &Target) -> Vec<String> {
        let config = self.config();
        let on = config.snapshots.iter().filter(|policy| self.takes(policy, target));
        on.map(|policy| policy.name.clone()).collect()
    }

    /// What becomes of a target's snapshots by the config as it is.
    pub fn fates(&self, target: &Target, snapshots: &[Snapshot]) -> Vec<Fate> {
        self.fates_with(target, snapshots, &self.config().snapshots)
    }

    /// What becomes of them if these were the policies.
    pub(in crate::engine) fn fates_with(
        &self,
        target: &Target,
        snapshots: &[Snapshot],
        policies: &[SnapshotPolicy],
    ) -> Vec<Fate> {
        let rules: Vec<Rule> = policies
            .iter()
            .map(|policy| Rule {
                name: &policy.name,
                keep: &policy.keep,
                since: policy.since,
            })
            .collect();
        let limits = policies.iter().filter(|policy| policy.limit.is_some());
        let on = limits.filter(|policy| self.takes(policy, target));
        let limit = on.filter_map(|policy| policy.limit).min();
        fates(snapshots, &rules, limit, self.now(), &self.settings().zone)
    }

    /// The policies of the config with this one among them, in the place of the one of its name.
    pub(in crate::engine) fn policies_with(&self, new: &SnapshotPolicy) -> Vec<SnapshotPolicy> {
        let mut policies = self.config().snapshots.clone();
        policies.retain(|policy| policy.name != new.name);
        policies.push(new.clone());
        policies
    }

    /// What another rule of a policy would do to the snapshots it has, if it counted for them too.
    pub fn preview_policy(&self, new: &SnapshotPolicy) -> Result<SnapshotPolicyPreview> {
        let policies = self.policies_with(new);
        let mut preview = SnapshotPolicyPreview {
            name: new.name.clone(),
            go: Vec::new(),
            go_now: Vec::new(),
        };
        for target in self.targets_of(new)? {
            let snapshots = self.snapshots_of(&target)?;
            let going = |fates: Vec<Fate>| {
                // What rollbacks kept goes by the day that was told, whatever the rule.
                let by_rule = |snapshot: &Snapshot| !matches!(snapshot.made_by, MadeBy::Safety(_));
                let pairs = snapshots
                    .iter()
                    .zip(fates)
                    .filter(|(snapshot, fate)| fate.goes && by_rule(snapshot));
                pairs.map(|(snapshot, _)| snapshot.clone()).collect::<Vec<_>>()
            };
            preview
                .go
                .extend(going(self.fates_with(&target, &snapshots, &policies)));
            preview.go_now.extend(going(self.fates(&target, &snapshots)));
        }
        Ok(preview)
    }

    /// Writes a policy into the config; what was done, as a sentence. With `spare` its rule counts from now on, and what was
    /// taken before stays.
    pub(in crate::engine) fn save_snapshot_policy(
        &self,
        policy: &SnapshotPolicy,
        new: bool,
        spare: bool,
    ) -> Result<String> {
        let targets = self.targets_of(policy)?;
        let since = if spare { Some(self.now()) } else { policy.since };
        let policy = SnapshotPolicy {
            // A relative path would mean another place to cron.
            targets: targets.iter().map(ToString::to_string).collect(),
            since,
            ..policy.clone()
        };
        let write = match new {
            true => edit::add_snapshot_policy,
            false => edit::replace_snapshot_policy,
        };
        self.edit(|text, file| write(text, file, &policy))?;
        // What becomes of their snapshots is something else now.
        targets.iter().for_each(|target| self.tell_snapshots(target));
        Ok(format!("Saved snapshot policy {}.", policy.name))
    }

    /// Takes a policy out of the config; what was done, as a sentence.
    pub(in crate::engine) fn remove_snapshot_policy(&self, name: &str) -> Result<String> {
        let targets = self.snapshot_policy(name).and_then(|policy| self.targets_of(&policy));
        self.edit(|text, file| edit::remove_snapshot_policy(text, file, name))?;
        for target in targets.unwrap_or_default() {
            self.tell_snapshots(&target);
        }
        Ok(format!(
            "Removed snapshot policy {name} from the config; its snapshots stay."
        ))
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
            next: self.next_run(policy),
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

    /// When a policy is due next, by the clocks of this machine.
    fn next_run(&self, policy: &SnapshotPolicy) -> Option<i64> {
        let (now, zone) = (self.now().seconds, &self.settings().zone);
        policy.at.iter().filter_map(|when| when.next(now, zone)).min()
    }

    /// Keeps a second run of a policy away while one goes on: two would delete by the same list. The system lets go of it
    /// when this is dropped, or when we die.
    fn hold_policy(&self, name: &str) -> Result<File> {
        let folder = self.settings().data.join("snapshot-policies");
        let path = folder.join(format!("{name}.lock"));
        let failed = |source: std::io::Error| Error::Local {
            action: "lock",
            path: path.display().to_string(),
            source,
        };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::PolicyRunning { policy: name.into() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Takes what a policy takes, then deletes what the rules do not keep. A failed taking deletes nothing.
    pub(super) fn run_policy(&self, name: &str, work: &Work) -> Result<SnapshotOutcome> {
        let policy = self.snapshot_policy(name)?;
        let _held = self.hold_policy(name)?;
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
            if let Some(ahead) = ahead(&snapshots, self.now()) {
                (work.note)(format!(
                    "deletes nothing of {target}: {} was taken at {}, later than the clock says it is now. Set the clock right, \
                     or delete those of then (coffer snapshot delete)",
                    ahead.id,
                    ahead.when()
                ));
            }
            for (snapshot, fate) in snapshots.iter().zip(fates).filter(|(_, fate)| fate.goes) {
                // Whatever the rule and the clock, what was asked for is there afterwards.
                if taken.iter().any(|new| new.id == snapshot.id) {
                    continue;
                }
                work.cancel.check()?;
                match self.keeper(snapshot)?.delete(snapshot, work) {
                    Ok(()) => {
                        (work.note)(format!("deleted {} of {target}: {}", snapshot.id, fate.words));
                        deleted.push(snapshot.clone());
                    }
                    // The next run finds it again.
                    Err(error @ snapshot::Error::BeingRead(_)) => (work.note)(format!("left alone for now: {error}")),
                    Err(error) => return Err(error.into()),
                }
            }
            self.tell_snapshots(target);
        }
        Ok(SnapshotOutcome::Policy { taken, deleted })
    }

    /// Deletes what earlier rollbacks of a target kept and whose day has come, but for the one that was just gone back to.
    /// What cannot be deleted stays for the next policy or rollback.
    pub(super) fn drop_old_safeties(&self, plan: &RollbackPlan, work: &Work) {
        let target = &plan.to.target;
        let Ok(snapshots) = self.snapshots_of(target) else {
            return;
        };
        let fates = self.fates(target, &snapshots);
        let over = snapshots.iter().zip(fates).filter(|(snapshot, fate)| {
            fate.goes && matches!(snapshot.made_by, MadeBy::Safety(_)) && snapshot.id != plan.to.id
        });
        for (snapshot, fate) in over {
            let deleted = self
                .keeper(snapshot)
                .and_then(|keeper| Ok(keeper.delete(snapshot, work)?));
            (work.note)(match deleted {
                Ok(()) => format!("deleted {} of {target}: {}", snapshot.id, fate.words),
                Err(error) => format!("{} of {target} could not be deleted: {error}", snapshot.id),
            });
        }
    }
}

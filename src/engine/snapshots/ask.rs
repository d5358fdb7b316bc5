//! Answers to the questions about snapshots.

use super::super::answers::Emit;
use crate::engine::question::{
    Answer, Question, SnapshotAbility, SnapshotAt, SnapshotList, SnapshotRow, SnapshotTargetRow,
};
use crate::engine::{Engine, Error, Result};
use crate::progress::Cancel;
use crate::snapshot::databases::Database;
use crate::snapshot::policy::Fate;
use crate::snapshot::{Found, Kind, Snapshot, Target};

impl Engine {
    /// Answers a question about snapshots.
    pub(in crate::engine) fn answer_on_snapshots(
        &self,
        question: &Question,
        cancel: &Cancel,
        emit: &Emit,
    ) -> Result<Answer> {
        match question {
            Question::SnapshotTargets => self.snapshot_targets(cancel, emit),
            Question::SnapshotAbility { target } => {
                let ability = self.snapshot_ability(target)?;
                Ok(Answer::SnapshotAbility(Box::new(ability)))
            }
            Question::Snapshots { target } => {
                let mut list = self.snapshot_list(target)?;
                emit(Answer::Snapshots(list.clone()), false);
                self.size_snapshots(&mut list, cancel)?;
                Ok(Answer::Snapshots(list))
            }
            Question::PlanRollback { at, safety } => {
                let plan = self.plan_rollback(at, *safety)?;
                Ok(Answer::RollbackPlan(Box::new(plan)))
            }
            Question::SnapshotFolder(asked) => self.snapshot_folder(asked, cancel).map(Answer::SnapshotFolder),
            Question::SnapshotReplaces(asked) => self.snapshot_replaces(asked, cancel).map(Answer::SnapshotReplaced),
            Question::CompareSnapshots(asked) => self.compare_snapshots(asked, cancel).map(Answer::SnapshotChanges),
            Question::SnapshotPolicies => Ok(Answer::SnapshotPolicies(self.snapshot_policies())),
            Question::SnapshotCosts => self.answer_snapshot_costs(cancel, emit).map(Answer::SnapshotCosts),
            Question::SnapshotWhatIf(policy) => {
                let what = self.answer_snapshot_what_if(policy, cancel, emit)?;
                Ok(Answer::SnapshotWhatIf(Box::new(what)))
            }
            Question::Coverage => self.coverage(cancel).map(Answer::Coverage),
            _ => Err(Error::Usage("there is no answer to this".into())),
        }
    }

    /// What can be snapshotted, or could, each once: found by looking, or known.
    pub fn found_targets(&self) -> Vec<Found> {
        let mut found: Vec<Found> = self
            .providers()
            .into_iter()
            .flat_map(|provider| provider.discover())
            .collect();
        for target in self.known_targets() {
            if found.iter().all(|one| one.target != target) {
                let kind = crate::snapshot::kind_of(&target);
                let problem = kind.as_ref().err().map(ToString::to_string);
                found.push(Found {
                    kind: kind.unwrap_or(Kind::Reflink),
                    about: "snapshotted before".into(),
                    size: None,
                    problem,
                    target,
                });
            }
        }
        found
    }

    /// Adds what only others far away can tell; `complain` is told who cannot be asked.
    pub fn survey_targets(&self, found: &mut Vec<Found>, complain: impl Fn(String)) {
        for provider in self.providers() {
            match provider.survey() {
                Ok(all) => {
                    let new = all
                        .into_iter()
                        .filter(|one| found.iter().all(|known| known.target != one.target));
                    let new: Vec<Found> = new.collect();
                    found.extend(new);
                }
                Err(error) => complain(error.to_string()),
            }
        }
    }

    fn snapshot_targets(&self, cancel: &Cancel, emit: &Emit) -> Result<Answer> {
        let mut found = self.found_targets();
        let row = |found: &Found| SnapshotTargetRow {
            name: found.target.to_string(),
            policies: self.policies_on(&found.target),
            found: found.clone(),
            last: None,
            snapshots: None,
            taken: None,
            warnings: Vec::new(),
        };
        let mut rows: Vec<SnapshotTargetRow> = found.iter().map(row).collect();
        emit(Answer::SnapshotTargets(rows.clone()), false);
        let fill = |rows: &mut [SnapshotTargetRow]| {
            for row in rows {
                cancel.check()?;
                if let Ok(all) = self.snapshots_of(&row.found.target) {
                    row.snapshots = Some(all.len() as u64);
                    row.last = all.into_iter().next_back();
                }
            }
            Ok::<_, Error>(())
        };
        fill(&mut rows)?;
        // What is far away is told last, so that nobody waits for it; and only what the config names is asked unbidden.
        let near = found.len();
        if !self.config().clouds.is_empty() {
            self.survey_targets(&mut found, |error| tracing::warn!("{error}"));
        }
        if found.len() > near {
            emit(Answer::SnapshotTargets(rows.clone()), false);
            rows.extend(found[near..].iter().map(row));
            fill(&mut rows[near..])?;
        }
        Ok(Answer::SnapshotTargets(rows))
    }

    /// What can be had of a target now, and which ready-made hooks fit.
    pub fn snapshot_ability(&self, target: &Target) -> Result<SnapshotAbility> {
        let ability = self.provider(target)?.preflight(target)?;
        let is_there = |kind: &Database| {
            let writes = |writer: &crate::snapshot::Writer| writer.database.as_deref() == Some(kind.name());
            ability.writers.iter().any(writes)
        };
        let hooks = Database::ALL.into_iter().filter(is_there);
        Ok(SnapshotAbility {
            target: target.clone(),
            hooks: hooks.map(|kind| kind.hook().to_owned()).collect(),
            ability,
        })
    }

    /// The snapshots of a target, not sized yet.
    pub fn snapshot_list(&self, target: &Target) -> Result<SnapshotList> {
        let snapshots = self.snapshots_of(target)?;
        let fates = self.fates(target, &snapshots);
        let row = |(snapshot, fate): (Snapshot, Fate)| SnapshotRow {
            snapshot,
            size: None,
            monthly: None,
            fate: fate.words,
        };
        Ok(SnapshotList {
            rows: snapshots.into_iter().zip(fates).map(row).collect(),
            target: target.clone(),
            sized: false,
            notes: Vec::new(),
        })
    }

    /// Adds what each one takes. What cannot be told stays unknown.
    pub fn size_snapshots(&self, list: &mut SnapshotList, cancel: &Cancel) -> Result<()> {
        for row in &mut list.rows {
            cancel.check()?;
            row.size = self.keeper(&row.snapshot)?.size(&row.snapshot).ok();
        }
        if !list.rows.is_empty()
            && let Ok(provider) = self.provider(&list.target)
            && let Ok(Some(note)) = provider.sizing(&list.target)
        {
            list.notes.push(note);
        }
        self.price_snapshots(list);
        list.sized = true;
        Ok(())
    }

    /// What going back to a snapshot would do.
    pub fn plan_rollback(&self, at: &SnapshotAt, safety: bool) -> Result<crate::snapshot::RollbackPlan> {
        let snapshot = self.snapshot(at)?;
        let mut plan = self.keeper(&snapshot)?.plan_rollback(&snapshot, safety)?;
        if let Some(days) = self.config().safety_days().filter(|_| plan.safety) {
            plan.steps.push(format!(
                "The safety snapshot goes by itself after {}, with the next policy or rollback there; protected, it stays.",
                crate::text::counted(u64::from(days), "day", "days")
            ));
        }
        Ok(plan)
    }
}

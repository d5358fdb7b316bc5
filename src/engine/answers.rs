//! The answers to the interface's questions.

use std::time::{Duration, Instant};

use super::desk::Asked;
use super::question::{
    Answer, GenerationRow, Overwrite, PlanRow, PriceRow, Question, SelectionRules, TreePath, VaultRow,
};
use super::{Engine, Error, OpenVault, PasswordGiven, Result, Selection};
use crate::catalog::{Totals, VaultRecord};
use crate::progress::{Cancel, Progress};
use crate::restore::{self, Rules};
use crate::text::said;
use crate::vault::lock::LockKind;
use crate::vault::prune::{PruneOptions, PrunePlan};
use crate::vault::{self, Generation, Id};

/// How often unfinished totals are told.
pub(super) const PARTLY_EVERY: Duration = Duration::from_millis(250);

/// Where answers go: the answer, and whether it is the last to its question.
pub(super) type Emit<'a> = dyn Fn(Answer, bool) + 'a;

impl Engine {
    /// Answers from the catalog and from memory. `false` when that is not enough (a first part may have been told).
    pub(super) fn answer_quickly(&self, asked: &Asked, emit: &Emit) -> bool {
        let Asked::Question(question) = asked else { return false };
        let answer = match question {
            Question::Vaults => self.vaults().map(Answer::Vaults).map(Some),
            Question::Plans => Ok(Some(Answer::Plans(self.plans()))),
            Question::Generations { vault } => {
                if let Ok(known) = self
                    .find(vault)
                    .and_then(|place| Ok(self.catalog().generations(&place.key())?))
                    && !known.is_empty()
                {
                    emit(Answer::Generations(known.iter().map(to_row).collect()), false);
                }
                Ok(None)
            }
            Question::Folder { .. } => self.folder(None, question, &Cancel::default()),
            Question::Weigh {
                vault,
                generation,
                folder,
            } => self.weigh_folders(None, vault, generation, folder, &Cancel::default(), emit),
            Question::Versions {
                vault,
                generation,
                path,
            } => self.versions(None, vault, generation, path, &Cancel::default(), emit),
            // The disk can hang as any vault can.
            Question::Content { .. } | Question::Compare { .. } => Ok(None),
            // They have a lane of their own.
            Question::Search(_) | Question::Changes(_) => Ok(None),
            Question::Totals {
                vault,
                generation,
                rules,
            } => {
                let selection = Selection::from_rules(rules);
                self.totals(None, vault, generation, &selection, &Cancel::default(), &mut |_| {})
            }
            Question::Overview => match self.overview(false) {
                Ok(known) => {
                    emit(Answer::Overview(Box::new(known)), false);
                    Ok(None)
                }
                Err(error) => Err(error),
            },
            Question::Runs { vault } => self.runs(vault).map(Answer::Runs).map(Some),
            Question::PreviewRestore(_) | Question::PlanPrune { .. } => Ok(None),
            Question::WhatIf(asked) => self.what_if_quickly(asked),
            Question::GenerationCosts { vault } => self.generation_costs_quickly(vault),
            Question::Lost(_) => Ok(None),
            Question::VaultCosts => self.vault_costs().map(Answer::VaultCosts).map(Some),
            Question::Prices => Ok(Some(Answer::Prices(self.price_rows()))),
            Question::Keys { .. } | Question::Locks { .. } => Ok(None),
            // The system is asked, which may take its time.
            Question::SnapshotTargets
            | Question::SnapshotAbility { .. }
            | Question::Snapshots { .. }
            | Question::PlanRollback { .. }
            | Question::SnapshotFolder(_)
            | Question::SnapshotReplaces(_)
            | Question::CompareSnapshots(_)
            | Question::SnapshotPolicies
            | Question::SnapshotCosts
            | Question::SnapshotWhatIf(_)
            | Question::Coverage => Ok(None),
            Question::Config => Ok(Some(Answer::Config(self.config_now()))),
            // Even a local folder may lie on a server that does not answer.
            Question::Disk(_) | Question::Excludes(_) => Ok(None),
            Question::RestoreConflicts(asked) => self.restore_conflicts(asked).map(Some),
            Question::Jobs { limit } => self.job_rows(*limit as usize).map(Answer::Jobs).map(Some),
            Question::Issues { job } => self.job_issues(*job).map(Answer::Issues).map(Some),
            Question::JobLog { job } => self.job_log(*job).map(Answer::JobLog).map(Some),
        };
        match answer {
            Ok(Some(answer)) => emit(answer, true),
            Ok(None) => return false,
            Err(error) => emit(Answer::Failed(said(error)), true),
        }
        true
    }

    /// Answers from the catalog alone, over which it may take a while. `false` when that is not enough.
    pub(super) fn answer_from_catalog(&self, asked: &Asked, cancel: &Cancel, emit: &Emit) -> bool {
        let answer = match asked {
            Asked::Question(Question::Search(asked)) => self.search(asked, cancel, emit).map(Some),
            Asked::Question(Question::Changes(asked)) => self.changes(None, asked, cancel, emit),
            _ => Ok(None),
        };
        match answer {
            Ok(Some(answer)) => emit(answer, true),
            Ok(None) => return false,
            Err(error) => emit(Answer::Failed(said(error)), true),
        }
        true
    }

    /// Answers with the help of the vault.
    pub(super) fn answer_slowly(&self, asked: &mut Asked, cancel: &Cancel, emit: &Emit) {
        let (vault, answer) = match asked {
            Asked::Question(Question::Overview) => {
                let told = |overview| Answer::Overview(Box::new(overview));
                let overview = self.overview_of_all(&|partly| emit(told(partly), false), cancel);
                (String::new(), overview.map(told))
            }
            Asked::Question(Question::Disk(asked)) => (String::new(), super::setup::disk::list_disk(asked, cancel)),
            Asked::Question(Question::Excludes(asked)) => (
                String::new(),
                super::setup::disk::count_excludes(asked, &self.config(), cancel, emit),
            ),
            Asked::Change(change) => self.answer_change(change),
            Asked::Open(vault, password) => {
                let opened = self.open(vault, PasswordGiven::Bytes(password.clone()));
                let opened = opened.and_then(|open| self.generations(&open));
                let answer = opened.map(|_| Answer::Opened { vault: vault.clone() });
                (vault.clone(), answer)
            }
            Asked::Question(
                question @ (Question::SnapshotTargets
                | Question::SnapshotAbility { .. }
                | Question::Snapshots { .. }
                | Question::PlanRollback { .. }
                | Question::SnapshotFolder(_)
                | Question::SnapshotReplaces(_)
                | Question::CompareSnapshots(_)
                | Question::SnapshotPolicies
                | Question::SnapshotCosts
                | Question::SnapshotWhatIf(_)
                | Question::Coverage),
            ) => (String::new(), self.answer_on_snapshots(question, cancel, emit)),
            Asked::Question(Question::Content { file, limit }) => (
                file.vault().to_owned(),
                self.content(file, *limit, cancel).map(Answer::Content),
            ),
            Asked::Question(Question::Compare { before, after }) => (
                after.vault().to_owned(),
                self.compare_files(before, after, cancel).map(Answer::Comparison),
            ),
            Asked::Question(question) => {
                let vault = match question {
                    Question::Generations { vault }
                    | Question::Folder { vault, .. }
                    | Question::Weigh { vault, .. }
                    | Question::Versions { vault, .. }
                    | Question::Totals { vault, .. }
                    | Question::GenerationCosts { vault }
                    | Question::Keys { vault }
                    | Question::PlanPrune { vault }
                    | Question::Locks { vault } => vault.clone(),
                    Question::PreviewRestore(asked) => asked.vault.clone(),
                    Question::Changes(asked) => asked.compared.vault.clone(),
                    Question::WhatIf(asked) => asked.vault.clone(),
                    Question::Lost(asked) => asked.what_if.vault.clone(),
                    _ => String::new(),
                };
                let open = self.open(&vault, PasswordGiven::Configured);
                (
                    vault,
                    open.and_then(|open| self.answer_with(&open, question, cancel, emit)),
                )
            }
        };
        let answer = answer.unwrap_or_else(|error| match error {
            Error::PasswordNeeded { .. } => Answer::PasswordNeeded {
                vault,
                problem: String::new(),
            },
            Error::PasswordSource { .. } | Error::Vault(vault::Error::WrongPassword { .. }) => Answer::PasswordNeeded {
                vault,
                problem: said(error),
            },
            error => Answer::Failed(self.held_by_a_job(&vault, &error).unwrap_or_else(|| said(error))),
        });
        emit(answer, true);
    }

    /// A lock that a job of this very process holds is no failure: it is asked again when the job ends.
    fn held_by_a_job(&self, vault: &str, error: &Error) -> Option<String> {
        let Some(vault::Error::Locked { .. }) = error.vault() else {
            return None;
        };
        let running = self.running();
        let job = running.iter().find(|job| job.info.vault == vault)?;
        let kind = job.info.kind.word();
        let id = job.info.id;
        Some(format!(
            "waits for job {id}, {kind}, which holds the vault: the answer comes when that has ended"
        ))
    }

    fn answer_with(&self, open: &OpenVault, question: &Question, cancel: &Cancel, emit: &Emit) -> Result<Answer> {
        let answer = match question {
            Question::PlanPrune { .. } => {
                let _lock = open.vault().lock(LockKind::Reading)?;
                let indexed = open.indexed(cancel)?;
                let plan = PrunePlan::make(&indexed, &PruneOptions::default(), &Progress::default(), cancel)?;
                Some(Answer::PrunePlan(*plan.figures()))
            }
            Question::Keys { .. } => Some(super::setup::holders::keys(open)?),
            Question::Locks { .. } => Some(super::setup::holders::locks(open)?),
            Question::Generations { .. } => {
                Some(Answer::Generations(self.list(open, true)?.iter().map(to_row).collect()))
            }
            Question::Folder { .. } => self.folder(Some(open), question, cancel)?,
            Question::Weigh {
                vault,
                generation,
                folder,
            } => self.weigh_folders(Some(open), vault, generation, folder, cancel, emit)?,
            Question::Versions {
                vault,
                generation,
                path,
            } => self.versions(Some(open), vault, generation, path, cancel, emit)?,
            Question::Totals {
                vault,
                generation,
                rules,
            } => {
                let selection = Selection::from_rules(rules);
                let mut told = Instant::now();
                let mut partly = |totals: Totals| {
                    if told.elapsed() >= PARTLY_EVERY {
                        told = Instant::now();
                        emit(Answer::Totals(totals), false);
                    }
                };
                self.totals(Some(open), vault, generation, &selection, cancel, &mut partly)?
            }
            Question::Changes(asked) => self.changes(Some(open), asked, cancel, emit)?,
            Question::WhatIf(asked) => Some(self.what_if_slowly(open, asked, cancel, emit)?),
            Question::Lost(asked) => Some(self.lost(open, asked, cancel, emit)?),
            Question::GenerationCosts { vault } => Some(self.generation_costs(open, vault, cancel, emit)?),
            Question::PreviewRestore(asked) => Some(self.preview_restore(open, asked, cancel, emit)?),
            _ => None,
        };
        answer.ok_or_else(|| Error::Usage("there is no answer to this".into()))
    }

    pub(super) fn vaults(&self) -> Result<Vec<VaultRow>> {
        let config = self.config();
        let known = self.catalog().vaults()?;
        let mut places = Vec::new();
        for vault in &config.vaults {
            places.push(self.find(&vault.name)?);
        }
        let opened: Vec<_> = {
            let slots = self.0.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            slots.keys().cloned().collect()
        };
        let mut by_folder: Vec<_> = opened
            .into_iter()
            .filter(|path| places.iter().all(|p| p.path != *path))
            .collect();
        by_folder.sort();
        for path in by_folder {
            places.push(super::open::Place {
                name: path.display().to_string(),
                path,
                config: None,
            });
        }
        let rows = places.into_iter().map(|place| {
            let location = place.key();
            let seen: Option<&VaultRecord> = known.iter().find(|record| record.place == location);
            let problem = self
                .standing(&place.path)
                .map(|(_, problem)| problem)
                .unwrap_or_default();
            VaultRow {
                name: place.name,
                generations: seen.map(|seen| seen.generations),
                latest: seen.and_then(|seen| seen.newest),
                stored: seen.and_then(|seen| seen.stored),
                location,
                problem,
            }
        });
        Ok(rows.collect())
    }

    /// A row for each plan and vault.
    fn plans(&self) -> Vec<PlanRow> {
        let config = self.config();
        let rows = config.plans.iter().flat_map(|plan| {
            plan.vaults.iter().map(|vault| PlanRow {
                name: plan.name.clone(),
                vault: vault.clone(),
                paths: plan.paths.clone(),
            })
        });
        rows.collect()
    }

    /// A row for each price that can be named.
    fn price_rows(&self) -> Vec<PriceRow> {
        let config = self.config();
        let rows = config.prices.book.iter().map(|price| PriceRow {
            id: price.id.clone(),
            name: price.title(),
            terms: price.terms(),
            source: price.known_by(),
            own: price.own,
        });
        rows.collect()
    }

    fn totals(
        &self,
        open: Option<&OpenVault>,
        vault: &str,
        generation: &Id,
        selection: &Selection,
        cancel: &Cancel,
        partly: &mut dyn FnMut(Totals),
    ) -> Result<Option<Answer>> {
        let place = self.find(vault)?.key();
        let Some(root) = self.root(open, &place, generation)? else {
            return Ok(None);
        };
        Ok(self.weigh(open, root, selection, cancel, partly)?.map(Answer::Totals))
    }
}

fn to_row(generation: &Generation) -> GenerationRow {
    let summary = generation.summary.as_ref();
    GenerationRow {
        id: generation.id,
        time: generation.time.seconds,
        host: generation.hostname.clone(),
        paths: generation.paths.clone(),
        tags: generation.tags.clone(),
        files: summary.map(|summary| summary.total_files_processed),
        logical: summary.map(|summary| summary.total_bytes_processed),
        added: summary.map(|summary| summary.data_added_packed),
        parent: generation.parent,
        user: generation.username.clone(),
        program: generation.program_version.clone(),
        changes: summary.map(|summary| (summary.files_new, summary.files_changed)),
        took: summary.and_then(|summary| {
            let (start, end) = (summary.backup_start.seconds, summary.backup_end.seconds);
            u64::try_from(end.checked_sub(start)?).ok()
        }),
    }
}

/// The interface's rules as the restore takes them. Outer rules first: a rule set there undoes those below it.
pub(super) fn to_rules(rules: &SelectionRules) -> Rules {
    let mut out = Rules::new();
    for (path, picked) in Selection::from_rules(rules).turns() {
        // A name with a slash or none is hostile; it is never restored, and joined it would mean another path.
        if path.iter().all(|name| crate::vault::tree::is_safe_name(name)) {
            let path = path.join(&b'/');
            if picked { out.include(&path) } else { out.exclude(&path) }
        }
    }
    out
}

pub(super) fn to_path(path: &[u8]) -> TreePath {
    path.split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty())
        .map(<[u8]>::to_vec)
        .collect()
}

pub(super) fn to_overwrite(overwrite: Overwrite) -> restore::Overwrite {
    match overwrite {
        Overwrite::Always => restore::Overwrite::Always,
        Overwrite::IfChanged => restore::Overwrite::IfChanged,
        Overwrite::IfNewer => restore::Overwrite::IfNewer,
        Overwrite::Never => restore::Overwrite::Never,
    }
}

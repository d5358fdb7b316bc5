//! Jobs as the interface follows them, of this process and of others: state, progress, a speed that does not jump about, and
//! a time left that is told only once it can be believed.

use std::collections::VecDeque;
use std::sync::Arc;

use super::msg::Moment;
use crate::engine::{JobId, JobInfo, JobKind, JobRow, JobState};
use crate::progress::ProgressSample;
use crate::text;

/// How far back the speed looks, in milliseconds.
const SPEED_SPAN: u64 = 5_000;
/// Seconds of throughput that are kept.
const SECONDS: usize = 120;
/// Seconds for which a job must have run at a like speed before a time left is told.
const STEADY: usize = 5;

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    /// What it is.
    pub info: Arc<JobInfo>,
    /// What it is called.
    pub title: String,
    /// Where it stands.
    pub state: JobState,
    /// How far it is.
    pub sample: ProgressSample,
    /// When it ended, in seconds since 1970.
    pub ended: Option<i64>,
    /// How many issues it reported, if the history says.
    pub issues: u64,
    /// When this process saw it start, in milliseconds; `None` for a job of another process or of the history.
    pub since: Option<u64>,
    /// Time and bytes of the last seconds.
    history: VecDeque<(u64, u64)>,
    /// Bytes of each whole second, oldest first, and where the second begun now started.
    seconds: VecDeque<u64>,
    second: Option<(u64, u64)>,
}

impl Job {
    fn new(info: Arc<JobInfo>, state: JobState, since: Option<u64>) -> Job {
        let title = harmless(title(&info));
        Job {
            info,
            title,
            state,
            sample: ProgressSample::default(),
            ended: None,
            issues: 0,
            since,
            history: VecDeque::new(),
            seconds: VecDeque::new(),
            second: None,
        }
    }

    /// Whether it runs, here or elsewhere.
    pub fn runs(&self) -> bool {
        !self.state.has_ended()
    }

    /// Whether it is a job of this process.
    pub fn here(&self) -> bool {
        self.since.is_some()
    }

    /// Takes a sample.
    fn progress(&mut self, sample: ProgressSample, at: u64) {
        let bytes = sample.bytes_done;
        self.history.push_back((at, bytes));
        while self.history.len() > 2 && self.history.front().is_some_and(|(t, _)| t + SPEED_SPAN < at) {
            self.history.pop_front();
        }
        let (start, before) = *self.second.get_or_insert((at, bytes));
        let whole = at.saturating_sub(start) / 1000;
        // A second that no sample fell into shares with those around it.
        if let Some(each) = bytes.saturating_sub(before).checked_div(whole) {
            for _ in 0..whole.min(SECONDS as u64) {
                self.seconds.push_back(each);
            }
            while self.seconds.len() > SECONDS {
                self.seconds.pop_front();
            }
            self.second = Some((start + whole * 1000, bytes));
        }
        self.sample = sample;
    }

    /// Bytes a second over the last few seconds, once there is something to tell.
    pub fn speed(&self) -> Option<u64> {
        let ((t0, b0), (t1, b1)) = (self.history.front()?, self.history.back()?);
        let millis = t1.checked_sub(*t0).filter(|ms| *ms >= 500)?;
        Some(u64::try_from(u128::from(b1.saturating_sub(*b0)) * 1000 / u128::from(millis)).unwrap_or(u64::MAX))
    }

    /// Bytes of each of the last whole seconds, oldest first, at most so many.
    pub fn throughput(&self, seconds: usize) -> impl Iterator<Item = u64> {
        let skipped = self.seconds.len().saturating_sub(seconds);
        self.seconds.iter().skip(skipped).copied()
    }

    /// The done part of the whole, 0 to 1, once the whole is known.
    pub fn fraction(&self) -> Option<f64> {
        let sample = &self.sample;
        if !sample.totals_known {
            return None;
        }
        let (done, total) = match sample.bytes_total {
            0 => (sample.files_done, sample.files_total),
            bytes => (sample.bytes_done, bytes),
        };
        (total > 0).then(|| (done as f64 / total as f64).clamp(0.0, 1.0))
    }

    /// Seconds left, once the speed has been much the same for a few seconds: a number that jumps about tells nothing.
    pub fn seconds_left(&self) -> Option<u64> {
        let left = self.sample.bytes_total.checked_sub(self.sample.bytes_done)?;
        if !self.sample.totals_known || self.seconds.len() < STEADY {
            return None;
        }
        let mean =
            |seconds: usize| self.throughput(seconds).sum::<u64>() / (self.seconds.len().min(seconds) as u64).max(1);
        let (lately, longer) = (mean(STEADY), mean(STEADY * 4));
        let steady = lately > 0 && lately.saturating_mul(2) >= longer && lately / 2 <= longer;
        // The longer look, so that the number falls by a second a second.
        steady.then(|| left / longer.max(1))
    }
}

/// What a job is called when nothing better is known.
fn title(info: &JobInfo) -> String {
    let what = match info.kind {
        JobKind::Backup => "Back up",
        JobKind::DryBackup => "Try to back up",
        JobKind::Restore => "Restore",
        JobKind::Check => "Check",
        JobKind::Forget => "Delete generations",
        JobKind::Prune => "Give back space of",
        JobKind::Tag => "Change tags",
        JobKind::Unlock => "Unlock",
        JobKind::Snapshot => "Snapshot",
        JobKind::Rollback => "Roll back",
        JobKind::DeleteSnapshots => "Delete snapshots of",
        JobKind::CloneSnapshot => "Clone a snapshot of",
        JobKind::RestoreSnapshot => "Restore files from a snapshot of",
    };
    match &info.plan {
        Some(plan) => format!("{what} {plan} to {}", info.vault),
        None if info.kind == JobKind::Restore => format!("{what} from {}", info.vault),
        None => format!("{what} {}", info.vault),
    }
}

/// A title that can be shown. Those made from names that were made harmless before stay as they are.
fn harmless(title: String) -> String {
    let escaped = text::escape(title.as_bytes());
    if escaped.replace("\\\\", "\\") == title {
        title
    } else {
        escaped
    }
}

/// All jobs known, newest first.
#[derive(Debug, Default)]
pub struct Jobs {
    all: Vec<Job>,
    /// When other processes were last asked what runs, in milliseconds.
    pub looked: Option<u64>,
}

impl Jobs {
    /// How many.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All, newest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.all.iter()
    }

    /// The job of this number.
    pub fn get(&self, id: JobId) -> Option<&Job> {
        self.all.iter().find(|job| job.info.id == id)
    }

    /// Those that run, here or elsewhere, oldest first.
    pub fn running(&self) -> impl Iterator<Item = &Job> {
        self.all.iter().rev().filter(|job| job.runs())
    }

    /// Those that run in this process, oldest first.
    pub fn running_here(&self) -> impl Iterator<Item = &Job> {
        self.running().filter(|job| job.here())
    }

    /// Whether other processes run jobs, as far as is known.
    pub fn some_elsewhere(&self) -> bool {
        self.running().any(|job| !job.here())
    }

    fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.all.iter_mut().find(|job| job.info.id == id)
    }

    /// A job of this process goes by this state.
    pub fn change(&mut self, info: Arc<JobInfo>, state: JobState, at: Moment) {
        let ended = state.has_ended().then_some(at.unix);
        match self.get_mut(info.id) {
            Some(job) => {
                // A job that has ended stays ended, whatever comes late.
                if !job.state.has_ended() || job.since.is_none() {
                    job.state = state;
                    job.ended = ended;
                    job.since = job.since.or(Some(at.millis));
                }
            }
            None => self.add(Job {
                ended,
                ..Job::new(info, state, Some(at.millis))
            }),
        }
    }

    /// Gives a job its name.
    pub fn name(&mut self, id: JobId, title: String) {
        if let Some(job) = self.get_mut(id) {
            job.title = harmless(title);
        }
    }

    /// Takes how far the running jobs are.
    pub fn progress(&mut self, samples: Vec<(JobId, ProgressSample)>, at: u64) {
        for (id, sample) in samples {
            if let Some(job) = self.get_mut(id) {
                job.progress(sample, at);
            }
        }
    }

    /// Takes the history, and how far jobs of other processes are; what this process knows itself stays. Gives those of
    /// other processes that have ended since they were last seen running.
    pub fn remember(&mut self, rows: Vec<JobRow>, at: u64) -> Vec<JobId> {
        let mut ended = Vec::new();
        for row in rows {
            if self.get(row.info.id).is_none() {
                self.add(Job::new(Arc::new(row.info.clone()), row.state.clone(), None));
            }
            let Some(job) = self.get_mut(row.info.id) else { continue };
            job.issues = row.issues;
            if job.here() {
                continue;
            }
            if job.runs() && row.state.has_ended() {
                ended.push(row.info.id);
            }
            if !row.title.is_empty() {
                job.title = harmless(row.title);
            }
            job.state = row.state;
            job.ended = row.ended.map(|t| t.seconds);
            if job.runs() {
                job.progress(row.progress, at);
            } else {
                job.sample = row.progress;
            }
        }
        ended
    }

    fn add(&mut self, job: Job) {
        let at = self.all.partition_point(|other| other.info.id > job.info.id);
        self.all.insert(at, job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::msg::Moment;
    use crate::vault::Time;

    fn info(id: JobId) -> Arc<JobInfo> {
        Arc::new(JobInfo {
            id,
            kind: JobKind::Restore,
            vault: "v".into(),
            plan: None,
            started: Time::default(),
        })
    }

    #[test]
    fn speed_and_time_left_come_from_the_last_seconds() {
        let mut jobs = Jobs::default();
        jobs.change(info(1), JobState::Running, Moment::default());
        let sample = |bytes_done| ProgressSample {
            bytes_done,
            bytes_total: 10_000,
            totals_known: true,
            ..Default::default()
        };
        jobs.progress(vec![(1, sample(0))], 0);
        assert_eq!(jobs.get(1).unwrap().speed(), None);
        for second in 1..=8u64 {
            jobs.progress(vec![(1, sample(second * 1000))], second * 1000);
        }
        let job = jobs.get(1).unwrap();
        assert_eq!((job.speed(), job.seconds_left()), (Some(1000), Some(2)));
        assert_eq!(job.throughput(3).collect::<Vec<_>>(), [1000; 3]);
        assert_eq!(job.fraction(), Some(0.8));
    }

    #[test]
    fn an_ended_job_stays_ended() {
        let mut jobs = Jobs::default();
        jobs.change(info(1), JobState::Running, Moment::default());
        jobs.change(info(2), JobState::Running, Moment::default());
        jobs.change(info(1), JobState::Cancelled { cleaned: true }, Moment::default());
        jobs.change(info(1), JobState::Running, Moment::default());
        assert_eq!(jobs.running().map(|job| job.info.id).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn no_time_left_is_told_while_the_speed_jumps() {
        let mut jobs = Jobs::default();
        jobs.change(info(1), JobState::Running, Moment::default());
        let mut told = Vec::new();
        let mut done = 0;
        for second in 0..=16u64 {
            // Ten seconds of slow small files, then large ones.
            done += if second < 10 { 10 } else { 1_000 };
            let sample = ProgressSample {
                bytes_done: done,
                bytes_total: 1_000_000,
                totals_known: true,
                ..Default::default()
            };
            jobs.progress(vec![(1, sample)], second * 1000);
            told.push(jobs.get(1).unwrap().seconds_left().is_some());
        }
        assert_eq!(told.iter().position(|told| *told), Some(STEADY), "{told:?}");
        assert!(!told[12], "{told:?}");
    }

    #[test]
    fn a_job_of_another_process_is_followed_and_its_end_is_told_once() {
        let mut jobs = Jobs::default();
        let row = |state: JobState, bytes_done| JobRow {
            info: (*info(7)).clone(),
            title: "Restore etc".into(),
            state,
            ended: None,
            progress: ProgressSample {
                bytes_done,
                ..Default::default()
            },
            issues: 0,
            here: false,
        };
        assert!(jobs.remember(vec![row(JobState::Running, 0)], 0).is_empty());
        assert!(jobs.remember(vec![row(JobState::Running, 3000)], 3000).is_empty());
        assert!(jobs.some_elsewhere() && jobs.running_here().next().is_none());
        let job = jobs.get(7).unwrap();
        assert_eq!((job.title.as_str(), job.speed()), ("Restore etc", Some(1000)));
        let done = || row(JobState::Cancelled { cleaned: true }, 3000);
        assert_eq!(jobs.remember(vec![done()], 4000), [7]);
        assert!(jobs.remember(vec![done()], 5000).is_empty());
        assert!(!jobs.some_elsewhere());
    }
}

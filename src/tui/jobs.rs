//! Jobs as the interface follows them: state, progress, and a speed that does not jump about.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::{JobId, JobInfo, JobKind, JobRow, JobState};
use crate::progress::ProgressSample;

/// How far back the speed looks, in milliseconds.
const SPEED_SPAN: u64 = 5_000;

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
    /// When this process saw it start, in milliseconds.
    pub since: Option<u64>,
    history: VecDeque<(u64, u64)>,
}

impl Job {
    fn new(info: Arc<JobInfo>, state: JobState, since: Option<u64>) -> Job {
        let title = title(&info);
        Job {
            info,
            title,
            state,
            sample: ProgressSample::default(),
            ended: None,
            issues: 0,
            since,
            history: VecDeque::new(),
        }
    }

    /// Whether it runs in this process.
    pub fn runs(&self) -> bool {
        self.since.is_some() && !self.state.has_ended()
    }

    /// Takes a sample.
    fn progress(&mut self, sample: ProgressSample, at: u64) {
        self.history.push_back((at, sample.bytes_done));
        while self.history.len() > 2 && self.history.front().is_some_and(|(t, _)| t + SPEED_SPAN < at) {
            self.history.pop_front();
        }
        self.sample = sample;
    }

    /// Bytes a second over the last few seconds, once there is something to tell.
    pub fn speed(&self) -> Option<u64> {
        let ((t0, b0), (t1, b1)) = (self.history.front()?, self.history.back()?);
        let millis = t1.checked_sub(*t0).filter(|ms| *ms >= 500)?;
        Some(u64::try_from(u128::from(b1.saturating_sub(*b0)) * 1000 / u128::from(millis)).unwrap_or(u64::MAX))
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

    /// Seconds left, once the speed says so.
    pub fn seconds_left(&self) -> Option<u64> {
        let left = self.sample.bytes_total.checked_sub(self.sample.bytes_done)?;
        let speed = self.speed().filter(|speed| *speed > 0)?;
        self.sample.totals_known.then(|| left / speed)
    }
}

/// What a job is called when nothing better is known.
fn title(info: &JobInfo) -> String {
    let what = match info.kind {
        JobKind::Backup => "Back up",
        JobKind::Restore => "Restore",
        JobKind::Check => "Check",
        JobKind::Forget => "Delete generations",
        JobKind::Prune => "Give back space of",
        JobKind::Tag => "Change tags",
        JobKind::Unlock => "Unlock",
    };
    match &info.plan {
        Some(plan) => format!("{what} {plan} to {}", info.vault),
        None if info.kind == JobKind::Restore => format!("{what} from {}", info.vault),
        None => format!("{what} {}", info.vault),
    }
}

/// All jobs known, newest first.
#[derive(Debug, Default)]
pub struct Jobs(Vec<Job>);

impl Jobs {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.0.iter()
    }

    /// The job of this number.
    pub fn get(&self, id: JobId) -> Option<&Job> {
        self.0.iter().find(|job| job.info.id == id)
    }

    /// The job in this row of the drawer.
    pub fn shown(&self, row: u64) -> Option<&Job> {
        self.0.get(usize::try_from(row).ok()?)
    }

    /// Those that run in this process, oldest first.
    pub fn running(&self) -> impl Iterator<Item = &Job> {
        self.0.iter().rev().filter(|job| job.runs())
    }

    fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.0.iter_mut().find(|job| job.info.id == id)
    }

    /// A job of this process goes by this state.
    pub fn change(&mut self, info: Arc<JobInfo>, state: JobState, at: super::msg::Moment) {
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
            job.title = title;
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

    /// Takes the history; what this process knows itself stays.
    pub fn remember(&mut self, rows: Vec<JobRow>) {
        for row in rows {
            if let Some(job) = self.get_mut(row.info.id) {
                job.issues = row.issues;
                if job.since.is_some() {
                    continue;
                }
                job.state = row.state;
                job.ended = row.ended.map(|t| t.seconds);
                job.sample = row.progress;
            } else {
                let mut job = Job::new(Arc::new(row.info), row.state, None);
                job.ended = row.ended.map(|t| t.seconds);
                job.sample = row.progress;
                job.issues = row.issues;
                self.add(job);
            }
        }
    }

    fn add(&mut self, job: Job) {
        let at = self.0.partition_point(|other| other.info.id > job.info.id);
        self.0.insert(at, job);
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
        assert_eq!(jobs.shown(0).unwrap().info.id, 2);
    }
}

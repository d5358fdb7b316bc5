//! The third step: how the restore goes, then what came of it, with every problem within reach.

use std::path::PathBuf;

use super::super::super::actions::{Act, Context};
use super::super::super::asking::{Told, abandon, ask, complain};
use super::super::super::dialog::{Dialog, Moves};
use super::super::super::jobs::Job;
use super::super::super::model::Model;
use super::super::super::msg::Effect;
use super::super::super::screens::search;
use super::super::super::view::canvas::Canvas;
use super::super::super::window::Window;
use super::super::confirm::Confirm;
use super::form::Wanted;
use super::{CLEAN, RESULT, RUN, run_view};
use crate::engine::question::TreePath;
use crate::engine::{Answer, JobId, JobIssue, JobKind, Question};
use crate::vault::Id;

const ISSUES: &str = "restore.issues";

/// A restore that was started here.
#[derive(Debug)]
pub(crate) struct RestoreRun {
    vault: String,
    generation: Id,
    /// What it is called; the job is found by it.
    title: String,
    /// The folder under which everything is written.
    pub(super) base: PathBuf,
    /// When it was started, in milliseconds.
    since: u64,
    /// Its job, once it has one.
    job: Option<JobId>,
    /// What went wrong; asked for when it has ended.
    pub(super) issues: Window<JobIssue>,
    /// It has ended, and its problems were asked for.
    asked: bool,
}

impl RestoreRun {
    /// A restore that is about to start.
    pub(super) fn new(model: &Model, wanted: &Wanted, title: String, base: PathBuf) -> RestoreRun {
        RestoreRun {
            vault: wanted.vault.clone(),
            generation: wanted.generation,
            title,
            base,
            since: model.now.millis,
            job: None,
            issues: Window::default(),
            asked: false,
        }
    }

    /// Its job.
    pub(super) fn job<'a>(&self, model: &'a Model) -> Option<&'a Job> {
        model.jobs.get(self.job?)
    }

    /// What it is called.
    pub(super) fn title(&self) -> &str {
        &self.title
    }
}

/// The job shown, while it runs.
pub(super) fn running(model: &Model) -> Option<JobId> {
    let job = model.dialog::<RestoreRun>()?.job(model)?;
    (!job.state.has_ended()).then_some(job.info.id)
}

/// Why no problem can be gone to.
pub(super) fn nothing_to_reach(model: &Model) -> Option<String> {
    let run = model.dialog::<RestoreRun>()?;
    match run.issues.current() {
        None => Some("There is no problem here to go to.".into()),
        Some(issue) if issue.path.is_empty() => Some("This problem is not about one file.".into()),
        Some(_) => None,
    }
}

/// Stops it, after a question.
pub(super) fn cancel(act: &mut Act) {
    let Some(id) = running(act.model) else { return };
    let sentence =
        "The restore stops. What it has written by then stays; the same restore goes on from there.".to_owned();
    let yes = move |act: &mut Act| act.effects.push(Effect::CancelJob(id));
    let confirm = Confirm::ask(act, "Cancel the restore?", sentence, yes);
    act.model.push(confirm);
}

/// Goes to the file that the problem under the cursor is about.
pub(super) fn reach(act: &mut Act) {
    let Some(run) = act.model.dialog::<RestoreRun>() else {
        return;
    };
    let Some(issue) = run.issues.current() else { return };
    let path: TreePath = issue
        .path
        .split(|byte| *byte == b'/')
        .filter(|name| !name.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    let (vault, generation) = (run.vault.clone(), run.generation);
    act.model.dismiss::<RestoreRun>();
    search::go_to(act.model, &vault, generation, path);
}

fn take_issues(model: &mut Model, asked: &Question, told: Told, _: &mut Vec<Effect>) {
    let Question::Issues { job } = asked else { return };
    match told.answer {
        Answer::Issues(issues) => {
            if let Some(run) = model.dialog_mut::<RestoreRun>().filter(|run| run.job == Some(*job)) {
                run.issues.hold(issues);
            }
        }
        other => complain(model, other),
    }
}

impl Dialog for RestoreRun {
    fn context(&self) -> Context {
        match (self.asked, self.issues.current()) {
            (true, None) => CLEAN,
            (true, Some(_)) => RESULT,
            (false, _) => RUN,
        }
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.issues)
    }

    fn layout(&mut self, model: &Model) {
        self.issues.resize(u64::from(run_view::issue_rows(model)));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.job.is_none() {
            let mine = |job: &&Job| {
                job.info.kind == JobKind::Restore
                    && job.title == self.title
                    && job.since.is_some_and(|at| at >= self.since)
            };
            self.job = model.jobs.iter().find(mine).map(|job| job.info.id);
        }
        if let Some(job) = self.job(model).filter(|job| job.state.has_ended())
            && !self.asked
        {
            self.asked = true;
            let question = Question::Issues { job: job.info.id };
            ask(model, ISSUES, question, take_issues, effects);
        }
    }

    fn refused(&mut self) -> bool {
        self.job.is_none()
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, ISSUES, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        run_view::draw(model, self, canvas);
    }
}

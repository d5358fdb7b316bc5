//! The interface on a stage: a made-up world instead of an engine, keys by name, time by hand. The tests play on it, and
//! the program that draws the screenshots includes this folder. The world's answers are in a file for each topic.

pub mod cost;
mod files;
mod jobs;
mod overview;
mod restore;
mod search;
mod setup;
mod snapshots;
pub mod vaults;
mod versions;

use std::collections::VecDeque;
use std::sync::Arc;

use coffer::engine::{Answer, JobId, JobInfo, JobKind, JobState, Question, RequestId, Task};
use coffer::progress::ProgressSample;
use coffer::tui::keys::Key;
use coffer::tui::model::Model;
use coffer::tui::msg::{Effect, Moment, Msg};
use coffer::tui::theme::Look;
use coffer::tui::{draw, update};
use coffer::vault::Time;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// 2026-11-22 12:00 UTC.
pub const NOW: i64 = 1_795_348_800;
const DAY: i64 = 86_400;

/// What the made-up world is like.
#[derive(Debug, Default)]
pub struct World {
    /// Whether the password of the vault `away` was given.
    pub unlocked: bool,
    /// Whether there is no vault.
    pub bare: bool,
    /// Whether what keeping costs is still being found out.
    pub measuring: bool,
    /// What is done to each answer before it is told.
    pub poison: Option<fn(&mut Answer)>,
}

impl World {
    /// What it answers.
    pub fn answer(&self, question: &Question) -> Answer {
        let topics = [
            vaults::answer,
            cost::answer,
            overview::answer,
            files::answer,
            versions::answer,
            restore::answer,
            search::answer,
            setup::answer,
            snapshots::answer,
            jobs::answer,
        ];
        let answer = topics.into_iter().find_map(|topic| topic(self, question));
        answer.unwrap_or_else(|| panic!("the made-up world has no answer to {question:?}"))
    }
}

/// The interface, and the world it sees.
pub struct Stage {
    /// The interface.
    pub model: Model,
    /// Milliseconds since the start.
    pub millis: u64,
    /// Whether questions stay unanswered for now.
    pub silent: bool,
    /// Questions that were not answered.
    pub unanswered: VecDeque<(RequestId, Question)>,
    /// All other effects, oldest first.
    pub effects: Vec<Effect>,
    /// What the world is like.
    pub world: World,
    /// Changes that were made, in short.
    pub changes: Vec<String>,
    next_job: JobId,
}

#[allow(dead_code)] // the tests and the screenshots use different parts
impl Stage {
    /// The interface as it starts on a terminal of this size.
    pub fn new(columns: u16, rows: u16, look: Look) -> Stage {
        let mut model = Model::new((columns, rows), look, TimeZone::UTC);
        model.home = "/home/anna".into();
        let mut stage = Stage {
            model,
            millis: 0,
            silent: false,
            unanswered: VecDeque::new(),
            effects: Vec::new(),
            world: World::default(),
            changes: Vec::new(),
            next_job: 1,
        };
        stage.send(Msg::Tick(stage.now()));
        stage
    }

    /// The same, with no vault set up.
    pub fn bare(columns: u16, rows: u16, look: Look) -> Stage {
        let mut stage = Stage::new(columns, rows, look);
        stage.world.bare = true;
        stage.keys("R");
        stage
    }

    /// Now.
    pub fn now(&self) -> Moment {
        Moment {
            millis: self.millis,
            unix: NOW + (self.millis / 1000) as i64,
        }
    }

    /// Lets time pass.
    pub fn wait(&mut self, millis: u64) {
        self.millis += millis;
        self.send(Msg::Tick(self.now()));
    }

    /// Sends a message and answers what it asks, unless silent.
    pub fn send(&mut self, msg: Msg) {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Ask(request, question) => self.unanswered.push_back((request, question)),
                other => self.effects.push(other),
            }
        }
        if !self.silent {
            self.answer();
        }
    }

    /// Answers all questions, and those that the answers raise.
    pub fn answer(&mut self) {
        while let Some((request, question)) = self.unanswered.pop_front() {
            let mut answer = self.world.answer(&question);
            if let Some(poison) = self.world.poison {
                poison(&mut answer);
            }
            let at = self.now();
            let complete = !matches!(answer, Answer::Measuring { .. });
            for effect in update(
                &mut self.model,
                Msg::Answer {
                    request,
                    answer,
                    complete,
                    at,
                },
            ) {
                match effect {
                    Effect::Ask(request, question) => self.unanswered.push_back((request, question)),
                    other => self.effects.push(other),
                }
            }
        }
        // A change of the config or of keys.
        let wanted = |effect: &Effect| matches!(effect, Effect::Change { .. });
        if let Some(Effect::Change { request, change }) =
            self.effects.iter().position(wanted).map(|at| self.effects.remove(at))
        {
            self.changes.push(setup::told(&change));
            self.send(Msg::Answer {
                request,
                answer: setup::change(&change),
                complete: true,
                at: self.now(),
            });
        }
        // A password that is being tried.
        let tried = self
            .effects
            .iter()
            .position(|effect| matches!(effect, Effect::Open { .. }));
        if let Some(Effect::Open {
            request,
            vault,
            password,
        }) = tried.map(|at| self.effects.remove(at))
        {
            let right = &**password.0.0 == b"secret";
            self.world.unlocked |= right;
            let answer = if right {
                Answer::Opened { vault }
            } else {
                Answer::PasswordNeeded {
                    vault,
                    problem: "The password is wrong.".into(),
                }
            };
            let at = self.now();
            self.send(Msg::Answer {
                request,
                answer,
                complete: true,
                at,
            });
        }
    }

    /// Types keys, by name, half a second apart: `j j Enter`.
    pub fn keys(&mut self, names: &str) {
        for name in names.split(' ').filter(|name| !name.is_empty()) {
            self.millis += 500;
            let key = Key::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
            self.send(Msg::Key(key, self.now()));
        }
    }

    /// Types a text.
    pub fn text(&mut self, text: &str) {
        for c in text.chars() {
            self.millis += 50;
            self.send(Msg::Key(Key::char(c), self.now()));
        }
    }

    /// What the loop would be asked to do, in short, since the last call.
    pub fn done(&mut self) -> Vec<String> {
        let told = |effect: Effect| match effect {
            Effect::Start { task, title } => Some(match *task {
                Task::PlannedRestore { plan } => format!("restore by plan {plan}: {title}"),
                Task::Plan { plan, vault, .. } => format!("back up {plan} to {}", vault.unwrap_or_default()),
                Task::Snapshot(task) => format!("{task:?}: {title}"),
                other => format!("{:?}: {title}", other.kind()),
            }),
            Effect::CancelJob(id) => Some(format!("cancel {id}")),
            Effect::Quit => Some("quit".to_owned()),
            Effect::Suspend => Some("suspend".to_owned()),
            Effect::Detach => Some("detach".to_owned()),
            Effect::Copy { text, .. } => Some(format!("copy {text}")),
            _ => None,
        };
        self.effects.drain(..).filter_map(told).collect()
    }

    /// A job starts.
    pub fn start_job(&mut self, kind: JobKind, title: &str) -> Arc<JobInfo> {
        let started = Time {
            seconds: self.now().unix,
            ..Time::default()
        };
        let info = Arc::new(JobInfo {
            id: self.next_job,
            kind,
            vault: "home".into(),
            plan: None,
            started,
        });
        self.next_job += 1;
        self.send(Msg::JobStarted(info.clone(), self.now()));
        self.send(Msg::JobNamed(info.id, title.to_owned()));
        info
    }

    /// The restore that was last asked for starts.
    pub fn started(&mut self, title: &str) -> Arc<JobInfo> {
        self.start_job(JobKind::Restore, title)
    }

    /// A job comes this far, of a whole of 2,000 files and 1 GB, in a second.
    pub fn progress(&mut self, job: &JobInfo, percent: u64) {
        self.wait(1000);
        let sample = ProgressSample {
            files_done: 20 * percent,
            files_total: 2_000,
            bytes_done: 10_000_000 * percent,
            bytes_total: 1_000_000_000,
            totals_known: true,
            errors: 0,
            current: b"home/anna/photos".to_vec(),
        };
        self.send(Msg::Progress(vec![(job.id, sample)], self.now()));
    }

    /// A job ends.
    pub fn end_job(&mut self, job: &Arc<JobInfo>, state: JobState) {
        self.send(Msg::JobChanged(job.clone(), state, self.now()));
    }

    /// What is on the screen.
    pub fn buffer(&self) -> Buffer {
        let (columns, rows) = self.model.size;
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        draw(&self.model, &mut buffer, area);
        buffer
    }

    /// The screen's text, lines without the blanks at their ends.
    pub fn screen(&self) -> String {
        let buffer = self.buffer();
        let mut out = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += (coffer::text::width(symbol) as u16).max(1);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

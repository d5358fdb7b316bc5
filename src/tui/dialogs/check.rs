//! Checking a vault: how much of it is read, and what that costs in bytes and time.

use super::super::actions::{Act, Action, At, Context};
use super::super::asking::{Told, abandon, ask};
use super::super::dialog::{Dialog, Then, with_top};
use super::super::model::Model;
use super::super::msg::Effect;
use super::super::screens::vaults::{GENERATIONS, VAULTS};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::widgets::form::{Choice, Entry, Form, Number};
use super::{form_dialog, no_vault_here};
use crate::engine::{Answer, JobKind, JobRow, JobState, Question, Task};
use crate::text;
use crate::vault::check::DataSubset;

/// Where keys go.
const CONTEXT: Context = Context::form("check", "Check a vault");
const SLOT: &str = "check.history";
/// A check that read less tells nothing of how fast data is read.
const TELLING: u64 = 16 << 20;

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("check.show", "check", "Check that the vault is sound", &["C"], At::Only(&[VAULTS, GENERATIONS]), open).hint(16)
        .unless(no_vault_here),
    Action::new("check.start", "check", "Start the check", &["Enter", "Ctrl-s"], At::Only(&[CONTEXT]), start).hint(1),
];

/// A check being set up.
#[derive(Debug)]
pub struct Check {
    vault: String,
    stored: Option<u64>,
    form: Form,
    /// What earlier checks of this vault took.
    past: Past,
}

/// What earlier checks of a vault took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Past {
    /// Seconds of the last check of the structure alone.
    structure: Option<u64>,
    /// Bytes a second of the last check that read data.
    speed: Option<u64>,
    /// When the last one ended, and whether it found errors.
    last: Option<(i64, u64)>,
}

fn open(act: &mut Act) {
    let Some(row) = act.model.vaults.list.current() else {
        return;
    };
    let (vault, stored) = (row.name.clone(), row.stored);
    let how = vec![
        Choice::new(
            "structure",
            "Every generation, folder and index is read, and that each pack is there with its size. Finds what is missing, not \
             bytes that turned bad.",
        ),
        Choice::new(
            "a part of the data",
            "The structure, and a part of the data, chosen by chance, is read and verified. Done often, it gets to nearly all.",
        ),
        Choice::new(
            "all data",
            "Everything is read, decrypted and verified: what a check says then is sure.",
        ),
    ];
    let part = Number {
        value: 5,
        min: 1,
        max: 100,
        step: 5,
        unit: ("per cent", "per cent"),
    };
    let mut check = Check {
        vault,
        stored,
        form: Form::new(vec![
            Entry::choice("how", "Look at", how, 0),
            Entry::number("part", "Part", part).help("How much of the data is read. Which packs is left to chance."),
            Entry::note("reads", "Reads", ""),
            Entry::note("time", "Takes", ""),
            Entry::note("last", "Last check", ""),
        ]),
        past: Past::default(),
    };
    check.follow(act.model.now.unix);
    act.model.push(check);
    ask(act.model, SLOT, Question::Jobs { limit: 500 }, take, act.effects);
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Answer::Jobs(rows) = told.answer else { return };
    let now = model.now.unix;
    if let Some(check) = model.dialog_mut::<Check>() {
        check.past = past(&rows, &check.vault);
        check.follow(now);
    }
}

/// What the history, newest first, tells of a vault's checks.
fn past(rows: &[JobRow], vault: &str) -> Past {
    let mut past = Past::default();
    let checks = rows
        .iter()
        .filter(|row| row.info.kind == JobKind::Check && row.info.vault == vault);
    for row in checks {
        let (JobState::Done { problems, .. }, Some(ended)) = (&row.state, row.ended) else {
            continue;
        };
        let seconds = u64::try_from(ended.seconds.saturating_sub(row.info.started.seconds)).unwrap_or(0);
        past.last = past.last.or(Some((ended.seconds, *problems)));
        if row.progress.bytes_done >= TELLING {
            past.speed = past.speed.or(Some(row.progress.bytes_done / seconds.max(1)));
        } else {
            past.structure = past.structure.or(Some(seconds));
        }
    }
    past
}

impl Check {
    fn data(&self) -> DataSubset {
        match (self.form.chosen("how"), self.form.number("part")) {
            (0, _) => DataSubset::None,
            (1, part) if part < 100 => DataSubset::Percent(part as f64),
            _ => DataSubset::All,
        }
    }

    /// Says what the choice costs.
    fn follow(&mut self, now: i64) {
        let how = self.form.chosen("how");
        self.form.show("part", how == 1);
        let share = |stored: u64| match how {
            1 => u64::try_from(u128::from(stored) * u128::from(self.form.number("part")) / 100).unwrap_or(u64::MAX),
            _ => stored,
        };
        let reads = match (how, self.stored) {
            (0, _) => "folders and indexes only, most of them from the local cache".to_owned(),
            (1, Some(stored)) => format!("about {} of {} stored", text::bytes(share(stored)), text::bytes(stored)),
            (_, Some(stored)) => format!("{}: everything that is stored", text::bytes(stored)),
            (_, None) => "unknown: how much the vault stores was not looked at yet".to_owned(),
        };
        let time = match (how, self.stored, self.past.speed, self.past.structure) {
            (0, _, _, Some(0..=1)) => "a moment, as the last time".to_owned(),
            (0, _, _, Some(seconds)) => format!("{} the last time", text::span(seconds)),
            (1 | 2, Some(stored), Some(speed), _) => {
                let about = text::span(share(stored) / speed.max(1));
                format!("about {about}, at {} a second as the last time", text::bytes(speed))
            }
            _ => "unknown: there is no earlier check of this kind to go by".to_owned(),
        };
        let last = match self.past.last {
            None => "none is known".to_owned(),
            Some((at, 0)) => format!("{}, no errors", text::ago(at, now)),
            Some((at, errors)) => format!("{}, {}", text::ago(at, now), text::counted(errors, "ERROR", "ERRORS")),
        };
        self.form.set_note("reads", reads);
        self.form.set_note("time", time);
        self.form.set_note("last", last);
    }
}

fn start(act: &mut Act) {
    with_top::<Check>(act, |check, act| {
        let title = format!("Check {}", text::escape(check.vault.as_bytes()));
        act.effects.push(Effect::Start {
            task: Box::new(Task::Check {
                vault: check.vault.clone(),
                data: check.data(),
            }),
            title,
        });
        Then::Close
    });
}

impl Dialog for Check {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn form(&mut self) -> Option<&mut Form> {
        Some(&mut self.form)
    }

    fn edited(&mut self, model: &mut Model, _: &mut Vec<Effect>) {
        self.follow(model.now.unix);
    }

    fn closed(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        abandon(model, SLOT, effects);
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let vault = text::cut_middle(&text::escape(self.vault.as_bytes()), 30, model.look.symbols.more);
        let about = "A check takes the vault for itself: backups wait while it runs. It changes nothing.".to_owned();
        form_dialog(
            model,
            canvas,
            &format!("Check {vault}"),
            &[about],
            &self.form,
            ("", Role::Text),
            CONTEXT,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::JobInfo;
    use crate::progress::ProgressSample;
    use crate::vault::Time;

    #[test]
    fn the_past_tells_speed_and_errors() {
        let at = |seconds| Time {
            seconds,
            ..Time::default()
        };
        let row = |vault: &str, kind, started, seconds, bytes_done, problems| JobRow {
            info: JobInfo {
                id: started,
                kind,
                vault: vault.into(),
                plan: None,
                started: at(started),
            },
            state: JobState::Done {
                summary: String::new(),
                problems,
            },
            ended: Some(at(started + seconds)),
            progress: ProgressSample {
                bytes_done,
                ..ProgressSample::default()
            },
            issues: 0,
            here: false,
            title: String::new(),
        };
        let rows = [
            row("away", JobKind::Check, 90, 1, 1 << 40, 5),
            row("home", JobKind::Backup, 80, 1, 1 << 40, 5),
            row("home", JobKind::Check, 70, 12, 100, 2),
            row("home", JobKind::Check, 10, 10, 1 << 30, 0),
        ];
        let past = past(&rows, "home");
        assert_eq!(
            (past.structure, past.speed, past.last),
            (Some(12), Some((1 << 30) / 10), Some((82, 2)))
        );
    }
}

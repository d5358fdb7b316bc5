//! The interface on a stage: a made-up world instead of an engine, keys by name, time by hand. The tests play on it, and
//! the program that draws the screenshots includes this file.

use std::collections::VecDeque;
use std::sync::Arc;

use coffer::engine::question::{
    EntryRow, FolderWindow, GenerationRow, PlanRow, RestorePlanSummary, Totals, TreePath, VaultRow,
};
use coffer::engine::{Answer, JobId, JobInfo, JobIssue, JobKind, JobState, Question, RequestId};
use coffer::progress::ProgressSample;
use coffer::tui::keys::Key;
use coffer::tui::model::Model;
use coffer::tui::msg::{Effect, Moment, Msg};
use coffer::tui::theme::Look;
use coffer::tui::{draw, update};
use coffer::vault::{Id, NodeType, Time};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// 2026-11-22 12:00 UTC.
pub const NOW: i64 = 1_795_348_800;
const DAY: i64 = 86_400;

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
    /// The password of the vault `away`, once it was given.
    pub unlocked: bool,
    /// Whether there is any vault.
    pub bare: bool,
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
            unlocked: false,
            bare: false,
            next_job: 1,
        };
        stage.send(Msg::Tick(stage.now()));
        stage
    }

    /// The same, with no vault set up.
    pub fn bare(columns: u16, rows: u16, look: Look) -> Stage {
        let mut stage = Stage::new(columns, rows, look);
        stage.bare = true;
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
            let answer = self.world(&question);
            let at = self.now();
            for effect in update(
                &mut self.model,
                Msg::Answer {
                    request,
                    answer,
                    complete: true,
                    at,
                },
            ) {
                match effect {
                    Effect::Ask(request, question) => self.unanswered.push_back((request, question)),
                    other => self.effects.push(other),
                }
            }
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
            self.unlocked |= right;
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
            Effect::StartRestore { plan, title } => Some(format!("restore by plan {plan}: {title}")),
            Effect::StartBackup { plan, vault, .. } => Some(format!("back up {plan} to {vault}")),
            Effect::CancelJob(id) => Some(format!("cancel {id}")),
            Effect::Quit => Some("quit".to_owned()),
            Effect::Suspend => Some("suspend".to_owned()),
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
                x += (coffer::tui::text::width(symbol) as u16).max(1);
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }

    /// What the made-up world answers.
    fn world(&self, question: &Question) -> Answer {
        match question {
            Question::Vaults if self.bare => Answer::Vaults(Vec::new()),
            Question::Vaults => Answer::Vaults(vaults()),
            Question::Plans if self.bare => Answer::Plans(Vec::new()),
            Question::Plans => Answer::Plans(vec![
                plan("documents", "away", &["/home/anna/documents"]),
                plan("everything", "home", &["/etc", "/home", "/root", "/srv"]),
            ]),
            Question::Generations { vault } => match vault.as_str() {
                "away" if !self.unlocked => Answer::PasswordNeeded {
                    vault: vault.clone(),
                    problem: String::new(),
                },
                "new" => Answer::Generations(Vec::new()),
                "gone" => Answer::Failed("cannot read /mnt/usb/vault/config: No such file or directory".into()),
                _ => Answer::Generations(generations()),
            },
            Question::Folder {
                folder,
                filter,
                first,
                rows,
                generation,
                ..
            } => {
                if *generation == generations()[4].id && folder.len() > 3 {
                    return Answer::NoSuchFolder;
                }
                window(folder, filter, *first, *rows)
            }
            Question::Totals { rules, .. } => {
                let items = rules.iter().filter(|(_, include)| *include).count() as u64;
                Answer::Totals(Totals {
                    files: 41 * items,
                    folders: items,
                    bytes: 3_456_789 * items,
                })
            }
            Question::PlanRestore { rules, target, .. } if target.ends_with("full") => {
                Answer::RestorePlan(RestorePlanSummary {
                    plan: 8,
                    create: 120 + rules.len() as u64,
                    overwrite: 3,
                    keep: 1_204,
                    bytes: 345_678_901,
                    overwritten: ["notes.txt", "taxes/2025.ods", "evil\u{202e}gnp.exe"]
                        .iter()
                        .map(|name| vec![b"home".to_vec(), b"anna".to_vec(), name.as_bytes().to_vec()])
                        .collect(),
                    warnings: vec!["You are not root: owners cannot be restored.".into()],
                })
            }
            Question::PlanRestore { target, .. } if target.ends_with("forbidden") => {
                Answer::Failed("cannot make /root/forbidden: Permission denied".into())
            }
            Question::PlanRestore { rules, .. } => Answer::RestorePlan(RestorePlanSummary {
                plan: 7,
                create: 41 * rules.len() as u64,
                bytes: 3_456_789,
                ..RestorePlanSummary::default()
            }),
            Question::Jobs { .. } => Answer::Jobs(Vec::new()),
            Question::Issues { .. } => Answer::Issues(vec![
                JobIssue {
                    path: b"/home/anna/secret.key".to_vec(),
                    text: "Permission denied".into(),
                },
                JobIssue {
                    path: b"/home/anna/a\x1b[31mb".to_vec(),
                    text: "Permission denied".into(),
                },
            ]),
            _ => Answer::Failed("nothing is made up for this".into()),
        }
    }
}

fn vaults() -> Vec<VaultRow> {
    let vault = |name: &str, location: &str, generations, days: Option<i64>, stored| VaultRow {
        name: name.into(),
        location: location.into(),
        generations,
        latest: days.map(|days| NOW - days * DAY - 9 * 3600),
        stored,
        problem: String::new(),
    };
    vec![
        vault("home", "/srv/backup/home", Some(14), Some(0), Some(23_456_789_012)),
        vault("away", "/mnt/nas/coffer/away", Some(52), Some(6), Some(312_456_789_012)),
        vault("new", "/srv/backup/new", Some(0), None, None),
        VaultRow {
            problem: "not reachable".into(),
            ..vault("gone", "/mnt/usb/vault", Some(3), Some(80), None)
        },
    ]
}

fn plan(name: &str, vault: &str, paths: &[&str]) -> PlanRow {
    PlanRow {
        name: name.into(),
        vault: vault.into(),
        paths: paths.iter().map(Into::into).collect(),
    }
}

/// Fourteen generations over nine months.
pub fn generations() -> Vec<GenerationRow> {
    let days = [0, 1, 2, 7, 14, 21, 30, 61, 92, 122, 153, 183, 214, 270];
    let row = |(n, days): (usize, &i64)| GenerationRow {
        id: Id::of(&[n as u8]),
        time: NOW - days * DAY - 9 * 3600,
        host: "anna-laptop".into(),
        paths: vec!["/home/anna".into(), "/etc".into()],
        tags: if n % 5 == 0 { vec!["weekly".into()] } else { Vec::new() },
        files: Some(78_579 - 311 * n as u64),
        logical: Some(1_345_678_901 - 12_345_678 * n as u64),
        added: Some(if n == 13 {
            1_100_000_000
        } else {
            4_567_890 * (n as u64 % 4 + 1)
        }),
    };
    days.iter().enumerate().map(row).collect()
}

fn entry(name: &[u8], kind: NodeType, size: Option<u64>, age: i64) -> EntryRow {
    EntryRow {
        name: name.to_vec(),
        kind,
        size,
        mtime: NOW - age * 3600,
        mode: if kind == NodeType::Dir { 0o755 } else { 0o644 },
        link_target: if kind == NodeType::Symlink {
            b"documents/notes.txt".to_vec()
        } else {
            Vec::new()
        },
        ..EntryRow::default()
    }
}

/// A folder of the made-up tree.
fn folder(path: &TreePath) -> Option<Vec<EntryRow>> {
    let names: Vec<&[u8]> = path.iter().map(Vec::as_slice).collect();
    let dir = |name: &str, size| entry(name.as_bytes(), NodeType::Dir, Some(size), 900);
    let file = |name: &str, size, age| entry(name.as_bytes(), NodeType::File, Some(size), age);
    Some(match names.as_slice() {
        [] => vec![dir("home", 1_345_678_901)],
        [b"home"] => vec![dir("anna", 1_345_678_901)],
        [b"home", b"anna"] => vec![
            dir(".config", 4_567_890),
            dir("documents", 234_567_890),
            dir("empty", 0),
            dir("hostile", 12_345),
            dir("mail", 456_789_012),
            dir("many", 98_765_432),
            dir("photos", 654_321_098),
            file(".bashrc", 3_526, 9_000),
            file(".profile", 807, 9_000),
            EntryRow {
                mode: 0o600,
                ..file("keys.kdbx", 45_678, 50)
            },
            entry(b"latest-notes", NodeType::Symlink, None, 700),
            file("letter to the tax office, second version (final).odt", 34_567, 1_300),
            file("notes.txt", 12_345, 5),
            file("todo.md", 2_345, 1),
        ],
        [b"home", b"anna", b"documents"] => {
            vec![
                dir("taxes", 12_345_678),
                file("contract.pdf", 1_234_567, 4_000),
                file("notes.txt", 999, 30),
            ]
        }
        [b"home", b"anna", b"documents", b"taxes"] => {
            vec![file("2024.ods", 45_678, 7_000), file("2025.ods", 56_789, 80)]
        }
        [b"home", b"anna", b"empty"] => Vec::new(),
        [b"home", b"anna", b"hostile"] => [
            &b"a\x1b]0;title\x07b"[..],
            b"bad \xff\xfe utf8",
            "evil\u{202e}gnp.exe".as_bytes(),
            b"new\nline",
            "zero\u{200b}width".as_bytes(),
            "wide \u{65e5}\u{672c}\u{8a9e}".as_bytes(),
            "cafe\u{301}".as_bytes(),
            &[b'x'; 250],
        ]
        .iter()
        .map(|name| entry(name, NodeType::File, Some(1_234), 100))
        .collect(),
        [b"home", b"anna", ..] => vec![file("one", 1, 1), file("two", 2, 2)],
        _ => return None,
    })
}

/// Rows of a folder; `many` has 150,000, made as they are asked for.
fn window(path: &TreePath, filter: &str, first: u64, rows: u32) -> Answer {
    if path.last().is_some_and(|name| name == b"many") && filter.is_empty() {
        let total = 150_000;
        let first = first.min(total);
        let end = (first + u64::from(rows)).min(total);
        let row = |n| {
            entry(
                format!("measurement-{n:06}.csv").as_bytes(),
                NodeType::File,
                Some(4_000 + n),
                40,
            )
        };
        return Answer::Folder(FolderWindow {
            first,
            rows: (first..end).map(row).collect(),
            total,
            ..FolderWindow::default()
        });
    }
    let Some(all) = folder(path) else {
        return Answer::NoSuchFolder;
    };
    let filter = filter.to_lowercase();
    let all: Vec<EntryRow> = all
        .into_iter()
        .filter(|row| String::from_utf8_lossy(&row.name).to_lowercase().contains(&filter))
        .collect();
    let total = all.len() as u64;
    let first = first.min(total);
    let rows = all.into_iter().skip(first as usize).take(rows as usize).collect();
    Answer::Folder(FolderWindow {
        first,
        rows,
        total,
        ..FolderWindow::default()
    })
}

//! Journeys: what people do most, key by key, in the real interface with a real engine, a real vault and real files in a
//! temporary folder. Nothing is made up but the time: it stands still, and goes on to what was asked to be woken for only
//! when nothing else is left to happen.

mod backing_up;
mod keeping;
mod restoring;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::config::Config;
use crate::engine::{Engine, Events, PasswordGiven, Settings, Task};
use crate::tui::keys::Key;
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Moment, Msg};
use crate::tui::terminal::Outside;
use crate::tui::theme::Look;
use crate::tui::{draw, update};
use crate::vault::Time;
use crate::vault::testing::{PASSWORD, test_options};

/// How long something real may take before a journey is lost.
const PATIENCE: Duration = Duration::from_secs(60);
/// When journeys start: 2026-08-22 03:00 UTC.
const START: i64 = 1_787_367_600;

/// The interface over an engine, and the folder both work in.
struct Journey {
    folder: tempfile::TempDir,
    engine: Engine,
    events: Events,
    runtime: tokio::runtime::Runtime,
    outside: Outside,
    model: Model,
    clock: Arc<AtomicI64>,
    millis: u64,
    wakes: Vec<u64>,
    /// Whether the interface asked to end.
    quit: bool,
}

impl Journey {
    /// A machine with a vault `home`, a plan `files`, and the interface just opened on it.
    fn new() -> Journey {
        let mut journey = Journey::bare();
        let text = format!(
            "[vaults.home]\npath = '{0}/vault'\npassword-file = '{0}/password'\n\
             [plans.files]\npaths = ['{0}/files']\nvault = 'home'\n",
            journey.folder.path().display()
        );
        journey.write("config.toml", &text);
        journey.write("password", PASSWORD);
        journey.write("files/notes.txt", "first");
        journey.write("files/docs/report.pdf", "%PDF first");
        journey.write("files/docs/old/deep.txt", "deep");
        let config = Config::parse(&text, &journey.path("config.toml")).unwrap();
        journey.engine.set_config(config);
        let options = test_options(2);
        journey
            .engine
            .create("home", PasswordGiven::Configured, &options)
            .unwrap();
        journey.open(80, 24);
        // From the overview to the vaults.
        journey.keys("2");
        journey
    }

    /// A machine on which nothing is set up yet.
    fn bare() -> Journey {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(AtomicI64::new(START));
        let at = clock.clone();
        let settings = Settings {
            config: Config::default(),
            config_path: folder.path().join("config.toml"),
            cache: folder.path().join("cache"),
            data: folder.path().join("data"),
            host: "h".into(),
            user: "u".into(),
            uid: 1,
            gid: 2,
            zone: jiff::tz::TimeZone::UTC,
            clock: Arc::new(move || Time {
                seconds: at.load(Ordering::SeqCst),
                nanos: 0,
                offset: 0,
            }),
            password: None,
            no_lock: false,
            clouds: Default::default(),
            usual: crate::engine::overview::USUAL,
            patience: crate::engine::PATIENCE,
        };
        let engine = Engine::new(settings).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        Journey {
            events: engine.subscribe(),
            outside: Outside::new(engine.clone()),
            model: Model::new((80, 24), Look::default(), jiff::tz::TimeZone::UTC),
            folder,
            engine,
            runtime,
            clock,
            millis: 0,
            wakes: Vec::new(),
            quit: false,
        }
    }

    /// Opens the interface anew.
    fn open(&mut self, columns: u16, rows: u16) {
        self.events = self.engine.subscribe();
        self.outside = Outside::new(self.engine.clone());
        self.model = Model::new((columns, rows), Look::default(), jiff::tz::TimeZone::UTC);
        self.model.home = self.folder.path().display().to_string();
        self.wakes.clear();
        self.take(Msg::Tick(self.now()));
        self.settle();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Lets days pass on the machine's clock.
    fn days(&self, days: i64) {
        self.clock.fetch_add(days * 86_400, Ordering::SeqCst);
    }

    /// The plan runs, not by the interface.
    fn run_plan(&mut self) {
        let task = Task::Plan {
            plan: "files".into(),
            vault: None,
            dry_run: false,
        };
        self.engine.start(task).unwrap().wait().unwrap();
        self.settle();
    }

    fn now(&self) -> Moment {
        Moment {
            millis: self.millis,
            unix: self.clock.load(Ordering::SeqCst),
        }
    }

    fn take(&mut self, msg: Msg) {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Quit => self.quit = true,
                Effect::Wake(at) => self.wakes.push(at),
                Effect::Suspend => {}
                other => {
                    let at = self.now();
                    for msg in self.outside.perform(other, at) {
                        self.take(msg);
                    }
                }
            }
        }
    }

    /// Takes one thing that happens; whether anything did within a moment.
    fn happen(&mut self) -> bool {
        let events = &mut self.events;
        let soon = async { tokio::time::timeout(Duration::from_millis(20), events.recv()).await };
        match self.runtime.block_on(soon) {
            Ok(Some(event)) => {
                let at = self.now();
                let msg = self.outside.message(event, at);
                self.take(msg);
                true
            }
            Ok(None) => panic!("the engine is gone"),
            Err(_) => false,
        }
    }

    /// Waits until all questions are answered and no job runs.
    fn settle(&mut self) {
        let since = Instant::now();
        loop {
            let busy = self.happen();
            let starting = self.outside.is_starting();
            let quiet = !starting && self.model.asked.is_empty() && self.model.jobs.running().next().is_none();
            if !busy && quiet {
                return;
            }
            if !busy {
                let samples = self.outside.samples(&self.model);
                self.take(Msg::Progress(samples, self.now()));
            }
            let asked = &self.model.asked;
            assert!(
                since.elapsed() < PATIENCE,
                "still waits for {asked:?}\n{}",
                self.screen()
            );
        }
    }

    /// Types keys by name, each when all that came of the one before has happened.
    fn keys(&mut self, names: &str) {
        for name in names.split(' ').filter(|name| !name.is_empty()) {
            let key = Key::parse(name).unwrap_or_else(|| panic!("{name} is no key"));
            self.key(key);
        }
    }

    /// Types a text.
    fn text(&mut self, text: &str) {
        text.chars().for_each(|c| self.key(Key::char(c)));
    }

    fn key(&mut self, key: Key) {
        self.millis += 500;
        self.take(Msg::Key(key, self.now()));
        self.settle();
        // What waits for the keys to rest comes now.
        while let Some(at) = self.wakes.iter().min().copied().filter(|at| *at <= self.millis + 400) {
            self.millis = self.millis.max(at);
            self.wakes.retain(|wake| *wake > self.millis);
            self.take(Msg::Tick(self.now()));
            self.settle();
        }
    }

    /// The screen's text.
    fn screen(&self) -> String {
        let (columns, rows) = self.model.size;
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        draw(&self.model, &mut buffer, area);
        let line = |y| (0..columns).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..rows).map(|y| line(y).trim_end().to_owned() + "\n").collect()
    }

    #[track_caller]
    fn sees(&self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "{text:?} is not on the screen:\n{screen}");
    }

    #[track_caller]
    fn sees_not(&self, text: &str) {
        let screen = self.screen();
        assert!(!screen.contains(text), "{text:?} is on the screen:\n{screen}");
    }

    /// Goes to a row of the list that has the keys.
    #[track_caller]
    fn find_row(&mut self, text: &str) {
        self.keys("g");
        for _ in 0..200 {
            if self.cursor_row().contains(text) {
                return;
            }
            self.keys("j");
        }
        panic!("no row has {text:?}:\n{}", self.screen());
    }

    /// The text of the row that is painted as the cursor's.
    fn cursor_row(&self) -> String {
        use crate::tui::theme::Role;
        let (columns, rows) = self.model.size;
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        draw(&self.model, &mut buffer, area);
        let painted = self.model.look.style(Role::Cursor);
        let is_cursor = |y: u16| {
            let same = |x: &u16| buffer[(*x, y)].style().bg == ratatui::style::Style::reset().patch(painted).bg;
            let reversed = |x: &u16| buffer[(*x, y)].modifier.contains(painted.add_modifier);
            (0..columns).filter(|x| same(x) && reversed(x)).count() > 8
        };
        let row = (1..rows).find(|y| is_cursor(*y));
        row.map_or_else(String::new, |y| (0..columns).map(|x| buffer[(x, y)].symbol()).collect())
    }
}

impl Drop for Journey {
    fn drop(&mut self) {
        self.engine.shutdown(true);
    }
}

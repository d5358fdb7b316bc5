//! The loop around the pure core: signals, input, the engine's events and the next frame's time, whichever comes first.
//!
//! Everything that is there is taken before anything is drawn; a frame is drawn only when something happened, at most
//! every 16 ms, the first one after a pause at once. Nothing ticks while nothing moves. `owned` takes the terminal and
//! gives it back whatever happens, `encode` makes changed cells bytes, `input` makes what is typed messages, `signals`
//! hears the system, `outside` does what the core asks for.

mod encode;
mod input;
mod outside;
mod owned;
mod signals;

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use crossterm::event::EventStream;
use ratatui::Terminal;

pub(crate) use self::encode::Screen;
use self::outside::Outside;
pub use self::signals::Line;
use self::signals::{Signal, Signals};
use super::model::Model;
use super::msg::{Effect, Moment, Msg};
use super::{Options, update, view};
use crate::engine::{Engine, Events};
use crate::text;

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);
/// Time between two looks at how far the jobs are.
const SAMPLE: Duration = Duration::from_millis(200);
/// Messages taken before a frame is drawn all the same.
const BATCH: usize = 1024;

/// Why the interface could not run, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no terminal.
    #[error("the interface needs a terminal; in scripts and pipes use the commands (coffer --help)")]
    NoTerminal,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
}

/// Runs the interface until the user leaves it. Jobs that still run then have been asked to stop; the engine is shut down
/// after the terminal is given back, so that their locks are gone when this returns.
pub fn run(engine: Engine, options: Options) -> Result<(), Error> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Error::NoTerminal);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    owned::restore_on_panic();
    engine.catalogue_in_background();
    let result = {
        let _owned = owned::Owned::take()?;
        runtime.block_on(async { Loop::new(&engine, options)?.run().await })
    };
    engine.shutdown(true);
    // A terminal that is gone (a line that hung up) is no error of ours: all is put away.
    match result {
        Err(error) if matches!(error.raw_os_error(), Some(5 | 32)) => Ok(()),
        other => Ok(other?),
    }
}

struct Loop {
    model: Model,
    terminal: Terminal<Screen<io::Stdout>>,
    signals: Signals,
    events: Events,
    outside: Outside,
    started: Instant,
    /// When something asked to be woken, in milliseconds since the start.
    wakes: Vec<u64>,
    title: String,
    done: bool,
    redraw: bool,
}

impl Loop {
    fn new(engine: &Engine, options: Options) -> io::Result<Loop> {
        let (columns, rows) = crossterm::terminal::size()?;
        let mut model = Model::new((columns, rows), options.look, engine.settings().zone.clone());
        model.read_only = options.read_only;
        model.given_vault.clone_from(&options.vault);
        // Without a place to go to, one first wants to know how it all stands.
        if options.vault.is_none() {
            model.screen = super::model::Screen::Overview;
        }
        model.wanted_vault = options.vault;
        model.home = options.home.to_string_lossy().into_owned();
        Ok(Loop {
            model,
            terminal: Terminal::new(Screen::new(io::stdout(), columns, rows))?,
            signals: Signals::new()?,
            events: engine.subscribe(),
            outside: Outside::new(engine.clone()),
            started: Instant::now(),
            wakes: Vec::new(),
            title: String::new(),
            done: false,
            redraw: false,
        })
    }

    fn now(&self) -> Moment {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment {
            millis,
            unix: self.outside.unix(),
        }
    }

    async fn run(mut self) -> io::Result<()> {
        let mut input = EventStream::new();
        let mut drawn: Option<Instant> = None;
        let mut sampled = Instant::now();
        self.take(Msg::Tick(self.now()))?;
        let mut dirty = true;
        while !self.done {
            if dirty && drawn.is_none_or(|at| at.elapsed() >= FRAME) {
                self.draw()?;
                drawn = Some(Instant::now());
                dirty = false;
            }
            let runs = self.model.jobs.running().next().is_some();
            let frame = drawn.map(|at| at + FRAME).filter(|_| dirty);
            let wake = self
                .wakes
                .iter()
                .min()
                .map(|ms| self.started + Duration::from_millis(*ms));
            let sample = (sampled + SAMPLE).max(Instant::now());
            tokio::select! {
                biased;
                signal = self.signals.next() => self.signal(signal)?,
                event = input::next(&mut input) => self.typed(event)?,
                event = self.events.recv() => match event {
                    Some(event) => self.heard(event)?,
                    None => self.done = true,
                },
                () = until(frame), if frame.is_some() => {}
                () = until(wake), if wake.is_some() => {
                    let now = self.now();
                    self.wakes.retain(|at| *at > now.millis);
                    self.take(Msg::Tick(now))?;
                }
                () = until(Some(sample)), if runs => {
                    sampled = Instant::now();
                    let samples = self.outside.samples(&self.model);
                    self.take(Msg::Progress(samples, self.now()))?;
                }
            }
            self.drain(&mut input).await?;
            dirty = true;
        }
        Ok(())
    }

    /// Takes what else is there already.
    async fn drain(&mut self, input: &mut EventStream) -> io::Result<()> {
        for _ in 0..BATCH {
            if self.done {
                return Ok(());
            }
            tokio::select! {
                biased;
                signal = self.signals.next() => self.signal(signal)?,
                event = input::next(input) => self.typed(event)?,
                Some(event) = self.events.recv() => self.heard(event)?,
                () = std::future::ready(()) => return Ok(()),
            }
        }
        Ok(())
    }

    fn typed(&mut self, event: Option<io::Result<crossterm::event::Event>>) -> io::Result<()> {
        match event {
            Some(Ok(event)) => match input::message(event, self.now()) {
                Some(Msg::Resize(columns, rows)) => {
                    self.terminal.backend_mut().resize(columns, rows);
                    self.take(Msg::Resize(columns, rows))
                }
                Some(msg) => self.take(msg),
                None => Ok(()),
            },
            // The terminal is gone: as if it had hung up.
            Some(Err(_)) | None => self.take(Msg::Terminate),
        }
    }

    fn heard(&mut self, event: crate::engine::Event) -> io::Result<()> {
        let at = self.now();
        let msg = self.outside.message(event, at);
        self.take(msg)
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        match signal {
            Signal::End => self.take(Msg::Terminate),
            Signal::Stop => self.suspend(),
            Signal::Continue => {
                owned::enter()?;
                let (columns, rows) = crossterm::terminal::size()?;
                let screen = self.terminal.backend_mut();
                screen.resize(columns, rows);
                screen.forget();
                self.redraw = true;
                self.title.clear();
                self.take(Msg::Resize(columns, rows))
            }
        }
    }

    /// Gives the terminal back and stops the whole foreground group, as the terminal's own Ctrl-Z would.
    fn suspend(&mut self) -> io::Result<()> {
        owned::leave();
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        Ok(())
    }

    fn take(&mut self, msg: Msg) -> io::Result<()> {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Quit => self.done = true,
                Effect::Wake(at) => self.wakes.push(at),
                Effect::Suspend => self.suspend()?,
                other => {
                    let at = self.now();
                    for msg in self.outside.perform(other, at) {
                        self.take(msg)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.redraw) {
            self.terminal.clear()?;
        }
        let model = &self.model;
        self.terminal.draw(|frame| view(model, frame))?;
        let title = title(model);
        if title != self.title {
            owned::title(&title)?;
            self.title = title;
        }
        Ok(())
    }
}

/// Until then, or for ever.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// The window's title: the vault, and how far the oldest running job is.
fn title(model: &Model) -> String {
    let mut out = "Coffer".to_owned();
    if let Some(vault) = &model.generations.vault {
        out.push_str(" - ");
        out.push_str(&text::escape(vault.as_bytes()));
    }
    if let Some(job) = model.jobs.running().next() {
        match job.fraction() {
            Some(done) => out.push_str(&format!(" ({:.0} %)", (done * 100.0).floor())),
            None => out.push_str(" (busy)"),
        }
    }
    out
}

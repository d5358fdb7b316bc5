//! The loop around the pure core: signals, input, the engine's events and the next frame's time, whichever comes first.
//!
//! Everything that is there is taken before anything is drawn; a frame is drawn only when something happened, at most
//! every 16 ms, the first one after a pause at once. Nothing ticks while nothing moves. `owned` takes the terminal and
//! gives it back whatever happens, `encode` makes changed cells bytes, `input` reads what is typed, `parse` understands it, `signals`
//! hears the system, `outside` does what the core asks for, `front` is the process that waits in the shell's sight, and
//! `background` what becomes of jobs that go on without a terminal.

mod background;
mod encode;
mod front;
mod input;
mod outside;
mod owned;
mod parse;
mod signals;

use std::io::{self, IsTerminal as _, Write as _};
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use ratatui::Terminal;

pub(crate) use self::encode::Screen;
use self::front::Front;
use self::input::Input;
pub(crate) use self::outside::Outside;
pub use self::owned::Untouched;
use self::parse::Sent;
pub use self::signals::Line;
use self::signals::{Signal, Signals};
use super::keys::Code;
use super::model::Model;
use super::msg::{Effect, Moment, Msg};
use super::{Options, place, start, update, view};
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

/// Runs the interface until the user leaves it. Jobs that still run then have been asked to stop, and their locks are gone
/// when this returns; or they are to go on: then the terminal is left for good, the process in front lets the shell have
/// its prompt, and this returns when the last one has ended.
pub fn run(engine: Engine, options: Options) -> Result<(), Error> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Error::NoTerminal);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let front = options.front.and_then(Front::new);
    owned::restore_on_panic();
    engine.catalogue_in_background();
    let work = || -> io::Result<Left> {
        let _owned = owned::Owned::take(options.mouse)?;
        runtime.block_on(async { Loop::new(&engine, options, front)?.run().await })
    };
    // A bug in the interface is no reason to tear jobs down with it.
    let left = std::panic::catch_unwind(AssertUnwindSafe(work));
    let running = engine.running().len();
    let (after, why) = match &left {
        Ok(Ok(Left::Quit)) => (After::End, ""),
        Ok(Ok(Left::Detached)) => (After::Background, "the interface was left"),
        Ok(Ok(Left::HungUp)) => (After::Background, "the terminal is gone"),
        Ok(Err(error)) if is_gone(error) => (After::Background, "the terminal is gone"),
        Ok(Err(_)) => (After::Background, "the terminal failed"),
        Err(_) => (After::Background, "the interface failed"),
    };
    if after == After::End || running == 0 {
        engine.shutdown(true);
    } else {
        engine.note_all(&format!("{why}; goes on in the background"));
        let (what, them) = match running {
            1 => ("1 job goes".to_owned(), "it"),
            jobs => (format!("{jobs} jobs go"), "them"),
        };
        // Nobody reads it where the terminal is gone.
        let _ = writeln!(
            io::stdout(),
            "{what} on in the background: coffer shows {them} again, so does coffer jobs"
        );
        let well = matches!(left, Ok(Ok(_)));
        if let Err(error) = front::leave_terminal(front, well) {
            tracing::warn!("the terminal could not be let go: {error}");
        }
        runtime.block_on(background::see_through(&engine));
    }
    match left {
        Ok(Ok(_)) => Ok(()),
        // A line that hung up is no error of ours: all is put away.
        Ok(Err(error)) if is_gone(&error) => Ok(()),
        Ok(Err(error)) => Err(error.into()),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// How the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// The program is to end.
    Quit,
    /// The user left; jobs go on.
    Detached,
    /// The terminal is gone.
    HungUp,
}

/// What happens then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    End,
    Background,
}

/// Whether an error of the terminal says that it is not there any more.
fn is_gone(error: &io::Error) -> bool {
    let gone = [rustix::io::Errno::IO, rustix::io::Errno::PIPE, rustix::io::Errno::NOTTY];
    error
        .raw_os_error()
        .is_some_and(|code| gone.iter().any(|errno| errno.raw_os_error() == code))
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
    left: Option<Left>,
    redraw: bool,
    front: Option<Front>,
    mouse: bool,
    /// Whether F12 fails on purpose, so that a test can see what then becomes of the terminal.
    panic_key: bool,
    /// To the shell, at the next turn of the loop: whatever comes first is dealt with first.
    to_shell: bool,
    /// Whether the shell has the terminal.
    suspended: bool,
}

impl Loop {
    fn new(engine: &Engine, options: Options, front: Option<Front>) -> io::Result<Loop> {
        let (columns, rows) = crossterm::terminal::size()?;
        let mut model = Model::new((columns, rows), options.look, engine.settings().zone.clone());
        model.read_only = options.read_only;
        model.given_vault.clone_from(&options.vault);
        model.wanted_vault = options.vault;
        let settings = engine.settings();
        let last = place::Place::read(&place::file(&settings.data));
        start::take(&mut model, &settings.config.interface, &settings.config_path, last);
        model.can_detach = front.is_some();
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
            left: None,
            redraw: false,
            front,
            mouse: options.mouse,
            panic_key: options.panic_key,
            to_shell: false,
            suspended: false,
        })
    }

    fn now(&self) -> Moment {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment {
            millis,
            unix: self.outside.unix(),
        }
    }

    async fn run(mut self) -> io::Result<Left> {
        let mut input = Some(Input::open()?);
        let mut drawn: Option<Instant> = None;
        let mut sampled = Instant::now();
        self.take(Msg::Tick(self.now()))?;
        let mut dirty = true;
        loop {
            if let Some(left) = self.left {
                self.outside.remember(&start::place(&self.model));
                return Ok(left);
            }
            if std::mem::take(&mut self.to_shell) {
                // Nobody here reads what is typed for the shell, and what was typed before is forgotten.
                input = None;
                self.suspend()?;
            }
            if !self.suspended && input.is_none() {
                input = Some(Input::open()?);
            }
            if dirty && !self.suspended && drawn.is_none_or(|at| at.elapsed() >= FRAME) {
                self.draw()?;
                drawn = Some(Instant::now());
                dirty = false;
            }
            let runs = self.model.jobs.running_here().next().is_some();
            let frame = drawn.map(|at| at + FRAME).filter(|_| dirty && !self.suspended);
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
                    None => self.left = Some(Left::Quit),
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
    }

    /// Takes what else is there already.
    async fn drain(&mut self, input: &mut Option<Input>) -> io::Result<()> {
        for _ in 0..BATCH {
            if self.left.is_some() || self.to_shell {
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

    fn typed(&mut self, sent: io::Result<Sent>) -> io::Result<()> {
        match sent {
            Ok(Sent::Key(key)) if self.panic_key && key.code == Code::F(12) => fail_on_purpose(),
            Ok(sent) => self.take(input::message(sent, self.now())),
            Err(_) => {
                self.left = Some(Left::HungUp);
                Ok(())
            }
        }
    }

    /// Takes the terminal's size as it is now.
    fn resized(&mut self) -> io::Result<()> {
        let (columns, rows) = crossterm::terminal::size()?;
        self.terminal.backend_mut().resize(columns, rows);
        self.take(Msg::Resize(columns, rows))
    }

    fn heard(&mut self, event: crate::engine::Event) -> io::Result<()> {
        let at = self.now();
        let msg = self.outside.message(event, at);
        self.take(msg)
    }

    fn signal(&mut self, signal: Signal) -> io::Result<()> {
        match signal {
            Signal::End => return self.take(Msg::Terminate),
            Signal::HungUp => self.left = Some(Left::HungUp),
            Signal::Stop => self.to_shell = true,
            Signal::Resized if self.suspended => {}
            Signal::Resized => return self.resized(),
            Signal::Continue => match front::in_foreground() {
                Ok(true) => return self.resume(),
                // Continued in the background: there is nothing to be seen there.
                Ok(false) => self.to_shell = true,
                Err(_) => self.left = Some(Left::HungUp),
            },
        }
        Ok(())
    }

    /// Gives the terminal back and has the process in front stopped, so that the shell shows its prompt. This process goes
    /// on: its jobs hold locks that want to be refreshed. Without a front all stop, as by the terminal's own Ctrl-Z.
    fn suspend(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.suspended, true) {
            owned::leave();
            let jobs = self.model.jobs.running_here().count() as u64;
            if jobs > 0 && self.front.is_some() {
                let what = text::counted(jobs, "job goes", "jobs go");
                // Cut off or not: it is only told.
                let _ = writeln!(io::stdout(), "{what} on; fg brings the interface back");
            }
        }
        match self.front {
            Some(front) if !front.stop() => {
                self.resume()?;
                self.take(Msg::Refused("There is no shell to go to.".into(), self.now()))
            }
            Some(_) => Ok(()),
            None => Ok(rustix::process::kill_current_process_group(
                rustix::process::Signal::STOP,
            )?),
        }
    }

    /// Takes the terminal again.
    fn resume(&mut self) -> io::Result<()> {
        self.suspended = false;
        self.to_shell = false;
        owned::enter(self.mouse)?;
        self.terminal.backend_mut().forget();
        self.redraw = true;
        self.title.clear();
        self.resized()
    }

    fn take(&mut self, msg: Msg) -> io::Result<()> {
        for effect in update(&mut self.model, msg) {
            match effect {
                Effect::Quit => self.left = Some(Left::Quit),
                Effect::Detach => self.left = Some(Left::Detached),
                Effect::Wake(at) => {
                    if !self.wakes.contains(&at) {
                        self.wakes.push(at);
                    }
                }
                Effect::Suspend => self.to_shell = true,
                Effect::Copy { text, what } => {
                    let copied = owned::copy(&text)?;
                    self.take(Msg::Copied {
                        what,
                        copied,
                        at: self.now(),
                    })?;
                }
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

#[allow(clippy::panic)] // what it is for
fn fail_on_purpose() -> io::Result<()> {
    panic!("asked for with F12");
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

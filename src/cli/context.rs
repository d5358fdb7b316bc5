//! What every command works with: the resolved settings, the engine, the output, the request to stop.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::tz::TimeZone;

use super::args::GlobalArgs;
use super::exit::Exit;
use super::output::Output;
use super::progress::{Shown, TICK};
use super::{Environment, Failure, password};
use crate::config::{CloudSurroundings, Config, Folders};
use crate::engine::{Engine, Error, JobHandle, OpenVault, PasswordGiven, Settings, Task, TaskOutcome};
use crate::progress::Cancel;
use crate::vault::lock::{LockGuard, LockKind};
use crate::vault::{IndexedVault, Time, Vault};

/// Everything a command works with.
pub struct Context {
    /// The options of every command.
    pub global: GlobalArgs,
    /// The variables that matter.
    pub environment: Environment,
    /// What is printed.
    pub out: Output,
    /// What does the work.
    pub engine: Engine,
    /// Set by the first signal.
    pub cancel: Cancel,
}

/// What of a job is shown while it runs.
#[derive(Debug, Clone, Copy)]
pub struct Showing {
    /// Print progress lines with `--json`.
    pub progress_lines: bool,
    /// Print what it reports as it comes.
    pub issues: bool,
}

impl Showing {
    /// Everything.
    pub const ALL: Showing = Showing {
        progress_lines: true,
        issues: true,
    };
    /// Only what went wrong.
    pub const ISSUES: Showing = Showing {
        progress_lines: false,
        issues: true,
    };
    /// Nothing but progress on a terminal.
    pub const NOTHING: Showing = Showing {
        progress_lines: false,
        issues: false,
    };
}

/// A vault opened to be asked, with its lock.
pub struct Reading {
    /// As the engine has it.
    pub open: Arc<OpenVault>,
    _lock: LockGuard,
}

impl Reading {
    /// The vault.
    pub fn vault(&self) -> &Vault {
        self.open.vault()
    }
}

impl Context {
    /// Reads the config and starts the engine. Touches no vault.
    pub fn new(global: GlobalArgs, environment: Environment) -> Result<Context, Failure> {
        let folders = Folders::find(global.config.clone()).map_err(Error::from)?;
        let config = Config::load(&folders.config).map_err(Error::from)?;
        let mut settings = settings(folders, config, environment.password.clone());
        settings.no_lock = global.no_lock;
        settings.clouds = environment.clouds.clone();
        Context::with(settings, global, environment)
    }

    /// The same with settings at hand (the demo has its own).
    pub fn with(settings: Settings, global: GlobalArgs, environment: Environment) -> Result<Context, Failure> {
        Ok(Context::over(Engine::new(settings)?, global, environment))
    }

    /// The same with an engine at hand.
    pub fn over(engine: Engine, global: GlobalArgs, environment: Environment) -> Context {
        Context {
            out: Output::new(&global, engine.settings().zone.clone()),
            engine,
            global,
            environment,
            cancel: Cancel::default(),
        }
    }

    /// The vault meant: `--vault`, else the config's only one.
    pub fn vault(&self) -> Result<String, Failure> {
        if let Some(vault) = &self.global.vault {
            return Ok(vault.clone());
        }
        let config = self.engine.config();
        match config.vaults.as_slice() {
            [only] => Ok(only.name.clone()),
            [] => Err(Failure::usage(
                "which vault? Give --vault with a folder, or name one in the config: coffer vault add NAME FOLDER",
            )),
            several => {
                let names: Vec<&str> = several.iter().map(|v| v.name.as_str()).collect();
                Err(Failure::usage(format!(
                    "which vault? Give --vault with one of: {}",
                    names.join(", ")
                )))
            }
        }
    }

    /// Opens a vault, asking for its password when nothing else gives it.
    pub fn open(&self, vault: &str) -> Result<Arc<OpenVault>, Failure> {
        match self.engine.open(vault, password::given(&self.global)) {
            Err(Error::PasswordNeeded { vault: name }) => {
                let Some(password) = password::ask(&format!("password of {name}: "))? else {
                    return Err(Error::PasswordNeeded { vault: name }.into());
                };
                Ok(self.engine.open(vault, PasswordGiven::Bytes(password))?)
            }
            other => Ok(other?),
        }
    }

    /// Opens the vault meant, to be asked: with a shared lock unless `--no-lock`.
    pub fn reading(&self) -> Result<Reading, Failure> {
        self.reading_of(&self.vault()?)
    }

    /// The same of the vault given.
    pub fn reading_of(&self, vault: &str) -> Result<Reading, Failure> {
        let open = self.open(vault)?;
        let lock = open.vault().lock(LockKind::Reading)?;
        self.stopped()?;
        Ok(Reading { open, _lock: lock })
    }

    /// The same with its index.
    pub fn reading_indexed(&self) -> Result<(Reading, IndexedVault), Failure> {
        let reading = self.reading()?;
        let indexed = reading.open.indexed(&self.cancel)?;
        Ok((reading, indexed))
    }

    /// Whether somebody or something watches progress.
    pub fn shows_progress(&self) -> bool {
        self.out.json || (!self.out.quiet && std::io::stderr().is_terminal())
    }

    /// Ends a command that was told to stop.
    pub fn stopped(&self) -> Result<(), Failure> {
        self.cancel.check().map_err(|_| Failure::interrupted())
    }

    /// Refuses with `--read-only`.
    pub fn writes(&self) -> Result<(), Failure> {
        match self.global.read_only {
            true => Err(Failure::failed("--read-only is set: nothing in a vault is changed")),
            false => Ok(()),
        }
    }

    /// Opens the vault (so that its password is known), starts the job on it and sees it through.
    pub fn job(&self, vault: &str, task: Task, showing: Showing) -> Result<TaskOutcome, Failure> {
        self.open(vault)?;
        self.stopped()?;
        self.watch(&self.engine.start(task)?, showing)
    }

    /// Shows a job's progress and issues until it ends; hands signals and a closed pipe on to it.
    pub fn watch(&self, job: &JobHandle, showing: Showing) -> Result<TaskOutcome, Failure> {
        let mut shown = Shown::new(&self.out, showing.progress_lines);
        let mut issues = 0;
        let mut broken = None;
        loop {
            let ended = job.wait_for(TICK);
            if self.cancel.is_cancelled() || broken.is_some() {
                job.cancel();
            }
            let new = job.issues_after(issues);
            issues += new.len();
            if showing.issues && !new.is_empty() {
                shown.aside(|| new.iter().for_each(|issue| self.out.problem(&issue.path, &issue.text)));
            }
            let sample = job.progress.sample();
            if broken.is_none() {
                broken = if ended {
                    shown.finish(&sample)
                } else {
                    shown.tick(&sample)
                }
                .err();
            }
            if ended {
                break;
            }
        }
        let outcome = job.wait();
        match broken {
            Some(failure) => Err(failure),
            None => Ok(outcome?),
        }
    }
}

/// The settings of this machine and user.
pub fn settings(folders: Folders, config: Config, password: Option<crate::vault::Password>) -> Settings {
    let zone = TimeZone::system();
    let clock_zone = zone.clone();
    Settings {
        config,
        config_path: folders.config,
        cache: folders.cache,
        data: folders.data,
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        user: uzers::get_current_username()
            .as_deref()
            .map(OsStr::to_string_lossy)
            .unwrap_or_default()
            .into_owned(),
        uid: rustix::process::getuid().as_raw(),
        gid: rustix::process::getgid().as_raw(),
        zone,
        clock: Arc::new(move || now(&clock_zone)),
        password,
        no_lock: false,
        clouds: CloudSurroundings::default(),
        usual: crate::engine::overview::USUAL,
        patience: crate::engine::PATIENCE,
    }
}

/// The moment, told in a zone.
pub fn now(zone: &TimeZone) -> Time {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let offset = jiff::Timestamp::from_second(seconds)
        .map(|at| zone.to_offset(at).seconds())
        .unwrap_or(0);
    Time {
        seconds,
        nanos: since.subsec_nanos(),
        offset: offset - offset % 60,
    }
}

/// The exit code of what came of a job.
pub fn exit_of(outcome: &TaskOutcome) -> Exit {
    match outcome.exit_code() {
        0 => Exit::Done,
        3 => Exit::Incomplete,
        _ => Exit::Failed,
    }
}

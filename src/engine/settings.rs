//! What an engine is told once, at its start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::{CloudSurroundings, Config};
use crate::vault::{Password, Time};

/// What an engine is told once, at its start: nothing in it is read from the environment later.
#[derive(Clone)]
pub struct Settings {
    /// The user's vaults and plans.
    pub config: Config,
    /// Where they were read from (the file may not exist).
    pub config_path: PathBuf,
    /// The folder for vaults' local caches.
    pub cache: PathBuf,
    /// The folder for the catalog and the run locks.
    pub data: PathBuf,
    /// The machine's name, for generations and locks.
    pub host: String,
    /// The user's name, for generations and locks.
    pub user: String,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The zone times are written in.
    pub zone: jiff::tz::TimeZone,
    /// Now.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// What `COFFER_PASSWORD` held at the start.
    pub password: Option<Password>,
    /// Take no shared locks, for vaults that cannot be written to. Exclusive ones are taken all the same.
    pub no_lock: bool,
    /// What the environment says of clouds.
    pub clouds: CloudSurroundings,
    /// Folders of which one expects that a plan covers them, if they hold anything: [`super::overview::USUAL`].
    pub usual: &'static [&'static str],
    /// How long other processes may take to say what runs there: [`PATIENCE`].
    pub patience: Duration,
}

/// How long one waits for another process, while somebody looks at a list: it is stopped when it takes longer.
pub const PATIENCE: Duration = Duration::from_millis(400);

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("config_path", &self.config_path)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// How the caller says where a vault's password is.
#[derive(Clone, Default)]
pub enum PasswordGiven {
    /// Not said: `Settings::password`, then the config's source for this vault, else [`super::Error::PasswordNeeded`].
    #[default]
    Configured,
    /// These bytes (from a prompt).
    Bytes(Password),
    /// This file (`--password-file`).
    File(PathBuf),
    /// The output of this command, run by the shell (`--password-command`).
    Command(String),
}

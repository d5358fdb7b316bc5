//! Every way a command can fail, with the exit code it means.

use crate::{config, vault};

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong; the rooms' own errors are kept whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The vault, or something in it.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// The user's config.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The name is no vault of the config and no folder.
    #[error("there is no vault {text:?}: no such name in the config, no such folder{}", .suggestion.as_ref().map(|s| format!("; did you mean {s}?")).unwrap_or_default())]
    UnknownVault {
        /// What was asked for.
        text: String,
        /// A name of the config that is close to it.
        suggestion: Option<String>,
    },
    /// The name is no plan of the config.
    #[error("there is no plan {text:?} in the config{}", .suggestion.as_ref().map(|s| format!("; did you mean {s}?")).unwrap_or_default())]
    UnknownPlan {
        /// What was asked for.
        text: String,
        /// A name of the config that is close to it.
        suggestion: Option<String>,
    },
    /// No password is at hand: ask the user and try again with it.
    #[error(
        "{vault} needs a password: give --password-file or --password-command, set COFFER_PASSWORD, or name one of them in the config"
    )]
    PasswordNeeded {
        /// The vault, as the user names it.
        vault: String,
    },
    /// A password file or command did not give one.
    #[error("cannot get the password of {vault} from {origin}: {why}")]
    PasswordSource {
        /// The vault, as the user names it.
        vault: String,
        /// The file or command.
        origin: String,
        /// Why not.
        why: String,
    },
    /// A run of this plan is still going on, here or in another process.
    #[error("plan {plan} is running already; runs of one plan never overlap")]
    PlanRunning {
        /// The plan.
        plan: String,
    },
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A local file of Coffer's own failed.
    #[error("cannot {action} {path}: {source}")]
    Local {
        /// `read`, `write`, …
        action: &'static str,
        /// The local file.
        path: String,
        /// The system's own error.
        source: std::io::Error,
    },
    /// The work was stopped on request.
    #[error("cancelled")]
    Cancelled,
    /// A bug: the job's thread panicked. What it had stored stays valid.
    #[error("internal error in {what}: {text}; please report it")]
    Panicked {
        /// Which job or question.
        what: String,
        /// The panic's own words.
        text: String,
    },
    /// The engine is shutting down.
    #[error("coffer is shutting down")]
    ShuttingDown,
}

impl From<crate::progress::Cancelled> for Error {
    fn from(_: crate::progress::Cancelled) -> Error {
        Error::Cancelled
    }
}

impl Error {
    /// Whether the work was stopped on request.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Error::Cancelled | Error::Vault(vault::Error::Cancelled(_)))
    }

    /// The exit code the commands end with: 10 no vault, 11 locked, 12 wrong password, 130 interrupted, else 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            error if error.is_cancelled() => 130,
            Error::Vault(vault::Error::NoVault { .. }) | Error::UnknownVault { .. } => 10,
            Error::Vault(vault::Error::Locked { .. }) => 11,
            Error::Vault(vault::Error::WrongPassword { .. }) => 12,
            _ => 1,
        }
    }
}

//! Every way a command can fail, with the exit code it means.

use super::JobId;
use crate::retention::PROTECTED_TAG;
use crate::vault::Id;
use crate::{backup, catalog, config, lifetimes, restore, snapshot, vault};

/// Shorthand for results in this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong; the rooms' own errors are kept whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The vault, or something in it.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// A backup.
    #[error(transparent)]
    Backup(#[from] backup::Error),
    /// A restore or a dump.
    #[error(transparent)]
    Restore(#[from] restore::Error),
    /// What generations reach.
    #[error(transparent)]
    Lifetimes(#[from] lifetimes::Error),
    /// The catalog.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// The user's config.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// A snapshot.
    #[error(transparent)]
    Snapshot(#[from] snapshot::Error),
    /// A generation is never to be deleted.
    #[error(
        "generation {} is protected, so nothing was deleted; take its protection away first: coffer tag --remove {} {}",
        .id.short(), PROTECTED_TAG, .id.short()
    )]
    Protected {
        /// Which.
        id: Id,
    },
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
    /// The name is no snapshot policy of the config.
    #[error("there is no snapshot policy {text:?} in the config{}", .suggestion.as_ref().map(|s| format!("; did you mean {s}?")).unwrap_or_default())]
    UnknownPolicy {
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
    /// A run of this snapshot policy is still going on, here or in another process.
    #[error("snapshot policy {policy} is being run already: wait for that to end, or stop it (coffer jobs)")]
    PolicyRunning {
        /// The policy.
        policy: String,
    },
    /// The job has ended, or there is none of that number.
    #[error("job {job} does not run (any more)")]
    NotRunning {
        /// Its number.
        job: JobId,
    },
    /// The process that runs a job does not say anything.
    #[error(
        "the process that runs job {job} does not answer: it is stopped, or has too much to do; let it go on (fg, or \
         kill -CONT {pid}) and try again; if that does not help, end it (kill -INT {pid})"
    )]
    Silent {
        /// The job's number.
        job: JobId,
        /// The process's.
        pid: String,
    },
    /// The command that a plan runs before its backup failed.
    #[error("the command before the backup failed: {why}; nothing was backed up")]
    Hook {
        /// How.
        why: String,
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
    /// The vault's error, whichever room it went through.
    pub(super) fn vault(&self) -> Option<&vault::Error> {
        match self {
            Error::Vault(error)
            | Error::Backup(backup::Error::Vault(error))
            | Error::Restore(restore::Error::Vault(error))
            | Error::Lifetimes(lifetimes::Error::Vault(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether the work was stopped on request.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Error::Cancelled
                | Error::Restore(restore::Error::Cancelled(_))
                | Error::Snapshot(snapshot::Error::Cancelled(_))
        ) || matches!(self.vault(), Some(vault::Error::Cancelled(_)))
    }

    /// The exit code a command ends with: 10 no vault, 11 locked, 12 wrong password, 130 interrupted, else 1.
    pub fn exit_code(&self) -> u8 {
        if self.is_cancelled() {
            return 130;
        }
        match self.vault() {
            Some(vault::Error::NoVault { .. }) => 10,
            Some(vault::Error::Locked { .. }) => 11,
            Some(vault::Error::WrongPassword { .. }) => 12,
            _ if matches!(self, Error::UnknownVault { .. }) => 10,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Cancelled;

    #[test]
    fn exit_codes_are_the_formats() {
        let place = || "/v".to_owned();
        let locked = || vault::Error::Locked {
            place: place(),
            exclusive: true,
            holder: "x".into(),
        };
        assert_eq!(Error::from(vault::Error::NoVault { place: place() }).exit_code(), 10);
        assert_eq!(
            Error::UnknownVault {
                text: place(),
                suggestion: None
            }
            .exit_code(),
            10
        );
        assert_eq!(Error::from(locked()).exit_code(), 11);
        assert_eq!(Error::from(backup::Error::Vault(locked())).exit_code(), 11);
        assert_eq!(Error::from(restore::Error::Vault(locked())).exit_code(), 11);
        assert_eq!(
            Error::from(vault::Error::WrongPassword {
                place: place(),
                keys: 1,
                bad: None,
            })
            .exit_code(),
            12
        );
        for cancelled in [
            Error::Cancelled,
            vault::Error::from(Cancelled).into(),
            backup::Error::from(Cancelled).into(),
            restore::Error::from(Cancelled).into(),
        ] {
            assert!(cancelled.is_cancelled());
            assert_eq!(cancelled.exit_code(), 130);
        }
        assert_eq!(Error::Usage("no".into()).exit_code(), 1);
    }
}

//! `coffer key`: the keys (passwords) of a vault.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};

/// Manage the keys of a vault: each is a password that opens it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coffer key list --vault /srv/backup
  coffer key add --vault /srv/backup --new-password-file ~/second-password";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the keys; * marks the one in use
    #[command(after_help = "Example:\n  coffer key list --vault /srv/backup")]
    List,
    /// Add a key with a password of its own
    #[command(after_help = "Example:\n  coffer key add --vault /srv/backup --new-password-file ~/second-password")]
    Add(NewPassword),
    /// Remove a key; the one in use is refused
    #[command(after_help = "Example:\n  coffer key remove --vault /srv/backup 0fdc8e63")]
    Remove {
        /// The key's id, or the beginning of it
        #[arg(value_name = "KEY")]
        id: String,
    },
    /// Change the password of the key in use
    #[command(after_help = "Example:\n  coffer key passwd --vault /srv/backup")]
    Passwd(NewPassword),
}

#[derive(Debug, clap::Args)]
struct NewPassword {
    /// Read the new password from this file, instead of asking for it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    new_password_file: Option<PathBuf>,
    /// Run this command and take what it prints as the new password
    #[arg(long, value_name = "COMMAND", conflicts_with = "new_password_file", value_hint = ValueHint::CommandString)]
    new_password_command: Option<String>,
    /// For tests: the cost N of the key derivation, a power of two; so cheap that it protects nothing
    #[arg(long, value_name = "N", hide = true)]
    scrypt_n: Option<u64>,
}

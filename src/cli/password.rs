//! Passwords: where they come from. Never from an argument.

use std::fs::File;
use std::io::IsTerminal;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::args::GlobalArgs;
use super::{Failure, signals};
use crate::config::PasswordSource;
use crate::engine::PasswordGiven;
use crate::vault::Password;

/// What the options say. The environment and the config come after them, in the engine; a prompt comes last.
pub fn given(global: &GlobalArgs) -> PasswordGiven {
    match (&global.password_file, &global.password_command) {
        (Some(file), _) => PasswordGiven::File(file.clone()),
        (None, Some(command)) => PasswordGiven::Command(command.clone()),
        (None, None) => PasswordGiven::Configured,
    }
}

/// Asks on the terminal, if there is one: `None` without.
pub fn ask(prompt: &str) -> Result<Option<Password>, Failure> {
    if !terminal() {
        return Ok(None);
    }
    let read = signals::while_asking(|| rpassword::prompt_password(prompt));
    let text = Zeroizing::new(read.map_err(|error| match error.kind() {
        // Ctrl-C while nothing is shown of what is typed.
        std::io::ErrorKind::Interrupted => Failure::interrupted(),
        _ => Failure::failed(format!("cannot read the password: {error}")),
    })?);
    Ok(Some(Password(Zeroizing::new(text.trim().as_bytes().to_vec()))))
}

/// Asks for a new password twice.
pub fn ask_new(what: &str, otherwise: &str) -> Result<Password, Failure> {
    let missing = || {
        Failure::failed(format!(
            "{what} needs a password and there is no terminal to ask on: {otherwise}"
        ))
    };
    for _ in 0..3 {
        let first = ask(&format!("new password for {what}: "))?.ok_or_else(missing)?;
        if first.0.is_empty() {
            eprintln!("An empty password protects nothing; try again.");
            continue;
        }
        let second = ask("the same again: ")?.ok_or_else(missing)?;
        if first.0 == second.0 {
            return Ok(first);
        }
        eprintln!("The two differ; try again.");
    }
    Err(Failure::failed("no password was given; nothing was changed"))
}

/// A new password from a file or a command if one is given.
pub fn from_source(file: Option<&PathBuf>, command: Option<&String>) -> Option<PasswordSource> {
    match (file, command) {
        (Some(file), _) => Some(PasswordSource::File(file.clone())),
        (None, Some(command)) => Some(PasswordSource::shell(command)),
        (None, None) => None,
    }
}

/// Whether somebody can be asked: the process has a terminal of its own, and error messages can be seen on one.
pub fn terminal() -> bool {
    (std::io::stdin().is_terminal() || std::io::stderr().is_terminal()) && File::open("/dev/tty").is_ok()
}

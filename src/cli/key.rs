//! `coffer key`: the keys (passwords) of a vault.

use std::path::PathBuf;

use clap::{Subcommand, ValueHint};
use serde_json::{Value, json};

use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, escape};
use super::{Failure, password};
use crate::engine::read_password;
use crate::engine::setup::Changed;
use crate::vault::Password;
use crate::vault::key::ScryptParameters;

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

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::List => list(context),
            Command::Add(new) => add(context, &new),
            Command::Remove { id } => remove(context, &id),
            Command::Passwd(new) => change(context, &new),
        }
    }
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let reading = context.reading()?;
    let keys = reading.vault().keys()?;
    if context.out.json {
        let values = keys.iter().map(|key| match &key.made {
            Ok(made) => json!({
                "id": key.id, "current": key.current, "created": made.created,
                "username": made.username, "hostname": made.hostname,
            }),
            Err(problem) => json!({ "id": key.id, "current": key.current, "problem": problem }),
        });
        context.out.value(&values.collect::<Vec<Value>>())?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("Id", Align::Left),
        ("User", Align::Left),
        ("Host", Align::Left),
        ("Made", Align::Left),
    ]);
    for key in &keys {
        let mark = if key.current { "*" } else { " " };
        let id = format!("{mark}{}", key.id.short());
        table.row(match &key.made {
            Ok(made) => {
                let words = [&made.username, &made.hostname].map(|word| escape(word.as_bytes()));
                let [user, host] = words;
                vec![id, user, host, context.out.time(&made.created)]
            }
            Err(problem) => vec![id, "?".to_owned(), "?".to_owned(), problem.clone()],
        });
    }
    table.print(&context.out)?;
    Ok(Exit::Done)
}

fn add(context: &Context, new: &NewPassword) -> Result<Exit, Failure> {
    context.writes()?;
    let vault = context.vault()?;
    let open = context.open(&vault)?;
    let password = new.password(&open.vault().place())?;
    let (id, changed) = context.engine.add_key(&vault, &password, new.scrypt())?;
    tell(context, &json!({ "added": id }), &changed)
}

fn remove(context: &Context, text: &str) -> Result<Exit, Failure> {
    context.writes()?;
    let vault = context.vault()?;
    let id = context.open(&vault)?.vault().key_named(text)?;
    let changed = context.engine.remove_key(&vault, &id)?;
    tell(context, &json!({ "removed": id }), &changed)
}

fn change(context: &Context, new: &NewPassword) -> Result<Exit, Failure> {
    context.writes()?;
    let vault = context.vault()?;
    let open = context.open(&vault)?;
    let password = new.password(&open.vault().place())?;
    let (id, changed) = context.engine.change_password(&vault, &password, new.scrypt())?;
    tell(context, &json!({ "key": id }), &changed)
}

fn tell(context: &Context, value: &Value, changed: &Changed) -> Result<Exit, Failure> {
    if context.out.json {
        context.out.value(value)?;
    }
    for sentence in [&changed.text, &changed.remark] {
        if !sentence.is_empty() {
            context.out.remark(escape(sentence.as_bytes()))?;
        }
    }
    Ok(Exit::Done)
}

impl NewPassword {
    fn scrypt(&self) -> Option<ScryptParameters> {
        self.scrypt_n.map(|n| ScryptParameters { n, r: 8, p: 1 })
    }

    fn password(&self, place: &str) -> Result<Password, Failure> {
        let place = escape(place.as_bytes());
        match password::from_source(self.new_password_file.as_ref(), self.new_password_command.as_ref()) {
            Some(source) => Ok(read_password(&place, &source)?),
            None => password::ask_new(&place, "give --new-password-file or --new-password-command"),
        }
    }
}

//! `coffer vault`: the vaults in the config.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueHint};
use serde_json::{Value, json};

use super::context::Context;
use super::exit::Exit;
use super::init::CompressionArg;
use super::output::{Align, Table, bytes, escape};
use super::{Failure, password};
use crate::config::{Config, PasswordSource, VaultConfig, edit};
use crate::engine::setup::Change;
use crate::engine::{Error, PasswordGiven};
use crate::vault::repository::Compression;

/// Manage the vaults named in the config
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coffer vault list
  coffer vault add home /srv/backup --password-file ~/.backup-password
  coffer vault set home --price backblaze-b2";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the vaults of the config
    #[command(after_help = "Example:\n  coffer vault list")]
    List,
    /// Give a vault a name in the config (the vault itself is made by `coffer init`)
    ///
    /// --password-file or --password-command are written into the config, so that they need not be given again.
    #[command(after_help = "Example:\n  coffer vault add home /srv/backup --password-file ~/.backup-password")]
    Add {
        /// The name
        name: String,
        /// Its folder
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        place: PathBuf,
        /// How new data is compressed
        #[arg(long, value_enum, value_name = "auto|off|max")]
        compression: Option<CompressionArg>,
        /// Size of its pack files, in MiB
        #[arg(long, value_name = "MiB", value_parser = clap::value_parser!(u32).range(4..=128))]
        pack_size: Option<u32>,
        /// What it costs: an id of the price book (coffer prices)
        #[arg(long, value_name = "ID")]
        price: Option<String>,
    },
    /// Change what the config says of a vault
    #[command(
        after_help = "Examples:\n  coffer vault set home --price backblaze-b2\n  coffer vault set home --no-price"
    )]
    Set {
        /// The name
        name: String,
        /// What it costs: an id of the price book (coffer prices)
        #[arg(long, value_name = "ID", required_unless_present = "no_price")]
        price: Option<String>,
        /// Nothing is known of what it costs
        #[arg(long, conflicts_with = "price")]
        no_price: bool,
    },
    /// Take a vault out of the config; its data stays
    #[command(after_help = "Example:\n  coffer vault remove home")]
    Remove {
        /// The name
        name: String,
    },
    /// Show what the config and the vault itself say
    #[command(after_help = "Example:\n  coffer vault show home")]
    Show {
        /// The name
        name: String,
    },
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::List => list(context),
            Command::Add {
                name,
                place,
                compression,
                pack_size,
                price,
            } => {
                let vault = VaultConfig {
                    name,
                    path: place,
                    password: None,
                    compression: compression.map(Compression::from),
                    pack_size: pack_size.map(|mib| mib << 20),
                    price,
                };
                add(context, vault)
            }
            Command::Set { name, price, .. } => set(context, name, price),
            Command::Remove { name } => remove(context, &name),
            Command::Show { name } => show(context, &name),
        }
    }
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let config = context.engine.config();
    if context.out.json {
        let vaults: Vec<Value> = config.vaults.iter().map(described).collect();
        context.out.value(&vaults)?;
        return Ok(Exit::Done);
    }
    if config.vaults.is_empty() {
        context
            .out
            .remark("The config names no vault. Add one: coffer vault add NAME FOLDER")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("Name", Align::Left),
        ("Folder", Align::Left),
        ("Password", Align::Left),
        ("Price", Align::Left),
    ]);
    for vault in &config.vaults {
        table.row(vec![
            escape(vault.name.as_bytes()),
            shown(&vault.path),
            password_words(vault),
            escape(vault.price.as_deref().unwrap_or("not named").as_bytes()),
        ]);
    }
    table.print(&context.out)?;
    Ok(Exit::Done)
}

/// Adds a vault; its path and its password are made out here.
fn add(context: &Context, vault: VaultConfig) -> Result<Exit, Failure> {
    if let Some(id) = &vault.price {
        context.engine.config().prices.find(id).map_err(Error::from)?;
    }
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|e| Failure::failed(format!("cannot find {}: {e}", path.display())))
    };
    let password = match password::given(&context.global) {
        PasswordGiven::File(file) => Some(PasswordSource::File(absolute(&file)?)),
        PasswordGiven::Command(command) => Some(PasswordSource::shell(&command)),
        _ => None,
    };
    let vault = VaultConfig {
        path: absolute(&vault.path)?,
        password,
        ..vault
    };
    let file = &context.engine.settings().config_path;
    edit::change(file, |text| edit::add_vault(text, file, &vault)).map_err(Error::from)?;
    if context.out.json {
        context.out.value(&described(&vault))?;
    }
    context.out.remark(format!(
        "added vault {} to {}",
        escape(vault.name.as_bytes()),
        file.display()
    ))?;
    if !vault.path.join("config").exists() {
        context.out.remark(format!(
            "There is no vault yet. Make it: coffer init --vault {}",
            vault.name
        ))?;
    }
    Ok(Exit::Done)
}

fn set(context: &Context, vault: String, price: Option<String>) -> Result<Exit, Failure> {
    let change = Change::SetPrice {
        vault: vault.clone(),
        price,
    };
    let done = context.engine.change(&change)?;
    if context.out.json
        && let Some(vault) = context.engine.config().vault(&vault)
    {
        context.out.value(&described(vault))?;
    }
    context.out.remark(escape(done.text.as_bytes()))?;
    Ok(Exit::Done)
}

fn remove(context: &Context, name: &str) -> Result<Exit, Failure> {
    let file = &context.engine.settings().config_path;
    let before = context.engine.config();
    edit::change(file, |text| edit::remove_vault(text, file, name)).map_err(Error::from)?;
    if context.out.json {
        context.out.value(&json!({ "removed": name }))?;
    }
    let place = before.vault(name).map(|vault| shown(&vault.path)).unwrap_or_default();
    context.out.remark(format!(
        "removed vault {} from the config; its data is still in {place}",
        escape(name.as_bytes())
    ))?;
    Ok(Exit::Done)
}

fn show(context: &Context, name: &str) -> Result<Exit, Failure> {
    let config = context.engine.config();
    let open = context.open(name)?;
    let vault = open.vault();
    let (mut packs, mut stored) = (0u64, 0u64);
    vault
        .storage()
        .list(crate::storage::FileKind::Pack, &mut |_, size| {
            packs += 1;
            stored += size;
        })
        .map_err(crate::vault::Error::from)?;
    let generations = vault.generations()?;
    if context.out.json {
        let mut value = config.vault(name).map_or_else(|| json!({ "name": name }), described);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("id".into(), vault.id().into());
            fields.insert("version".into(), vault.version().into());
            fields.insert("chunker_polynomial".into(), format!("{:x}", vault.polynomial()).into());
            fields.insert("generations".into(), generations.len().into());
            fields.insert("packs".into(), packs.into());
            fields.insert("stored_bytes".into(), stored.into());
        }
        context.out.value(&value)?;
        return Ok(Exit::Done);
    }
    let newest = generations
        .last()
        .map_or_else(|| "none yet".to_owned(), |g| context.out.time(&g.time));
    let mut lines = vec![
        ("place", vault.place()),
        ("id", vault.id().to_owned()),
        ("format", format!("restic, version {}", vault.version())),
        ("chunker", format!("polynomial {:x}", vault.polynomial())),
        ("stored", format!("{} in {packs} packs", bytes(stored))),
        ("generations", format!("{}, the newest: {newest}", generations.len())),
    ];
    if let Some(vault) = config.vault(name) {
        lines.push(("password", password_words(vault)));
        lines.push(("price", price_words(&config, vault)));
    }
    for (what, text) in lines {
        context.out.line(format!("{what:<12} {text}"))?;
    }
    Ok(Exit::Done)
}

fn described(vault: &VaultConfig) -> Value {
    json!({
        "name": vault.name,
        "path": vault.path.to_string_lossy(),
        "password": password_words(vault),
        "compression": vault.compression.map(|c| format!("{c:?}").to_lowercase()),
        "pack_size": vault.pack_size,
        "price": vault.price,
    })
}

fn price_words(config: &Config, vault: &VaultConfig) -> String {
    match vault.price.as_deref().map(|id| config.prices.find(id)) {
        None => format!("not named; name it: coffer vault set {} --price ID", vault.name),
        Some(Ok(price)) => escape(format!("{}: {}", price.title(), price.terms()).as_bytes()),
        Some(Err(error)) => escape(error.to_string().as_bytes()),
    }
}

fn password_words(vault: &VaultConfig) -> String {
    match &vault.password {
        None => "asked for".to_owned(),
        Some(PasswordSource::File(file)) => format!("file {}", shown(file)),
        Some(PasswordSource::Command(words)) => format!("command {}", escape(words.join(" ").as_bytes())),
    }
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

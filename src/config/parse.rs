//! The config's text to values, with the line of every complaint.

mod clouds;
mod interface;
mod prices;
pub(super) mod retention;
mod snapshots;
mod table;

use std::path::Path;

use toml::de::DeTable;

pub(super) use self::prices::{line_of_price, prices};
use self::table::{Source, Table};
use super::{Config, DEFAULT_HOOK_MINUTES, Error, Hooks, PasswordSource, PlanConfig, Result, VaultConfig, suggest};
use crate::schedule::Schedule;
use crate::vault::repository::Compression;

const TOP_KEYS: &[&str] = &[
    "vaults",
    "plans",
    "machines",
    "clouds",
    "snapshots",
    "snapshot-prices",
    "interface",
    "keys",
];
const VAULT_KEYS: &[&str] = &[
    "path",
    "password-file",
    "password-command",
    "compression",
    "pack-size",
    "price",
];
const PLAN_KEYS: &[&str] = &[
    "paths",
    "vault",
    "vaults",
    "excludes",
    "exclude-files",
    "exclude-caches",
    "one-file-system",
    "exclude-larger-than",
    "tags",
    "host",
    "schedule",
    "run-before",
    "run-after",
    "hook-minutes",
    "snapshot",
    "snapshot-consistency",
    "snapshot-hook",
    "snapshot-hooks",
    "snapshot-run-before",
    "snapshot-run-after",
    "snapshot-hook-seconds",
];

/// Smallest and largest target size of a pack, in bytes.
const PACK_SIZES: std::ops::RangeInclusive<u64> = 4 << 20..=128 << 20;

pub(super) fn parse(text: &str, file: &Path) -> Result<Config> {
    let source = Source { text, file };
    let top = DeTable::parse(text).map_err(|e| source.error(e.span().map_or(0, |span| span.start), e.message()))?;
    let top = Table::new(&source, "the config", 0, top.get_ref());
    top.only(TOP_KEYS)?;
    let mut config = Config::default();
    for (name, at, table) in top.tables("vaults")? {
        config.vaults.push(vault(&name, at, &table)?);
    }
    for (name, at, table) in top.tables("plans")? {
        config.plans.push(plan(&name, at, &table, &config)?);
    }
    for (name, at, table) in top.tables("machines")? {
        config.machines.push(snapshots::machine(&name, at, &table)?);
    }
    for (name, at, table) in top.tables("clouds")? {
        config.clouds.push(clouds::cloud(&name, at, &table)?);
    }
    config.safety_days = snapshots::safety_days(&top)?;
    for (name, at, table) in top.tables_but("snapshots", &[snapshots::SAFETY_DAYS])? {
        config.snapshots.push(snapshots::policy(&name, at, &table)?);
    }
    config.snapshot_prices = snapshots::prices(&top)?;
    config.interface = interface::interface(&top);
    Ok(config)
}

fn vault(name: &str, at: usize, table: &Table) -> Result<VaultConfig> {
    table.only(VAULT_KEYS)?;
    check_name(name, at, table)?;
    let path = table
        .string("path")?
        .ok_or_else(|| table.missing(at, "path = \"/folder\""))?;
    let password = match (table.get("password-file"), table.get("password-command")) {
        (Some(_), Some(value)) => {
            return Err(table
                .source
                .error(value.span().start, "give password-file or password-command, not both"));
        }
        (Some(_), None) => table
            .string("password-file")?
            .map(|(text, at)| table.path(&text, at))
            .transpose()?
            .map(PasswordSource::File),
        (None, _) => command(table, "password-command")?.map(PasswordSource::Command),
    };
    let compression = match table.string("compression")? {
        None => None,
        Some((text, at)) => Some(match text.as_str() {
            "auto" => Compression::Auto,
            "off" => Compression::Off,
            "max" => Compression::Max,
            _ => {
                return Err(table.source.error(
                    at,
                    &format!("compression is {text:?}: it can be \"auto\", \"off\" or \"max\""),
                ));
            }
        }),
    };
    let pack_size = match table.size("pack-size")? {
        None => None,
        Some((size, _)) if PACK_SIZES.contains(&size) => u32::try_from(size).ok(),
        Some((_, at)) => return Err(table.source.error(at, "pack-size can be 4M to 128M")),
    };
    if let Some(why) = super::not_a_folder(&path.0) {
        return Err(table.source.error(path.1, &why));
    }
    Ok(VaultConfig {
        name: name.into(),
        path: table.path(&path.0, path.1)?,
        password,
        compression,
        pack_size,
        price: table.string("price")?.map(|(id, _)| id),
    })
}

fn plan(name: &str, at: usize, table: &Table, config: &Config) -> Result<PlanConfig> {
    let keys = [PLAN_KEYS, &retention::OTHERS, &retention::COUNTS, &retention::WITHINS].concat();
    table.only(&keys)?;
    check_name(name, at, table)?;
    let mut paths = Vec::new();
    for (text, at) in table.strings("paths")? {
        let path = table.expand(&text, at)?;
        if !path.is_absolute() {
            return Err(table.source.error(at, &format!("{text:?} is not an absolute path")));
        }
        paths.push(path);
    }
    if paths.is_empty() {
        return Err(table.missing(at, "paths = [\"/folder\"]"));
    }
    let vaults = match (table.get("vault"), table.get("vaults")) {
        (Some(_), Some(value)) => return Err(table.source.error(value.span().start, "give vault or vaults, not both")),
        (Some(_), None) => table.string("vault")?.into_iter().collect(),
        (None, _) => table.strings("vaults")?,
    };
    for (vault, at) in &vaults {
        if config.vault(vault).is_none() {
            let meant = suggest(vault, config.vaults.iter().map(|v| v.name.as_str()));
            let meant = meant.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
            return Err(table
                .source
                .error(*at, &format!("there is no vault {vault:?} in this file{meant}")));
        }
    }
    if vaults.is_empty() {
        return Err(table.missing(at, "vault = \"name\""));
    }
    let schedule = match table.string("schedule")? {
        None => None,
        Some((text, at)) => Some(
            text.parse::<Schedule>()
                .map_err(|error| table.source.error(at, &error.to_string()))?,
        ),
    };
    let words = |key| {
        Ok::<_, Error>(
            table
                .strings(key)?
                .into_iter()
                .map(|(word, _)| word)
                .collect::<Vec<_>>(),
        )
    };
    Ok(PlanConfig {
        name: name.into(),
        paths,
        vaults: vaults.into_iter().map(|(vault, _)| vault).collect(),
        excludes: words("excludes")?,
        exclude_files: table
            .strings("exclude-files")?
            .into_iter()
            .map(|(text, at)| table.path(&text, at))
            .collect::<Result<_>>()?,
        exclude_caches: table.boolean("exclude-caches")?,
        one_file_system: table.boolean("one-file-system")?,
        exclude_larger_than: table.size("exclude-larger-than")?.map(|(size, _)| size),
        tags: words("tags")?,
        host: table.string("host")?.map(|(host, _)| host),
        schedule,
        hooks: Hooks {
            before: table.string("run-before")?.map(|(command, _)| command),
            after: table.string("run-after")?.map(|(command, _)| command),
            minutes: match table.integer("hook-minutes")? {
                None => DEFAULT_HOOK_MINUTES,
                Some((minutes, at)) => u32::try_from(minutes)
                    .ok()
                    .filter(|minutes| (1..=1440).contains(minutes))
                    .ok_or_else(|| table.source.error(at, "hook-minutes is a number of minutes, 1 to 1440"))?,
            },
        },
        snapshot: snapshots::from_snapshot(table)?,
        retention: retention::retention(table)?,
    })
}

/// A command: a program with its arguments, or one string that the shell runs.
fn command(table: &Table, key: &str) -> Result<Option<Vec<String>>> {
    let Some(value) = table.get(key) else {
        return Ok(None);
    };
    if value.get_ref().is_str() {
        let shell = |text: String| vec!["sh".into(), "-c".into(), text];
        return Ok(table.string(key)?.map(|(text, _)| shell(text)));
    }
    let words = table.strings(key)?;
    match words.is_empty() {
        true => Err(table.source.error(value.span().start, &format!("{key} is empty"))),
        false => Ok(Some(words.into_iter().map(|(word, _)| word).collect())),
    }
}

/// A name is used on command lines, in messages and in file names of locks: it must not be mistaken for a folder.
fn check_name(name: &str, at: usize, table: &Table) -> Result<()> {
    let good =
        !name.is_empty() && !name.starts_with(['-', '.', '~']) && !name.chars().any(|c| c == '/' || c.is_control());
    if good {
        Ok(())
    } else {
        Err(table.source.error(
            at,
            &format!("{name:?} cannot be a name: no slash, no control characters, and not starting with -, . or ~"),
        ))
    }
}

/// A size in bytes: a number with an optional `K`, `M`, `G` or `T` (powers of 1024, `KiB` and `KB` understood alike).
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests;

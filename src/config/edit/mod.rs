//! Adding, changing and removing vaults and plans in the config's text: comments and layout stay the user's.

mod file;
mod price;
mod replace;
mod retention;
mod snapshots;

use std::fmt::Write as _;
use std::path::Path;

use toml::de::{DeTable, DeValue};

pub use file::change;
pub use price::set_price;
pub use replace::replace_plan;
pub use snapshots::{
    add_machine, add_snapshot_policy, remove_machine, remove_snapshot_policy, replace_snapshot_policy,
};

use super::{Config, DEFAULT_HOOK_MINUTES, Error, PasswordSource, PlanConfig, Result, VaultConfig};
use crate::vault::repository::Compression;

/// The text with a vault added at its end. Only what is set is written. Errors when the name is taken.
pub fn add_vault(text: &str, file: &Path, vault: &VaultConfig) -> Result<String> {
    let config = Config::parse(text, file)?;
    if config.vault(&vault.name).is_some() {
        return Err(Error::Edit(format!(
            "there is a vault {} in {} already",
            vault.name,
            file.display()
        )));
    }
    let mut section = format!("[vaults.{}]\n", key(&vault.name));
    line(&mut section, "path", &path(&vault.path)?);
    match &vault.password {
        None => {}
        Some(PasswordSource::File(file)) => line(&mut section, "password-file", &path(file)?),
        Some(PasswordSource::Command(words)) => match words.as_slice() {
            [shell, flag, command] if shell == "sh" && flag == "-c" => {
                line(&mut section, "password-command", &string(command))
            }
            words => line(&mut section, "password-command", &array(words)),
        },
    }
    match vault.compression {
        None => {}
        Some(Compression::Auto) => line(&mut section, "compression", "\"auto\""),
        Some(Compression::Off) => line(&mut section, "compression", "\"off\""),
        Some(Compression::Max) => line(&mut section, "compression", "\"max\""),
    }
    if let Some(size) = vault.pack_size {
        line(&mut section, "pack-size", &size_text(size.into()));
    }
    if let Some(price) = &vault.price {
        line(&mut section, "price", &string(price));
    }
    append(text, file, &section)
}

/// The text with a plan added at its end. Only what differs from the defaults is written. Errors when the name is taken.
pub fn add_plan(text: &str, file: &Path, plan: &PlanConfig) -> Result<String> {
    let config = Config::parse(text, file)?;
    if config.plan(&plan.name).is_some() {
        return Err(Error::Edit(format!(
            "there is a plan {} in {} already",
            plan.name,
            file.display()
        )));
    }
    let mut section = format!("[plans.{}]\n", key(&plan.name));
    for (key, value) in plan_values(plan)? {
        line(&mut section, key, &value);
    }
    append(text, file, &section)
}

/// What is written of a plan: only what differs from the defaults.
fn plan_values(plan: &PlanConfig) -> Result<Vec<(&'static str, String)>> {
    let paths = |paths: &[std::path::PathBuf]| {
        Ok::<_, Error>(format!(
            "[{}]",
            paths.iter().map(|p| path(p)).collect::<Result<Vec<_>>>()?.join(", ")
        ))
    };
    let mut values = vec![("paths", paths(&plan.paths)?)];
    values.push(match plan.vaults.as_slice() {
        [vault] => ("vault", string(vault)),
        vaults => ("vaults", array(vaults)),
    });
    if !plan.excludes.is_empty() {
        values.push(("excludes", array(&plan.excludes)));
    }
    if !plan.exclude_files.is_empty() {
        values.push(("exclude-files", paths(&plan.exclude_files)?));
    }
    if plan.exclude_caches {
        values.push(("exclude-caches", "true".into()));
    }
    if plan.one_file_system {
        values.push(("one-file-system", "true".into()));
    }
    if let Some(size) = plan.exclude_larger_than {
        values.push(("exclude-larger-than", size_text(size)));
    }
    if !plan.tags.is_empty() {
        values.push(("tags", array(&plan.tags)));
    }
    if let Some(host) = &plan.host {
        values.push(("host", string(host)));
    }
    if let Some(schedule) = plan.schedule {
        values.push(("schedule", string(&schedule.to_string())));
    }
    if let Some(command) = &plan.hooks.before {
        values.push(("run-before", string(command)));
    }
    if let Some(command) = &plan.hooks.after {
        values.push(("run-after", string(command)));
    }
    if plan.hooks.minutes != DEFAULT_HOOK_MINUTES {
        values.push(("hook-minutes", plan.hooks.minutes.to_string()));
    }
    values.extend(snapshots::of_plan(plan.snapshot.as_ref()));
    values.extend(retention::values(&plan.retention));
    Ok(values)
}

/// The text without this vault's table. Errors when there is none, or a plan still names it.
pub fn remove_vault(text: &str, file: &Path, name: &str) -> Result<String> {
    let config = Config::parse(text, file)?;
    if let Some(plan) = config
        .plans
        .iter()
        .find(|plan| plan.vaults.iter().any(|vault| vault == name))
    {
        return Err(Error::Edit(format!(
            "plan {} goes to vault {name}: remove or change the plan first",
            plan.name
        )));
    }
    remove(text, file, "vaults", name)
}

/// The text without this plan's table. Errors when there is none.
pub fn remove_plan(text: &str, file: &Path, name: &str) -> Result<String> {
    Config::parse(text, file)?;
    remove(text, file, "plans", name)
}

/// Adds a section at the end, a blank line before it, and makes sure that the whole still parses.
fn append(text: &str, file: &Path, section: &str) -> Result<String> {
    let mut out = text.trim_end().to_owned();
    if !out.is_empty() {
        out.push_str("\n\n");
    }
    out.push_str(section);
    Config::parse(&out, file)?;
    Ok(out)
}

/// Takes the lines of `[group.name]` out: from its header, with the comments right above it, to the next header (whose
/// own comments stay).
fn remove(text: &str, file: &Path, group: &str, name: &str) -> Result<String> {
    let kind = match group {
        "snapshots" => "snapshot policy",
        group => group.trim_end_matches('s'),
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let headers: Vec<(usize, Vec<String>)> = headers(text, &lines);
    let Some(first) = headers.iter().position(|(_, path)| path == &[group, name]) else {
        let config = Config::parse(text, file)?;
        let known = match group {
            "vaults" => config.vault(name).is_some(),
            "machines" => config.machine(name).is_some(),
            "snapshots" => config.snapshot_policy(name).is_some(),
            _ => config.plan(name).is_some(),
        };
        return Err(Error::Edit(if known {
            format!(
                "{kind} {name} is not written as a table of its own, [{group}.{name}], in {}: remove it by hand",
                file.display()
            )
        } else {
            format!("there is no {kind} {name} in {}", file.display())
        }));
    };
    let start = above(&lines, headers[first].0);
    let end = headers
        .get(first + 1)
        .map_or(lines.len(), |(line, _)| above(&lines, *line));
    let mut out: String = lines[..start].concat();
    out.push_str(&lines[end..].concat());
    let out = if end == lines.len() && !out.trim_end().is_empty() {
        format!("{}\n", out.trim_end())
    } else {
        out
    };
    Config::parse(&out, file)?;
    Ok(out)
}

/// Where the comment lines right above a line start.
fn above(lines: &[&str], mut line: usize) -> usize {
    while line > 0 && lines[line - 1].trim_start().starts_with('#') {
        line -= 1;
    }
    line
}

/// The lines that are table headers, with their dotted names. A line within a multi-line string or array is none: it is
/// only taken when what is before it parses by itself.
fn headers(text: &str, lines: &[&str]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut offset = 0;
    for (number, line) in lines.iter().enumerate() {
        if line.trim_start().starts_with('[') && DeTable::parse(&text[..offset]).is_ok() {
            found.extend(header_name(line).map(|name| (number, name)));
        }
        offset += line.len();
    }
    found
}

/// The dotted name of a header line.
fn header_name(line: &str) -> Option<Vec<String>> {
    let parsed = DeTable::parse(line).ok()?;
    let mut names = Vec::new();
    let mut table = parsed.get_ref();
    while let Some((name, value)) = table.iter().next() {
        names.push(name.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    Some(names)
}

fn line(out: &mut String, key: &str, value: &str) {
    let _ = writeln!(out, "{key} = {value}");
}

/// A key, quoted where it must be.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.into() } else { string(name) }
}

fn string(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn array(words: &[String]) -> String {
    format!(
        "[{}]",
        words.iter().map(|word| string(word)).collect::<Vec<_>>().join(", ")
    )
}

fn path(path: &Path) -> Result<String> {
    match path.to_str() {
        Some(text) => Ok(string(text)),
        None => Err(Error::Edit(format!(
            "{} is not UTF-8: the config cannot hold it",
            path.display()
        ))),
    }
}

fn size_text(size: u64) -> String {
    for (unit, shift) in [("T", 40), ("G", 30), ("M", 20), ("K", 10)] {
        if size > 0 && u64::is_multiple_of(size, 1 << shift) {
            return format!("\"{}{unit}\"", size >> shift);
        }
    }
    size.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retention::Policy;
    use insta::assert_snapshot;
    use proptest::prelude::*;

    const FILE: &str = "/etc/coffer/config.toml";

    fn vault(name: &str) -> VaultConfig {
        VaultConfig {
            name: name.into(),
            path: "/srv/v".into(),
            password: None,
            compression: None,
            pack_size: None,
            price: None,
        }
    }

    fn plan(name: &str, vault: &str) -> PlanConfig {
        PlanConfig {
            name: name.into(),
            paths: vec!["/etc".into()],
            vaults: vec![vault.into()],
            ..PlanConfig::default()
        }
    }

    #[test]
    fn only_what_was_chosen_is_written() {
        let text = add_vault("", Path::new(FILE), &vault("home")).unwrap();
        let text = add_plan(&text, Path::new(FILE), &plan("etc", "home")).unwrap();
        assert_snapshot!(text, @r#"
        [vaults.home]
        path = "/srv/v"

        [plans.etc]
        paths = ["/etc"]
        vault = "home"
        "#);
    }

    #[test]
    fn comments_and_layout_stay() {
        let text =
            "# my vaults\n\n[vaults.a]   # the first\npath   =   '/a'\n\n# about b\n[vaults.b]\npath = \"/b\"\nx = 1\n"
                .replace("x = 1\n", "");
        let with = add_vault(&text, Path::new(FILE), &vault("c d")).unwrap();
        assert!(with.starts_with(text.trim_end()));
        assert_eq!(remove_vault(&with, Path::new(FILE), "c d").unwrap(), text);
        assert_snapshot!(remove_vault(&with, Path::new(FILE), "a").unwrap(), @r#"
        # my vaults

        # about b
        [vaults.b]
        path = "/b"

        [vaults."c d"]
        path = "/srv/v"
        "#);
    }

    #[test]
    fn a_line_in_a_string_is_no_header() {
        let text = "[vaults.a]\npath = \"\"\"/a\\\n[vaults.b]\"\"\"\n[vaults.b]\npath = \"/b\"\n";
        let left = remove_vault(text, Path::new(FILE), "b").unwrap();
        assert_eq!(left, "[vaults.a]\npath = \"\"\"/a\\\n[vaults.b]\"\"\"\n");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let file = Path::new(FILE);
        let text = add_vault("", file, &vault("home")).unwrap();
        assert_snapshot!(add_vault(&text, file, &vault("home")).unwrap_err(), @"there is a vault home in /etc/coffer/config.toml already");
        assert_snapshot!(remove_plan(&text, file, "x").unwrap_err(), @"there is no plan x in /etc/coffer/config.toml");
        let text = add_plan(&text, file, &plan("etc", "home")).unwrap();
        assert_snapshot!(remove_vault(&text, file, "home").unwrap_err(), @"plan etc goes to vault home: remove or change the plan first");
        assert_snapshot!(remove_vault("vaults = { a = { path = '/a' } }", file, "a").unwrap_err(), @"vault a is not written as a table of its own, [vaults.a], in /etc/coffer/config.toml: remove it by hand");
    }

    #[test]
    fn a_file_is_replaced_with_its_mode_kept() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/config.toml");
        let config = change(&file, |text| add_vault(text, &file, &vault("a"))).unwrap();
        assert_eq!(config.vaults.len(), 1);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        change(&file, |text| add_vault(text, &file, &vault("b"))).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(Config::load(&file).unwrap().vaults.len(), 2);
        assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
        let before = std::fs::read(&file).unwrap();
        assert!(change(&file, |_| Ok("[vaults".into())).is_err());
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }

    proptest! {
        #[test]
        fn what_is_added_is_read_back(
            name in "[a-zA-Z0-9 _\"\\\\é=\\[\\]#-]{1,12}", word in "[ -~é\n\t]{1,20}", command in prop::collection::vec("[ -~]{0,8}", 1..4),
            pack_size in prop::option::of((4u32 << 20)..=(128 << 20)), larger in prop::option::of(0u64..1 << 50), days in 1u32..5000,
        ) {
            prop_assume!(!name.starts_with('-'));
            let file = Path::new(FILE);
            let vault = VaultConfig { password: Some(PasswordSource::Command(command)), compression: Some(Compression::Off), pack_size, price: Some(word.clone()), ..vault(&name) };
            let plan = PlanConfig {
                excludes: vec![word.clone()], tags: vec![word.clone()], host: Some(word), exclude_larger_than: larger,
                retention: Policy::of_days(days), exclude_caches: true, ..plan(&name, &name)
            };
            let text = add_vault("# top\n", file, &vault).unwrap();
            let text = add_plan(&text, file, &plan).unwrap();
            let config = Config::parse(&text, file).unwrap();
            prop_assert_eq!(config.vault(&name), Some(&vault));
            prop_assert_eq!(config.plan(&name), Some(&plan));
            let text = remove_plan(&text, file, &name).unwrap();
            prop_assert_eq!(remove_vault(&text, file, &name).unwrap(), "# top\n");
        }
    }
}

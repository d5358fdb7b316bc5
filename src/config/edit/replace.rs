//! Changing a plan where it stands: only the values that differ are written anew.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::{key, plan_values};
use crate::config::{Config, DEFAULT_HOOK_MINUTES, Error, PlanConfig, Result};

/// A piece of the text and what takes its place.
type Edit = (Range<usize>, String);

/// The text with the plan `name` as `plan` says; its name may be another one. Values that stay the same stay as they are
/// written, comments and layout too. Errors when there is no such plan, when the new name is taken, or when the plan is
/// not written as a table of its own.
pub fn replace_plan(text: &str, file: &Path, name: &str, plan: &PlanConfig) -> Result<String> {
    let config = Config::parse(text, file)?;
    let Some(old) = config.plan(name) else {
        return Err(Error::Edit(format!("there is no plan {name} in {}", file.display())));
    };
    if plan.name != name && config.plan(&plan.name).is_some() {
        let taken = format!("there is a plan {} in {} already", plan.name, file.display());
        return Err(Error::Edit(taken));
    }
    let by_hand = || {
        let file = file.display();
        Error::Edit(format!(
            "plan {name} is not written as a table of its own, [plans.{name}], in {file}: change it by hand"
        ))
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_header = |path: &[String]| matches!(path, [group, plan] if group == "plans" && plan == name);
    let headers = super::headers(text, &lines);
    let (header, _) = headers.iter().find(|(_, path)| is_header(path)).ok_or_else(by_hand)?;
    let header_start: usize = lines[..*header].iter().map(|line| line.len()).sum();
    let header_end = header_start + lines[*header].len();

    let parsed = DeTable::parse(text).map_err(|_| by_hand())?;
    let table = table_of(parsed.get_ref(), name).ok_or_else(by_hand)?;
    let mut edits: Vec<Edit> = Vec::new();
    if plan.name != name {
        edits.push((header_start..header_end, renamed(lines[*header], &plan.name)));
    }
    let (before, after) = (plan_values(old)?, plan_values(plan)?);
    let value_of =
        |values: &[(&str, String)], key: &str| values.iter().find(|(k, _)| *k == key).map(|(_, v)| v.clone());
    let mut last = header_end;
    let mut written: Vec<String> = Vec::new();
    for (name, value) in table.iter() {
        let span = value.span();
        last = last.max(line_end(text, span.end));
        let name_text = name.get_ref().to_string();
        match (value_of(&before, &name_text), value_of(&after, &name_text)) {
            // Written, though it is the default: it stays unless another value comes.
            (None, Some(new)) => edits.push((span, new)),
            (Some(old), Some(new)) if old != new => edits.push((span, new)),
            // A list of one is written `vault`, a longer one `vaults`, and a default may have become one.
            (_, None) if gone(&name_text, old, plan) => {
                edits.push((
                    line_start(text, name.span().start)..line_end(text, span.end),
                    String::new(),
                ));
            }
            _ => {}
        }
        written.push(name_text);
    }
    let mut added = String::new();
    for (name, value) in after.iter().filter(|(name, _)| !written.iter().any(|w| w == name)) {
        super::line(&mut added, name, value);
    }
    if !added.is_empty() {
        if !text[..last].ends_with('\n') {
            added.insert(0, '\n');
        }
        edits.push((last..last, added));
    }
    let out = apply(text, edits);
    // What came out must say what was meant, or nothing is written.
    match Config::parse(&out, file)?.plan(&plan.name) {
        Some(found) if found == plan => Ok(out),
        _ => Err(by_hand()),
    }
}

/// Whether a key that the new plan has no line for says something else than the new plan does.
fn gone(key: &str, old: &PlanConfig, new: &PlanConfig) -> bool {
    let days = |plan: &PlanConfig| plan.retention.period.map(|period| period.days);
    let floor = |plan: &PlanConfig| plan.retention.period.map(|period| period.floor);
    match key {
        "retention-days" => days(old) != days(new),
        "keep-min" => floor(old) != floor(new),
        key if key.starts_with("keep-") => true,
        // A list of one vault may be written in either way.
        "vault" | "run-before" | "run-after" => true,
        "snapshot" => old.snapshot.is_some(),
        // With one hook it is written in one way, with several in the other.
        "snapshot-hook" | "snapshot-hooks" => {
            let hooks = |plan: &PlanConfig| plan.snapshot.as_ref().map(|from| from.hooks.clone());
            hooks(old) != hooks(new)
        }
        key if key.starts_with("snapshot-") => old.snapshot.is_some(),
        "hook-minutes" => old.hooks.minutes != DEFAULT_HOOK_MINUTES,
        "vaults" => old.vaults != new.vaults,
        "excludes" => !old.excludes.is_empty(),
        "exclude-files" => !old.exclude_files.is_empty(),
        "exclude-caches" => old.exclude_caches,
        "one-file-system" => old.one_file_system,
        "exclude-larger-than" | "host" | "schedule" => true,
        "tags" => !old.tags.is_empty(),
        _ => false,
    }
}

fn table_of<'a>(top: &'a DeTable<'a>, plan: &str) -> Option<&'a DeTable<'a>> {
    let inner = |table: &'a DeTable<'a>, wanted: &str| {
        let (_, value) = table.iter().find(|(name, _)| name.get_ref().as_ref() == wanted)?;
        match value.get_ref() {
            DeValue::Table(inner) => Some(inner),
            _ => None,
        }
    };
    inner(inner(top, "plans")?, plan)
}

/// A header line with another name, and the comment behind it.
fn renamed(header: &str, name: &str) -> String {
    // The bracket that ends it: not one within a quoted name, nor one in the comment.
    let mut quote = None;
    let mut escaped = false;
    let end = header.char_indices().find(|(_, c)| match (quote, *c) {
        _ if std::mem::take(&mut escaped) => false,
        (Some('"'), '\\') => {
            escaped = true;
            false
        }
        (Some(open), c) => {
            quote = (c != open).then_some(open);
            false
        }
        (None, '"' | '\'') => {
            quote = Some(*c);
            false
        }
        (None, c) => c == ']',
    });
    let behind = end.map_or("\n", |(at, _)| &header[at + 1..]);
    format!("[plans.{}]{behind}", key(name))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |at| at + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |found| at + found + 1)
}

fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, new) in edits {
        if range.start < at {
            continue;
        }
        out.push_str(&text[at..range.start]);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::retention::tests::rules;
    use super::*;
    use crate::retention::Policy;

    const FILE: &str = "/etc/coffer/config.toml";
    const TEXT: &str = r#"# all of it
[vaults.home]
path = "/srv/home"
[vaults.away]
path = "/srv/away"

# the important one
[plans.etc]   # [sic]
paths   = ["/etc",
           "/root"]   # both
vault = 'home' # near
excludes = [
  "*.tmp", # scratch
]
retention-days = 730

# the other
[plans.b]
paths = ["/b"]
vault = "home"
"#;

    fn changed(change: impl FnOnce(&mut PlanConfig)) -> String {
        let file = Path::new(FILE);
        let mut plan = Config::parse(TEXT, file).unwrap().plan("etc").unwrap().clone();
        change(&mut plan);
        replace_plan(TEXT, file, "etc", &plan).unwrap()
    }

    #[test]
    fn what_stays_the_same_stays_as_it_is_written() {
        assert_eq!(changed(|_| {}), TEXT);
        let one = changed(|plan| plan.retention = Policy::of_days(30));
        assert_eq!(one, TEXT.replace("retention-days = 730", "retention-days = 30"));
    }

    #[test]
    fn values_change_come_and_go_in_their_place() {
        let text = changed(|plan| {
            plan.name = "system files".into();
            plan.vaults = vec!["home".into(), "away".into()];
            plan.excludes.clear();
            plan.schedule = "daily 02:00".parse().ok();
            plan.exclude_caches = true;
        });
        assert_snapshot!(text, @r#"
        # all of it
        [vaults.home]
        path = "/srv/home"
        [vaults.away]
        path = "/srv/away"

        # the important one
        [plans."system files"]   # [sic]
        paths   = ["/etc",
                   "/root"]   # both
        retention-days = 730
        vaults = ["home", "away"]
        exclude-caches = true
        schedule = "daily 02:00"

        # the other
        [plans.b]
        paths = ["/b"]
        vault = "home"
        "#);
    }

    #[test]
    fn what_cannot_be_changed_is_refused() {
        let file = Path::new(FILE);
        let plan = |text: &str, name: &str| Config::parse(text, file).unwrap().plan(name).unwrap().clone();
        let mut etc = plan(TEXT, "etc");
        assert_snapshot!(replace_plan(TEXT, file, "x", &etc).unwrap_err(), @"there is no plan x in /etc/coffer/config.toml");
        etc.name = "b".into();
        assert_snapshot!(replace_plan(TEXT, file, "etc", &etc).unwrap_err(), @"there is a plan b in /etc/coffer/config.toml already");
        etc.vaults = vec!["nowhere".into()];
        etc.name = "etc".into();
        assert!(replace_plan(TEXT, file, "etc", &etc).is_err());
        let inline = "vaults.a.path = '/a'\nplans = { p = { paths = ['/p'], vault = 'a' } }\n";
        let mut p = plan(inline, "p");
        p.retention = Policy::of_days(3);
        assert_snapshot!(replace_plan(inline, file, "p", &p).unwrap_err(), @"plan p is not written as a table of its own, [plans.p], in /etc/coffer/config.toml: change it by hand");
    }

    proptest! {
        #[test]
        fn what_is_changed_is_read_back_and_nothing_else_moves(
            name in "[a-zA-Z0-9 _\"é=\\[\\]#]{1,10}", excludes in prop::collection::vec("[ -~]{0,8}", 0..4), retention in rules(),
            caches: bool, away: bool, schedule: bool,
        ) {
            let file = Path::new(FILE);
            prop_assume!(name != "b");
            let before = Config::parse(TEXT, file).unwrap();
            let mut plan = before.plan("etc").unwrap().clone();
            plan.name = name;
            plan.excludes = excludes;
            plan.retention = retention;
            plan.exclude_caches = caches;
            plan.vaults = if away { vec!["away".into()] } else { vec!["home".into(), "away".into()] };
            plan.hooks.before = caches.then(|| "echo \"a\\b\" # x".into());
            plan.hooks.after = away.then(|| "true".into());
            plan.hooks.minutes = if schedule { 60 } else { 5 };
            plan.schedule = schedule.then(|| "monthly 3 04:05".parse().unwrap());
            plan.snapshot = away.then(|| crate::config::FromSnapshot {
                or_live: schedule,
                consistency: caches.then_some(crate::snapshot::Consistency::Application),
                hooks: if caches { vec!["sqlite".into(), "postgresql".into()] } else { Vec::new() },
                before: schedule.then(|| "sync".into()),
                after: None,
                hook_seconds: caches.then_some(5),
            });
            let text = replace_plan(TEXT, file, "etc", &plan).unwrap();
            let after = Config::parse(&text, file).unwrap();
            prop_assert_eq!(&after.plans, &vec![plan.clone(), before.plans[1].clone()]);
            prop_assert_eq!(after.vaults, before.vaults.clone());
            // And back again.
            let back = replace_plan(&text, file, &plan.name, &before.plans[0]).unwrap();
            prop_assert_eq!(Config::parse(&back, file).unwrap(), before);
        }
    }
}

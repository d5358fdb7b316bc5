//! A plan as a form's entries, and what is typed into them as a plan's values; the assistant uses the same.

use std::path::{Path, PathBuf};

use super::super::super::model::Model;
use super::super::super::widgets::form::{Entry, Form, Number};
use crate::config::{DEFAULT_RETENTION_DAYS, PlanConfig, parse_size};
use crate::engine::setup::{ConfigNow, backs_up_vault};
use crate::retention::Policy;
use crate::schedule::Schedule;
use crate::text;

pub(super) fn empty_plan(now: &ConfigNow) -> PlanConfig {
    PlanConfig {
        vaults: now
            .config
            .vaults
            .first()
            .map(|vault| vault.name.clone())
            .into_iter()
            .collect(),
        exclude_caches: true,
        ..PlanConfig::default()
    }
}

pub(super) fn form(plan: &PlanConfig, now: &ConfigNow) -> Form {
    let paths = plan
        .paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    let vaults = now.config.vaults.iter().map(|vault| vault.name.clone()).collect();
    let larger = plan.exclude_larger_than.map(size_words).unwrap_or_default();
    let minutes = Number {
        value: plan.hooks.minutes.into(),
        min: 1,
        max: 1440,
        step: 10,
        unit: ("minute", "minutes"),
    };
    let rule = Policy {
        period: None,
        ..plan.retention.clone()
    };
    let mut form = Form::new(vec![
        Entry::text("name", "Name", &plan.name)
            .help("How the plan is called: in lists, in messages, and in a shell: coffer plan run NAME."),
        Entry::list(
            "paths",
            "Paths",
            paths,
            "a path such as /home or ~/documents, then Enter",
        )
        .help("Folders and files that are backed up, with all below them. The button below picks them in a browser."),
        Entry::button("browse", "", "pick in a browser")
            .help("Go through the folders of this machine and pick what is backed up."),
        Entry::set("vaults", "Into", vaults, &plan.vaults)
            .help("The vaults it goes to: arrows to move, Space to choose."),
        excludes(plan.excludes.clone()),
        Entry::toggle("caches", "Skip caches", plan.exclude_caches)
            .help("Leave out folders that programs marked as caches (CACHEDIR.TAG)."),
        Entry::toggle("one-fs", "One filesystem", plan.one_file_system)
            .help("Do not go into other filesystems that are mounted below the paths."),
        Entry::text("larger", "Skip larger", &larger)
            .help("Leave out files larger than this, such as 2G or 500M; empty for no limit."),
        schedule_entry(plan.schedule),
        days_entry(plan.retention.period.map_or(DEFAULT_RETENTION_DAYS, |period| period.days)),
        Entry::note("rule", "Keep too", &text::escape(rule.to_string().as_bytes()))
            .help("What else stays, as the keep keys in the config file say: it is changed there."),
        Entry::text("before", "Run before", plan.hooks.before.as_deref().unwrap_or_default())
            .help("A command that sh runs before anything is read: a database dump, say. If it fails, nothing is backed up."),
        Entry::text("after", "Run after", plan.hooks.after.as_deref().unwrap_or_default())
            .help("A command that sh runs after the backup, whatever came of it: $COFFER_RESULT is done, failed or cancelled."),
        Entry::number("minutes", "Each at most", minutes).help("How long each of the two commands may take before it is ended."),
        Entry::text("tags", "Tags", &plan.tags.join(", "))
            .help("Labels put on its generations, with commas between them; may be empty."),
    ]);
    form.show("days", plan.retention.period.is_some());
    form.show("rule", rule.keeps());
    follow(&mut form, &plan.name);
    form
}

/// The entry for exclude patterns.
pub(in super::super) fn excludes(rows: Vec<String>) -> Entry {
    Entry::list("excludes", "Excludes", rows, "a pattern such as *.tmp or node_modules, then Enter")
        .help("What is left out: a name anywhere, or a path; * stands for any part of a name, ** for any folders. What each drops is counted at its right.")
}

/// The entry for the schedule.
pub(in super::super) fn schedule_entry(schedule: Option<Schedule>) -> Entry {
    let text = schedule.map(|schedule| schedule.to_string()).unwrap_or_default();
    Entry::text("schedule", "Schedule", &text)
        .help("Such as daily 02:00, mon,thu 21:30, weekly sun 03:00, monthly 1 04:00, every 6 hours; empty to run it by hand.")
}

/// The entry for how long generations are kept.
pub(in super::super) fn days_entry(days: u32) -> Entry {
    let number = Number {
        value: days.into(),
        min: 1,
        max: 36_500,
        step: 30,
        unit: ("day", "days"),
    };
    Entry::number("days", "Keep for", number).help(
        "How long generations are kept: type a number, or change it by 30 with the arrows. Nothing is deleted by itself \
         yet: what goes by this rule is always shown and asked for first.",
    )
}

/// Says of schedule and days what they mean in words.
pub(in super::super) fn follow(form: &mut Form, plan: &str) {
    let note = match schedule_of(form.text("schedule")) {
        Ok(Some(schedule)) => {
            let plan = text::escape(plan.trim().as_bytes());
            let plan = if plan.is_empty() { "NAME".into() } else { plan };
            let when = schedule.words();
            format!(
                "Is to run {when}. Coffer does not start runs by itself yet: let cron or a timer run coffer plan run {plan}"
            )
        }
        _ => String::new(),
    };
    form.set_note("schedule", note);
    let hooks = !form.text("before").trim().is_empty() || !form.text("after").trim().is_empty();
    form.show("minutes", hooks);
    form.set_note("days", period_words(form.number("days")));
}

/// A number of days in words: `about 2 years`.
fn period_words(days: u64) -> String {
    let rounded = |unit: u64| (days + unit / 2) / unit;
    let (n, one, many, exact) = match days {
        0..=13 => return String::new(),
        14..=59 => (rounded(7), "week", "weeks", days.is_multiple_of(7)),
        60..=699 => ((days * 12 + 182) / 365, "month", "months", false),
        _ => (rounded(365), "year", "years", days.is_multiple_of(365)),
    };
    let about = if exact { "" } else { "about " };
    format!("{about}{}", text::counted(n, one, many))
}

/// Why a name is none; names are used on command lines.
pub(in super::super) fn wrong_name(name: &str) -> Option<String> {
    let wrong = match name.chars().next() {
        None => "Give it a name.",
        Some('-' | '.' | '~') => "A name cannot start with -, . or ~.",
        _ if name.contains('/') => "A name cannot hold a slash.",
        _ if name.chars().any(char::is_control) => "A name cannot hold control characters.",
        _ => return None,
    };
    Some(wrong.to_owned())
}

/// The paths of a form.
pub(in super::super) fn paths_of(form: &Form, model: &Model) -> Result<Vec<PathBuf>, String> {
    let rows: Vec<String> = form.rows("paths").iter().map(|row| model.expand_home(row)).collect();
    if rows.is_empty() {
        return Err("Give at least one folder or file.".into());
    }
    match rows.iter().find(|row| !row.starts_with('/')) {
        Some(row) => Err(format!(
            "Give the whole path of {}, from / or ~ on.",
            text::escape(row.as_bytes())
        )),
        None => Ok(rows.into_iter().map(PathBuf::from).collect()),
    }
}

/// What to say of a plan that would back up the vault it goes to.
pub(in super::super) fn within_itself(form: &Form, paths: &[PathBuf], vault: &str, place: &Path) -> Option<String> {
    let excludes = form.rows("excludes");
    backs_up_vault(paths, &excludes, place).then(|| {
        let (vault, place) = (
            text::escape(vault.as_bytes()),
            text::escape(place.as_os_str().as_encoded_bytes()),
        );
        format!("The vault {vault} lies in what is backed up and would hold itself: leave out {place}")
    })
}

/// A schedule as typed; `None` where nothing is.
pub(in super::super) fn schedule_of(typed: &str) -> Result<Option<Schedule>, String> {
    match typed.trim() {
        "" => Ok(None),
        typed => typed
            .parse()
            .map(Some)
            .map_err(|error: crate::schedule::BadSchedule| format!("That is no schedule: {}.", error.why)),
    }
}

pub(super) fn size_of(typed: &str) -> Result<Option<u64>, ()> {
    match typed.trim() {
        "" => Ok(None),
        typed => parse_size(typed).map(Some).ok_or(()),
    }
}

fn size_words(size: u64) -> String {
    let units = [("T", 40), ("G", 30), ("M", 20), ("K", 10)];
    let fits = units
        .iter()
        .find(|(_, shift)| size > 0 && size.is_multiple_of(1 << shift));
    fits.map_or_else(|| size.to_string(), |(unit, shift)| format!("{}{unit}", size >> shift))
}

pub(super) fn command_of(typed: &str) -> Option<String> {
    Some(typed.trim()).filter(|typed| !typed.is_empty()).map(str::to_owned)
}

pub(super) fn words_of(typed: &str) -> Vec<String> {
    let words = typed.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

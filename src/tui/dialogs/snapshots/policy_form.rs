//! The form of a snapshot policy: its entries, and the policy that they make. Pure.

use super::super::super::model::Model;
use super::super::super::screens::cost::typed_many;
use super::super::super::screens::snapshots::words;
use super::super::super::widgets::form::{Choice, Entry, Form};
use super::super::plans::entries::wrong_name;
use crate::config::SnapshotPolicy;
use crate::retention::{Bucket, Many, Period, Policy};
use crate::schedule::Schedule;
use crate::snapshot::Consistency;
use crate::snapshot::hooks::Ready;
use crate::text;

/// The entries of the rule's counts.
const COUNTS: [(&str, &str, Option<Bucket>); 7] = [
    ("last", "Keep last", None),
    ("hourly", "hourly", Some(Bucket::Hour)),
    ("daily", "daily", Some(Bucket::Day)),
    ("weekly", "weekly", Some(Bucket::Week)),
    ("monthly", "monthly", Some(Bucket::Month)),
    ("quarterly", "quarterly", Some(Bucket::Quarter)),
    ("yearly", "yearly", Some(Bucket::Year)),
];

/// The form of a policy.
pub(super) fn form(policy: &SnapshotPolicy, new: bool) -> Form {
    let keep = &policy.keep;
    let many = |many: Option<Many>| many.map(|many| many.to_string()).unwrap_or_default();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let at = policy.at.iter().map(ToString::to_string).collect();
    let mut levels = vec![Choice::new(
        "best",
        "The best that needs neither commands nor RAM; with a hook or a command: application.",
    )];
    levels.extend(Consistency::ALL.map(|level| Choice::new(level.word(), words::meaning(level))));
    let chosen = Consistency::ALL
        .iter()
        .position(|level| Some(*level) == policy.consistency);
    let mut entries = vec![
        match new {
            true => Entry::text("name", "Name", "")
                .help("How the policy is called: in lists, in messages, and in a shell: coffer snapshot policy run NAME."),
            false => Entry::note("name", "Name", &text::escape(policy.name.as_bytes())),
        },
        Entry::list("targets", "Takes", policy.targets.clone(), "a folder, a machine's name, an image or ebs:VOLUME, then Enter")
            .help("Volumes and machines that are taken, all at one moment, all or none."),
        Entry::list("at", "When", at, "such as mon-fri 12:00 or every 6 hours, then Enter")
            .help("Hours and weekdays: daily 20:00, mon,thu 21:30, hourly, every 6 hours; any of several. Empty to run it by hand."),
        Entry::choice("level", "Consistency", levels, chosen.map_or(0, |at| at + 1)),
    ];
    for (id, label, bucket) in COUNTS {
        let value = match bucket {
            None => keep.last,
            Some(bucket) => keep.bucket(bucket),
        };
        let help = match bucket {
            None => "So many of the newest stay; empty for none by this.",
            Some(_) => "The newest of each of so many hours, days, weeks and so on stays; empty for none by this.",
        };
        entries.push(Entry::text(id, label, &many(value)).help(help));
    }
    let other = Policy {
        last: None,
        buckets: [None; 6],
        period: None,
        ..keep.clone()
    };
    let limit = policy.limit.map(u64::from);
    entries.extend([
        Entry::text(
            "days",
            "Keep days",
            &number(keep.period.map(|period| period.days.into())),
        )
        .help("All that are younger than so many days stay, and the newest whatever its age; empty for none by this."),
        Entry::note("other", "Keep too", &text::escape(other.to_string().as_bytes())),
        Entry::text("limit", "At most", &number(limit))
            .help("The most that policies may have of one target: the oldest goes first. Empty for no limit."),
        Entry::list(
            "hooks",
            "Hooks",
            policy.hooks.clone(),
            "postgresql, sqlite:/srv/app.db or the like, then Enter",
        )
        .help("Programs that are told to have everything on the disk before, and to go on after."),
        Entry::text("before", "Run before", policy.before.as_deref().unwrap_or_default())
            .help("A command for sh, run before anything is held; if it fails, nothing is taken."),
        Entry::text("after", "Run after", policy.after.as_deref().unwrap_or_default())
            .help("A command for sh, run after everything goes on, whatever came of it."),
        Entry::text("seconds", "Each at most", &number(policy.hook_seconds))
            .help("How many seconds each of these may take before it is ended; empty for 60."),
    ]);
    let mut form = Form::new(entries);
    form.show("other", other.keeps());
    follow(&mut form);
    form
}

/// Says of the schedules what they mean.
pub(super) fn follow(form: &mut Form) {
    let rows = form.rows("at");
    let words = rows.iter().map(|row| {
        row.parse::<Schedule>()
            .map(|schedule| schedule.words())
            .unwrap_or_default()
    });
    let words: Vec<String> = words.collect();
    form.set_notes("at", words);
}

/// The policy that the form makes; what is wrong with its entries otherwise.
pub(super) fn read(
    form: &Form,
    base: &SnapshotPolicy,
    model: &Model,
) -> Result<SnapshotPolicy, Vec<(&'static str, String)>> {
    let mut problems: Vec<(&'static str, String)> = Vec::new();
    let name = match base.name.as_str() {
        "" => form.text("name").trim().to_owned(),
        name => name.to_owned(),
    };
    if base.name.is_empty()
        && let Some(problem) = wrong_name(&name)
    {
        problems.push(("name", problem));
    }
    let targets: Vec<String> = form.rows("targets").iter().map(|row| model.expand_home(row)).collect();
    if targets.is_empty() {
        problems.push((
            "targets",
            "Give at least one folder, machine, image or cloud volume.".into(),
        ));
    }
    let mut at = Vec::new();
    for row in form.rows("at") {
        match row.parse::<Schedule>() {
            Ok(schedule) => at.push(schedule),
            Err(error) => problems.push((
                "at",
                format!("{} is no schedule: {}.", text::escape(row.as_bytes()), error.why),
            )),
        }
    }
    let mut keep = base.keep.clone();
    for (id, _, bucket) in COUNTS {
        let value = match form.text(id).trim() {
            "" => None,
            typed => typed_many(typed).unwrap_or_else(|problem| {
                problems.push((id, problem));
                None
            }),
        };
        match bucket {
            None => keep.last = value,
            Some(bucket) => {
                if let Some(place) = keep.buckets.get_mut(bucket as usize) {
                    *place = value;
                }
            }
        }
    }
    let mut number = |id: &'static str| match form.text(id).trim() {
        "" => None,
        typed => match typed.parse::<u32>() {
            Ok(number) if number > 0 => Some(number),
            _ => {
                problems.push((id, "A whole number above nothing goes here, or nothing.".into()));
                None
            }
        },
    };
    let floor = keep.period.map_or(1, |period| period.floor);
    keep.period = number("days").map(|days| Period { days, floor });
    let (limit, seconds) = (number("limit"), number("seconds"));
    if !keep.keeps() {
        problems.push((
            "last",
            "Say what stays: the last 24, 7 daily, 30 days or the like.".into(),
        ));
    }
    let hooks = form.rows("hooks");
    for hook in &hooks {
        if let Err(why) = hook.parse::<Ready>() {
            problems.push(("hooks", format!("{}.", text::escape(why.as_bytes()))));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let command = |id: &str| Some(form.text(id).trim().to_owned()).filter(|typed| !typed.is_empty());
    let level = form.chosen("level").checked_sub(1);
    Ok(SnapshotPolicy {
        name,
        targets,
        at,
        consistency: level.and_then(|at| Consistency::ALL.get(at).copied()),
        hooks,
        before: command("before"),
        after: command("after"),
        hook_seconds: seconds.map(u64::from),
        keep,
        limit,
        since: base.since,
    })
}

//! Volumes, machines and their snapshots in the made-up world.

use coffer::config::SnapshotPolicy;
use coffer::cost::coverage::coverage;
use coffer::cost::{Currency, Money};
use coffer::engine::costs::snapshots::SnapshotCost;
use coffer::engine::question::{
    EntryRow, ListSnapshotFolder, SnapshotAbility, SnapshotAt, SnapshotChange, SnapshotChangeKind, SnapshotChanges,
    SnapshotCostRow, SnapshotFate, SnapshotFolder, SnapshotList, SnapshotPolicyRow, SnapshotRow, SnapshotTargetRow,
    SnapshotWhatIf, SnapshotsAt,
};
use coffer::engine::{Answer, Question};
use coffer::retention::{Bucket, Many, Policy};
use coffer::snapshot::policy::{Rule, fates};
use coffer::snapshot::replaced::Replaced;
use coffer::snapshot::{
    Ability, Consistency, Found, Kind, MadeBy, RollbackPlan, Size, Snapshot, SnapshotId, Target, Writer,
};
use coffer::vault::{NodeType, Time};
use jiff::tz::TimeZone;

use super::files::entry;
use super::{DAY, NOW, World};

const HOUR: i64 = 3600;

pub(super) fn answer(world: &World, question: &Question) -> Option<Answer> {
    Some(match question {
        Question::SnapshotTargets if world.bare => Answer::SnapshotTargets(Vec::new()),
        Question::SnapshotTargets => Answer::SnapshotTargets(targets()),
        Question::Snapshots { target } => match target.to_string().as_str() {
            "/boot" => Answer::Failed("/boot cannot be snapshotted: ext4 cannot share blocks".into()),
            _ => Answer::Snapshots(list(target)),
        },
        Question::SnapshotAbility { target } => Answer::SnapshotAbility(Box::new(ability(target))),
        Question::PlanRollback { at, safety } => Answer::RollbackPlan(Box::new(plan(at, *safety))),
        Question::SnapshotFolder(asked) => Answer::SnapshotFolder(folder(asked)),
        Question::SnapshotReplaces(asked) => Answer::SnapshotReplaced(match &asked.to {
            Some(to) if to.ends_with("new") => Replaced::default(),
            _ => Replaced {
                files: 3,
                bytes: 45_678,
            },
        }),
        Question::CompareSnapshots(asked) => Answer::SnapshotChanges(SnapshotChanges {
            first: 0,
            rows: changes(),
            total: changes().len() as u64,
            whole: asked.after.is_none() || asked.first == 0,
        }),
        Question::SnapshotPolicies if world.bare => Answer::SnapshotPolicies(Vec::new()),
        Question::SnapshotPolicies => Answer::SnapshotPolicies(policies()),
        Question::SnapshotCosts if world.bare => Answer::SnapshotCosts(Vec::new()),
        Question::SnapshotCosts => Answer::SnapshotCosts(costs()),
        Question::SnapshotWhatIf(policy) if policy.name == "cloud" => {
            Answer::Failed("vol-gone: the cloud does not know it".into())
        }
        Question::SnapshotWhatIf(policy) => Answer::SnapshotWhatIf(Box::new(what_if(policy))),
        _ => return None,
    })
}

fn folder_target(path: &str) -> Target {
    Target::Folder(path.into())
}

fn time(seconds: i64) -> Time {
    Time {
        seconds,
        ..Time::default()
    }
}

/// What is there: a machine, volumes, a folder, an image, a cloud's volume, and one that cannot be.
fn targets() -> Vec<SnapshotTargetRow> {
    let row = |target: Target, kind, about: &str, policies: &[&str], warning: &str| {
        let all = snapshots(&target);
        SnapshotTargetRow {
            name: target.to_string(),
            found: Found {
                target,
                kind,
                about: about.into(),
                size: Some(48_318_382_080),
                problem: None,
            },
            last: all.last().cloned(),
            snapshots: Some(all.len() as u64),
            policies: policies.iter().map(ToString::to_string).collect(),
            taken: (all.len() > 5).then_some(3_456_789_012),
            warnings: (!warning.is_empty()).then(|| warning.to_owned()).into_iter().collect(),
        }
    };
    let mut boot = row(folder_target("/boot"), Kind::Reflink, "ext4 on /dev/vda1", &[], "");
    boot.found.problem =
        Some("ext4 cannot share blocks between files: XFS and btrfs can. A plan backs it up all the same".into());
    (boot.snapshots, boot.last) = (None, None);
    vec![
        boot,
        row(
            folder_target("/srv/www"),
            Kind::Btrfs,
            "subvolume of /dev/vdb",
            &["hourly"],
            "",
        ),
        row(
            folder_target("/home"),
            Kind::Btrfs,
            "subvolume of /dev/vdb",
            &[],
            "snapshots only, on the same disk: a dead disk loses both",
        ),
        row(
            folder_target("/srv/media"),
            Kind::Reflink,
            "xfs on /dev/vdc, and each folder there",
            &[],
            "",
        ),
        row(
            Target::Machine("db".into()),
            Kind::Qemu,
            "running, QEMU 7.2, 2 disks",
            &["nightly"],
            "",
        ),
        row(
            Target::Image("/srv/images/old.qcow2".into()),
            Kind::Qcow2,
            "image of a machine that does not run",
            &[],
            "",
        ),
        row(
            Target::Ebs("vol-0a1b2c3d4e5f".into()),
            Kind::Ebs,
            "eu-central-1, 100 GiB, gp3",
            &[],
            "",
        ),
    ]
}

/// A snapshot of a target, so many hours ago.
fn snapshot(target: &Target, n: u64, hours: i64, consistency: Consistency, label: &str, made_by: MadeBy) -> Snapshot {
    Snapshot {
        id: SnapshotId(format!(
            "{:012x}",
            0x4bba_301e_0a12_u64.wrapping_add(n * 0x1357_9bdf) & 0xffff_ffff_ffff
        )),
        kind: match target {
            Target::Machine(_) => Kind::Qemu,
            Target::Image(_) => Kind::Qcow2,
            Target::Ebs(_) => Kind::Ebs,
            Target::Folder(_) => Kind::Btrfs,
        },
        target: target.clone(),
        taken: time(NOW - hours * HOUR),
        consistency,
        label: label.into(),
        protected: label.starts_with("release"),
        made_by,
        until: None,
        group: None,
        pause: (consistency >= Consistency::Application).then_some(184),
        notes: Vec::new(),
        whole: Default::default(),
        handle: format!("/.coffer-snapshots/{n:04}/files"),
    }
}

/// The snapshots of a target, oldest first.
fn snapshots(target: &Target) -> Vec<Snapshot> {
    use Consistency::{Application, Crash, Filesystem, Memory};
    let hand = |n, hours, level, label| snapshot(target, n, hours, level, label, MadeBy::Hand);
    match target.to_string().as_str() {
        "/srv/www" => {
            let hourly = MadeBy::Policy("hourly".into());
            let mut all = vec![
                hand(1, 24 * 41, Application, "release 11"),
                snapshot(target, 2, 24 * 33, Crash, "", MadeBy::Other),
                hand(3, 24 * 20, Application, "release 12"),
                hand(4, 24 * 9, Filesystem, "before the new theme"),
            ];
            for (n, days) in (1..=7).rev().enumerate() {
                all.push(snapshot(
                    target,
                    10 + n as u64,
                    days * 24 + 3,
                    Filesystem,
                    "",
                    hourly.clone(),
                ));
            }
            let safety = MadeBy::Safety(all[3].id.clone());
            all.push(snapshot(target, 30, 16, Filesystem, "", safety));
            for (n, hours) in (1..=9).rev().enumerate() {
                all.push(snapshot(target, 40 + n as u64, hours, Filesystem, "", hourly.clone()));
            }
            all
        }
        "db" => vec![
            snapshot(target, 60, 24 * 3, Application, "", MadeBy::Policy("nightly".into())),
            hand(61, 30, Memory, "before the upgrade"),
            snapshot(target, 62, 9, Application, "", MadeBy::Policy("nightly".into())),
        ],
        "/home" => vec![
            hand(70, 24 * 6, Crash, ""),
            hand(71, 50, Filesystem, "before moving photos"),
        ],
        "/srv/images/old.qcow2" => vec![hand(80, 24 * 90, Crash, "installed")],
        "vol-0a1b2c3d4e5f" | "ebs:vol-0a1b2c3d4e5f" => vec![hand(90, 24 * 2, Crash, "weekly")],
        _ => Vec::new(),
    }
}

fn list(target: &Target) -> SnapshotList {
    let rows = snapshots(target)
        .into_iter()
        .enumerate()
        .map(|(n, snapshot)| SnapshotRow {
            size: Some(Size {
                logical: Some(48_318_382_080),
                exclusive: Some(12_345_678 * (n as u64 % 5 + 1) + 1_000_000_000 / (n as u64 + 1)),
                exact: *target != folder_target("/home"),
            }),
            monthly: matches!(target, Target::Ebs(_)).then(|| Money {
                nanos: 2_400_000_000,
                currency: Currency::USD,
            }),
            fate: match (&snapshot.made_by, n) {
                (MadeBy::Policy(_), 4) => "goes with the next run".into(),
                (MadeBy::Policy(_), 5..=10) => "kept: daily".into(),
                (MadeBy::Policy(_), _) => "kept: last 24".into(),
                _ => String::new(),
            },
            snapshot,
        });
    SnapshotList {
        rows: rows.collect(),
        target: target.clone(),
        sized: true,
        notes: match *target == folder_target("/home") {
            true => vec!["quotas are off: what each one takes alone is counted by its extents".into()],
            false => Vec::new(),
        },
    }
}

fn ability(target: &Target) -> SnapshotAbility {
    use Consistency::{Crash, Filesystem, Memory};
    let writer = |pid, name: &str, database: Option<&str>| Writer {
        pid,
        name: name.into(),
        database: database.map(Into::into),
        files: vec!["/srv/www/data/base".into()],
    };
    let (levels, hints, writers, hooks) = match target.to_string().as_str() {
        "db" => (vec![Crash, Filesystem, Memory], Vec::new(), Vec::new(), Vec::new()),
        "/srv/www" => (
            vec![Crash, Filesystem],
            vec!["a database writes there: the hook postgresql has its transactions whole".to_owned()],
            vec![writer(812, "postgres", Some("PostgreSQL")), writer(944, "nginx", None)],
            vec!["postgresql".to_owned()],
        ),
        "/srv/media" => (
            Vec::new(),
            vec!["a copy takes more room than there is: 12 GiB more are needed".to_owned()],
            Vec::new(),
            Vec::new(),
        ),
        _ => (
            vec![Crash, Filesystem],
            Vec::new(),
            vec![writer(1203, "bash", None)],
            Vec::new(),
        ),
    };
    SnapshotAbility {
        target: target.clone(),
        ability: Ability { levels, hints, writers },
        hooks,
    }
}

fn plan(at: &SnapshotAt, safety: bool) -> RollbackPlan {
    let all = snapshots(&at.target);
    let to = all.into_iter().find(|one| one.id == at.id);
    let to = to.unwrap_or_else(|| snapshot(&at.target, 1, 1, Consistency::Crash, "", MadeBy::Hand));
    let name = at.target.to_string();
    let mut steps = vec![
        format!("a subvolume is made of the snapshot beside {name}"),
        format!("both change places: {name} is the snapshot's content from one moment to the next"),
        "all files are compared with the snapshot".to_owned(),
    ];
    if safety {
        steps.insert(0, format!("a snapshot of {name} as it is now is taken"));
    }
    RollbackPlan {
        loses: vec![format!(
            "everything written to {name} since then: 1,204 files differ (index.html, data/base/16384, …), 48.2 MiB"
        )],
        steps,
        safety,
        takes_along: Vec::new(),
        obstacles: match name.as_str() {
            "/home" => vec!["/home is in use by bash (1203), vim (1377): end them first, then try again".into()],
            _ => Vec::new(),
        },
        state: "as it was".into(),
        to,
    }
}

fn folder(asked: &ListSnapshotFolder) -> SnapshotFolder {
    let all: Vec<EntryRow> = match asked.folder.len() {
        0 => vec![
            entry(b"data", NodeType::Dir, None, 3),
            entry(b"static", NodeType::Dir, None, 40),
            entry(b"empty", NodeType::Dir, None, 40),
            entry(b"index.html", NodeType::File, Some(12_345), 2),
            entry(b"robots.txt", NodeType::File, Some(120), 200),
            entry(b"run.sock", NodeType::Socket, None, 1),
        ],
        _ if asked.folder.last().is_some_and(|name| name == b"empty") => Vec::new(),
        _ => (0..60)
            .map(|n| {
                let name = format!("part-{n:02}.bin");
                entry(name.as_bytes(), NodeType::File, Some(4096 * (n + 1)), n as i64)
            })
            .collect(),
    };
    let fits = |row: &EntryRow| String::from_utf8_lossy(&row.name).contains(&asked.filter);
    let all: Vec<EntryRow> = all.into_iter().filter(fits).collect();
    let near = asked.near.as_ref();
    let row_of_near = near.and_then(|near| all.iter().position(|row| row.name == *near));
    SnapshotFolder {
        at: asked.at.clone(),
        folder: asked.folder.clone(),
        first: 0,
        total: all.len() as u64,
        rows: all,
        row_of_near: row_of_near.map(|at| at as u64),
        on_disk: Some("/.coffer-snapshots/0001/files".into()),
        problem: String::new(),
    }
}

fn changes() -> Vec<SnapshotChange> {
    let change = |path: &str, how, before, after| SnapshotChange {
        path: path.split('/').map(|name| name.as_bytes().to_vec()).collect(),
        how,
        sizes: (before, after),
    };
    use SnapshotChangeKind::{Added, Attributes, Content, Gone};
    vec![
        change("data/base/16384", Content, Some(81_920_000), Some(83_558_400)),
        change("data/base/16401", Added, None, Some(8_192)),
        change("index.html", Content, Some(12_345), Some(13_012)),
        change("static/logo.svg", Gone, Some(4_321), None),
        change("static", Attributes, None, None),
    ]
}

/// The policies as the config has them.
pub(super) fn policies_of_config() -> Vec<SnapshotPolicy> {
    let policy = |name: &str, target: &str, at: &str, keep: Policy| SnapshotPolicy {
        name: name.into(),
        targets: vec![target.into()],
        at: at.parse().ok().into_iter().collect(),
        consistency: None,
        hooks: Vec::new(),
        before: None,
        after: None,
        hook_seconds: None,
        keep,
        since: None,
        limit: Some(64),
    };
    let last = |last: u32| Policy {
        last: Some(Many::Of(last)),
        ..Policy::default()
    };
    let mut hourly = last(15);
    hourly.buckets[Bucket::Day as usize] = Some(Many::Of(7));
    vec![
        policy("hourly", "/srv/www", "hourly", hourly),
        SnapshotPolicy {
            consistency: Some(Consistency::Application),
            hooks: vec!["postgresql".into()],
            ..policy("nightly", "db", "daily 03:00", last(7))
        },
        policy("cloud", "ebs:vol-gone", "monthly 1 04:00", last(3)),
    ]
}

fn costs() -> Vec<SnapshotCostRow> {
    let unpriced = "no price is named for btrfs snapshots: btrfs = \"ID\" below [snapshot-prices] in the config names one, \
                    coffer prices lists them";
    let found = targets().into_iter().filter(|row| row.snapshots.is_some_and(|n| n > 0));
    let cost = |row: SnapshotTargetRow| {
        let list = list(&row.found.target);
        let cloud = matches!(row.found.target, Target::Ebs(_));
        let size = |row: &SnapshotRow| row.size.and_then(|size| size.exclusive);
        SnapshotCostRow {
            cost: SnapshotCost {
                target: row.found.target.clone(),
                snapshots: list.rows.len() as u64,
                exclusive: list.rows.iter().filter_map(size).sum(),
                unknown: 0,
                monthly: cloud.then(|| list.rows[0].monthly).flatten(),
                price: cloud.then(|| "AWS EBS snapshot, us-east-1".to_owned()),
            },
            policies: row.policies,
            target: row.found.target,
            sized: true,
            unpriced: if cloud { String::new() } else { unpriced.to_owned() },
            problem: String::new(),
        }
    };
    found.map(cost).collect()
}

/// What a policy would do, by the very selection that runs policies.
fn what_if(policy: &SnapshotPolicy) -> SnapshotWhatIf {
    let decide = |target: &Target, policies: &[SnapshotPolicy]| {
        let rule = |policy: &SnapshotPolicy| (policy.name.clone(), policy.keep.clone(), policy.since);
        let rules: Vec<_> = policies.iter().map(rule).collect();
        let rules: Vec<Rule> = rules
            .iter()
            .map(|(name, keep, since)| Rule {
                name,
                keep,
                since: *since,
            })
            .collect();
        fates(&snapshots(target), &rules, policy.limit, time(NOW), &TimeZone::UTC)
    };
    let now = policies_of_config();
    let mut then = now.clone();
    then.retain(|one| one.name != policy.name);
    then.push(policy.clone());
    let mut all = Vec::new();
    for target in &policy.targets {
        let target = match target.starts_with('/') {
            true => folder_target(target),
            false => Target::Machine(target.clone()),
        };
        let both = decide(&target, &now).into_iter().zip(decide(&target, &then));
        for (mut row, (now, then)) in list(&target).rows.into_iter().zip(both) {
            row.fate = then.words;
            all.push(SnapshotFate {
                row,
                goes_now: now.goes,
                goes: then.goes,
            });
        }
    }
    let side = |goes: &dyn Fn(&SnapshotFate) -> bool| {
        let going = all.iter().filter(|fate| goes(fate));
        let staying = all.iter().filter(|fate| !goes(fate));
        let left = coverage(staying.map(|fate| (0, fate.row.snapshot.taken.seconds)));
        SnapshotsAt {
            go: going.clone().count() as u64,
            freed: going.filter_map(|fate| fate.row.size?.exclusive).sum(),
            unknown: 0,
            saved: None,
            stay: left.generations,
            oldest: left.oldest,
            largest_gap: left.largest_gap,
        }
    };
    let by_policy = |fate: &&SnapshotFate| matches!(fate.row.snapshot.made_by, MadeBy::Policy(_));
    SnapshotWhatIf {
        policy: policy.name.clone(),
        sized: true,
        now: side(&|fate| fate.goes_now),
        after: side(&|fate| fate.goes),
        by_hand: (all.len() - all.iter().filter(by_policy).count()) as u64,
        protected: all
            .iter()
            .filter(by_policy)
            .filter(|fate| fate.row.snapshot.protected)
            .count() as u64,
        notes: Vec::new(),
        fates: all,
    }
}

fn policies() -> Vec<SnapshotPolicyRow> {
    let row = |name: &str, target: &str, when: &str, keeps: &str, level, snapshots, going| SnapshotPolicyRow {
        name: name.into(),
        targets: vec![target.into()],
        when: when.into(),
        keeps: keeps.into(),
        consistency: level,
        snapshots,
        going,
        last: Some(time(NOW - HOUR)),
        next: Some(NOW + HOUR),
        problem: String::new(),
    };
    vec![
        row(
            "hourly",
            "/srv/www",
            "each hour",
            "the last 24, 7 daily; at most 64 of a target",
            None,
            16,
            1,
        ),
        row(
            "nightly",
            "db",
            "each day at 03:00",
            "7 daily, 4 weekly",
            Some(Consistency::Application),
            2,
            0,
        ),
        SnapshotPolicyRow {
            problem: "vol-gone: the cloud does not know it".into(),
            last: None,
            next: Some(NOW + 9 * DAY),
            ..row(
                "cloud",
                "ebs:vol-gone",
                "on the 1st of each month",
                "3 monthly",
                None,
                0,
                0,
            )
        },
    ]
}

//! A snapshot's record, which lies beside it in the cloud: as tags on it.
//!
//! The label is the tag `Name`, which the cloud's own console shows and changes too. What a tag says is believed only where it
//! makes sense: anybody who may tag can write it.

use std::collections::BTreeSet;

use super::answer::{CloudSnapshot, State};
use super::calls::{ID, Tags};
use super::endpoint::is_place_name;
use crate::snapshot::{Consistency, Error, Kind, Labels, MadeBy, Order, Result, Snapshot, SnapshotId, Target, Whole};

const NAME: &str = "Name";
const LEVEL: &str = "coffer:level";
const MADE_BY: &str = "coffer:made-by";
const GROUP: &str = "coffer:group";
const PROTECTED: &str = "coffer:protected";
const PAUSE: &str = "coffer:pause-ms";
const NOTE: &str = "coffer:note-";
/// The volume, also where the cloud has lost it: on copies.
pub(super) const VOLUME: &str = "coffer:volume";

/// The regions that it was copied to, with blanks between them.
const COPIED: &str = "coffer:copied-to";

/// A tag's text has at most so many characters.
const LONGEST: usize = 256;
/// So many notes are kept.
const NOTES: usize = 10;

/// The tags of a new snapshot of a volume.
pub(super) fn of_order(order: &Order, volume: &str) -> Result<Tags> {
    let made_by = match &order.made_by {
        MadeBy::Hand => "hand".to_owned(),
        MadeBy::Policy(name) => format!("policy:{name}"),
        MadeBy::Safety(id) => format!("safety:{id}"),
        MadeBy::Backup => "backup".to_owned(),
        MadeBy::Other => "other".to_owned(),
    };
    let mut tags = of_labels(&Labels {
        label: order.label.clone(),
        protected: order.protected,
    })?;
    // No name is no tag.
    tags.retain(|(key, value)| key != NAME || !value.is_empty());
    tags.extend([
        pair(ID, &order.id.0),
        pair(LEVEL, order.consistency.word()),
        pair(MADE_BY, &made_by),
        pair(VOLUME, volume),
    ]);
    tags.extend(order.group.as_ref().map(|group| pair(GROUP, group)));
    tags.extend(of_notes(&order.notes));
    check(&tags)?;
    Ok(tags)
}

/// The tags of a copy.
pub(super) fn of_copy(of: &Snapshot, id: &SnapshotId, volume: &str) -> Result<Tags> {
    let order = Order {
        id: id.clone(),
        consistency: of.consistency,
        label: of.label.clone(),
        made_by: MadeBy::Hand,
        group: None,
        protected: false,
        until: None,
        notes: Vec::new(),
    };
    of_order(&order, volume)
}

/// The regions that a snapshot was copied to.
pub(super) fn copied_to(from: &CloudSnapshot) -> BTreeSet<String> {
    let told = from.tags.iter().filter(|(key, _)| key == COPIED);
    let names = told.flat_map(|(_, value)| value.split_whitespace());
    names.filter(|name| is_place_name(name)).map(str::to_owned).collect()
}

/// The tag that says that a snapshot was copied to one more region. The first ones are told where not all have room.
pub(super) fn of_copied(from: &CloudSnapshot, region: &str) -> Tags {
    let mut regions = copied_to(from);
    regions.insert(region.to_owned());
    let mut text = String::new();
    for name in regions {
        if text.len() + 1 + name.len() <= LONGEST {
            text.push_str(if text.is_empty() { "" } else { " " });
            text.push_str(&name);
        }
    }
    vec![pair(COPIED, &text)]
}

/// The tags that say what can be changed.
pub(super) fn of_labels(labels: &Labels) -> Result<Tags> {
    let tags = vec![
        pair(NAME, &labels.label),
        pair(PROTECTED, if labels.protected { "yes" } else { "no" }),
    ];
    check(&tags)?;
    Ok(tags)
}

/// The tags that say what became known afterwards.
pub(super) fn of_outcome(snapshot: &Snapshot) -> Tags {
    let mut tags = vec![pair(LEVEL, snapshot.consistency.word())];
    tags.extend(snapshot.pause.map(|pause| pair(PAUSE, &pause.to_string())));
    tags.extend(of_notes(&snapshot.notes));
    tags
}

fn of_notes(notes: &[String]) -> impl Iterator<Item = (String, String)> {
    notes.iter().take(NOTES).enumerate().map(|(n, note)| {
        let note: String = note.chars().take(LONGEST).collect();
        pair(&format!("{NOTE}{n}"), &note)
    })
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn check(tags: &Tags) -> Result<()> {
    match tags.iter().find(|(_, value)| value.chars().count() > LONGEST) {
        None => Ok(()),
        Some((_, value)) => Err(Error::Refused {
            who: "the EC2 interface".into(),
            what: "a label or policy name".into(),
            said: format!(
                "it has at most {LONGEST} characters, this one has {}: choose a shorter one",
                value.chars().count()
            ),
        }),
    }
}

/// The snapshots that a cloud told of, oldest first. Where several claim to be the same one, copied with their tags, the
/// oldest is believed.
pub(super) fn read_all(target: &Target, mut all: Vec<CloudSnapshot>) -> Vec<Snapshot> {
    all.sort_by(|a, b| (a.started.instant(), &a.id).cmp(&(b.started.instant(), &b.id)));
    all.dedup_by(|a, b| a.id == b.id);
    let mut known = BTreeSet::new();
    let read = |one: &CloudSnapshot| {
        let snapshot = read(target, one);
        match known.insert(snapshot.id.clone()) {
            true => snapshot,
            false => foreign(target, one),
        }
    };
    all.iter().map(read).collect()
}

/// A snapshot by its tags.
pub(super) fn read(target: &Target, from: &CloudSnapshot) -> Snapshot {
    let tag = |key: &str| {
        let found = from.tags.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    };
    let made_by = tag(MADE_BY).and_then(|text| match text.split_once(':') {
        Some(("policy", name)) => Some(MadeBy::Policy(name.to_owned())),
        Some(("safety", id)) => Some(MadeBy::Safety(SnapshotId(id.to_owned()))),
        None if text == "hand" => Some(MadeBy::Hand),
        None if text == "backup" => Some(MadeBy::Backup),
        _ => None,
    });
    let id = tag(ID)
        .map(|text| SnapshotId(text.to_owned()))
        .filter(SnapshotId::is_sound);
    let (Some(id), Some(made_by)) = (id, made_by) else {
        return foreign(target, from);
    };
    let notes = (0..NOTES).filter_map(|n| tag(&format!("{NOTE}{n}")).map(str::to_owned));
    Snapshot {
        id,
        consistency: tag(LEVEL)
            .and_then(|text| text.parse().ok())
            .unwrap_or(Consistency::Crash),
        protected: tag(PROTECTED) == Some("yes"),
        made_by,
        group: tag(GROUP).map(str::to_owned),
        pause: tag(PAUSE).and_then(|text| text.parse().ok()),
        notes: state_notes(from).into_iter().chain(notes).collect(),
        ..foreign(target, from)
    }
}

/// A snapshot that another program made.
fn foreign(target: &Target, from: &CloudSnapshot) -> Snapshot {
    let name = from.tags.iter().find(|(key, _)| key == NAME);
    Snapshot {
        id: SnapshotId::foreign(Kind::Ebs, from.id.as_bytes()),
        kind: Kind::Ebs,
        target: target.clone(),
        taken: from.started,
        consistency: Consistency::Crash,
        label: name.map(|(_, value)| value.clone()).unwrap_or_default(),
        protected: false,
        made_by: MadeBy::Other,
        until: None,
        group: None,
        pause: None,
        notes: state_notes(from),
        whole: match from.state {
            State::Completed | State::Away => Whole::Yes,
            State::Pending => Whole::Soon,
            State::Failed => Whole::Never,
        },
        handle: from.id.clone(),
    }
}

/// What must be known of one that is not whole, or not at hand.
fn state_notes(from: &CloudSnapshot) -> Vec<String> {
    match from.state {
        State::Completed => Vec::new(),
        State::Pending => vec![match from.progress {
            Some(percent) => format!("not usable yet: the cloud is still writing it ({percent} %)"),
            None => "not usable yet: the cloud is still writing it".to_owned(),
        }],
        State::Failed => vec![
            format!(
                "of no use: the cloud could not write it {}",
                from.message.trim_end_matches('.')
            )
            .trim_end()
            .to_owned(),
        ],
        State::Away => vec!["not at hand: it is in the cloud's archive or recycle bin".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Time;

    fn order() -> Order {
        Order {
            id: SnapshotId("a1b2c3d4e5f6".into()),
            consistency: Consistency::Application,
            label: "before the upgrade".into(),
            made_by: MadeBy::Policy("nightly: all".into()),
            group: Some("g".into()),
            protected: true,
            until: None,
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_regions_it_was_copied_to_add_up() {
        let first = of_copied(&cloud_snapshot("snap-1", 5, Vec::new()), "eu-central-1");
        let both = of_copied(&cloud_snapshot("snap-1", 5, first), "eu-north-1");
        assert_eq!(both, [pair(COPIED, "eu-central-1 eu-north-1")]);
        let written = cloud_snapshot("snap-1", 5, vec![pair(COPIED, "us-east-1 evil.org/x")]);
        assert_eq!(copied_to(&written), BTreeSet::from(["us-east-1".to_owned()]));
    }

    fn cloud_snapshot(id: &str, seconds: i64, tags: Tags) -> CloudSnapshot {
        CloudSnapshot {
            id: id.into(),
            volume: "vol-1".into(),
            state: State::Completed,
            progress: Some(100),
            started: Time {
                seconds,
                ..Time::default()
            },
            gib: 8,
            encrypted: false,
            message: String::new(),
            tags,
        }
    }

    #[test]
    fn what_is_written_as_tags_is_read_back() {
        let target = Target::Ebs("vol-1".into());
        let mut tags = of_order(&order(), "vol-1").unwrap();
        let read_back = read(&target, &cloud_snapshot("snap-1", 5, tags.clone()));
        assert_eq!(read_back.made_by, order().made_by);
        assert_eq!((read_back.id, read_back.label), (order().id, order().label));
        assert_eq!((read_back.protected, read_back.group), (true, order().group));
        let mut taken = read(&target, &cloud_snapshot("snap-1", 5, tags.clone()));
        (taken.pause, taken.notes) = (Some(12), vec!["one".into(), "n".repeat(300)]);
        tags.extend(of_outcome(&taken));
        let amended = read(&target, &cloud_snapshot("snap-1", 5, tags));
        assert_eq!(
            (amended.pause, amended.notes.len(), amended.notes[1].len()),
            (Some(12), 2, LONGEST)
        );
    }

    #[test]
    fn those_of_others_and_copies_of_tags_are_told_apart() {
        let target = Target::Ebs("vol-1".into());
        let tags = of_order(&order(), "vol-1").unwrap();
        let name = vec![("Name".to_owned(), "theirs".to_owned())];
        let mut forged = tags.clone();
        forged[2].1 = "../../etc".into();
        let all = vec![
            cloud_snapshot("snap-3", 30, tags.clone()),
            cloud_snapshot("snap-1", 10, tags),
            cloud_snapshot("snap-2", 20, name),
            cloud_snapshot("snap-4", 40, forged),
            cloud_snapshot("snap-2", 20, Vec::new()),
        ];
        let read = read_all(&target, all);
        let handles: Vec<&str> = read.iter().map(|one| one.handle.as_str()).collect();
        assert_eq!(handles, ["snap-1", "snap-2", "snap-3", "snap-4"]);
        assert!(read[0].protected && read[0].made_by != MadeBy::Other);
        assert!(
            read[1..]
                .iter()
                .all(|one| one.made_by == MadeBy::Other && !one.protected)
        );
        assert_eq!(read[1].label, "theirs");
        let ids: BTreeSet<_> = read.iter().map(|one| &one.id).collect();
        assert_eq!(ids.len(), 4);
    }

    #[test]
    fn one_that_is_not_whole_says_so() {
        let mut one = cloud_snapshot("snap-1", 1, Vec::new());
        (one.state, one.progress) = (State::Pending, Some(40));
        assert!(read(&Target::Ebs("vol-1".into()), &one).notes[0].contains("(40 %)"));
        let whole = |state| {
            let mut one = cloud_snapshot("snap-1", 1, of_order(&order(), "vol-1").unwrap());
            one.state = state;
            read(&Target::Ebs("vol-1".into()), &one).whole
        };
        let all = [State::Completed, State::Pending, State::Failed, State::Away].map(whole);
        assert_eq!(all, [Whole::Yes, Whole::Soon, Whole::Never, Whole::Yes]);
    }

    #[test]
    fn labels_too_long_for_a_tag_are_refused() {
        let labels = Labels {
            label: "x".repeat(257),
            protected: false,
        };
        assert!(of_labels(&labels).unwrap_err().to_string().contains("256 characters"));
    }
}

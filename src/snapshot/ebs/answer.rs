//! What a cloud answers: XML of the EC2 interface to plain values. It may be anything: sizes are bounded, nothing panics.
//!
//! Facts: the reference of the actions `DescribeSnapshots`, `DescribeVolumes`, `DescribeInstances` of API version 2016-11-15.

use roxmltree::{Document, Node, ParsingOptions};

use crate::vault::Time;

/// More is no answer, bytes.
pub(super) const LARGEST: u64 = 16 << 20;

/// More nodes are no answer.
const MOST_NODES: u32 = 2_000_000;

/// How a snapshot is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The cloud is still writing it.
    Pending,
    /// It is whole.
    Completed,
    /// The cloud could not write it.
    Failed,
    /// It was moved to the recycle bin, or to the archive: there, but not at hand.
    Away,
}

/// A snapshot as the cloud has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CloudSnapshot {
    pub id: String,
    pub volume: String,
    pub state: State,
    /// How far it is, percent.
    pub progress: Option<u8>,
    pub started: Time,
    /// What the volume weighs, GiB.
    pub gib: u64,
    pub encrypted: bool,
    /// Why it failed.
    pub message: String,
    pub tags: Vec<(String, String)>,
}

/// A volume as the cloud has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volume {
    pub id: String,
    pub zone: String,
    /// `available`, `in-use`, `creating`, …
    pub state: String,
    pub gib: u64,
    /// `gp3`, …
    pub kind: String,
    pub iops: Option<u64>,
    pub throughput: Option<u64>,
    /// The snapshot it was made of; empty for none.
    pub snapshot: String,
    pub attachments: Vec<Attachment>,
    pub tags: Vec<(String, String)>,
}

/// Where a volume is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attachment {
    pub instance: String,
    pub device: String,
    /// `attaching`, `attached`, `detaching`, …
    pub state: String,
    pub deleted_with_instance: bool,
}

/// Some of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub items: Vec<T>,
    /// How to ask for the rest.
    pub next: Option<String>,
}

/// Why it is no answer.
pub(super) type Result<T> = std::result::Result<T, String>;

fn parse(text: &str) -> Result<Document<'_>> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| format!("it is no XML ({error})"))
}

/// The first child of this name, without regard to namespaces: they tell the interface's version only.
fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    child(node, name)
        .and_then(|child| child.text())
        .unwrap_or_default()
        .trim()
}

fn needed(node: Node<'_, '_>, name: &str) -> Result<String> {
    match text(node, name) {
        "" => Err(format!("{} lacks {name}", node.tag_name().name())),
        found => Ok(found.to_owned()),
    }
}

fn items<'a, 'i>(node: Node<'a, 'i>, name: &str) -> impl Iterator<Item = Node<'a, 'i>> {
    let all = child(node, name).into_iter().flat_map(|set| set.children());
    all.filter(|item| item.tag_name().name() == "item")
}

fn tags(node: Node<'_, '_>) -> Vec<(String, String)> {
    // Not trimmed: a tag's text is the user's.
    let value = |item: Node<'_, '_>, name| child(item, name).and_then(|node| node.text().map(str::to_owned));
    items(node, "tagSet")
        .map(|item| (text(item, "key").to_owned(), value(item, "value").unwrap_or_default()))
        .collect()
}

fn page<T>(answer: &str, set: &str, read: impl Fn(Node<'_, '_>) -> Result<T>) -> Result<Page<T>> {
    let document = parse(answer)?;
    let root = document.root_element();
    if child(root, set).is_none() {
        return Err(format!("{} lacks {set}", root.tag_name().name()));
    }
    Ok(Page {
        items: items(root, set).map(read).collect::<Result<_>>()?,
        next: Some(text(root, "nextToken").to_owned()).filter(|token| !token.is_empty()),
    })
}

fn read_snapshot(node: Node<'_, '_>) -> Result<CloudSnapshot> {
    let started = needed(node, "startTime")?;
    let state = match (text(node, "status"), text(node, "storageTier")) {
        ("completed", "archive") => State::Away,
        ("completed", _) => State::Completed,
        ("pending", _) => State::Pending,
        ("error", _) => State::Failed,
        _ => State::Away,
    };
    Ok(CloudSnapshot {
        id: needed(node, "snapshotId")?,
        volume: text(node, "volumeId").to_owned(),
        state,
        progress: text(node, "progress")
            .trim_end_matches('%')
            .parse()
            .ok()
            .filter(|n| *n <= 100),
        started: Time::parse(&started).ok_or_else(|| format!("{started:?} is no time"))?,
        gib: text(node, "volumeSize").parse().unwrap_or(0),
        encrypted: text(node, "encrypted") == "true",
        message: text(node, "statusMessage").to_owned(),
        tags: tags(node),
    })
}

/// The answer to `DescribeSnapshots`.
pub(super) fn snapshots(answer: &str) -> Result<Page<CloudSnapshot>> {
    page(answer, "snapshotSet", read_snapshot)
}

/// The answer to `CreateSnapshot`, which is the snapshot itself.
pub(super) fn snapshot(answer: &str) -> Result<CloudSnapshot> {
    read_snapshot(parse(answer)?.root_element())
}

/// The id in the answer to `CopySnapshot` or `CreateVolume`.
pub(super) fn id(answer: &str, name: &str) -> Result<String> {
    needed(parse(answer)?.root_element(), name)
}

/// The answer to `DescribeVolumes`.
pub(super) fn volumes(answer: &str) -> Result<Page<Volume>> {
    page(answer, "volumeSet", |node| {
        let attachment = |item: Node<'_, '_>| Attachment {
            instance: text(item, "instanceId").to_owned(),
            device: text(item, "device").to_owned(),
            state: text(item, "status").to_owned(),
            deleted_with_instance: text(item, "deleteOnTermination") == "true",
        };
        Ok(Volume {
            id: needed(node, "volumeId")?,
            zone: text(node, "availabilityZone").to_owned(),
            state: needed(node, "status")?,
            gib: text(node, "size").parse().unwrap_or(0),
            kind: text(node, "volumeType").to_owned(),
            iops: text(node, "iops").parse().ok(),
            throughput: text(node, "throughput").parse().ok(),
            snapshot: text(node, "snapshotId").to_owned(),
            attachments: items(node, "attachmentSet").map(attachment).collect(),
            tags: tags(node),
        })
    })
}

/// The state of the one instance in the answer to `DescribeInstances`: `running`, `stopped`, …
pub(super) fn instance_state(answer: &str) -> Result<String> {
    let document = parse(answer)?;
    let reservation = items(document.root_element(), "reservationSet").next();
    let instance = reservation.and_then(|one| items(one, "instancesSet").next());
    let state = instance.and_then(|one| child(one, "instanceState"));
    needed(state.ok_or("it tells of no instance")?, "name")
}

/// Code and message of an answer that is no success; empty where it tells none.
pub(super) fn refusal(answer: &str) -> (String, String) {
    let read = || {
        let document = parse(answer).ok()?;
        let error = document.descendants().find(|node| node.tag_name().name() == "Error")?;
        Some((text(error, "Code").to_owned(), text(error, "Message").to_owned()))
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SNAPSHOTS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><snapshotSet>
<item><snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId><status>pending</status>
<startTime>2026-11-29T12:00:00.250Z</startTime><progress>45%</progress><volumeSize>8</volumeSize>
<tagSet><item><key>Name</key><value> a &amp; b </value></item><item><key>empty</key><value/></item></tagSet></item>
</snapshotSet><nextToken>more</nextToken></DescribeSnapshotsResponse>"#;

    #[test]
    fn snapshots_are_read() {
        let page = snapshots(SNAPSHOTS).unwrap();
        assert_eq!(page.next.as_deref(), Some("more"));
        let one = &page.items[0];
        assert_eq!(
            (one.id.as_str(), one.state, one.progress),
            ("snap-1", State::Pending, Some(45))
        );
        assert_eq!(one.started.nanos, 250_000_000);
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(one.tags, [pair("Name", " a & b "), pair("empty", "")]);
        let gone = snapshots(&SNAPSHOTS.replace("<snapshotId>snap-1</snapshotId>", "")).unwrap_err();
        assert_eq!(gone, "item lacks snapshotId");
        assert!(
            snapshots("<html><body>Sign in</body></html>")
                .unwrap_err()
                .contains("lacks snapshotSet")
        );
    }

    #[test]
    fn volumes_instances_and_refusals_are_read() {
        let answer = "<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><size>8</size>\
            <availabilityZone>eu-west-1a</availabilityZone><status>in-use</status><iops>3000</iops><attachmentSet><item>\
            <instanceId>i-1</instanceId><device>/dev/sdf</device><status>attached</status>\
            <deleteOnTermination>true</deleteOnTermination></item></attachmentSet></item></volumeSet>\
            </DescribeVolumesResponse>";
        let volume = volumes(answer).unwrap().items.remove(0);
        assert_eq!((volume.gib, volume.iops, volume.throughput), (8, Some(3000), None));
        assert_eq!(
            (
                volume.attachments[0].device.as_str(),
                volume.attachments[0].deleted_with_instance
            ),
            ("/dev/sdf", true)
        );
        let answer = "<R><reservationSet><item><instancesSet><item><instanceState><code>80</code><name>stopped</name>\
            </instanceState></item></instancesSet></item></reservationSet></R>";
        assert_eq!(instance_state(answer).unwrap(), "stopped");
        let answer =
            "<Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error></Errors></Response>";
        assert_eq!(refusal(answer), ("AuthFailure".into(), "no".into()));
        assert_eq!(refusal("Bad gateway"), Default::default());
    }

    #[test]
    fn hostile_answers_are_refused_without_harm() {
        let entities = "<!DOCTYPE a [<!ENTITY b \"bbbbbbbbbb\">]><a>&b;</a>";
        assert!(snapshots(entities).unwrap_err().contains("no XML"));
        let deep = format!("{}{}", "<a>".repeat(500_000), "</a>".repeat(500_000));
        assert!(snapshots(&deep).is_err());
        assert!(refusal(&deep).0.is_empty());
        let wide = format!("<a>{}</a>", "<b/>".repeat(MOST_NODES as usize + 1));
        assert!(snapshots(&wide).unwrap_err().contains("no XML"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = (snapshots(&text), snapshot(&text), volumes(&text), instance_state(&text), refusal(&text));
        }

        #[test]
        fn no_damage_makes_it_panic(at in 0..SNAPSHOTS.len(), with in "[<>&;/a-z\"]{0,8}", cut in 0usize..40) {
            let end = (at + cut).min(SNAPSHOTS.len());
            let text = format!("{}{with}{}", &SNAPSHOTS[..at], &SNAPSHOTS[end..]);
            let _ = (snapshots(&text), snapshot(&text), volumes(&text), refusal(&text));
        }
    }
}

//! A volume of a snapshot, or a copy of it in another region.

use super::answer::{CloudSnapshot, Volume};
use super::calls::Tags;
use super::client::Client;
use super::endpoint::is_place_name;
use super::{tags, wait};
use crate::progress::Cancel;
use crate::snapshot::{Error, Result, Snapshot, SnapshotId, Work};

/// Where a snapshot is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum To<'a> {
    /// A volume in a zone of its region.
    Zone(&'a str),
    /// A copy in a region.
    Region(&'a str),
}

impl<'a> To<'a> {
    pub fn parse(place: &'a str) -> std::result::Result<To<'a>, String> {
        let to = match place.split_once(':') {
            Some(("zone", zone)) => To::Zone(zone),
            Some(("region", region)) => To::Region(region),
            _ => {
                return Err(format!(
                    "{place:?} is no place of a cloud: zone:eu-west-1a makes a volume there, region:eu-central-1 a copy of \
                     the snapshot"
                ));
            }
        };
        let (To::Zone(name) | To::Region(name)) = to;
        match is_place_name(name) {
            true => Ok(to),
            false => Err(format!(
                "{name:?} is no name of a zone or region, such as eu-west-1a or eu-central-1"
            )),
        }
    }
}

/// Makes it; what came of it, for people.
pub(super) fn make(client: &Client, volume: &str, snapshot: &Snapshot, to: To, work: &Work) -> Result<String> {
    let from = usable(client, snapshot)?;
    match to {
        To::Zone(zone) => {
            let like = client.volume(volume, work.cancel)?;
            let made = new_volume(client, &from, zone, like.as_ref(), own_tags(volume, snapshot), work)?;
            Ok(format!("{} in {zone}", made.id))
        }
        To::Region(region) => copy(client, volume, (snapshot, &from), region, work),
    }
}

/// The snapshot as the cloud has it now, if something can be made of it.
pub(super) fn usable(client: &Client, snapshot: &Snapshot) -> Result<CloudSnapshot> {
    use super::answer::State;
    let found = client.snapshot(&snapshot.handle, &Cancel::default())?;
    let found = found.ok_or_else(|| Error::NoSnapshot(snapshot.id.to_string()))?;
    let why = match found.state {
        State::Completed => return Ok(found),
        State::Pending => "the cloud is still writing it: wait until it is whole",
        State::Failed => "the cloud could not write it: it is of no use",
        State::Away => "it is in the cloud's archive or recycle bin: bring it back there first",
    };
    Err(Error::Refused {
        who: client.who(),
        what: format!("to use {}", found.id),
        said: why.into(),
    })
}

fn own_tags(volume: &str, snapshot: &Snapshot) -> Tags {
    vec![
        ("Name".to_owned(), format!("{volume} as of {}", snapshot.taken.utc())),
        ("coffer:snapshot".to_owned(), snapshot.id.to_string()),
    ]
}

/// A volume of a snapshot, when it is there; or none.
pub(super) fn new_volume(
    client: &Client,
    from: &CloudSnapshot,
    zone: &str,
    like: Option<&Volume>,
    tags: Tags,
    work: &Work,
) -> Result<Volume> {
    let token = SnapshotId::random()?;
    let id = client.create_volume(&from.id, zone, like, &token, &tags, work.cancel)?;
    work.progress.set_current(format!("{id} in {zone}").as_bytes());
    (work.note)(format!("makes the volume {id} of {} in {zone}", from.id));
    wait::volume(client, &id, "making", work.cancel, |volume| volume.state == "available").map_err(|error| {
        let done = match client.delete_volume(&id) {
            Ok(()) => "it was deleted again".to_owned(),
            Err(error) => format!("it could not be deleted again ({error}): delete it in the cloud"),
        };
        (work.note)(format!("{id}: {done}"));
        wait::and_then(error, &done)
    })
}

fn copy(client: &Client, volume: &str, of: (&Snapshot, &CloudSnapshot), region: &str, work: &Work) -> Result<String> {
    let (snapshot, from) = of;
    let there = client.of_region(region);
    let id = SnapshotId::random()?;
    let tags = tags::of_copy(snapshot, &id, volume)?;
    let about = format!("Coffer: copy of {} in {}", from.id, client.region);
    let copy = there.copy_snapshot((client, from), &about, &id, &tags, work.cancel)?;
    (work.note)(format!("copies {} to {region} as {copy}", from.id));
    wait::snapshot(&there, &copy, from.gib, work).map_err(|error| {
        let done = match there.delete_snapshot(&copy) {
            Ok(()) => "it was deleted again".to_owned(),
            Err(error) => format!("it could not be deleted again ({error}): delete it in the cloud"),
        };
        (work.note)(format!("{copy}: {done}"));
        wait::and_then(error, &done)
    })?;
    if let Err(error) = client.tag(&from.id, &tags::of_copied(from, region)) {
        (work.note)(format!(
            "{} could not be marked as copied to {region}, so coverage may not count that: {error}",
            from.id
        ));
    }
    Ok(format!("{copy} in {region} (snapshot {id} there)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_zones_or_regions() {
        assert_eq!(To::parse("zone:eu-west-1a"), Ok(To::Zone("eu-west-1a")));
        assert_eq!(To::parse("region:eu-central-1"), Ok(To::Region("eu-central-1")));
        assert!(To::parse("/srv/copy").unwrap_err().contains("zone:eu-west-1a"));
        assert!(To::parse("region:evil.org/x").unwrap_err().contains("no name"));
    }
}

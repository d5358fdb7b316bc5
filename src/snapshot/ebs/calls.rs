//! The actions of the EC2 interface that snapshots need, each as a function.

use std::time::Duration;

use super::answer::{self, CloudSnapshot, Page, Volume};
use super::attend::{Again, pause};
use super::client::Client;
use super::fault::Fault;
use crate::progress::Cancel;
use crate::snapshot::{Error, Result, SnapshotId};

/// So many are asked for at once.
const PAGE: &str = "500";
/// More pages are no list.
const MOST_PAGES: usize = 10_000;
/// When it is looked whether a request whose answer was lost was carried out: a cloud takes a moment to know.
const LOOKS: [Duration; 3] = [
    Duration::from_millis(200),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

/// The tag by which Coffer knows its own.
pub(super) const ID: &str = "coffer:id";

/// Tags to be written.
pub(super) type Tags = Vec<(String, String)>;

/// Collects the parts of a request.
#[derive(Debug, Default)]
struct Form(Vec<(String, String)>);

impl Form {
    fn with(mut self, name: &str, value: impl Into<String>) -> Form {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    fn filters(mut self, filters: &[(&str, &str)]) -> Form {
        for (n, (name, value)) in filters.iter().enumerate() {
            let n = n + 1;
            self = self
                .with(&format!("Filter.{n}.Name"), *name)
                .with(&format!("Filter.{n}.Value.1"), *value);
        }
        self
    }

    fn tags(mut self, before: &str, tags: &Tags) -> Form {
        for (n, (key, value)) in tags.iter().enumerate() {
            let n = n + 1;
            self = self
                .with(&format!("{before}Tag.{n}.Key"), key)
                .with(&format!("{before}Tag.{n}.Value"), value);
        }
        self
    }

    /// The tags of what is made.
    fn made_with(self, kind: &str, tags: &Tags) -> Form {
        self.with("TagSpecification.1.ResourceType", kind)
            .tags("TagSpecification.1.", tags)
    }

    fn pairs(&self) -> Vec<(&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }
}

/// All pages of a list.
fn pages<T>(mut get: impl FnMut(Option<&str>) -> Result<Page<T>>, endless: impl Fn() -> Error) -> Result<Vec<T>> {
    let mut all = Vec::new();
    let mut next: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = get(next.as_deref())?;
        all.extend(page.items);
        if page.next.is_none() {
            return Ok(all);
        }
        if page.next == next {
            break;
        }
        next = page.next;
    }
    Err(endless())
}

/// Makes something at most once, though answers may be lost: what is lost is looked for before it is made again.
fn once<T>(mut make: impl FnMut() -> Result<T>, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let mut tries = 0;
    loop {
        let fault = match make() {
            Err(Error::Cloud(fault)) if fault.is_unclear() => fault,
            other => return other,
        };
        tries += 1;
        for wait in LOOKS {
            // Not to be stopped: what was made has to be known.
            let _ = pause(wait, &Cancel::default());
            match look() {
                Ok(Some(made)) => return Ok(made),
                Ok(None) => {}
                Err(Error::Cloud(again)) => {
                    let (cloud, action) = match *fault {
                        Fault::Failed { cloud, action, .. } | Fault::Answer { cloud, action, .. } => (cloud, action),
                        other => return Err(other.into()),
                    };
                    let said = format!("whether it was carried out is not known, since {again}");
                    return Err(Fault::Failed { cloud, action, said }.into());
                }
                Err(other) => return Err(other),
            }
        }
        if tries == 2 {
            return Err(Error::Cloud(fault));
        }
    }
}

impl Client {
    fn list<T>(
        &self,
        action: &'static str,
        form: &Form,
        read: impl Fn(&str) -> answer::Result<Page<T>>,
        cancel: &Cancel,
    ) -> Result<Vec<T>> {
        let get = |next: Option<&str>| {
            let mut pairs = form.pairs();
            pairs.push(("MaxResults", PAGE));
            pairs.extend(next.map(|token| ("NextToken", token)));
            let text = self.call(action, &pairs, Again::Safe, cancel)?;
            read(&text).map_err(self.puzzled(action))
        };
        pages(get, || self.puzzled(action)("its list has no end".into()))
    }

    /// The user's own snapshots that fit all filters.
    pub fn snapshots(&self, filters: &[(&str, &str)], cancel: &Cancel) -> Result<Vec<CloudSnapshot>> {
        let form = Form::default().with("Owner.1", "self").filters(filters);
        self.list("DescribeSnapshots", &form, answer::snapshots, cancel)
    }

    /// The snapshot of this id; `None` when there is none, or not yet.
    pub fn snapshot(&self, id: &str, cancel: &Cancel) -> Result<Option<CloudSnapshot>> {
        Ok(self
            .snapshots(&[("snapshot-id", id)], cancel)?
            .into_iter()
            .find(|one| one.id == id))
    }

    /// The snapshot that Coffer made under this id.
    fn made_as(&self, id: &SnapshotId) -> Result<Option<CloudSnapshot>> {
        let filter = format!("tag:{ID}");
        Ok(self
            .snapshots(&[(&filter, &id.0)], &Cancel::default())?
            .into_iter()
            .next())
    }

    /// All volumes.
    pub fn volumes(&self, cancel: &Cancel) -> Result<Vec<Volume>> {
        self.list("DescribeVolumes", &Form::default(), answer::volumes, cancel)
    }

    /// The volume of this id; `None` when there is none.
    pub fn volume(&self, id: &str, cancel: &Cancel) -> Result<Option<Volume>> {
        let form = Form::default().filters(&[("volume-id", id)]);
        let all = self.list("DescribeVolumes", &form, answer::volumes, cancel)?;
        Ok(all.into_iter().find(|one| one.id == id))
    }

    /// Begins a snapshot of a volume: it is of this moment, and whole later.
    pub fn create_snapshot(
        &self,
        volume: &str,
        about: &str,
        id: &SnapshotId,
        tags: &Tags,
        cancel: &Cancel,
    ) -> Result<CloudSnapshot> {
        let action = "CreateSnapshot";
        let form = Form::default()
            .with("VolumeId", volume)
            .with("Description", about)
            .made_with("snapshot", tags);
        let make = || {
            let text = self.call(action, &form.pairs(), Again::Never, cancel)?;
            let mut made = answer::snapshot(&text).map_err(self.puzzled(action))?;
            // Not every cloud tells them back at once.
            made.tags = tags.clone();
            Ok(made)
        };
        once(make, || self.made_as(id))
    }

    /// Begins a copy of another region's snapshot in this one; its id here.
    pub fn copy_snapshot(
        &self,
        from: (&Client, &CloudSnapshot),
        about: &str,
        id: &SnapshotId,
        tags: &Tags,
        cancel: &Cancel,
    ) -> Result<String> {
        let action = "CopySnapshot";
        let (source, snapshot) = from;
        let mut form = Form::default()
            .with("SourceRegion", &source.region)
            .with("SourceSnapshotId", &snapshot.id)
            .with("Description", about)
            .made_with("snapshot", tags);
        if snapshot.encrypted {
            // What is encrypted is only handed out to who shows that the user asked for it there.
            let asked = [
                ("DestinationRegion", self.region.as_str()),
                ("SourceRegion", source.region.as_str()),
                ("SourceSnapshotId", snapshot.id.as_str()),
            ];
            form = form.with("PresignedUrl", source.presigned(action, &asked)?);
        }
        let make = || {
            let text = self.call(action, &form.pairs(), Again::Never, cancel)?;
            answer::id(&text, "snapshotId").map_err(self.puzzled(action))
        };
        once(make, || Ok(self.made_as(id)?.map(|made| made.id)))
    }

    /// Begins a volume of a snapshot; its id. `like` is the volume whose kind it gets.
    pub fn create_volume(
        &self,
        snapshot: &str,
        zone: &str,
        like: Option<&Volume>,
        token: &SnapshotId,
        tags: &Tags,
        cancel: &Cancel,
    ) -> Result<String> {
        let action = "CreateVolume";
        let mut form = Form::default()
            .with("SnapshotId", snapshot)
            .with("AvailabilityZone", zone)
            .with("ClientToken", format!("coffer-{token}"));
        if let Some(like) = like.filter(|like| !like.kind.is_empty()) {
            form = form.with("VolumeType", &like.kind);
            let paid = matches!(like.kind.as_str(), "gp3" | "io1" | "io2");
            if let Some(iops) = like.iops.filter(|_| paid) {
                form = form.with("Iops", iops.to_string());
            }
            if let Some(throughput) = like.throughput.filter(|_| like.kind == "gp3") {
                form = form.with("Throughput", throughput.to_string());
            }
        }
        let form = form.made_with("volume", tags);
        // By its token a second request makes no second volume.
        let text = self.call(action, &form.pairs(), Again::Safe, cancel)?;
        answer::id(&text, "volumeId").map_err(self.puzzled(action))
    }

    /// Writes tags, those of the same names being replaced.
    pub fn tag(&self, resource: &str, tags: &Tags) -> Result<()> {
        let form = Form::default().with("ResourceId.1", resource).tags("", tags);
        self.call("CreateTags", &form.pairs(), Again::Safe, &Cancel::default())?;
        Ok(())
    }

    /// Deletes a snapshot. One that is gone already is fine. Not to be stopped half-way.
    pub fn delete_snapshot(&self, id: &str) -> Result<()> {
        let form = Form::default().with("SnapshotId", id);
        match self.call("DeleteSnapshot", &form.pairs(), Again::Safe, &Cancel::default()) {
            Err(Error::Cloud(fault)) if fault.is("InvalidSnapshot.NotFound") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Deletes a volume that is attached to nothing. One that is gone already is fine.
    pub fn delete_volume(&self, id: &str) -> Result<()> {
        let form = Form::default().with("VolumeId", id);
        match self.call("DeleteVolume", &form.pairs(), Again::Safe, &Cancel::default()) {
            Err(Error::Cloud(fault)) if fault.is("InvalidVolume.NotFound") => Ok(()),
            other => other.map(drop),
        }
    }

    /// The state of an instance: `running`, `stopped`, …
    pub fn instance_state(&self, id: &str, cancel: &Cancel) -> Result<String> {
        let action = "DescribeInstances";
        let form = Form::default().with("InstanceId.1", id);
        let text = self.call(action, &form.pairs(), Again::Safe, cancel)?;
        answer::instance_state(&text).map_err(self.puzzled(action))
    }

    /// Begins to detach a volume.
    pub fn detach(&self, volume: &str, instance: &str) -> Result<()> {
        let form = Form::default().with("VolumeId", volume).with("InstanceId", instance);
        self.call("DetachVolume", &form.pairs(), Again::Safe, &Cancel::default())
            .map(drop)
    }

    /// Begins to attach a volume.
    pub fn attach(&self, volume: &str, instance: &str, device: &str) -> Result<()> {
        let form = Form::default()
            .with("VolumeId", volume)
            .with("InstanceId", instance)
            .with("Device", device);
        self.call("AttachVolume", &form.pairs(), Again::Safe, &Cancel::default())
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endless() -> Error {
        Error::NoSnapshot("endless".into())
    }

    #[test]
    fn pages_are_joined_and_a_list_without_end_is_refused() {
        let page = |items: &[u32], next: Option<&str>| {
            Ok(Page {
                items: items.to_vec(),
                next: next.map(str::to_owned),
            })
        };
        let get = |next: Option<&str>| match next {
            None => page(&[1, 2], Some("a")),
            Some("a") => page(&[], Some("b")),
            Some(_) => page(&[3], None),
        };
        assert_eq!(pages(get, endless).unwrap(), [1, 2, 3]);
        assert!(pages(|_| page(&[1], Some("a")), endless).is_err());
    }

    #[test]
    fn a_lost_answer_is_looked_for_before_a_second_one_is_made() {
        let lost = || Fault::Failed {
            cloud: "aws".into(),
            action: "CreateSnapshot",
            said: "lost".into(),
        };
        let mut made = 0;
        let make = || {
            made += 1;
            Err(lost().into())
        };
        assert_eq!(once(make, || Ok(Some(7))).unwrap(), 7);
        assert_eq!(made, 1);
        let refused = || -> Result<u32> { Err(Error::NoSnapshot("x".into())) };
        assert!(once(refused, || panic!("it is clear that none was made")).is_err());
        let unknown = once(|| Err::<u32, _>(lost().into()), || Err(lost().into())).unwrap_err();
        assert!(unknown.to_string().contains("is not known"), "{unknown}");
    }
}

//! Copies in other regions: what is left when a region is lost. They are known by the tag that names their volume; where
//! to look is known by a tag on those that were copied.

use std::collections::BTreeSet;

use super::answer::{CloudSnapshot, State};
use super::client::Client;
use super::{Ebs, tags};
use crate::progress::Cancel;
use crate::snapshot::Target;

impl Ebs {
    /// The region that a volume lies in, and so its snapshots.
    pub fn region_of(&self, target: &Target) -> Option<String> {
        let (client, _) = self.at(target).ok()?;
        Some(client.cloud.region.clone())
    }

    /// The other regions in which there are whole copies of a volume's snapshots, as the cloud of the volume tells: those
    /// that its snapshots say they were copied to, and those of its other entries. A region that cannot be asked has none.
    pub fn copied_to(&self, target: &Target) -> BTreeSet<String> {
        let Ok((client, volume)) = self.at(target) else {
            return BTreeSet::new();
        };
        let asked = |client: &Client, name: &str| {
            let all = client.snapshots(&[(name, volume)], &Cancel::default());
            all.inspect_err(|error| tracing::warn!("{error}")).unwrap_or_default()
        };
        let here = asked(client, "volume-id");
        let entries = self.clients.iter().map(|other| &other.cloud);
        let same = entries.filter(|other| other.endpoint == client.cloud.endpoint);
        let mut regions: BTreeSet<String> = here.iter().flat_map(tags::copied_to).collect();
        regions.extend(same.map(|other| other.region.clone()));
        regions.remove(&client.region);
        let tag = format!("tag:{}", tags::VOLUME);
        regions.retain(|region| {
            let there = asked(&client.of_region(region), &tag);
            // An endpoint that knows of no regions tells those of here again.
            let is_own = |one: &CloudSnapshot| here.iter().any(|own| own.id == one.id);
            there.iter().any(|one| one.state == State::Completed && !is_own(one))
        });
        regions
    }
}

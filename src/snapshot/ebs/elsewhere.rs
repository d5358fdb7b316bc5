//! Copies in other regions: what is left when a region is lost. They are known by the tag that names their volume.

use super::answer::State;
use super::{Ebs, tags};
use crate::progress::Cancel;
use crate::snapshot::{Snapshot, Target};

impl Ebs {
    /// The region that a volume lies in, and so its snapshots.
    pub fn region_of(&self, target: &Target) -> Option<String> {
        let (client, _) = self.at(target).ok()?;
        Some(client.cloud.region.clone())
    }

    /// The whole copies of a volume's snapshots in the other regions of the clouds that are known, each with its region. A
    /// cloud that cannot be asked has none.
    pub fn copies(&self, target: &Target) -> Vec<(String, Snapshot)> {
        let Ok((client, volume)) = self.at(target) else {
            return Vec::new();
        };
        let others = self.clients.iter();
        let others = others.filter(|other| other.cloud.region != client.cloud.region);
        let tag = format!("tag:{}", tags::VOLUME);
        let mut found = Vec::new();
        for other in others {
            match other.snapshots(&[(&tag, volume)], &Cancel::default()) {
                Ok(all) => {
                    let whole = all.iter().filter(|one| one.state == State::Completed);
                    found.extend(whole.map(|one| (other.cloud.region.clone(), tags::read(target, one))));
                }
                Err(error) => tracing::warn!("{error}"),
            }
        }
        found
    }
}

//! Snapshots of a cloud's volumes, by the EC2 interface: Amazon's EBS, and whoever speaks as it does.
//!
//! `client` asks a `cloud` (signed by `sign` with `credentials`, at an `endpoint`), `calls` are the actions, `answer` reads
//! what comes back, `fault` says what a refusal means, `attend` and `wait` wait. `tags` keeps the record as tags on the
//! snapshot itself, `place` makes volumes and copies, `rollback` goes back. A snapshot is of the moment in which it is begun; the cloud writes it
//! afterwards, which may take hours, so taking and finishing are two steps. What does not live here: where credentials come
//! from, and which clouds there are ([`Cloud`] is handed in).

mod answer;
mod attend;
mod calls;
mod client;
mod cloud;
mod credentials;
mod elsewhere;
mod endpoint;
mod fault;
mod place;
mod rollback;
mod sign;
mod tags;
mod wait;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub use cloud::{Cloud, Source};
pub use credentials::{Credentials, setting};
pub use endpoint::{Endpoint, is_place_name};
pub use fault::Fault;

use self::answer::CloudSnapshot;
use self::client::Client;
use super::{
    Ability, Consistency, Error, Files, Found, Frozen, Kind, Labels, MadeBy, NotHeld, Order, Provider, Result,
    RollbackPlan, RolledBack, Size, Snapshot, Target, Work,
};
use crate::progress::Cancel;

/// What helps who has no cloud.
const NONE: &str = "no cloud is known: write [clouds.NAME] with region = \"…\" into the config, or set AWS_REGION";

/// Makes snapshots of the volumes of some clouds.
#[derive(Debug)]
pub struct Ebs {
    clients: Vec<Client>,
    /// Those that cannot be asked, with why; without a name when there are none at all.
    broken: Vec<(String, String)>,
    /// What volumes weigh in the snapshots listed, GiB, by the cloud's ids.
    sizes: Mutex<HashMap<String, u64>>,
}

impl Ebs {
    /// Those of these clouds; `broken` are the names of those that cannot be asked, with why.
    pub fn new(clouds: Vec<Cloud>, broken: Vec<(String, String)>) -> Ebs {
        Ebs {
            clients: clouds.into_iter().map(Client::new).collect(),
            broken,
            sizes: Mutex::default(),
        }
    }

    /// Who is asked about a target, and for which volume: `vol-…`, or `CLOUD/vol-…`.
    fn at<'a>(&self, target: &'a Target) -> Result<(&Client, &'a str)> {
        let unable = |why: String| Error::Unable {
            target: target.to_string(),
            why,
        };
        let Target::Ebs(text) = target else {
            return Err(unable("it is no volume of a cloud".into()));
        };
        let broken = |name: &str| {
            let found = self.broken.iter().find(|(broken, _)| name.is_empty() || broken == name);
            found.map(|(_, why)| why.clone())
        };
        let names = || {
            let names: Vec<&str> = self.clients.iter().map(|client| client.cloud.name.as_str()).collect();
            names.join(", ")
        };
        let (client, volume) = match (text.rsplit_once('/'), self.clients.as_slice()) {
            (_, []) => return Err(unable(broken("").unwrap_or_else(|| NONE.into()))),
            (Some((name, volume)), clients) => {
                let client = clients.iter().find(|client| client.cloud.name == name);
                let why = || broken(name).unwrap_or_else(|| format!("there is no cloud {name:?}; known: {}", names()));
                (client.ok_or_else(|| unable(why()))?, volume)
            }
            (None, [only]) => (only, text.as_str()),
            (None, _) => {
                return Err(unable(format!(
                    "in which cloud? Write ebs:CLOUD/{text}; known: {}",
                    names()
                )));
            }
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        match volume.starts_with("vol-") && volume.len() <= 64 && volume.chars().all(plain) {
            true => Ok((client, volume)),
            false => Err(unable("it is no id of a volume: ebs:vol-0123456789abcdef0".into())),
        }
    }

    fn remember(&self, all: &[CloudSnapshot]) {
        let mut sizes = self.sizes.lock().unwrap_or_else(PoisonError::into_inner);
        sizes.extend(all.iter().map(|one| (one.id.clone(), one.gib)));
    }

    fn known_size(&self, id: &str) -> Option<u64> {
        self.sizes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .copied()
    }
}

/// Refuses what is not ours to change.
fn own(snapshot: &Snapshot) -> Result<()> {
    match snapshot.made_by {
        MadeBy::Other => Err(Error::Unable {
            target: format!("snapshot {}", snapshot.id),
            why: format!(
                "another program made it, so that one changes and deletes it (or: aws ec2 delete-snapshot --snapshot-id {})",
                crate::text::escape(snapshot.handle.as_bytes())
            ),
        }),
        _ => Ok(()),
    }
}

impl Provider for Ebs {
    fn kind(&self) -> Kind {
        Kind::Ebs
    }

    fn discover(&self) -> Vec<Found> {
        // Which volumes there are only the clouds can tell, and they are far.
        Vec::new()
    }

    fn survey(&self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for client in &self.clients {
            for volume in client.volumes(&Cancel::default())? {
                let name = volume
                    .tags
                    .iter()
                    .find(|(key, value)| key == "Name" && !value.is_empty());
                let name = name.map(|(_, name)| format!("{name:?}, ")).unwrap_or_default();
                let at = match volume.attachments.first() {
                    Some(at) => format!(", on {}", at.instance),
                    None => String::new(),
                };
                let usable = matches!(volume.state.as_str(), "available" | "in-use");
                found.push(Found {
                    target: Target::Ebs(match self.clients.as_slice() {
                        [_] => volume.id.clone(),
                        _ => format!("{}/{}", client.cloud.name, volume.id),
                    }),
                    kind: Kind::Ebs,
                    about: format!("{name}volume of {} in {}{at}", client.cloud.name, volume.zone),
                    size: Some(volume.gib << 30),
                    problem: (!usable).then(|| format!("it is {}: wait until that is over", volume.state)),
                });
            }
        }
        Ok(found)
    }

    fn preflight(&self, target: &Target) -> Result<Ability> {
        let (client, id) = self.at(target)?;
        let volume = client.volume(id, &Cancel::default())?.ok_or_else(|| Error::Unable {
            target: target.to_string(),
            why: format!(
                "there is no such volume in {}; coffer snapshot list --targets shows those there are",
                client.who()
            ),
        })?;
        let mut ability = Ability {
            levels: vec![Consistency::Crash],
            hints: Vec::new(),
            writers: Vec::new(),
        };
        match (volume.state.as_str(), volume.attachments.first()) {
            ("available", _) => {}
            ("in-use", at) => {
                let instance = at.map_or("an instance", |at| at.instance.as_str());
                ability.hints.push(format!(
                    "what programs on {instance} hold in memory is not in it: stop them, or tell them by a command of \
                     your own (--run-before, with --consistency application)"
                ));
            }
            (state, _) => {
                ability.levels.clear();
                ability.hints.push(format!("{id} is {state}: wait until that is over"));
            }
        }
        Ok(ability)
    }

    fn freeze(&self, _: &Target, _: Duration) -> Result<Option<Box<dyn Frozen>>, NotHeld> {
        Ok(None)
    }

    fn take(&self, target: &Target, order: &Order, work: &Work) -> Result<Snapshot> {
        let (client, volume) = self.at(target)?;
        let tags = tags::of_order(order, volume)?;
        let about = format!("Coffer: {volume}");
        let made = client.create_snapshot(volume, &about, &order.id, &tags, work.cancel)?;
        self.remember(std::slice::from_ref(&made));
        let mut snapshot = tags::read(target, &made);
        // It is told when it is finished.
        snapshot.notes.clone_from(&order.notes);
        Ok(snapshot)
    }

    fn finish(&self, snapshot: &Snapshot, work: &Work) -> Result<()> {
        let (client, _) = self.at(&snapshot.target)?;
        let gib = self.known_size(&snapshot.handle).unwrap_or_default();
        let whole = wait::snapshot(client, &snapshot.handle, gib, work);
        whole.map(drop).map_err(|error| {
            let done = match client.delete_snapshot(&snapshot.handle) {
                Ok(()) => format!("{} was deleted again", snapshot.handle),
                Err(error) => format!("{} could not be deleted again ({error})", snapshot.handle),
            };
            (work.note)(done.clone());
            wait::and_then(error, &done)
        })
    }

    fn amend(&self, snapshot: &Snapshot) -> Result<()> {
        let (client, _) = self.at(&snapshot.target)?;
        client.tag(&snapshot.handle, &tags::of_outcome(snapshot))
    }

    fn list(&self, target: &Target) -> Result<Vec<Snapshot>> {
        let (client, volume) = self.at(target)?;
        let cancel = Cancel::default();
        let mut all = client.snapshots(&[("volume-id", volume)], &cancel)?;
        // A copy has lost its volume: its tag knows it.
        let tag = format!("tag:{}", tags::VOLUME);
        all.extend(client.snapshots(&[(&tag, volume)], &cancel)?);
        self.remember(&all);
        Ok(tags::read_all(target, all))
    }

    fn relabel(&self, snapshot: &Snapshot, labels: &Labels) -> Result<Snapshot> {
        own(snapshot)?;
        let (client, _) = self.at(&snapshot.target)?;
        let tags = tags::of_labels(labels)?;
        client.tag(&snapshot.handle, &tags).map_err(|error| match error {
            Error::Cloud(fault) if fault.is("InvalidSnapshot.NotFound") => Error::NoSnapshot(snapshot.id.to_string()),
            other => other,
        })?;
        Ok(Snapshot {
            label: labels.label.clone(),
            protected: labels.protected,
            ..snapshot.clone()
        })
    }

    fn sizing(&self, _: &Target) -> Result<Option<String>> {
        Ok(Some(
            "the cloud does not tell what a snapshot takes alone: it keeps the blocks that changed since the one before"
                .into(),
        ))
    }

    fn size(&self, snapshot: &Snapshot) -> Result<Size> {
        let gib = match self.known_size(&snapshot.handle) {
            Some(gib) => Some(gib),
            None => {
                let (client, _) = self.at(&snapshot.target)?;
                client
                    .snapshot(&snapshot.handle, &Cancel::default())?
                    .map(|one| one.gib)
            }
        };
        Ok(Size {
            logical: gib.map(|gib| gib << 30),
            exclusive: None,
            exact: false,
        })
    }

    fn plan_rollback(&self, snapshot: &Snapshot, _: bool) -> Result<RollbackPlan> {
        let (client, volume) = self.at(&snapshot.target)?;
        rollback::plan(client, volume, snapshot)
    }

    fn roll_back(&self, plan: &RollbackPlan, work: &Work) -> Result<RolledBack> {
        let (client, volume) = self.at(&plan.to.target)?;
        rollback::carry_out(client, volume, plan, work)
    }

    fn clone_to(&self, snapshot: &Snapshot, place: &str, work: &Work) -> Result<String> {
        let (client, volume) = self.at(&snapshot.target)?;
        let to = place::To::parse(place).map_err(|why| Error::Refused {
            who: client.who(),
            what: "the place".into(),
            said: why,
        })?;
        place::make(client, volume, snapshot, to, work)
    }

    fn delete(&self, snapshot: &Snapshot, _: &Work) -> Result<()> {
        own(snapshot)?;
        if snapshot.protected {
            return Err(Error::Protected(snapshot.id.to_string()));
        }
        let (client, _) = self.at(&snapshot.target)?;
        // Only now: what was listed may be minutes old.
        let now = client.snapshot(&snapshot.handle, &Cancel::default())?;
        let now = now.ok_or_else(|| Error::NoSnapshot(snapshot.id.to_string()))?;
        if tags::read(&snapshot.target, &now).protected {
            return Err(Error::Protected(snapshot.id.to_string()));
        }
        client.delete_snapshot(&snapshot.handle)
    }

    fn files(&self, snapshot: &Snapshot) -> Result<Box<dyn Files>> {
        Err(Error::Unable {
            target: format!("the files of {}", snapshot.handle),
            why: format!(
                "they lie in the cloud, not on this machine: make a volume of it (coffer snapshot clone {} zone:ZONE), attach \
                 that to a machine and mount it there",
                snapshot.id
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn cloud(name: &str) -> Cloud {
        Cloud {
            name: name.into(),
            region: "eu-central-1".into(),
            endpoint: Endpoint::amazon("eu-central-1"),
            wait: Duration::from_secs(1),
            credentials: Arc::new(|| Err("none".into())),
            clock: Arc::new(crate::vault::Time::default),
        }
    }

    #[test]
    fn a_volume_is_told_with_its_cloud_where_there_are_several() {
        let said = |clouds: &[&str], text: &str| {
            let ebs = Ebs::new(
                clouds.iter().map(|name| cloud(name)).collect(),
                vec![("x".into(), "cloud x has no region".into())],
            );
            let found = ebs
                .at(&Target::Ebs(text.into()))
                .map(|(client, _)| client.cloud.name.clone());
            found.map_err(|error| error.to_string())
        };
        assert_eq!(said(&["a"], "vol-1"), Ok("a".into()));
        assert_eq!(said(&["a", "b"], "b/vol-1"), Ok("b".into()));
        assert!(said(&[], "vol-1").unwrap_err().contains("no region"));
        assert!(said(&["a"], "x/vol-1").unwrap_err().contains("no region"));
        assert!(
            said(&["a", "b"], "vol-1")
                .unwrap_err()
                .contains("ebs:CLOUD/vol-1; known: a, b")
        );
        assert!(said(&["a"], "c/vol-1").unwrap_err().contains("known: a"));
        for wrong in ["snap-1", "vol-1&x=y", "vol-1 2"] {
            assert!(said(&["a"], wrong).unwrap_err().contains("no id of a volume"));
        }
    }
}

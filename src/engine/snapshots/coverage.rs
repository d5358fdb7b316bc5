//! Coverage: what brings each volume, machine and path back, how far, and what is missing.
//!
//! Worked out from what is known without opening a vault: the config, the catalog, and the snapshots that can be seen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::holding::holding_disks;
use crate::engine::overview::{Standing, look_at};
use crate::engine::plans::Scope;
use crate::engine::question::CoverageRow;
use crate::engine::{Engine, Result};
use crate::progress::Cancel;
use crate::snapshot::{Consistency, Found, Kind, Snapshot, Target};
use crate::text::counted;

/// What is known of one vault.
#[derive(Debug, Clone, PartialEq)]
pub struct VaultCopy {
    /// Its name.
    pub name: String,
    /// The moments it holds, seconds since 1970.
    pub moments: Vec<i64>,
    /// Whether it lies on the disk of what it keeps, where that can be said.
    pub same_disk: Option<bool>,
    /// Whether it lies elsewhere: on a filesystem that comes over a network.
    pub elsewhere: bool,
    /// Whether it holds the content of disks, of which no single file can be taken.
    pub disks: bool,
}

impl VaultCopy {
    /// Whether it is known to outlive the disk of what it keeps.
    fn outlives_disk(&self) -> bool {
        self.same_disk == Some(false) || self.outlives_site()
    }

    /// Whether it is known to outlive the loss of this machine with all that is around it.
    fn outlives_site(&self) -> bool {
        self.elsewhere && self.same_disk != Some(true)
    }
}

/// All that is known of one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// What.
    pub what: String,
    /// A word for what it is.
    pub kind: &'static str,
    /// Its snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// Of a cloud's volume: the region it lies in with its snapshots, and those that have copies of them.
    pub regions: Option<(String, Vec<String>)>,
    /// The vaults that hold it.
    pub vaults: Vec<VaultCopy>,
    /// The vaults it is to be backed up to that nobody has looked into from here.
    pub unseen: Vec<String>,
}

/// What brings it back.
pub fn row(known: &Known) -> CoverageRow {
    let held: Vec<&VaultCopy> = known.vaults.iter().filter(|vault| !vault.moments.is_empty()).collect();
    let files = known.snapshots.iter().filter(|one| has_files(one.kind)).count();
    let in_cloud = known.snapshots.iter().any(|one| one.kind == Kind::Ebs);
    let snapshots = |n: usize| (n > 0).then(|| counted(n as u64, "snapshot", "snapshots"));
    let vaults = |of: Vec<&&VaultCopy>| {
        let names: Vec<&str> = of.iter().map(|vault| vault.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("vault {}", names.join(", ")))
    };
    let all = |parts: [Option<String>; 3]| parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let other_disk = vaults(held.iter().filter(|vault| vault.outlives_disk()).collect());
    let other_place = vaults(held.iter().filter(|vault| vault.outlives_site()).collect());
    let (region, copied) = match &known.regions {
        Some((region, copied)) => (Some(region), copied.as_slice()),
        None => (None, &[][..]),
    };
    let cloud = in_cloud.then(|| match region {
        Some(region) => format!("snapshots in {region}"),
        None => "snapshots of the cloud".to_owned(),
    });
    let copies = (!copied.is_empty()).then(|| format!("copies in {}", copied.join(", ")));
    let mut moments: Vec<i64> = known.snapshots.iter().map(|one| one.taken.seconds).collect();
    moments.extend(held.iter().flat_map(|vault| vault.moments.iter().copied()));
    moments.sort_unstable();
    let gaps = moments.windows(2).map(|pair| pair[1] - pair[0]);
    let disks = held.iter().filter(|vault| vault.outlives_disk()).count();
    let away = held.iter().filter(|vault| vault.outlives_site()).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    CoverageRow {
        what: known.what.clone(),
        kind: known.kind,
        last_backup: held.iter().flat_map(|vault| vault.moments.iter().copied()).max(),
        last_snapshot: known.snapshots.iter().map(|one| one.taken.seconds).max(),
        oldest: moments.first().copied(),
        largest_gap: gaps.max(),
        vaults: held.iter().map(|vault| vault.name.clone()).collect(),
        snapshots: known.snapshots.len() as u64,
        consistency: known.snapshots.iter().map(|one| one.consistency).max(),
        one_file: all([
            snapshots(files),
            None,
            vaults(held.iter().filter(|vault| !vault.disks).collect()),
        ]),
        whole_state: all([
            snapshots(known.snapshots.len()),
            copies.clone(),
            vaults(held.iter().collect()),
        ]),
        after_disk: all([cloud, copies.clone(), other_disk]),
        after_site: all([None, copies, other_place]),
        // What a cloud keeps of a volume does not lie on the volume's disks.
        copies: (
            count(1 + held.len() + usize::from(in_cloud) + copied.len()),
            count(1 + disks + usize::from(in_cloud) + copied.len()),
            count(away + copied.len()),
        ),
        warnings: warnings(known, &held, in_cloud, copied),
    }
}

/// Whether single files can be taken out of snapshots of a kind.
fn has_files(kind: Kind) -> bool {
    matches!(kind, Kind::Btrfs | Kind::Reflink | Kind::Qcow2 | Kind::Qemu)
}

fn warnings(known: &Known, held: &[&VaultCopy], in_cloud: bool, copied: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    if !known.unseen.is_empty() {
        let names = known.unseen.join(", ");
        found.push(format!(
            "what vault {names} holds is not known: nobody has looked into it from this machine"
        ));
    }
    match (known.snapshots.is_empty(), held.is_empty()) {
        (true, true) if !known.unseen.is_empty() => {}
        (true, true) if copied.is_empty() => found.push("nothing brings it back: no backup, no snapshot".into()),
        (false, true) if !in_cloud && copied.is_empty() => {
            found.push("snapshots only, on the same disk: a dead disk loses both".into());
        }
        (_, false) if !in_cloud && held.iter().all(|vault| vault.same_disk == Some(true)) => {
            found.push("its only vaults lie on its own disk: a dead disk loses both".into());
        }
        (_, false) if !in_cloud && copied.is_empty() && !held.iter().any(|vault| vault.outlives_disk()) => {
            let unknown = held.iter().filter(|vault| vault.same_disk.is_none());
            let names: Vec<&str> = unknown.map(|vault| vault.name.as_str()).collect();
            found.push(format!(
                "whether vault {} lies on another disk cannot be told: a dead disk may lose both",
                names.join(", ")
            ));
        }
        _ => {}
    }
    let away = !copied.is_empty() || held.iter().any(|vault| vault.outlives_site());
    match &known.regions {
        Some((region, _)) if in_cloud && !away => found.push(format!(
            "its snapshots lie in the same region as the volume, {region}: they outlive its disk and not the region; copy \
             them to another one (coffer snapshot clone ID region:NAME)"
        )),
        _ if !held.is_empty() && !away => {
            found.push("no copy is known to be elsewhere: fire, theft or a lost site take all".into());
        }
        _ => {}
    }
    if held.len() + usize::from(in_cloud) + copied.len() == 1 && !held.is_empty() {
        found.push("two copies with the live one: three are the rule".into());
    }
    let crash = known
        .snapshots
        .last()
        .is_some_and(|one| one.consistency == Consistency::Crash);
    if crash && known.kind == "machine" {
        found.push("its last snapshot is as after a power cut: its disks may need repair".into());
    }
    found
}

impl Engine {
    /// What brings back each path of the plans, each volume and machine that can be snapshotted.
    pub fn coverage(&self, cancel: &Cancel) -> Result<Vec<CoverageRow>> {
        let overview = self.overview_of_all(&|_| {}, cancel)?;
        let mut things: BTreeMap<String, Known> = BTreeMap::new();
        let mut images: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        let thing = |what: String, kind: &'static str| Known {
            what,
            kind,
            snapshots: Vec::new(),
            regions: None,
            vaults: Vec::new(),
            unseen: Vec::new(),
        };
        for found in self.found_targets() {
            cancel.check()?;
            let kind = kind_word(&found);
            // One that cannot be snapshotted now may have been before.
            let snapshots = self.whole_snapshots(&found.target);
            // What cannot be snapshotted is told where it is backed up, and a machine of the config in any case: that it
            // does not answer is no reason to be silent about it.
            if found.problem.is_none() || found.kind == Kind::Qemu || !snapshots.is_empty() {
                let name = found.target.to_string();
                images.insert(name.clone(), self.images(&found.target, snapshots.last()));
                let known = things.entry(name.clone()).or_insert_with(|| thing(name, kind));
                known.snapshots.extend(snapshots);
                known.regions = self.regions(&found.target);
            }
        }
        for plan in overview.plans.iter().filter(|plan| plan.other_host.is_none()) {
            for path in &plan.paths {
                let name = path.display().to_string();
                let known = things.entry(name.clone()).or_insert_with(|| thing(name, "path"));
                let unseen = plan.copies.iter().filter(|copy| copy.standing == Standing::Unknown);
                known.unseen.extend(unseen.map(|copy| copy.vault.clone()));
            }
        }
        let copies = self.vault_copies()?;
        let config = self.config();
        let here = config.plans.iter().filter(|plan| self.is_for_here(plan));
        let scopes: Vec<Scope> = here.map(Scope::of).collect();
        let mut places: Vec<PathBuf> = config.vaults.iter().map(|vault| vault.path.clone()).collect();
        places.extend(things.keys().map(PathBuf::from).filter(|path| path.is_absolute()));
        places.extend(images.values().flatten().cloned());
        let found = look_at(places);
        let same_disk = |path: &Path, vault: &str| {
            let vault = found.get(&config.vault(vault)?.path)?;
            found.get(path)?.shares_disk(vault)
        };
        let mut rows = Vec::new();
        for known in things.values_mut() {
            cancel.check()?;
            let path = Path::new(&known.what);
            if path.is_absolute() {
                known.vaults = self.holding(&copies, &scopes, path)?;
                for copy in &mut known.vaults {
                    copy.same_disk = same_disk(path, &copy.name);
                }
                if known.snapshots.is_empty() {
                    known.snapshots = self.snapshots_above(path);
                }
            }
            let images = images.get(&known.what).map_or(&[][..], Vec::as_slice);
            for mut copy in holding_disks(&copies, images) {
                if known.vaults.iter().any(|other| other.name == copy.name) {
                    continue;
                }
                let shared: Vec<Option<bool>> = images.iter().map(|image| same_disk(image, &copy.name)).collect();
                // One disk that goes with the vault is enough to lose it.
                copy.same_disk = if shared.contains(&Some(true)) {
                    Some(true)
                } else if shared.contains(&None) {
                    None
                } else {
                    Some(false)
                };
                known.vaults.push(copy);
            }
            rows.push(row(known));
        }
        Ok(rows)
    }

    /// The snapshots of a target that bring something back: what is still being written does not yet.
    fn whole_snapshots(&self, target: &Target) -> Vec<Snapshot> {
        let all = self.snapshots_of(target).unwrap_or_default().into_iter();
        all.filter(|snapshot| snapshot.whole.is_whole()).collect()
    }

    /// Where a cloud's volume lies, and in which other regions there are copies of its snapshots.
    fn regions(&self, target: &Target) -> Option<(String, Vec<String>)> {
        if !matches!(target, Target::Ebs(_)) {
            return None;
        }
        let ebs = self.ebs();
        let copied = ebs.copied_to(target).into_iter().collect();
        Some((ebs.region_of(target)?, copied))
    }
}

fn kind_word(found: &Found) -> &'static str {
    match found.kind {
        Kind::Btrfs | Kind::Reflink | Kind::Ebs => "volume",
        Kind::Qcow2 => "image",
        Kind::Qemu => "machine",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::testing;

    fn vault(name: &str, moments: &[i64], same_disk: Option<bool>, elsewhere: bool) -> VaultCopy {
        VaultCopy {
            name: name.into(),
            moments: moments.to_vec(),
            same_disk,
            elsewhere,
            disks: false,
        }
    }

    fn shown(snapshots: &[i64], vaults: Vec<VaultCopy>) -> String {
        let known = Known {
            what: "/srv".into(),
            kind: "volume",
            snapshots: snapshots
                .iter()
                .map(|at| testing::snapshot("a1b2c3d4e5f6", *at))
                .collect(),
            regions: None,
            vaults,
            unseen: Vec::new(),
        };
        told(&row(&known))
    }

    fn told(row: &CoverageRow) -> String {
        format!(
            "file: {}\nstate: {}\ndisk: {}\nsite: {}\ncopies: {:?}\noldest: {:?}, gap {:?}\n{}",
            row.one_file,
            row.whole_state,
            row.after_disk,
            row.after_site,
            row.copies,
            row.oldest,
            row.largest_gap,
            row.warnings.join("\n")
        )
    }

    #[test]
    fn snapshots_alone_do_not_outlive_their_disk() {
        insta::assert_snapshot!(shown(&[10, 40], Vec::new()), @r"
        file: 2 snapshots
        state: 2 snapshots
        disk: 
        site: 
        copies: (1, 1, 0)
        oldest: Some(10), gap Some(30)
        snapshots only, on the same disk: a dead disk loses both
        ");
        assert!(shown(&[], Vec::new()).ends_with("nothing brings it back: no backup, no snapshot"));
    }

    #[test]
    fn snapshots_of_a_cloud_outlive_the_disk_and_copies_in_another_region_the_region() {
        let of = |copied: &[&str]| Known {
            what: "ebs:vol-1".into(),
            kind: "volume",
            snapshots: vec![Snapshot {
                kind: Kind::Ebs,
                ..testing::snapshot("a1b2c3d4e5f6", 10)
            }],
            regions: Some((
                "eu-central-1".into(),
                copied.iter().map(|name| (*name).to_owned()).collect(),
            )),
            vaults: Vec::new(),
            unseen: Vec::new(),
        };
        insta::assert_snapshot!(told(&row(&of(&[]))), @r"
        file: 
        state: 1 snapshot
        disk: snapshots in eu-central-1
        site: 
        copies: (2, 2, 0)
        oldest: Some(10), gap None
        its snapshots lie in the same region as the volume, eu-central-1: they outlive its disk and not the region; copy them to another one (coffer snapshot clone ID region:NAME)
        ");
        insta::assert_snapshot!(told(&row(&of(&["eu-west-1"]))), @r"
        file: 
        state: 1 snapshot; copies in eu-west-1
        disk: snapshots in eu-central-1; copies in eu-west-1
        site: copies in eu-west-1
        copies: (3, 3, 1)
        oldest: Some(10), gap None
        ");
    }

    #[test]
    fn vaults_count_by_where_they_lie() {
        let vaults = vec![
            vault("here", &[5], Some(true), false),
            vault("disk", &[20, 90], Some(false), false),
            vault("away", &[30], Some(false), true),
        ];
        insta::assert_snapshot!(shown(&[100], vaults), @r"
        file: 1 snapshot; vault here, disk, away
        state: 1 snapshot; vault here, disk, away
        disk: vault disk, away
        site: vault away
        copies: (4, 3, 1)
        oldest: Some(5), gap Some(60)
        ");
        let own_disk = shown(&[], vec![vault("here", &[5], Some(true), false)]);
        assert!(own_disk.contains("its only vaults lie on its own disk"), "{own_disk}");
        assert!(own_disk.contains("three are the rule"));
    }

    #[test]
    fn a_vault_on_an_unknown_disk_is_not_told_to_outlive_one() {
        insta::assert_snapshot!(shown(&[], vec![vault("main", &[5], None, false)]), @r"
        file: vault main
        state: vault main
        disk: 
        site: 
        copies: (2, 1, 0)
        oldest: Some(5), gap None
        whether vault main lies on another disk cannot be told: a dead disk may lose both
        no copy is known to be elsewhere: fire, theft or a lost site take all
        two copies with the live one: three are the rule
        ");
        // What comes over a network has no disk of this machine, unless what it keeps comes from there too.
        let site = |same_disk| shown(&[], vec![vault("nas", &[5], same_disk, true)]);
        assert!(
            site(None).contains("disk: vault nas\nsite: vault nas"),
            "{}",
            site(None)
        );
        assert!(site(Some(true)).contains("disk: \nsite: \n"), "{}", site(Some(true)));
    }
}

//! A vault that is nowhere: its trees and index follow from a few numbers, always the same ones.
//!
//! Ten machines with 100,000 folders each (every folder holds up to twenty others and ten files), 500 generations of each.
//! Between two generations 72 folders change: in each, eight or so of its files have new content of four blobs; half of the
//! changes hit the same few folders again and again. What changes changes all folders above it. One folder in twenty holds
//! the same files on every machine. A number of blobs in the index is used by nothing.

use coffer::lifetimes::{Folder, Source, Weight};
use coffer::vault::{BlobKind, Generation, Id, Result};

/// How much there is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub machines: u32,
    pub generations: u32,
    pub folders: u32,
    pub changes: u32,
}

/// The size that must be coped with.
pub const FULL: Size = Size {
    machines: 10,
    generations: 500,
    folders: 100_000,
    changes: 72,
};

const FILES: u32 = 10;
const BELOW: u32 = 20;
/// Blobs of a content that is not the first one.
const BLOBS: u32 = 4;

/// A number that looks like chance.
pub fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// For each folder of a machine, the generations at which something happened to it.
struct Times {
    starts: Vec<u32>,
    times: Vec<u16>,
}

impl Times {
    /// From pairs of folder and generation.
    fn new(mut pairs: Vec<(u32, u16)>, folders: u32) -> Times {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0; folders as usize + 1];
        pairs.iter().for_each(|(folder, _)| starts[*folder as usize + 1] += 1);
        for n in 1..starts.len() {
            starts[n] += starts[n - 1];
        }
        Times {
            starts,
            times: pairs.into_iter().map(|(_, time)| time).collect(),
        }
    }

    /// Where a folder's are, up to a generation.
    fn until(&self, folder: u32, generation: u16) -> std::ops::Range<usize> {
        let all = self.starts[folder as usize] as usize..self.starts[folder as usize + 1] as usize;
        let count = self.times[all.clone()].partition_point(|time| *time <= generation);
        all.start..all.start + count
    }
}

struct Machine {
    /// When a folder, or one below it, changed; generation 0 is one of them.
    touched: Times,
    /// When its files changed.
    changed: Times,
    /// Numbers of its trees and of its later blobs start here.
    first_tree: u32,
    first_blob: u32,
}

pub struct Synthetic {
    size: Size,
    machines: Vec<Machine>,
    /// The folder of each tree: by number.
    folder_of: Vec<u32>,
    trees: u32,
    blobs: u32,
}

/// Numbers below a power of two in another order, and back.
struct Shuffle {
    bits: u32,
}

impl Shuffle {
    const FACTOR: u32 = 0x9e37_79b1;

    fn new(count: u32) -> Shuffle {
        Shuffle {
            bits: count.next_power_of_two().trailing_zeros(),
        }
    }

    fn mask(&self) -> u32 {
        ((1_u64 << self.bits) - 1) as u32
    }

    fn place(&self, n: u32) -> u32 {
        n.wrapping_mul(Self::FACTOR) & self.mask()
    }

    fn number(&self, place: u32) -> u32 {
        // Newton's way to the inverse of an odd number.
        let mut inverse = Self::FACTOR;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u32.wrapping_sub(Self::FACTOR.wrapping_mul(inverse)));
        }
        place.wrapping_mul(inverse) & self.mask()
    }

    fn id(&self, n: u32, kind: u64) -> Id {
        let mut id = [0; 32];
        let first = u64::from(self.place(n)) << (64 - self.bits) | mix(u64::from(n) + kind) >> self.bits;
        id[..8].copy_from_slice(&first.to_be_bytes());
        id[8..12].copy_from_slice(&n.to_le_bytes());
        for (at, bytes) in id[12..].chunks_mut(8).enumerate() {
            let more = mix(u64::from(n) << 8 | (at as u64 + kind)).to_le_bytes();
            bytes.copy_from_slice(&more[..bytes.len()]);
        }
        Id(id)
    }
}

fn number_of(id: &Id) -> u32 {
    u32::from_le_bytes([id.0[8], id.0[9], id.0[10], id.0[11]])
}

impl Synthetic {
    pub fn new(size: Size) -> Synthetic {
        let mut machines = Vec::new();
        let (mut trees, mut blobs) = (0, size.machines * size.folders * FILES);
        let mut folder_of = Vec::new();
        for machine in 0..size.machines {
            let mut changed = Vec::new();
            let mut touched: Vec<(u32, u16)> = (0..size.folders).map(|folder| (folder, 0)).collect();
            for generation in 1..size.generations as u16 {
                touched.push((0, generation));
                for n in 0..size.changes {
                    let chance = mix(u64::from(machine) << 40 | u64::from(generation) << 16 | u64::from(n));
                    let wide = (chance >> 32) % u64::from(size.folders);
                    let mut folder = match chance & 1 {
                        // The square of the square favours a few.
                        0 => {
                            let part = wide as f64 / f64::from(size.folders);
                            (part.powi(4) * f64::from(size.folders)) as u32
                        }
                        _ => wide as u32,
                    };
                    changed.push((folder, generation));
                    while folder > 0 {
                        touched.push((folder, generation));
                        folder = (folder - 1) / BELOW;
                    }
                }
            }
            let machine = Machine {
                touched: Times::new(touched, size.folders),
                changed: Times::new(changed, size.folders),
                first_tree: trees,
                first_blob: blobs,
            };
            trees += machine.touched.times.len() as u32;
            blobs += machine.changed.times.len() as u32 * FILES * BLOBS;
            for folder in 0..size.folders {
                let count = machine.touched.starts[folder as usize + 1] - machine.touched.starts[folder as usize];
                folder_of.extend(std::iter::repeat_n(folder, count as usize));
            }
            machines.push(machine);
        }
        Synthetic {
            size,
            machines,
            folder_of,
            trees,
            blobs,
        }
    }

    pub fn trees(&self) -> u32 {
        self.trees
    }

    pub fn blobs(&self) -> u32 {
        self.blobs
    }

    fn tree_ids(&self) -> Shuffle {
        Shuffle::new(self.trees)
    }

    fn blob_ids(&self) -> Shuffle {
        Shuffle::new(self.blobs)
    }

    fn tree_number(&self, machine: &Machine, folder: u32, generation: u16) -> u32 {
        machine.first_tree + machine.touched.until(folder, generation).end as u32 - 1
    }

    /// All generations, in the order of time.
    pub fn generations(&self) -> Vec<Generation> {
        let json = format!(r#"{{"time":"2020-01-01T00:00:00Z","tree":"{}"}}"#, Id::ZERO);
        let base = Generation::decode(Id::ZERO, json.as_bytes()).unwrap();
        let ids = self.tree_ids();
        let mut all = Vec::new();
        for generation in 0..self.size.generations {
            for (n, machine) in self.machines.iter().enumerate() {
                let number = all.len() as u64;
                let mut made = Generation {
                    tree: ids.id(self.tree_number(machine, 0, generation as u16), 1),
                    hostname: format!("machine-{n}"),
                    paths: vec!["/".into()],
                    ..base.clone()
                };
                made.time.seconds = 1_600_000_000 + number as i64 * 3600;
                made.id = Id::of(&number.to_le_bytes());
                all.push(made);
            }
        }
        all
    }

    /// The weight of a blob.
    fn weight(n: u32, kind: BlobKind) -> Weight {
        let plain = match kind {
            BlobKind::Data => 500 + (mix(u64::from(n)) % 200_000) as u32,
            BlobKind::Tree => 2_000 + (mix(u64::from(n)) % 9_000) as u32,
        };
        Weight {
            sealed: plain / 2 + 40,
            plain,
            compressed: true,
        }
    }

    /// The content of a file.
    fn file(&self, machine: u32, folder: u32, file: u32, generation: u16, ids: &Shuffle, into: &mut Folder) {
        let of = &self.machines[machine as usize];
        let changes = of.changed.until(folder, generation);
        let latest = changes.rev().find(|at| {
            let chance = mix((*at as u64) << 8 | u64::from(file));
            chance % 10 < 8
        });
        match latest {
            Some(at) => {
                let first = of.first_blob + (at as u32 * FILES + file) * BLOBS;
                into.file((first..first + BLOBS).map(|n| ids.id(n, 0)));
            }
            None => {
                let machine = if folder % 20 == 3 { 0 } else { machine };
                let n = (machine * self.size.folders + folder) * FILES + file;
                into.file([ids.id(n, 0)]);
            }
        }
    }
}

impl Source for Synthetic {
    type Scratch = ();

    fn read(&self, tree: &Id, (): &mut (), folder: &mut Folder) -> Result<()> {
        let number = number_of(tree);
        let at = self.machines.partition_point(|machine| machine.first_tree <= number) - 1;
        let machine = &self.machines[at];
        let generation = machine.touched.times[(number - machine.first_tree) as usize];
        let here = self.folder_of[number as usize];
        let (trees, blobs) = (self.tree_ids(), self.blob_ids());
        let below = here * BELOW + 1..(here * BELOW + 1 + BELOW).min(self.size.folders);
        for child in below {
            folder
                .folders
                .push(trees.id(self.tree_number(machine, child, generation), 1));
        }
        for file in 0..FILES {
            self.file(at as u32, here, file, generation, &blobs, folder);
        }
        Ok(())
    }

    fn weigh(&self, kind: BlobKind, id: &Id) -> Option<Weight> {
        Some(Self::weight(number_of(id), kind))
    }

    fn weigh_all(&self, each: &mut dyn FnMut(BlobKind, &Id, Weight)) {
        let kinds = [
            (BlobKind::Data, self.blob_ids(), self.blobs, 0),
            (BlobKind::Tree, self.tree_ids(), self.trees, 1),
        ];
        for (kind, ids, count, mark) in kinds {
            for place in 0..=ids.mask() {
                let n = ids.number(place);
                if n < count {
                    each(kind, &ids.id(n, mark), Self::weight(n, kind));
                }
            }
        }
    }

    fn index_files(&self) -> Vec<Id> {
        (0..400_u32).map(|n| Id::of(&n.to_le_bytes())).collect()
    }
}

//! Which packs a check reads whole.

use std::str::FromStr;

use super::listing::PackSize;
use crate::vault::crypto::random_bytes;
use crate::vault::{Id, Result};

/// How much of the data is read and verified.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum DataSubset {
    /// None: structure only.
    #[default]
    None,
    /// All of it.
    All,
    /// The `part`-th of `of` parts (from 1), always the same packs: all parts together are all packs.
    Part {
        /// Which, from 1 to `of`.
        part: u32,
        /// How many there are: at most 256.
        of: u32,
    },
    /// So many per cent of the packs, at least one, chosen at random.
    Percent(f64),
    /// Packs of about so many bytes together, at least one, chosen at random.
    Size(u64),
}

/// The text names no part of the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a part of the data: write n/t (such as 1/7, t at most 256), P% (such as 2.5%) or a size (such as 500M)"
)]
pub struct BadSubset(pub String);

impl FromStr for DataSubset {
    type Err = BadSubset;

    fn from_str(text: &str) -> Result<DataSubset, BadSubset> {
        let bad = || BadSubset(text.to_owned());
        if let Some((part, of)) = text.split_once('/') {
            let (part, of) = (part.parse().map_err(|_| bad())?, of.parse().map_err(|_| bad())?);
            return if part >= 1 && part <= of && of <= 256 {
                Ok(DataSubset::Part { part, of })
            } else {
                Err(bad())
            };
        }
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.parse().map_err(|_| bad())?;
            return if percent > 0.0 && percent <= 100.0 {
                Ok(DataSubset::Percent(percent))
            } else {
                Err(bad())
            };
        }
        let size = crate::config::parse_size(text).filter(|size| *size > 0);
        size.map(DataSubset::Size).ok_or_else(bad)
    }
}

impl DataSubset {
    /// The packs to read, sorted by id as `packs` are.
    pub(super) fn choose(&self, packs: &[PackSize]) -> Result<Vec<PackSize>> {
        let mut chosen = match *self {
            DataSubset::None => Vec::new(),
            DataSubset::All => packs.to_vec(),
            DataSubset::Part { part, of } => {
                let of = of.max(1);
                packs
                    .iter()
                    .filter(|pack| u32::from(pack.id.0[0]) % of == part.wrapping_sub(1) % of)
                    .copied()
                    .collect()
            }
            DataSubset::Percent(percent) => {
                let count = (packs.len() as f64 * percent / 100.0) as usize;
                let mut chosen = shuffled(packs)?;
                chosen.truncate(count.max(1));
                chosen
            }
            DataSubset::Size(size) => {
                let mut chosen = shuffled(packs)?;
                let mut sum = 0u64;
                let enough = chosen.iter().position(|pack| {
                    sum = sum.saturating_add(pack.size);
                    sum >= size
                });
                chosen.truncate(enough.map_or(usize::MAX, |last| last + 1));
                chosen
            }
        };
        chosen.sort_unstable_by_key(|pack| pack.id);
        Ok(chosen)
    }
}

/// The packs in random order.
fn shuffled(packs: &[PackSize]) -> Result<Vec<PackSize>> {
    // Ids are hashes: the hash of one with a fresh number has an order that nobody knows beforehand.
    let mut salt = [0; 16];
    random_bytes(&mut salt)?;
    let mut packs = packs.to_vec();
    packs.sort_by_cached_key(|pack| Id::of_parts(&[&salt, &pack.id.0]));
    Ok(packs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let parsed = |text: &str| text.parse::<DataSubset>();
        assert_eq!(parsed("2/7"), Ok(DataSubset::Part { part: 2, of: 7 }));
        assert_eq!(parsed("2.5%"), Ok(DataSubset::Percent(2.5)));
        assert_eq!(parsed("100%"), Ok(DataSubset::Percent(100.0)));
        assert_eq!(parsed("123"), Ok(DataSubset::Size(123)));
        assert_eq!(parsed("2k"), Ok(DataSubset::Size(2048)));
        assert_eq!(parsed("3G"), Ok(DataSubset::Size(3 << 30)));
        assert_eq!(parsed("500MiB"), Ok(DataSubset::Size(500 << 20)));
        for bad in [
            "",
            "0/7",
            "8/7",
            "1/257",
            "1/",
            "0%",
            "101%",
            "NaN%",
            "%",
            "x",
            "-1",
            "K",
            "99999999T",
            "0",
            "1é",
        ] {
            assert!(parsed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn parts_are_disjoint_and_together_all() {
        let packs: Vec<PackSize> = (0..600u32)
            .map(|n| PackSize {
                id: Id::of(&n.to_le_bytes()),
                size: 10,
            })
            .collect();
        let mut sorted = packs.clone();
        sorted.sort_unstable_by_key(|pack| pack.id);
        let mut together = Vec::new();
        for part in 1..=7 {
            together.extend(DataSubset::Part { part, of: 7 }.choose(&packs).unwrap());
        }
        together.sort_unstable_by_key(|pack| pack.id);
        assert_eq!(together, sorted);
        assert_eq!(DataSubset::All.choose(&packs).unwrap(), sorted);
        assert_eq!(DataSubset::None.choose(&packs).unwrap(), []);
        assert_eq!(DataSubset::Percent(50.0).choose(&packs).unwrap().len(), 300);
        assert_eq!(DataSubset::Percent(0.001).choose(&packs).unwrap().len(), 1);
        assert_eq!(DataSubset::Size(95).choose(&packs).unwrap().len(), 10);
        assert_eq!(DataSubset::Size(1).choose(&packs).unwrap().len(), 1);
        assert_eq!(DataSubset::Size(u64::MAX).choose(&packs).unwrap(), sorted);
        assert_eq!(DataSubset::Size(1).choose(&[]).unwrap(), []);
        assert_ne!(
            DataSubset::Percent(50.0).choose(&packs).unwrap(),
            DataSubset::Percent(50.0).choose(&packs).unwrap()
        );
    }
}

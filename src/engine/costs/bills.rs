//! Prices put to what a vault holds.

use super::ground::Packs;
use crate::cost::billing::{self, Holding, Leaving, Machine, Traffic};
use crate::cost::{Bill, Money, Objects, Price};
use crate::engine::{Engine, Error, Result};
use crate::vault::prune::{Foreseen, PruneFigures};

/// A price, or why there is none.
#[derive(Debug, Clone)]
pub(super) struct Priced {
    pub(super) price: Option<Price>,
    /// What is to be said when there is none.
    pub(super) problem: Option<String>,
}

impl Engine {
    /// The price of the book with this id.
    pub(super) fn price(&self, id: &str) -> Result<Price> {
        let price = self.config().prices.find(id).cloned();
        price.map_err(|error| Error::Usage(error.to_string()))
    }

    /// The price that a vault names.
    pub(super) fn price_of(&self, vault: &str) -> Result<Priced> {
        let place = self.find(vault)?;
        Ok(match place.config.and_then(|config| config.price) {
            None => Priced {
                price: None,
                problem: Some(format!(
                    "the vault names no price: coffer prices list, then coffer vault set {} --price ID",
                    place.name
                )),
            },
            Some(id) => match self.price(&id) {
                Ok(price) => Priced {
                    price: Some(price),
                    problem: None,
                },
                Err(error) => Priced {
                    price: None,
                    problem: Some(error.to_string()),
                },
            },
        })
    }
}

/// A price for people: `AWS S3 Standard, us-east-1`.
pub(super) fn price_words(price: &Price) -> String {
    let region = price.region.as_deref().map(|region| format!(", {region}"));
    format!("{} {}{}", price.vendor, price.name, region.unwrap_or_default())
}

/// What a month costs; what is not known goes into the notes.
pub(super) fn monthly(price: Option<&Price>, holding: &Holding, notes: &mut Vec<String>) -> Option<Bill> {
    known(billing::monthly(price?, holding), notes)
}

/// Packs as a price sees them.
pub(super) fn holding(sizes: impl Iterator<Item = u64>, clients: u32) -> Holding {
    let objects: Objects = sizes.collect();
    Holding {
        bytes: objects.bytes(),
        objects: Some(objects),
        clients: Some(clients),
    }
}

/// What restoring one generation whole costs: `bytes` of blobs, in packs of the usual size.
pub(super) fn restore(
    price: Option<&Price>,
    bytes: u64,
    gets: u64,
    stored: u64,
    notes: &mut Vec<String>,
) -> Option<Bill> {
    known(billing::restore(price?, bytes, gets, stored, Machine::Outside), notes)
}

/// What the change costs once: packs deleted early, and what prune reads, writes and asks for.
pub(super) fn pruning(
    price: Option<&Price>,
    foreseen: &Foreseen,
    now: i64,
    stored: u64,
    notes: &mut Vec<String>,
) -> Option<Bill> {
    let price = price?;
    let mut undated = false;
    let leaving: Vec<Leaving> = foreseen
        .leaving
        .iter()
        .map(|pack| Leaving {
            bytes: pack.size,
            age_seconds: age(pack.modified, now, &mut undated),
        })
        .collect();
    let early = known(billing::early_delete(price, &leaving), notes)?;
    if undated && price.minimum_days > 0 {
        notes.push("the storage does not tell how old its packs are: they are taken to be new".into());
    }
    let traffic = known(
        billing::traffic(price, &requests(&foreseen.figures), stored, Machine::Outside),
        notes,
    )?;
    early.plus(traffic)
}

fn age(modified: Option<i64>, now: i64, undated: &mut bool) -> u64 {
    *undated |= modified.is_none();
    modified.map_or(0, |modified| u64::try_from(now.saturating_sub(modified)).unwrap_or(0))
}

fn requests(figures: &PruneFigures) -> Traffic {
    Traffic {
        puts: figures.puts,
        gets: figures.gets,
        lists: figures.lists,
        deletes: figures.deletes,
        bytes_read: figures.bytes_read,
    }
}

/// What moving to another price costs once: what stays is read at the old place and written at the new one, and the old
/// place's packs are deleted, early where they are young. `None` for two currencies too.
pub(super) fn moving(
    old: Option<&Price>,
    new: &Price,
    packs: &Packs,
    foreseen: &Foreseen,
    now: i64,
    notes: &mut Vec<String>,
) -> Option<Bill> {
    let old = old?;
    let staying = (foreseen.staying.len() + foreseen.new.len()) as u64;
    let read = Traffic {
        gets: staying,
        lists: 1,
        bytes_read: foreseen.figures.bytes_after,
        ..Traffic::default()
    };
    let write = Traffic {
        puts: staying,
        ..Traffic::default()
    };
    let mut undated = false;
    let leaving: Vec<Leaving> = packs
        .contents
        .dated()
        .map(|(bytes, modified)| Leaving {
            bytes,
            age_seconds: age(modified, now, &mut undated),
        })
        .collect();
    let early = known(billing::early_delete(old, &leaving), notes)?;
    let read = known(billing::traffic(old, &read, packs.stored, Machine::Outside), notes)?;
    let write = known(
        billing::traffic(new, &write, foreseen.figures.bytes_after, Machine::Outside),
        notes,
    )?;
    if old.currency != new.currency {
        notes.push(format!(
            "the prices are in {} and {}: what is paid once and what is saved cannot be added up",
            old.currency, new.currency
        ));
        return None;
    }
    notes.push("moving is reckoned as one copy of what stays: each pack read once from the old place and written once to the new one".into());
    early.plus(read)?.plus(write)
}

/// What is saved a month when a generation goes, at the rate of the next byte.
pub(super) fn share(price: Option<&Price>, stored: u64, bytes: u64) -> Option<Money> {
    billing::without(price?, stored, bytes)
}

fn known(bill: Result<Bill, billing::Unknown>, notes: &mut Vec<String>) -> Option<Bill> {
    match bill {
        Ok(bill) => Some(bill),
        Err(unknown) => {
            note(notes, unknown.to_string());
            None
        }
    }
}

/// Adds a sentence that is not there yet.
pub(super) fn note(notes: &mut Vec<String>, text: String) {
    if !notes.contains(&text) {
        notes.push(text);
    }
}

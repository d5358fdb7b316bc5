//! What keeping something costs a month.

use super::draft::{Draft, unknown};
use super::{Unknown, words};
use crate::cost::price::{Disk, MONTH_HOURS, Month, Price, Step, Storage, Tier};
use crate::cost::{Bill, Fee, Money, Objects};

/// What is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holding {
    /// Bytes of all objects.
    pub bytes: u64,
    /// Their sizes, where known; only a price with a minimum size of objects asks for them.
    pub objects: Option<Objects>,
    /// How many machines use the vault, where known; only a price with a fee for each asks for them.
    pub clients: Option<u32>,
}

impl Holding {
    /// So many bytes, of which nothing else is known.
    pub fn of(bytes: u64) -> Holding {
        Holding {
            bytes,
            ..Holding::default()
        }
    }
}

/// A stretch of what is stored that is billed at one rate.
pub(super) struct Portion {
    /// Bytes.
    pub(super) bytes: u64,
    rate: Money,
    pub(super) amount: Money,
}

/// What a month of it costs, 730 hours long.
pub fn monthly(price: &Price, holding: &Holding) -> Result<Bill, Unknown> {
    let mut draft = Draft::new(price);
    let bytes = raised(price, holding, &mut draft);
    draft.rely("storage");
    match &price.storage {
        Storage::Unknown => return Err(unknown(price, "storage")),
        Storage::Rate(tiers) => rate_lines(price, tiers, bytes, &mut draft)?,
        Storage::Steps(steps) => {
            let step = step(price, steps, bytes)?;
            draft.line(format!("the plan of {}", words::size(step.bytes)), step.monthly);
        }
        Storage::Disk(disk) => disk_line(price, disk, bytes, &mut draft),
    }
    if let Some(base) = price.base {
        let included = match base.included {
            0 => String::new(),
            bytes => format!(", {} included", words::size(bytes)),
        };
        draft.line(format!("base fee{included}"), base.monthly);
    }
    client_line(price, holding, &mut draft);
    draft.finish()
}

/// The stretches by rate of a price by size; rounded up to the floor and to whole units, without what is free.
pub(super) fn portions(price: &Price, tiers: &[Tier], bytes: u64) -> Result<Vec<Portion>, Unknown> {
    let unit = price.unit.bytes();
    let mut to = bytes.max(price.floor);
    if price.whole_units {
        to = to.checked_next_multiple_of(unit).unwrap_or(to);
    }
    let mut from = price.free.saturating_add(price.base.map_or(0, |base| base.included));
    let mut portions = Vec::new();
    for tier in tiers {
        let end = tier.up_to.unwrap_or(u64::MAX).min(to);
        if end <= from {
            continue;
        }
        let rate = price.money(tier.rate).ok_or_else(|| beyond(price, from))?;
        let whole = u128::from(unit) * u128::from(price.month.hours());
        let amount = rate.part(u128::from(end - from) * u128::from(MONTH_HOURS), whole);
        portions.push(Portion {
            bytes: end - from,
            rate,
            amount,
        });
        from = end;
    }
    Ok(portions)
}

/// The smallest plan that holds so much.
pub(super) fn step(price: &Price, steps: &[Step], bytes: u64) -> Result<Step, Unknown> {
    let found = steps.iter().find(|step| step.bytes >= bytes).copied();
    found.ok_or_else(|| beyond(price, steps.last().map_or(0, |step| step.bytes)))
}

/// What so much of a disk is worth a month.
pub(super) fn share(disk: &Disk, bytes: u64) -> Money {
    disk.price
        .part(bytes.into(), u128::from(disk.bytes) * u128::from(disk.months))
}

fn beyond(price: &Price, bytes: u64) -> Unknown {
    match bytes {
        0 => unknown(price, "storage"),
        bytes => unknown(price, &format!("storage beyond {}", words::size(bytes))),
    }
}

/// The bytes that are billed where small objects count for more than they are.
fn raised(price: &Price, holding: &Holding, draft: &mut Draft) -> u64 {
    if price.minimum_object == 0 {
        return holding.bytes;
    }
    let least = words::size(price.minimum_object);
    let Some(objects) = &holding.objects else {
        draft.assume(format!(
            "no object is taken to be smaller than {least}, which each is billed as at least"
        ));
        return holding.bytes;
    };
    draft.rely("minimum-object");
    let (small, short) = objects.short_of(price.minimum_object);
    if small > 0 {
        let objects = crate::text::counted(small, "object is", "objects are");
        let more = words::quantity(short, price.unit);
        draft.note(format!(
            "{objects} smaller than {least} and billed as that: {more} more"
        ));
    }
    holding.bytes.saturating_add(short)
}

fn rate_lines(price: &Price, tiers: &[Tier], bytes: u64, draft: &mut Draft) -> Result<(), Unknown> {
    let portions = portions(price, tiers, bytes)?;
    let hours = if price.month == Month::Days30 {
        draft.note(format!(
            "an average month has {MONTH_HOURS} hours, and the rate is for 720"
        ));
        format!(" for {MONTH_HOURS} hours")
    } else {
        String::new()
    };
    if bytes < price.floor {
        draft.rely("floor");
        let floor = words::size(price.floor);
        draft.note(format!(
            "{} bills at least {floor}: nothing is saved below that",
            price.vendor
        ));
    }
    if price.free > 0 {
        draft.note(format!("the first {} are free", words::size(price.free)));
    }
    if portions.is_empty() && price.base.is_none() {
        draft.line("storage".into(), Money::zero(price.currency));
    }
    for portion in portions {
        let (quantity, rate) = (
            words::quantity(portion.bytes, price.unit),
            words::rate(price, portion.rate),
        );
        draft.line(format!("storage, {quantity}{hours} at {rate}"), portion.amount);
    }
    if price.whole_units {
        draft.note(format!("a begun {} is billed whole", price.unit.name()));
    }
    draft.rely("month");
    Ok(())
}

fn disk_line(price: &Price, disk: &Disk, bytes: u64, draft: &mut Draft) {
    let (quantity, size) = (words::quantity(bytes, price.unit), words::size(disk.bytes));
    let (paid, months) = (disk.price, disk.months);
    draft.line(
        format!("{quantity} of {size} that cost {paid} for {months} months"),
        share(disk, bytes),
    );
    draft.assume(format!("the disk lasts {months} months"));
    draft.note("the disk is paid for already: what goes makes room on it".into());
    if bytes > disk.bytes {
        draft.note(format!("that is more than one disk of {size} holds"));
    }
}

fn client_line(price: &Price, holding: &Holding, draft: &mut Draft) {
    match (price.client, holding.clients) {
        (Fee::Free, _) => {}
        (Fee::Unknown, _) | (_, None) => draft.unknown("the fee for each machine"),
        (Fee::Of(money), Some(clients)) => {
            draft.rely("client");
            let machines = crate::text::counted(clients.into(), "machine", "machines");
            draft.line(
                format!("{machines} at {} each", money.exactly()),
                money.times(clients.into()),
            );
        }
    }
}

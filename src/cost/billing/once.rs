//! What is paid once: for deleting early, for moving packs about, for reading a restore.

use super::draft::{Draft, unknown};
use super::{Unknown, words};
use crate::cost::price::{Fee, Price, Storage};
use crate::cost::{Bill, Money};
use crate::text::count;

const DAY: u64 = 86_400;

/// An object that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// Bytes.
    pub bytes: u64,
    /// How long it has been stored, in seconds.
    pub age_seconds: u64,
}

/// Requests to a vault's storage, and what is read by them. Bytes that are written cost nothing by themselves anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Objects written.
    pub puts: u64,
    /// Objects, or parts of objects, read.
    pub gets: u64,
    /// Listings, a page each.
    pub lists: u64,
    /// Objects deleted.
    pub deletes: u64,
    /// Bytes read.
    pub bytes_read: u64,
}

/// Where the machine is that reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// In the vault's own region, with the same vendor: nothing leaves the network.
    Inside,
    /// Anywhere else.
    Outside,
}

/// What deleting these now costs where each is billed for some days at least: the storage of the days that are left.
pub fn early_delete(price: &Price, leaving: &[Leaving]) -> Result<Bill, Unknown> {
    let mut draft = Draft::new(price);
    let least = u64::from(price.minimum_days) * DAY;
    let (mut early, mut left) = (0u64, 0u128);
    for object in leaving.iter().filter(|object| object.age_seconds < least) {
        early += 1;
        let bytes = object.bytes.max(price.minimum_object);
        left = left.saturating_add(u128::from(bytes) * u128::from(least - object.age_seconds));
    }
    if early == 0 {
        return draft.finish();
    }
    let Storage::Rate(tiers) = &price.storage else {
        return Err(unknown(price, "deleting early"));
    };
    let first = tiers.first().map_or(Fee::Unknown, |tier| tier.rate);
    let rate = price.money(first).ok_or_else(|| unknown(price, "deleting early"))?;
    let whole = u128::from(price.unit.bytes()) * u128::from(price.month.hours()) * 3600;
    let objects = crate::text::counted(early, "object", "objects");
    let months = left as f64 / whole as f64;
    let (days, unit, rate_words) = (price.minimum_days, price.unit.name(), words::rate(price, rate));
    draft.line(
        format!("deleting {objects} before {days} days: {months:.3} {unit}-months left at {rate_words}"),
        rate.part(left, whole),
    );
    draft.rely("storage");
    draft.rely("minimum-days");
    draft.assume("they are deleted now: each day later costs less".into());
    if tiers.len() > 1 {
        draft.assume("the days that are left are billed at the first tier's rate".into());
    }
    draft.finish()
}

/// What requests and reading cost, such as those of a prune. `stored` is what the vault holds meanwhile, in bytes: some vendors
/// give free egress by that.
pub fn traffic(price: &Price, traffic: &Traffic, stored: u64, machine: Machine) -> Result<Bill, Unknown> {
    let mut draft = Draft::new(price);
    let requests = price.requests;
    let kinds = [
        ("writes", traffic.puts, requests.put, requests.free_puts),
        ("reads", traffic.gets, requests.get, requests.free_gets),
        ("listings", traffic.lists, requests.list, 0),
        ("deletions", traffic.deletes, requests.delete, 0),
        ("retrievals from the archive", traffic.gets, requests.retrieve, 0),
    ];
    for (what, many, fee, free) in kinds {
        request_line(price, (what, many), fee, free, &mut draft);
    }
    retrieval_line(price, traffic.bytes_read, &mut draft);
    match machine {
        Machine::Outside => egress_line(price, traffic.bytes_read, stored, &mut draft),
        Machine::Inside if traffic.bytes_read > 0 && price.egress.rate != Fee::Free => {
            draft.assume("the machine is in the vault's region: nothing is paid for leaving the network".into());
        }
        Machine::Inside => {}
    }
    draft.finish()
}

/// What reading so many bytes with so many requests costs, as a restore does.
pub fn restore(price: &Price, bytes: u64, gets: u64, stored: u64, machine: Machine) -> Result<Bill, Unknown> {
    let reading = Traffic {
        gets,
        bytes_read: bytes,
        ..Traffic::default()
    };
    traffic(price, &reading, stored, machine)
}

fn request_line(price: &Price, (what, many): (&'static str, u64), fee: Fee, free: u64, draft: &mut Draft) {
    let billed = many.saturating_sub(free);
    let money = match fee {
        _ if many == 0 => return,
        Fee::Free => return,
        Fee::Unknown => return draft.unknown(what),
        Fee::Of(money) => money,
    };
    draft.rely("requests");
    if free > 0 {
        draft.assume(format!(
            "nothing else uses the {} {what} that are free each month",
            count(free)
        ));
    }
    let per = price.requests.per.max(1);
    let billed = match price.whole_units {
        true => billed.checked_next_multiple_of(per).unwrap_or(billed),
        false => billed,
    };
    if billed > 0 {
        let line = format!("{} {what} at {} for {}", count(billed), money.exactly(), count(per));
        draft.line(line, money.part(billed.into(), per.into()));
    }
}

fn retrieval_line(price: &Price, bytes: u64, draft: &mut Draft) {
    let rate = match price.retrieval {
        _ if bytes == 0 => return,
        Fee::Free => return,
        Fee::Unknown => return draft.unknown("retrieval"),
        Fee::Of(rate) => rate,
    };
    draft.rely("retrieval");
    sized_line(price, "retrieval", bytes, rate, draft);
}

fn egress_line(price: &Price, bytes: u64, stored: u64, draft: &mut Draft) {
    let egress = price.egress;
    if bytes == 0 || egress.rate == Fee::Free {
        return;
    }
    let by_stored = u128::from(stored) * u128::from(egress.free_hundredths) / 100;
    let free = egress.free.saturating_add(u64::try_from(by_stored).unwrap_or(u64::MAX));
    let billed = bytes.saturating_sub(free);
    draft.assume("the machine is outside of the vendor's network".into());
    if free > 0 {
        let free = words::quantity(free, price.unit);
        draft.assume(format!(
            "nothing else uses the {free} of egress that are free this month"
        ));
    }
    draft.rely("egress");
    match (billed, egress.rate) {
        (0, _) | (_, Fee::Free) => draft.line("egress, all of it free".into(), Money::zero(price.currency)),
        (_, Fee::Unknown) => draft.unknown("egress"),
        (billed, Fee::Of(rate)) => sized_line(price, "egress", billed, rate, draft),
    }
}

/// A line of bytes at a rate by the unit.
fn sized_line(price: &Price, what: &str, bytes: u64, rate: Money, draft: &mut Draft) {
    let unit = price.unit.bytes();
    let billed = match price.whole_units {
        true => bytes.checked_next_multiple_of(unit).unwrap_or(bytes),
        false => bytes,
    };
    let (quantity, name) = (words::quantity(billed, price.unit), price.unit.name());
    draft.line(
        format!("{what}, {quantity} at {} a {name}", rate.exactly()),
        rate.part(billed.into(), unit.into()),
    );
}

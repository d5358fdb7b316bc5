//! What is saved, why nothing is, and when it has paid.

use super::monthly::{portions, share, step};
use super::words;
use crate::cost::price::{Price, Storage};
use crate::cost::{Bill, Money};

/// What is saved a month: negative when it costs more; `None` for two currencies.
pub fn saved(now: &Bill, after: &Bill) -> Option<Money> {
    now.total.minus(after.total)
}

/// What is saved a month when so many of the stored bytes go; `None` when it is not known. Sizes of objects are left aside.
pub fn without(price: &Price, stored: u64, bytes: u64) -> Option<Money> {
    storage(price, stored)?.minus(storage(price, stored.saturating_sub(bytes))?)
}

/// Why nothing is saved at one and the same price when less is stored than now: a sentence, where there is a reason.
pub fn nothing_saved(price: &Price, now: u64, after: u64) -> Option<String> {
    if after >= now {
        return None;
    }
    let vendor = &price.vendor;
    match &price.storage {
        Storage::Steps(steps) => {
            let (held, needed) = (step(price, steps, now).ok()?, step(price, steps, after).ok()?);
            let smaller = steps.iter().rev().find(|step| step.bytes < held.bytes);
            let plan = words::size(held.bytes);
            (held == needed).then(|| match smaller {
                Some(smaller) => {
                    let smaller = words::size(smaller.bytes);
                    format!("the plan of {plan} stays, since the next smaller one holds {smaller}: nothing is saved")
                }
                None => format!("the plan of {plan} is the smallest: nothing is saved"),
            })
        }
        Storage::Rate(_) if now <= price.floor => {
            let floor = words::size(price.floor);
            Some(format!("{vendor} bills at least {floor}: nothing is saved below that"))
        }
        Storage::Rate(_) => {
            let included = price.base.map_or(0, |base| base.included);
            let free = price.free.saturating_add(included);
            if now > free {
                let whole = price.whole_units && storage(price, now) == storage(price, after);
                let unit = price.unit.name();
                return whole.then(|| format!("{vendor} bills a begun {unit} whole: nothing is saved within one"));
            }
            let size = words::size(free);
            Some(match included {
                0 => format!("the first {size} are free: nothing is saved below that"),
                _ => format!("the base fee includes {size}: nothing is saved below that"),
            })
        }
        Storage::Unknown | Storage::Disk(_) => None,
    }
}

/// After how many months the savings have paid for what is paid once: 0 when nothing is paid; `None` when never (nothing is
/// saved, or it costs more) or for two currencies.
pub fn payback_months(one_off: Money, saved: Money) -> Option<f64> {
    let pays = one_off.currency == saved.currency && saved.nanos > 0;
    pays.then(|| one_off.nanos.max(0) as f64 / saved.nanos as f64)
}

/// What storing so much costs a month, without fees that hold for everything.
fn storage(price: &Price, bytes: u64) -> Option<Money> {
    match &price.storage {
        Storage::Unknown => None,
        Storage::Rate(tiers) => {
            let mut sum = Money::zero(price.currency);
            for portion in portions(price, tiers, bytes).ok()? {
                sum = sum.plus(portion.amount)?;
            }
            Some(sum)
        }
        Storage::Steps(steps) => step(price, steps, bytes).ok().map(|step| step.monthly),
        Storage::Disk(disk) => Some(share(disk, bytes)),
    }
}

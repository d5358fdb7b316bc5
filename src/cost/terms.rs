//! A price in a few words, for lists.

use super::Money;
use super::billing::size;
use super::price::{Confidence, Month, Price, Storage};

impl Price {
    /// What it asks in short: `$0.0125 a GiB-month, 30 days at least, objects of 128 KiB at least`.
    pub fn terms(&self) -> String {
        let least = self.minimum_words();
        let by_size = self.base.is_none() && matches!(self.storage, Storage::Rate(_));
        match (least.is_empty(), by_size) {
            (false, _) => format!("{}, {least}", self.rate_words()),
            (true, true) => format!("{}, no minimum", self.rate_words()),
            (true, false) => self.rate_words(),
        }
    }

    /// What storing costs in short, with what is free or included: `€6.49 a month for 1 TB, beyond that €0.006 a GB-month`.
    pub fn rate_words(&self) -> String {
        let mut words = self.storage_words();
        if let Some(base) = self.base {
            let (monthly, included) = (base.monthly.exactly(), size(base.included));
            words = format!("{monthly} a month for {included}, beyond that {words}");
        }
        if self.free > 0 {
            words.push_str(&format!(", the first {} free", size(self.free)));
        }
        words
    }

    /// What storing costs by size, by plans or by disk: `$0.0125 a GiB-month`, `€3.20 for 1 TB to €40.60 for 20 TB a month`.
    pub fn storage_words(&self) -> String {
        match &self.storage {
            Storage::Unknown => "unknown".into(),
            Storage::Rate(tiers) => {
                let month = match self.month {
                    Month::Days30 => format!("{} for 30 days", self.unit.name()),
                    Month::Hours730 | Month::Calendar => format!("{}-month", self.unit.name()),
                };
                let rates: Vec<Money> = tiers.iter().filter_map(|tier| self.money(tier.rate)).collect();
                match (rates.first(), rates.last()) {
                    (Some(first), Some(last)) if first != last => {
                        format!("{} to {} a {month}", first.exactly(), last.exactly())
                    }
                    (Some(rate), _) => format!("{} a {month}", rate.exactly()),
                    _ => "unknown".into(),
                }
            }
            Storage::Steps(steps) => {
                let words = |step: &super::price::Step| format!("{} for {}", step.monthly.exactly(), size(step.bytes));
                let (first, last) = (steps.first().map(words), steps.last().map(words));
                match (first, last) {
                    (Some(first), Some(last)) if first != last => format!("{first} to {last} a month"),
                    (first, _) => format!("{} a month", first.unwrap_or_default()),
                }
            }
            Storage::Disk(disk) => {
                let (price, size) = (disk.price.exactly(), size(disk.bytes));
                format!("{price} for a disk of {size} and {} months", disk.months)
            }
        }
    }

    /// What is billed at least: `1 TB at least, 90 days at least`; empty when there is no minimum.
    pub fn minimum_words(&self) -> String {
        let mut words = Vec::new();
        if self.floor > 0 {
            words.push(format!("{} at least", size(self.floor)));
        }
        if self.minimum_days > 0 {
            words.push(format!("{} days at least", self.minimum_days));
        }
        if self.minimum_object > 0 {
            words.push(format!("objects of {} at least", size(self.minimum_object)));
        }
        words.join(", ")
    }

    /// When it was looked up and how sure it is: `2026-05, third party`. What is said of storage counts.
    pub fn known_by(&self) -> String {
        let sure = match self.confidence_in("storage") {
            Confidence::Vendor => "the vendor",
            Confidence::ThirdParty => "third party",
            Confidence::User => "you",
            Confidence::Unconfirmed => "unconfirmed",
        };
        match &self.date {
            Some(date) => format!("{date}, {sure}"),
            None => sure.into(),
        }
    }
}

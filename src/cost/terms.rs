//! A price in a few words, for lists.

use super::Money;
use super::billing::size;
use super::price::{Confidence, Month, Price, Storage};

impl Price {
    /// What it asks in short: `$0.0125 a GiB-month, 30 days at least, objects of 128 KiB at least`.
    pub fn terms(&self) -> String {
        let mut words = Vec::new();
        match self.base {
            Some(base) => {
                let (monthly, included) = (base.monthly.exactly(), size(base.included));
                words.push(format!("{monthly} a month for {included}"));
                words.push(format!("beyond that {}", self.rate_words()));
            }
            None => words.push(self.rate_words()),
        }
        if self.free > 0 {
            words.push(format!("the first {} free", size(self.free)));
        }
        let least = self.minimum_words();
        if !least.is_empty() {
            words.push(least);
        } else if self.base.is_none() && matches!(self.storage, Storage::Rate(_)) {
            words.push("no minimum".into());
        }
        words.join(", ")
    }

    /// What storing costs in short: `$0.0125 a GiB-month`, `€3.20 to €40.60 a month`.
    pub fn rate_words(&self) -> String {
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

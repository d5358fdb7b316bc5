//! What a place for vaults asks: one entry of the price book.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Currency, Money};

/// How sure an entry, or a part of it, is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Read on the vendor's own page.
    Vendor,
    /// Read where somebody else wrote it down.
    ThirdParty,
    /// The user wrote it.
    User,
    /// Said somewhere, seen nowhere.
    Unconfirmed,
}

impl Confidence {
    /// As it is written in the book.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Vendor => "vendor",
            Confidence::ThirdParty => "third-party",
            Confidence::User => "user",
            Confidence::Unconfirmed => "unconfirmed",
        }
    }
}

/// What a vendor means by a gigabyte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Unit {
    /// A thousand million bytes.
    GB,
    /// 2^30 bytes, whatever the vendor calls them.
    GiB,
}

impl Unit {
    /// Bytes.
    pub fn bytes(self) -> u64 {
        match self {
            Unit::GB => 1_000_000_000,
            Unit::GiB => 1 << 30,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Unit::GB => "GB",
            Unit::GiB => "GiB",
        }
    }
}

/// Hours of an average month: 365 days of 24 hours, divided by twelve. A bill for a month is for so many.
pub const MONTH_HOURS: u64 = 730;

/// What a vendor means by a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Month {
    /// 720 hours, billed by the hour: an average month costs 730/720 of the rate.
    #[serde(rename = "30 days")]
    Days30,
    /// 730 hours.
    #[serde(rename = "730 hours")]
    Hours730,
    /// The calendar's, whatever its length.
    #[serde(rename = "calendar")]
    Calendar,
}

impl Month {
    /// Hours that the rate is for, on average.
    pub fn hours(self) -> u64 {
        match self {
            Month::Days30 => 720,
            Month::Hours730 | Month::Calendar => MONTH_HOURS,
        }
    }

    /// As it is written in the book.
    pub fn name(self) -> &'static str {
        match self {
            Month::Days30 => "30 days",
            Month::Hours730 => "730 hours",
            Month::Calendar => "calendar",
        }
    }
}

/// A fee that may not be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fee {
    /// There may be one.
    Unknown,
    /// There is none.
    Free,
    /// So much.
    Of(Money),
}

/// What storing costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// Not known.
    Unknown,
    /// By what is stored, a month: each tier's rate for what lies in it.
    Rate(Vec<Tier>),
    /// By plans of a size: the smallest that holds it, whole. Smallest first.
    Steps(Vec<Step>),
    /// The user's own disk.
    Disk(Disk),
}

/// A stretch of what is stored and its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tier {
    /// Up to so many bytes; without end when `None`.
    pub up_to: Option<u64>,
    /// A [`Unit`] and [`Month`].
    pub rate: Fee,
}

/// A plan that holds so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Bytes.
    pub bytes: u64,
    /// For a month.
    pub monthly: Money,
}

/// A disk that was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// What it cost.
    pub price: Money,
    /// What it holds, in bytes.
    pub bytes: u64,
    /// How long it is to last, in months.
    pub months: u32,
}

/// A monthly fee that holds for everything, with what it includes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Base {
    /// For a month.
    pub monthly: Money,
    /// Bytes stored that are in it.
    pub included: u64,
}

/// What requests cost, each for `per` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// How many requests a fee is for: 1,000, 10,000 or a million.
    pub per: u64,
    /// Writing an object.
    pub put: Fee,
    /// Reading one, or a part of one.
    pub get: Fee,
    /// Listing.
    pub list: Fee,
    /// Deleting one.
    pub delete: Fee,
    /// Asking an archive for one, before it can be read.
    pub retrieve: Fee,
    /// Writes that are free each month.
    pub free_puts: u64,
    /// Reads that are free each month.
    pub free_gets: u64,
}

/// What leaving the vendor's network costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Egress {
    /// A [`Unit`], beyond what is free.
    pub rate: Fee,
    /// Bytes that are free each month.
    pub free: u64,
    /// As many times what is stored is free each month, in hundredths.
    pub free_hundredths: u64,
}

/// One entry of the price book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Price {
    /// By which vaults name it.
    pub id: String,
    /// Who asks it.
    pub vendor: String,
    /// Of what: `S3 Standard`.
    pub name: String,
    /// Where, when it depends on that.
    pub region: Option<String>,
    /// All its amounts are in this one.
    pub currency: Currency,
    /// When it was looked up: a year, `2026-05`, or a day; `None` when nothing was to look up.
    pub date: Option<String>,
    /// Where, in words.
    pub source: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Parts that are more or less sure than the rest, by the names of [`PARTS`].
    pub confidence_of: BTreeMap<String, Confidence>,
    /// Whether the user's own file has it.
    pub own: bool,
    /// What a gigabyte is.
    pub unit: Unit,
    /// What a month is.
    pub month: Month,
    /// What storing costs.
    pub storage: Storage,
    /// A fee for a month on top, with what it includes.
    pub base: Option<Base>,
    /// Bytes that are free.
    pub free: u64,
    /// Bytes that are billed at least.
    pub floor: u64,
    /// Days that an object is billed for at least; 0 for none.
    pub minimum_days: u32,
    /// Bytes that an object is billed as at least, a power of two; 0 for none.
    pub minimum_object: u64,
    /// Whether storage, retrieval and requests are rounded up to whole units.
    pub whole_units: bool,
    /// What requests cost.
    pub requests: Requests,
    /// What reading from a cold class costs, a [`Unit`].
    pub retrieval: Fee,
    /// What leaving the vendor's network costs.
    pub egress: Egress,
    /// What each machine that uses the vault costs, a month.
    pub client: Fee,
    /// What a copy into another region costs, a [`Unit`].
    pub replication: Fee,
    /// What else one must know, a sentence each.
    pub remarks: Vec<String>,
}

/// The parts of an entry that can have a confidence of their own.
pub const PARTS: &[&str] = &[
    "storage",
    "month",
    "minimum-days",
    "minimum-object",
    "floor",
    "requests",
    "retrieval",
    "egress",
    "client",
    "replication",
];

impl Price {
    /// For people: `AWS S3 Standard, us-east-1`.
    pub fn title(&self) -> String {
        let vendor = if self.name.starts_with(&self.vendor) {
            ""
        } else {
            &self.vendor
        };
        let gap = if vendor.is_empty() { "" } else { " " };
        let region = self
            .region
            .as_ref()
            .map(|region| format!(", {region}"))
            .unwrap_or_default();
        format!("{vendor}{gap}{}{region}", self.name)
    }

    /// How sure a part is (one of [`PARTS`]).
    pub fn confidence_in(&self, part: &str) -> Confidence {
        self.confidence_of.get(part).copied().unwrap_or(self.confidence)
    }

    /// What one pays, as far as it is known.
    pub fn money(&self, fee: Fee) -> Option<Money> {
        match fee {
            Fee::Unknown => None,
            Fee::Free => Some(Money::zero(self.currency)),
            Fee::Of(money) => Some(money),
        }
    }
}

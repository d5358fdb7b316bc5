//! What keeping costs, and what would change if something went.

use super::TreePath;
pub use crate::cost::projection::Estimate;
use crate::cost::{Bill, Money, Sure};
use crate::lifetimes::Sums;
use crate::retention::Policy;
use crate::vault::Id;
use crate::vault::generation::GroupBy;

/// What is to stay.
#[derive(Debug, Clone, PartialEq)]
pub enum StayRule {
    /// Everything.
    All,
    /// What a rule keeps.
    Policy(Box<Policy>, GroupBy),
    /// Everything but these.
    Without(Vec<Id>),
}

/// What would be if.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIfAsked {
    /// Name or folder.
    pub vault: String,
    /// What stays.
    pub rule: StayRule,
    /// Generations that go whatever the rule says.
    pub go: Vec<Id>,
    /// Another price of the book, by its id, from then on.
    pub price: Option<String>,
    /// How many hours lie between two backups from then on, when that changes: for the projection.
    pub every_hours: Option<f64>,
}

/// What would be if: everything that screen 6 and `coffer cost what-if` show.
#[derive(Debug, Clone, PartialEq)]
pub struct WhatIf {
    /// Every generation, newest first.
    pub fates: Vec<Fate>,
    /// As it is.
    pub now: VaultAt,
    /// As it would be, after forget and prune.
    pub after: VaultAt,
    /// Blobs that no kept generation needs and one of those that go does.
    pub freed: Sums,
    /// Bytes of packs that prune really gives back.
    pub reclaimed: u64,
    /// Bytes that prune reads and writes again for it.
    pub rewritten: u64,
    /// What it costs once: early deletion, reads and requests of prune; `None` when the price is not known.
    pub one_off: Option<Bill>,
    /// What is saved a month (negative: it costs more); `None` when a price is not known or the currencies differ.
    pub saved: Option<Money>,
    /// After how many months the savings have paid for the one-off costs; `None` when never, or not known.
    pub payback_months: Option<f64>,
    /// Different contents of files that no kept generation holds, and their bytes.
    pub lost: (u64, u64),
    /// The next twelve months.
    pub projection: Option<Projection>,
    /// What must be said: that a rule would empty a group, that a price has a floor, …; a sentence each.
    pub notes: Vec<String>,
}

/// What becomes of one generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Fate {
    /// Which.
    pub id: Id,
    /// When it was made, seconds since 1970.
    pub time: i64,
    /// Where.
    pub host: String,
    /// Of what.
    pub paths: Vec<String>,
    /// Whether it stays.
    pub stays: bool,
    /// Why it stays: `last`, `daily`, …; empty when it goes.
    pub reasons: Vec<String>,
    /// What it alone holds of all generations that are there now, stored bytes.
    pub exclusive: u64,
    /// Stored bytes that no older generation holds.
    pub added: u64,
}

/// A vault at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct VaultAt {
    /// How many generations.
    pub generations: u64,
    /// Bytes of all packs.
    pub stored: u64,
    /// Of these: what generations need of files' content.
    pub data: u64,
    /// Of these: what generations need of folders.
    pub folders: u64,
    /// Of these: what nothing needs, and what packs have beside their blobs.
    pub unused: u64,
    /// The price it is worked out with, for people: `AWS S3 Standard, us-east-1`; `None` when the vault names none.
    pub price: Option<String>,
    /// What it costs a month; `None` when the price is not known.
    pub monthly: Option<Bill>,
    /// When the oldest generation was made, seconds since 1970.
    pub oldest: Option<i64>,
    /// The longest time between two neighbouring generations of one series (host and paths), seconds.
    pub largest_gap: Option<i64>,
    /// What one restore of the newest generation costs; `None` when the price is not known.
    pub restore: Option<Bill>,
}

/// The next twelve months, worked out from the vault's own history.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Stored bytes of the past, a point a month, oldest first, the last one now: as far as what is left tells.
    pub past: Vec<u64>,
    /// Stored bytes at the end of each of the next 12 months as things are.
    pub now: Vec<Estimate>,
    /// The same if.
    pub after: Vec<Estimate>,
    /// Money a month at the same ends, as things are; empty when the price is not known.
    pub now_monthly: Vec<Money>,
    /// The same if.
    pub after_monthly: Vec<Money>,
    /// How far the same method was off on the vault's own past, as a share (0.1 is a tenth); `None` with too little past.
    pub error: Option<f64>,
}

/// A window of the file versions that would be lost.
#[derive(Debug, Clone, PartialEq)]
pub struct LostAsked {
    /// If what.
    pub what_if: WhatIfAsked,
    /// The first row wanted.
    pub first: u64,
    /// How many rows.
    pub rows: u32,
}

/// Some of them, by path.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LostWindow {
    /// The number of the first row given.
    pub first: u64,
    /// The rows.
    pub rows: Vec<LostRow>,
    /// How many there are, as far as they are found.
    pub total: u64,
    /// Whether all are found.
    pub whole: bool,
}

/// A file version that no kept generation holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LostRow {
    /// Where it lies in its generations.
    pub path: TreePath,
    /// What it weighs.
    pub size: u64,
    /// When it was last changed, seconds since 1970.
    pub mtime: i64,
    /// The newest generation that holds it.
    pub generation: Id,
    /// When that was made, seconds since 1970.
    pub time: i64,
    /// Whether a kept generation holds the same path with other content.
    pub other_kept: bool,
}

/// What each generation of a vault weighs and costs, for its list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GenerationCosts {
    /// Whose.
    pub vault: String,
    /// By generation.
    pub rows: Vec<GenerationCost>,
}

/// One generation's share.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationCost {
    /// Which.
    pub id: Id,
    /// What it alone holds, stored bytes.
    pub exclusive: u64,
    /// Stored bytes that no older generation holds.
    pub added: u64,
    /// What would be saved a month without it, at the rate of the next byte; `None` when the price is not known.
    pub monthly: Option<Money>,
}

/// What a vault costs, at a glance, without opening it.
#[derive(Debug, Clone, PartialEq)]
pub struct VaultCost {
    /// Its name.
    pub vault: String,
    /// Stored bytes, where known.
    pub stored: Option<u64>,
    /// The price's name, for people; `None` when the vault names none.
    pub price: Option<String>,
    /// What it costs a month; `None` when something for it is not known.
    pub monthly: Option<Money>,
    /// Stored bytes at the end of the last months, oldest first, the last one now; empty when not known.
    pub trend: Vec<u64>,
    /// Whether `stored` was counted or taken from what was known last.
    pub sure: Sure,
}

/// A price of the book, for choosing.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRow {
    /// Its id.
    pub id: String,
    /// For people.
    pub name: String,
    /// In short: `0.023 USD a GB-month, no minimum`.
    pub terms: String,
    /// When it was looked up and where, in short: `2026-05, third party`.
    pub source: String,
    /// Whether the user's own file has it.
    pub own: bool,
}

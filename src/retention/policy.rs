//! What the user states.

use crate::cost::Money;
use crate::vault::Id;

/// A stretch of the calendar of which one generation is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // each is what it names
pub enum Bucket {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Bucket {
    /// All, the finest first.
    pub const ALL: [Bucket; 6] = [
        Bucket::Hour,
        Bucket::Day,
        Bucket::Week,
        Bucket::Month,
        Bucket::Quarter,
        Bucket::Year,
    ];
}

/// How many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Many {
    /// So many; none when 0.
    Of(u32),
    /// All there are (`unlimited`, restic's −1).
    All,
}

/// A span of the calendar, as `2y5m7d3h`: counted back from an instant, months before days before hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[allow(missing_docs)] // each is what it names
pub struct Span {
    pub years: u32,
    pub months: u32,
    pub days: u32,
    pub hours: u32,
}

/// Everything younger than some days stays, and the newest whatever their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// How old a generation may become, in days of 24 hours before the moment the rule is applied.
    pub days: u32,
    /// How many of the newest of each group stay all the same.
    pub floor: u32,
}

/// What the generations of a vault may take together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Stored bytes.
    Size(u64),
    /// Money a month at the vault's price.
    Cost(Money),
}

/// A rule. A generation stays if any part of it keeps it; a rule without parts keeps nothing, and is refused wherever it
/// would be carried out. A budget takes away from what the rest keeps (from everything, if there is no rest).
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Policy {
    /// The newest ones.
    pub last: Option<Many>,
    /// The newest of each bucket, by [`Bucket`] in its order.
    pub buckets: [Option<Many>; 6],
    /// All made within this span before the newest one.
    pub within: Option<Span>,
    /// The newest of each bucket within a span before the newest one, by [`Bucket`] in its order.
    pub within_buckets: [Option<Span>; 6],
    /// All that have every tag of one of these lists; an empty list means "no tags".
    pub tags: Vec<Vec<String>>,
    /// These.
    pub ids: Vec<Id>,
    /// All of the last days.
    pub period: Option<Period>,
    /// What all of it may take.
    pub fit: Option<Budget>,
}

impl Policy {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Policy::default()
    }

    /// How many of a bucket are kept.
    pub fn bucket(&self, bucket: Bucket) -> Option<Many> {
        self.buckets[bucket as usize]
    }

    /// Within which span one of a bucket is kept.
    pub fn within_bucket(&self, bucket: Bucket) -> Option<Span> {
        self.within_buckets[bucket as usize]
    }
}

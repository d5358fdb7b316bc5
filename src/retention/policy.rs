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

/// A rule. A generation stays if any part of it keeps it. A rule that says nothing decides nothing: it is refused wherever it
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
    /// Everything of the last days, and the newest one of each group whatever its age.
    pub fn of_days(days: u32) -> Policy {
        Policy {
            period: Some(Period { days, floor: 1 }),
            ..Policy::default()
        }
    }

    /// Whether it says nothing: no budget, and no part that could keep anything.
    pub fn is_empty(&self) -> bool {
        self.fit.is_none() && !self.keeps()
    }

    /// Whether it has a part that could keep anything. "The last 0" and "within 0 days" are none, as with restic.
    pub fn keeps(&self) -> bool {
        let many = |many: &Option<Many>| many.is_some_and(|many| many != Many::Of(0));
        let span = |span: &Option<Span>| span.is_some_and(|span| !span.is_zero());
        many(&self.last)
            || self.buckets.iter().any(many)
            || span(&self.within)
            || self.within_buckets.iter().any(span)
            || !self.tags.is_empty()
            || !self.ids.is_empty()
            || self.period.is_some_and(|period| period.days > 0 || period.floor > 0)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_nothing_says_nothing() {
        let mut policy = Policy {
            last: Some(Many::Of(0)),
            within: Some(Span::default()),
            period: Some(Period { days: 0, floor: 0 }),
            ..Policy::default()
        };
        policy.buckets[Bucket::Day as usize] = Some(Many::Of(0));
        assert!(policy.is_empty());
        policy.fit = Some(Budget::Size(1));
        assert!(!policy.is_empty() && !policy.keeps());
        policy.within_buckets[Bucket::Year as usize] = Some(Span {
            hours: 1,
            ..Span::default()
        });
        assert!(policy.keeps());
        assert!(Policy::of_days(1).keeps());
    }
}

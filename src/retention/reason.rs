//! Why a generation stays.

use std::fmt;

use super::{Bucket, Budget, Period, Span};

/// Why a generation stays, in restic's words where restic has the reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It is tagged as protected: no rule takes it.
    Protected,
    /// It was named.
    Id,
    /// It has these tags; one empty one stands for having none.
    Tags(Vec<String>),
    /// It was made within a span before the newest of its group.
    Within(Span),
    /// It is one of the newest.
    Last,
    /// It is the newest of its stretch; or the oldest of all, while the count was not used up.
    Bucket(Bucket, Oldest),
    /// The same within a span before the newest of its group.
    WithinBucket(Bucket, Span, Oldest),
    /// It is younger than the period.
    Period(Period),
    /// It is one of the newest that a period leaves alone.
    Floor(Period),
    /// All that is kept fits in a budget.
    Fits(Budget),
    /// It is the newest of its group, which no budget takes.
    Newest,
    /// The rule says nothing.
    NoRule,
}

/// Whether something is kept only because it is the oldest: it reaches back the farthest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // each is what it names
pub enum Oldest {
    Yes,
    No,
}

impl fmt::Display for Oldest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Oldest::Yes => "oldest ",
            Oldest::No => "",
        })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Protected => f.write_str("protected"),
            Reason::Id => f.write_str("named by id"),
            Reason::Tags(tags) => write!(f, "has tags [{}]", tags.join(", ")),
            Reason::Within(span) => write!(f, "within {span}"),
            Reason::Last => f.write_str("last snapshot"),
            Reason::Bucket(bucket, oldest) => write!(f, "{oldest}{} snapshot", bucket.adjective()),
            Reason::WithinBucket(bucket, span, oldest) => write!(f, "{oldest}{} within {span}", bucket.adjective()),
            Reason::Period(period) => write!(
                f,
                "younger than {}",
                crate::text::counted(period.days.into(), "day", "days")
            ),
            Reason::Floor(Period { floor: 1, .. }) => f.write_str("newest one"),
            Reason::Floor(period) => write!(f, "newest {}", period.floor),
            Reason::Fits(budget) => write!(f, "fits in {budget}"),
            Reason::Newest => f.write_str("newest of its group"),
            Reason::NoRule => f.write_str("policy is empty"),
        }
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

//! What keeping costs: prices with where they come from, bills worked out from them, and what changes when something goes.
//!
//! Amounts are exact ([`Money`]); each belongs to one currency and none is ever converted. A price that is not known stays
//! unknown. Nothing here reads a vault: sizes, ages and counts come in as values. Nor does it read files: the price book's
//! text is read by `config`.
//!
//! A [`Price`] of the [`Book`] and what is stored make a monthly [`Bill`] ([`billing`]); what is deleted or moved makes
//! one that is paid once.

pub mod billing;
mod book;
pub mod coverage;
mod money;
mod objects;
pub mod price;
pub mod projection;
mod terms;

pub use book::Book;
pub use money::{Currency, Money, MoneyError, decimal};
pub use objects::Objects;
pub use price::{Confidence, Fee, Price};

/// How far a figure can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sure {
    /// Counted, byte by byte.
    Measured,
    /// Worked out from what is measured and something that is assumed.
    Estimated,
}

/// One line of a bill.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BillLine {
    /// What it is for, for people: `storage, 412.0 GB at 0.023`.
    pub what: String,
    /// How much.
    pub amount: Money,
}

/// What something costs, line by line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Bill {
    /// The lines; their sum is the total.
    pub lines: Vec<BillLine>,
    /// All of it.
    pub total: Money,
    /// Whether anything in it is assumed.
    pub sure: Sure,
    /// What a reader must know of it, a sentence each: "Wasabi bills at least 1 TB".
    pub notes: Vec<String>,
}

impl Bill {
    /// Both together, such as two things that are paid once; `None` for two currencies.
    pub fn plus(mut self, other: Bill) -> Option<Bill> {
        self.total = self.total.plus(other.total)?;
        self.lines.extend(other.lines);
        self.sure = self.sure.max(other.sure);
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        Some(self)
    }
}

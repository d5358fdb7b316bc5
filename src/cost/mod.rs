//! What keeping costs: prices with where they come from, bills worked out from them, and what changes when something goes.
//!
//! Amounts are exact ([`Money`]); each belongs to one currency and none is ever converted. A price that is not known stays
//! unknown. Nothing here reads a vault: sizes, ages and counts come in as values.

pub mod coverage;
mod money;
pub mod projection;

pub use money::{Currency, Money};

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

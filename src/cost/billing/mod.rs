//! Bills, worked out from a price and from what is stored, deleted or moved.
//!
//! A monthly bill is for an average month of 730 hours, so that vendors who bill 30 days and vendors who bill by the calendar
//! can be compared; each line names the unit and the month its rate is for. One-off bills ([`early_delete`], [`traffic`]) are
//! for what is done once. What is assumed is a note and makes a bill [`super::Sure::Estimated`]; what is not known is left out
//! and named in a note, and a bill of which nothing is known is none: [`Unknown`].
//!
//! Every line is rounded once, to a billionth of the currency's unit; the lines sum up to the total exactly.

mod draft;
mod monthly;
mod once;
mod saving;
mod words;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod worked;

pub use monthly::{Holding, monthly};
pub use once::{Leaving, Machine, Traffic, early_delete, restore, traffic};
pub use saving::{nothing_saved, payback_months, saved, without};
pub use words::size;

/// Something that a bill needs is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}; say it in your prices.toml: coffer prices edit")]
pub struct Unknown {
    /// What, as the beginning of a sentence: `what Alibaba HBR asks for storage is not known`.
    pub what: String,
}

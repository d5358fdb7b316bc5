//! Which generations stay: rules as values, and what a rule says of a list of generations.
//!
//! A [`Policy`] is what the user states; [`apply`] sorts a vault's generations into groups and says of each whether it stays,
//! with the [`Reason`]s. Where restic has a rule, the answer is restic's. [`fit`] then takes away what a budget does not hold,
//! the least valuable first. Nothing here reads a vault, deletes anything or knows prices: the moment, the local zone and the
//! generations come in, and a budget of bytes or money is weighed by whoever asks.
//!
//! - `policy` is the rule, `words` how its parts are written, `reason` why something stays.
//! - `calendar` knows hours, days, ISO weeks, months, quarters and years, and counts spans back.
//! - `apply` goes through each group from the newest to the oldest; `fit` holds the order in which generations leave for a
//!   budget, and says how it ranks them.
//!
//! A generation with the tag [`PROTECTED_TAG`] is never taken by a rule.

mod apply;
mod calendar;
mod fit;
mod policy;
mod reason;
#[cfg(test)]
mod tests;
mod words;

pub use apply::{Fitted, Group, Kept, Outcome, apply};
pub use fit::fit;
pub use policy::{Bucket, Budget, Many, Period, Policy, Span};
pub use reason::{Oldest, Reason};
pub use words::BadWord;

/// The tag that protects a generation from every rule.
pub const PROTECTED_TAG: &str = "protected";

/// Whether a generation with these tags is never deleted.
pub fn is_protected(tags: &[String]) -> bool {
    tags.iter().any(|tag| tag == PROTECTED_TAG)
}

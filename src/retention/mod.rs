//! Which generations stay: rules as values, and what a rule says of a list of generations.
//!
//! A [`Policy`] is what the user states; `apply` sorts a vault's generations into groups and says of each whether it stays,
//! with the reasons. Where restic has a rule, the answer is restic's. Nothing here reads a vault, deletes anything or knows
//! prices: a budget of bytes or money is weighed by whoever asks.

mod policy;

pub use policy::{Bucket, Budget, Many, Period, Policy, Span};

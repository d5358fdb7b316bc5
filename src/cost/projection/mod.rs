//! What a vault will hold in a year, worked out from what its generations tell of the past.
//!
//! # The formula
//! A *series* is what shares host and paths. Its generations are at t₀ < t₁ < …; a byte is *born* with the first generation
//! that holds it, and has *died* when the next one lacks it. Three things are learnt from the past, for each series:
//!
//! - **survival** S(a): the share of what is born after t₀ that is older than `a` when it dies (Kaplan–Meier, weighed by
//!   bytes; what lives on counts as far as it was seen; beyond the oldest age seen the pace of the older half goes on).
//!   What came with t₀ has a survival of its own. A series of fewer than four generations takes that of the whole vault.
//! - **rate** r: bytes born a second. What a generation brought after a gap d is only what outlived the rest of the gap, so
//!   r = Σ brought ÷ Σ ∫₀ᵈ S(a) da, over the last twelve months (over all when these hold fewer than three gaps).
//! - **gap**: the median time between two generations, of the last thirty. A series whose newest generation is older than
//!   four gaps (and a week) has ended: nothing is born in it any more.
//!
//! The future is then walked through: generations come a gap apart (or as far apart as the schedule would have it), and
//! r × gap bytes are born with each; more seldom ones still see a birth each old gap, of which they hold what lives till then.
//! At a moment T a rule keeps some of the generations that are there by then. A byte is stored if the first kept generation
//! at or after its birth, at t, came before its death. So
//!
//! > stored(T) = Σ over births b: bytes(b) × P(life > t − b)
//!
//! with P = S for births to come, S(t − b) ÷ S(age now) for what lives now, and 0 or 1, known exactly, for what died already.
//! What packs hold beside (what nothing uses) stays as it is now.
//!
//! # Its bounds
//! The past is cut into blocks of 30 days (shorter ones in a young vault), each with a rate of its own; σ is their spread
//! around r, m their number, l their length. What is born within h from now is off by r·h·(σ/r)·√(l/h + 1/m): chance in what
//! comes, and chance in r itself. The bounds are that times the 90 % quantile of Student's t with m − 1 degrees of freedom,
//! both ways: four in five times the truth lies between, if the future is as unsteady as the past. Series add up as
//! independent. That bytes already there live longer or shorter than expected is not in it, nor is what the user changes.
//!
//! # Its error
//! [`error`] stands at each of the last twelve months that has three months of past, knows only what was born by then,
//! projects to now and compares with what is there: the mean of |projected ÷ true − 1|.
//!
//! Generations forgotten long ago left no trace: what they alone held is neither born nor dead here. More frequent
//! generations than the past had would also hold what lived shorter than a gap: of that nothing is known, and it is left out.
//!
//! `survival` is S, `pace` the rate with its spread, `model` walks through the future, `past` looks back. Nothing here knows
//! rules, prices or vaults: which generations a rule keeps comes in as a value.

mod model;
mod pace;
mod past;
mod survival;
#[cfg(test)]
mod tests;

pub use model::Model;
pub use past::{error, past};

/// How many months are looked ahead.
pub const MONTHS: usize = 12;
/// A month: a twelfth of 365.25 days, in seconds.
pub const MONTH: i64 = 2_629_800;

/// What is known of a vault.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    /// Seconds since 1970.
    pub now: i64,
    /// Of each series.
    pub series: Vec<Series>,
}

/// The generations of one host and set of paths, and what they hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Series {
    /// When its generations were made, seconds since 1970, ascending.
    pub times: Vec<i64>,
    /// Stored bytes by the generations that hold them; several of the same ends are one as well.
    pub cohorts: Vec<Cohort>,
}

/// Bytes that came and went together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cohort {
    /// The first generation that holds them, by its number in the series.
    pub born: u32,
    /// The last; the newest of all means that they live.
    pub last: u32,
    /// How many, as stored.
    pub bytes: u64,
}

/// A figure of the future.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// Probably.
    pub likely: u64,
    /// Four in five times no less than this.
    pub low: u64,
    /// Four in five times no more than this.
    pub high: u64,
}

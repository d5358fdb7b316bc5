//! Text for people: hostile names made harmless, widths counted in cells, amounts and times as one reads them.
//!
//! What lives here is pure and knows nothing of vaults, commands or screens: raw bytes and numbers come in, text that is
//! safe to print comes out. What does not: colours, layout, and what is said; those are with `cli` and `tui`, which both
//! take their texts from here so that a size reads the same everywhere.

mod amounts;
mod cells;
mod errors;
mod escape;
mod times;

pub use amounts::{bytes, count, counted};
pub use cells::{cut_end, cut_middle, cut_path, cut_start, fits, fitting, pad, width, wrap, wrap_short};
pub use errors::said;
pub use escape::{escape, line};
pub use times::{ago, span, stamp};

//! The config's text to values, with the line of every complaint.

use std::path::Path;

use super::{Config, Result};

pub(super) fn parse(text: &str, file: &Path) -> Result<Config> {
    let _ = (text, file);
    todo!()
}

/// A size in bytes: a number with an optional `K`, `M`, `G` or `T` (powers of 1024, `KiB` and `KB` understood alike).
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit
        .trim()
        .to_ascii_lowercase()
        .trim_end_matches("ib")
        .trim_end_matches('b')
    {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

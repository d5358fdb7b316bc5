//! Amounts and rates as the lines of a bill name them.

use crate::cost::Money;
use crate::cost::price::{Month, Price, Unit};
use crate::text::count;

/// Bytes by the largest unit that leaves no fraction: `1 TB`, `800 GB`, `128 KiB`; else in GB.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 8] = [
        ("TB", 1_000_000_000_000),
        ("TiB", 1 << 40),
        ("GB", 1_000_000_000),
        ("GiB", 1 << 30),
        ("MB", 1_000_000),
        ("MiB", 1 << 20),
        ("kB", 1000),
        ("KiB", 1 << 10),
    ];
    match UNITS.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{} {name}", count(bytes / unit)),
        None => quantity(bytes, Unit::GB),
    }
}

/// Bytes in a price's unit: `1,000 GB`, `383.7 GiB`, `0.0042 GB`.
pub(super) fn quantity(bytes: u64, unit: Unit) -> String {
    let name = unit.name();
    if bytes.is_multiple_of(unit.bytes()) {
        return format!("{} {name}", count(bytes / unit.bytes()));
    }
    let units = bytes as f64 / unit.bytes() as f64;
    if units >= 9.95 {
        let tenths = (units * 10.0).round() as u64;
        format!("{}.{} {name}", count(tenths / 10), tenths % 10)
    } else if units >= 0.01 {
        format!("{units:.3} {name}")
    } else {
        format!("{units:.6} {name}")
    }
}

/// A rate by size and month: `$0.023 a GiB and calendar month`.
pub(super) fn rate(price: &Price, rate: Money) -> String {
    let month = match price.month {
        Month::Days30 => "30 days",
        Month::Hours730 => "month of 730 hours",
        Month::Calendar => "calendar month",
    };
    format!("{} a {} and {month}", rate.exactly(), price.unit.name())
}

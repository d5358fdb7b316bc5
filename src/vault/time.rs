//! Points in time as the vault stores them: an instant and the zone offset it was written with.

/// An instant with nanoseconds and the offset of the zone it is told in, as in RFC 3339. Ordering and equality for
/// "is this file unchanged" go by instant: use [`Time::same_instant`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// 0 to 999,999,999, always counting forward from `seconds`.
    pub nanos: u32,
    /// Seconds east of UTC, a whole number of minutes.
    pub offset: i32,
}

impl Time {
    /// Whether both are the same instant, whatever their offsets.
    pub fn same_instant(&self, other: &Time) -> bool {
        (self.seconds, self.nanos) == (other.seconds, other.nanos)
    }

    /// Reads RFC 3339 (fraction of 0–9 digits, `Z` or ±HH:MM).
    pub fn parse(text: &str) -> Option<Time> {
        todo!()
    }

    /// Appends RFC 3339 as restic writes it: fraction trimmed, `Z` for UTC, years clamped to 0000–9999.
    pub fn write(&self, out: &mut Vec<u8>) {
        todo!()
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}

impl serde::Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        todo!()
    }
}

impl<'de> serde::Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Time, D::Error> {
        todo!()
    }
}

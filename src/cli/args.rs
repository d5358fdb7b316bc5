//! What several commands take: the global options, filters of generations, and the readers of sizes.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use jiff::civil;
use jiff::tz::TimeZone;

use crate::vault::Time;

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArgs {
    /// The vault: a name from the config, or a folder
    #[arg(long, global = true, value_name = "VAULT", value_hint = ValueHint::DirPath)]
    pub vault: Option<String>,
    /// The config file, instead of the usual one [env: COFFER_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Read the vault's password from this file [else: --password-command, COFFER_PASSWORD, the config's, a prompt]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub password_file: Option<PathBuf>,
    /// Run this command and take what it prints as the vault's password
    #[arg(long, global = true, value_name = "COMMAND", value_hint = ValueHint::CommandString)]
    pub password_command: Option<String>,
    /// Print JSON for programs instead of text for people
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing but errors and results asked for
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more about what is done (twice: even more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Take no lock while reading (for vaults on read-only media); what writes locks always
    #[arg(long, global = true)]
    pub no_lock: bool,
    /// Refuse whatever would change a vault
    #[arg(long, global = true)]
    pub read_only: bool,
}

/// Which generations are meant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which generations")]
pub struct FilterArgs {
    /// Only generations of this host
    #[arg(short = 'H', long, value_name = "HOST")]
    pub host: Vec<String>,
    /// Only generations with this tag (TAG,TAG: with all of these; given again: or these)
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only generations that hold this backed up path
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub path: Vec<String>,
}

/// Reads a size in bytes: a number and a unit K, M, G or T (1024 each; `KiB`, `kb` and the like are the same), or none.
pub fn size(text: &str) -> Result<u64, String> {
    let bad = || format!("{text:?} is not a size; write for example 500K, 20M or 1.5G");
    let text_trimmed = text.trim();
    let digits = text_trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text_trimmed.len());
    let (number, unit) = text_trimmed.split_at(digits);
    let unit = unit.trim().to_ascii_lowercase();
    let unit = unit
        .strip_suffix("ib")
        .or_else(|| unit.strip_suffix('b'))
        .unwrap_or(&unit);
    let power = match unit {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(bad()),
    };
    let factor = 1u64 << (10 * power);
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).ok_or_else(bad);
    }
    let value = number.parse::<f64>().map_err(|_| bad())? * factor as f64;
    if value.is_finite() && (0.0..9e18).contains(&value) {
        Ok(value as u64)
    } else {
        Err(bad())
    }
}

/// Reads a moment: RFC 3339, or a date with or without a time of day in the local zone.
pub fn time(text: &str, zone: &TimeZone) -> Result<Time, String> {
    let text = text.trim();
    if let Some(time) = Time::parse(text) {
        return Ok(time);
    }
    let bad = |_| {
        format!(
            "{text:?} is not a time; write for example 2026-08-01, \"2026-08-01 12:30\" or 2026-08-01T12:30:00+02:00"
        )
    };
    let local: civil::DateTime = text.parse().map_err(bad)?;
    let instant = zone.to_ambiguous_zoned(local).compatible().map_err(bad)?;
    let offset = instant.offset().seconds();
    let nanos = u32::try_from(local.subsec_nanosecond()).unwrap_or(0);
    Ok(Time {
        seconds: instant.timestamp().as_second(),
        nanos,
        offset: offset - offset % 60,
    })
}

/// Reads a moment, or how long before `now` it was: `12h`, `7d`, `2w`.
pub fn time_or_age(text: &str, zone: &TimeZone, now: &Time) -> Result<Time, String> {
    let text = text.trim();
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3_600,
        Some('d') => 86_400,
        Some('w') => 604_800,
        Some('y') => 31_557_600,
        _ => return time(text, zone),
    };
    match text[..text.len() - 1].parse::<u32>() {
        Ok(number) => Ok(Time {
            seconds: now.seconds - i64::from(number) * unit,
            nanos: 0,
            offset: now.offset,
        }),
        Err(_) => time(text, zone),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::{TimeZone, offset};

    use super::*;

    #[test]
    fn times_are_read_in_the_local_zone_unless_they_say_theirs() {
        let zone = TimeZone::fixed(offset(2));
        let read = |text| time(text, &zone).map(|t| t.to_string());
        assert_eq!(read("2026-08-01"), Ok("2026-08-01T00:00:00+02:00".into()));
        assert_eq!(read("2026-08-01 12:30"), Ok("2026-08-01T12:30:00+02:00".into()));
        assert_eq!(read("2026-08-01T12:30:00.5Z"), Ok("2026-08-01T12:30:00.5Z".into()));
        assert!(read("yesterday").is_err() && read("2026-13-01").is_err());
        let now = time("2026-08-08T00:00:00Z", &zone).unwrap();
        assert_eq!(
            time_or_age("7d", &zone, &now).unwrap().to_string(),
            "2026-08-01T00:00:00Z"
        );
        assert!(time_or_age("é", &zone, &now).is_err());
    }

    #[test]
    fn sizes_are_read_in_binary_units() {
        assert_eq!(size("0"), Ok(0));
        assert_eq!(size("500k"), Ok(500 << 10));
        assert_eq!(size("1.5G"), Ok(3 << 29));
        assert_eq!(size("20 MiB"), Ok(20 << 20));
        assert_eq!(size("1TB"), Ok(1 << 40));
        for bad in ["", "-1", "K", "1.2.3", "5 parsecs", "99999999999T"] {
            assert!(size(bad).is_err(), "{bad:?}");
        }
    }
}

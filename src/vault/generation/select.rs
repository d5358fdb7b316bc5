//! Which generation a user means: an id, the beginning of one, `latest`, or a time ("the last one at or before").

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::{Error, Result, Vault};
use super::{Filter, Generation};
use crate::storage::FileKind;
use crate::vault::Id;

/// Fewer digits of an id than this are refused: they would mean another generation tomorrow.
const FEWEST_DIGITS: usize = 4;

/// What stands for a generation on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The newest one that the filter lets through.
    Latest,
    /// The one whose id begins with these lower-case hex digits, whatever the filter.
    Prefix(String),
    /// The last one at or before this instant (seconds, nanoseconds) that the filter lets through.
    At((i64, u32)),
}

impl Selector {
    /// Reads a selector; a time without an offset is in `zone`. A time is as coarse as it is written: a date is the whole
    /// day, `12:30` the whole minute, `12:30:05` the whole second, so that a time as it is shown means what it shows.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Selector> {
        if text == "latest" {
            return Ok(Selector::Latest);
        }
        if !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            if text.len() < FEWEST_DIGITS {
                let what = format!("{text:?} is too little of an id: give at least {FEWEST_DIGITS} digits");
                return Err(Error::Selection(what));
            }
            return Ok(Selector::Prefix(text.to_ascii_lowercase()));
        }
        let end = end_of(text, zone).ok_or_else(|| {
            Error::Selection(format!(
                "{text:?} is no generation: give an id or the beginning of one, latest, or a time such as 2026-08-01 or \
                 2026-08-01T12:30"
            ))
        })?;
        let nanos = end.as_nanosecond();
        Ok(Selector::At((
            nanos.div_euclid(1_000_000_000) as i64,
            nanos.rem_euclid(1_000_000_000) as u32,
        )))
    }

    /// Reads `SELECTOR` or `SELECTOR:PATH`; the path as written, `None` when there is no colon for it. The colons of a
    /// time are its own: the longest beginning that is a selector counts.
    pub fn parse_with_path<'a>(text: &'a str, zone: &TimeZone) -> Result<(Selector, Option<&'a str>)> {
        let whole = Selector::parse(text, zone);
        if let Ok(selector) = whole {
            return Ok((selector, None));
        }
        for (at, _) in text.rmatch_indices(':') {
            if let Ok(selector) = Selector::parse(&text[..at], zone) {
                return Ok((selector, Some(&text[at + 1..])));
            }
        }
        // The error that says most is that of what stands before the path.
        match text.split_once(":/") {
            Some((before, path)) => Selector::parse(before, zone).map(|selector| (selector, Some(path))),
            None => whole.map(|selector| (selector, None)),
        }
    }

    /// The generation that is meant, of these.
    pub fn pick<'a>(&self, generations: &'a [Generation], filter: &Filter) -> Result<&'a Generation> {
        let newest = |until: Option<(i64, u32)>| {
            let counts = |g: &&Generation| filter.matches(g) && until.is_none_or(|until| g.time.instant() <= until);
            generations
                .iter()
                .filter(counts)
                .max_by_key(|g| (g.time.instant(), g.id))
        };
        match self {
            Selector::Latest => newest(None).ok_or_else(|| none(generations, filter, "")),
            Selector::At(until) => {
                newest(Some(*until)).ok_or_else(|| none(generations, filter, " at or before this time"))
            }
            Selector::Prefix(prefix) => {
                let id = one_with_prefix(generations.iter().map(|g| g.id), prefix)?;
                generations
                    .iter()
                    .find(|g| g.id == id)
                    .ok_or_else(|| none(generations, filter, ""))
            }
        }
    }
}

/// The last instant that a time as written covers.
fn end_of(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let nano = jiff::Span::new().nanoseconds(1);
    let (date, clock) = text.split_at_checked(10)?;
    if clock.is_empty() {
        let next = date.parse::<jiff::civil::Date>().ok()?.tomorrow().ok()?;
        return next.to_zoned(zone.clone()).ok()?.timestamp().checked_sub(nano).ok();
    }
    // The clock's own text, without the offset after it.
    let clock_end = clock[1..]
        .find(['Z', 'z', '+', '-', '['])
        .map_or(clock.len(), |at| at + 1);
    let clock_only = &clock[..clock_end];
    let width = match (clock_only.matches(':').count(), clock_only.contains(['.', ','])) {
        (_, true) => jiff::Span::new().nanoseconds(1),
        (0, _) => jiff::Span::new().hours(1),
        (1, _) => jiff::Span::new().minutes(1),
        _ => jiff::Span::new().seconds(1),
    };
    let begin = match text.parse::<Timestamp>() {
        Ok(timestamp) => timestamp,
        Err(_) if clock_end == clock.len() => text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp(),
        Err(_) => return None,
    };
    begin.checked_add(width).ok()?.checked_sub(nano).ok()
}

/// The error of finding nothing.
fn none(generations: &[Generation], filter: &Filter, when: &str) -> Error {
    Error::Selection(if generations.is_empty() {
        "the vault holds no generation yet; make one with: coffer backup".to_owned()
    } else {
        let filter = filter.describe();
        let filter = if filter.is_empty() {
            filter
        } else {
            format!(" {filter}")
        };
        format!("the vault holds no generation{filter}{when}; coffer generations lists what it holds")
    })
}

fn one_with_prefix(ids: impl Iterator<Item = Id>, prefix: &str) -> Result<Id> {
    let mut found: Vec<Id> = ids.filter(|id| id.to_string().starts_with(prefix)).collect();
    found.sort_unstable();
    match found[..] {
        [id] => Ok(id),
        [] => Err(Error::Selection(format!(
            "no generation's id begins with {prefix}; coffer generations lists what the vault holds"
        ))),
        _ => {
            let some: Vec<_> = found
                .iter()
                .take(4)
                .map(|id| id.to_string()[..prefix.len().max(8) + 4].to_owned())
                .collect();
            let more = if found.len() > 4 { ", …" } else { "" };
            let what = format!(
                "{} generations begin with {prefix}: {}{more}; give more digits",
                found.len(),
                some.join(", ")
            );
            Err(Error::Selection(what))
        }
    }
}

/// The generation a text stands for (see [`Selector::parse`]), read from the vault. The filter narrows what `latest` and
/// times choose from.
pub fn resolve(vault: &Vault, text: &str, filter: &Filter, zone: &TimeZone) -> Result<Generation> {
    resolve_selector(vault, &Selector::parse(text, zone)?, filter)
}

/// [`resolve`] of a selector that is parsed already.
pub fn resolve_selector(vault: &Vault, selector: &Selector, filter: &Filter) -> Result<Generation> {
    if let Selector::Prefix(prefix) = selector {
        let id = one_with_prefix(vault.list_files(FileKind::Generation)?.into_iter(), prefix)?;
        return vault.generation(&id);
    }
    // The list may come from the local copy: what is worked with is read, and compared with its name, from the vault.
    let id = selector.pick(&vault.generations()?, filter)?.id;
    vault.generation(&id)
}

/// The generations several texts stand for, in their order and each once; with no texts all that the filter lets through,
/// oldest first.
pub fn resolve_all(vault: &Vault, texts: &[String], filter: &Filter, zone: &TimeZone) -> Result<Vec<Generation>> {
    let all = vault.generations()?;
    if texts.is_empty() {
        return Ok(all
            .into_iter()
            .filter(|generation| filter.matches(generation))
            .collect());
    }
    let mut chosen: Vec<Generation> = Vec::new();
    for text in texts {
        let generation = Selector::parse(text, zone)?.pick(&all, filter)?;
        if !chosen.iter().any(|other| other.id == generation.id) {
            chosen.push(generation.clone());
        }
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::generation;
    use super::*;
    use crate::vault::Time;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn at(text: &str) -> Option<String> {
        match Selector::parse(text, &berlin()) {
            Ok(Selector::At((seconds, nanos))) => Some(
                Time {
                    seconds,
                    nanos,
                    offset: 0,
                }
                .to_string(),
            ),
            _ => None,
        }
    }

    #[test]
    fn a_time_is_as_coarse_as_it_is_written() {
        let cases = [
            ("2026-08-01", "2026-08-01T21:59:59.999999999Z"),
            ("2026-03-29", "2026-03-29T21:59:59.999999999Z"),
            ("2026-08-01T12:30", "2026-08-01T10:30:59.999999999Z"),
            ("2026-08-01 12:30", "2026-08-01T10:30:59.999999999Z"),
            ("2026-08-01T12:30:05", "2026-08-01T10:30:05.999999999Z"),
            ("2026-08-01T12:30:05.5", "2026-08-01T10:30:05.5Z"),
            ("2026-08-01T12:30:05Z", "2026-08-01T12:30:05.999999999Z"),
            ("2026-08-01T12:30:05-05:00", "2026-08-01T17:30:05.999999999Z"),
        ];
        for (text, expected) in cases {
            assert_eq!(at(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "yesterday",
            "2026-08",
            "2026-13-01",
            "2026-08-01T",
            "2026-08-01x",
            "99999-01-01",
            "2026-08-0é",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_not_times() {
        let parse = |text: &str| Selector::parse(text, &berlin());
        assert_eq!(parse("latest").unwrap(), Selector::Latest);
        assert_eq!(parse("20260801").unwrap(), Selector::Prefix("20260801".into()));
        assert_eq!(parse("ABCD").unwrap(), Selector::Prefix("abcd".into()));
        assert!(parse("abc").unwrap_err().to_string().contains("at least 4"));
        assert!(parse(&"a".repeat(65)).is_err());
    }

    #[test]
    fn paths_follow_a_colon() {
        let parse = |text| Selector::parse_with_path(text, &berlin()).map(|(s, p)| (s, p.map(str::to_owned)));
        assert_eq!(parse("latest").unwrap(), (Selector::Latest, None));
        assert_eq!(
            parse("latest:/etc/a:b").unwrap(),
            (Selector::Latest, Some("/etc/a:b".into()))
        );
        assert_eq!(
            parse("abcd:rel").unwrap(),
            (Selector::Prefix("abcd".into()), Some("rel".into()))
        );
        let (selector, path) = parse("2026-08-01T12:30:/etc").unwrap();
        assert_eq!(selector, Selector::parse("2026-08-01T12:30", &berlin()).unwrap());
        assert_eq!(path.as_deref(), Some("/etc"));
        let (selector, path) = parse("2026-08-01T12:30:05+02:00:/a").unwrap();
        assert_eq!(
            selector,
            Selector::parse("2026-08-01T12:30:05+02:00", &berlin()).unwrap()
        );
        assert_eq!(path.as_deref(), Some("/a"));
        assert!(
            parse("nonsense:/etc")
                .unwrap_err()
                .to_string()
                .contains("\"nonsense\" is no generation")
        );
    }

    #[test]
    fn picks_what_is_meant() {
        let mut all = vec![generation(0xa1, 100), generation(0xb2, 300), generation(0xa2, 200)];
        all[1].hostname = "db".into();
        let none = Filter::default();
        let web = Filter {
            hosts: vec![String::new()],
            ..Filter::default()
        };
        let pick = |selector: Selector, filter: &Filter| selector.pick(&all, filter).map(|g| g.id.0[0]);
        assert_eq!(pick(Selector::Latest, &none).unwrap(), 0xb2);
        assert_eq!(pick(Selector::Latest, &web).unwrap(), 0xa2);
        assert_eq!(pick(Selector::At((299, 999_999_999)), &none).unwrap(), 0xa2);
        assert_eq!(pick(Selector::At((300, 0)), &none).unwrap(), 0xb2);
        assert_eq!(pick(Selector::Prefix("b2b2".into()), &web).unwrap(), 0xb2);
        let error = |selector, filter: &Filter| pick(selector, filter).unwrap_err().to_string();
        insta::assert_snapshot!(error(Selector::At((99, 0)), &web), @"the vault holds no generation of host  at or before this time; coffer generations lists what it holds");
        insta::assert_snapshot!(error(Selector::Prefix("cccc".into()), &none), @"no generation's id begins with cccc; coffer generations lists what the vault holds");
        insta::assert_snapshot!(Selector::Latest.pick(&[], &none).unwrap_err(), @"the vault holds no generation yet; make one with: coffer backup");
    }

    #[test]
    fn a_prefix_of_several_is_refused() {
        let all: Vec<_> = (0..6)
            .map(|last| {
                let mut g = generation(0xaa, 1);
                g.id.0[31] = last;
                g
            })
            .collect();
        let error = Selector::Prefix("aaaa".into())
            .pick(&all, &Filter::default())
            .unwrap_err();
        insta::assert_snapshot!(error, @"6 generations begin with aaaa: aaaaaaaaaaaa, aaaaaaaaaaaa, aaaaaaaaaaaa, aaaaaaaaaaaa, …; give more digits");
        let full = all[3].id.to_string();
        assert_eq!(
            Selector::Prefix(full).pick(&all, &Filter::default()).unwrap().id,
            all[3].id
        );
    }
}

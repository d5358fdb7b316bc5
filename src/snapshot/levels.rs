//! Which level a snapshot gets: by what can be had of its target, what is wanted, and which programs are told beforehand.
//!
//! Nothing is taken here; and that writers were really held throughout is seen by who holds them.

use super::hooks::Hooks;
use super::{Ability, Consistency, Error, Result, Target, Writer};

/// Which of the programs that write to a target are told before it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// None, or not each database that is seen to write there.
    Nobody,
    /// A command of the user's own tells them, or does not: nobody but the user knows.
    Perhaps,
    /// The databases, by ready-made hooks.
    All,
}

/// Who is told of a target. Ready-made hooks speak to databases on this machine; those within another one do not hear them.
pub(super) fn told(target: &Target, writers: &[Writer], hooks: &Hooks) -> Told {
    let is_told = |name: &str| hooks.ready.iter().any(|ready| ready.database.name() == name);
    let mut databases = writers.iter().filter_map(|writer| writer.database.as_deref());
    let here = matches!(target, Target::Folder(_));
    match (here && !hooks.ready.is_empty() && databases.all(is_told), &hooks.before) {
        (true, _) => Told::All,
        (false, Some(_)) => Told::Perhaps,
        (false, None) => Told::Nobody,
    }
}

/// What must be known of one whose programs were perhaps told.
pub(super) const PERHAPS: &str = "a command was run before it was taken; whether that told all programs is not known, so the level is the \
                       one without it (--consistency application says that it does)";

/// The level that one target gets, by what can be had of it, what is wanted and which programs are told. A command of the
/// user's own is believed to tell all of them only where the user says so by wanting that level.
pub(super) fn level(
    target: &Target,
    ability: &Ability,
    wanted: Option<Consistency>,
    told: Told,
) -> Result<Consistency> {
    let has = |level: Consistency| ability.levels.contains(&level);
    if ability.levels.is_empty() {
        let why = match ability.hints.as_slice() {
            [] => "nothing can be had of it now".to_owned(),
            hints => hints.join("; "),
        };
        return Err(Error::Unable {
            target: target.to_string(),
            why,
        });
    }
    let hints = |why: &str| match ability.hints.as_slice() {
        [] => why.to_owned(),
        hints => format!("{why}: {}", hints.join("; ")),
    };
    let refused = |wanted: Consistency, why: String| Error::Level {
        target: target.to_string(),
        wanted,
        why,
    };
    match wanted {
        Some(Consistency::Application) if told != Told::Nobody || has(Consistency::Application) => {
            Ok(Consistency::Application)
        }
        Some(Consistency::Application) => Err(refused(
            Consistency::Application,
            hints(
                "its programs are not all told: name a ready-made hook (--hook postgresql) or a command (--run-before)",
            ),
        )),
        Some(wanted) if has(wanted) => Ok(wanted),
        Some(Consistency::Memory) => Err(refused(
            Consistency::Memory,
            hints("only a snapshot of a running machine holds RAM"),
        )),
        Some(wanted) => Err(refused(wanted, hints("it cannot be had here"))),
        None if told == Told::All => Ok(Consistency::Application),
        None => {
            let plain = ability
                .levels
                .iter()
                .copied()
                .filter(|level| *level <= Consistency::Filesystem);
            Ok(plain
                .max()
                .or(ability.levels.first().copied())
                .unwrap_or(Consistency::Crash))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hooks(ready: &[&str], before: bool) -> Hooks {
        Hooks {
            ready: ready.iter().map(|name| name.parse().unwrap()).collect(),
            before: before.then(|| "true".to_owned()),
            ..Hooks::none("/proc/self/exe".into())
        }
    }

    fn writer(database: Option<&str>) -> Writer {
        Writer {
            pid: 1,
            name: "x".into(),
            database: database.map(str::to_owned),
            files: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_known_to_be_told_raises_the_level() {
        let folder = Target::Folder("/srv".into());
        let of = |target: &Target, databases: &[Option<&str>], hooks: &Hooks, wanted| {
            let writers: Vec<Writer> = databases.iter().map(|one| writer(*one)).collect();
            let ability = Ability {
                levels: vec![Consistency::Crash, Consistency::Filesystem],
                hints: Vec::new(),
                writers: writers.clone(),
            };
            level(target, &ability, wanted, told(target, &writers, hooks)).ok()
        };
        let plain = Some(Consistency::Filesystem);
        let all = Some(Consistency::Application);
        let postgresql = hooks(&["postgresql"], false);
        assert_eq!(of(&folder, &[], &hooks(&[], false), None), plain);
        assert_eq!(of(&folder, &[], &postgresql, None), all);
        assert_eq!(of(&folder, &[None, Some("PostgreSQL")], &postgresql, None), all);
        // Another one that nobody told.
        assert_eq!(
            of(&folder, &[Some("PostgreSQL"), Some("Redis")], &postgresql, None),
            plain
        );
        assert_eq!(of(&folder, &[Some("Redis")], &postgresql, all), None);
        // What a command does only the user knows.
        assert_eq!(of(&folder, &[], &hooks(&[], true), None), plain);
        assert_eq!(of(&folder, &[Some("Redis")], &hooks(&[], true), all), all);
        assert_eq!(of(&folder, &[], &hooks(&[], false), all), None);
        // A database within a machine does not hear hooks of this one.
        let machine = Target::Machine("web".into());
        assert_eq!(of(&machine, &[], &postgresql, None), plain);
        assert_eq!(of(&machine, &[], &postgresql, all), None);
        assert_eq!(of(&machine, &[], &hooks(&["postgresql"], true), all), all);
    }
}

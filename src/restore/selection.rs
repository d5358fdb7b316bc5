//! Which entries of a generation are meant: all, globs, or a rule tree as the interface builds it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::walk::{At, Enter, Start, Visitor, Walk};
use super::{Error, Result};
use crate::progress::Cancel;
use crate::vault::{Generation, IndexedVault, Node, NodeType};

/// Which entries of a generation are meant.
///
/// Globs are matched against the path in the generation as `ls` prints it. A pattern with a leading `/` is anchored there;
/// any other matches at every depth. `*` does not cross a `/`, `**` does. A folder that matches stands for all below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selection {
    /// Everything.
    #[default]
    All,
    /// What an include pattern matches (everything, when there is none), less what an exclude pattern matches.
    Globs {
        /// Patterns to take; none takes everything.
        include: Vec<String>,
        /// Patterns to leave.
        exclude: Vec<String>,
    },
    /// An explicit choice.
    Rules(Rules),
}

/// A choice of subtrees: each rule takes or leaves a path and all below it; the longest rule above an entry decides, and of
/// two for the same path the last. Choosing all of a million files is one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    rules: BTreeMap<Vec<u8>, bool>,
}

impl Rules {
    /// Nothing chosen.
    pub fn new() -> Rules {
        Rules::default()
    }

    /// Takes a path of the generation and all below it (`/` or empty for everything).
    pub fn include(&mut self, path: &[u8]) {
        self.set(path, true);
    }

    /// Leaves a path of the generation and all below it.
    pub fn exclude(&mut self, path: &[u8]) {
        self.set(path, false);
    }

    /// Whether a path is taken.
    pub fn takes(&self, path: &[u8]) -> bool {
        let path = trim(path);
        let mut end = path.len();
        loop {
            if let Some(&rule) = self.rules.get(&path[..end]) {
                return rule;
            }
            match path[..end].iter().rposition(|&b| b == b'/') {
                Some(slash) => end = slash,
                None if end > 0 => end = 0,
                None => return false,
            }
        }
    }

    /// Whether some rule is for a path strictly below this one.
    pub fn has_rules_below(&self, path: &[u8]) -> bool {
        let mut start = trim(path).to_vec();
        if !start.is_empty() {
            start.push(b'/');
        }
        let mut below = self.rules.range::<Vec<u8>, _>(&start..);
        match below.next() {
            Some((first, _)) if *first == start => below.next().is_some_and(|(next, _)| next.starts_with(&start)),
            Some((first, _)) => first.starts_with(&start),
            None => false,
        }
    }

    /// Whether nothing is taken.
    pub fn is_empty(&self) -> bool {
        !self.rules.values().any(|&take| take)
    }

    /// The rules, paths without a slash at either end, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], bool)> {
        self.rules.iter().map(|(path, &take)| (path.as_slice(), take))
    }

    fn set(&mut self, path: &[u8], take: bool) {
        let path = trim(path);
        self.rules.retain(|old, _| !is_at_or_below(old, path));
        if self.takes(path) != take {
            self.rules.insert(path.to_vec(), take);
        }
    }
}

/// A path without slashes at its ends.
pub(super) fn trim(path: &[u8]) -> &[u8] {
    let start = path.iter().position(|&b| b != b'/').unwrap_or(path.len());
    let end = path.iter().rposition(|&b| b != b'/').map_or(start, |last| last + 1);
    &path[start..end]
}

/// Whether `path` is `top` or below it; both without slashes at their ends.
pub(super) fn is_at_or_below(path: &[u8], top: &[u8]) -> bool {
    top.is_empty()
        || path
            .strip_prefix(top)
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// What a selection amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Measure {
    /// Regular files.
    pub files: u64,
    /// Folders.
    pub folders: u64,
    /// Symlinks, fifos, devices, sockets.
    pub others: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// Counts what a selection takes in, without looking at any target. `subtree` as in
/// [`RestoreOptions`](super::RestoreOptions).
pub fn measure(
    vault: &IndexedVault,
    generation: &Generation,
    subtree: &[u8],
    selection: &Selection,
    cancel: &Cancel,
) -> Result<Measure> {
    let matcher = Matcher::new(selection)?;
    let start = Start::find(vault, generation, subtree)?;
    let mut measuring = Measuring {
        measure: Measure::default(),
        needed: Vec::new(),
    };
    Walk::new(vault, &matcher, cancel).run(&start, &mut measuring)?;
    Ok(measuring.measure)
}

/// Counts entries; a folder only when it is taken itself or something in it is.
struct Measuring {
    measure: Measure,
    needed: Vec<bool>,
}

impl Visitor for Measuring {
    fn enter(&mut self, at: &At<'_>, node: Option<&Node>) -> Result<Enter> {
        self.needed.push(at.taken && node.is_some());
        Ok(Enter::Yes)
    }

    fn entry(&mut self, _at: &At<'_>, node: Node) -> Result<()> {
        match node.kind {
            NodeType::File => {
                self.measure.files += 1;
                self.measure.bytes = self.measure.bytes.saturating_add(node.size);
            }
            _ => self.measure.others += 1,
        }
        if let Some(last) = self.needed.last_mut() {
            *last = true;
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<()> {
        if self.needed.pop() == Some(true)
            && let Some(above) = self.needed.last_mut()
        {
            *above = true;
            self.measure.folders += 1;
        }
        Ok(())
    }

    fn problem(&mut self, _at: &At<'_>, _problem: super::Problem) -> Result<()> {
        Ok(())
    }
}

/// Whether an entry is taken, and whether entries below it may be decided otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope {
    /// The entry itself is taken.
    pub taken: bool,
    /// Something below may be decided differently.
    pub mixed: bool,
}

impl Scope {
    /// Whether nothing at or below is taken.
    pub fn is_nothing(self) -> bool {
        !self.taken && !self.mixed
    }
}

/// A [`Selection`] ready to be asked.
#[derive(Debug)]
pub(super) enum Matcher {
    All,
    Globs {
        include: Option<GlobSet>,
        exclude: Option<GlobSet>,
    },
    Rules(Rules),
}

impl Matcher {
    /// Compiles the patterns.
    pub fn new(selection: &Selection) -> Result<Matcher> {
        Ok(match selection {
            Selection::All => Matcher::All,
            Selection::Globs { include, exclude } => Matcher::Globs {
                include: glob_set(include)?,
                exclude: glob_set(exclude)?,
            },
            Selection::Rules(rules) => Matcher::Rules(rules.clone()),
        })
    }

    /// The decision for the generation's root.
    pub fn root(&self) -> Scope {
        match self {
            Matcher::All => Scope {
                taken: true,
                mixed: false,
            },
            Matcher::Globs { include, exclude } => Scope {
                taken: include.is_none(),
                mixed: include.is_some() || exclude.is_some(),
            },
            Matcher::Rules(rules) => Scope {
                taken: rules.takes(b""),
                mixed: rules.has_rules_below(b""),
            },
        }
    }

    /// The decision for an entry of a folder with the decision `above`. `path` has a leading slash.
    pub fn below(&self, above: Scope, path: &[u8], is_folder: bool) -> Scope {
        if !above.mixed {
            return above;
        }
        let relative = trim(path);
        match self {
            Matcher::All => above,
            Matcher::Globs { include, exclude } => {
                let matches = |set: &Option<GlobSet>| {
                    set.as_ref()
                        .is_some_and(|set| set.is_match(Path::new(OsStr::from_bytes(relative))))
                };
                if matches(exclude) {
                    return Scope {
                        taken: false,
                        mixed: false,
                    };
                }
                let taken = above.taken || matches(include);
                Scope {
                    taken,
                    mixed: is_folder && (exclude.is_some() || !taken),
                }
            }
            Matcher::Rules(rules) => Scope {
                taken: rules.takes(relative),
                mixed: is_folder && rules.has_rules_below(relative),
            },
        }
    }
}

fn glob_set(patterns: &[String]) -> Result<Option<GlobSet>> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let bad = |pattern: &str, error: &globset::Error| Error::Pattern {
        pattern: pattern.to_owned(),
        why: error.kind().to_string(),
    };
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let trimmed = pattern.trim_end_matches('/');
        let anchored = match trimmed.strip_prefix('/') {
            Some(rest) => rest.to_owned(),
            None if trimmed.is_empty() => "**".to_owned(),
            None => format!("**/{trimmed}"),
        };
        let glob = GlobBuilder::new(&anchored)
            .literal_separator(true)
            .backslash_escape(true)
            .build();
        set.add(glob.map_err(|error| bad(pattern, &error))?);
    }
    Ok(Some(set.build().map_err(|error| bad(&patterns.join(" "), &error))?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken(matcher: &Matcher, path: &str) -> bool {
        let mut scope = matcher.root();
        let mut so_far = String::new();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        for (number, part) in parts.iter().enumerate() {
            so_far = format!("{so_far}/{part}");
            scope = matcher.below(scope, so_far.as_bytes(), number + 1 < parts.len());
        }
        scope.taken
    }

    #[test]
    fn the_longest_rule_decides_and_a_later_one_replaces_what_is_below() {
        let mut rules = Rules::new();
        rules.include(b"/home");
        rules.exclude(b"/home/a");
        rules.include(b"/home/a/b");
        assert!(rules.takes(b"/home/x") && !rules.takes(b"/home/a/x") && rules.takes(b"/home/a/b/c"));
        assert!(!rules.takes(b"/homely") && !rules.takes(b"/"));
        assert!(rules.has_rules_below(b"/home/a") && !rules.has_rules_below(b"/home/a/b"));
        rules.include(b"/home");
        assert_eq!(rules.iter().count(), 1);
        rules.exclude(b"/");
        assert!(rules.is_empty());
        assert_eq!(rules.iter().count(), 0);
    }

    #[test]
    fn globs_match_at_any_depth_unless_anchored() {
        let matcher = |include: &[&str], exclude: &[&str]| {
            let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
            Matcher::new(&Selection::Globs {
                include: owned(include),
                exclude: owned(exclude),
            })
            .unwrap()
        };
        let c = matcher(&["*.c"], &[]);
        assert!(taken(&c, "/a/b/x.c") && taken(&c, "/x.c") && !taken(&c, "/x.h"));
        let anchored = matcher(&["/a/*"], &[]);
        assert!(taken(&anchored, "/a/x") && taken(&anchored, "/a/x/y/z") && !taken(&anchored, "/b/a/x"));
        assert!(!taken(&anchored, "/a"));
        let less = matcher(&["/a/"], &["tmp", "*.o"]);
        assert!(taken(&less, "/a/x") && !taken(&less, "/a/tmp/x") && !taken(&less, "/a/b/y.o"));
        assert!(matches!(
            Matcher::new(&Selection::Globs {
                include: vec!["a[".into()],
                exclude: vec![]
            }),
            Err(Error::Pattern { .. })
        ));
    }

    proptest! {
        #[test]
        fn rules_agree_with_replaying_them(steps in prop::collection::vec(("(/[ab]){0,3}", any::<bool>()), 0..12), path in "(/[ab]){0,4}") {
            let mut rules = Rules::new();
            let mut expected = false;
            for (at, take) in &steps {
                if *take { rules.include(at.as_bytes()) } else { rules.exclude(at.as_bytes()) }
                // A later rule decides for all below it, so the last one at or above the path is the answer.
                if is_at_or_below(trim(path.as_bytes()), trim(at.as_bytes())) {
                    expected = *take;
                }
            }
            prop_assert_eq!(rules.takes(path.as_bytes()), expected);
            prop_assert_eq!(taken(&Matcher::Rules(rules), &path), expected);
        }
    }
}

//! Narrowing and grouping lists of generations, as restic means `--host`, `--tag`, `--path` and `--group-by`.

use std::collections::BTreeMap;

use super::Generation;

/// Which generations count. Empty lists let everything through; the fields are joined by "and".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Made on one of these hosts.
    pub hosts: Vec<String>,
    /// With all tags of one of these lists. An empty tag in a list means "no tags at all".
    pub tags: Vec<Vec<String>>,
    /// Made of all these paths (and perhaps others), compared as they are stored.
    pub paths: Vec<String>,
    /// Made at or after this instant: seconds and nanoseconds.
    pub since: Option<(i64, u32)>,
    /// Made at or before this instant.
    pub until: Option<(i64, u32)>,
}

impl Filter {
    /// A filter of what command lines give: each text of `tags` is a list with commas between.
    pub fn of_texts(hosts: &[String], tags: &[String], paths: &[String]) -> Filter {
        Filter {
            hosts: hosts.to_vec(),
            tags: tags
                .iter()
                .map(|list| list.split(',').map(|tag| tag.trim().to_owned()).collect())
                .collect(),
            paths: paths.to_vec(),
            since: None,
            until: None,
        }
    }

    /// Whether every generation counts.
    pub fn is_empty(&self) -> bool {
        *self == Filter::default()
    }

    /// Whether this generation counts.
    pub fn matches(&self, generation: &Generation) -> bool {
        let instant = generation.time.instant();
        (self.hosts.is_empty() || self.hosts.contains(&generation.hostname))
            && (self.tags.is_empty() || self.tags.iter().any(|list| has_tags(generation, list)))
            && self.paths.iter().all(|path| generation.paths.contains(path))
            && self.since.is_none_or(|since| since <= instant)
            && self.until.is_none_or(|until| instant <= until)
    }

    /// The filter in words, for "no generation …": empty when it lets all through.
    pub fn describe(&self) -> String {
        let mut words = Vec::new();
        if !self.hosts.is_empty() {
            words.push(format!("of host {}", self.hosts.join(" or ")));
        }
        if !self.tags.is_empty() {
            let lists: Vec<_> = self.tags.iter().map(|list| list.join(",")).collect();
            words.push(format!("with tags {}", lists.join(" or ")));
        }
        if !self.paths.is_empty() {
            words.push(format!("of path {}", self.paths.join(" and ")));
        }
        if self.since.is_some() || self.until.is_some() {
            words.push("in this range of time".to_owned());
        }
        words.join(", ")
    }
}

fn has_tags(generation: &Generation, list: &[String]) -> bool {
    list.iter().all(|tag| {
        if tag.is_empty() {
            generation.tags.is_empty()
        } else {
            generation.tags.contains(tag)
        }
    })
}

/// What generations are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupBy {
    /// The host.
    pub host: bool,
    /// The set of paths.
    pub paths: bool,
    /// The set of tags.
    pub tags: bool,
}

impl GroupBy {
    /// By host and paths: what a plan's generations share.
    pub const HOST_AND_PATHS: GroupBy = GroupBy {
        host: true,
        paths: true,
        tags: false,
    };
}

impl std::str::FromStr for GroupBy {
    type Err = String;

    /// Reads `host,paths,tags` in any order and choice; empty is one group of all.
    fn from_str(text: &str) -> Result<GroupBy, String> {
        let mut by = GroupBy::default();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "host" | "hosts" => by.host = true,
                "path" | "paths" => by.paths = true,
                "tag" | "tags" => by.tags = true,
                _ => {
                    return Err(format!(
                        "{word:?} is nothing to group by; give any of host, paths, tags"
                    ));
                }
            }
        }
        Ok(by)
    }
}

/// What the generations of a group share; `None` for what they are not grouped by. Paths and tags are sorted; restic tells
/// a tag that is there twice from one that is there once, and so does this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
pub struct GroupKey {
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// The tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

impl GroupKey {
    /// The group a generation is in.
    pub fn of(generation: &Generation, by: GroupBy) -> GroupKey {
        let sorted = |texts: &[String]| {
            let mut texts = texts.to_vec();
            texts.sort_unstable();
            texts
        };
        GroupKey {
            host: by.host.then(|| generation.hostname.clone()),
            paths: by.paths.then(|| sorted(&generation.paths)),
            tags: by.tags.then(|| sorted(&generation.tags)),
        }
    }
}

/// Groups generations, groups in order of their keys, generations in the order given.
pub fn group<'a>(
    generations: impl IntoIterator<Item = &'a Generation>,
    by: GroupBy,
) -> BTreeMap<GroupKey, Vec<&'a Generation>> {
    let mut groups: BTreeMap<GroupKey, Vec<&Generation>> = BTreeMap::new();
    for generation in generations {
        groups.entry(GroupKey::of(generation, by)).or_default().push(generation);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::tests_support::generation;
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn filters_as_restic() {
        let mut one = generation(1, 100);
        (one.hostname, one.tags, one.paths) = ("web".into(), texts(&["a", "b"]), texts(&["/etc", "/srv"]));
        let matches = |hosts: &[&str], tags: &[&str], paths: &[&str]| {
            Filter::of_texts(&texts(hosts), &texts(tags), &texts(paths)).matches(&one)
        };
        assert!(matches(&[], &[], &[]));
        assert!(matches(&["db", "web"], &["a,b"], &["/srv"]));
        assert!(matches(&[], &["x", "b"], &["/srv", "/etc"]));
        assert!(!matches(&["db"], &[], &[]));
        assert!(!matches(&[], &["a,x"], &[]));
        assert!(!matches(&[], &[""], &[]));
        assert!(!matches(&[], &[], &["/srv", "/home"]));
        assert!(!matches(&[], &[], &["/sr"]));
        let untagged = generation(2, 100);
        assert!(Filter::of_texts(&[], &texts(&[""]), &[]).matches(&untagged));
        let range = |since, until| {
            Filter {
                since,
                until,
                ..Filter::default()
            }
            .matches(&untagged)
        };
        assert!(range(Some((100, 0)), Some((100, 0))));
        assert!(!range(Some((100, 1)), None));
        assert!(!range(None, Some((99, 999_999_999))));
    }

    #[test]
    fn groups_by_sets_of_paths_and_tags() {
        let mut all = [generation(1, 1), generation(2, 2), generation(3, 3)];
        all[0].paths = texts(&["/b", "/a"]);
        all[1].paths = texts(&["/a", "/b"]);
        all[2].paths = texts(&["/a"]);
        all[1].hostname = "h".into();
        let sizes = |by: &str| {
            group(&all, by.parse().unwrap())
                .values()
                .map(Vec::len)
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(""), [3]);
        assert_eq!(sizes("paths"), [1, 2]);
        assert_eq!(sizes("host, path"), [1, 1, 1]);
        assert_eq!(sizes("tags"), [3]);
        assert!("colour".parse::<GroupBy>().unwrap_err().contains("host, paths, tags"));
    }
}

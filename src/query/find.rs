//! Finding entries in many generations.
//!
//! Each unique tree is read once, however many generations share it: what a tree holds, given how far the patterns have
//! matched on the way to it, is remembered ("nothing", or the entries that lead to matches). Generations that share most
//! of their trees therefore cost little more than one.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::pattern::{Patterns, State};
use super::prefetch::{Prefetch, Ticket, with_prefetch};
use super::{Entry, Scratch, TreeSource};
use crate::progress::{Cancel, Progress};
use crate::vault::{Generation, Id, Node, NodeType, Result, Tree};

/// So many entries that lead to matches are remembered, tens of megabytes; what is beyond is read again when another
/// generation comes to it.
const REMEMBERED: usize = 100_000;

/// What is looked for; the fields are joined by "and".
#[derive(Debug, Clone)]
pub struct Find {
    /// Which paths.
    pub patterns: Patterns,
    /// Of one of these types; empty for all.
    pub kinds: Vec<NodeType>,
    /// Files of at least so many bytes.
    pub smallest: Option<u64>,
    /// Files of at most so many bytes.
    pub largest: Option<u64>,
    /// Changed at or after this instant (seconds, nanoseconds).
    pub since: Option<(i64, u32)>,
    /// Changed at or before this instant.
    pub until: Option<(i64, u32)>,
}

impl Find {
    /// All entries whose paths match.
    pub fn new(patterns: Patterns) -> Find {
        Find {
            patterns,
            kinds: Vec::new(),
            smallest: None,
            largest: None,
            since: None,
            until: None,
        }
    }

    /// Whether an entry whose path matches is meant.
    fn takes(&self, node: &Node) -> bool {
        let sized = self.smallest.is_some() || self.largest.is_some();
        (self.kinds.is_empty() || self.kinds.contains(&node.kind))
            && (!sized || node.kind == NodeType::File)
            && self.smallest.is_none_or(|smallest| smallest <= node.size)
            && self.largest.is_none_or(|largest| node.size <= largest)
            && self.since.is_none_or(|since| since <= node.mtime.instant())
            && self.until.is_none_or(|until| node.mtime.instant() <= until)
    }
}

/// Calls `each` for every match in these generations: one generation after the other, in path order within each. Counts
/// generations into `progress` as files.
pub fn find<S: TreeSource + ?Sized>(
    source: &S,
    generations: &[Generation],
    query: Find,
    progress: &Progress,
    cancel: &Cancel,
    each: &mut dyn FnMut(&Generation, Entry<'_>) -> Result<()>,
) -> Result<()> {
    progress.files_total.store(generations.len() as u64, Ordering::Relaxed);
    progress.totals_known.store(true, Ordering::Relaxed);
    with_prefetch(source, cancel, |ahead| {
        let mut finder = Finder {
            query,
            ahead,
            cancel,
            progress,
            scratch: Scratch::default(),
            learnt: HashMap::new(),
            room: REMEMBERED,
        };
        let roots = ahead.plan(generations.iter().map(|generation| generation.tree).collect());
        for (generation, ticket) in generations.iter().zip(roots) {
            let key = (generation.tree, finder.query.patterns.start());
            finder.search(key, ticket, &mut |entry| each(generation, entry))?;
            progress.files_done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })
}

/// A tree, and how far the patterns had matched above it.
type Key = (Id, State);

/// What is known of a [`Key`].
#[derive(Clone)]
enum Learnt {
    Nothing,
    /// Something below matches; the entries leading there, if there was room to remember them.
    Something(Option<Rc<[Hit]>>),
}

/// An entry that matches, or below which something does.
#[derive(Clone)]
struct Hit {
    node: Rc<Node>,
    matches: bool,
    below: Option<Key>,
}

struct Finder<'a, 'b, S: TreeSource + ?Sized> {
    query: Find,
    ahead: &'a Prefetch<'b, S>,
    cancel: &'a Cancel,
    progress: &'a Progress,
    scratch: Scratch,
    learnt: HashMap<Key, Learnt>,
    room: usize,
}

/// A folder on the way.
struct Level {
    entries: Entries,
    path_length: usize,
}

enum Entries {
    /// Read from the vault, to be learnt.
    Fresh {
        key: Key,
        nodes: std::vec::IntoIter<Planned>,
        kept: Option<Vec<Hit>>,
        found: bool,
        pending: Option<Hit>,
    },
    /// Known from another generation.
    Known { hits: Rc<[Hit]>, next: usize },
}

/// An entry of a fresh folder, and what is known of it beforehand.
struct Planned {
    node: Node,
    matches: bool,
    below: Option<Key>,
    ticket: Option<Ticket>,
}

impl<S: TreeSource + ?Sized> Finder<'_, '_, S> {
    fn search(&mut self, root: Key, ticket: Ticket, each: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        let mut path = Vec::new();
        let mut levels = Vec::new();
        levels.extend(self.enter(root, Some(ticket), 0)?);
        while let Some(level) = levels.last_mut() {
            path.truncate(level.path_length);
            let Some(Planned {
                node,
                matches,
                below,
                ticket,
            }) = self.next(level)
            else {
                let found = levels.pop().is_some_and(|level| self.finish(level));
                if let (
                    true,
                    Some(Level {
                        entries:
                            Entries::Fresh {
                                kept, found, pending, ..
                            },
                        ..
                    }),
                ) = (found, levels.last_mut())
                {
                    *found = true;
                    keep(kept, &mut self.room, pending.take());
                }
                continue;
            };
            self.cancel.check()?;
            path.push(b'/');
            path.extend_from_slice(&node.name);
            if matches {
                each(Entry {
                    path: &path,
                    node: &node,
                })?;
            }
            let deeper = match below {
                Some(key) => self.enter(key, ticket, path.len())?,
                None => None,
            };
            if let Entries::Fresh {
                kept, found, pending, ..
            } = &mut level.entries
            {
                *found |= matches;
                // Remembered at once if it matches, else when something below it does.
                let hit = (matches || deeper.is_some()).then(|| Hit {
                    node: Rc::new(node),
                    matches,
                    below,
                });
                if matches {
                    keep(kept, &mut self.room, hit);
                    *pending = None;
                } else {
                    *pending = hit;
                }
            }
            if let Some(deeper) = deeper {
                self.progress.set_current(&path);
                levels.push(deeper);
            }
        }
        Ok(())
    }

    /// The next entry of a level that matches or may have matches below.
    fn next(&self, level: &mut Level) -> Option<Planned> {
        match &mut level.entries {
            Entries::Fresh { nodes, .. } => nodes.find(|planned| planned.matches || planned.below.is_some()),
            Entries::Known { hits, next } => {
                let hit = hits.get(*next)?;
                *next += 1;
                let node = Node::clone(&hit.node);
                let ticket = hit
                    .below
                    .filter(|key| self.must_read(key))
                    .and_then(|key| self.ahead.plan(vec![key.0]).next());
                Some(Planned {
                    node,
                    matches: hit.matches,
                    below: hit.below,
                    ticket,
                })
            }
        }
    }

    fn must_read(&self, key: &Key) -> bool {
        !matches!(self.learnt.get(key), Some(Learnt::Nothing | Learnt::Something(Some(_))))
    }

    /// The level of a folder; `None` if nothing in it matches. Its ticket, if it has one, is used up.
    fn enter(&mut self, key: Key, ticket: Option<Ticket>, path_length: usize) -> Result<Option<Level>> {
        let known = match self.learnt.get(&key) {
            Some(Learnt::Nothing) => Some(None),
            Some(Learnt::Something(Some(hits))) => Some(Some(Rc::clone(hits))),
            Some(Learnt::Something(None)) | None => None,
        };
        if let Some(known) = known {
            if let Some(ticket) = ticket {
                self.ahead.pass(ticket);
            }
            return Ok(known.map(|hits| Level {
                entries: Entries::Known { hits, next: 0 },
                path_length,
            }));
        }
        let Some(ticket) = ticket.or_else(|| self.ahead.plan(vec![key.0]).next()) else {
            return Ok(None);
        };
        let tree = self.ahead.take(ticket, &mut self.scratch)?;
        let nodes = self.planned(tree, key.1);
        let entries = Entries::Fresh {
            key,
            nodes: nodes.into_iter(),
            kept: Some(Vec::new()),
            found: false,
            pending: None,
        };
        Ok(Some(Level { entries, path_length }))
    }

    /// Matches a folder's entries and plans the reading of those folders that must be looked into.
    fn planned(&mut self, tree: Tree, state: State) -> Vec<Planned> {
        let mut ids = Vec::new();
        let mut planned = Vec::with_capacity(tree.nodes.len());
        for node in tree.nodes {
            let (below, matches) = self.query.patterns.step(state, &node.name);
            let matches = matches && self.query.takes(&node);
            let below = node.subtree.filter(|_| !Patterns::is_over(below)).map(|id| (id, below));
            ids.extend(below.filter(|key| self.must_read(key)).map(|key| key.0));
            planned.push(Planned {
                node,
                matches,
                below,
                ticket: None,
            });
        }
        let mut tickets = self.ahead.plan(ids);
        for entry in &mut planned {
            if entry.below.is_some_and(|key| self.must_read(&key)) {
                entry.ticket = tickets.next();
            }
        }
        planned
    }

    /// Remembers what was learnt of a folder. Says whether something in it matched.
    fn finish(&mut self, level: Level) -> bool {
        let Entries::Fresh { key, kept, found, .. } = level.entries else {
            return true;
        };
        let learnt = if found {
            Learnt::Something(kept.map(Rc::from))
        } else {
            Learnt::Nothing
        };
        self.learnt.insert(key, learnt);
        found
    }
}

/// Remembers a hit if there is room; else the whole folder is not remembered.
fn keep(kept: &mut Option<Vec<Hit>>, room: &mut usize, hit: Option<Hit>) {
    let Some(hit) = hit else { return };
    match kept {
        Some(hits) if *room > 0 => {
            *room -= 1;
            hits.push(hit);
        }
        Some(hits) => {
            *room += hits.len();
            *kept = None;
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Trees, dir, file, file_at, link};
    use super::*;
    use crate::vault::generation::tests_support::generation;

    fn search(trees: &Trees, roots: &[Id], query: Find) -> Vec<String> {
        let generations: Vec<_> = roots
            .iter()
            .enumerate()
            .map(|(i, root)| Generation {
                tree: *root,
                ..generation(i as u8, i as i64)
            })
            .collect();
        let mut found = Vec::new();
        find(
            trees,
            &generations,
            query,
            &Progress::default(),
            &Cancel::default(),
            &mut |generation, entry| {
                found.push(format!(
                    "{} {}",
                    generation.id.0[0],
                    String::from_utf8_lossy(entry.path)
                ));
                Ok(())
            },
        )
        .unwrap();
        found
    }

    fn named(patterns: &[&str]) -> Find {
        Find::new(Patterns::new(patterns, false).unwrap())
    }

    /// Two generations that share `/shared` and `/b`, which in turn share a folder.
    fn vault() -> (Trees, Vec<Id>) {
        let mut trees = Trees::default();
        let conf = trees.add(vec![file("x.conf", &[1]), file("y.txt", &[2])]);
        let shared = trees.add(vec![
            dir("conf.d", conf),
            file_at("big", &[1, 2, 3], 50),
            link("l.conf", "big"),
        ]);
        let b = trees.add(vec![dir("conf.d", conf), dir("x.conf", conf)]);
        let none = trees.add(vec![file("n", &[])]);
        let first = trees.add(vec![
            dir("shared", shared),
            dir("b", b),
            dir("none", none),
            file("a.conf", &[4]),
        ]);
        let second = trees.add(vec![dir("shared", shared), dir("b", b), dir("none", none)]);
        (trees, vec![first, second, first])
    }

    #[test]
    fn in_path_order_in_every_generation_each_tree_read_once() {
        let (trees, roots) = vault();
        let below = |g: u8| {
            [
                "/b/conf.d/x.conf",
                "/b/x.conf",
                "/b/x.conf/x.conf",
                "/shared/conf.d/x.conf",
                "/shared/l.conf",
            ]
            .map(|path| format!("{g} {path}"))
        };
        let mut expected = vec!["0 /a.conf".to_owned()];
        expected.extend(below(0));
        expected.extend(below(1));
        expected.push("2 /a.conf".to_owned());
        expected.extend(below(2));
        assert_eq!(search(&trees, &roots, named(&["*.conf"])), expected);
        // Six trees, a few of which may have been read ahead twice.
        let reads = trees.take_reads();
        assert!((6..=9).contains(&reads), "{reads}");
    }

    #[test]
    fn filters() {
        let (trees, roots) = vault();
        let one = &roots[1..2];
        let with = |change: &dyn Fn(&mut Find)| {
            let mut query = named(&["*"]);
            change(&mut query);
            search(&trees, one, query)
        };
        assert_eq!(with(&|q| q.kinds = vec![NodeType::Symlink]), ["0 /shared/l.conf"]);
        assert_eq!(with(&|q| q.smallest = Some(101)), ["0 /shared/big"]);
        assert_eq!(with(&|q| q.since = Some((50, 0))), ["0 /shared/big"]);
        assert_eq!(
            with(&|q| (q.largest, q.until) = (Some(0), Some((49, 0)))),
            ["0 /none/n"]
        );
        assert_eq!(
            search(&trees, one, named(&["/b/*/y*", "none"])),
            ["0 /b/conf.d/y.txt", "0 /b/x.conf/y.txt", "0 /none"]
        );
        assert_eq!(search(&trees, one, named(&["nothing"])), [""; 0]);
    }

    #[test]
    fn anchored_patterns_read_only_what_may_match() {
        let (mut trees, roots) = vault();
        trees.take_reads();
        assert_eq!(search(&trees, &roots[1..2], named(&["/none/*"])), ["0 /none/n"]);
        assert_eq!(trees.take_reads(), 2);
        trees.lose(&roots[0]);
        let generations = [Generation {
            tree: roots[0],
            ..generation(9, 9)
        }];
        let result = find(
            &trees,
            &generations,
            named(&["x"]),
            &Progress::default(),
            &Cancel::default(),
            &mut |_, _| Ok(()),
        );
        assert!(result.is_err());
    }

    #[test]
    fn what_there_is_no_room_to_remember_is_read_again() {
        let mut kept = Some(Vec::new());
        let mut room = 1;
        let hit = || {
            Some(Hit {
                node: Rc::default(),
                matches: true,
                below: None,
            })
        };
        keep(&mut kept, &mut room, hit());
        assert_eq!((kept.as_ref().map(Vec::len), room), (Some(1), 0));
        keep(&mut kept, &mut room, hit());
        assert!(kept.is_none());
        assert_eq!(room, 1);

        let (trees, roots) = vault();
        let generations: Vec<_> = roots
            .iter()
            .map(|root| Generation {
                tree: *root,
                ..generation(1, 1)
            })
            .collect();
        let count = |room: usize| {
            let cancel = Cancel::default();
            with_prefetch(&trees, &cancel, |ahead| {
                let progress = Progress::default();
                let query = named(&["*.conf"]);
                let mut finder = Finder {
                    query,
                    ahead,
                    cancel: &cancel,
                    progress: &progress,
                    scratch: Scratch::default(),
                    learnt: HashMap::new(),
                    room,
                };
                let mut paths = Vec::new();
                let roots: Vec<_> = ahead.plan(generations.iter().map(|g| g.tree).collect()).collect();
                for (generation, ticket) in generations.iter().zip(roots) {
                    let key = (generation.tree, finder.query.patterns.start());
                    finder.search(key, ticket, &mut |entry| {
                        paths.push(entry.path.to_vec());
                        Ok(())
                    })?;
                }
                Ok(paths)
            })
            .unwrap()
        };
        let all = count(1000);
        assert_eq!(all.len(), 17);
        for room in 0..8 {
            assert_eq!(count(room), all, "{room}");
        }
    }
}

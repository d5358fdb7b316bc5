//! Listing a generation's entries in path order.

use std::sync::atomic::Ordering;

use super::prefetch::{Prefetch, Tickets, with_prefetch};
use super::{Scratch, TreeSource};
use crate::progress::{Cancel, Progress};
use crate::vault::{Error, Id, Node, Result, Tree};

/// One entry of a listing.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its path: raw names from the generation's root, each after a slash.
    pub path: &'a [u8],
    /// The entry.
    pub node: &'a Node,
}

/// How much of a folder is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// The folder's entries.
    Entries,
    /// Everything below it.
    All,
}

/// Lists what lies at `path` in the tree `root`: a folder and its entries, or whatever else it is. The root itself (an
/// empty path) has no entry of its own. Folders come before what is in them, names in byte order. Errors when there is no
/// such path. Counts entries into `progress` as files.
pub fn list<S: TreeSource + ?Sized>(
    source: &S,
    root: &Id,
    path: &[u8],
    depth: Depth,
    progress: &Progress,
    cancel: &Cancel,
    each: &mut dyn FnMut(Entry<'_>) -> Result<()>,
) -> Result<()> {
    with_prefetch(source, cancel, |ahead| {
        let mut scratch = Scratch::default();
        let mut walk = Walk {
            path: Vec::new(),
            progress,
            cancel,
            each,
        };
        let mut folder = *root;
        if let Some(node) = lookup(source, root, path, &mut scratch)? {
            walk.path = normal(path);
            walk.entry(&node)?;
            match node.subtree {
                Some(subtree) => folder = subtree,
                None => return Ok(()),
            }
        }
        let ticket = ahead.plan(vec![folder]).next();
        let tree = ticket.map_or_else(|| Ok(Tree::default()), |ticket| ahead.take(ticket, &mut scratch))?;
        if depth == Depth::All {
            return walk.below(ahead, tree, &mut scratch);
        }
        for node in &tree.nodes {
            let length = walk.enter(&node.name);
            walk.entry(node)?;
            walk.path.truncate(length);
        }
        Ok(())
    })
}

/// A path as entries have it: one slash before each name, none at the end.
pub fn normal(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len() + 1);
    for name in path.split(|b| *b == b'/').filter(|name| !name.is_empty()) {
        out.push(b'/');
        out.extend_from_slice(name);
    }
    out
}

/// The entry at a path in the tree `root`; `None` for the root itself. Errors when there is none.
pub fn lookup<S: TreeSource + ?Sized>(
    source: &S,
    root: &Id,
    path: &[u8],
    scratch: &mut Scratch,
) -> Result<Option<Node>> {
    let mut folder = *root;
    let mut names = path.split(|b| *b == b'/').filter(|name| !name.is_empty()).peekable();
    while let Some(name) = names.next() {
        let nodes = source.read_tree(&folder, scratch)?.nodes;
        let node = nodes
            .into_iter()
            .find(|node| node.name == name)
            .ok_or_else(|| no_such(path, "there is no such entry"))?;
        if names.peek().is_none() {
            return Ok(Some(node));
        }
        folder = node
            .subtree
            .ok_or_else(|| no_such(path, &format!("{} is no folder", String::from_utf8_lossy(name))))?;
    }
    Ok(None)
}

fn no_such(path: &[u8], why: &str) -> Error {
    let path = String::from_utf8_lossy(path);
    Error::Selection(format!(
        "{path} is not in this generation: {why}; coffer ls shows what is"
    ))
}

/// A walk over everything below a folder, without recursion: vaults may nest folders however deep.
struct Walk<'a> {
    path: Vec<u8>,
    progress: &'a Progress,
    cancel: &'a Cancel,
    each: &'a mut dyn FnMut(Entry<'_>) -> Result<()>,
}

struct Level {
    nodes: std::vec::IntoIter<Node>,
    subfolders: Tickets,
    path_length: usize,
}

impl Walk<'_> {
    /// Appends a name to the path; returns the length to cut it back to.
    fn enter(&mut self, name: &[u8]) -> usize {
        let length = self.path.len();
        self.path.push(b'/');
        self.path.extend_from_slice(name);
        length
    }

    fn entry(&mut self, node: &Node) -> Result<()> {
        self.cancel.check()?;
        self.progress.files_done.fetch_add(1, Ordering::Relaxed);
        (self.each)(Entry { path: &self.path, node })
    }

    fn below<S: TreeSource + ?Sized>(
        &mut self,
        ahead: &Prefetch<'_, S>,
        tree: Tree,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let level = |tree: Tree, path_length: usize| {
            let subfolders = ahead.plan(tree.nodes.iter().filter_map(|node| node.subtree).collect());
            Level {
                nodes: tree.nodes.into_iter(),
                subfolders,
                path_length,
            }
        };
        let mut levels = vec![level(tree, self.path.len())];
        while let Some(top) = levels.last_mut() {
            let Some(node) = top.nodes.next() else {
                self.path.truncate(top.path_length);
                levels.pop();
                // The parent's path ends where this one's began; its own entry is over.
                if let Some(parent) = levels.last() {
                    self.path.truncate(parent.path_length);
                }
                continue;
            };
            let ticket = node.subtree.and_then(|_| top.subfolders.next());
            let length = self.enter(&node.name);
            self.entry(&node)?;
            match ticket {
                Some(ticket) => {
                    self.progress.set_current(&self.path);
                    let tree = ahead.take(ticket, scratch)?;
                    levels.push(level(tree, self.path.len()));
                }
                None => self.path.truncate(length),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Trees, dir, file, link};
    use super::*;

    fn vault() -> (Trees, Id) {
        let mut trees = Trees::default();
        let empty = trees.add(Vec::new());
        let deep = trees.add(vec![file("z", &[1])]);
        let b = trees.add(vec![dir("deep", deep), file("f", &[2]), dir("empty", empty)]);
        let root = trees.add(vec![dir("b", b), file("a", &[3]), link("c", "a"), dir("d", deep)]);
        (trees, root)
    }

    fn listed(trees: &Trees, root: &Id, path: &str, depth: Depth) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        let progress = Progress::default();
        list(
            trees,
            root,
            path.as_bytes(),
            depth,
            &progress,
            &Cancel::default(),
            &mut |entry| {
                paths.push(String::from_utf8_lossy(entry.path).into_owned());
                assert!(entry.path.ends_with(&entry.node.name));
                Ok(())
            },
        )?;
        assert_eq!(progress.sample().files_done, paths.len() as u64);
        Ok(paths)
    }

    #[test]
    fn everything_in_path_order() {
        let (trees, root) = vault();
        let expected = [
            "/a",
            "/b",
            "/b/deep",
            "/b/deep/z",
            "/b/empty",
            "/b/f",
            "/c",
            "/d",
            "/d/z",
        ]
        .map(str::to_owned)
        .to_vec();
        assert_eq!(listed(&trees, &root, "", Depth::All).unwrap(), expected);
        assert_eq!(listed(&trees, &root, "/", Depth::All).unwrap(), expected);
        assert_eq!(
            listed(&trees, &root, "", Depth::Entries).unwrap(),
            ["/a", "/b", "/c", "/d"]
        );
        assert_eq!(
            listed(&trees, &root, "b//deep/", Depth::All).unwrap(),
            ["/b/deep", "/b/deep/z"]
        );
        assert_eq!(
            listed(&trees, &root, "/b", Depth::Entries).unwrap(),
            ["/b", "/b/deep", "/b/empty", "/b/f"]
        );
        assert_eq!(listed(&trees, &root, "/c", Depth::All).unwrap(), ["/c"]);
    }

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let (mut trees, root) = vault();
        let error = |path: &str| listed(&trees, &root, path, Depth::All).unwrap_err().to_string();
        insta::assert_snapshot!(error("/b/nope"), @"/b/nope is not in this generation: there is no such entry; coffer ls shows what is");
        insta::assert_snapshot!(error("/a/x"), @"/a/x is not in this generation: a is no folder; coffer ls shows what is");
        trees.lose(&root);
        assert!(matches!(
            listed(&trees, &root, "", Depth::All),
            Err(Error::MissingBlob { .. })
        ));
    }

    #[test]
    fn depth_costs_no_stack() {
        let mut trees = Trees::default();
        let mut id = trees.add(vec![file("f", &[])]);
        for _ in 0..20_000 {
            id = trees.add(vec![dir("d", id)]);
        }
        let mut count = 0;
        list(
            &trees,
            &id,
            b"",
            Depth::All,
            &Progress::default(),
            &Cancel::default(),
            &mut |_| {
                count += 1;
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(count, 20_001);
    }

    #[test]
    fn the_callers_error_and_a_cancel_stop_it() {
        let (trees, root) = vault();
        let cancel = Cancel::default();
        let mut seen = 0;
        let result = list(
            &trees,
            &root,
            b"",
            Depth::All,
            &Progress::default(),
            &cancel,
            &mut |_| {
                seen += 1;
                if seen == 2 {
                    cancel.cancel();
                }
                Ok(())
            },
        );
        assert!(matches!(result, Err(Error::Cancelled(_))));
        assert_eq!(seen, 2);
        let result = list(
            &trees,
            &root,
            b"",
            Depth::All,
            &Progress::default(),
            &Cancel::default(),
            &mut |_| Err(Error::Selection("enough".into())),
        );
        assert!(matches!(result, Err(Error::Selection(text)) if text == "enough"));
    }
}

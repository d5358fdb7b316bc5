//! The versions of one path across generations.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use super::diff::{Change, compare};
use super::prefetch::with_prefetch;
use super::{Scratch, TreeSource};
use crate::progress::{Cancel, Progress};
use crate::vault::{Generation, Id, Node, Result};

/// What lies at a path in one generation.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// The generation.
    pub generation: &'a Generation,
    /// The entry; `None` when there is none at this path.
    pub node: Option<&'a Node>,
    /// What changed since the generation before in the list; `None` when nothing did, or it is still not there.
    pub change: Option<Change>,
}

/// Calls `each` for every generation, in the order given (oldest first makes sense of the changes). Folders that
/// generations share are read once. Counts generations into `progress` as files.
pub fn versions<S: TreeSource + ?Sized>(
    source: &S,
    generations: &[Generation],
    path: &[u8],
    progress: &Progress,
    cancel: &Cancel,
    each: &mut dyn FnMut(Version<'_>) -> Result<()>,
) -> Result<()> {
    progress.files_total.store(generations.len() as u64, Ordering::Relaxed);
    progress.totals_known.store(true, Ordering::Relaxed);
    let names: Vec<&[u8]> = path.split(|b| *b == b'/').filter(|name| !name.is_empty()).collect();
    with_prefetch(source, cancel, |ahead| {
        let mut scratch = Scratch::default();
        // The entry of names[depth] in a tree.
        let mut known: HashMap<(Id, usize), Option<Rc<Node>>> = HashMap::new();
        let mut before: Option<Rc<Node>> = None;
        let roots = ahead.plan(generations.iter().map(|generation| generation.tree).collect());
        for (generation, ticket) in generations.iter().zip(roots) {
            let mut ticket = Some(ticket);
            let mut folder = Some(generation.tree);
            let mut node = None;
            for (depth, name) in names.iter().enumerate() {
                node = None;
                let Some(id) = folder else { break };
                let found = match known.get(&(id, depth)) {
                    Some(found) => found.clone(),
                    None => {
                        let tree = match ticket.take() {
                            Some(ticket) => ahead.take(ticket, &mut scratch)?,
                            None => source.read_tree(&id, &mut scratch)?,
                        };
                        let found = tree.nodes.into_iter().find(|node| node.name == *name).map(Rc::new);
                        known.insert((id, depth), found.clone());
                        found
                    }
                };
                folder = found.as_ref().and_then(|node| node.subtree);
                node = found;
            }
            if let Some(unused) = ticket {
                ahead.pass(unused);
            }
            let change = match (&before, &node) {
                (None, None) => None,
                (None, Some(_)) => Some(Change::Added),
                (Some(_), None) => Some(Change::Removed),
                (Some(before), Some(node)) => compare(before, node),
            };
            cancel.check()?;
            each(Version {
                generation,
                node: node.as_deref(),
                change,
            })?;
            progress.files_done.fetch_add(1, Ordering::Relaxed);
            before = node;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Trees, dir, file, file_at};
    use super::*;
    use crate::vault::generation::tests_support::generation;

    #[test]
    fn says_what_changed_from_generation_to_generation() {
        let mut trees = Trees::default();
        let folder = |trees: &mut Trees, nodes: Vec<Node>| {
            let inner = trees.add(nodes);
            trees.add(vec![dir("d", inner), file("other", &[9])])
        };
        let empty = trees.add(Vec::new());
        let one = folder(&mut trees, vec![file("f", &[1])]);
        let touched = folder(&mut trees, vec![file_at("f", &[1], 7)]);
        let two = folder(&mut trees, vec![file_at("f", &[1, 2], 8)]);
        let inner = trees.add(vec![dir("f", empty)]);
        let kind = trees.add(vec![dir("d", inner)]);
        let not_a_folder = trees.add(vec![file("d", &[])]);
        let roots = [empty, one, one, touched, two, kind, not_a_folder, empty];
        let generations: Vec<_> = roots
            .iter()
            .enumerate()
            .map(|(i, root)| Generation {
                tree: *root,
                ..generation(i as u8, 0)
            })
            .collect();
        let mut changes = Vec::new();
        versions(
            &trees,
            &generations,
            b"/d/f",
            &Progress::default(),
            &Cancel::default(),
            &mut |version| {
                changes.push((version.node.is_some(), version.change));
                Ok(())
            },
        )
        .unwrap();
        let expected = [
            (false, None),
            (true, Some(Change::Added)),
            (true, None),
            (true, Some(Change::Metadata)),
            (true, Some(Change::Content)),
            (true, Some(Change::Type)),
            (false, Some(Change::Removed)),
            (false, None),
        ];
        assert_eq!(changes, expected);
        // Each of the roots and folders once; roots may have been read ahead twice.
        assert!((10..=12).contains(&trees.take_reads()));
    }
}

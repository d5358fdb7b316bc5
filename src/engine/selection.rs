//! What the user picked of a generation: a tree of rules.

use std::collections::BTreeMap;

use super::question::TreePath;

/// Which entries are picked: each rule takes in or leaves out a path with all below it, and the longest rule wins. So
/// picking a folder of a million files is one rule, however many they are. A pure value for the interface's model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    rules: BTreeMap<TreePath, bool>,
}

/// How much of a path is picked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picked {
    /// Nothing.
    None,
    /// Something below it, or it without something below it.
    Some,
    /// It and all below it.
    All,
}

impl Selection {
    /// What these rules pick. Of two for the same path the last counts; an outer rule does not undo inner ones.
    pub fn from_rules(rules: &[(TreePath, bool)]) -> Selection {
        Selection {
            rules: rules.iter().cloned().collect(),
        }
    }

    /// Nothing picked.
    pub fn new() -> Selection {
        Selection::default()
    }

    /// Whether nothing is picked.
    pub fn is_empty(&self) -> bool {
        !self.rules.values().any(|picked| *picked)
    }

    /// Picks a path and all below it, or leaves it out with all below it. Rules below it are forgotten.
    pub fn set(&mut self, path: &[Vec<u8>], picked: bool) {
        let below: Vec<TreePath> = self.below(path).map(|(path, _)| path.clone()).collect();
        for path in below {
            self.rules.remove(&path);
        }
        self.rules.remove(path);
        if self.contains(path) != picked {
            self.rules.insert(path.to_vec(), picked);
        }
    }

    /// Picks what is not wholly picked, leaves out what is.
    pub fn toggle(&mut self, path: &[Vec<u8>]) {
        let all = self.state(path) == Picked::All;
        self.set(path, !all);
    }

    /// Turns a folder's picking, and that of everything below it, into its opposite.
    pub fn invert(&mut self, folder: &[Vec<u8>]) {
        let picked = !self.contains(folder);
        let below: Vec<TreePath> = self.below(folder).map(|(path, _)| path.clone()).collect();
        for path in below {
            if let Some(rule) = self.rules.get_mut(&path) {
                *rule = !*rule;
            }
        }
        self.rules.remove(folder);
        if self.contains(folder) != picked {
            self.rules.insert(folder.to_vec(), picked);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// Whether this very path is picked.
    pub fn contains(&self, path: &[Vec<u8>]) -> bool {
        (0..=path.len())
            .rev()
            .find_map(|n| self.rules.get(&path[..n]))
            .copied()
            .unwrap_or(false)
    }

    /// How much of this path is picked.
    pub fn state(&self, path: &[Vec<u8>]) -> Picked {
        let here = self.contains(path);
        match (here, self.below(path).any(|(_, picked)| *picked != here)) {
            (true, false) => Picked::All,
            (false, false) => Picked::None,
            _ => Picked::Some,
        }
    }

    /// The rules, outer before inner.
    pub fn rules(&self) -> impl Iterator<Item = (&TreePath, bool)> {
        self.rules.iter().map(|(path, picked)| (path, *picked))
    }

    /// The rules that say something else than the rule around them, outer before inner.
    pub fn turns(&self) -> impl Iterator<Item = (&TreePath, bool)> {
        self.rules().filter(|(path, picked)| {
            let around = path.split_last().is_some_and(|(_, parent)| self.contains(parent));
            around != *picked
        })
    }

    /// The rules strictly below a path: they follow it in the map's order.
    fn below<'a>(&'a self, path: &'a [Vec<u8>]) -> impl Iterator<Item = (&'a TreePath, &'a bool)> {
        use std::ops::Bound;
        self.rules
            .range::<[Vec<u8>], _>((Bound::Excluded(path), Bound::Unbounded))
            .take_while(move |(rule, _)| rule.starts_with(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> TreePath {
        text.split('/')
            .filter(|part| !part.is_empty())
            .map(|part| part.as_bytes().to_vec())
            .collect()
    }

    #[test]
    fn longest_rule_wins() {
        let mut selection = Selection::new();
        selection.set(&path("a"), true);
        selection.set(&path("a/b"), false);
        selection.set(&path("a/b/c"), true);
        assert!(selection.contains(&path("a/x")) && !selection.contains(&path("a/b/x")));
        assert!(selection.contains(&path("a/b/c/d")) && !selection.contains(&path("ab")));
        assert_eq!(selection.state(&path("a")), Picked::Some);
        assert_eq!(selection.state(&path("a/b/c")), Picked::All);
        assert_eq!(selection.state(&path("")), Picked::Some);
        selection.set(&path("a"), true);
        assert_eq!(selection.rules().count(), 1);
        assert_eq!(selection.state(&path("a")), Picked::All);
    }

    #[test]
    fn select_all_is_one_rule() {
        let mut selection = Selection::new();
        selection.set(&path(""), true);
        assert_eq!(selection.rules().count(), 1);
        assert!(selection.contains(&path("any/thing")));
        selection.toggle(&path(""));
        assert!(selection.is_empty());
    }

    #[test]
    fn inverting_swaps_what_is_below() {
        let mut selection = Selection::new();
        selection.set(&path("a/x"), true);
        selection.set(&path("b"), true);
        selection.invert(&path("a"));
        assert!(!selection.contains(&path("a/x")) && selection.contains(&path("a/y")));
        assert_eq!(selection.state(&path("b")), Picked::All);
        selection.invert(&path("a"));
        assert!(selection.contains(&path("a/x")) && !selection.contains(&path("a/y")));
    }

    proptest! {
        #[test]
        fn agrees_with_a_model(steps in prop::collection::vec((prop::collection::vec(0u8..3, 0..4), any::<bool>()), 0..20)) {
            let mut selection = Selection::new();
            let mut model: Vec<(TreePath, bool)> = Vec::new();
            for (parts, picked) in &steps {
                let path: TreePath = parts.iter().map(|n| vec![b'a' + n]).collect();
                selection.set(&path, *picked);
                model.push((path, *picked));
            }
            for a in 0..3u8 { for b in 0..3u8 { for c in 0..3u8 {
                let probe: TreePath = vec![vec![b'a' + a], vec![b'a' + b], vec![b'a' + c]];
                let expected = model.iter().rev().find(|(path, _)| probe.starts_with(path)).is_some_and(|(_, picked)| *picked);
                prop_assert_eq!(selection.contains(&probe), expected);
            }}}
        }
    }
}

//! Changing what generations there are by hand: forgetting one, editing its tags.
//!
//! Both touch generation files only. The space of what is forgotten comes back with a prune. The caller holds an
//! exclusive lock.

use super::lock::LockGuard;
use super::{Id, Result, Vault};
use crate::storage::FileKind;

/// A change of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagChange {
    /// These and no others.
    Set(Vec<String>),
    /// These beside the ones there are.
    Add(Vec<String>),
    /// All but these.
    Remove(Vec<String>),
}

impl TagChange {
    /// The tags after the change, in order, each once.
    pub fn apply(&self, tags: &[String]) -> Vec<String> {
        let mut after: Vec<String> = Vec::new();
        let mut add = |tag: &String| {
            if !after.contains(tag) {
                after.push(tag.clone());
            }
        };
        match self {
            TagChange::Set(new) => new.iter().for_each(&mut add),
            TagChange::Add(new) => tags.iter().chain(new).for_each(&mut add),
            TagChange::Remove(old) => tags.iter().filter(|tag| !old.contains(tag)).for_each(&mut add),
        }
        after
    }
}

impl Vault {
    /// Deletes a generation. What only it holds stays stored until a prune.
    pub fn forget(&self, lock: &LockGuard, id: &Id) -> Result<()> {
        lock.check_exclusive()?;
        self.remove_file(FileKind::Generation, id)
    }

    /// Changes a generation's tags: stores it anew and deletes the old file. Returns the new id, or `None` when nothing
    /// would change. The new one remembers, as `original`, the first it was made from.
    pub fn change_tags(&self, lock: &LockGuard, id: &Id, change: &TagChange) -> Result<Option<Id>> {
        lock.check_exclusive()?;
        let mut generation = self.generation(id)?;
        let tags = change.apply(&generation.tags);
        if tags == generation.tags {
            return Ok(None);
        }
        generation.tags = tags;
        generation.original.get_or_insert(*id);
        let new = self.save_generation(&generation)?;
        self.remove_file(FileKind::Generation, id)?;
        Ok(Some(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::testing::test_vault;
    use crate::vault::{Error, Generation, LockKind};

    fn tags(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    fn generation() -> Generation {
        serde_json::from_str(
            r#"{"time":"2026-01-02T03:04:05.6+01:00","tree":"0000000000000000000000000000000000000000000000000000000000000001","paths":["/a"],"tags":["x"],"future":7}"#,
        )
        .unwrap()
    }

    #[test]
    fn changes_keep_order_and_never_double() {
        let before = tags(&["a", "b"]);
        let cases = [
            (TagChange::Set(tags(&["c", "a", "c"])), tags(&["c", "a"])),
            (TagChange::Set(vec![]), vec![]),
            (TagChange::Add(tags(&["b", "c"])), tags(&["a", "b", "c"])),
            (TagChange::Remove(tags(&["a", "z"])), tags(&["b"])),
        ];
        for (change, after) in cases {
            assert_eq!(change.apply(&before), after, "{change:?}");
        }
    }

    #[test]
    fn tagging_stores_anew_and_remembers_the_first() {
        let (_folder, vault) = test_vault();
        let lock = vault.lock(LockKind::Exclusive).unwrap();
        let first = vault.save_generation(&generation()).unwrap();
        let second = vault
            .change_tags(&lock, &first, &TagChange::Add(tags(&["y"])))
            .unwrap()
            .unwrap();
        let third = vault
            .change_tags(&lock, &second, &TagChange::Remove(tags(&["x"])))
            .unwrap()
            .unwrap();
        assert_eq!(
            vault.change_tags(&lock, &third, &TagChange::Set(tags(&["y"]))).unwrap(),
            None
        );
        let all = vault.generations().unwrap();
        let expected = Generation {
            id: third,
            tags: tags(&["y"]),
            original: Some(first),
            ..generation()
        };
        assert_eq!(all, [expected]);
        assert_eq!(all[0].unknown["future"], 7);
    }

    #[test]
    fn forgetting_needs_an_exclusive_lock() {
        let (_folder, vault) = test_vault();
        let id = vault.save_generation(&generation()).unwrap();
        let shared = vault.lock(LockKind::Shared).unwrap();
        assert!(matches!(vault.forget(&shared, &id), Err(Error::Internal(_))));
        drop(shared);
        let lock = vault.lock(LockKind::Exclusive).unwrap();
        vault.forget(&lock, &id).unwrap();
        assert_eq!(vault.generations().unwrap(), []);
        assert!(vault.forget(&lock, &id).is_err());
    }
}

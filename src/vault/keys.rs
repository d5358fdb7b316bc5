//! The passwords of a vault: listing, adding, changing and removing key files.
//!
//! All key files hold the same master key. Removing one shuts out its password from now on, not whoever has copied the
//! master key before. The caller holds the lock that each operation asks for.

use super::key::{KeyError, KeyFile, ScryptParameters};
use super::lock::LockGuard;
use super::repository::{now, read_key_file};
use super::{Error, Id, LockKind, Password, Result, Time, Vault};
use crate::storage::{FileKind, StorageError};

/// One key file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its name.
    pub id: Id,
    /// Whether the vault was opened with it.
    pub current: bool,
    /// Who made it, or what is wrong with the file.
    pub made: Result<KeyMade, String>,
}

/// When, where and by whom a key file was made: for people to tell them apart, nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyMade {
    /// When.
    pub created: Time,
    /// By whom.
    pub username: String,
    /// Where.
    pub hostname: String,
}

/// A new password and who sets it.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The password.
    pub password: Password,
    /// Who makes the key file.
    pub username: String,
    /// Where.
    pub hostname: String,
    /// A key derivation cheap enough for tests; `None` calibrates as restic does.
    pub scrypt: Option<ScryptParameters>,
}

impl Vault {
    /// All key files, sorted by their names. One that cannot be read is listed too.
    pub fn keys(&self) -> Result<Vec<KeyInfo>> {
        let mut keys = Vec::new();
        for id in self.list_files(FileKind::Key)? {
            let made = match read_key_file(&**self.storage(), &id) {
                Ok(file) => Ok(KeyMade {
                    created: file.created,
                    username: file.username,
                    hostname: file.hostname,
                }),
                Err(Error::Storage(StorageError::NotFound { .. })) => continue,
                Err(error) => Err(error.to_string()),
            };
            keys.push(KeyInfo {
                id,
                current: id == self.key_id(),
                made,
            });
        }
        Ok(keys)
    }

    /// The key file whose name starts with `prefix`. Errors unless there is exactly one.
    pub fn key_named(&self, prefix: &str) -> Result<Id> {
        let ids = self.list_files(FileKind::Key)?;
        let mut matching = ids.iter().filter(|id| id.to_string().starts_with(prefix));
        match (matching.next(), matching.next()) {
            (Some(id), None) => Ok(*id),
            (None, _) => Err(Error::Selection(format!("{} has no key {prefix:?}", self.place()))),
            (Some(_), Some(_)) => Err(Error::Selection(format!(
                "{} has several keys that start with {prefix:?}",
                self.place()
            ))),
        }
    }

    /// Adds a key file for another password; returns its id. Needs a lock of either kind.
    pub fn add_key(&self, lock: &LockGuard, new: &NewKey) -> Result<Id> {
        lock.check()?;
        let cost = new.scrypt.map_or_else(ScryptParameters::calibrate, Ok)?;
        let file = KeyFile::seal(self.key(), &new.password.0, cost, now(), &new.username, &new.hostname)?;
        let bytes = file.encode().map_err(|error| Error::Internal(error.to_string()))?;
        let id = Id::of(&bytes);
        self.storage().write(FileKind::Key, &id, &[&bytes])?;
        // Nobody may come to rely on a key file that does not open.
        if let Err(error) = self.try_key(&id, &new.password) {
            let _ = self.remove_file(FileKind::Key, &id);
            return Err(error);
        }
        Ok(id)
    }

    /// Replaces the key file that the vault was opened with by one for a new password; returns its id. Needs an exclusive
    /// lock. Other key files stay as they are.
    pub fn change_password(&self, lock: &LockGuard, new: &NewKey) -> Result<Id> {
        lock.check_exclusive()?;
        match self.key_is_there() {
            // All the better that it is replaced.
            Err(Error::Damaged { .. }) => {}
            there => there?,
        }
        let id = self.add_key(lock, new)?;
        self.remove_file(FileKind::Key, &self.key_id())?;
        Ok(id)
    }

    /// Removes a key file, but not the one the vault was opened with, which must still be there: else it might be the last.
    /// Needs an exclusive lock.
    pub fn remove_key(&self, lock: &LockGuard, id: &Id) -> Result<()> {
        lock.check_exclusive()?;
        if *id == self.key_id() {
            let why = format!(
                "key {} is the one this password opens: it cannot remove itself; open the vault with another password, or \
                 change this one",
                id.short()
            );
            return Err(Error::Selection(why));
        }
        self.key_is_there()?;
        self.remove_file(FileKind::Key, id)
    }

    /// Errors unless the key file that the vault was opened with can still be read: it may have been removed since, long ago
    /// in an interface that is left open.
    fn key_is_there(&self) -> Result<()> {
        match read_key_file(&**self.storage(), &self.key_id()) {
            Ok(_) => Ok(()),
            Err(Error::Storage(StorageError::NotFound { .. })) => Err(Error::Selection(format!(
                "key {}, which opened {}, was removed meanwhile; nothing was changed: open the vault again, with a \
                 password that still opens it",
                self.key_id().short(),
                self.place()
            ))),
            Err(error) => Err(error),
        }
    }

    /// Errors unless the key file opens with the password and holds this vault's master key.
    fn try_key(&self, id: &Id, password: &Password) -> Result<()> {
        let file = read_key_file(&**self.storage(), id)?;
        let opened = file.open(&password.0).map_err(|error| match error {
            KeyError::Password => self.damaged(FileKind::Key, id, "it does not open with the password it was made for"),
            KeyError::Bad(what) => self.damaged(FileKind::Key, id, what),
        })?;
        let (a, b) = (opened.bytes(), self.key().bytes());
        if (a.encrypt, a.k, a.r) != (b.encrypt, b.k, b.r) {
            return Err(self.damaged(FileKind::Key, id, "it does not hold the key that was put into it"));
        }
        Ok(())
    }
}

impl LockGuard {
    /// [`LockGuard::check`], and that the lock is exclusive.
    pub fn check_exclusive(&self) -> Result<()> {
        if self.kind() != Some(LockKind::Exclusive) {
            return Err(Error::Internal(
                "an operation that needs an exclusive lock was begun without".into(),
            ));
        }
        self.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::testing::{PASSWORD, storage, test_vault};

    fn new(password: &str) -> NewKey {
        NewKey {
            password: Password::new(password),
            username: "me".into(),
            hostname: "here".into(),
            scrypt: Some(ScryptParameters::FOR_TESTS),
        }
    }

    #[test]
    fn keys_are_added_listed_changed_and_removed() {
        let (folder, vault) = test_vault();
        let opens = |password: &str| Vault::open(storage(&folder), &Password::new(password), None).is_ok();
        let lock = vault.lock(LockKind::Exclusive).unwrap();
        let second = vault.add_key(&lock, &new("second")).unwrap();
        assert!(opens(PASSWORD) && opens("second"));
        let keys = vault.keys().unwrap();
        assert_eq!(keys.len(), 2);
        for key in keys {
            assert_eq!(key.current, key.id != second);
            assert_eq!(key.made.unwrap().username, if key.current { "tester" } else { "me" });
        }

        let changed = vault.change_password(&lock, &new("changed")).unwrap();
        assert!(!opens(PASSWORD) && opens("second") && opens("changed"));

        let vault = Vault::open(storage(&folder), &Password::new("changed"), None).unwrap();
        vault.remove_key(&lock, &second).unwrap();
        assert!(!opens("second") && opens("changed"));
        assert_eq!(vault.list_files(FileKind::Key).unwrap(), [changed]);
        assert_eq!(vault.key_named(&changed.short()).unwrap(), changed);
        assert_eq!(vault.key_named("").unwrap(), changed);
    }

    #[test]
    fn the_key_in_use_is_not_removed_and_locks_are_asked_for() {
        let (_folder, vault) = test_vault();
        let shared = vault.lock(LockKind::Shared).unwrap();
        let other = vault.add_key(&shared, &new("other")).unwrap();
        assert!(matches!(vault.remove_key(&shared, &other), Err(Error::Internal(_))));
        assert!(matches!(
            vault.change_password(&shared, &new("x")),
            Err(Error::Internal(_))
        ));
        drop(shared);
        let lock = vault.lock(LockKind::Exclusive).unwrap();
        assert!(matches!(
            vault.remove_key(&lock, &vault.key_id()),
            Err(Error::Selection(_))
        ));
        assert!(matches!(vault.key_named("zz"), Err(Error::Selection(_))));
        assert!(matches!(vault.key_named(""), Err(Error::Selection(_))));
        assert_eq!(vault.keys().unwrap().len(), 2);
    }

    #[test]
    fn the_last_key_stays_whoever_removed_the_one_in_use() {
        let (folder, vault) = test_vault();
        let lock = vault.lock(LockKind::Exclusive).unwrap();
        let second = vault.add_key(&lock, &new("second")).unwrap();
        let other = Vault::open(storage(&folder), &Password::new("second"), None).unwrap();
        other.remove_key(&lock, &vault.key_id()).unwrap();
        for refused in [
            vault.remove_key(&lock, &second),
            vault.change_password(&lock, &new("third")).map(drop),
        ] {
            let error = refused.unwrap_err().to_string();
            assert!(error.contains("was removed meanwhile; nothing was changed"), "{error}");
        }
        assert_eq!(vault.list_files(FileKind::Key).unwrap(), [second]);
    }

    #[test]
    fn a_damaged_key_is_listed_as_such() {
        let (_folder, vault) = test_vault();
        let bad = Id::of(b"nonsense");
        vault.storage().write(FileKind::Key, &bad, &[b"nonsense"]).unwrap();
        let keys = vault.keys().unwrap();
        assert_eq!(keys.len(), 2);
        assert!(
            keys.iter()
                .any(|key| key.id == bad && key.made.as_ref().is_err_and(|what| what.contains("damaged")))
        );
    }
}

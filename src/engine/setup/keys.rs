//! Passwords of a vault added, taken away and changed, with the password file that the config names.

use super::Changed;
use super::change::{beside, done, write_new};
use crate::config::PasswordSource;
use crate::engine::{Engine, OpenVault, PasswordGiven, Result};
use crate::vault::key::ScryptParameters;
use crate::vault::keys::NewKey;
use crate::vault::lock::LockKind;
use crate::vault::{Id, Password};

impl Engine {
    /// Adds a password to a vault that is open or whose password is at hand; its key, and what to say. `scrypt` is how the
    /// key is derived, if not as always.
    pub fn add_key(&self, vault: &str, password: &Password, scrypt: Option<ScryptParameters>) -> Result<(Id, Changed)> {
        let open = self.open(vault, PasswordGiven::Configured)?;
        let lock = open.vault().lock(LockKind::Shared)?;
        let id = open.vault().add_key(&lock, &self.new_key(password, scrypt))?;
        let text = format!(
            "Added key {}: its password opens {} from now on.",
            id.short(),
            open.name()
        );
        Ok((id, done(text)))
    }

    /// Takes a password from a vault.
    pub fn remove_key(&self, vault: &str, key: &Id) -> Result<Changed> {
        let open = self.open(vault, PasswordGiven::Configured)?;
        let lock = open.vault().lock(LockKind::Exclusive)?;
        open.vault().remove_key(&lock, key)?;
        Ok(done(format!(
            "Removed key {}: its password opens {} no more.",
            key.short(),
            open.name()
        )))
    }

    /// Replaces the password that a vault is open with; its new key, and what to say. A password file that the config names
    /// gets the new one.
    pub fn change_password(
        &self,
        vault: &str,
        password: &Password,
        scrypt: Option<ScryptParameters>,
    ) -> Result<(Id, Changed)> {
        let open = self.open(vault, PasswordGiven::Configured)?;
        let config = self.find(vault)?.config;
        let source = config.and_then(|vault| vault.password);
        // Written beside the old one first: a full disk shows before the vault is changed.
        let file = match &source {
            Some(PasswordSource::File(file)) => Some((beside(file), file.clone())),
            _ => None,
        };
        if let Some((new, _)) = &file {
            let _ = std::fs::remove_file(new);
            write_new(new, password)?;
        }
        let id = self
            .replace_key(&open, &self.new_key(password, scrypt))
            .inspect_err(|_| {
                let _ = file.as_ref().map(|(new, _)| std::fs::remove_file(new));
            })?;
        let mut changed = done(format!("Changed the password of {}.", open.name()));
        match (file, source) {
            (Some((new, old)), _) => {
                if let Err(source) = std::fs::rename(&new, &old) {
                    changed.remark = format!(
                        "The password file could not be replaced ({source}): move {} to {} yourself.",
                        new.display(),
                        old.display()
                    );
                }
            }
            (None, Some(PasswordSource::Command(_))) => {
                changed.remark = "The config takes the password from a command: let it give the new one.".into();
            }
            _ => {}
        }
        // The key it was opened with is gone.
        self.keep_open(open.name(), password)?;
        Ok((id, changed))
    }

    fn replace_key(&self, open: &OpenVault, key: &NewKey) -> Result<Id> {
        let lock = open.vault().lock(LockKind::Exclusive)?;
        Ok(open.vault().change_password(&lock, key)?)
    }

    fn new_key(&self, password: &Password, scrypt: Option<ScryptParameters>) -> NewKey {
        let settings = self.settings();
        NewKey {
            password: password.clone(),
            username: settings.user.clone(),
            hostname: settings.host.clone(),
            scrypt,
        }
    }
}

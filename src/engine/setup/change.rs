//! Changes of the config and of keys: all of a change or nothing of it, and the new config is in use at once.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{Change, Changed, ConfigNow, NewVault};
use crate::config::{Config, PasswordSource, edit};
use crate::engine::question::Answer;
use crate::engine::{Engine, Error, Event, PasswordGiven, Result, read_password};
use crate::vault::{CreateOptions, Password};

impl Engine {
    /// The config in use, for showing and editing.
    pub(in crate::engine) fn config_now(&self) -> ConfigNow {
        let settings = self.settings();
        ConfigNow {
            config: self.config(),
            file: settings.config_path.clone(),
            host: settings.host.clone(),
        }
    }

    /// Carries out a change, and says which vault may want a password first.
    pub(in crate::engine) fn answer_change(&self, change: &Change) -> (String, Result<Answer>) {
        let vault = match change {
            Change::AddKey { vault, .. } | Change::RemoveKey { vault, .. } | Change::ChangePassword { vault, .. } => {
                vault.clone()
            }
            _ => String::new(),
        };
        let answer = match (self.change(change), vault.is_empty()) {
            (Ok(changed), _) => Ok(Answer::Changed(changed)),
            // Of a vault that is not in the config yet a password that is wrong is wrong: nobody is asked for another.
            (Err(error), true) if !error.is_cancelled() => Ok(Answer::Failed(error.to_string())),
            (Err(error), _) => Err(error),
        };
        (vault, answer)
    }

    /// Carries out a change. May take seconds: keys are derived.
    pub fn change(&self, change: &Change) -> Result<Changed> {
        match change {
            Change::SavePlan { was, plan } => {
                self.edit(|text, file| match was {
                    Some(was) => edit::replace_plan(text, file, was, plan),
                    None => edit::add_plan(text, file, plan),
                })?;
                self.tell_changed(&plan.vaults);
                Ok(done(format!("Saved plan {}.", plan.name)))
            }
            Change::RemovePlan { plan } => {
                let vaults = self.plan(plan).map(|plan| plan.vaults).unwrap_or_default();
                self.edit(|text, file| edit::remove_plan(text, file, plan))?;
                self.tell_changed(&vaults);
                Ok(done(format!(
                    "Removed plan {plan} from the config; its generations stay."
                )))
            }
            Change::SaveVault(new) => self.save_vault(new),
            Change::SetPrice { vault, price } => {
                let title = match price {
                    Some(id) => Some(self.config().prices.find(id)?.title()),
                    None => None,
                };
                self.edit(|text, file| edit::set_price(text, file, vault, price.as_deref()))?;
                self.tell_changed(std::slice::from_ref(vault));
                Ok(done(match title {
                    Some(title) => format!("Vault {vault} is at {title} from now on."),
                    None => format!("Vault {vault} names no price any more."),
                }))
            }
            Change::RemoveVault { vault } => {
                let place = self.find(vault)?;
                self.edit(|text, file| edit::remove_vault(text, file, vault))?;
                self.forget_slot(&place.path);
                self.hub().send(Event::VaultChanged { vault: vault.clone() });
                Ok(done(format!(
                    "Removed vault {vault} from the config; its data stays in {}.",
                    place.path.display()
                )))
            }
            Change::LabelSnapshot { at, labels } => self.label_snapshot(at, labels).map(done),
            Change::SaveSnapshotPolicy { policy, new, spare } => {
                self.save_snapshot_policy(policy, *new, *spare).map(done)
            }
            Change::RemoveSnapshotPolicy { policy } => self.remove_snapshot_policy(policy).map(done),
            Change::AddKey { vault, password } => Ok(self.add_key(vault, password, None)?.1),
            Change::RemoveKey { vault, key } => self.remove_key(vault, key),
            Change::ChangePassword { vault, password } => Ok(self.change_password(vault, password, None)?.1),
        }
    }

    /// What is known of these vaults reads otherwise now: other plans go to them.
    fn tell_changed(&self, vaults: &[String]) {
        for vault in vaults.iter().cloned() {
            self.hub().send(Event::VaultChanged { vault });
        }
    }

    /// Changes the config's file, and uses what it says from then on.
    pub(in crate::engine) fn edit(
        &self,
        change: impl FnOnce(&str, &Path) -> crate::config::Result<String>,
    ) -> Result<()> {
        let file = &self.settings().config_path;
        let config = edit::change(file, |text| change(text, file))?;
        self.set_config(config);
        Ok(())
    }

    /// Whether the config would take the vault: asked before anything is made.
    fn would_take(&self, new: &NewVault) -> Result<()> {
        let file = &self.settings().config_path;
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Error::Config(crate::config::Error::Io {
                    action: "read",
                    file: file.clone(),
                    source: error,
                }));
            }
            read => read.unwrap_or_default(),
        };
        let text = edit::add_vault(&text, file, &new.vault)?;
        Config::parse(&text, file)?;
        Ok(())
    }

    fn save_vault(&self, new: &NewVault) -> Result<Changed> {
        let vault = &new.vault;
        if !vault.path.is_absolute() {
            let text = format!(
                "{} is not an absolute path: begin it with / or ~/",
                vault.path.display()
            );
            return Err(Error::Usage(text));
        }
        self.would_take(new)?;
        let (password, written) = self.agree_on_password(new)?;
        let made = self.make_or_take(new, &password).inspect_err(|_| {
            // What was written for a vault that did not come to be goes again.
            let _ = written.as_ref().map(std::fs::remove_file);
        })?;
        if let Err(error) = self.edit(|text, file| edit::add_vault(text, file, vault)) {
            let folder = vault.path.display();
            return Err(Error::Usage(match new.create {
                true => format!("the vault is made in {folder}, but the config does not name it: {error}"),
                false => error.to_string(),
            }));
        }
        // Opened by its folder before: from now on it goes by its name.
        self.keep_open(&vault.name, &password)?;
        self.hub().send(Event::VaultChanged {
            vault: vault.name.clone(),
        });
        let mut changed = done(match new.create {
            true => format!("Made vault {} in {}.", vault.name, vault.path.display()),
            false => format!("Added vault {}: {made}.", vault.name),
        });
        if let Some(file) = written {
            changed.remark = format!(
                "Its password is in {}, which only you can read. Keep it somewhere else too: without it the data is lost.",
                file.display()
            );
        }
        Ok(changed)
    }

    /// The password, and the file it was written to, if it was. What the config's source gives must be what was typed.
    fn agree_on_password(&self, new: &NewVault) -> Result<(Password, Option<PathBuf>)> {
        let name = &new.vault.name;
        if let (Some(PasswordSource::File(file)), Some(password)) = (&new.vault.password, &new.password)
            && !file.exists()
        {
            write_new(file, password)?;
            return Ok((password.clone(), Some(file.clone())));
        }
        match (&new.vault.password, &new.password) {
            (Some(source), typed) => {
                let given = read_password(name, source)?;
                let source = match source {
                    PasswordSource::File(file) => format!("the file {}", file.display()),
                    PasswordSource::Command(_) => "the command".into(),
                };
                match typed {
                    Some(typed) if typed.0.as_slice() != given.0.as_slice() => Err(Error::Usage(format!(
                        "{source} gives another password than the one you typed"
                    ))),
                    _ => Ok((given, None)),
                }
            }
            (None, Some(typed)) if typed.0.is_empty() => Err(Error::Usage("the password is empty".into())),
            (None, Some(typed)) => Ok((typed.clone(), None)),
            (None, None) => Err(Error::PasswordNeeded { vault: name.clone() }),
        }
    }

    /// Makes the vault, or opens the one that is there; says what it holds.
    fn make_or_take(&self, new: &NewVault, password: &Password) -> Result<String> {
        let folder = new.vault.path.display().to_string();
        let given = PasswordGiven::Bytes(password.clone());
        if new.create {
            let settings = self.settings();
            let options = CreateOptions {
                version: 2,
                polynomial: None,
                username: settings.user.clone(),
                hostname: settings.host.clone(),
                scrypt: new.scrypt,
            };
            self.create(&folder, given, &options)?;
            return Ok(String::new());
        }
        // Opened anew even if it is open: the password is what is tried.
        let place = self.find(&folder)?;
        self.open_place(&place, given.clone())?;
        let open = self.open(&folder, given)?;
        let generations = self.generations(&open)?.len();
        Ok(match generations {
            0 => "it holds no generation yet".into(),
            1 => "it holds 1 generation".into(),
            n => format!("it holds {n} generations"),
        })
    }

    /// Opens a vault anew: by its new name, or with its new password.
    pub(super) fn keep_open(&self, name: &str, password: &Password) -> Result<()> {
        let place = self.find(name)?;
        self.forget_slot(&place.path);
        let open = self.open(name, PasswordGiven::Bytes(password.clone()))?;
        self.remember(&open, None, false);
        Ok(())
    }
}

pub(super) fn done(text: String) -> Changed {
    Changed {
        text,
        remark: String::new(),
    }
}

pub(super) fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// Writes a password to a file that is not there yet, for this user alone; its folder is made.
pub(super) fn write_new(file: &Path, password: &Password) -> Result<()> {
    let failed = |action| {
        move |source| Error::Local {
            action,
            path: file.display().to_string(),
            source,
        }
    };
    if password.0.is_empty() {
        return Err(Error::Usage("the password is empty".into()));
    }
    if password.0.trim_ascii().len() != password.0.len() {
        let text = "a password that is kept in a file can neither start nor end with a blank: reading it drops them";
        return Err(Error::Usage(text.into()));
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(failed("make the folder of"))?;
    }
    let mut options = std::fs::OpenOptions::new();
    let mut opened = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(failed("write"))?;
    let written = opened
        .write_all(&password.0)
        .and_then(|()| opened.write_all(b"\n"))
        .and_then(|()| opened.sync_all());
    written.map_err(|error| {
        let _ = std::fs::remove_file(file);
        failed("write")(error)
    })
}

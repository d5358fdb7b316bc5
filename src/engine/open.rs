//! Finding and opening vaults: the key is derived once, whoever asks.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::password::read_password;
use super::real::real;
use super::{Engine, Error, Event, PasswordGiven, Result};
use crate::config::{PasswordSource, VaultConfig, suggest};
use crate::progress::Cancel;
use crate::storage::local::LocalStorage;
use crate::storage::{FileKind, Storage};
use crate::vault::repository::CreateOptions;
use crate::vault::{self, Generation, IndexedVault, Password, Vault};

/// An opened vault, shared by all that use it.
#[derive(Debug)]
pub struct OpenVault {
    name: String,
    place: String,
    vault: Vault,
    /// The index as it was last brought up to date.
    index: Mutex<Option<IndexedVault>>,
}

impl OpenVault {
    /// As the user names it: its name in the config, else its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it lies: the key in the catalog.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The vault.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The vault with its index brought up to date. Cheap when nothing is new.
    pub fn indexed(&self, cancel: &Cancel) -> Result<IndexedVault> {
        let known = self.index().clone();
        if let Some(known) = known {
            known.refresh(cancel)?;
            return Ok(known);
        }
        // Locked while it is loaded the first time, so that two who ask do not load it twice.
        let mut index = self.index();
        if let Some(loaded) = &*index {
            return Ok(loaded.clone());
        }
        let loaded = self.vault.indexed(cancel)?;
        *index = Some(loaded.clone());
        Ok(loaded)
    }

    /// The vault with the index as it was last brought up to date, for browsing.
    pub fn browsed(&self, cancel: &Cancel) -> Result<IndexedVault> {
        let known = self.index().clone();
        match known {
            Some(known) => Ok(known),
            None => self.indexed(cancel),
        }
    }

    fn index(&self) -> MutexGuard<'_, Option<IndexedVault>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of one place in this process. Locked while the vault is being opened, so that the key is derived once.
#[derive(Debug, Default)]
pub(super) struct Slot {
    open: Option<Arc<OpenVault>>,
    /// Why it could not be opened the last time.
    problem: String,
}

/// A password, or where to get it once it is needed.
enum Candidate {
    Known(Password),
    Source(PasswordSource),
}

impl Candidate {
    fn get(self, vault: &str) -> Result<Password> {
        match self {
            Candidate::Known(password) => Ok(password),
            Candidate::Source(source) => read_password(vault, &source),
        }
    }
}

/// A place that the user named.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) config: Option<VaultConfig>,
}

impl Place {
    pub(super) fn storage(&self) -> LocalStorage {
        LocalStorage::new(&self.path)
    }

    /// The place in words, as its storage has it: the key in the catalog. Asks nothing of the place.
    pub(super) fn key(&self) -> String {
        self.path.display().to_string()
    }
}

impl Engine {
    /// The folder that `text` means: a vault's name in the config, else the folder itself. A word that is neither, but
    /// close to a name, is [`Error::UnknownVault`]. The second is `None` when no vault of the config lies there.
    pub fn place(&self, text: &str) -> Result<(PathBuf, Option<VaultConfig>)> {
        let place = self.find(text)?;
        Ok((place.path, place.config))
    }

    pub(super) fn find(&self, text: &str) -> Result<Place> {
        let config = self.config();
        if let Some(vault) = config.vault(text) {
            return Ok(Place {
                name: text.into(),
                path: real(&vault.path),
                config: Some(vault.clone()),
            });
        }
        if text.is_empty() {
            return Err(Error::Usage("the vault's name is empty".into()));
        }
        if let Some(why) = crate::config::not_a_folder(text) {
            return Err(Error::Usage(why));
        }
        let path = Path::new(text);
        if !text.contains('/') && !path.exists() {
            let names = config.vaults.iter().map(|vault| vault.name.as_str());
            if let Some(suggestion) = suggest(text, names) {
                return Err(Error::UnknownVault {
                    text: text.into(),
                    suggestion: Some(suggestion.into()),
                });
            }
        }
        let path = real(path);
        let config = config.vaults.iter().find(|vault| real(&vault.path) == path).cloned();
        let name = config
            .as_ref()
            .map_or_else(|| path.display().to_string(), |vault| vault.name.clone());
        Ok(Place { name, path, config })
    }

    /// Makes a vault and opens it.
    pub fn create(&self, vault: &str, password: PasswordGiven, options: &CreateOptions) -> Result<Arc<OpenVault>> {
        let place = self.find(vault)?;
        let slot = self.slot(&place.path);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        // Asked before the password is: a prompt that leads nowhere is a nuisance.
        if place.storage().size(FileKind::Config, &vault::Id::ZERO).is_ok() {
            return Err(vault::Error::Exists { place: place.key() }.into());
        }
        let first = self.passwords(&place, password).into_iter().next();
        let password = first
            .ok_or_else(|| Error::PasswordNeeded {
                vault: place.name.clone(),
            })?
            .get(&place.name)?;
        let vault = Vault::create(Arc::new(place.storage()), &password, options)?;
        let open = Arc::new(OpenVault {
            place: place.key(),
            name: place.name,
            vault,
            index: Mutex::default(),
        });
        *slot = Slot {
            open: Some(open.clone()),
            problem: String::new(),
        };
        drop(slot);
        self.remember(&open, None, false);
        Ok(open)
    }

    /// Opens a vault, or gives the one that is open already.
    pub fn open(&self, vault: &str, password: PasswordGiven) -> Result<Arc<OpenVault>> {
        let place = self.find(vault)?;
        let slot = self.slot(&place.path);
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = &slot.open {
            return Ok(open.clone());
        }
        match self.open_place(&place, password) {
            Ok(vault) => {
                let key = place.key();
                let open = Arc::new(OpenVault {
                    name: place.name,
                    place: key,
                    vault,
                    index: Mutex::default(),
                });
                *slot = Slot {
                    open: Some(open.clone()),
                    problem: String::new(),
                };
                drop(slot);
                self.hub().send(Event::VaultChanged {
                    vault: open.name.clone(),
                });
                Ok(open)
            }
            Err(error) => {
                slot.problem = match &error {
                    Error::PasswordNeeded { .. } => String::new(),
                    error => error.to_string(),
                };
                Err(error)
            }
        }
    }

    pub(super) fn open_place(&self, place: &Place, given: PasswordGiven) -> Result<Vault> {
        // "No vault" before "no password".
        match place.storage().size(FileKind::Config, &vault::Id::ZERO) {
            Err(crate::storage::StorageError::NotFound { .. }) => {
                return Err(vault::Error::NoVault { place: place.key() }.into());
            }
            Err(error) => return Err(vault::Error::from(error).into()),
            Ok(_) => {}
        }
        let mut wrong = None;
        for candidate in self.passwords(place, given) {
            let password = candidate.get(&place.name)?;
            match Vault::open(
                Arc::new(place.storage()),
                &password,
                Some(self.settings().cache.clone()),
            ) {
                Err(error @ vault::Error::WrongPassword { .. }) => wrong = Some(error),
                result if self.settings().no_lock => return Ok(result?.without_locks()),
                result => return Ok(result?),
            }
        }
        Err(wrong.map_or_else(
            || Error::PasswordNeeded {
                vault: place.name.clone(),
            },
            Error::from,
        ))
    }

    /// The passwords to try, in order.
    fn passwords(&self, place: &Place, given: PasswordGiven) -> Vec<Candidate> {
        match given {
            PasswordGiven::Bytes(password) => vec![Candidate::Known(password)],
            PasswordGiven::File(file) => vec![Candidate::Source(PasswordSource::File(file))],
            PasswordGiven::Command(command) => vec![Candidate::Source(PasswordSource::shell(&command))],
            PasswordGiven::Configured => {
                // The environment speaks for one vault; another one that the config has a password for still opens.
                let environment = self.settings().password.clone().map(Candidate::Known);
                let configured = place
                    .config
                    .as_ref()
                    .and_then(|vault| vault.password.clone())
                    .map(Candidate::Source);
                environment.into_iter().chain(configured).collect()
            }
        }
    }

    /// Closes the vault at this place, as far as later questions go: who holds it open now goes on with it.
    pub(super) fn forget_slot(&self, place: &Path) {
        let mut slots = self.0.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(place);
    }

    /// An open vault, or why it is not open; waits for nothing. `None` while it is being opened.
    pub(super) fn standing(&self, place: &Path) -> Option<(Option<Arc<OpenVault>>, String)> {
        let slot = self.slot(place);
        let slot = slot.try_lock().ok()?;
        Some((slot.open.clone(), slot.problem.clone()))
    }

    /// Reads the vault's generations, newest first, and remembers them in the catalog.
    pub fn generations(&self, open: &OpenVault) -> Result<Vec<Generation>> {
        self.list(open, false)
    }

    /// The same; with `weigh`, the vault's size is remembered too, which takes a listing of all packs.
    pub(super) fn list(&self, open: &OpenVault, weigh: bool) -> Result<Vec<Generation>> {
        let mut generations = open.vault.generations()?;
        self.remember(open, Some(&generations), weigh);
        generations.sort_by(|a, b| {
            let time = |g: &Generation| (g.time.seconds, g.time.nanos);
            time(b).cmp(&time(a)).then(a.id.cmp(&b.id))
        });
        Ok(generations)
    }

    /// Writes down that a vault was seen, and what it holds. The catalog's troubles are no reason to fail.
    pub(super) fn remember(&self, open: &OpenVault, generations: Option<&[Generation]>, weigh: bool) {
        self.0.costs.doubt(&open.place);
        let mut sum = 0u64;
        let mut add = |_, size: u64| sum = sum.saturating_add(size);
        let listed = weigh && open.vault.storage().list(FileKind::Pack, &mut add).is_ok();
        let stored = listed.then_some(sum);
        let now = self.now().seconds;
        let catalog = self.catalog();
        let name = self.config().vault(&open.name).map(|vault| vault.name.clone());
        let result = catalog
            .saw_vault(&open.place, open.vault.id(), name.as_deref(), now, stored)
            .and_then(|()| {
                generations.map_or(Ok(false), |generations| {
                    catalog.store_generations(&open.place, generations)
                })
            });
        match result {
            Ok(true) => self.hub().send(Event::VaultChanged {
                vault: open.name.clone(),
            }),
            Ok(false) => {}
            Err(error) => self.hub().send(Event::Warning(error.to_string())),
        }
        if generations.is_some() {
            self.catalogue(&open.name);
        }
    }
}

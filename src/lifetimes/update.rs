//! Bringing the local file in step with the vault.

use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::add::{Adding, newest};
use super::numbers::{Key, key_of};
use super::part::Item;
use super::read::{Reading, read};
use super::record::{Known, Layout};
use super::rewrite::{Around, TEMPORARY, rewrite};
use super::source::{Folder, Source};
use super::state::State;
use super::{Error, Lifetimes, Result, local};
use crate::progress::{Cancel, Progress};
use crate::vault::{BlobKind, Generation, Id};

/// With more parts than this the file is written anew.
const PARTS: usize = 128;
/// How long to wait between looks at whether another process has done its work.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What came of bringing it up to date.
#[derive(Debug)]
pub struct Updated {
    /// As it is now.
    pub lifetimes: Lifetimes,
    /// How many generations were added.
    pub added: usize,
    /// How many went.
    pub gone: usize,
    /// Whether the whole file was written anew.
    pub rewritten: bool,
}

/// The file of a vault, by the vault's id.
fn file_of(folder: &Path, vault: &str) -> PathBuf {
    // Ids are 64 hex digits; a hostile one is no path.
    folder
        .join(Id::of(vault.as_bytes()).to_string())
        .with_extension("lifetimes")
}

fn vault_key(vault: &str) -> Key {
    key_of(&Id::of(vault.as_bytes()))
}

/// What is on disk of a vault, by the vault's id, as it was last brought up to date; `None` when there is nothing that can
/// be used.
pub fn known(folder: &Path, vault: &str) -> Result<Option<Lifetimes>> {
    let path = file_of(folder, vault);
    match State::open(&path, &vault_key(vault)).and_then(|state| state.map(Lifetimes::load).transpose()) {
        Err(Error::Damaged { .. }) => Ok(None),
        result => result,
    }
}

/// Brings the file in a folder (made if need be) in step with the vault and gives what it tells. The generations are all
/// of the vault's; `source` must know at least as much as they need. Trees that were read before are not read again.
///
/// Any number of processes may do so at once: they wait for each other. Killed at any moment, what was there before is
/// there, or all of the new. Counts trees that are read into `progress` as files.
pub fn update<S: Source>(
    folder: &Path,
    vault: &str,
    generations: &[Generation],
    source: &S,
    progress: &Progress,
    cancel: &Cancel,
) -> Result<Updated> {
    // Hosts and paths are in it.
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(local("create", folder))?;
    let path = file_of(folder, vault);
    let _lock = Lock::take(&path.with_extension("lock"), cancel)?;
    // What another process left that died while it wrote.
    let _ = std::fs::remove_file(path.with_extension(TEMPORARY));
    let mut index_files: Vec<Key> = source.index_files().iter().map(key_of).collect();
    index_files.sort_unstable();
    let key = vault_key(vault);
    let update = Update {
        generations,
        source,
        progress,
        cancel,
        around: Around {
            vault: &key,
            path: &path,
            index_files: &index_files,
        },
    };
    match State::open(&path, &key).and_then(|state| update.run(state)) {
        // Nothing of it can be believed.
        Err(Error::Damaged { .. }) => update.run(None),
        result => result,
    }
}

struct Update<'a, S> {
    generations: &'a [Generation],
    source: &'a S,
    progress: &'a Progress,
    cancel: &'a Cancel,
    around: Around<'a>,
}

/// What differs between a file and the vault.
struct Differences<'a> {
    new: Vec<&'a Generation>,
    gone: usize,
    /// What is known of generations, those that are gone marked so.
    known: Vec<Known>,
}

impl<S: Source> Update<'_, S> {
    fn run(&self, state: Option<State>) -> Result<Updated> {
        let state = match state {
            Some(state) if !self.found_again(&state)? => state,
            _ => {
                let added = self.generations.len();
                return self.rewrite(None, added, 0);
            }
        };
        let Differences { new, gone, known } = self.differences(&state);
        let index_changed = state.index_files != self.around.index_files;
        if new.is_empty() && gone == 0 && !self.must_rewrite(&state, 0, &known) {
            if index_changed && !state.lacking.is_empty() {
                // So that what is lacking is not looked for each time.
                self.add(&state, &new, known)?;
                return self.load(0, 0, false);
            }
            return Ok(Updated {
                lifetimes: Lifetimes::load(state)?,
                added: 0,
                gone: 0,
                rewritten: false,
            });
        }
        if self.must_rewrite(&state, new.len(), &known) {
            let added = new.len();
            return self.rewrite(Some(&state), added, gone);
        }
        self.add(&state, &new, known)?;
        self.load(new.len(), gone, false)
    }

    fn load(&self, added: usize, gone: usize, rewritten: bool) -> Result<Updated> {
        let state = State::open(self.around.path, self.around.vault)?;
        let damaged = || Error::Damaged {
            file: self.around.path.to_owned(),
        };
        Ok(Updated {
            lifetimes: Lifetimes::load(state.ok_or_else(damaged)?)?,
            added,
            gone,
            rewritten,
        })
    }

    fn differences(&self, state: &State) -> Differences<'_> {
        let mut known = state.generations.clone();
        let mut here: std::collections::HashMap<Id, &Generation> = self
            .generations
            .iter()
            .map(|generation| (generation.id, generation))
            .collect();
        let mut gone = 0;
        let mut back = 0;
        for known in &mut known {
            let alive = here.remove(&known.id).is_some();
            gone += usize::from(known.alive && !alive);
            back += usize::from(!known.alive && alive);
            known.alive = alive;
        }
        // In the order of time, as they were made.
        let mut new: Vec<&Generation> = here.into_values().collect();
        new.sort_by_key(|generation| (generation.time.seconds, generation.time.nanos, generation.id));
        Differences {
            new,
            gone: gone + back,
            known,
        }
    }

    /// Whether adding is not the way: much is new or gone, or what blobs weigh may not be right any more.
    fn must_rewrite(&self, state: &State, new: usize, known: &[Known]) -> bool {
        let file_gone = || {
            let here = |file| self.around.index_files.binary_search(file).is_ok();
            !state.index_files.iter().all(here)
        };
        let dead = known.iter().filter(|known| !known.alive).count();
        new > 16.max(known.len() / 20) || dead > 16.max(known.len() / 2) || state.parts.len() >= PARTS || file_gone()
    }

    /// Whether something that was lacking is there now: what lies below it must be read.
    fn found_again(&self, state: &State) -> Result<bool> {
        if state.lacking.is_empty() || state.index_files == self.around.index_files {
            return Ok(false);
        }
        let wanted: std::collections::HashMap<(BlobKind, Key), u32> = state
            .lacking
            .iter()
            .map(|lacking| ((lacking.kind, lacking.key), lacking.number))
            .collect();
        let mut found = Vec::new();
        self.source.weigh_all(&mut |kind, id, _| {
            if let Some(number) = wanted.get(&(kind, key_of(id))) {
                found.push((kind, *id, *number));
            }
        });
        let (mut scratch, mut folder) = (S::Scratch::default(), Folder::default());
        for (kind, id, number) in found {
            self.cancel.check()?;
            let unread = kind == BlobKind::Tree && state.edges(Item::Tree, number)?.is_empty();
            folder.clear();
            if !unread || self.source.read(&id, &mut scratch, &mut folder).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn roots(generations: &[&Generation]) -> Vec<Id> {
        generations.iter().map(|generation| generation.tree).collect()
    }

    fn rewrite(&self, state: Option<&State>, added: usize, gone: usize) -> Result<Updated> {
        let reading = Reading::new(state, self.around.path, false)?;
        let all: Vec<&Generation> = self.generations.iter().collect();
        let (facts, roots) = read(reading, &Self::roots(&all), self.source, self.progress, self.cancel)?;
        let (layout, known) = Layout::new(self.generations, &roots)?;
        rewrite(facts, &layout, known, self.source, self.around, self.cancel)?;
        self.load(added, gone, true)
    }

    fn add(&self, state: &State, new: &[&Generation], mut known: Vec<Known>) -> Result<()> {
        let reading = Reading::new(Some(state), self.around.path, true)?;
        let (facts, roots) = read(reading, &Self::roots(new), self.source, self.progress, self.cancel)?;
        let mut layout = state.layout.clone();
        let mut adding = Adding::new(&facts, state)?;
        for (generation, root) in new.iter().zip(roots) {
            self.cancel.check()?;
            let added = layout.add(&known, generation, root)?;
            adding.add(&added, newest(&known, &added))?;
            known.push(added);
        }
        known.sort_unstable_by_key(|known| known.number);
        let mut lacking = state.lacking.clone();
        lacking.extend_from_slice(&facts.lacking);
        adding.write(&layout, &known, &lacking, self.around)
    }
}

/// Keeps other processes away while the file changes.
struct Lock(#[expect(dead_code, reason = "held until it is dropped")] File);

impl Lock {
    fn take(path: &Path, cancel: &Cancel) -> Result<Lock> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = file.map_err(local("create", path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Lock(file)),
                Err(std::fs::TryLockError::WouldBlock) => {
                    cancel.check()?;
                    std::thread::sleep(LOOK_AGAIN);
                }
                Err(std::fs::TryLockError::Error(error)) => return Err(local("lock", path)(error)),
            }
        }
    }
}

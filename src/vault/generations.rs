//! Loading and saving generations.
//!
//! Generation files are many, small and never change. A vault with a few is read as it lies; of a vault with many, those
//! read before come from one local file, sealed with the vault's own key, so that listing a thousand is one read.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::compress::Codec;
use super::{Error, Generation, Id, Result, Vault};
use crate::storage::{FileKind, StorageError};

/// Up to this many files are read every time, which takes milliseconds and notices damage at once.
const CACHE_FROM: usize = 64;
/// How many files are read at a time. More than there are cores: a remote storage mostly waits.
const READERS: usize = 4;
/// Name of the local file.
const CACHE_FILE: &str = "generations";
/// First bytes of what is in it, once opened and decompressed.
const MAGIC: &[u8; 8] = b"coffgen1";
/// The most the local file may decompress to.
const MAX_CACHE: usize = 128 << 20;

/// Generation files' ids and plain bytes.
type PlainFiles = Vec<(Id, Vec<u8>)>;
/// Told of a generation that cannot be read: returns the error to stop, or nothing to go on without it.
type OnBadFile<'a> = &'a (dyn Fn(Id, Error) -> Result<()> + Sync);

impl Vault {
    /// All generations, oldest first. A damaged file is an error that names it. In a vault with many, content read before
    /// comes from the local cache: [`Vault::generation`] and [`Vault::generations_stored`] never do that.
    pub fn generations(&self) -> Result<Vec<Generation>> {
        self.generations_reporting(&refuse)
    }

    /// The same, but `on_bad` decides about those that cannot be read. It is called from several threads.
    pub fn generations_reporting(&self, on_bad: OnBadFile) -> Result<Vec<Generation>> {
        let ids = self.list_files(FileKind::Generation)?;
        if ids.len() < CACHE_FROM {
            return Ok(self.load(ids, Vec::new(), on_bad)?.0);
        }
        let cached = self.read_cache(&ids);
        let missing: Vec<Id> = ids
            .into_iter()
            .filter(|id| cached.binary_search_by_key(id, |(id, _)| *id).is_err())
            .collect();
        let stale = !missing.is_empty();
        let (generations, plain) = self.load(missing, cached, on_bad)?;
        if stale {
            self.write_cache(&plain);
        }
        Ok(generations)
    }

    /// All generations, oldest first, each read from the vault itself.
    pub fn generations_stored(&self) -> Result<Vec<Generation>> {
        let ids = self.list_files(FileKind::Generation)?;
        Ok(self.load(ids, Vec::new(), &refuse)?.0)
    }

    /// One generation, read from the vault itself.
    pub fn generation(&self, id: &Id) -> Result<Generation> {
        let plain = self.read_file(FileKind::Generation, id)?;
        self.decode_generation(id, &plain)
    }

    /// Stores a generation; returns its id. What it refers to must be stored and indexed before.
    pub fn save_generation(&self, generation: &Generation) -> Result<Id> {
        self.write_file(FileKind::Generation, &generation.encode())
    }

    fn decode_generation(&self, id: &Id, plain: &[u8]) -> Result<Generation> {
        Generation::decode(*id, plain).map_err(|error| self.damaged(FileKind::Generation, id, error))
    }

    /// Reads the files `ids` in parallel and adds what is `known`; returns all, oldest first, and the plain bytes of all.
    fn load(&self, ids: Vec<Id>, known: PlainFiles, on_bad: OnBadFile) -> Result<(Vec<Generation>, PlainFiles)> {
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Ok(known));
        let worker = || {
            let mut codec = Codec::default();
            while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                let read = self.read_file_with(FileKind::Generation, id, &mut codec);
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                match (&mut *found, read) {
                    (Ok(found), Ok(plain)) => found.push((*id, plain)),
                    // Forgotten by someone else since it was listed.
                    (Ok(_), Err(Error::Storage(StorageError::NotFound { .. }))) => {}
                    (Ok(_), Err(error)) => {
                        if let Err(error) = on_bad(*id, error) {
                            *found = Err(error);
                        }
                    }
                    (Err(_), _) => return,
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..READERS.min(ids.len() / 4) {
                scope.spawn(worker);
            }
            worker();
        });
        let mut plain = found.into_inner().unwrap_or_else(PoisonError::into_inner)?;
        plain.sort_unstable_by_key(|(id, _)| *id);
        let mut generations = Vec::with_capacity(plain.len());
        for (id, plain) in &plain {
            match self.decode_generation(id, plain) {
                Ok(generation) => generations.push(generation),
                Err(error) => on_bad(*id, error)?,
            }
        }
        generations.sort_by_key(|generation| (generation.time.seconds, generation.time.nanos));
        Ok((generations, plain))
    }

    /// What the local file holds of `ids` (which are sorted), sorted. One that is not there or not right holds nothing.
    fn read_cache(&self, ids: &[Id]) -> PlainFiles {
        let read = || -> Option<PlainFiles> {
            let mut sealed = fs::read(self.cache_folder().ok()?.join(CACHE_FILE)).ok()?;
            let packed = self.key().open_in_place(&mut sealed).ok()?.to_vec();
            let plain = Codec::default().decode_file(packed, MAX_CACHE).ok()?;
            parse_cache(&plain)
        };
        let mut cached = read().unwrap_or_default();
        cached.retain(|(id, _)| ids.binary_search(id).is_ok());
        cached.sort_unstable_by_key(|(id, _)| *id);
        cached
    }

    /// Writes the local file anew. A failure costs time at the next listing, nothing else.
    fn write_cache(&self, generations: &[(Id, Vec<u8>)]) {
        let write = || -> Option<()> {
            let mut plain = MAGIC.to_vec();
            for (id, content) in generations {
                plain.extend_from_slice(&id.0);
                plain.extend_from_slice(&u32::try_from(content.len()).ok()?.to_le_bytes());
                plain.extend_from_slice(content);
            }
            if plain.len() > MAX_CACHE {
                return None;
            }
            let packed = Codec::default().encode_file(&plain).ok()?;
            let mut sealed = Vec::new();
            self.key().seal_append(&packed, &mut sealed).ok()?;
            replace_file(&self.cache_folder().ok()?.join(CACHE_FILE), &sealed).ok()
        };
        if write().is_none() {
            tracing::debug!("the local copy of the generations could not be written");
        }
    }
}

/// Without a generation nothing is what it seems: not the newest one, not what a rule keeps.
fn refuse(id: Id, error: Error) -> Result<()> {
    Err(error.advise(|| format!("nothing in it can be restored; delete it with: coffer forget {id}")))
}

fn parse_cache(plain: &[u8]) -> Option<PlainFiles> {
    let mut rest = plain.strip_prefix(MAGIC)?;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (id, after) = rest.split_first_chunk::<32>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let (content, after) = after.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        found.push((Id(*id), content.to_vec()));
        rest = after;
    }
    Some(found)
}

/// Writes a local file so that other processes see the old or the new one, whole.
fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let temporary = path.with_extension(format!("{:016x}", u64::from_le_bytes(random)));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    let replaced = file.write_all(bytes).and_then(|()| fs::rename(&temporary, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::vault::testing::{PASSWORD, storage, test_vault};
    use crate::vault::{Password, Time};

    fn generation(seconds: i64) -> Generation {
        let time = Time {
            seconds,
            nanos: 7,
            offset: 3600,
        };
        serde_json::from_value(serde_json::json!({
            "time": time, "tree": Id::of(&seconds.to_le_bytes()), "paths": ["/a"], "hostname": "h", "new": {"field": 1},
        }))
        .unwrap()
    }

    fn times(generations: &[Generation]) -> Vec<i64> {
        generations.iter().map(|generation| generation.time.seconds).collect()
    }

    #[test]
    fn come_back_oldest_first_with_their_ids() {
        let (_folder, vault) = test_vault();
        assert_eq!(vault.generations().unwrap(), []);
        let ids: Vec<Id> = [30, 10, 20]
            .map(|at| vault.save_generation(&generation(at)).unwrap())
            .to_vec();
        let all = vault.generations().unwrap();
        assert_eq!(times(&all), [10, 20, 30]);
        assert_eq!([all[2].id, all[0].id, all[1].id], ids[..]);
        assert_eq!(vault.generation(&ids[0]).unwrap(), all[2]);
        assert_eq!(
            all[0],
            Generation {
                id: ids[1],
                ..generation(10)
            }
        );
    }

    #[test]
    fn a_damaged_one_is_named() {
        let (_folder, vault) = test_vault();
        vault.save_generation(&generation(1)).unwrap();
        let bad = vault.write_file(FileKind::Generation, b"{\"time\":1}").unwrap();
        let error = vault.generations().unwrap_err();
        assert!(
            matches!(&error, Error::Damaged { file, .. } if file.contains(&bad.to_string())),
            "{error}"
        );
        assert!(error.to_string().ends_with(&format!("coffer forget {bad}")), "{error}");
        let unread = Mutex::new(Vec::new());
        let others = vault.generations_reporting(&|id, _| {
            unread.lock().unwrap().push(id);
            Ok(())
        });
        assert_eq!(times(&others.unwrap()), [1]);
        assert_eq!(unread.into_inner().unwrap(), [bad]);
    }

    #[test]
    fn many_are_read_once_and_then_from_the_local_copy() {
        let (folder, made) = test_vault();
        let cache = tempfile::tempdir().unwrap();
        let open = || Vault::open(storage(&folder), &Password::new(PASSWORD), Some(cache.path().into())).unwrap();
        let vault = open();
        let count = CACHE_FROM as i64 + 6;
        let ids: Vec<Id> = (0..count)
            .map(|at| made.save_generation(&generation(at)).unwrap())
            .collect();
        let first = vault.generations().unwrap();
        assert_eq!(times(&first), (0..count).collect::<Vec<_>>());

        // What is in the copy is not read again; `generation` and `generations_stored` do read it.
        let place = vault.place_of(FileKind::Generation, &ids[3]);
        fs::set_permissions(&place, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&place, "damaged").unwrap();
        assert_eq!(open().generations().unwrap(), first);
        assert!(vault.generation(&ids[3]).is_err());
        assert!(vault.generations_stored().is_err());

        // What was forgotten is gone, what is new is there.
        vault.remove_file(FileKind::Generation, &ids[3]).unwrap();
        vault.save_generation(&generation(count)).unwrap();
        let mut expected: Vec<i64> = (0..=count).collect();
        expected.remove(3);
        assert_eq!(times(&open().generations().unwrap()), expected);

        // A copy that is damaged, or another vault's, is as good as none.
        let copy = vault.cache_folder().unwrap().join(CACHE_FILE);
        let whole = fs::read(&copy).unwrap();
        for damaged in [&whole[..whole.len() - 1], b"", b"nonsense"] {
            fs::write(&copy, damaged).unwrap();
            assert_eq!(times(&open().generations().unwrap()), expected);
            assert_ne!(fs::read(&copy).unwrap(), damaged);
        }
        assert_eq!(fs::read_dir(vault.cache_folder().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn the_local_copys_parser_takes_anything() {
        let good = [&MAGIC[..], &[1; 32], &2u32.to_le_bytes(), b"{}"].concat();
        assert_eq!(parse_cache(&good), Some(vec![(Id([1; 32]), b"{}".to_vec())]));
        assert_eq!(parse_cache(MAGIC), Some(vec![]));
        for length in (0..good.len()).filter(|length| *length != MAGIC.len()) {
            assert_eq!(parse_cache(&good[..length]), None);
        }
        assert_eq!(parse_cache(&[&MAGIC[..], &[1; 32], &[0xff; 4], b"{}"].concat()), None);
    }
}

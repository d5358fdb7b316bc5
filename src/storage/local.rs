//! A vault in a local folder, in restic's layout.
//!
//! A file is written under a random name beside its place, forced to disk, renamed, and its folder forced to disk too: it
//! is there whole or not at all, whatever happens. A crash leaves at most a temporary file, whose name no listing takes
//! for one of the vault's. Files are made read-only, so that nothing else changes them by mistake.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::{FileKind, Leftovers, Listed, Storage, StorageError};
use crate::vault::Id;

/// A temporary file this old was left by a program that was killed.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// A vault's folder.
#[derive(Debug)]
pub struct LocalStorage {
    root: PathBuf,
    /// Folders and files are shared with the group, as the one who made `config` group-readable wants it.
    group: bool,
}

impl LocalStorage {
    /// The folder `root`, which need not be there yet. Whether the group may read is taken from its `config`.
    pub fn new(root: impl Into<PathBuf>) -> LocalStorage {
        let root = root.into();
        let group = fs::metadata(root.join("config")).is_ok_and(|config| config.permissions().mode() & 0o040 != 0);
        LocalStorage { root, group }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn folder(&self, kind: FileKind) -> PathBuf {
        self.root.join(match kind {
            FileKind::Config => "",
            FileKind::Key => "keys",
            FileKind::Generation => "snapshots",
            FileKind::Index => "index",
            FileKind::Lock => "locks",
            FileKind::Pack => "data",
        })
    }

    fn path(&self, kind: FileKind, id: &Id) -> PathBuf {
        let mut path = self.root.clone();
        let name = id.to_string();
        match kind {
            FileKind::Config => path.push("config"),
            FileKind::Key => path.push("keys"),
            FileKind::Generation => path.push("snapshots"),
            FileKind::Index => path.push("index"),
            FileKind::Lock => path.push("locks"),
            FileKind::Pack => {
                path.push("data");
                path.push(&name[..2]);
            }
        }
        if kind != FileKind::Config {
            path.push(name);
        }
        path
    }

    fn make_folder(&self, folder: &Path) -> Result<(), StorageError> {
        let mode = if self.group { 0o770 } else { 0o700 };
        let made = DirBuilder::new().recursive(true).mode(mode).create(folder);
        made.map_err(|error| failed("create the folder", folder, error))
    }

    /// Makes a folder of the layout that is missing, but only while the vault is there. When it is not, its disk was taken
    /// away, and what is written would fill the disk below the mount point.
    fn make_missing_folder(&self, folder: &Path) -> Result<(), StorageError> {
        if let Err(error) = fs::metadata(self.path(FileKind::Config, &Id::ZERO)) {
            let why = "the vault is not there any more: was its disk unplugged or unmounted?";
            return Err(StorageError::Io {
                action: "write to",
                what: self.describe(),
                source: match error.kind() {
                    io::ErrorKind::NotFound => io::Error::other(why),
                    _ => error,
                },
            });
        }
        let mode = if self.group { 0o770 } else { 0o700 };
        // Not recursively: nothing above the vault's own folder is made.
        for folder in [folder.parent().filter(|above| *above != self.root), Some(folder)] {
            let Some(folder) = folder else { continue };
            match DirBuilder::new().mode(mode).create(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(failed("create the folder", folder, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Lists the vault's files in one folder; one that is not there lists nothing.
    fn list_folder(&self, folder: &Path, each: &mut dyn FnMut(Listed)) -> Result<(), StorageError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("list", folder, error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| failed("list", folder, error))?;
            let Some(id) = file_id(&entry.file_name()) else {
                continue;
            };
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(metadata) if metadata.is_symlink() => match fs::metadata(entry.path()) {
                    Ok(metadata) => each(listed(id, &metadata)),
                    Err(error) => return Err(failed("list", &entry.path(), error)),
                },
                Ok(metadata) => each(listed(id, &metadata)),
                // Deleted since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed("list", &entry.path(), error)),
            }
        }
        Ok(())
    }

    /// Writes `parts` under a temporary name in `folder`; returns the open file and that name.
    fn write_temporary(&self, path: &Path, folder: &Path, parts: &[&[u8]]) -> Result<(File, PathBuf), StorageError> {
        let (mut file, temporary) = self.create_temporary(path, folder)?;
        let expected: u64 = parts.iter().map(|part| part.len() as u64).sum();
        let written = write_all(&mut file, parts).and_then(|()| {
            let length = file.metadata()?.len();
            if length != expected {
                return Err(io::Error::other(format!("{length} of {expected} bytes arrived")));
            }
            flush(&file)
        });
        match written {
            Ok(()) => Ok((file, temporary)),
            Err(error) => {
                // The write's own error is the one to tell.
                let _ = fs::remove_file(&temporary);
                Err(failed("write", path, error))
            }
        }
    }

    fn create_temporary(&self, path: &Path, folder: &Path) -> Result<(File, PathBuf), StorageError> {
        let mut made_folder = false;
        loop {
            let mut random = [0; 8];
            getrandom::fill(&mut random).map_err(|error| failed("write", path, io::Error::other(error.to_string())))?;
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push("-tmp-");
            name.push(HEXLOWER.encode(&random));
            let temporary = folder.join(name);
            match OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&temporary)
            {
                Ok(file) => {
                    if self.group {
                        // Others may read it from the moment on that it has its name.
                        let _ = file.set_permissions(Permissions::from_mode(0o640));
                    }
                    return Ok((file, temporary));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound && !made_folder => {
                    self.make_missing_folder(folder)?;
                    made_folder = true;
                }
                Err(error) => return Err(failed("write", path, error)),
            }
        }
    }
}

/// Whether this is the name of a file of the vault that is being written, by us or by restic: `<id>-tmp-<something>`.
fn is_temporary(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let id = name.get(..64).and_then(|id| std::str::from_utf8(id).ok());
    let is_id = id.is_some_and(|id| file_id(OsStr::new(id)).is_some());
    is_id && name.get(64..).is_some_and(|rest| rest.starts_with(b"-tmp-"))
}

impl Storage for LocalStorage {
    fn describe(&self) -> String {
        self.root.display().to_string()
    }

    fn local_folder(&self) -> Option<&Path> {
        Some(&self.root)
    }

    fn describe_file(&self, kind: FileKind, id: &Id) -> String {
        self.path(kind, id).display().to_string()
    }

    fn create_layout(&self) -> Result<(), StorageError> {
        for kind in [FileKind::Key, FileKind::Generation, FileKind::Index, FileKind::Lock] {
            self.make_folder(&self.folder(kind))?;
        }
        let data = self.folder(FileKind::Pack);
        for byte in 0..=255u8 {
            self.make_folder(&data.join(HEXLOWER.encode(&[byte])))?;
        }
        Ok(())
    }

    fn list(&self, kind: FileKind, each: &mut dyn FnMut(Id, u64)) -> Result<(), StorageError> {
        self.list_dated(kind, &mut |file| each(file.id, file.size))
    }

    fn list_dated(&self, kind: FileKind, each: &mut dyn FnMut(Listed)) -> Result<(), StorageError> {
        let folder = self.folder(kind);
        match kind {
            FileKind::Config => {
                let path = self.path(kind, &Id::ZERO);
                match fs::metadata(&path) {
                    Ok(metadata) => each(listed(Id::ZERO, &metadata)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed("read", &path, error)),
                }
            }
            FileKind::Pack => {
                for byte in 0..=255u8 {
                    self.list_folder(&folder.join(HEXLOWER.encode(&[byte])), &mut |file| {
                        // Elsewhere it would not be found again by its name.
                        if file.id.0[0] == byte {
                            each(file);
                        }
                    })?;
                }
            }
            _ => self.list_folder(&folder, each)?,
        }
        Ok(())
    }

    fn leftovers(&self, delete: bool) -> Result<Leftovers, StorageError> {
        let mut folders: Vec<PathBuf> = [FileKind::Key, FileKind::Generation, FileKind::Index, FileKind::Lock]
            .into_iter()
            .map(|kind| self.folder(kind))
            .collect();
        let data = self.folder(FileKind::Pack);
        folders.extend((0..=255u8).map(|byte| data.join(HEXLOWER.encode(&[byte]))));
        let mut found = Leftovers::default();
        for folder in folders {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let Ok(metadata) = entry.metadata() else { continue };
                let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
                if !metadata.is_file() || !is_temporary(&entry.file_name()) || age.is_none_or(|age| age < ABANDONED) {
                    continue;
                }
                if delete {
                    match fs::remove_file(entry.path()) {
                        Ok(()) => {}
                        Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                        Err(error) => return Err(failed("delete", &entry.path(), error)),
                    }
                }
                found.files += 1;
                found.bytes += metadata.len();
            }
        }
        Ok(found)
    }

    fn size(&self, kind: FileKind, id: &Id) -> Result<u64, StorageError> {
        let path = self.path(kind, id);
        fs::metadata(&path)
            .map(|metadata| metadata.len())
            .map_err(|error| failed("read", &path, error))
    }

    fn read(&self, kind: FileKind, id: &Id, limit: u64) -> Result<Vec<u8>, StorageError> {
        let path = self.path(kind, id);
        let read = || {
            let mut file = File::open(&path)?;
            let length = file.metadata()?.len();
            let mut bytes = Vec::with_capacity(usize::try_from(length.min(limit)).unwrap_or(0));
            Read::by_ref(&mut file)
                .take(limit.saturating_add(1))
                .read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| failed("read", &path, error))?;
        if bytes.len() as u64 > limit {
            return Err(StorageError::TooLarge {
                what: path.display().to_string(),
                limit,
            });
        }
        Ok(bytes)
    }

    fn read_at(&self, kind: FileKind, id: &Id, offset: u64, buffer: &mut [u8]) -> Result<(), StorageError> {
        let path = self.path(kind, id);
        let file = File::open(&path).map_err(|error| failed("read", &path, error))?;
        file.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => StorageError::Short {
                what: path.display().to_string(),
                offset,
                wanted: buffer.len(),
            },
            _ => failed("read", &path, error),
        })
    }

    fn write(&self, kind: FileKind, id: &Id, parts: &[&[u8]]) -> Result<(), StorageError> {
        let path = self.path(kind, id);
        let folder = path.parent().unwrap_or(&self.root);
        let (file, temporary) = self.write_temporary(&path, folder, parts)?;
        let named = match kind {
            FileKind::Config => rename_new(&temporary, &path),
            _ => fs::rename(&temporary, &path),
        };
        if let Err(error) = named {
            let _ = fs::remove_file(&temporary);
            return Err(failed("write", &path, error));
        }
        flush_folder(folder).map_err(|error| failed("write", folder, error))?;
        // Some filesystems have no modes; the file is whole all the same.
        let _ = file.set_permissions(Permissions::from_mode(if self.group { 0o440 } else { 0o400 }));
        Ok(())
    }

    fn remove(&self, kind: FileKind, id: &Id) -> Result<(), StorageError> {
        let path = self.path(kind, id);
        fs::remove_file(&path).map_err(|error| failed("delete", &path, error))
    }
}

/// The id a file's name stands for, if it is one of the vault's.
fn file_id(name: &OsStr) -> Option<Id> {
    name.to_str()?.parse().ok()
}

fn listed(id: Id, metadata: &Metadata) -> Listed {
    Listed {
        id,
        size: metadata.len(),

        modified: Some(metadata.mtime()),
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> StorageError {
    let what = path.display().to_string();
    match source.kind() {
        io::ErrorKind::NotFound => StorageError::NotFound { what },
        _ => StorageError::Io { action, what, source },
    }
}

/// Writes all parts with as few system calls as it takes.
fn write_all(file: &mut File, parts: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(|part| IoSlice::new(part))
        .collect();
    let mut rest = &mut slices[..];
    while !rest.is_empty() {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => IoSlice::advance_slices(&mut rest, count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Gives a file its name unless there is one of that name.
fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    let renamed = rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE);
    // NFS, for one, cannot: a link is as good. Where there are no links either, nobody can come between this look and the
    // renaming for long.
    if !matches!(renamed, Err(Errno::INVAL | Errno::NOSYS)) {
        return Ok(renamed?);
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) if to.try_exists()? => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Forces a file to disk. Filesystems that cannot are taken as they are.
fn flush(file: &File) -> io::Result<()> {
    match file.sync_all() {
        Err(error) if cannot(&error) => Ok(()),
        flushed => flushed,
    }
}

/// Forces a folder's entries to disk.
fn flush_folder(folder: &Path) -> io::Result<()> {
    flush(&File::open(folder)?)
}

/// Whether the filesystem cannot do this at all (as against: failed to).
fn cannot(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [Errno::NOTSUP, Errno::OPNOTSUPP, Errno::INVAL]
        .iter()
        .any(|errno| code == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: impl AsRef<Path>) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn listed(storage: &LocalStorage, kind: FileKind) -> Vec<(Id, u64)> {
        let mut found = Vec::new();
        storage.list(kind, &mut |id, size| found.push((id, size))).unwrap();
        found.sort();
        found
    }

    #[test]
    fn layout_is_restics_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new(folder.path().join("vault"));
        storage.create_layout().unwrap();
        storage.create_layout().unwrap();
        for name in ["keys", "snapshots", "index", "locks", "data/00", "data/7f", "data/ff"] {
            assert_eq!(mode(storage.root().join(name)), 0o700, "{name}");
        }
        assert_eq!(fs::read_dir(storage.root().join("data")).unwrap().count(), 256);
        let id = Id::of(b"x");
        storage.write(FileKind::Pack, &id, &[b"x"]).unwrap();
        let path = storage.root().join(format!("data/{}/{id}", &id.to_string()[..2]));
        assert_eq!(fs::read(&path).unwrap(), b"x");
        assert_eq!(mode(&path), 0o400);
        assert_eq!(storage.describe_file(FileKind::Pack, &id), path.display().to_string());
    }

    #[test]
    fn group_readable_config_opens_the_rest_to_the_group() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config"), "x").unwrap();
        fs::set_permissions(folder.path().join("config"), Permissions::from_mode(0o440)).unwrap();
        let storage = LocalStorage::new(folder.path());
        let id = Id::of(b"x");
        storage.write(FileKind::Key, &id, &[b"x"]).unwrap();
        let path = folder.path().join("keys").join(id.to_string());
        assert_eq!(mode(&path), 0o440);
        let (_, unnamed) = storage.create_temporary(&path, &folder.path().join("keys")).unwrap();
        assert_eq!(mode(unnamed), 0o640, "before it has its name");
        // The umask may take from the folder's 0770, but never adds.
        assert_eq!(mode(folder.path().join("keys")) & 0o007, 0);
    }

    #[test]
    fn missing_folders_are_made_while_the_vault_is_there() {
        let above = tempfile::tempdir().unwrap();
        let root = above.path().join("disk/vault");
        let storage = LocalStorage::new(&root);
        storage.create_layout().unwrap();
        storage.write(FileKind::Config, &Id::ZERO, &[b"config"]).unwrap();
        let id = Id::of(b"x");
        for kind in [FileKind::Lock, FileKind::Pack] {
            fs::remove_dir_all(storage.folder(kind)).unwrap();
            storage.write(kind, &id, &[b"x"]).unwrap();
        }

        // The disk goes away: its mount point stays, or goes too.
        for left in ["disk/vault", "disk", ""] {
            let _ = fs::remove_dir_all(above.path().join("disk"));
            fs::create_dir_all(above.path().join(left)).unwrap();
            for kind in [FileKind::Lock, FileKind::Generation, FileKind::Pack] {
                let error = storage.write(kind, &id, &[b"x"]).unwrap_err().to_string();
                assert!(error.ends_with("was its disk unplugged or unmounted?"), "{error}");
            }
            let empty = fs::read_dir(above.path().join(left)).unwrap().next().is_none();
            assert!(empty, "something was made in {left:?}");
        }
    }

    #[test]
    fn writes_parts_reads_ranges_and_deletes() {
        let folder = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new(folder.path());
        storage.create_layout().unwrap();
        let id = Id::of(b"one two");
        storage.write(FileKind::Index, &id, &[b"one", b"", b" two"]).unwrap();
        storage.write(FileKind::Index, &id, &[b"one two"]).unwrap();
        assert_eq!(listed(&storage, FileKind::Index), [(id, 7)]);
        assert_eq!(storage.size(FileKind::Index, &id).unwrap(), 7);
        assert_eq!(storage.read(FileKind::Index, &id, 7).unwrap(), b"one two");
        assert!(matches!(
            storage.read(FileKind::Index, &id, 6),
            Err(StorageError::TooLarge { limit: 6, .. })
        ));
        let mut buffer = [0; 3];
        storage.read_at(FileKind::Index, &id, 4, &mut buffer).unwrap();
        assert_eq!(&buffer, b"two");
        assert!(matches!(
            storage.read_at(FileKind::Index, &id, 5, &mut buffer),
            Err(StorageError::Short {
                offset: 5,
                wanted: 3,
                ..
            })
        ));
        storage.remove(FileKind::Index, &id).unwrap();
        assert!(matches!(
            storage.remove(FileKind::Index, &id),
            Err(StorageError::NotFound { .. })
        ));
        assert!(matches!(
            storage.read(FileKind::Index, &id, 6),
            Err(StorageError::NotFound { .. })
        ));
        assert!(matches!(
            storage.size(FileKind::Index, &id),
            Err(StorageError::NotFound { .. })
        ));
    }

    #[test]
    fn lists_only_names_of_the_vault() {
        let folder = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new(folder.path());
        assert_eq!(listed(&storage, FileKind::Generation), []);
        assert_eq!(listed(&storage, FileKind::Config), []);
        storage.create_layout().unwrap();
        let (a, b) = (Id([0xaa; 32]), Id([0xbb; 32]));
        storage.write(FileKind::Pack, &a, &[b"a"]).unwrap();
        storage.write(FileKind::Pack, &b, &[b"bb"]).unwrap();
        storage.write(FileKind::Config, &Id::ZERO, &[b"config"]).unwrap();
        let data = folder.path().join("data/aa");
        fs::write(data.join(format!("{a}-tmp-0011")), "half").unwrap();
        fs::write(data.join(a.to_string().to_uppercase()), "").unwrap();
        fs::write(data.join(b.to_string()), "misplaced").unwrap();
        fs::create_dir(data.join(Id([0xab; 32]).to_string())).unwrap();
        assert_eq!(listed(&storage, FileKind::Pack), [(a, 1), (b, 2)]);
        assert_eq!(listed(&storage, FileKind::Config), [(Id::ZERO, 6)]);
    }

    #[test]
    fn says_when_files_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new(folder.path());
        storage.create_layout().unwrap();
        let (a, b) = (Id([0xaa; 32]), Id([0xbb; 32]));
        for (id, seconds) in [(a, 86_400), (b, 1_700_000_000)] {
            storage.write(FileKind::Pack, &id, &[b"x"]).unwrap();
            let path = storage.describe_file(FileKind::Pack, &id);
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
            let time = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
        }
        let mut found = Vec::new();
        storage
            .list_dated(FileKind::Pack, &mut |file| found.push((file.id, file.modified)))
            .unwrap();
        found.sort();
        assert_eq!(found, [(a, Some(86_400)), (b, Some(1_700_000_000))]);
    }

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let storage = LocalStorage::new(folder.path());
        storage.create_layout().unwrap();
        let id = Id::of(b"x");
        let target = folder.path().join("keys").join(id.to_string());
        fs::create_dir(&target).unwrap();
        assert!(storage.write(FileKind::Key, &id, &[b"x"]).is_err());
        let names: Vec<_> = fs::read_dir(folder.path().join("keys"))
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, [target.file_name().unwrap()]);
    }
}

//! The config's file: read, changed and replaced in one step, by one at a time.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::config::{Config, Error, Result};

/// Changes the file by one of the functions of this room: reads it (empty when missing), applies, checks that the result
/// parses, and replaces the file in one step with its mode kept (0600 when new; its folder is made). A symbolic link is
/// followed. From reading to replacing nobody else of Coffer changes it, in this process or another.
pub fn change(file: &Path, edit: impl FnOnce(&str) -> Result<String>) -> Result<Config> {
    let failed = |action, file: &Path| {
        let file = file.to_path_buf();
        move |source| Error::Io { action, file, source }
    };
    let real = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let folder = match real.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let _turn = wait_for_turn(folder);
    let (text, permissions) = match std::fs::read_to_string(&real) {
        Ok(text) => (
            text,
            Some(std::fs::metadata(&real).map_err(failed("read", &real))?.permissions()),
        ),
        Err(e) if e.kind() == io::ErrorKind::NotFound => (String::new(), None),
        Err(e) => return Err(failed("read", &real)(e)),
    };
    let text = edit(&text)?;
    let config = Config::parse(&text, file)?.with_prices(&text, file);
    let beside = beside(&real);
    let write = || {
        let mut new = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        new.write_all(text.as_bytes())?;
        if let Some(permissions) = permissions {
            new.set_permissions(permissions)?;
        }
        new.sync_all()?;
        std::fs::rename(&beside, &real)
    };
    write().map_err(|e| {
        let _ = std::fs::remove_file(&beside);
        failed("write", &real)(e)
    })?;
    // Until the folder is on the disk, a power cut brings the file before back: no harm, and nothing that could be mended.
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!("cannot sync {}: {error}", folder.display());
    }
    Ok(config)
}

/// Held while the file is changed: a lock on its folder, which leaves no file behind. Where a filesystem has no such locks,
/// changes at the same moment are not kept apart.
fn wait_for_turn(folder: &Path) -> Option<File> {
    let locked = File::open(folder).and_then(|folder| folder.lock().map(|()| folder));
    locked
        .inspect_err(|error| tracing::warn!("cannot lock {}: {error}", folder.display()))
        .ok()
}

/// A name for the new file that no other change has.
fn beside(file: &Path) -> PathBuf {
    let mut random = [0; 8];
    // Without randomness the process number alone must do: who writes the same file finds it there.
    let _ = getrandom::fill(&mut random);
    let mut name = file.as_os_str().to_owned();
    name.push(format!(
        ".{}-{:016x}.new",
        std::process::id(),
        u64::from_le_bytes(random)
    ));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_at_the_same_moment_all_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for n in 0..8 {
                        let section = format!("[vaults.v{thread}-{n}]\npath = '/v'\n");
                        change(file, |text| Ok(format!("{text}{section}"))).unwrap();
                    }
                });
            }
        });
        assert_eq!(Config::load(&file).unwrap().vaults.len(), 32);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

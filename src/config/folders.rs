//! Where Coffer's own files lie.

use std::path::PathBuf;

use super::{Error, Result};

/// Coffer's own places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The config file (which need not exist).
    pub config: PathBuf,
    /// The folder for what can be made again from the vaults.
    pub cache: PathBuf,
    /// The folder for the catalog with its history.
    pub data: PathBuf,
}

/// What overrides the usual places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoldersGiven {
    /// The config file.
    pub config: Option<PathBuf>,
    /// The cache folder.
    pub cache: Option<PathBuf>,
    /// The data folder.
    pub data: Option<PathBuf>,
}

impl FoldersGiven {
    /// What `COFFER_CONFIG`, `COFFER_CACHE_DIR` and `COFFER_DATA_DIR` say. Empty values count as unset.
    pub fn from_environment() -> FoldersGiven {
        let get = |name| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        FoldersGiven {
            config: get("COFFER_CONFIG"),
            cache: get("COFFER_CACHE_DIR"),
            data: get("COFFER_DATA_DIR"),
        }
    }
}

impl Folders {
    /// The places to use: `--config` first, then the environment, then the platform's usual folders. Makes nothing.
    pub fn find(config_flag: Option<PathBuf>) -> Result<Folders> {
        let mut given = FoldersGiven::from_environment();
        given.config = config_flag.or(given.config);
        Folders::with(given)
    }

    /// The places to use where some are given.
    pub fn with(given: FoldersGiven) -> Result<Folders> {
        let usual = directories::ProjectDirs::from("", "", "coffer");
        let pick = |given: Option<PathBuf>, usual: Option<PathBuf>, what, how| {
            let path = given.or(usual).ok_or(Error::NoHome(what, how))?;
            std::path::absolute(&path).map_err(|source| Error::Io {
                action: "find",
                file: path,
                source,
            })
        };
        let usual = usual.as_ref();
        Ok(Folders {
            config: pick(
                given.config,
                usual.map(|u| u.config_dir().join("config.toml")),
                "the config",
                "COFFER_CONFIG",
            )?,
            cache: pick(
                given.cache,
                usual.map(|u| u.cache_dir().into()),
                "the cache",
                "COFFER_CACHE_DIR",
            )?,
            data: pick(
                given.data,
                usual.map(|u| u.data_dir().into()),
                "the catalog",
                "COFFER_DATA_DIR",
            )?,
        })
    }
}

/// The user's home folder, for `~/` in the config.
pub(super) fn home() -> Option<PathBuf> {
    directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_places_win() {
        let given = FoldersGiven {
            config: Some("/a/c.toml".into()),
            cache: Some("/b".into()),
            data: Some("/d".into()),
        };
        let folders = Folders::with(given).unwrap();
        assert_eq!(
            folders,
            Folders {
                config: "/a/c.toml".into(),
                cache: "/b".into(),
                data: "/d".into()
            }
        );
    }

    #[test]
    fn relative_places_become_absolute() {
        let given = FoldersGiven {
            config: Some("c.toml".into()),
            cache: Some("b".into()),
            data: Some("d".into()),
        };
        let folders = Folders::with(given).unwrap();
        assert!(folders.config.is_absolute() && folders.cache.is_absolute() && folders.data.is_absolute());
        assert!(folders.config.ends_with("c.toml"));
    }
}

//! From the config's plans to what a backup is told.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::setup::CountExcludes;
use super::{Engine, Error, Result};
use crate::backup::options::Clock;
use crate::backup::{BackupOptions, Exclude};
use crate::config::{self, PlanConfig, suggest};

impl Engine {
    /// The plan of this name.
    pub fn plan(&self, name: &str) -> Result<PlanConfig> {
        let config = self.config();
        config.plan(name).cloned().ok_or_else(|| {
            let suggestion = suggest(name, config.plans.iter().map(|plan| plan.name.as_str())).map(Into::into);
            Error::UnknownPlan {
                text: name.into(),
                suggestion,
            }
        })
    }

    /// Whether a plan is for this machine.
    pub(super) fn is_for_here(&self, plan: &PlanConfig) -> bool {
        plan.host.as_ref().is_none_or(|host| *host == self.settings().host)
    }

    /// What a backup into `vault` is told before anything of its own: who, where, when, and the vault's compression and
    /// pack size from the config.
    pub fn backup_options(&self, vault: &str) -> Result<BackupOptions> {
        let settings = self.settings();
        let place = self.find(vault)?;
        let mut options = BackupOptions {
            host: settings.host.clone(),
            user: settings.user.clone(),
            uid: settings.uid,
            gid: settings.gid,
            time: self.now(),
            clock: Clock(Arc::clone(&settings.clock)),
            zone: settings.zone.clone(),
            ..BackupOptions::default()
        };
        if let Some(vault) = place.config {
            options.compression = vault.compression.unwrap_or(options.compression);
            options.pack_size = vault.pack_size.unwrap_or(options.pack_size);
        }
        Ok(options)
    }

    /// What a backup of these absolute paths into `vault` is told.
    pub fn paths_options(&self, vault: &str, paths: Vec<PathBuf>, excludes: &[String]) -> Result<BackupOptions> {
        let mut options = self.backup_options(vault)?;
        if paths.is_empty() {
            return Err(Error::Usage("there is no path to back up: name at least one".into()));
        }
        if let Some(path) = paths.iter().find(|path| !path.is_absolute()) {
            return Err(Error::Usage(format!(
                "{} is not an absolute path; write it out from /",
                path.display()
            )));
        }
        for pattern in excludes {
            options
                .exclude
                .add(pattern, false)
                .map_err(crate::backup::Error::from)?;
        }
        options.paths = paths;
        Ok(options)
    }

    /// What a run of a plan into `vault` (one of the plan's) is told. Reads its exclude files.
    pub fn plan_options(&self, plan: &PlanConfig, vault: &str) -> Result<BackupOptions> {
        let mut options = self.backup_options(vault)?;
        let exclude = exclude_of(&asked_of(plan))?;
        options.paths = plan.paths.clone();
        options.exclude = exclude;
        options.tags = plan.tags.clone();
        if let Some(host) = &plan.host {
            options.host = host.clone();
        }
        Ok(options)
    }
}

/// What a plan takes of this machine.
pub(super) struct Scope {
    pub(super) paths: Vec<PathBuf>,
    exclude: Exclude,
}

impl Scope {
    /// Of a plan. Reads its exclude files; of those that cannot be read nothing is known.
    pub(super) fn of(plan: &PlanConfig) -> Scope {
        let mut asked = asked_of(plan);
        let exclude = exclude_of(&asked).or_else(|_| {
            asked.exclude_files.clear();
            exclude_of(&asked)
        });
        Scope {
            paths: plan.paths.clone(),
            exclude: exclude.unwrap_or_default(),
        }
    }

    /// Whether it takes a path with what is below it, as far as one path's name and filesystem say. `filesystem` gives the
    /// number of the one that a path lies in.
    pub(super) fn takes(&self, path: &Path, filesystem: &dyn Fn(&Path) -> Option<u64>) -> bool {
        let takes = |above: &PathBuf| {
            path.starts_with(above) && (!self.exclude.one_file_system || filesystem(above) == filesystem(path))
        };
        self.paths.iter().any(takes) && !self.exclude.leaves_out(path)
    }
}

fn asked_of(plan: &PlanConfig) -> CountExcludes {
    CountExcludes {
        paths: Vec::new(),
        excludes: plan.excludes.clone(),
        exclude_files: plan.exclude_files.clone(),
        caches: plan.exclude_caches,
        one_file_system: plan.one_file_system,
        larger_than: plan.exclude_larger_than,
    }
}

/// A folder's device and inode: what it is, whatever path leads there.
pub(super) fn identity(folder: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(folder).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// What is left out, from its patterns and files. Reads the files.
pub(super) fn exclude_of(asked: &CountExcludes) -> Result<Exclude> {
    let mut exclude = Exclude::default();
    let wrong = crate::backup::Error::from;
    for pattern in &asked.excludes {
        exclude.add(pattern, false).map_err(wrong)?;
    }
    for file in &asked.exclude_files {
        let failed = |source| config::Error::Io {
            action: "read",
            file: file.clone(),
            source,
        };
        let text = std::fs::read_to_string(file).map_err(failed)?;
        exclude.add_file(&text, false).map_err(wrong)?;
    }
    if asked.caches {
        exclude.caches();
    }
    exclude.larger_than = asked.larger_than;
    exclude.one_file_system = asked.one_file_system;
    Ok(exclude)
}

//! From the config's plans to what a backup is told.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
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
        let exclude = exclude_of(&CountExcludes {
            paths: Vec::new(),
            excludes: plan.excludes.clone(),
            exclude_files: plan.exclude_files.clone(),
            caches: plan.exclude_caches,
            one_file_system: plan.one_file_system,
            larger_than: plan.exclude_larger_than,
        })?;
        options.paths = plan.paths.clone();
        options.exclude = exclude;
        options.tags = plan.tags.clone();
        if let Some(host) = &plan.host {
            options.host = host.clone();
        }
        Ok(options)
    }
}

/// A folder's device and inode: what it is, whatever path leads there.
pub(super) fn identity(folder: &std::path::Path) -> Option<(u64, u64)> {
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

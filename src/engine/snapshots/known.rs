//! Which folders, images and volumes were snapshotted: most can be found by looking, but not a folder among thousands that
//! once was copied. Only a convenience: the snapshots and their records lie elsewhere.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::engine::Engine;
use crate::snapshot::Target;

/// More are not remembered.
const MOST: usize = 1000;

impl Engine {
    fn known_file(&self) -> PathBuf {
        self.settings().data.join("snapshotted.json")
    }

    /// Those that were snapshotted from here.
    pub(super) fn known_targets(&self) -> BTreeSet<Target> {
        let text = std::fs::read(self.known_file()).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Remembers targets. What cannot be written down is found by looking, or by being named.
    pub(super) fn remember_targets(&self, targets: &[Target]) {
        let mut known = self.known_targets();
        let before = known.len();
        known.extend(targets.iter().cloned());
        if known.len() == before || known.len() > MOST {
            return;
        }
        let file = self.known_file();
        let part = file.with_extension("part");
        let written = serde_json::to_vec(&known)
            .map_err(std::io::Error::from)
            .and_then(|text| std::fs::write(&part, text))
            .and_then(|()| std::fs::rename(&part, &file));
        if let Err(error) = written {
            tracing::warn!("cannot write {}: {error}", file.display());
        }
    }
}

//! Which disks machines had when they last ran, for when they do not: a file of ours.
//!
//! A disk less would be another machine: one whose disks are not all there, or of which one kept no snapshots, is not taken
//! by those that are left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a machine had when it last ran.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// The images of its disks, the first one with the records beside it.
    pub images: Vec<PathBuf>,
    /// Why no snapshot could be had of it.
    #[serde(default)]
    pub problem: Option<String>,
}

impl Known {
    /// The images that are there.
    pub fn there(&self) -> Vec<PathBuf> {
        self.images.iter().filter(|image| image.is_file()).cloned().collect()
    }

    /// Why these are not all the disks of the machine.
    pub fn lacks(&self) -> Option<String> {
        if let Some(problem) = &self.problem {
            return Some(format!(
                "when it last ran no snapshot could be had of it, since {problem}"
            ));
        }
        let gone = self.images.iter().find(|image| !image.is_file());
        gone.map(|image| {
            format!(
                "its disk {} is not there any more: bring it back, or start the machine without it",
                image.display()
            )
        })
    }
}

fn all(file: &Path) -> BTreeMap<String, Known> {
    let text = std::fs::read(file).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// What is known of a machine; nothing of one that never ran.
pub(super) fn known(file: &Path, name: &str) -> Known {
    all(file).remove(name).unwrap_or_default()
}

/// Remembers a machine. What cannot be written down is asked again when it runs.
pub(super) fn remember(file: &Path, name: &str, now: Known) {
    let mut all = all(file);
    if now == Known::default() || all.get(name) == Some(&now) {
        return;
    }
    all.insert(name.to_owned(), now);
    let part = file.with_extension("part");
    let written = serde_json::to_vec_pretty(&all)
        .map_err(std::io::Error::from)
        .and_then(|text| std::fs::write(&part, text))
        .and_then(|()| std::fs::rename(&part, file));
    if let Err(error) = written {
        tracing::warn!("cannot write {}: {error}", file.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_not_taken_with_a_disk_less() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines.json");
        assert_eq!(known(&file, "web"), Known::default());
        let image = |name: &str| folder.path().join(name);
        std::fs::write(image("a"), "").unwrap();
        std::fs::write(image("b"), "").unwrap();
        let two = Known {
            images: vec![image("a"), image("b")],
            problem: None,
        };
        remember(&file, "web", two.clone());
        remember(&file, "db", Known::default());
        assert_eq!(known(&file, "web"), two);
        assert_eq!(two.lacks(), None);
        std::fs::remove_file(image("b")).unwrap();
        assert_eq!(two.there(), [image("a")]);
        assert!(two.lacks().unwrap().contains("b is not there any more"));
        let raw = Known {
            images: vec![image("a")],
            problem: Some("its disk b is raw".into()),
        };
        remember(&file, "web", raw);
        assert!(
            known(&file, "web")
                .lacks()
                .unwrap()
                .ends_with("since its disk b is raw")
        );
    }
}

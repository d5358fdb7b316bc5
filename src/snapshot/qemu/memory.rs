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

/// The same, and whose it was: another machine may get the name later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// The socket of its monitor.
    #[serde(default)]
    qmp: PathBuf,
    #[serde(flatten)]
    known: Known,
}

fn all(file: &Path) -> BTreeMap<String, Entry> {
    let text = std::fs::read(file).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// What is known of the machine of a name and a monitor's socket; nothing of one that never ran.
pub(super) fn known(file: &Path, name: &str, qmp: &Path) -> Known {
    let entry = all(file).remove(name).filter(|entry| entry.qmp == qmp);
    entry.map(|entry| entry.known).unwrap_or_default()
}

/// Remembers a machine. What cannot be written down is asked again when it runs.
pub(super) fn remember(file: &Path, name: &str, qmp: &Path, now: Known) {
    let mut all = all(file);
    let entry = Entry {
        qmp: qmp.to_path_buf(),
        known: now,
    };
    if entry.known == Known::default() || all.get(name) == Some(&entry) {
        return;
    }
    all.insert(name.to_owned(), entry);
    write(file, &all);
}

/// Remembers nothing of a machine any more.
pub(super) fn forget(file: &Path, name: &str) {
    let mut all = all(file);
    if all.remove(name).is_some() {
        write(file, &all);
    }
}

fn write(file: &Path, all: &BTreeMap<String, Entry>) {
    let part = file.with_extension("part");
    let written = serde_json::to_vec_pretty(all)
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
        let qmp = Path::new("/run/web");
        assert_eq!(known(&file, "web", qmp), Known::default());
        let image = |name: &str| folder.path().join(name);
        std::fs::write(image("a"), "").unwrap();
        std::fs::write(image("b"), "").unwrap();
        let two = Known {
            images: vec![image("a"), image("b")],
            problem: None,
        };
        remember(&file, "web", qmp, two.clone());
        remember(&file, "db", qmp, Known::default());
        assert_eq!(known(&file, "web", qmp), two);
        assert_eq!(two.lacks(), None);
        std::fs::remove_file(image("b")).unwrap();
        assert_eq!(two.there(), [image("a")]);
        assert!(two.lacks().unwrap().contains("b is not there any more"));
        let raw = Known {
            images: vec![image("a")],
            problem: Some("its disk b is raw".into()),
        };
        remember(&file, "web", qmp, raw);
        let lacks = known(&file, "web", qmp).lacks().unwrap();
        assert!(lacks.ends_with("since its disk b is raw"), "{lacks}");
    }

    #[test]
    fn another_machine_of_the_same_name_does_not_have_its_disks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machines.json");
        let [one, other] = ["/run/one", "/run/other"].map(Path::new);
        let now = Known {
            images: vec!["/vm/a".into()],
            problem: None,
        };
        remember(&file, "web", one, now.clone());
        assert_eq!(known(&file, "web", other), Known::default());
        assert_eq!(known(&file, "web", one), now);
        forget(&file, "web");
        assert_eq!(known(&file, "web", one), Known::default());
    }
}

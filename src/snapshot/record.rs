//! What Coffer knows of a snapshot beyond what its system keeps, as a file beside it.
//!
//! JSON, so that people and other programs can read it; written whole or not at all. `details` is the provider's own.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::system::io_error;
use super::{Error, Kind, Result, Snapshot, SnapshotId};

/// The format's version. A record of a later one is not understood.
const VERSION: u32 = 1;

/// A record is small: anything larger is none.
const LARGEST: u64 = 1 << 20;

/// A snapshot and what its provider remembers of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// The snapshot.
    pub snapshot: Snapshot,
    /// The provider's own: ids of its system that tell whether it is still the same.
    #[serde(default)]
    pub details: Value,
}

impl Record {
    /// A record of this version.
    pub fn new(snapshot: Snapshot, details: Value) -> Record {
        Record {
            version: VERSION,
            snapshot,
            details,
        }
    }

    /// Reads one.
    pub fn read(file: &Path) -> Result<Record> {
        let broken = |why: String| Error::Record {
            path: file.to_path_buf(),
            why,
        };
        let open = std::fs::File::open(file).map_err(io_error("open", file))?;
        let mut text = Vec::new();
        open.take(LARGEST)
            .read_to_end(&mut text)
            .map_err(io_error("read", file))?;
        let value: Value = serde_json::from_slice(&text)
            .map_err(|error| broken(format!("this is no record of a snapshot: {error}")))?;
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(broken(format!(
                    "this record has version {version}, of a newer Coffer: use that one"
                )));
            }
            None => return Err(broken("this record has no version".into())),
        }
        serde_json::from_value(value).map_err(|error| broken(format!("this is no record of a snapshot: {error}")))
    }

    /// Writes it in the place of what is there: what is read afterwards is the old or the new, also after a crash.
    pub fn write(&self, file: &Path) -> Result<()> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| Error::Record {
            path: file.to_path_buf(),
            why: error.to_string(),
        })?;
        text.push(b'\n');
        let part = file.with_extension("part");
        let mut out = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .map_err(io_error("create", &part))?;
        out.write_all(&text)
            .and_then(|()| out.sync_all())
            .map_err(io_error("write", &part))?;
        std::fs::rename(&part, file).map_err(io_error("write", file))?;
        match file.parent() {
            Some(folder) => sync_folder(folder),
            None => Ok(()),
        }
    }
}

/// Makes the names in a folder outlive a crash.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    std::fs::File::open(folder)
        .and_then(|open| open.sync_all())
        .map_err(io_error("sync", folder))
}

impl SnapshotId {
    /// The id of a snapshot that another program made: of what that calls it.
    pub fn foreign(kind: Kind, name: &[u8]) -> SnapshotId {
        let mut hash = Sha256::new();
        hash.update([kind as u8]);
        hash.update(name);
        SnapshotId(data_encoding::HEXLOWER.encode(&hash.finalize()[..6]))
    }

    /// A new id.
    pub fn random() -> Result<SnapshotId> {
        let mut random = [0; 6];
        getrandom::fill(&mut random).map_err(|error| Error::Command {
            command: "asking the system for random bytes".into(),
            said: error.to_string(),
        })?;
        Ok(SnapshotId(data_encoding::HEXLOWER.encode(&random)))
    }

    /// Whether this may be an id: nothing else becomes part of a path.
    pub fn is_sound(&self) -> bool {
        self.0.len() == 12 && self.0.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn a_record_is_read_back_and_a_newer_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("record.json");
        let record = Record::new(
            testing::snapshot("a1b2c3d4e5f6", 1_700_000_000),
            serde_json::json!({"uuid": "x"}),
        );
        record.write(&file).unwrap();
        assert_eq!(Record::read(&file).unwrap(), record);
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert_eq!(names.len(), 1, "nothing else stays");

        let newer = std::fs::read_to_string(&file)
            .unwrap()
            .replace("\"version\": 1", "\"version\": 2");
        std::fs::write(&file, newer).unwrap();
        assert!(
            Record::read(&file)
                .unwrap_err()
                .to_string()
                .contains("version 2, of a newer Coffer")
        );
        std::fs::write(&file, "{").unwrap();
        assert!(Record::read(&file).is_err());
    }

    #[test]
    fn ids_of_foreign_snapshots_are_the_same_each_time_and_sound() {
        let one = SnapshotId::foreign(Kind::Btrfs, b"/.snapshots/1/snapshot");
        assert_eq!(one, SnapshotId::foreign(Kind::Btrfs, b"/.snapshots/1/snapshot"));
        assert_ne!(one, SnapshotId::foreign(Kind::Qcow2, b"/.snapshots/1/snapshot"));
        assert!(one.is_sound() && SnapshotId::random().unwrap().is_sound());
        assert!(!SnapshotId("../../etc/pas".into()).is_sound());
    }
}

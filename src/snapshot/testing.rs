//! Values for tests.

use super::{Consistency, Kind, MadeBy, Snapshot, SnapshotId, Target, Whole};
use crate::vault::Time;

/// A moment.
pub(crate) fn time(seconds: i64) -> Time {
    Time {
        seconds,
        nanos: 0,
        offset: 0,
    }
}

/// A snapshot of `/srv` by hand.
pub(crate) fn snapshot(id: &str, seconds: i64) -> Snapshot {
    Snapshot {
        id: SnapshotId(id.into()),
        kind: Kind::Btrfs,
        target: Target::Folder("/srv".into()),
        taken: time(seconds),
        consistency: Consistency::Crash,
        label: String::new(),
        protected: false,
        made_by: MadeBy::Hand,
        until: None,
        group: None,
        pause: None,
        notes: Vec::new(),
        whole: Whole::Yes,
        handle: format!("/.coffer-snapshots/{id}/files"),
    }
}

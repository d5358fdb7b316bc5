//! Snapshots in words and badges: what people call levels, kinds and makers.

use crate::engine::question::{SnapshotRow, SnapshotTargetRow};
use crate::snapshot::{Consistency, Kind, MadeBy, Target};
use crate::text;
use crate::tui::dialogs::confirm;
use crate::tui::theme::{Role, Symbols};

/// A level's badge: a shape that fills up as more is whole, and its letter; never a colour alone.
pub(crate) fn badge(level: Consistency, symbols: &Symbols) -> (String, Role) {
    let (shape, letter, role) = match level {
        Consistency::Crash => (symbols.unmarked, 'c', Role::Dim),
        Consistency::Filesystem => (symbols.partly, 'f', Role::Text),
        Consistency::Application => (symbols.marked, 'a', Role::Good),
        Consistency::Memory => (symbols.several, 'm', Role::Good),
    };
    (format!("{shape} {letter}"), role)
}

/// The badge with the level's whole word.
pub(crate) fn badge_word(level: Consistency, symbols: &Symbols) -> (String, Role) {
    let (badge, role) = badge(level, symbols);
    let shape = badge.split(' ').next().unwrap_or_default();
    (format!("{shape} {level}"), role)
}

/// What a level means, a sentence.
pub(crate) fn meaning(level: Consistency) -> &'static str {
    match level {
        Consistency::Crash => {
            "As after pulling the power cable: what was on the disk at one moment. Programs recover as after a crash."
        }
        Consistency::Filesystem => "All that programs had handed to the filesystem is there, whole.",
        Consistency::Application => {
            "Programs were told to have everything on the disk: databases have their transactions whole."
        }
        Consistency::Memory => "RAM and devices are in it: programs go on where they were.",
    }
}

/// The same in a few words.
pub(super) fn meaning_in_short(level: Consistency) -> &'static str {
    match level {
        Consistency::Crash => "as after a power cut",
        Consistency::Filesystem => "all that was written, whole",
        Consistency::Application => "databases are whole",
        Consistency::Memory => "with RAM: programs go on",
    }
}

/// What kind of thing a target is, a word.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Btrfs => "subvolume",
        Kind::Reflink => "folder",
        Kind::Qcow2 => "image",
        Kind::Qemu => "machine",
        Kind::Ebs => "cloud volume",
    }
}

/// What snapshots it.
pub(crate) fn system(kind: Kind) -> &'static str {
    match kind {
        Kind::Btrfs => "btrfs",
        Kind::Reflink => "copies that share blocks",
        Kind::Qcow2 => "qcow2, inside the image",
        Kind::Qemu => "QEMU",
        Kind::Ebs => "the cloud",
    }
}

/// In which order kinds are listed: what runs first.
pub(super) fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Qemu => 0,
        Kind::Btrfs => 1,
        Kind::Reflink => 2,
        Kind::Qcow2 => 3,
        Kind::Ebs => 4,
    }
}

/// A target's name, safe to show.
pub(crate) fn name(row: &SnapshotTargetRow) -> String {
    text::escape(row.name.as_bytes())
}

/// A target as people write it, safe to show.
pub(crate) fn target(target: &Target) -> String {
    text::escape(target.to_string().as_bytes())
}

/// What is typed before something of a target is lost: its name as short as it is still its own.
pub(crate) fn typed_name(target: &Target) -> String {
    match target {
        Target::Folder(path) => confirm::typed_name(&path.to_string_lossy(), "volume"),
        Target::Image(path) => confirm::typed_name(&path.to_string_lossy(), "image"),
        Target::Machine(name) => confirm::typed_name(name, "machine"),
        Target::Ebs(volume) => confirm::typed_name(volume, "volume"),
    }
}

/// Who made a snapshot, in short; safe to show.
pub(crate) fn made_by(by: &MadeBy) -> String {
    match by {
        MadeBy::Hand => "hand".into(),
        MadeBy::Policy(name) => text::escape(name.as_bytes()),
        MadeBy::Safety(_) => "safety".into(),
        MadeBy::Backup => "backup".into(),
        MadeBy::Other => "other".into(),
    }
}

/// Who made a snapshot, in whole words.
pub(super) fn made_by_words(by: &MadeBy) -> String {
    match by {
        MadeBy::Hand => "by hand".into(),
        MadeBy::Policy(name) => format!("by policy {}", text::escape(name.as_bytes())),
        MadeBy::Safety(id) => format!("before going back to {id}"),
        MadeBy::Backup => "by a backup that reads it".into(),
        MadeBy::Other => "by another program".into(),
    }
}

/// What becomes of a snapshot, in short; safe to show.
pub(crate) fn becomes(row: &SnapshotRow) -> String {
    match (row.snapshot.protected, row.fate.as_str()) {
        (true, _) => "protected".into(),
        (false, "") => "stays".into(),
        (false, fate) => text::escape(fate.as_bytes()),
    }
}

/// Bytes that a snapshot alone takes: as counted, or as near as its system tells.
pub(crate) fn alone(row: &SnapshotRow) -> String {
    let Some(size) = &row.size else { return String::new() };
    match (size.exclusive, size.exact) {
        (None, _) => "?".into(),
        (Some(bytes), true) => text::bytes(bytes),
        (Some(bytes), false) => format!("~{}", text::bytes(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::{ASCII, BLOCK, UNICODE};

    #[test]
    fn badges_differ_by_shape_and_by_letter_in_each_set() {
        for symbols in [&UNICODE, &BLOCK, &ASCII] {
            let badges: Vec<String> = Consistency::ALL.iter().map(|level| badge(*level, symbols).0).collect();
            for part in 0..2 {
                let mut parts: Vec<&str> = badges.iter().filter_map(|badge| badge.split(' ').nth(part)).collect();
                parts.sort_unstable();
                parts.dedup();
                assert_eq!(parts.len(), 4, "{badges:?}");
            }
        }
    }

    #[test]
    fn what_is_typed_is_short_and_can_be_typed() {
        let folder = |path: &str| typed_name(&Target::Folder(path.into()));
        assert_eq!((folder("/srv/www").as_str(), folder("/").as_str()), ("www", "/"));
        assert_eq!(folder("/srv/a\u{1b}b"), "volume");
        assert_eq!(typed_name(&Target::Image("/srv/ x .qcow2".into())), "image");
        assert_eq!(typed_name(&Target::Machine("db".into())), "db");
        use std::os::unix::ffi::OsStrExt;
        let odd = std::ffi::OsStr::from_bytes(b"/srv/a\xff");
        assert_eq!(typed_name(&Target::Folder(odd.into())), "volume");
    }
}

//! The kinds of jobs, and the words they go by in the history.

/// What kind of work a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Files into a vault.
    Backup,
    /// What a backup would store: no run of a plan as far as the history goes.
    DryBackup,
    /// Files out of a vault.
    Restore,
    /// Is the vault whole?
    Check,
    /// Generations deleted.
    Forget,
    /// Space given back.
    Prune,
    /// Labels changed.
    Tag,
    /// Locks removed.
    Unlock,
    /// A volume or machine at one moment, or several.
    Snapshot,
    /// A volume or machine put back to a snapshot.
    Rollback,
    /// Snapshots deleted.
    DeleteSnapshots,
    /// A volume, folder or image of its own made of a snapshot.
    CloneSnapshot,
    /// Files out of a snapshot.
    RestoreSnapshot,
}

impl JobKind {
    const ALL: [JobKind; 13] = [
        JobKind::Backup,
        JobKind::DryBackup,
        JobKind::Restore,
        JobKind::Check,
        JobKind::Forget,
        JobKind::Prune,
        JobKind::Tag,
        JobKind::Unlock,
        JobKind::Snapshot,
        JobKind::Rollback,
        JobKind::DeleteSnapshots,
        JobKind::CloneSnapshot,
        JobKind::RestoreSnapshot,
    ];

    /// The word for it, as in the history.
    pub fn word(self) -> &'static str {
        match self {
            JobKind::Backup => "backup",
            JobKind::DryBackup => "backup-dry-run",
            JobKind::Restore => "restore",
            JobKind::Check => "check",
            JobKind::Forget => "forget",
            JobKind::Prune => "prune",
            JobKind::Tag => "tag",
            JobKind::Unlock => "unlock",
            JobKind::Snapshot => "snapshot",
            JobKind::Rollback => "rollback",
            JobKind::DeleteSnapshots => "snapshot-delete",
            JobKind::CloneSnapshot => "snapshot-clone",
            JobKind::RestoreSnapshot => "snapshot-restore",
        }
    }

    /// The kind of this word.
    pub fn of_word(word: &str) -> Option<JobKind> {
        JobKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

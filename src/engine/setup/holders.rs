//! Who can open a vault, and who holds it: its keys and its locks, for people.

use super::{Holder, KeyRow, LockRow};
use crate::engine::question::Answer;
use crate::engine::{OpenVault, Result};
use crate::vault::lock::{Lock, Presence};

/// The vault's keys, the one in use first, then by age.
pub(in crate::engine) fn keys(open: &OpenVault) -> Result<Answer> {
    let mut rows: Vec<KeyRow> = open
        .vault()
        .keys()?
        .into_iter()
        .map(|key| {
            let mut row = KeyRow {
                id: key.id,
                current: key.current,
                ..KeyRow::default()
            };
            match key.made {
                Ok(made) => {
                    row.made = Some(made.created.seconds);
                    row.user = made.username;
                    row.host = made.hostname;
                }
                Err(problem) => row.problem = problem,
            }
            row
        })
        .collect();
    rows.sort_by_key(|row| (!row.current, row.made, row.id));
    Ok(Answer::Keys(rows))
}

/// The vault's locks, oldest first; one that cannot be read is listed as such.
pub(in crate::engine) fn locks(open: &OpenVault) -> Result<Answer> {
    let mut rows: Vec<LockRow> = open
        .vault()
        .locks_as_found()?
        .into_iter()
        .map(|(id, lock)| match lock {
            Ok(lock) => to_row(&lock),
            Err(error) => LockRow {
                id,
                problem: error.to_string(),
                ..LockRow::default()
            },
        })
        .collect();
    rows.sort_by_key(|row| (row.since, row.id));
    Ok(Answer::Locks(rows))
}

fn to_row(lock: &Lock) -> LockRow {
    LockRow {
        id: lock.id,
        user: lock.username.clone(),
        host: lock.hostname.clone(),
        pid: lock.pid,
        since: Some(lock.time.seconds),
        exclusive: lock.exclusive,
        holder: match lock.presence() {
            Presence::Ours => Holder::Coffer,
            Presence::Runs => Holder::Runs,
            Presence::Gone => Holder::Gone,
            Presence::Elsewhere => Holder::Elsewhere,
        },
        stale: lock.is_stale(),
        problem: String::new(),
    }
}

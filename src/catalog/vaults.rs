//! Vaults seen, and their generations.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Catalog, Result};
use crate::vault::{Generation, Id};

/// What is remembered of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultRecord {
    /// Where it lies, as its storage says it: the key.
    pub place: String,
    /// Its own id.
    pub id: String,
    /// Its name in the config when it was last seen.
    pub name: Option<String>,
    /// When it was last seen, in seconds since 1970.
    pub seen: i64,
    /// Bytes of all its packs.
    pub stored: Option<u64>,
    /// How many generations it held.
    pub generations: u64,
    /// The time of the newest of them, in seconds since 1970.
    pub newest: Option<i64>,
}

/// The remembered generations of a vault with one host and the same paths.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GenerationGroup {
    /// Where they were made.
    pub host: String,
    /// What was backed up.
    pub paths: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// When the newest was made, in seconds since 1970.
    pub newest: i64,
    /// What the newest one's files weigh, if its summary says so.
    pub logical: Option<u64>,
    /// How many files the newest one has, if its summary says so.
    pub files: Option<u64>,
}

impl Catalog {
    /// Remembers that a vault was seen. Another vault at the same place (another id) takes the old one's generations away.
    pub fn saw_vault(&self, place: &str, id: &str, name: Option<&str>, seen: i64, stored: Option<u64>) -> Result<()> {
        self.write(|t| {
            let mut old = t.prepare_cached("SELECT vault, id FROM vaults WHERE place = ?1")?;
            let old: Option<(i64, String)> = old.query_row([place], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            if let Some((vault, old_id)) = old
                && old_id != id
            {
                t.prepare_cached("DELETE FROM generations WHERE vault = ?1")?.execute([vault])?;
                want_sweep(t)?;
            }
            t.prepare_cached(
                "INSERT INTO vaults (place, id, name, seen, stored) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (place) DO UPDATE SET id = ?2, name = coalesce(?3, name), seen = ?4, stored = coalesce(?5, stored)",
            )?
            .execute(params![place, id, name, seen, stored.map(clamp)])?;
            Ok(())
        })
    }

    /// All vaults seen, by place.
    pub fn vaults(&self) -> Result<Vec<VaultRecord>> {
        self.read(|c| {
            let mut statement = c.prepare_cached(
                "SELECT place, id, name, seen, stored,
                        (SELECT count(*) FROM generations g WHERE g.vault = v.vault),
                        (SELECT max(time) FROM generations g WHERE g.vault = v.vault)
                 FROM vaults v ORDER BY place",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(VaultRecord {
                    place: row.get(0)?,
                    id: row.get(1)?,
                    name: row.get(2)?,
                    seen: row.get(3)?,
                    stored: row.get::<_, Option<i64>>(4)?.map(unsigned),
                    generations: unsigned(row.get(5)?),
                    newest: row.get(6)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Forgets a vault and its generations (its trees may be in other vaults too and stay).
    pub fn forget_vault(&self, place: &str) -> Result<()> {
        self.write(|t| {
            t.prepare_cached("DELETE FROM generations WHERE vault = (SELECT vault FROM vaults WHERE place = ?1)")?
                .execute([place])?;
            t.prepare_cached("DELETE FROM vaults WHERE place = ?1")?
                .execute([place])?;
            want_sweep(t)
        })
    }

    /// Makes the remembered generations of a vault (which was seen) exactly these; whether anything changed.
    pub fn store_generations(&self, place: &str, generations: &[Generation]) -> Result<bool> {
        self.write(|t| {
            let mut vault = t.prepare_cached("SELECT vault FROM vaults WHERE place = ?1")?;
            let Some(vault) = vault.query_row([place], |row| row.get::<_, i64>(0)).optional()? else {
                return Ok(false);
            };
            let mut have = t.prepare_cached("SELECT id FROM generations WHERE vault = ?1")?;
            let have: std::collections::HashSet<Id> = have
                .query_map([vault], |row| row.get::<_, [u8; 32]>(0).map(Id))?
                .collect::<rusqlite::Result<_>>()?;
            let want: std::collections::HashSet<Id> = generations.iter().map(|g| g.id).collect();
            let mut delete = t.prepare_cached("DELETE FROM generations WHERE vault = ?1 AND id = ?2")?;
            for gone in have.difference(&want) {
                delete.execute(params![vault, gone.0])?;
            }
            if !have.is_subset(&want) {
                want_sweep(t)?;
            }
            let mut insert = t.prepare_cached(
                "INSERT OR REPLACE INTO generations (vault, id, time, nanos, body, tree, kin)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for new in generations.iter().filter(|g| !have.contains(&g.id)) {
                let failed = |e| rusqlite::Error::ToSqlConversionFailure(Box::new(e));
                let body = serde_json::to_string(new).map_err(failed)?;
                let paths = serde_json::to_string(&new.paths).map_err(failed)?;
                let kin = format!("{}\n{paths}", new.hostname);
                insert.execute(params![
                    vault,
                    new.id.0,
                    new.time.seconds,
                    new.time.nanos,
                    body,
                    new.tree.0,
                    kin
                ])?;
            }
            Ok(have != want)
        })
    }

    /// The remembered generations of a vault, newest first.
    pub fn generations(&self, place: &str) -> Result<Vec<Generation>> {
        self.read(|c| {
            let mut statement = c.prepare_cached(
                "SELECT id, body FROM generations WHERE vault = (SELECT vault FROM vaults WHERE place = ?1)
                 ORDER BY time DESC, nanos DESC, id",
            )?;
            let rows = statement.query_map([place], |row| generation(row.get(0)?, row.get_ref(1)?.as_str()?))?;
            rows.collect()
        })
    }

    /// The remembered generations of a vault by host and paths: a row for each series, whatever its length.
    pub fn generation_groups(&self, place: &str) -> Result<Vec<GenerationGroup>> {
        self.read(|c| {
            // With one max() SQLite takes the other columns from the row that has it.
            let mut statement = c.prepare_cached(
                "SELECT coalesce(json_extract(body, '$.hostname'), ''), json_extract(body, '$.paths'), count(*), max(time),
                        json_extract(body, '$.summary.total_bytes_processed'),
                        json_extract(body, '$.summary.total_files_processed')
                 FROM generations WHERE vault = (SELECT vault FROM vaults WHERE place = ?1) GROUP BY 1, 2 ORDER BY 1, 2",
            )?;
            let rows = statement.query_map([place], |row| {
                let paths = row.get::<_, Option<String>>(1)?.unwrap_or_default();
                // Beyond SQLite's numbers it answers with a float: hostile, and only shown.
                let size = |column| row.get::<_, Option<i64>>(column).ok().flatten().map(unsigned);
                Ok(GenerationGroup {
                    host: row.get(0)?,
                    paths: serde_json::from_str(&paths).unwrap_or_default(),
                    count: unsigned(row.get(2)?),
                    newest: row.get(3)?,
                    logical: size(4),
                    files: size(5),
                })
            })?;
            rows.collect()
        })
    }

    /// One remembered generation.
    pub fn generation(&self, place: &str, id: &Id) -> Result<Option<Generation>> {
        self.read(|c| {
            c.prepare_cached(
                "SELECT id, body FROM generations WHERE vault = (SELECT vault FROM vaults WHERE place = ?1) AND id = ?2",
            )?
            .query_row(params![place, id.0], |row| generation(row.get(0)?, row.get_ref(1)?.as_str()?))
            .optional()
        })
    }
}

/// Notes that some trees may not be reached from any generation any more.
fn want_sweep(t: &Connection) -> rusqlite::Result<()> {
    t.prepare_cached("UPDATE about SET sweep = sweep + 1")?.execute([])?;
    Ok(())
}

fn generation(id: [u8; 32], body: &str) -> rusqlite::Result<Generation> {
    let mut generation: Generation = serde_json::from_str(body)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(e)))?;
    generation.id = Id(id);
    Ok(generation)
}

/// SQLite's numbers are signed; sizes beyond that are hostile and only shown.
pub(super) fn clamp(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

//! Generations: one point in time of a plan's files (restic calls the file a snapshot).
//!
//! [`Generation`] is the stored value and its exact bytes; `select` finds the ones a user means (id, prefix, `latest`,
//! time), `filter` narrows and groups lists of them. Loading and storing files is the vault's.

mod filter;
mod select;
#[cfg(test)]
pub mod tests_support;

pub use filter::{Filter, GroupBy, GroupKey, group};
pub use select::{Selector, resolve, resolve_all, resolve_selector};

use serde::{Deserialize, Deserializer, Serialize};

use super::{Id, Time};

/// One generation, as stored. The field order is the stored one. Absent fields are `None` or empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// The name of its file; not stored in it.
    #[serde(skip, default = "no_id")]
    pub id: Id,
    /// The moment it stands for.
    pub time: Time,
    /// The generation it was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id>,
    /// Its root folder.
    pub tree: Id,
    /// What was backed up, as absolute paths.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub paths: Vec<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hostname: String,
    /// By whom.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// By whom, as a number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uid: u32,
    /// By which group.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gid: u32,
    /// The exclude patterns.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub excludes: Vec<String>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub tags: Vec<String>,
    /// The generation this one was rewritten from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Id>,
    /// The program that made it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub program_version: String,
    /// What the backup did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<Summary>,
    /// Fields this program does not know, kept when it is rewritten.
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, serde_json::Value>,
}

/// What a backup did: counts, and bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // the names are the format's own and say it
pub struct Summary {
    pub backup_start: Time,
    pub backup_end: Time,
    pub files_new: u64,
    pub files_changed: u64,
    pub files_unmodified: u64,
    pub dirs_new: u64,
    pub dirs_changed: u64,
    pub dirs_unmodified: u64,
    pub data_blobs: u64,
    pub tree_blobs: u64,
    /// Bytes of new blobs before compression.
    pub data_added: u64,
    /// Bytes of new blobs as stored.
    pub data_added_packed: u64,
    pub total_files_processed: u64,
    pub total_bytes_processed: u64,
    /// Fields this program does not know, kept when the generation is rewritten.
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, serde_json::Value>,
}

impl Generation {
    /// The bytes of its file before compression and encryption, equal to those restic writes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, GoStrings);
        // Strings, numbers and maps with text keys, into memory: there is nothing that could fail.
        let written = self.serialize(&mut serializer);
        debug_assert!(written.is_ok());
        out
    }

    /// Reads what [`Generation::encode`] and restic write. `id` is the name of the file.
    pub fn decode(id: Id, plain: &[u8]) -> Result<Generation, serde_json::Error> {
        let mut generation: Generation = serde_json::from_slice(plain)?;
        generation.id = id;
        Ok(generation)
    }
}

/// JSON as Go writes it: what could end a script element in HTML is escaped.
struct GoStrings;

impl serde_json::ser::Formatter for GoStrings {
    fn write_string_fragment<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, text: &str) -> std::io::Result<()> {
        let special = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        for piece in text.split_inclusive(special) {
            let last = piece.chars().next_back().filter(|c| special(*c));
            let plain = &piece[..piece.len() - last.map_or(0, char::len_utf8)];
            writer.write_all(plain.as_bytes())?;
            if let Some(c) = last {
                write!(writer, "\\u{:04x}", c as u32)?;
            }
        }
        Ok(())
    }
}

fn no_id() -> Id {
    Id::ZERO
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

fn null_is_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As restic 0.18.0 stores it (after `tag --add`).
    const RESTIC: &str = concat!(
        r#"{"time":"2026-11-22T21:19:49.644775747Z","tree":"4a76c0f4ee3d28b16c3e6a989294b6f21772f30cc27537e4cd77347164c4842c","#,
        r#""paths":["/tmp/names","/tmp/names/dir"],"hostname":"h\"ö","username":"root","excludes":["*.x\u0026"],"#,
        r#""tags":["a\u003cb","c","new"],"original":"6009ab54f8e37c67310774baa2f865dd857ec323541c5e2d9133c65017dafc42","#,
        r#""program_version":"restic 0.18.0","summary":{"backup_start":"2026-11-22T21:19:49.644775747Z","#,
        r#""backup_end":"2026-11-22T21:19:50.360592315Z","files_new":53,"files_changed":0,"files_unmodified":0,"dirs_new":2,"#,
        r#""dirs_changed":0,"dirs_unmodified":0,"data_blobs":7,"tree_blobs":3,"data_added":3542498,"#,
        r#""data_added_packed":3002976,"total_files_processed":53,"total_bytes_processed":4048583}}"#
    );

    #[test]
    fn restic_generation_is_written_back_to_the_byte() {
        let generation = Generation::decode(Id([7; 32]), RESTIC.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(generation.encode()).unwrap(), RESTIC);
        assert_eq!(generation.id, Id([7; 32]));
        assert_eq!(
            (&*generation.tags[0], generation.summary.map(|s| s.files_new)),
            ("a<b", Some(53))
        );
    }

    #[test]
    fn every_field_has_its_place() {
        let text = RESTIC
            .replace("\"tree\":", &format!("\"parent\":\"{}\",\"tree\":", Id([1; 32])))
            .replace("\"excludes\"", "\"uid\":1000,\"gid\":100,\"excludes\"")
            .replace(
                "4048583}}",
                "4048583,\"took\":1.5},\"description\":\"x\\u2028\\n\\b\\u0001\",\"later\":{\"a\":[1,null]}}",
            );
        let generation = Generation::decode(Id::ZERO, text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(generation.encode()).unwrap(), text);
        assert_eq!(
            (generation.uid, generation.gid, generation.parent),
            (1000, 100, Some(Id([1; 32])))
        );
        assert_eq!(generation.unknown.len(), 2);
    }

    #[test]
    fn nulls_are_absent_and_the_tree_must_be_there() {
        let tree = Id([2; 32]);
        let text =
            format!(r#"{{"time":"2026-01-01T00:00:00+01:00","tree":"{tree}","paths":null,"tags":null,"parent":null}}"#);
        let generation = Generation::decode(Id::ZERO, text.as_bytes()).unwrap();
        let expected = format!(r#"{{"time":"2026-01-01T00:00:00+01:00","tree":"{tree}","paths":[]}}"#);
        assert_eq!(String::from_utf8(generation.encode()).unwrap(), expected);
        let error = Generation::decode(Id::ZERO, br#"{"time":"2026-01-01T00:00:00Z","paths":[]}"#).unwrap_err();
        assert!(error.to_string().contains("tree"), "{error}");
    }
}

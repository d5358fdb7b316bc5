//! Where one was at the end, for the next start: a small file in the data folder.
//!
//! It is a convenience: what cannot be read is as if it were not there, what cannot be written is let go. Names are bytes;
//! in the file they are text with `%` escapes, so that any name comes back as it was.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::engine::question::TreePath;

/// Larger files are none of ours.
const LARGEST: u64 = 64 * 1024;
/// Folders a remembered path can be deep.
const DEEPEST: usize = 1000;

/// Where one is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The screen's id, such as `files`.
    pub screen: String,
    /// The vault, by name or folder.
    pub vault: Option<String>,
    /// The generation's id in hexadecimal.
    pub generation: Option<String>,
    /// The folder shown.
    pub folder: TreePath,
    /// The name under the cursor.
    pub name: Option<Vec<u8>>,
}

/// The file in the data folder.
pub fn file(data: &Path) -> PathBuf {
    data.join("place.json")
}

impl Place {
    /// Reads what was written; `None` when there is nothing that can be understood.
    pub fn read(file: &Path) -> Option<Place> {
        let meta = std::fs::metadata(file).ok()?;
        if !meta.is_file() || meta.len() > LARGEST {
            return None;
        }
        Place::parse(&std::fs::read(file).ok()?)
    }

    fn parse(bytes: &[u8]) -> Option<Place> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |key: &str| {
            value
                .get(key)?
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let folder = match value.get("folder").and_then(Value::as_array) {
            Some(names) if names.len() <= DEEPEST => names
                .iter()
                .map(|name| unescaped(name.as_str()?))
                .collect::<Option<TreePath>>()
                .unwrap_or_default(),
            _ => TreePath::new(),
        };
        Some(Place {
            screen: text("screen")?,
            vault: text("vault"),
            generation: text("generation"),
            folder,
            name: text("name").and_then(|name| unescaped(&name)),
        })
    }

    fn text(&self) -> String {
        let mut value = json!({
            "screen": self.screen,
            "vault": self.vault,
            "generation": self.generation,
            "folder": self.folder.iter().map(|name| escaped(name)).collect::<Vec<_>>(),
            "name": self.name.as_deref().map(escaped),
        })
        .to_string();
        value.push('\n');
        value
    }

    /// Writes it in one step, so that there is always an old or a new one. The folder must be there.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        let mut beside = file.to_path_buf().into_os_string();
        beside.push(format!(".{}.new", std::process::id()));
        let beside = PathBuf::from(beside);
        let write = || {
            let mut new = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&beside)?;
            new.write_all(self.text().as_bytes())?;
            std::fs::rename(&beside, file)
        };
        write().inspect_err(|_| _ = std::fs::remove_file(&beside))
    }
}

/// A name as text: what is no UTF-8, control characters and `%` as `%xx`.
fn escaped(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c == '%' || c.is_control() {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    out.push_str(&format!("%{byte:02x}"));
                }
            } else {
                out.push(c);
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("%{byte:02x}"));
        }
    }
    out
}

/// The name again. `None` for what cannot be one: an escape cut short, a name of the file system's own, a slash.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            out.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        } else {
            out.push(*first);
        }
    }
    let is_name = !out.is_empty() && out != b"." && out != b".." && !out.contains(&b'/') && !out.contains(&0);
    is_name.then_some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        assert_eq!(Place::read(&file), None);
        let place = Place {
            screen: "files".into(),
            vault: Some("home \"x\"".into()),
            generation: Some("ab12".into()),
            folder: vec![b"home".to_vec(), b"a\xff%\n".to_vec()],
            name: Some("日本".into()),
        };
        place.write(&file).unwrap();
        assert_eq!(Place::read(&file), Some(place));
        let other = Place {
            screen: "vaults".into(),
            ..Place::default()
        };
        other.write(&file).unwrap();
        assert_eq!(Place::read(&file), Some(other));
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside"
        );
    }

    #[test]
    fn what_makes_no_sense_is_let_go() {
        for text in ["", "{", "[]", "5", "{\"screen\":7}", "{\"screen\":\"\"}"] {
            assert_eq!(Place::parse(text.as_bytes()), None, "{text}");
        }
        let place = Place::parse(br#"{"screen":"files","folder":["a",".."],"vault":3,"new":{}}"#).unwrap();
        assert_eq!((place.folder, place.vault), (vec![], None));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Place::read(folder.path()), None, "a folder");
        let large = folder.path().join("large");
        std::fs::write(&large, vec![b' '; 100_000]).unwrap();
        assert_eq!(Place::read(&large), None);
        let nowhere = folder.path().join("none/place.json");
        assert!(Place::default().write(&nowhere).is_err());
    }

    proptest! {
        #[test]
        fn names_come_back(name in prop::collection::vec(any::<u8>(), 1..20)) {
            let is_name = name != b"." && name != b".." && !name.contains(&b'/') && !name.contains(&0);
            prop_assert_eq!(unescaped(&escaped(&name)), is_name.then_some(name));
        }

        #[test]
        fn any_bytes_are_read_without_harm(bytes: Vec<u8>) {
            let _ = Place::parse(&bytes);
        }
    }
}

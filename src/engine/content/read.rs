//! The start of a file's bytes, from a generation or from the disk.

use std::io::Read as _;
use std::path::Path;

use super::{Comparison, Content, FileAt, compare, form_of};
use crate::engine::{Engine, Error, OpenVault, PasswordGiven, Result};
use crate::progress::Cancel;
use crate::vault::tree::{BadTree, decode_each};
use crate::vault::{self, BlobKind, Id, IndexedVault, Node, NodeType};

/// The most that is read of one file, whatever was asked for.
const MOST: u64 = 16 << 20;
/// The most of a file that is compared with another.
const COMPARED: u64 = 4 << 20;

impl Engine {
    /// The first `limit` bytes of a file, and what they are. Reads no more than that.
    pub fn content(&self, file: &FileAt, limit: u64, cancel: &Cancel) -> Result<Content> {
        let limit = limit.min(MOST);
        let (mut head, size, mtime) = match file {
            FileAt::Disk(path) => read_disk(path, limit)?,
            FileAt::Generation {
                vault,
                generation,
                path,
            } => {
                let open = self.open(vault, PasswordGiven::Configured)?;
                self.read_stored(&open, generation, path, limit, cancel)?
            }
        };
        let whole = head.len() as u64 >= size;
        Ok(Content {
            form: form_of(&mut head, whole),
            head,
            size,
            whole,
            mtime,
        })
    }

    /// How two files differ.
    pub fn compare_files(&self, before: &FileAt, after: &FileAt, cancel: &Cancel) -> Result<Comparison> {
        if matches!(before, FileAt::Disk(_)) || matches!(after, FileAt::Disk(_)) {
            self.is_of_this_machine(before)?;
            self.is_of_this_machine(after)?;
        }
        let first = self.content(before, COMPARED, cancel)?;
        let second = self.content(after, COMPARED, cancel)?;
        if !first.whole || !second.whole {
            let size = crate::text::bytes(first.size.max(second.size));
            return Ok(Comparison::Other(format!(
                "One of them has {size}: files up to {} are compared line by line. Restore both and compare them there.",
                crate::text::bytes(COMPARED)
            )));
        }
        if first.head == second.head {
            return Ok(Comparison::Same);
        }
        if !first.form.is_text() || !second.form.is_text() {
            let grown = match second.size.cmp(&first.size) {
                std::cmp::Ordering::Equal => "the size is the same".to_owned(),
                std::cmp::Ordering::Greater => format!("{} more", crate::text::bytes(second.size - first.size)),
                std::cmp::Ordering::Less => format!("{} less", crate::text::bytes(first.size - second.size)),
            };
            let other = if second.form.is_text() { &first } else { &second };
            return Ok(Comparison::Other(format!(
                "They differ ({grown}). Only texts are compared line by line; this is: {}.",
                other.form.word()
            )));
        }
        Ok(Comparison::Text(compare(&first.head, &second.head)))
    }

    /// Refuses what another machine's generation holds: the disk here is not where it came from.
    fn is_of_this_machine(&self, file: &FileAt) -> Result<()> {
        let FileAt::Generation { vault, generation, .. } = file else {
            return Ok(());
        };
        let known = self.catalog().generation(&self.find(vault)?.key(), generation)?;
        match known {
            Some(known) if known.hostname != self.settings().host => Err(Error::Usage(format!(
                "this generation is of another machine, {}: its disk is not here",
                crate::text::escape(known.hostname.as_bytes())
            ))),
            _ => Ok(()),
        }
    }

    fn read_stored(
        &self,
        open: &OpenVault,
        generation: &Id,
        path: &[Vec<u8>],
        limit: u64,
        cancel: &Cancel,
    ) -> Result<(Vec<u8>, u64, i64)> {
        let shown = || crate::text::escape(&path.join(&b'/'));
        let nothing = || Error::Usage(format!("{} is not in this generation", shown()));
        let (name, folder) = path.split_last().ok_or_else(nothing)?;
        let tree = self
            .folder_tree(open, generation, folder, cancel)?
            .ok_or_else(nothing)?;
        let vault = open.browsed(cancel)?;
        let node = match find(&vault, &tree, name) {
            Err(vault::Error::MissingBlob { .. }) => find(&open.indexed(cancel)?, &tree, name)?,
            result => result?,
        };
        let node = node.ok_or_else(nothing)?;
        let Some(blobs) = node.content.as_ref().filter(|_| node.kind == NodeType::File) else {
            return Err(Error::Usage(format!("{} is no file: it has no content", shown())));
        };
        let mut head = Vec::new();
        for blob in blobs {
            if head.len() as u64 >= limit {
                break;
            }
            cancel.check()?;
            let bytes = match vault.blob(BlobKind::Data, blob) {
                Err(vault::Error::MissingBlob { .. }) => open.indexed(cancel)?.blob(BlobKind::Data, blob)?,
                result => result?,
            };
            let room = usize::try_from(limit - head.len() as u64).unwrap_or(usize::MAX);
            head.extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
        }
        // A hostile size must not make a part look whole, nor the whole a part.
        let size = if (head.len() as u64) < limit {
            head.len() as u64
        } else {
            node.size.max(head.len() as u64)
        };
        Ok((head, size, node.mtime.seconds))
    }
}

/// The entry of a name in a tree, read from the vault: the catalog knows no blobs.
fn find(vault: &IndexedVault, tree: &Id, name: &[u8]) -> vault::Result<Option<Node>> {
    let bytes = vault.blob(BlobKind::Tree, tree)?;
    let mut found = None;
    let mut look = |node: Node| {
        if node.name == name {
            found = Some(node);
            return Err(Stop::Enough);
        }
        Ok(())
    };
    match decode_each(&bytes, &mut look) {
        Ok(()) | Err(Stop::Enough) => Ok(found),
        Err(Stop::Bad(bad)) => Err(vault::Error::BadBlob {
            kind: BlobKind::Tree,
            id: *tree,
            what: bad.to_string(),
        }),
    }
}

/// Why reading a tree ended early.
enum Stop {
    Enough,
    Bad(BadTree),
}

impl From<BadTree> for Stop {
    fn from(bad: BadTree) -> Stop {
        Stop::Bad(bad)
    }
}

fn read_disk(path: &Path, limit: u64) -> Result<(Vec<u8>, u64, i64)> {
    let failed = |source| Error::Local {
        action: "read",
        path: crate::text::escape(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str())),
        source,
    };
    // Asked before it is opened: opening a pipe would wait for ever.
    let about = std::fs::symlink_metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(Error::Usage(format!(
            "{} is no regular file on this machine's disk",
            crate::text::escape(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()))
        )));
    }
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut head = Vec::new();
    file.take(limit).read_to_end(&mut head).map_err(failed)?;
    let size = if (head.len() as u64) < limit {
        head.len() as u64
    } else {
        about.len().max(head.len() as u64)
    };
    Ok((head, size, std::os::unix::fs::MetadataExt::mtime(&about)))
}

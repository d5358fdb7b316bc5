//! What is in a file, of a generation or on the disk now: the first of its bytes, what they are, and how the texts of two
//! files differ.
//!
//! Content is hostile: nothing here interprets more than headers, nothing is read beyond a limit, and what leaves is bytes
//! or lines that whoever shows them makes harmless first. What does not live here: restoring, which writes.

mod diff;
mod form;
mod image;
mod read;

pub use diff::{DiffLine, Side, TextDiff, compare};
pub use form::{Form, form_of};
pub use image::{ImageFormat, ImageSize};

use std::path::PathBuf;

use super::question::TreePath;
use crate::vault::Id;

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FileAt {
    /// In a generation.
    Generation {
        /// Name or folder of the vault.
        vault: String,
        /// Which generation.
        generation: Id,
        /// The file.
        path: TreePath,
    },
    /// On this machine's disk, now.
    Disk(PathBuf),
}

impl FileAt {
    /// Whose vault must be open for it; empty for the disk.
    pub fn vault(&self) -> &str {
        match self {
            FileAt::Generation { vault, .. } => vault,
            FileAt::Disk(_) => "",
        }
    }
}

/// The start of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// What it seems to be.
    pub form: Form,
    /// Its first bytes: text as UTF-8 (or what is left of it), everything else as it is.
    pub head: Vec<u8>,
    /// Bytes of the whole file.
    pub size: u64,
    /// Whether the head is all of it.
    pub whole: bool,
    /// Last change, in seconds since 1970.
    pub mtime: i64,
}

/// How two files compare.
#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// Their texts differ, line by line.
    Text(TextDiff),
    /// Every byte is the same.
    Same,
    /// They differ, and one of them at least is no text; in sentences.
    Other(String),
}

//! One entry of a folder, with all its metadata.

use std::sync::Arc;

use crate::vault::{Id, Time};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum NodeType {
    /// A regular file.
    #[default]
    File,
    /// A folder.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A block device.
    Dev,
    /// A character device.
    CharDev,
    /// A named pipe.
    Fifo,
    /// A socket: found in others' vaults, never written, never restored.
    Socket,
}

/// An extended attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xattr {
    /// Its full name, such as `user.comment`.
    pub name: Vec<u8>,
    /// Its value; may be empty or binary.
    pub value: Vec<u8>,
}

/// Fields that few nodes have, kept so that rewriting a tree loses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extra {
    /// `generic_attributes` as raw JSON, empty when absent.
    pub generic_attributes: String,
    /// `error`, empty when absent.
    pub error: String,
    /// Fields this program does not know: name and raw JSON, in their order.
    pub unknown: Vec<(String, String)>,
}

/// One entry of a folder. Empty strings and zeros are fields that are absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// The raw file name, any bytes but `/` and NUL in a sane vault (check before use: vaults can be hostile).
    pub name: Vec<u8>,
    /// What it is.
    pub kind: NodeType,
    /// Go's `FileMode` bits, as stored; see [`Node::unix_permissions`].
    pub mode: u32,
    /// Time of last change of content.
    pub mtime: Time,
    /// Time of last access; equal to `mtime` unless asked for at backup.
    pub atime: Time,
    /// Time of last change of status.
    pub ctime: Time,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Owner's name at backup.
    pub user: Arc<str>,
    /// Group's name at backup.
    pub group: Arc<str>,
    /// Inode number.
    pub inode: u64,
    /// `st_dev`.
    pub device_id: u64,
    /// Bytes of content (files).
    pub size: u64,
    /// Number of hard links.
    pub links: u64,
    /// Raw target of a symlink.
    pub link_target: Vec<u8>,
    /// Extended attributes, POSIX ACLs included, in the order the filesystem lists them (which is the stored order).
    pub xattrs: Vec<Xattr>,
    /// `st_rdev` of a device.
    pub device: u64,
    /// The blobs of a file, in order; `None` for everything else.
    pub content: Option<Vec<Id>>,
    /// The tree of a folder.
    pub subtree: Option<Id>,
    /// Fields that few nodes have.
    pub extra: Option<Box<Extra>>,
}

/// Go's mode bits beside the lower nine permission bits.
pub mod mode {
    /// A folder.
    pub const DIR: u32 = 1 << 31;
    /// A symbolic link.
    pub const SYMLINK: u32 = 1 << 27;
    /// A device.
    pub const DEVICE: u32 = 1 << 26;
    /// A named pipe.
    pub const FIFO: u32 = 1 << 25;
    /// A socket.
    pub const SOCKET: u32 = 1 << 24;
    /// Set-user-id.
    pub const SETUID: u32 = 1 << 23;
    /// Set-group-id.
    pub const SETGID: u32 = 1 << 22;
    /// A character device (beside `DEVICE`).
    pub const CHAR_DEVICE: u32 = 1 << 21;
    /// Sticky.
    pub const STICKY: u32 = 1 << 20;
    /// The permission bits.
    pub const PERMISSIONS: u32 = 0o777;
}

impl Node {
    /// The permission bits as `chmod` takes them, set-id and sticky bits included.
    pub fn unix_permissions(&self) -> u32 {
        let bit = |go: u32, unix: u32| if self.mode & go != 0 { unix } else { 0 };
        (self.mode & mode::PERMISSIONS)
            | bit(mode::SETUID, 0o4000)
            | bit(mode::SETGID, 0o2000)
            | bit(mode::STICKY, 0o1000)
    }

    /// Whether this is a folder.
    pub fn is_dir(&self) -> bool {
        self.kind == NodeType::Dir
    }

    /// Whether the name can be made in a folder: not empty, `.`, `..`, nor holding `/` or NUL.
    pub fn has_safe_name(&self) -> bool {
        is_safe_name(&self.name)
    }
}

/// Whether a name can be made in a folder: not empty, `.`, `..`, nor holding `/` or NUL.
pub fn is_safe_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && !name.iter().any(|b| matches!(b, b'/' | 0))
}

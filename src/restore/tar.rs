//! tar: ustar headers, with a PAX header before an entry that they cannot hold.

use std::io::{self, Write};

use tar::{EntryType, Header};

use super::dump::Sink;
use super::{Issue, IssueKind};
use crate::vault::{Node, NodeType, Time};

const BLOCK: usize = 512;
/// The largest size in a ustar header: eleven octal digits.
const MAX_SIZE: u64 = 0o77_777_777_777;
/// The largest owner: seven.
const MAX_OWNER: u32 = 0o7_777_777;

/// Writes a tar archive.
pub(super) struct TarSink<'a> {
    out: &'a mut dyn Write,
    /// Bytes of the entry written last, for the padding.
    written: u64,
}

impl<'a> TarSink<'a> {
    pub fn new(out: &'a mut dyn Write) -> TarSink<'a> {
        TarSink { out, written: 0 }
    }

    fn pad(&mut self, length: u64) -> io::Result<()> {
        let over = (length % BLOCK as u64) as usize;
        if over > 0 {
            self.out.write_all(&[0; BLOCK][over..])
        } else {
            Ok(())
        }
    }

    fn extended(&mut self, records: &[u8]) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        set_bytes(&mut header.as_old_mut().name, b"PaxHeader");
        header.set_mode(0o644);
        header.set_size(records.len() as u64);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        self.out.write_all(header.as_bytes())?;
        self.out.write_all(records)?;
        self.pad(records.len() as u64)
    }
}

impl Sink for TarSink<'_> {
    fn entry(&mut self, name: &[u8], node: &Node, size: u64, link: Option<&[u8]>) -> io::Result<Option<Issue>> {
        let mut issue = None;
        let mut records = Vec::new();
        let mut header = Header::new_ustar();
        let mut path = name.to_vec();
        if node.is_dir() {
            path.push(b'/');
        }
        if !set_bytes(&mut header.as_old_mut().name, &path) || !path.is_ascii() {
            record(&mut records, b"path", &path);
        }
        let target = link.or((node.kind == NodeType::Symlink).then_some(&node.link_target));
        if let Some(target) = target
            && (!set_bytes(&mut header.as_old_mut().linkname, target) || !target.is_ascii())
        {
            record(&mut records, b"linkpath", target);
        }
        header.set_entry_type(match node.kind {
            _ if link.is_some() => EntryType::Link,
            NodeType::Dir => EntryType::Directory,
            NodeType::Symlink => EntryType::Symlink,
            NodeType::Fifo => EntryType::Fifo,
            NodeType::Dev => EntryType::Block,
            NodeType::CharDev => EntryType::Char,
            NodeType::File | NodeType::Socket => EntryType::Regular,
        });
        let size = if node.kind == NodeType::File && link.is_none() {
            size
        } else {
            0
        };
        header.set_size(size.min(MAX_SIZE));
        if size > MAX_SIZE {
            record(&mut records, b"size", size.to_string().as_bytes());
        }
        header.set_mode(node.unix_permissions());
        for (id, key, is_group) in [(node.uid, b"uid", false), (node.gid, b"gid", true)] {
            let stored = u64::from(if id > MAX_OWNER { 0 } else { id });
            if is_group {
                header.set_gid(stored)
            } else {
                header.set_uid(stored)
            }
            if id > MAX_OWNER {
                record(&mut records, key, id.to_string().as_bytes());
            }
        }
        for (name, key, is_group) in [(&node.user, b"uname", false), (&node.group, b"gname", true)] {
            let stored = if is_group {
                header.set_groupname(name)
            } else {
                header.set_username(name)
            };
            if stored.is_err() || !name.is_ascii() {
                record(&mut records, key, name.as_bytes());
            }
        }
        let plain = u64::try_from(node.mtime.seconds)
            .ok()
            .filter(|seconds| *seconds <= MAX_SIZE);
        header.set_mtime(plain.unwrap_or(0));
        if plain.is_none() || node.mtime.nanos != 0 {
            record(&mut records, b"mtime", decimal(&node.mtime).as_bytes());
        }
        if node.atime != node.mtime {
            record(&mut records, b"atime", decimal(&node.atime).as_bytes());
        }
        if matches!(node.kind, NodeType::Dev | NodeType::CharDev) {
            let (major, minor) = (rustix::fs::major(node.device), rustix::fs::minor(node.device));
            header.set_device_major(major)?;
            header.set_device_minor(minor)?;
        }
        for xattr in &node.xattrs {
            if xattr.name.contains(&b'=') || xattr.name.contains(&0) {
                let error = "an extended attribute's name cannot be kept in tar; it was left out".to_owned();
                issue = Some(Issue {
                    path: Vec::new(),
                    kind: IssueKind::Metadata,
                    error,
                });
                continue;
            }
            record(
                &mut records,
                &[b"SCHILY.xattr.", xattr.name.as_slice()].concat(),
                &xattr.value,
            );
        }
        if !records.is_empty() {
            self.extended(&records)?;
        }
        header.set_cksum();
        self.out.write_all(header.as_bytes())?;
        self.written = 0;
        Ok(issue)
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn end_of_content(&mut self) -> io::Result<()> {
        self.pad(self.written)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.flush()
    }
}

/// Fills a field; `false`, with as much as fits, when the value is too long.
fn set_bytes(field: &mut [u8], value: &[u8]) -> bool {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
    value.len() <= field.len()
}

/// Appends a PAX record: `length key=value\n`, the length counting itself.
fn record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// Seconds since 1970 as a decimal number.
fn decimal(time: &Time) -> String {
    let (seconds, nanos) = (i128::from(time.seconds), i128::from(time.nanos));
    let total = seconds * 1_000_000_000 + nanos;
    let (sign, size) = if total < 0 { ("-", -total) } else { ("", total) };
    format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_itself() {
        for length in [0, 1, 90, 91, 92, 93, 94, 985, 986, 987, 9983, 9984] {
            let mut out = Vec::new();
            record(&mut out, b"path", &vec![b'x'; length]);
            let text = String::from_utf8(out).unwrap();
            let claimed: usize = text.split(' ').next().unwrap().parse().unwrap();
            assert_eq!(claimed, text.len());
        }
    }

    #[test]
    fn times_before_1970_keep_their_fraction() {
        let time = |seconds, nanos| Time {
            seconds,
            nanos,
            offset: 0,
        };
        assert_eq!(decimal(&time(-1, 999_999_999)), "-0.000000001");
        assert_eq!(decimal(&time(1, 5)), "1.000000005");
        assert_eq!(decimal(&time(i64::MIN, 0)), "-9223372036854775808.000000000");
    }
}

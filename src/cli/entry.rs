//! Entries of a generation as `ls` and `find` print them: a line for people, an object for programs.

use std::io::Write;

use serde_json::{Value, json};

use super::Failure;
use super::output::{Output, bytes, escape};
use crate::vault::{Node, NodeType};

/// An entry as JSON. A path that is no UTF-8 is told with replacement characters, and whole in `path_bytes` (base64).
pub fn value(path: &[u8], node: &Node) -> Value {
    let mut value = json!({
        "path": String::from_utf8_lossy(path),
        "name": String::from_utf8_lossy(&node.name),
        "type": node.kind.as_str(),
        "size": node.size,
        "mode": node.unix_permissions(),
        "permissions": permissions(node),
        "mtime": node.mtime,
        "atime": node.atime,
        "ctime": node.ctime,
        "uid": node.uid,
        "gid": node.gid,
        "user": &*node.user,
        "group": &*node.group,
    });
    if let Some(fields) = value.as_object_mut() {
        if std::str::from_utf8(path).is_err() {
            fields.insert("path_bytes".into(), data_encoding::BASE64.encode(path).into());
        }
        if node.kind == NodeType::Symlink {
            fields.insert("link_target".into(), String::from_utf8_lossy(&node.link_target).into());
        }
    }
    value
}

/// Prints an entry as a line: the path, with `long` after mode, owner, size and time.
pub fn print(out: &Output, path: &[u8], node: &Node, long: bool) -> Result<(), Failure> {
    let mut writer = out.writer();
    if long {
        let who = |name: &str, number: u32| {
            if name.is_empty() {
                number.to_string()
            } else {
                escape(name.as_bytes())
            }
        };
        write!(
            writer,
            "{}  {:<8} {:<8} {:>10}  {}  ",
            permissions(node),
            who(&node.user, node.uid),
            who(&node.group, node.gid),
            if node.kind == NodeType::File {
                bytes(node.size)
            } else {
                "-".to_owned()
            },
            out.time(&node.mtime),
        )?;
    }
    write!(writer, "{}", escape(path))?;
    if long && node.kind == NodeType::Symlink {
        write!(writer, " -> {}", escape(&node.link_target))?;
    }
    writeln!(writer)?;
    Ok(())
}

/// The type and the permission bits as `ls -l` shows them: `drwxr-xr-x`.
pub fn permissions(node: &Node) -> String {
    let kind = match node.kind {
        NodeType::File => '-',
        NodeType::Dir => 'd',
        NodeType::Symlink => 'l',
        NodeType::Dev => 'b',
        NodeType::CharDev => 'c',
        NodeType::Fifo => 'p',
        NodeType::Socket => 's',
    };
    let bits = node.unix_permissions();
    let mut text = String::with_capacity(10);
    text.push(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let three = bits >> shift;
        text.push(if three & 4 != 0 { 'r' } else { '-' });
        text.push(if three & 2 != 0 { 'w' } else { '-' });
        text.push(match (three & 1 != 0, bits & special != 0) {
            (true, false) => 'x',
            (false, false) => '-',
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::tree::mode;

    #[test]
    fn permissions_read_as_in_ls() {
        let shown = |kind, mode| {
            permissions(&Node {
                kind,
                mode,
                ..Node::default()
            })
        };
        assert_eq!(shown(NodeType::Dir, mode::DIR | mode::STICKY | 0o777), "drwxrwxrwt");
        assert_eq!(shown(NodeType::File, mode::SETUID | 0o644), "-rwSr--r--");
        assert_eq!(
            shown(NodeType::Symlink, mode::SYMLINK | mode::SETGID | 0o775),
            "lrwxrwsr-x"
        );
    }
}

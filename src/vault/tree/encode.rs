//! Writing a tree: bytes equal to restic's, into one reused buffer.

use data_encoding::BASE64;

use super::quote::{write_name, write_text};
use super::{Node, NodeType};
use crate::vault::Id;

pub(super) const OPENING: &[u8] = b"{\"nodes\":[";
pub(super) const CLOSING: &[u8] = b"]}\n";

/// Writes a tree blob node by node, in order.
#[derive(Debug)]
pub struct TreeEncoder {
    out: Vec<u8>,
}

impl Default for TreeEncoder {
    fn default() -> TreeEncoder {
        TreeEncoder::reusing(Vec::new())
    }
}

impl TreeEncoder {
    /// An encoder that writes into an old buffer (cleared first), such as the one [`TreeEncoder::finish`] gave back.
    pub fn reusing(mut buffer: Vec<u8>) -> TreeEncoder {
        buffer.clear();
        buffer.extend_from_slice(OPENING);
        TreeEncoder { out: buffer }
    }

    /// Appends a node; names must ascend.
    pub fn push(&mut self, node: &Node) {
        if self.out.len() > OPENING.len() {
            self.out.push(b',');
        }
        write_node(&mut self.out, node);
    }

    /// Bytes written so far.
    pub fn size(&self) -> usize {
        self.out.len()
    }

    /// The tree blob.
    pub fn finish(mut self) -> Vec<u8> {
        self.out.extend_from_slice(CLOSING);
        self.out
    }
}

impl NodeType {
    /// The word the format has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            NodeType::File => "file",
            NodeType::Dir => "dir",
            NodeType::Symlink => "symlink",
            NodeType::Dev => "dev",
            NodeType::CharDev => "chardev",
            NodeType::Fifo => "fifo",
            NodeType::Socket => "socket",
        }
    }

    /// The type the format has this word for.
    pub fn from_word(word: &[u8]) -> Option<NodeType> {
        Some(match word {
            b"file" => NodeType::File,
            b"dir" => NodeType::Dir,
            b"symlink" => NodeType::Symlink,
            b"dev" => NodeType::Dev,
            b"chardev" => NodeType::CharDev,
            b"fifo" => NodeType::Fifo,
            b"socket" => NodeType::Socket,
            _ => return None,
        })
    }
}

/// Appends one node's JSON object.
fn write_node(out: &mut Vec<u8>, node: &Node) {
    out.extend_from_slice(b"{\"name\":\"");
    write_name(out, &node.name);
    out.extend_from_slice(b"\",\"type\":\"");
    out.extend_from_slice(node.kind.as_str().as_bytes());
    out.push(b'"');
    write_optional_number(out, b",\"mode\":", u64::from(node.mode));
    out.extend_from_slice(b",\"mtime\":\"");
    let from = out.len();
    node.mtime.write(out);
    let mtime = from..out.len();
    out.extend_from_slice(b"\",\"atime\":\"");
    if node.atime == node.mtime {
        out.extend_from_within(mtime);
    } else {
        node.atime.write(out);
    }
    out.extend_from_slice(b"\",\"ctime\":\"");
    node.ctime.write(out);
    out.extend_from_slice(b"\",\"uid\":");
    write_number(out, u64::from(node.uid));
    out.extend_from_slice(b",\"gid\":");
    write_number(out, u64::from(node.gid));
    write_optional_text(out, b",\"user\":\"", node.user.as_bytes());
    write_optional_text(out, b",\"group\":\"", node.group.as_bytes());
    write_optional_number(out, b",\"inode\":", node.inode);
    write_optional_number(out, b",\"device_id\":", node.device_id);
    write_optional_number(out, b",\"size\":", node.size);
    write_optional_number(out, b",\"links\":", node.links);
    if !node.link_target.is_empty() {
        write_optional_text(out, b",\"linktarget\":\"", &node.link_target);
        if std::str::from_utf8(&node.link_target).is_err() {
            out.extend_from_slice(b",\"linktarget_raw\":");
            write_base64(out, &node.link_target);
        }
    }
    if !node.xattrs.is_empty() {
        write_xattrs(out, node);
    }
    let extra = node.extra.as_deref();
    if let Some(extra) = extra.filter(|extra| !extra.generic_attributes.is_empty()) {
        out.extend_from_slice(b",\"generic_attributes\":");
        out.extend_from_slice(extra.generic_attributes.as_bytes());
    }
    write_optional_number(out, b",\"device\":", node.device);
    match &node.content {
        None => out.extend_from_slice(b",\"content\":null"),
        Some(content) => write_content(out, content),
    }
    if let Some(subtree) = &node.subtree {
        out.extend_from_slice(b",\"subtree\":");
        write_id(out, subtree);
    }
    if let Some(extra) = extra {
        write_optional_text(out, b",\"error\":\"", extra.error.as_bytes());
        for (name, value) in &extra.unknown {
            out.extend_from_slice(b",\"");
            write_text(out, name.as_bytes());
            out.extend_from_slice(b"\":");
            out.extend_from_slice(value.as_bytes());
        }
    }
    out.push(b'}');
}

fn write_xattrs(out: &mut Vec<u8>, node: &Node) {
    out.extend_from_slice(b",\"extended_attributes\":");
    for (i, xattr) in node.xattrs.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"[{\"name\":\"" } else { b",{\"name\":\"" });
        write_text(out, &xattr.name);
        out.extend_from_slice(b"\",\"value\":");
        write_base64(out, &xattr.value);
        out.push(b'}');
    }
    out.push(b']');
}

fn write_content(out: &mut Vec<u8>, content: &[Id]) {
    out.extend_from_slice(b",\"content\":[");
    for (i, id) in content.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_id(out, id);
    }
    out.push(b']');
}

fn write_id(out: &mut Vec<u8>, id: &Id) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'"'; 66];
    for (pair, byte) in text[1..65].chunks_exact_mut(2).zip(&id.0) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    out.extend_from_slice(&text);
}

fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let from = out.len() + 1;
    out.push(b'"');
    out.resize(from + BASE64.encode_len(bytes.len()), 0);
    BASE64.encode_mut(bytes, &mut out[from..]);
    out.push(b'"');
}

fn write_optional_text(out: &mut Vec<u8>, field: &[u8], text: &[u8]) {
    if !text.is_empty() {
        out.extend_from_slice(field);
        write_text(out, text);
        out.push(b'"');
    }
}

fn write_optional_number(out: &mut Vec<u8>, field: &[u8], number: u64) {
    if number != 0 {
        out.extend_from_slice(field);
        write_number(out, number);
    }
}

fn write_number(out: &mut Vec<u8>, mut number: u64) {
    let mut text = [0; 20];
    let mut at = text.len();
    loop {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return out.extend_from_slice(&text[at..]);
        }
    }
}

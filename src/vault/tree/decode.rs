//! Reading a tree. Hand-written, since "nothing changed" and every question read millions of nodes: one pass, strings taken
//! where they lie, owners' names shared between neighbours.
//!
//! Reads what Go's JSON reads into restic's structure: any field order, `null` for "absent". What restic cannot read is an
//! error here too; nodes without a name or a type are refused as well, which bounds what a small hostile blob grows into.

use std::borrow::Cow;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::value::RawValue;

use super::quote::{read_name, read_text};
use super::{BadTree, Extra, Node, NodeType, Xattr};
use crate::vault::{Id, Time};

/// Calls `each` for every node of a tree blob without holding them all (large folders). Stops at the first error of `each`.
pub fn decode_each<E: From<BadTree>>(bytes: &[u8], each: &mut dyn FnMut(Node) -> Result<(), E>) -> Result<(), E> {
    let mut reader = Reader {
        bytes,
        at: 0,
        user: Arc::default(),
        group: Arc::default(),
    };
    reader.object(&mut |reader, key| {
        if key != b"nodes" {
            return Ok(reader.raw_value().map(drop)?);
        }
        if reader.take_null() {
            return Ok(());
        }
        reader.array(&mut |reader| each(reader.node()?))
    })?;
    reader.skip_space();
    if reader.at < bytes.len() {
        return Err(reader.bad("more follows after its end").into());
    }
    Ok(())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The last owner's and group's name: mostly the next one's too.
    user: Arc<str>,
    group: Arc<str>,
}

impl<'a> Reader<'a> {
    #[cold]
    fn bad(&self, what: &str) -> BadTree {
        BadTree(format!("{what} (at byte {})", self.at))
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is not a space, not taken.
    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), BadTree> {
        if self.peek() != Some(byte) {
            return Err(self.bad(&format!("{:?} is missing", char::from(byte))));
        }
        self.at += 1;
        Ok(())
    }

    /// After an element: whether another one follows (a comma), or the closing byte.
    fn more(&mut self, closing: u8) -> Result<bool, BadTree> {
        let byte = self.peek();
        if byte != Some(b',') && byte != Some(closing) {
            return Err(self.bad("neither a comma nor an end follows"));
        }
        self.at += 1;
        Ok(byte == Some(b','))
    }

    fn take_null(&mut self) -> bool {
        self.skip_space();
        let null = self.bytes[self.at..].starts_with(b"null");
        if null {
            self.at += 4;
        }
        null
    }

    /// What stands between the quotes of a string, still escaped.
    fn raw_string(&mut self) -> Result<&'a [u8], BadTree> {
        self.expect(b'"')?;
        let from = self.at;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(&self.bytes[from..self.at - 1]);
                }
                b'\\' => self.at += 2,
                0..=0x1f => return Err(self.bad("a control character in a string")),
                _ => self.at += 1,
            }
        }
        self.at = self.bytes.len();
        Err(self.bad("a string does not end"))
    }

    fn text(&mut self) -> Result<Cow<'a, [u8]>, BadTree> {
        let raw = self.raw_string()?;
        read_text(raw).map_err(|what| self.bad(what))
    }

    fn utf8(&mut self) -> Result<Cow<'a, str>, BadTree> {
        // A string's text is always UTF-8.
        Ok(match self.text()? {
            Cow::Borrowed(text) => String::from_utf8_lossy(text),
            Cow::Owned(text) => Cow::Owned(String::from_utf8_lossy(&text).into_owned()),
        })
    }

    fn object<E: From<BadTree>>(&mut self, each: &mut impl FnMut(&mut Self, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.expect(b'{')?;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.text()?;
            self.expect(b':')?;
            each(self, &key)?;
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    fn array<E: From<BadTree>>(&mut self, each: &mut impl FnMut(&mut Self) -> Result<(), E>) -> Result<(), E> {
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            each(self)?;
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    fn number(&mut self) -> Result<u64, BadTree> {
        self.skip_space();
        let from = self.at;
        let mut number = 0_u64;
        while let Some(byte @ b'0'..=b'9') = self.bytes.get(self.at) {
            number = number
                .checked_mul(10)
                .and_then(|n| n.checked_add(u64::from(byte - b'0')))
                .ok_or_else(|| self.bad("a number is too large"))?;
            self.at += 1;
        }
        let after = self.bytes.get(self.at);
        if from == self.at
            || matches!(after, Some(b'.' | b'e' | b'E'))
            || (self.bytes[from] == b'0' && self.at > from + 1)
        {
            return Err(self.bad("a whole number was expected"));
        }
        Ok(number)
    }

    fn number32(&mut self) -> Result<u32, BadTree> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| self.bad("a number is too large"))
    }

    fn id(&mut self) -> Result<Id, BadTree> {
        let raw = self.raw_string()?;
        read_id(raw).ok_or_else(|| self.bad("an id is not 64 hex digits"))
    }

    fn base64(&mut self) -> Result<Vec<u8>, BadTree> {
        if self.take_null() {
            return Ok(Vec::new());
        }
        let text = self.text()?;
        BASE64.decode(&text).map_err(|_| self.bad("bad base64"))
    }

    /// Any value, as it stands.
    fn raw_value(&mut self) -> Result<&'a str, BadTree> {
        let rest = &self.bytes[self.at..];
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<&RawValue>();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value.get())
            }
            Some(Err(error)) => Err(self.bad(&error.to_string())),
            None => Err(self.bad("a value is missing")),
        }
    }

    fn xattr(&mut self) -> Result<Xattr, BadTree> {
        let mut xattr = Xattr {
            name: Vec::new(),
            value: Vec::new(),
        };
        self.object(&mut |reader, key| {
            match key {
                b"name" if reader.take_null() => {}
                b"name" => xattr.name = reader.text()?.into_owned(),
                b"value" => xattr.value = reader.base64()?,
                _ => drop(reader.raw_value()?),
            }
            Ok::<(), BadTree>(())
        })?;
        Ok(xattr)
    }

    fn node(&mut self) -> Result<Node, BadTree> {
        let mut node = Node {
            user: Arc::clone(&self.user),
            group: Arc::clone(&self.group),
            ..Node::default()
        };
        let (mut kind, mut user, mut group) = (None, false, false);
        let mut mtime: (&[u8], Time) = (b"", Time::default());
        let mut raw_target = Vec::new();
        if self.peek() != Some(b'{') {
            return Err(self.bad("a node is not an object"));
        }
        self.object(&mut |reader, key| {
            if reader.peek() == Some(b'n') && reader.take_null() {
                return Ok::<(), BadTree>(());
            }
            match key {
                b"name" => {
                    let raw = reader.raw_string()?;
                    node.name = read_name(raw).map_err(|what| reader.bad(what))?;
                }
                b"type" => {
                    let word = reader.text()?;
                    let unknown = || reader.bad(&format!("unknown node type {:?}", String::from_utf8_lossy(&word)));
                    kind = Some(NodeType::from_word(&word).ok_or_else(unknown)?);
                }
                b"mode" => node.mode = reader.number32()?,
                b"mtime" | b"atime" | b"ctime" => {
                    let raw = reader.raw_string()?;
                    // Access time is mostly the same text as the time of change before it.
                    let time = if raw == mtime.0 {
                        mtime.1
                    } else {
                        Time::parse_bytes(raw).ok_or_else(|| reader.bad("a time is not RFC 3339"))?
                    };
                    match key[0] {
                        b'm' => {
                            mtime = (raw, time);
                            node.mtime = time;
                        }
                        b'a' => node.atime = time,
                        _ => node.ctime = time,
                    }
                }
                b"uid" => node.uid = reader.number32()?,
                b"gid" => node.gid = reader.number32()?,
                b"user" => {
                    let text = reader.utf8()?;
                    if *text != *node.user {
                        node.user = Arc::from(&*text);
                        reader.user = Arc::clone(&node.user);
                    }
                    user = true;
                }
                b"group" => {
                    let text = reader.utf8()?;
                    if *text != *node.group {
                        node.group = Arc::from(&*text);
                        reader.group = Arc::clone(&node.group);
                    }
                    group = true;
                }
                b"inode" => node.inode = reader.number()?,
                b"device_id" => node.device_id = reader.number()?,
                b"size" => node.size = reader.number()?,
                b"links" => node.links = reader.number()?,
                b"linktarget" => node.link_target = reader.text()?.into_owned(),
                b"linktarget_raw" => raw_target = reader.base64()?,
                b"extended_attributes" => {
                    node.xattrs.clear();
                    reader.array(&mut |reader| {
                        node.xattrs.push(reader.xattr()?);
                        Ok::<(), BadTree>(())
                    })?;
                }
                b"generic_attributes" => extra(&mut node).generic_attributes = reader.raw_value()?.to_owned(),
                b"device" => node.device = reader.number()?,
                b"content" => {
                    let mut content = Vec::new();
                    reader.array(&mut |reader| {
                        content.push(reader.id()?);
                        Ok::<(), BadTree>(())
                    })?;
                    node.content = Some(content);
                }
                b"subtree" => node.subtree = Some(reader.id()?),
                b"error" => extra(&mut node).error = reader.utf8()?.into_owned(),
                _ => {
                    let value = reader.raw_value()?.to_owned();
                    extra(&mut node)
                        .unknown
                        .push((String::from_utf8_lossy(key).into_owned(), value));
                }
            }
            Ok(())
        })?;
        node.kind = kind.ok_or_else(|| self.bad("a node has no type"))?;
        if node.name.is_empty() {
            return Err(self.bad("a node has no name"));
        }
        if !user {
            node.user = Arc::default();
        }
        if !group {
            node.group = Arc::default();
        }
        if node.extra.as_deref() == Some(&Extra::default()) {
            node.extra = None;
        }
        if !raw_target.is_empty() {
            node.link_target = raw_target;
        }
        Ok(node)
    }
}

fn extra(node: &mut Node) -> &mut Extra {
    node.extra.get_or_insert_default()
}

fn read_id(raw: &[u8]) -> Option<Id> {
    static VALUES: [u8; 256] = {
        let mut values = [255; 256];
        let mut i = 0;
        while i < 16 {
            values[b"0123456789abcdef"[i] as usize] = i as u8;
            values[b"0123456789ABCDEF"[i] as usize] = i as u8;
            i += 1;
        }
        values
    };
    let raw: &[u8; 64] = raw.try_into().ok()?;
    let mut id = [0; 32];
    let mut all = 0;
    for (byte, pair) in id.iter_mut().zip(raw.chunks_exact(2)) {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        all |= high | low;
        *byte = high << 4 | (low & 15);
    }
    (all < 16).then_some(Id(id))
}

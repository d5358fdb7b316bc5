//! The JSON of index files. Reading streams into a [`Sink`] without building lists, and decodes ids in place; fields come
//! in any order, unknown ones are passed over, `null` stands for an empty list.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{BlobKind, Id};
use crate::vault::crypto::OVERHEAD;
use crate::vault::pack::PackBlob;

/// Takes what an index file lists, in its order.
pub trait Sink {
    /// A pack begins. Its id may come only after its blobs.
    fn pack(&mut self);
    /// A blob of the pack that began last.
    fn blob(&mut self, blob: &PackBlob);
    /// The pack that began last has ended, and this is its id.
    fn pack_end(&mut self, id: Id);
}

/// Reads an index file's JSON. On an error the sink has got a part of it.
pub fn parse(json: &[u8], sink: &mut dyn Sink) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let level = Level::File;
    Part { sink, level }.deserialize(&mut reader)?;
    reader.end()
}

/// Appends the JSON of one pack with its blobs to an index file's; [`start`] and [`end`] go around.
pub fn write_pack(out: &mut Vec<u8>, id: &Id, blobs: &[PackBlob]) {
    if out.last() == Some(&b'}') {
        out.push(b',');
    }
    out.extend_from_slice(b"{\"id\":\"");
    write_id(out, id);
    out.extend_from_slice(b"\",\"blobs\":[");
    for (n, blob) in blobs.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"id\":\"");
        write_id(out, &blob.id);
        out.extend_from_slice(match blob.kind {
            BlobKind::Data => b"\",\"type\":\"data\",\"offset\":",
            BlobKind::Tree => b"\",\"type\":\"tree\",\"offset\":",
        });
        write_number(out, blob.offset);
        out.extend_from_slice(b",\"length\":");
        write_number(out, blob.length);
        if let Some(uncompressed) = blob.uncompressed {
            out.extend_from_slice(b",\"uncompressed_length\":");
            write_number(out, uncompressed);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}

/// Starts the JSON of an index file.
pub fn start(out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"packs\":[");
}

/// Ends the JSON of an index file.
pub fn end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"]}");
}

fn write_id(out: &mut Vec<u8>, id: &Id) {
    let start = out.len();
    out.resize(start + 64, 0);
    data_encoding::HEXLOWER.encode_mut(&id.0, &mut out[start..]);
}

fn write_number(out: &mut Vec<u8>, number: u32) {
    let mut digits = [0; 10];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The lists and objects of an index file, from the outside in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    File,
    Packs,
    Pack,
    Blobs,
    Blob,
}

/// Reads one of them into the sink.
struct Part<'s> {
    sink: &'s mut dyn Sink,
    level: Level,
}

impl Part<'_> {
    fn inner(&mut self, level: Level) -> Part<'_> {
        Part { sink: self.sink, level }
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.level {
            Level::Packs | Level::Blobs => deserializer.deserialize_option(self),
            Level::File | Level::Pack | Level::Blob => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.level {
            Level::File => "an index file",
            Level::Packs => "a list of packs",
            Level::Pack => "a pack",
            Level::Blobs => "a list of blobs",
            Level::Blob => "a blob",
        })
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let level = if self.level == Level::Packs {
            Level::Pack
        } else {
            Level::Blob
        };
        while list.next_element_seed(self.inner(level))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        match self.level {
            Level::Pack => self.pack(map),
            Level::Blob => self.blob(map),
            Level::File | Level::Packs | Level::Blobs => self.file(map),
        }
    }
}

impl Part<'_> {
    fn file<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key()? {
            match field {
                Field::Packs => map.next_value_seed(self.inner(Level::Packs))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn pack<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        self.sink.pack();
        let mut id = None;
        while let Some(field) = map.next_key()? {
            match field {
                Field::Id => id = Some(map.next_value_seed(HexId)?),
                Field::Blobs => map.next_value_seed(self.inner(Level::Blobs))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        self.sink.pack_end(id.ok_or_else(|| A::Error::missing_field("id"))?);
        Ok(())
    }

    fn blob<'de, A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
        let (mut id, mut kind, mut offset, mut length, mut uncompressed) = (None, None, None, None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Id => id = Some(map.next_value_seed(HexId)?),
                Field::Type => kind = Some(map.next_value::<Kind>()?),
                Field::Offset => offset = Some(map.next_value::<u32>()?),
                Field::Length => length = Some(map.next_value::<u32>()?),
                Field::UncompressedLength => uncompressed = map.next_value::<Option<u32>>()?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let missing = A::Error::missing_field;
        let blob = PackBlob {
            kind: match kind.ok_or_else(|| missing("type"))? {
                Kind::Data => BlobKind::Data,
                Kind::Tree => BlobKind::Tree,
            },
            id: id.ok_or_else(|| missing("id"))?,
            offset: offset.ok_or_else(|| missing("offset"))?,
            length: length.ok_or_else(|| missing("length"))?,
            uncompressed: uncompressed.filter(|length| *length > 0),
        };
        if (blob.length as usize) < OVERHEAD || blob.offset.checked_add(blob.length).is_none() {
            let (id, offset, length) = (blob.id, blob.offset, blob.length);
            let text = format!("blob {id} cannot have {length} bytes at offset {offset}");
            return Err(A::Error::custom(text));
        }
        self.sink.blob(&blob);
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Packs,
    Id,
    Blobs,
    Type,
    Offset,
    Length,
    UncompressedLength,
    #[serde(other)]
    Other,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Data,
    Tree,
}

/// An id, decoded without a string in between.
struct HexId;

impl<'de> DeserializeSeed<'de> for HexId {
    type Value = Id;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Id, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for HexId {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id of 64 hex digits")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Default, PartialEq, Debug)]
    struct Listed {
        packs: Vec<(Id, Vec<PackBlob>)>,
    }

    impl Sink for Listed {
        fn pack(&mut self) {
            self.packs.push((Id::ZERO, Vec::new()));
        }
        fn blob(&mut self, blob: &PackBlob) {
            self.packs.last_mut().unwrap().1.push(*blob);
        }
        fn pack_end(&mut self, id: Id) {
            self.packs.last_mut().unwrap().0 = id;
        }
    }

    fn listed(json: &[u8]) -> Result<Listed, String> {
        let mut listed = Listed::default();
        parse(json, &mut listed).map_err(|error| error.to_string())?;
        Ok(listed)
    }

    fn written(packs: &[(Id, Vec<PackBlob>)]) -> Vec<u8> {
        let mut json = Vec::new();
        start(&mut json);
        for (id, blobs) in packs {
            write_pack(&mut json, id, blobs);
        }
        end(&mut json);
        json
    }

    #[test]
    fn written_form() {
        let blob = PackBlob {
            kind: BlobKind::Data,
            id: Id([0xab; 32]),
            offset: 0,
            length: 1070,
            uncompressed: Some(4_294_967_295),
        };
        let tree = PackBlob {
            kind: BlobKind::Tree,
            offset: 1070,
            uncompressed: None,
            ..blob
        };
        let json = written(&[(Id([1; 32]), vec![blob, tree]), (Id([2; 32]), vec![])]);
        let text = String::from_utf8(json).unwrap();
        let text = text
            .replace(&"ab".repeat(32), "B")
            .replace(&"01".repeat(32), "P")
            .replace(&"02".repeat(32), "Q");
        insta::assert_snapshot!(text, @r#"{"packs":[{"id":"P","blobs":[{"id":"B","type":"data","offset":0,"length":1070,"uncompressed_length":4294967295},{"id":"B","type":"tree","offset":1070,"length":1070}]},{"id":"Q","blobs":[]}]}"#);
    }

    #[test]
    fn any_order_unknown_fields_and_null() {
        let (p, b) = ("0".repeat(64), "f".repeat(64));
        let json = format!(
            r#"{{"supersedes":["x",{{"y":[1]}}],"packs":[{{"new":1,"blobs":[{{"length":40,"offset":7,"extra":null,"type":"tree","id":"{b}"}}],"id":"{p}"}},
            {{"id":"{b}","blobs":null}}],"packs_to_delete":[{{"id":"nothing"}}]}}"#
        );
        let blob = PackBlob {
            kind: BlobKind::Tree,
            id: Id([0xff; 32]),
            offset: 7,
            length: 40,
            uncompressed: None,
        };
        let expected = vec![(Id::ZERO, vec![blob]), (Id([0xff; 32]), vec![])];
        assert_eq!(listed(json.as_bytes()).unwrap().packs, expected);
        assert_eq!(listed(br#"{"packs":null}"#).unwrap().packs, []);
        assert_eq!(listed(b"{}").unwrap().packs, []);
    }

    #[test]
    fn impossible_entries_are_refused() {
        let (p, b) = ("0".repeat(64), "f".repeat(64));
        let with = |fields: &str| {
            let json = format!(r#"{{"packs":[{{"id":"{p}","blobs":[{{"id":"{b}",{fields}}}]}}]}}"#);
            listed(json.as_bytes()).map(|_| ())
        };
        assert!(with(r#""type":"data","offset":0,"length":32"#).is_ok());
        for bad in [
            r#""type":"data","offset":0,"length":31"#,
            r#""type":"data","offset":4294967295,"length":32"#,
            r#""type":"data","offset":-1,"length":32"#,
            r#""type":"data","offset":0,"length":4294967296"#,
            r#""type":"data","offset":0,"length":1e9"#,
            r#""type":"file","offset":0,"length":32"#,
            r#""type":"data","length":32"#,
            r#""type":"data","offset":0,"length":32,"uncompressed_length":-3"#,
        ] {
            assert!(with(bad).is_err(), "{bad}");
        }
        assert!(listed(br#"{"packs":[{"blobs":[]}]}"#).is_err());
        assert!(listed(br#"{"packs":[{"id":"00","blobs":[]}]}"#).is_err());
        assert!(listed(b"[]").is_err());
        assert!(listed(b"{} {}").is_err());
        let deep = format!("{{\"x\":{}", "[".repeat(1_000_000));
        assert!(listed(deep.as_bytes()).is_err());
    }

    fn blobs() -> impl Strategy<Value = Vec<(Id, Vec<PackBlob>)>> {
        let blob = (any::<[u8; 32]>(), any::<bool>(), 0u32..1 << 31, 32u32..1 << 31, 0u32..5).prop_map(
            |(id, tree, offset, length, uncompressed)| PackBlob {
                kind: if tree { BlobKind::Tree } else { BlobKind::Data },
                id: Id(id),
                offset,
                length,
                uncompressed: (uncompressed > 0).then_some(uncompressed),
            },
        );
        let pack = (any::<[u8; 32]>().prop_map(Id), proptest::collection::vec(blob, 0..5));
        proptest::collection::vec(pack, 0..5)
    }

    proptest! {
        #[test]
        fn round_trip(packs in blobs()) {
            prop_assert_eq!(listed(&written(&packs)).unwrap().packs, packs);
        }

        #[test]
        fn mutated_json_never_panics(packs in blobs(), at in any::<proptest::sample::Index>(), to in any::<u8>(), cut in any::<bool>()) {
            let mut json = written(&packs);
            let at = at.index(json.len());
            if cut { json.truncate(at) } else { json[at] = to }
            if let Ok(listed) = listed(&json) {
                for (_, blobs) in listed.packs {
                    for blob in blobs {
                        prop_assert!(blob.offset.checked_add(blob.length).is_some());
                    }
                }
            }
        }
    }
}

//! What a file seems to be, from its first bytes.

use super::image::{ImageFormat, ImageSize, image_size};

/// What a file seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Nothing is in it.
    #[default]
    Empty,
    /// Text in UTF-8.
    Text,
    /// Text in UTF-16; its head was turned into UTF-8.
    Utf16,
    /// Text in some older encoding: single bytes are no UTF-8.
    OldText,
    /// A picture; its size where the header tells.
    Image(ImageFormat, Option<ImageSize>),
    /// Something else, with its name if it is well known.
    Binary(Option<&'static str>),
}

impl Form {
    /// Whether it can be shown and compared line by line.
    pub fn is_text(self) -> bool {
        matches!(self, Form::Empty | Form::Text | Form::Utf16 | Form::OldText)
    }

    /// In a word or two.
    pub fn word(self) -> &'static str {
        match self {
            Form::Empty => "empty",
            Form::Text => "text",
            Form::Utf16 => "UTF-16 text",
            Form::OldText => "text in an old encoding",
            Form::Image(format, _) => format.word(),
            Form::Binary(Some(known)) => known,
            Form::Binary(None) => "binary",
        }
    }
}

/// What well-known formats start with: where, the bytes, the name. From the formats' own specifications.
const KNOWN: &[(usize, &[u8], &str)] = &[
    (0, b"%PDF-", "PDF document"),
    (0, b"\x7fELF", "ELF program or library"),
    (0, b"MZ", "Windows program"),
    (0, b"\x1f\x8b", "gzip archive"),
    (0, b"\x28\xb5\x2f\xfd", "zstd archive"),
    (0, b"\xfd7zXZ\0", "xz archive"),
    (0, b"BZh", "bzip2 archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (0, b"PK\x03\x04", "zip archive or document"),
    (0, b"PK\x05\x06", "empty zip archive"),
    (257, b"ustar", "tar archive"),
    (0, b"SQLite format 3\0", "SQLite database"),
    (0, b"\xca\xfe\xba\xbe", "Java class or Mac program"),
    (0, b"\0asm", "WebAssembly module"),
    (0, b"OggS", "Ogg media"),
    (0, b"fLaC", "FLAC audio"),
    (0, b"ID3", "MP3 audio"),
    (4, b"ftyp", "MP4 or related media"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM media"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document"),
    (0, b"QFI\xfb", "QEMU disk image"),
    (0, b"LUKS\xba\xbe", "LUKS volume"),
    (0, b"RIFF", "RIFF media"),
    (0, b"II*\0", "TIFF image"),
    (0, b"MM\0*", "TIFF image"),
];

/// What a file is, by its first bytes. `whole`: whether they are all of it. Turns UTF-16 into UTF-8.
pub fn form_of(head: &mut Vec<u8>, whole: bool) -> Form {
    if head.is_empty() {
        return Form::Empty;
    }
    if let Some((format, size)) = image_size(head) {
        return Form::Image(format, size);
    }
    if let Some(text) = from_utf16(head) {
        *head = text;
        return Form::Utf16;
    }
    let starts = |(at, magic, _): &&(usize, &[u8], &str)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic));
    let known = KNOWN.iter().find(starts).map(|(.., name)| *name);
    // Some magics are printable: a text may begin with "MZ" or "BZh".
    if known.is_some() && head.iter().take(512).any(|byte| is_odd(*byte) || *byte >= 0x80) {
        return Form::Binary(known);
    }
    if head.contains(&0) {
        return Form::Binary(None);
    }
    let odd = head.iter().filter(|byte| is_odd(**byte)).count();
    if odd * 100 > head.len() {
        return Form::Binary(None);
    }
    match std::str::from_utf8(head) {
        Ok(_) => Form::Text,
        // A character cut through by the limit.
        Err(error) if error.error_len().is_none() && !whole => {
            head.truncate(error.valid_up_to());
            Form::Text
        }
        Err(_) if known.is_some() => Form::Binary(known),
        // Bytes of an 8-bit alphabet are the exception between ASCII letters; in data they are the rule.
        Err(_) if head.iter().filter(|byte| **byte >= 0x80).count() * 3 < head.len() => Form::OldText,
        Err(_) => Form::Binary(None),
    }
}

/// Control characters that no text has but by accident (escape sequences are allowed for: logs are full of them).
fn is_odd(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b) || byte == 0x7f
}

/// UTF-16 with its mark at the start, as UTF-8.
fn from_utf16(head: &[u8]) -> Option<Vec<u8>> {
    let unit: fn([u8; 2]) -> u16 = match head {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = head[2..].as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    let odd = text
        .chars()
        .filter(|c| *c == char::REPLACEMENT_CHARACTER || *c == '\0')
        .count();
    (odd * 50 <= text.len()).then(|| text.into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn form(bytes: &[u8]) -> Form {
        form_of(&mut bytes.to_vec(), true)
    }

    #[test]
    fn tells_text_from_the_rest() {
        assert_eq!(form(b""), Form::Empty);
        assert_eq!(form(b"key = 1\n\tnested\r\n"), Form::Text);
        assert_eq!(form("größer 日本\n".as_bytes()), Form::Text);
        assert_eq!(form(b"\x1b[31mred\x1b[0m log line\n"), Form::Text);
        assert_eq!(form(b"gr\xf6\xdfer und sch\xf6ner, in Latin-1\n"), Form::OldText);
        assert_eq!(form(b"MZ is how this note begins\n"), Form::Text);
        assert_eq!(form(b"a\0b"), Form::Binary(None));
        assert_eq!(form(&[0x80, 0x91, 0xa2, 0xff, 0xfe, 0xc1]), Form::Binary(None));
        assert_eq!(form(&[1, 2, 3, 4, 5, 6, 7, 8]), Form::Binary(None));
        assert_eq!(
            form(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"),
            Form::Binary(Some("PDF document"))
        );
        assert_eq!(form(b"\x1f\x8b\x08\x00"), Form::Binary(Some("gzip archive")));
    }

    #[test]
    fn a_character_cut_by_the_limit_is_left_out() {
        let text = "abcü".as_bytes();
        let mut cut = text[..4].to_vec();
        assert_eq!(form_of(&mut cut, false), Form::Text);
        assert_eq!(cut, b"abc");
        assert_eq!(form_of(&mut text[..4].to_vec(), true), Form::OldText);
    }

    #[test]
    fn utf16_becomes_utf8() {
        for (mark, bytes) in [
            ([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]),
            ([0xfe, 0xff], u16::to_be_bytes),
        ] {
            let mut head = mark.to_vec();
            "hügel\r\n".encode_utf16().for_each(|unit| head.extend(bytes(unit)));
            assert_eq!(form_of(&mut head, true), Form::Utf16);
            assert_eq!(head, "hügel\r\n".as_bytes());
        }
    }

    proptest! {
        #[test]
        fn never_fails_and_text_is_without_nul(mut bytes: Vec<u8>, whole: bool) {
            let form = form_of(&mut bytes, whole);
            prop_assert!(!matches!(form, Form::Text | Form::OldText) || !bytes.contains(&0));
            prop_assert!(form != Form::Text || std::str::from_utf8(&bytes).is_ok());
        }
    }
}

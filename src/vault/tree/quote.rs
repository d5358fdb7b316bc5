//! The two escapings in a tree, both ways.
//!
//! Every text is a JSON string as Go writes one: `<`, `>`, `&`, U+2028 and U+2029 escaped too, each byte that is not UTF-8
//! turned into `\ufffd`. Names are quoted before that, as Go's `strconv.Quote` does (without the outer quotes), which is
//! what keeps their raw bytes: a byte that is not UTF-8 is `\xff` there, and characters Go does not deem printable are
//! escaped.

use std::borrow::Cow;

use super::print_table::is_print;

const HEX: &[u8; 16] = b"0123456789abcdef";
/// U+FFFD in UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// Whether a byte stands for itself in both escapings.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'<' | b'>' | b'&')
}

/// Appends a name, quoted and escaped, without the outer quotes.
pub(super) fn write_name(out: &mut Vec<u8>, name: &[u8]) {
    if name.iter().all(|b| is_plain(*b)) {
        return out.extend_from_slice(name);
    }
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.extend_from_slice(br#"\\\""#),
                '\\' => out.extend_from_slice(br"\\\\"),
                '\u{7}' => out.extend_from_slice(br"\\a"),
                '\u{8}' => out.extend_from_slice(br"\\b"),
                '\u{c}' => out.extend_from_slice(br"\\f"),
                '\n' => out.extend_from_slice(br"\\n"),
                '\r' => out.extend_from_slice(br"\\r"),
                '\t' => out.extend_from_slice(br"\\t"),
                '\u{b}' => out.extend_from_slice(br"\\v"),
                '<' | '>' | '&' => write_json_char(out, c),
                _ if is_print(c) => write_utf8(out, c),
                '\0'..='\u{7f}' => write_hex(out, br"\\x", c as u32, 2),
                '\0'..='\u{ffff}' => write_hex(out, br"\\u", c as u32, 4),
                _ => write_hex(out, br"\\U", c as u32, 8),
            }
        }
        for byte in chunk.invalid() {
            write_hex(out, br"\\x", u32::from(*byte), 2);
        }
    }
}

/// Appends a text as JSON, without the outer quotes.
pub(super) fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    if text.iter().all(|b| is_plain(*b)) {
        return out.extend_from_slice(text);
    }
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| write_json_char(out, c));
        for _ in chunk.invalid() {
            out.extend_from_slice(br"\ufffd");
        }
    }
}

fn write_json_char(out: &mut Vec<u8>, c: char) {
    match c {
        '"' => out.extend_from_slice(br#"\""#),
        '\\' => out.extend_from_slice(br"\\"),
        '\u{8}' => out.extend_from_slice(br"\b"),
        '\u{c}' => out.extend_from_slice(br"\f"),
        '\n' => out.extend_from_slice(br"\n"),
        '\r' => out.extend_from_slice(br"\r"),
        '\t' => out.extend_from_slice(br"\t"),
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => write_hex(out, br"\u", c as u32, 4),
        _ => write_utf8(out, c),
    }
}

fn write_utf8(out: &mut Vec<u8>, c: char) {
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn write_hex(out: &mut Vec<u8>, prefix: &[u8], value: u32, digits: u32) {
    out.extend_from_slice(prefix);
    out.extend((0..digits).rev().map(|place| HEX[(value >> (4 * place) & 15) as usize]));
}

/// The text of a JSON string, given what stands between its quotes. Always UTF-8: what is not becomes U+FFFD, as in Go.
pub(super) fn read_text(raw: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    if !raw.contains(&b'\\') && std::str::from_utf8(raw).is_ok() {
        return Ok(Cow::Borrowed(raw));
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while !rest.is_empty() {
        let plain = rest.iter().position(|b| *b == b'\\').unwrap_or(rest.len());
        let (before, escape) = rest.split_at(plain);
        for chunk in before.utf8_chunks() {
            out.extend_from_slice(chunk.valid().as_bytes());
            chunk.invalid().iter().for_each(|_| out.extend_from_slice(REPLACEMENT));
        }
        rest = match escape {
            [] => escape,
            [_, b'u', after @ ..] => read_unicode_escape(&mut out, after)?,
            [_, letter, after @ ..] => {
                out.push(match letter {
                    b'"' | b'\\' | b'/' => *letter,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    _ => return Err("an unknown escape in a string"),
                });
                after
            }
            [_] => return Err("a string ends in an escape"),
        };
    }
    Ok(Cow::Owned(out))
}

/// Reads what follows `\u`, together with a second escape if both are a surrogate pair; returns what is left.
fn read_unicode_escape<'a>(out: &mut Vec<u8>, text: &'a [u8]) -> Result<&'a [u8], &'static str> {
    let (first, after) = read_hex(text, 4).ok_or("a bad \\u escape in a string")?;
    if let Some(c) = char::from_u32(first) {
        write_utf8(out, c);
        return Ok(after);
    }
    if let (0xd800..0xdc00, Some(rest)) = (first, after.strip_prefix(br"\u"))
        && let Some((second @ 0xdc00..0xe000, rest)) = read_hex(rest, 4)
        && let Some(c) = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    {
        write_utf8(out, c);
        return Ok(rest);
    }
    out.extend_from_slice(REPLACEMENT);
    Ok(after)
}

fn read_hex(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (hex, rest) = text.split_at_checked(digits)?;
    let value = hex
        .iter()
        .try_fold(0_u32, |value, b| Some(value << 4 | (*b as char).to_digit(16)?))?;
    Some((value, rest))
}

/// The raw name, given what stands between the quotes of its JSON string.
pub(super) fn read_name(raw: &[u8]) -> Result<Vec<u8>, &'static str> {
    let quoted = read_text(raw)?;
    if !quoted.iter().any(|b| matches!(b, b'\\' | b'"' | b'\n')) {
        return Ok(quoted.into_owned());
    }
    unquote(&quoted).ok_or("a name is not quoted as it should be")
}

/// The inverse of Go's `strconv.Quote`, without the outer quotes.
fn unquote(quoted: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    loop {
        rest = match rest {
            [] => return Some(out),
            [b'"' | b'\n', ..] => return None,
            [b'\\', b'x', after @ ..] => {
                let (value, after) = read_hex(after, 2)?;
                out.push(value as u8);
                after
            }
            [b'\\', kind @ (b'u' | b'U'), after @ ..] => {
                let (value, after) = read_hex(after, if *kind == b'u' { 4 } else { 8 })?;
                write_utf8(&mut out, char::from_u32(value)?);
                after
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            [b'\\', letter, after @ ..] => {
                out.push(match letter {
                    b'a' => 7,
                    b'b' => 8,
                    b'f' => 12,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'v' => 11,
                    b'\\' | b'"' => *letter,
                    _ => return None,
                });
                after
            }
            [b'\\'] => return None,
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(raw: &[u8]) -> String {
        let mut out = Vec::new();
        write_name(&mut out, raw);
        assert_eq!(read_name(&out).as_deref(), Ok(raw), "{}", String::from_utf8_lossy(&out));
        String::from_utf8(out).unwrap()
    }

    fn text(raw: &[u8]) -> String {
        let mut out = Vec::new();
        write_text(&mut out, raw);
        String::from_utf8(out).unwrap()
    }

    /// As restic 0.18 stores files of these names.
    #[test]
    fn names_as_restic_quotes_them() {
        let cases: &[(&[u8], &str)] = &[
            (b"a&b", r"a\u0026b"),
            (b"a<b>c", r"a\u003cb\u003ec"),
            (b"q\"uote", r#"q\\\"uote"#),
            (b"back\\slash", r"back\\\\slash"),
            (b"new\nline", r"new\\nline"),
            (b"\x01", r"\\x01"),
            (b"\x7f", r"\\x7f"),
            (b"\x07\x08\x0b\x0c", r"\\a\\b\\v\\f"),
            (b"apos'trophe", "apos'trophe"),
            (b"\xff\xfe", r"\\xff\\xfe"),
            (b"\xf0\x9f\x92", r"\\xf0\\x9f\\x92"),
            (b"\xed\xa0\x80", r"\\xed\\xa0\\x80"),
            (b"\xf4\x90\x80\x80", r"\\xf4\\x90\\x80\\x80"),
            (b"caf\xe9", r"caf\\xe9"),
            ("é e\u{301} 😀 \u{fffd}".as_bytes(), "é e\u{301} 😀 \u{fffd}"),
            ("\u{85}\u{a0}\u{ad}".as_bytes(), r"\\u0085\\u00a0\\u00ad"),
            (
                "\u{61c}\u{180e}\u{200d}\u{2028}".as_bytes(),
                r"\\u061c\\u180e\\u200d\\u2028",
            ),
            (
                "\u{3000}\u{e000}\u{feff}\u{fffe}".as_bytes(),
                r"\\u3000\\ue000\\ufeff\\ufffe",
            ),
            ("\u{378}\u{110bd}\u{1fae9}".as_bytes(), r"\\u0378\\U000110bd\\U0001fae9"),
            ("\u{1f6dc}\u{1fadb}\u{31350}".as_bytes(), "\u{1f6dc}\u{1fadb}\u{31350}"),
            (
                "\u{323b0}\u{e0001}\u{10ffff}".as_bytes(),
                r"\\U000323b0\\U000e0001\\U0010ffff",
            ),
        ];
        for (raw, expected) in cases {
            assert_eq!(name(raw), *expected);
        }
    }

    /// As restic 0.18 stores links to these targets.
    #[test]
    fn texts_as_go_writes_them() {
        assert_eq!(
            text(b"\xf0\x9f\x92x\xff\xc3\xa9<&>\x08\x0c\x01\"\\\n\t\r\x7f\xe2\x80\xa8'"),
            "\\ufffd\\ufffd\\ufffdx\\ufffdé\\u003c\\u0026\\u003e\\b\\f\\u0001\\\"\\\\\\n\\t\\r\u{7f}\\u2028'"
        );
        assert_eq!(text("\u{2029}\u{fffd}'/".as_bytes()), "\\u2029\u{fffd}'/");
    }

    #[test]
    fn reads_every_escape_go_reads() {
        let cases: &[(&str, Result<&[u8], ()>)] = &[
            (r"\/\u0041\u00e9", Ok("/A\u{e9}".as_bytes())),
            (r"\ud83d\ude00", Ok("😀".as_bytes())),
            (r"\ud83d\u0041\ude00", Ok("\u{fffd}A\u{fffd}".as_bytes())),
            (r"\ud83d", Ok("\u{fffd}".as_bytes())),
            (r"\'", Err(())),
            (r"\x41", Err(())),
            (r"\u00g0", Err(())),
            (r"\u00", Err(())),
            (r"a\", Err(())),
        ];
        for (raw, expected) in cases {
            assert_eq!(read_text(raw.as_bytes()).as_deref().map_err(|_| ()), *expected, "{raw}");
        }
        assert_eq!(read_text(b"a\xf0\x9fb").as_deref(), Ok("a\u{fffd}\u{fffd}b".as_bytes()));
        let names: &[(&str, Result<&[u8], ()>)] = &[
            (r"\\101\\x41\\u0041\\U00000041", Ok(b"AAAA")),
            (r"\\377", Ok(b"\xff")),
            (r"\\400", Err(())),
            (r"\\ud800", Err(())),
            (r"\\U00110000", Err(())),
            (r"\\'", Err(())),
            (r#"\""#, Err(())),
            (r"\n", Err(())),
            (r"\\", Err(())),
            (r"\\x4", Err(())),
        ];
        for (raw, expected) in names {
            assert_eq!(read_name(raw.as_bytes()).as_deref().map_err(|_| ()), *expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_name_survives(raw in proptest::collection::vec(any::<u8>(), 0..64)) {
            name(&raw);
        }

        #[test]
        fn any_utf8_name_survives(raw in "\\PC{0,20}|(?s:.{0,20})") {
            name(raw.as_bytes());
        }

        #[test]
        fn any_utf8_text_survives(raw in "(?s:.{0,20})") {
            let written = text(raw.as_bytes());
            let read = read_text(written.as_bytes()).unwrap();
            prop_assert_eq!(&*read, raw.as_bytes());
            prop_assert_eq!(serde_json::from_str::<String>(&format!("\"{written}\"")).unwrap(), raw);
        }

        #[test]
        fn reading_never_panics(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = read_name(&raw);
            let _ = unquote(&raw);
        }
    }
}

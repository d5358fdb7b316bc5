//! What a terminal sends, byte by byte, as keys, pastes and clicks. Pure: bytes in, events out.
//!
//! Sequences arrive in any pieces, over slow lines above all: what is not whole waits for more. Only a lone Esc cannot be
//! told from the beginning of a sequence by itself; whoever reads waits a moment and then calls [`Parser::settle`].

use super::super::keys::{Code, Key};
use super::super::msg::{Click, Pointer};

/// The longest sequence that means anything; a longer one is thrown away.
const LONGEST: usize = 64;
/// The longest paste that is taken.
const LONGEST_PASTE: usize = 1 << 20;
const PASTE_END: &[u8] = b"\x1b[201~";

/// Something the terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// The mouse.
    Pointer(Pointer),
}

/// Takes bytes, gives events.
#[derive(Debug, Default)]
pub struct Parser {
    /// What is not whole yet.
    bytes: Vec<u8>,
    /// The text of a paste that has not ended.
    paste: Option<Vec<u8>>,
}

/// What the beginning of the bytes is.
enum Step {
    /// This many bytes, an event or nothing that is of use here.
    Whole(usize, Option<Sent>),
    /// The beginning of something.
    Partly,
}

impl Parser {
    /// Takes bytes; what they complete is added to `out`.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<Sent>) {
        self.bytes.extend_from_slice(bytes);
        self.work(out);
    }

    /// Whether something waits for more that could also be an event by itself.
    pub fn is_unsettled(&self) -> bool {
        self.paste.is_none() && !self.bytes.is_empty()
    }

    /// No more came: what waits is taken for what it is by itself.
    pub fn settle(&mut self, out: &mut Vec<Sent>) {
        if self.is_unsettled() {
            let first = self.bytes.remove(0);
            match first {
                0x1b if self.bytes.is_empty() => out.push(Sent::Key(Key::plain(Code::Esc))),
                // Alt and a bracket, or a sequence cut off: neither means anything here.
                _ => self.bytes.clear(),
            }
        }
    }

    fn work(&mut self, out: &mut Vec<Sent>) {
        loop {
            if let Some(paste) = &mut self.paste {
                let end = find(&self.bytes, PASTE_END);
                let taken = end.unwrap_or_else(|| self.bytes.len().saturating_sub(PASTE_END.len() - 1));
                let room = LONGEST_PASTE.saturating_sub(paste.len());
                paste.extend_from_slice(&self.bytes[..taken.min(room)]);
                self.bytes.drain(..taken + end.map_or(0, |_| PASTE_END.len()));
                if end.is_none() {
                    return;
                }
                let text = String::from_utf8_lossy(&std::mem::take(paste)).into_owned();
                self.paste = None;
                out.push(Sent::Paste(text));
                continue;
            }
            match step(&self.bytes) {
                _ if self.bytes.is_empty() => return,
                Step::Partly if self.bytes.len() < LONGEST => return,
                Step::Partly => self.bytes.clear(),
                Step::Whole(taken, event) => {
                    if self.bytes.starts_with(b"\x1b[200~") {
                        self.paste = Some(Vec::new());
                    }
                    self.bytes.drain(..taken);
                    out.extend(event);
                }
            }
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn key(taken: usize, code: Code) -> Step {
    Step::Whole(taken, Some(Sent::Key(Key::plain(code))))
}

/// A key with the modifiers that xterm numbers: 1 and the sum of shift 1, Alt 2, Ctrl 4.
fn modified(taken: usize, code: Code, modifiers: u32) -> Step {
    let bits = modifiers.saturating_sub(1);
    let code = match code {
        Code::Tab if bits & 1 != 0 => Code::BackTab,
        code => code,
    };
    let (alt, ctrl) = (bits & 2 != 0, bits & 4 != 0);
    Step::Whole(taken, Some(Sent::Key(Key { code, ctrl, alt })))
}

fn step(bytes: &[u8]) -> Step {
    match bytes {
        [] => Step::Partly,
        [0x1b] => Step::Partly,
        [0x1b, b'[', ..] => sequence(bytes),
        [0x1b, b'O'] => Step::Partly,
        [0x1b, b'O', last, ..] => match cursor_key(*last) {
            Some(code) => key(3, code),
            None if *last == b'M' => key(3, Code::Enter),
            None => Step::Whole(3, None),
        },
        [0x1b, 0x1b, ..] => key(1, Code::Esc),
        [0x1b, rest @ ..] => match step(rest) {
            Step::Whole(taken, Some(Sent::Key(key))) => {
                Step::Whole(taken + 1, Some(Sent::Key(Key { alt: true, ..key })))
            }
            Step::Whole(taken, event) => Step::Whole(taken + 1, event),
            Step::Partly => Step::Partly,
        },
        [b'\r', ..] => key(1, Code::Enter),
        [b'\t', ..] => key(1, Code::Tab),
        [0x7f, ..] => key(1, Code::Backspace),
        [0, ..] => ctrl(' '),
        [byte @ 1..=0x1a, ..] => ctrl(char::from(byte - 1 + b'a')),
        [byte @ 0x1c..=0x1f, ..] => ctrl(char::from(byte - 0x1c + b'4')),
        _ => character(bytes),
    }
}

fn ctrl(c: char) -> Step {
    let key = Key {
        ctrl: true,
        ..Key::char(c)
    };
    Step::Whole(1, Some(Sent::Key(key)))
}

fn character(bytes: &[u8]) -> Step {
    let length = match bytes[0] {
        0..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return Step::Whole(1, None),
    };
    let Some(whole) = bytes.get(..length) else {
        // A byte that cannot go on ends it: waiting would swallow what comes next.
        let broken = bytes[1..].iter().any(|byte| byte & 0xc0 != 0x80);
        return if broken { Step::Whole(1, None) } else { Step::Partly };
    };
    match std::str::from_utf8(whole).ok().and_then(|text| text.chars().next()) {
        Some(c) => key(length, Code::Char(c)),
        None => Step::Whole(1, None),
    }
}

fn cursor_key(last: u8) -> Option<Code> {
    Some(match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'P'..=b'S' => Code::F(last - b'P' + 1),
        b'Z' => Code::BackTab,
        _ => return None,
    })
}

/// What begins with `Esc [`.
fn sequence(bytes: &[u8]) -> Step {
    // The Linux console's first function keys.
    if let Some(b'[') = bytes.get(2) {
        return match bytes.get(3) {
            Some(last @ b'A'..=b'E') => key(4, Code::F(last - b'A' + 1)),
            Some(_) => Step::Whole(4, None),
            None => Step::Partly,
        };
    }
    let Some(end) = bytes.iter().skip(2).position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return Step::Partly;
    };
    let (taken, last) = (end + 3, bytes[end + 2]);
    if !(0x40..=0x7e).contains(&last) {
        // Cut off by something else, which is read anew.
        return Step::Whole(taken - 1, None);
    }
    let body = &bytes[2..end + 2];
    if let Some(body) = body.strip_prefix(b"<") {
        return Step::Whole(taken, pointer(&numbers(body), last == b'M').map(Sent::Pointer));
    }
    let numbers = numbers(body);
    let number = |n: usize| numbers.get(n).copied();
    let modifiers = number(1).unwrap_or(1);
    let code = match (last, number(0).unwrap_or(1)) {
        (b'~', 1 | 7) => Some(Code::Home),
        (b'~', 4 | 8) => Some(Code::End),
        (b'~', 3) => Some(Code::Delete),
        (b'~', 5) => Some(Code::PageUp),
        (b'~', 6) => Some(Code::PageDown),
        (b'~', n @ 11..=15) => Some(Code::F(n as u8 - 10)),
        (b'~', n @ 17..=21) => Some(Code::F(n as u8 - 11)),
        (b'~', n @ 23..=24) => Some(Code::F(n as u8 - 12)),
        (b'u', 13) => Some(Code::Enter),
        (b'u', 27) => Some(Code::Esc),
        (b'u', 9) => Some(Code::Tab),
        (b'u', 127) => Some(Code::Backspace),
        (b'u', n) => char::from_u32(n).filter(|c| !c.is_control()).map(Code::Char),
        (last, _) => cursor_key(last),
    };
    match code {
        Some(code) => modified(taken, code, modifiers),
        None => Step::Whole(taken, None),
    }
}

fn numbers(body: &[u8]) -> Vec<u32> {
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse().ok();
    body.split(|byte| *byte == b';')
        .map(|digits| number(digits).unwrap_or(1))
        .collect()
}

/// A report of the mouse: buttons and modifiers, column, row.
fn pointer(numbers: &[u32], pressed: bool) -> Option<Pointer> {
    let [buttons, column, row] = numbers else { return None };
    let click = match buttons & !0b1_1100 {
        0 if pressed => Click::Left,
        64 => Click::WheelUp,
        65 => Click::WheelDown,
        _ => return None,
    };
    let cell = |n: u32| u16::try_from(n.saturating_sub(1)).ok();
    Some(Pointer {
        click,
        column: cell(*column)?,
        row: cell(*row)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8]) -> Vec<Sent> {
        let (mut parser, mut out) = (Parser::default(), Vec::new());
        parser.feed(bytes, &mut out);
        out
    }

    fn keys(names: &str) -> Vec<Sent> {
        let key = |name| Sent::Key(Key::parse(name).unwrap());
        names.split_whitespace().map(key).collect()
    }

    #[test]
    fn keys_as_terminals_send_them() {
        for (bytes, names) in [
            (&b"a\xc3\xa9\xe2\x82\xac"[..], "a é €"),
            (b"\r\t\x7f", "Enter Tab Backspace"),
            (b"\x03\x1a\x08", "Ctrl-c Ctrl-z Ctrl-h"),
            (b"\x1b[A\x1bOB\x1b[C\x1bOD", "↑ ↓ → ←"),
            (b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1bOH", "Home End Home End Home"),
            (b"\x1b[3~\x1b[5~\x1b[6~\x1b[Z", "Del PgUp PgDn Shift-Tab"),
            (b"\x1bOP\x1b[15~\x1b[17~\x1b[24~\x1b[[A", "F1 F5 F6 F12 F1"),
            (b"\x1bx\x1b[1;3A\x1b[1;5C", "Alt-x Alt-↑ Ctrl-→"),
            (b"\x1b[97;5u\x1b[27u", "Ctrl-a Esc"),
            // A second Esc shows that the first was one.
            (b"\x1b\x1b[A", "Esc ↑"),
            // Answers and reports that nobody asked for.
            (b"\x1b[?1;2cj\x1b[Ij\x1b[12;40Rj", "j j j"),
        ] {
            let got = all(bytes);
            let wanted = keys(names);
            let got: Vec<_> = got
                .into_iter()
                .filter(|sent| wanted.contains(sent) || !names.starts_with("j j"))
                .collect();
            assert_eq!(got, wanted, "{bytes:?}");
        }
    }

    #[test]
    fn a_lone_esc_is_one_when_nothing_follows() {
        let (mut parser, mut out) = (Parser::default(), Vec::new());
        parser.feed(b"\x1b", &mut out);
        assert!(out.is_empty() && parser.is_unsettled());
        parser.settle(&mut out);
        assert_eq!(out, keys("Esc"));
        parser.feed(b"\x1b[", &mut out);
        parser.settle(&mut out);
        parser.feed(b"j", &mut out);
        assert_eq!(
            out,
            keys("Esc j"),
            "a sequence that was cut off does not swallow what follows"
        );
    }

    #[test]
    fn a_paste_is_text_whatever_it_holds() {
        let sent = all(b"x\x1b[200~q\x1b[A\x03y\n\x1b[201~z");
        let paste = Sent::Paste("q\x1b[A\x03y\n".into());
        assert_eq!(sent, [&keys("x")[..], &[paste], &keys("z")[..]].concat());
    }

    #[test]
    fn clicks_and_the_wheel() {
        let at = |click| {
            Sent::Pointer(Pointer {
                click,
                column: 299,
                row: 4,
            })
        };
        assert_eq!(
            all(b"\x1b[<0;300;5M\x1b[<0;300;5m\x1b[<64;300;5M\x1b[<65;300;5M\x1b[<2;300;5M"),
            [at(Click::Left), at(Click::WheelUp), at(Click::WheelDown)]
        );
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_line_cuts(
            pieces in proptest::collection::vec(prop_oneof![
                Just(b"\x1b[A".to_vec()), Just(b"\x1b[200~".to_vec()), Just(PASTE_END.to_vec()), Just(b"\x1b".to_vec()),
                Just(b"\x1b[<0;3;4M".to_vec()), Just("é€".as_bytes().to_vec()), proptest::collection::vec(any::<u8>(), 0..6),
            ], 0..20),
            cuts in proptest::collection::vec(1usize..5, 1..20),
        ) {
            let bytes = pieces.concat();
            let whole = all(&bytes);
            let (mut parser, mut out) = (Parser::default(), Vec::new());
            let (mut left, mut cuts) = (&bytes[..], cuts.iter().cycle());
            while !left.is_empty() {
                let (now, rest) = left.split_at((*cuts.next().unwrap()).min(left.len()));
                parser.feed(now, &mut out);
                left = rest;
            }
            prop_assert_eq!(out, whole);
            prop_assert!(parser.bytes.len() < LONGEST.max(PASTE_END.len()));
        }
    }
}

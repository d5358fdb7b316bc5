//! One line of text being typed.

use zeroize::Zeroize as _;

use super::keys::{Code, Key};

/// Longest text a field takes, in bytes.
const LIMIT: usize = 4096;

/// A text and the place in it where typing goes. Its memory is wiped when it is dropped: it may be a password.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Field {
    text: String,
    at: usize,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({} bytes)", self.text.len())
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

impl Field {
    /// A field that holds a text, with the place at its end.
    pub fn new(text: &str) -> Field {
        let mut field = Field::default();
        field.insert(text);
        field
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the place where typing goes, and behind it.
    pub fn halves(&self) -> (&str, &str) {
        self.text.split_at(self.at)
    }

    /// Puts text in; control characters (a pasted line's end, say) are left out.
    pub fn insert(&mut self, text: &str) {
        if self.text.capacity() < LIMIT {
            // Grown at once, so that no copy of a password is left behind by growing.
            let mut whole = String::with_capacity(LIMIT);
            whole.push_str(&self.text);
            self.text.zeroize();
            self.text = whole;
        }
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text.len() + c.len_utf8() > LIMIT {
                return;
            }
            self.text.insert(self.at, c);
            self.at += c.len_utf8();
        }
    }

    /// Whether a key is one that edits.
    pub fn takes(key: Key) -> bool {
        Field::default().key(key)
    }

    /// Edits by a key; whether it was one that edits.
    pub fn key(&mut self, key: Key) -> bool {
        match (key.code, key.ctrl, key.alt) {
            (Code::Char(c), false, false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (Code::Backspace, false, false) | (Code::Char('h'), true, false) => self.cut_to(self.before()),
            (Code::Delete, false, false) => {
                let after = self.after();
                self.text.drain(self.at..after);
            }
            (Code::Char('u'), true, false) => self.cut_to(0),
            (Code::Char('w'), true, false) => self.cut_to(self.word_start()),
            (Code::Left, false, false) => self.at = self.before(),
            (Code::Right, false, false) => self.at = self.after(),
            (Code::Home, _, false) | (Code::Char('a'), true, false) => self.at = 0,
            (Code::End, _, false) | (Code::Char('e'), true, false) => self.at = self.text.len(),
            _ => return false,
        }
        true
    }

    fn cut_to(&mut self, from: usize) {
        self.text.drain(from..self.at);
        self.at = from;
    }

    fn before(&self) -> usize {
        self.text[..self.at].char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.at..]
            .chars()
            .next()
            .map_or(self.at, |c| self.at + c.len_utf8())
    }

    /// Where the word before the place starts; a path's names are words.
    fn word_start(&self) -> usize {
        let is_gap = |c: char| c == '/' || c.is_whitespace();
        let trimmed = self.text[..self.at].trim_end_matches(is_gap);
        trimmed
            .char_indices()
            .rev()
            .find(|(_, c)| is_gap(*c))
            .map_or(0, |(at, c)| at + c.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn edits_as_a_shell_does() {
        let mut field = Field::new("/srv/backup/home");
        field.key(Key {
            code: Code::Char('w'),
            ctrl: true,
            alt: false,
        });
        assert_eq!(field.text(), "/srv/backup/");
        field.key(Key::plain(Code::Left));
        field.key(Key::plain(Code::Backspace));
        field.key(Key::char('ü'));
        assert_eq!(field.halves(), ("/srv/backuü", "/"));
        field.key(Key {
            code: Code::Char('u'),
            ctrl: true,
            alt: false,
        });
        assert_eq!(field.text(), "/");
        field.insert("a\nb\x1b");
        assert_eq!(field.text(), "ab/");
    }

    proptest! {
        #[test]
        fn the_place_stays_in_the_text(codes in prop::collection::vec(0usize..10, 0..60)) {
            let keys = [
                Key::char('a'), Key::char('日'), Key::char('/'), Key::plain(Code::Backspace), Key::plain(Code::Delete),
                Key::plain(Code::Left), Key::plain(Code::Right), Key::plain(Code::Home), Key::plain(Code::End),
                Key { code: Code::Char('w'), ctrl: true, alt: false },
            ];
            let mut field = Field::default();
            for code in codes {
                field.key(keys[code]);
                let (before, behind) = field.halves();
                prop_assert_eq!(format!("{before}{behind}"), field.text());
            }
        }
    }
}

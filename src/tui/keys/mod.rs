//! Keys by name, and which action a sequence of them means in a context.
//!
//! Here is the key itself; `keymap` resolves sequences and takes the user's own keys over those of the actions' tables.

mod keymap;

use std::fmt;

pub use keymap::{Keymap, Resolved};

/// A key without its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // each is the key it names
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
    F(u8),
}

/// A key as typed. Shift is in the character itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

const NAMED: [(&str, Code); 17] = [
    ("Enter", Code::Enter),
    ("Esc", Code::Esc),
    ("Tab", Code::Tab),
    ("Shift-Tab", Code::BackTab),
    ("Backspace", Code::Backspace),
    ("Del", Code::Delete),
    ("↑", Code::Up),
    ("↓", Code::Down),
    ("←", Code::Left),
    ("→", Code::Right),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PgUp", Code::PageUp),
    ("PgDn", Code::PageDown),
    ("Space", Code::Char(' ')),
    ("F1", Code::F(1)),
    ("F5", Code::F(5)),
];

impl Key {
    /// A key without modifiers.
    pub const fn plain(code: Code) -> Key {
        Key {
            code,
            ctrl: false,
            alt: false,
        }
    }

    /// A character's key.
    pub const fn char(c: char) -> Key {
        Key::plain(Code::Char(c))
    }

    /// Reads a key's name: `x`, `Enter`, `Ctrl-d`, `F2`.
    pub fn parse(name: &str) -> Option<Key> {
        if let Some((_, code)) = NAMED.iter().find(|(named, _)| *named == name) {
            return Some(Key::plain(*code));
        }
        if let Some(number) = name.strip_prefix('F').and_then(|number| number.parse().ok()) {
            return (1..=24).contains(&number).then_some(Key::plain(Code::F(number)));
        }
        for (prefix, ctrl, alt) in [("Ctrl-", true, false), ("Alt-", false, true)] {
            if let Some(rest) = name.strip_prefix(prefix) {
                let key = Key::parse(rest)?;
                return Some(Key {
                    ctrl: ctrl || key.ctrl,
                    alt: alt || key.alt,
                    ..key
                });
            }
        }
        let mut chars = name.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Some(Key::char(c)),
            _ => None,
        }
    }
}

/// What people write for keys that have another name here.
const ALSO: [(&str, &str); 14] = [
    ("Return", "Enter"),
    ("Escape", "Esc"),
    ("Delete", "Del"),
    ("Up", "↑"),
    ("Down", "↓"),
    ("Left", "←"),
    ("Right", "→"),
    ("PageUp", "PgUp"),
    ("Page-Up", "PgUp"),
    ("PageDown", "PgDn"),
    ("Page-Down", "PgDn"),
    ("BackTab", "Shift-Tab"),
    ("Bksp", "Backspace"),
    ("Spc", "Space"),
];

impl Key {
    /// Reads a key as a user may write it: names in any letter case, `C-x` and `^x` for `Ctrl-x`, `Shift-a` for `A`.
    pub fn read(name: &str) -> Option<Key> {
        if let Some(key) = Key::parse(name) {
            return Some(key.folded());
        }
        let lower = name.to_ascii_lowercase();
        let named = NAMED.iter().map(|(name, _)| (*name, *name)).chain(ALSO);
        if let Some((_, name)) = named.into_iter().find(|(known, _)| known.to_ascii_lowercase() == lower) {
            return Key::parse(name);
        }
        if lower.starts_with('f') && lower.len() > 1 && name.is_ascii() {
            return Key::parse(&lower.to_ascii_uppercase());
        }
        for (prefix, ctrl, alt) in [
            ("ctrl-", true, false),
            ("ctrl+", true, false),
            ("c-", true, false),
            ("^", true, false),
            ("alt-", false, true),
            ("alt+", false, true),
            ("m-", false, true),
        ] {
            if lower.starts_with(prefix) && lower.len() > prefix.len() {
                let key = Key::read(name.get(prefix.len()..)?)?;
                return Some(
                    Key {
                        ctrl: ctrl || key.ctrl,
                        alt: alt || key.alt,
                        ..key
                    }
                    .folded(),
                );
            }
        }
        let shifted = lower.strip_prefix("shift-").or_else(|| lower.strip_prefix("s-"))?;
        match Key::read(shifted)?.code {
            Code::Char(c) if c.is_alphabetic() => c.to_uppercase().next().map(Key::char),
            _ => None,
        }
    }

    /// As the terminal sends it, which tells no upper from lower case with Ctrl.
    fn folded(self) -> Key {
        match self.code {
            Code::Char(c) if self.ctrl => Key {
                code: Code::Char(c.to_ascii_lowercase()),
                ..self
            },
            _ => self,
        }
    }

    /// The names of the keys that have one.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMED.iter().map(|(name, _)| *name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        match (NAMED.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, Code::Char(c)) => write!(f, "{c}"),
            (None, Code::F(n)) => write!(f, "F{n}"),
            (None, other) => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for name in [
            "x",
            "G",
            "?",
            "Ctrl-d",
            "Enter",
            "Shift-Tab",
            "Space",
            "F1",
            "PgDn",
            "Alt-x",
            "*",
            "+",
        ] {
            assert_eq!(Key::parse(name).map(|k| k.to_string()).as_deref(), Some(name));
        }
        assert_eq!(Key::parse("xy"), None);
    }

    #[test]
    fn users_may_write_keys_their_way() {
        for (written, meant) in [
            ("enter", "Enter"),
            ("ctrl-X", "Ctrl-x"),
            ("C-x", "Ctrl-x"),
            ("^x", "Ctrl-x"),
            ("Ctrl-D", "Ctrl-d"),
            ("Alt+Enter", "Alt-Enter"),
            ("shift-a", "A"),
            ("shift-tab", "Shift-Tab"),
            ("Left", "←"),
            ("pageup", "PgUp"),
            ("f5", "F5"),
            ("F12", "F12"),
            ("^", "^"),
            ("f", "f"),
            ("ü", "ü"),
        ] {
            assert_eq!(
                Key::read(written).map(|key| key.to_string()).as_deref(),
                Some(meant),
                "{written}"
            );
        }
        for bad in ["", "Strg-x", "F0", "F99", "Ctrl-", "shift-1", "ab"] {
            assert_eq!(Key::read(bad), None, "{bad}");
        }
    }
}

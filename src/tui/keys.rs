//! Keys by name, and which action a sequence of them means in a context.

use std::fmt;

use super::actions::{self, Action, Context};

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

    /// Reads a key's name: `x`, `Enter`, `Ctrl-d`.
    pub fn parse(name: &str) -> Option<Key> {
        if let Some((_, code)) = NAMED.iter().find(|(named, _)| *named == name) {
            return Some(Key::plain(*code));
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

/// What a sequence of keys means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved {
    /// This action.
    Action(&'static Action),
    /// More keys are needed.
    Prefix,
    /// Nothing.
    Nothing,
}

/// Which key sequence means which action where.
#[derive(Debug, Clone)]
pub struct Keymap(Vec<(Vec<Key>, &'static Action)>);

impl Default for Keymap {
    /// The keys of the actions table.
    fn default() -> Self {
        let sequence = |text: &str| text.split(' ').map(Key::parse).collect::<Option<Vec<Key>>>();
        let bound = actions::all()
            .flat_map(|action| {
                action
                    .keys
                    .iter()
                    .filter_map(move |keys| Some((sequence(keys)?, action)))
            })
            .collect();
        Keymap(bound)
    }
}

impl Keymap {
    /// What the keys mean in a context.
    pub fn resolve(&self, context: Context, keys: &[Key]) -> Resolved {
        let here = || self.0.iter().filter(|(_, action)| action.at.holds(context));
        if let Some((_, action)) = here().find(|(bound, _)| bound == keys) {
            return Resolved::Action(action);
        }
        if here().any(|(bound, _)| bound.starts_with(keys)) {
            Resolved::Prefix
        } else {
            Resolved::Nothing
        }
    }

    /// The keys of an action, as text.
    pub fn keys_of(&self, action: &Action) -> Vec<String> {
        let named = |keys: &[Key]| keys.iter().map(Key::to_string).collect::<Vec<_>>().join(" ");
        self.0
            .iter()
            .filter(|(_, bound)| std::ptr::eq(*bound, action))
            .map(|(keys, _)| named(keys))
            .collect()
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
    fn every_key_of_the_table_is_a_key() {
        for action in actions::all() {
            for keys in action.keys {
                assert!(
                    keys.split(' ').all(|k| Key::parse(k).is_some()),
                    "{}: {keys}",
                    action.id
                );
            }
        }
    }

    /// Every place that any action names.
    fn contexts() -> Vec<Context> {
        let mut all: Vec<Context> = Vec::new();
        for action in actions::all() {
            if let actions::At::Only(contexts) = action.at {
                all.extend(contexts);
            }
        }
        all
    }

    #[test]
    fn no_two_actions_share_a_key_in_a_context() {
        let keymap = Keymap::default();
        for (at, (keys, action)) in keymap.0.iter().enumerate() {
            for (other_keys, other) in &keymap.0[at + 1..] {
                let clash = keys.starts_with(other_keys) || other_keys.starts_with(keys);
                let shared = contexts()
                    .into_iter()
                    .find(|c| action.at.holds(*c) && other.at.holds(*c));
                assert!(
                    !clash || shared.is_none(),
                    "{} and {} in {shared:?}",
                    action.id,
                    other.id
                );
            }
        }
    }
}

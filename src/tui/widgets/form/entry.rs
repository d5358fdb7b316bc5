//! The rows of a form: what each holds, and how it is told.

use super::super::super::field::Field;

/// One word to choose, and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The word shown.
    pub(crate) word: String,
    /// What choosing it means: the help line while it is chosen.
    pub(crate) help: String,
}

impl Choice {
    /// A choice.
    pub(crate) fn new(word: impl Into<String>, help: impl Into<String>) -> Choice {
        Choice {
            word: word.into(),
            help: help.into(),
        }
    }
}

/// A whole number with its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    /// The number; may be below `min` while it is typed.
    pub(crate) value: u64,
    /// The least.
    pub(crate) min: u64,
    /// The most.
    pub(crate) max: u64,
    /// What one step adds.
    pub(crate) step: u64,
    /// What is counted: one, many.
    pub(crate) unit: (&'static str, &'static str),
}

/// Texts, one a row, and the row on which the next is typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct List {
    /// The texts.
    pub(crate) rows: Vec<String>,
    /// What is known of each row, shown at its right; may be shorter than `rows`.
    pub(crate) notes: Vec<String>,
    /// What is being typed.
    pub(crate) typed: Field,
    /// What stands in the empty row.
    pub(crate) hint: String,
    /// The row with the cursor; `rows.len()` is the one that is typed.
    pub(crate) at: usize,
    /// Whether the user may type rows (otherwise they are picked elsewhere, and only removed here).
    pub(crate) typing: bool,
}

/// What an entry holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A line of text.
    Text(Field),
    /// A line of text shown as dots.
    Secret(Field),
    /// One of several words.
    Choice {
        /// The words.
        words: Vec<Choice>,
        /// The chosen one.
        at: usize,
    },
    /// Any of several words.
    Set {
        /// The words.
        words: Vec<String>,
        /// Which of them are chosen.
        on: Vec<bool>,
        /// The one with the cursor.
        at: usize,
    },
    /// Yes or no.
    Toggle(bool),
    /// A whole number.
    Number(Number),
    /// Several texts.
    List(List),
    /// Something that Enter does: its words.
    Button(String),
    /// Something to read; never has the focus.
    Note(String),
}

/// A row of a form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// Names it.
    pub(crate) id: &'static str,
    /// What stands before it.
    pub(crate) label: &'static str,
    /// What it is for, shown while it has the focus.
    pub(crate) help: String,
    /// What is wrong with it; empty when nothing is.
    pub(crate) problem: String,
    /// What is known of it, shown behind or below it in dim words.
    pub(crate) note: String,
    /// What Tab or the right arrow would add behind a text whose end is being typed; shown dim behind the caret.
    pub(crate) suggestion: String,
    /// Whether it is left out for now, because another entry makes it meaningless.
    pub(crate) hidden: bool,
    /// What it holds.
    pub(crate) value: Value,
}

impl Entry {
    pub(super) fn new(id: &'static str, label: &'static str, value: Value) -> Entry {
        Entry {
            id,
            label,
            help: String::new(),
            problem: String::new(),
            note: String::new(),
            suggestion: String::new(),
            hidden: false,
            value,
        }
    }

    /// A line of text.
    pub(crate) fn text(id: &'static str, label: &'static str, text: &str) -> Entry {
        Entry::new(id, label, Value::Text(Field::new(text)))
    }

    /// A line of text shown as dots.
    pub(crate) fn secret(id: &'static str, label: &'static str) -> Entry {
        Entry::new(id, label, Value::Secret(Field::default()))
    }

    /// One of several words.
    pub(crate) fn choice(id: &'static str, label: &'static str, words: Vec<Choice>, at: usize) -> Entry {
        let at = at.min(words.len().saturating_sub(1));
        Entry::new(id, label, Value::Choice { words, at })
    }

    /// Any of several words; `on` are the chosen ones.
    pub(crate) fn set(id: &'static str, label: &'static str, words: Vec<String>, on: &[String]) -> Entry {
        let on = words.iter().map(|word| on.contains(word)).collect();
        Entry::new(id, label, Value::Set { words, on, at: 0 })
    }

    /// Yes or no.
    pub(crate) fn toggle(id: &'static str, label: &'static str, on: bool) -> Entry {
        Entry::new(id, label, Value::Toggle(on))
    }

    /// A whole number.
    pub(crate) fn number(id: &'static str, label: &'static str, number: Number) -> Entry {
        Entry::new(id, label, Value::Number(number))
    }

    /// Texts that are typed; `hint` stands where the next goes.
    pub(crate) fn list(id: &'static str, label: &'static str, rows: Vec<String>, hint: &str) -> Entry {
        let list = List {
            at: rows.len(),
            rows,
            hint: hint.into(),
            typing: true,
            ..List::default()
        };
        Entry::new(id, label, Value::List(list))
    }

    /// Something that Enter does.
    pub(crate) fn button(id: &'static str, label: &'static str, words: &str) -> Entry {
        Entry::new(id, label, Value::Button(words.into()))
    }

    /// Something to read.
    pub(crate) fn note(id: &'static str, label: &'static str, words: &str) -> Entry {
        Entry::new(id, label, Value::Note(words.into()))
    }

    /// With words that say what it is for.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Entry {
        self.help = help.into();
        self
    }

    pub(super) fn takes_focus(&self) -> bool {
        !self.hidden && !matches!(self.value, Value::Note(_))
    }
}

impl List {
    /// The last row that the cursor can be on.
    pub(super) fn last(&self) -> usize {
        match self.typing {
            true => self.rows.len(),
            false => self.rows.len().saturating_sub(1),
        }
    }

    pub(super) fn add(&mut self) {
        let typed = self.typed.text().trim().to_owned();
        self.typed = Field::default();
        if !self.rows.contains(&typed) {
            self.rows.push(typed);
        }
        self.at = self.rows.len();
    }

    pub(super) fn remove(&mut self) {
        self.rows.remove(self.at);
        if self.at < self.notes.len() {
            self.notes.remove(self.at);
        }
        self.at = self.at.min(self.last());
    }
}

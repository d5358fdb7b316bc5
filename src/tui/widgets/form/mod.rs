//! A form: rows of a label and a value, one of which has the focus.
//!
//! The holder makes it of [`Entry`]s, hands it keys and pasted text, and reads the values by the entries' ids. What is
//! wrong with a value is said by the holder with [`Form::set_problem`] and shown right below it; the help of the focused
//! entry stands at the bottom. A form that is taller than its place scrolls with the focus.

mod draw;
#[cfg(test)]
mod tests;

use super::super::field::Field;
use super::super::keys::{Code, Key};

/// What came of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// A value changed.
    Changed,
    /// Only the focus or a caret moved.
    Moved,
    /// Enter on a button: its id.
    Pressed(&'static str),
    /// Enter anywhere else: the form is to be sent off.
    Submit,
    /// Not one of the form's keys.
    Ignored,
}

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
    fn new(id: &'static str, label: &'static str, value: Value) -> Entry {
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

    fn takes_focus(&self) -> bool {
        !self.hidden && !matches!(self.value, Value::Note(_))
    }
}

/// A form.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Form {
    entries: Vec<Entry>,
    at: usize,
    /// Whether the focused number is being typed: its first digit takes the place of what was there.
    typing: bool,
}

impl Form {
    /// A form with the focus on its first entry that takes it.
    pub(crate) fn new(entries: Vec<Entry>) -> Form {
        let at = entries.iter().position(Entry::takes_focus).unwrap_or(0);
        Form {
            entries,
            at,
            typing: false,
        }
    }

    /// The entries.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The focused entry's id.
    pub(crate) fn focused(&self) -> &'static str {
        self.entries.get(self.at).map_or("", |entry| entry.id)
    }

    /// Moves the focus to an entry, if it takes it.
    pub(crate) fn focus(&mut self, id: &str) {
        if let Some(at) = self.entries.iter().position(|e| e.id == id && e.takes_focus()) {
            self.at = at;
        }
    }

    /// An entry.
    pub(crate) fn entry(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// An entry, to be changed.
    pub(crate) fn entry_mut(&mut self, id: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    /// The text of a text or secret entry; empty for any other.
    pub(crate) fn text(&self, id: &str) -> &str {
        match self.entry(id).map(|entry| &entry.value) {
            Some(Value::Text(field) | Value::Secret(field)) => field.text(),
            _ => "",
        }
    }

    /// Replaces the text of a text or secret entry.
    pub(crate) fn set_text(&mut self, id: &str, text: &str) {
        if let Some(entry) = self.entry_mut(id)
            && let Value::Text(field) | Value::Secret(field) = &mut entry.value
        {
            *field = Field::new(text);
            entry.problem.clear();
        }
    }

    /// Which word of a choice is chosen.
    pub(crate) fn chosen(&self, id: &str) -> usize {
        match self.entry(id).map(|entry| &entry.value) {
            Some(Value::Choice { at, .. }) => *at,
            _ => 0,
        }
    }

    /// Whether a toggle is on.
    pub(crate) fn on(&self, id: &str) -> bool {
        matches!(self.entry(id).map(|entry| &entry.value), Some(Value::Toggle(true)))
    }

    /// The chosen words of a set.
    pub(crate) fn words(&self, id: &str) -> Vec<String> {
        match self.entry(id).map(|entry| &entry.value) {
            Some(Value::Set { words, on, .. }) => {
                let chosen = words.iter().zip(on).filter(|(_, on)| **on);
                chosen.map(|(word, _)| word.clone()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A number, within its limits.
    pub(crate) fn number(&self, id: &str) -> u64 {
        match self.entry(id).map(|entry| &entry.value) {
            Some(Value::Number(number)) => number.value.clamp(number.min, number.max),
            _ => 0,
        }
    }

    /// The rows of a list, with what is typed but not added yet.
    pub(crate) fn rows(&self, id: &str) -> Vec<String> {
        match self.entry(id).map(|entry| &entry.value) {
            Some(Value::List(list)) => {
                let mut rows = list.rows.clone();
                let typed = list.typed.text().trim();
                if !typed.is_empty() && !rows.iter().any(|row| row == typed) {
                    rows.push(typed.to_owned());
                }
                rows
            }
            _ => Vec::new(),
        }
    }

    /// What is being typed in a list's empty row.
    pub(crate) fn typed(&self, id: &str) -> &str {
        match self.entry(id).map(|entry| &entry.value) {
            Some(Value::List(list)) if list.typing && list.at >= list.rows.len() => list.typed.text(),
            _ => "",
        }
    }

    /// Replaces the rows of a list; what is known of the old ones goes.
    pub(crate) fn set_rows(&mut self, id: &str, rows: Vec<String>) {
        if let Some(Value::List(list)) = self.entry_mut(id).map(|entry| &mut entry.value) {
            list.at = list.at.min(rows.len());
            list.rows = rows;
            list.notes.clear();
        }
    }

    /// Says what is known of a list's rows.
    pub(crate) fn set_notes(&mut self, id: &str, notes: Vec<String>) {
        if let Some(Value::List(list)) = self.entry_mut(id).map(|entry| &mut entry.value) {
            list.notes = notes;
        }
    }

    /// Says what is known of an entry.
    pub(crate) fn set_note(&mut self, id: &str, note: impl Into<String>) {
        let note = note.into();
        if let Some(entry) = self.entry_mut(id) {
            match &mut entry.value {
                Value::Note(words) => *words = note,
                _ => entry.note = note,
            }
        }
    }

    /// Says what a text could go on with; nothing, when empty.
    pub(crate) fn suggest(&mut self, id: &str, suggestion: impl Into<String>) {
        if let Some(entry) = self.entry_mut(id) {
            entry.suggestion = suggestion.into();
        }
    }

    /// Shows an entry or leaves it out; a focus on it moves on.
    pub(crate) fn show(&mut self, id: &str, shown: bool) {
        if let Some(entry) = self.entry_mut(id) {
            entry.hidden = !shown;
        }
        if !self.entries.get(self.at).is_some_and(Entry::takes_focus) && !self.step(1) {
            self.step(-1);
        }
    }

    /// Whether another form holds the same values, wherever focus and carets are.
    pub(crate) fn same_values(&self, other: &Form) -> bool {
        let same = |(a, b): (&Entry, &Entry)| match (&a.value, &b.value) {
            (Value::Text(a) | Value::Secret(a), Value::Text(b) | Value::Secret(b)) => a.text() == b.text(),
            (Value::Choice { at: a, .. }, Value::Choice { at: b, .. }) => a == b,
            (Value::Set { on: a, .. }, Value::Set { on: b, .. }) => a == b,
            (Value::Number(a), Value::Number(b)) => a.value == b.value,
            (Value::List(_), Value::List(_)) => self.rows(a.id) == other.rows(b.id),
            (Value::Note(_), Value::Note(_)) => true,
            (a, b) => a == b,
        };
        self.entries.len() == other.entries.len() && self.entries.iter().zip(&other.entries).all(same)
    }

    /// Says what is wrong with an entry.
    pub(crate) fn set_problem(&mut self, id: &str, problem: impl Into<String>) {
        if let Some(entry) = self.entry_mut(id) {
            entry.problem = problem.into();
        }
    }

    /// Takes back all that was said to be wrong.
    pub(crate) fn clear_problems(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.problem.clear());
    }

    /// Moves the focus to the first entry with a problem; whether there is one.
    pub(crate) fn focus_problem(&mut self) -> bool {
        let wrong = self.entries.iter().position(|e| !e.problem.is_empty() && !e.hidden);
        let Some(at) = wrong else { return false };
        if self.entries[at].takes_focus() {
            self.at = at;
        }
        true
    }

    /// The field that plain characters go to, if the focus is on one.
    pub(crate) fn field(&mut self) -> Option<&mut Field> {
        match self.entries.get_mut(self.at).map(|entry| &mut entry.value)? {
            Value::Text(field) | Value::Secret(field) => Some(field),
            Value::List(list) if list.typing && list.at >= list.rows.len() => Some(&mut list.typed),
            _ => None,
        }
    }

    /// Puts pasted text into the focused field; whether there is one.
    pub(crate) fn paste(&mut self, text: &str) -> Reply {
        match self.field() {
            Some(field) => {
                field.insert(text);
                self.changed()
            }
            None => Reply::Ignored,
        }
    }

    /// Acts on a key.
    pub(crate) fn key(&mut self, key: Key) -> Reply {
        if key.ctrl || key.alt {
            let typed = self.field().is_some_and(|field| field.key(key));
            return if typed { self.changed() } else { Reply::Ignored };
        }
        if matches!(key.code, Code::Tab | Code::Right) && self.take_suggestion() {
            return self.changed();
        }
        let moved = |moved: bool| if moved { Reply::Moved } else { Reply::Ignored };
        self.typing &= matches!(key.code, Code::Char(_) | Code::Backspace);
        match key.code {
            Code::Tab => return moved(self.step_round(1)),
            Code::BackTab => return moved(self.step_round(-1)),
            Code::Up | Code::Down => {
                let by = if key.code == Code::Up { -1 } else { 1 };
                return moved(self.step_in_list(by) || self.step(by));
            }
            _ => {}
        }
        let Some(entry) = self.entries.get_mut(self.at) else {
            return Reply::Ignored;
        };
        let reply = match &mut entry.value {
            Value::Text(field) | Value::Secret(field) => key_on_field(field, key),
            Value::Choice { words, at } => key_on_choice(words.len(), at, key),
            Value::Set { words, on, at } => key_on_set(words.len(), on, at, key),
            Value::Toggle(on) => match key.code {
                Code::Char(' ') | Code::Left | Code::Right => {
                    *on = !*on;
                    Reply::Changed
                }
                Code::Enter => Reply::Submit,
                _ => Reply::Ignored,
            },
            Value::Number(number) => key_on_number(number, &mut self.typing, key),
            Value::List(list) => key_on_list(list, key),
            Value::Button(_) => match key.code {
                Code::Enter | Code::Char(' ') => Reply::Pressed(entry.id),
                _ => Reply::Ignored,
            },
            Value::Note(_) => Reply::Ignored,
        };
        if reply == Reply::Changed { self.changed() } else { reply }
    }

    /// Adds what is suggested behind the focused text, if anything is and its end is being typed.
    fn take_suggestion(&mut self) -> bool {
        let Some(entry) = self
            .entries
            .get_mut(self.at)
            .filter(|entry| !entry.suggestion.is_empty())
        else {
            return false;
        };
        match &mut entry.value {
            Value::Text(field) if field.halves().1.is_empty() => field.insert(&entry.suggestion),
            Value::List(list) if list.typing && list.at >= list.rows.len() && list.typed.halves().1.is_empty() => {
                list.typed.insert(&entry.suggestion);
            }
            _ => return false,
        }
        true
    }

    /// What was said to be wrong with the focused entry may no longer be, nor what was suggested.
    fn changed(&mut self) -> Reply {
        if let Some(entry) = self.entries.get_mut(self.at) {
            entry.suggestion.clear();
            entry.problem.clear();
        }
        Reply::Changed
    }

    fn step(&mut self, by: isize) -> bool {
        let mut at = self.at;
        loop {
            let Some(next) = at.checked_add_signed(by).filter(|next| *next < self.entries.len()) else {
                return false;
            };
            at = next;
            if self.entries[at].takes_focus() {
                self.at = at;
                self.enter(by);
                return true;
            }
        }
    }

    /// The next one, and the first behind the last. A list is entered where one types.
    fn step_round(&mut self, by: isize) -> bool {
        let stepped = self.step(by) || self.wrap(by);
        if let Some(Value::List(list)) = self.entries.get_mut(self.at).map(|entry| &mut entry.value) {
            list.at = list.last();
        }
        stepped
    }

    fn wrap(&mut self, by: isize) -> bool {
        let mut indices = 0..self.entries.len();
        let found = if by > 0 {
            indices.find(|n| self.entries[*n].takes_focus())
        } else {
            indices.rfind(|n| self.entries[*n].takes_focus())
        };
        self.at = found.unwrap_or(self.at);
        found.is_some()
    }

    /// A list is entered by the arrows at the end one comes from.
    fn enter(&mut self, by: isize) {
        if let Some(Value::List(list)) = self.entries.get_mut(self.at).map(|entry| &mut entry.value) {
            list.at = if by < 0 { list.last() } else { 0 };
        }
    }

    fn step_in_list(&mut self, by: isize) -> bool {
        let Some(Value::List(list)) = self.entries.get_mut(self.at).map(|entry| &mut entry.value) else {
            return false;
        };
        let last = list.last();
        match list.at.checked_add_signed(by) {
            Some(next) if next <= last => {
                list.at = next;
                true
            }
            _ => false,
        }
    }
}

impl List {
    /// The last row that the cursor can be on.
    fn last(&self) -> usize {
        match self.typing {
            true => self.rows.len(),
            false => self.rows.len().saturating_sub(1),
        }
    }

    fn add(&mut self) {
        let typed = self.typed.text().trim().to_owned();
        self.typed = Field::default();
        if !self.rows.contains(&typed) {
            self.rows.push(typed);
        }
        self.at = self.rows.len();
    }

    fn remove(&mut self) {
        self.rows.remove(self.at);
        if self.at < self.notes.len() {
            self.notes.remove(self.at);
        }
        self.at = self.at.min(self.last());
    }
}

fn key_on_field(field: &mut Field, key: Key) -> Reply {
    if key.code == Code::Enter {
        return Reply::Submit;
    }
    let before = field.text().len();
    match field.key(key) {
        true if matches!(key.code, Code::Left | Code::Right | Code::Home | Code::End) => Reply::Moved,
        true if before == 0 && field.text().is_empty() => Reply::Moved,
        true => Reply::Changed,
        false => Reply::Ignored,
    }
}

fn key_on_choice(words: usize, at: &mut usize, key: Key) -> Reply {
    let next = match key.code {
        Code::Left | Code::Char('h') => at.saturating_sub(1),
        Code::Right | Code::Char('l') => (*at + 1).min(words.saturating_sub(1)),
        Code::Char(' ') if words > 0 => (*at + 1) % words,
        Code::Home => 0,
        Code::End => words.saturating_sub(1),
        Code::Enter => return Reply::Submit,
        _ => return Reply::Ignored,
    };
    if next == *at {
        return Reply::Moved;
    }
    *at = next;
    Reply::Changed
}

fn key_on_set(words: usize, on: &mut [bool], at: &mut usize, key: Key) -> Reply {
    match key.code {
        Code::Left | Code::Char('h') => *at = at.saturating_sub(1),
        Code::Right | Code::Char('l') => *at = (*at + 1).min(words.saturating_sub(1)),
        Code::Home => *at = 0,
        Code::End => *at = words.saturating_sub(1),
        Code::Char(' ') => {
            if let Some(on) = on.get_mut(*at) {
                *on = !*on;
            }
            return Reply::Changed;
        }
        Code::Enter => return Reply::Submit,
        _ => return Reply::Ignored,
    }
    Reply::Moved
}

fn key_on_number(number: &mut Number, typing: &mut bool, key: Key) -> Reply {
    let value = number.value;
    let typed = std::mem::replace(typing, matches!(key.code, Code::Backspace | Code::Char('0'..='9')));
    let bounded = |value: u64| value.clamp(number.min, number.max);
    let next = match key.code {
        Code::Char(c) if c.is_ascii_digit() => {
            let digit = u64::from(c.to_digit(10).unwrap_or(0));
            let before = if typed { value } else { 0 };
            before.saturating_mul(10).saturating_add(digit).min(number.max)
        }
        Code::Backspace => value / 10,
        Code::Right | Code::Char('+') => bounded(value.saturating_add(number.step)),
        Code::Left | Code::Char('-') => bounded(value.saturating_sub(number.step)),
        Code::PageUp => bounded(value.saturating_add(number.step.saturating_mul(10))),
        Code::PageDown => bounded(value.saturating_sub(number.step.saturating_mul(10))),
        Code::Home => number.min,
        Code::End => number.max,
        Code::Enter => {
            number.value = bounded(value);
            return Reply::Submit;
        }
        _ => return Reply::Ignored,
    };
    if next == value {
        return Reply::Moved;
    }
    number.value = next;
    Reply::Changed
}

fn key_on_list(list: &mut List, key: Key) -> Reply {
    if list.typing && list.at >= list.rows.len() {
        return match key.code {
            Code::Enter if list.typed.text().trim().is_empty() => Reply::Submit,
            Code::Enter => {
                list.add();
                Reply::Changed
            }
            _ => key_on_field(&mut list.typed, key),
        };
    }
    match key.code {
        Code::Char('x' | 'd') | Code::Delete | Code::Backspace if list.at < list.rows.len() => {
            list.remove();
            Reply::Changed
        }
        // Back to where it can be changed.
        Code::Enter if list.typing => {
            list.typed = Field::new(&list.rows[list.at]);
            list.remove();
            list.at = list.rows.len();
            Reply::Changed
        }
        Code::Enter => Reply::Submit,
        _ => Reply::Ignored,
    }
}

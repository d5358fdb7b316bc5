//! A form: rows of a label and a value, one of which has the focus.
//!
//! The holder makes it of [`Entry`]s, hands it keys and pasted text, and reads the values by the entries' ids. What is
//! wrong with a value is said by the holder with [`Form::set_problem`] and shown right below it; the help of the focused
//! entry stands at the bottom. A form that is taller than its place scrolls with the focus. `entry` is the rows, `keys` what
//! keys do to one, `draw` the drawing.

mod draw;
mod entry;
mod keys;
#[cfg(test)]
mod tests;

use super::super::field::Field;
use super::super::keys::{Code, Key};
pub(crate) use entry::{Choice, Entry, List, Number, Value};

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

/// A form.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Form {
    entries: Vec<Entry>,
    at: usize,
    /// Whether the focused number is being typed: its first digit takes the place of what was there.
    typing: bool,
    /// Whether a value was changed by hand.
    touched: bool,
}

impl Form {
    /// A form with the focus on its first entry that takes it.
    pub(crate) fn new(entries: Vec<Entry>) -> Form {
        let at = entries.iter().position(Entry::takes_focus).unwrap_or(0);
        Form {
            entries,
            at,
            typing: false,
            touched: false,
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

    /// Whether a value was changed by hand.
    pub(crate) fn is_touched(&self) -> bool {
        self.touched
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
            Value::Text(field) | Value::Secret(field) => keys::on_field(field, key),
            Value::Choice { words, at } => keys::on_choice(words.len(), at, key),
            Value::Set { words, on, at } => keys::on_set(words.len(), on, at, key),
            Value::Toggle(on) => match key.code {
                Code::Char(' ') | Code::Left | Code::Right => {
                    *on = !*on;
                    Reply::Changed
                }
                Code::Enter => Reply::Submit,
                _ => Reply::Ignored,
            },
            Value::Number(number) => match keys::on_number(number, &mut self.typing, key) {
                // What is no part of a number is not dropped in silence; `?` asks for help.
                Reply::Ignored if matches!(key.code, Code::Char(c) if c != '?') => {
                    entry.problem = "Only digits: this is a number. The first digit replaces what is there.".into();
                    Reply::Moved
                }
                reply => reply,
            },
            Value::List(list) => keys::on_list(list, key),
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
        self.touched = true;
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

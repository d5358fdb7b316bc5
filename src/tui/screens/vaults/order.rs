//! In which order generations are listed, and the menu that changes it.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::super::super::actions::{Act, Action, At, Context};
use super::super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::super::dialogs::sort;
use super::super::super::model::Model;
use super::super::super::view::canvas::Canvas;
use super::super::super::window::Window;
use super::show_generations;
use crate::cost::Money;
use crate::engine::question::GenerationRow;
use crate::vault::Id;

const CONTEXT: Context = Context::dialog("sort-generations", "Sort generations").with_list();

/// What one can do in it.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("sort-generations.take", "take", "Sort by the row under the cursor; once more turns it round", &["Enter", "Space"],
        At::Only(&[CONTEXT]), |act| with_top::<SortGenerations>(act, |dialog, act| choose(act, dialog.list.cursor()))).hint(1),
    Action::new("sort-generations.time", "time", "By the time they were made, the newest first", &["t", "m"], At::Only(&[CONTEXT]),
        |act| letter(act, 0)),
    Action::new("sort-generations.size", "size", "By the size of what they hold, the largest first", &["s"], At::Only(&[CONTEXT]),
        |act| letter(act, 1)),
    Action::new("sort-generations.added", "added", "By what they brought into the vault, the most first", &["a"], At::Only(&[CONTEXT]),
        |act| letter(act, 2)),
    Action::new("sort-generations.alone", "alone", "By what each alone holds, the most first", &["o"], At::Only(&[CONTEXT]),
        |act| letter(act, 3)),
    Action::new("sort-generations.turn", "turn round", "The other end first", &["r"], At::Only(&[CONTEXT]), |act| letter(act, 4)),
];

/// What generations are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)] // each is what it names
pub enum Key {
    #[default]
    Made,
    Size,
    Added,
    Alone,
}

/// In the order of the menu.
const KEYS: [(Key, char, &str); 4] = [
    (Key::Made, 't', "time"),
    (Key::Size, 's', "size"),
    (Key::Added, 'a', "added"),
    (Key::Alone, 'o', "alone"),
];

/// An order: the newest, the largest first, unless it is turned round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// By what.
    pub key: Key,
    /// Whether the other end comes first.
    pub turned: bool,
}

impl Order {
    /// The order in words.
    pub(super) fn words(self) -> &'static str {
        match (self.key, self.turned) {
            (Key::Made, false) => "newest first",
            (Key::Made, true) => "oldest first",
            (Key::Size, false) => "largest first",
            (Key::Size, true) => "smallest first",
            (Key::Added, false) => "most added first",
            (Key::Added, true) => "least added first",
            (Key::Alone, false) => "most alone first",
            (Key::Alone, true) => "least alone first",
        }
    }

    /// The order that a row of the menu leads to.
    fn chosen(self, row: u64) -> Order {
        let key = usize::try_from(row).ok().and_then(|row| KEYS.get(row));
        match key {
            Some((key, ..)) if *key != self.key => Order {
                key: *key,
                turned: false,
            },
            _ => Order {
                turned: !self.turned,
                ..self
            },
        }
    }

    /// Puts generations into it; what is not known counts as nothing, and alike ones come newest first.
    pub(super) fn sort(self, rows: &mut [GenerationRow], costs: &HashMap<Id, (u64, Option<Money>)>) {
        let amount = |row: &GenerationRow| match self.key {
            Key::Made => 0,
            Key::Size => row.logical.unwrap_or(0),
            Key::Added => row.added.unwrap_or(0),
            Key::Alone => costs.get(&row.id).map_or(0, |(alone, _)| *alone),
        };
        rows.sort_by_key(|row| (Reverse(amount(row)), Reverse(row.time)));
        if self.turned {
            rows.reverse();
        }
    }
}

/// The menu.
#[derive(Debug)]
pub struct SortGenerations {
    list: Window<()>,
}

/// Opens the menu.
pub(super) fn open(act: &mut Act) {
    let key = act.model.generations.order.key;
    let rows = KEYS.len() as u64 + 1;
    let mut list = Window::whole(vec![(); KEYS.len() + 1]);
    list.resize(rows);
    list.go(KEYS.iter().position(|(other, ..)| *other == key).unwrap_or(0) as u64);
    act.model.push(SortGenerations { list });
}

fn letter(act: &mut Act, row: u64) {
    with_top::<SortGenerations>(act, |_, act| choose(act, row));
}

fn choose(act: &mut Act, row: u64) -> Then {
    let generations = &mut act.model.generations;
    generations.order = generations.order.chosen(row);
    // It would hold others in another order.
    generations.anchor = None;
    show_generations(act.model);
    Then::Close
}

impl Dialog for SortGenerations {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let now = model.generations.order;
        let mut rows: Vec<sort::Row> = KEYS
            .iter()
            .zip(0..)
            .map(|((key, letter, name), row)| sort::Row {
                letter: *letter,
                name,
                on: *key == now.key,
                detail: if *key == now.key {
                    now.words()
                } else {
                    now.chosen(row).words()
                },
            })
            .collect();
        rows.push(sort::Row {
            letter: 'r',
            name: "turn round",
            on: false,
            detail: now.chosen(KEYS.len() as u64).words(),
        });
        sort::draw_rows(model, canvas, &rows, self.list.cursor(), CONTEXT);
    }
}

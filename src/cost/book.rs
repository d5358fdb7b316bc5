//! All prices that can be named.

use super::Price;

/// The price book: what ships with Coffer, and what the user's own file adds or says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Book {
    prices: Vec<Price>,
}

impl Book {
    /// These, in this order.
    pub fn new(prices: Vec<Price>) -> Book {
        Book { prices }
    }

    /// With more of them: one whose id is there already takes its place, the others come at the end.
    pub fn with(mut self, more: Vec<Price>) -> Book {
        for price in more {
            match self.prices.iter_mut().find(|known| known.id == price.id) {
                Some(known) => *known = price,
                None => self.prices.push(price),
            }
        }
        self
    }

    /// The price of this id.
    pub fn get(&self, id: &str) -> Option<&Price> {
        self.prices.iter().find(|price| price.id == id)
    }

    /// All, in the order of the book.
    pub fn iter(&self) -> impl Iterator<Item = &Price> {
        self.prices.iter()
    }
}

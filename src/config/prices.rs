//! The price book: what ships with Coffer, and the user's `prices.toml` beside the config.
//!
//! A mistake in it stops no command that does not need a price, since a backup at night needs none: it is kept here and told
//! by whoever needs one, and by `coffer doctor`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::{Config, Error, Result, parse, suggest};
use crate::cost::{Book, Price};

/// The name of the user's file, which lies beside the config.
const FILE: &str = "prices.toml";

/// What the user's file begins as: comments only, with an example of everything.
pub const TEMPLATE: &str = include_str!("../../assets/own-prices.toml");

/// What the shipped book is called in messages.
const SHIPPED: &str = "the price book of this program";

/// The prices that vaults can name, and what is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// Them.
    pub book: Arc<Book>,
    /// What is wrong with the user's file, and vaults that name a price that is not there; each with file and line.
    pub problems: Vec<String>,
}

impl Default for Prices {
    /// What ships with Coffer.
    fn default() -> Self {
        static BOOK: OnceLock<Arc<Book>> = OnceLock::new();
        // A test reads every entry of it.
        let read = || Arc::new(Book::new(shipped().unwrap_or_default()));
        Prices {
            book: BOOK.get_or_init(read).clone(),
            problems: Vec::new(),
        }
    }
}

impl Prices {
    /// The price of this id; the error names the one that was probably meant.
    pub fn find(&self, id: &str) -> Result<&Price> {
        self.book.get(id).ok_or_else(|| Error::NoPrice {
            id: id.into(),
            hint: hint(&self.book, id),
        })
    }

    /// The shipped prices and the user's beside this config file.
    fn beside(config: &Path) -> Prices {
        let file = own_file(config);
        let shipped = Prices::default();
        match read(&file) {
            Ok(own) if own.is_empty() => shipped,
            Ok(own) => Prices {
                book: Arc::new(Book::clone(&shipped.book).with(own)),
                ..shipped
            },
            Err(error) => Prices {
                problems: vec![error.to_string()],
                ..shipped
            },
        }
    }
}

impl Config {
    /// With the user's own prices, and with what is wrong with them and with what vaults say of them. `text` is this config's.
    pub(super) fn with_prices(mut self, text: &str, file: &Path) -> Config {
        self.prices = Prices::beside(file);
        for vault in &self.vaults {
            if let Some(Err(error)) = vault.price.as_deref().map(|id| self.prices.find(id)) {
                let line = parse::line_of_price(text, file, &vault.name).unwrap_or(1);
                let what = format!("vault {}: {error}", vault.name);
                self.prices.problems.push(format!("{}:{line}: {what}", file.display()));
            }
        }
        for (kind, id) in &self.snapshot_prices {
            if let Err(error) = self.prices.find(id) {
                let what = format!("snapshot-prices, {}: {error}", kind.word());
                self.prices.problems.push(format!("{}: {what}", file.display()));
            }
        }
        self
    }
}

/// The user's own price file, beside this config file (it need not exist).
pub fn own_file(config: &Path) -> PathBuf {
    config.with_file_name(FILE)
}

/// Reads the user's own prices; none when there is no file.
pub fn read(file: &Path) -> Result<Vec<Price>> {
    match std::fs::read_to_string(file) {
        Ok(text) => parse::prices(&text, file, true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::Io {
            action: "read",
            file: file.into(),
            source,
        }),
    }
}

fn shipped() -> Result<Vec<Price>> {
    parse::prices(include_str!("../../assets/prices.toml"), Path::new(SHIPPED), false)
}

fn hint(book: &Book, id: &str) -> String {
    let meant = suggest(id, book.iter().map(|price| price.id.as_str()));
    let meant = meant.map(|id| format!("did you mean {id}? "));
    format!("{}see them: coffer prices list", meant.unwrap_or_default())
}

#[cfg(test)]
mod tests;

//! Exact amounts of money.

mod text;

use std::fmt;

use serde::{Serialize, Serializer};

pub use text::{MoneyError, decimal};

/// A currency by its code of three capital letters (ISO 4217).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars.
    pub const USD: Currency = Currency(*b"USD");
    /// Euros.
    pub const EUR: Currency = Currency(*b"EUR");

    /// Reads a code, in any case.
    pub fn parse(code: &str) -> Option<Currency> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        let letters = bytes.iter().all(u8::is_ascii_alphabetic);
        letters.then(|| Currency(bytes.map(|letter| letter.to_ascii_uppercase())))
    }

    /// The code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

/// An amount in one currency, in billionths of its unit: what a byte costs in a month can be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Billionths.
    pub nanos: i128,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Money {
        Money { nanos: 0, currency }
    }

    /// The sum; `None` for two currencies.
    pub fn plus(self, other: Money) -> Option<Money> {
        (self.currency == other.currency).then(|| Money {
            nanos: self.nanos.saturating_add(other.nanos),
            ..self
        })
    }

    /// The difference; `None` for two currencies.
    pub fn minus(self, other: Money) -> Option<Money> {
        self.plus(Money {
            nanos: -other.nanos,
            ..other
        })
    }

    /// So many `parts` of which `whole` cost this amount: rounded to a billionth, halves to the even one. Too large a result
    /// stays at the largest there is; nothing of nothing is nothing.
    pub fn part(self, parts: u128, whole: u128) -> Money {
        if whole == 0 {
            return Money::zero(self.currency);
        }
        let amount = self.nanos.unsigned_abs();
        // Taken apart so that the product fits for any vault there can be.
        let full = amount.saturating_mul(parts / whole);
        let over = amount.saturating_mul(parts % whole);
        let (quotient, rest) = (over / whole, over % whole);
        let up = match rest.cmp(&(whole - rest)) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => quotient % 2,
            std::cmp::Ordering::Greater => 1,
        };
        let sum = full.saturating_add(quotient).saturating_add(up);
        let nanos = i128::try_from(sum).unwrap_or(i128::MAX);
        Money {
            nanos: if self.nanos < 0 { -nanos } else { nanos },
            ..self
        }
    }

    /// So many times this amount.
    pub fn times(self, many: u64) -> Money {
        self.part(many.into(), 1)
    }

    /// In units, for ratios and scripts.
    pub fn units(self) -> f64 {
        self.nanos as f64 / 1e9
    }
}

impl Serialize for Money {
    /// As `{"amount": 1.25, "currency": "USD"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Money", 2)?;
        object.serialize_field("amount", &self.units())?;
        object.serialize_field("currency", self.currency.code())?;
        object.end()
    }
}

//! A bill as it is written.

use super::Unknown;
use crate::cost::price::{Confidence, Price};
use crate::cost::{Bill, BillLine, Money, Sure};

/// A bill at one price, line by line.
pub(super) struct Draft<'a> {
    price: &'a Price,
    bill: Bill,
    unknown: Vec<&'static str>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(price: &'a Price) -> Draft<'a> {
        Draft {
            price,
            bill: Bill {
                lines: Vec::new(),
                total: Money::zero(price.currency),
                sure: Sure::Measured,
                notes: Vec::new(),
            },
            unknown: Vec::new(),
        }
    }

    /// A line more.
    pub(super) fn line(&mut self, what: String, amount: Money) {
        self.bill.total.nanos = self.bill.total.nanos.saturating_add(amount.nanos);
        self.bill.lines.push(BillLine { what, amount });
    }

    /// A sentence that a reader must know.
    pub(super) fn note(&mut self, note: String) {
        if !self.bill.notes.contains(&note) {
            self.bill.notes.push(note);
        }
    }

    /// A sentence that is taken to be so.
    pub(super) fn assume(&mut self, note: String) {
        self.bill.sure = Sure::Estimated;
        self.note(note);
    }

    /// A part of the price has been used: its confidence becomes the bill's.
    pub(super) fn rely(&mut self, part: &str) {
        if self.price.confidence_in(part) == Confidence::Unconfirmed {
            self.assume(format!(
                "what {} says on {} is unconfirmed",
                self.price.title(),
                words(part)
            ));
        }
    }

    /// Something would belong in the bill and is not known.
    pub(super) fn unknown(&mut self, part: &'static str) {
        if !self.unknown.contains(&part) {
            self.unknown.push(part);
        }
    }

    /// The bill; [`Unknown`] when all that would be in it is not known.
    pub(super) fn finish(mut self) -> Result<Bill, Unknown> {
        if !self.unknown.is_empty() {
            let missing = self.unknown.join(", ");
            if self.bill.lines.is_empty() {
                return Err(unknown(self.price, &missing));
            }
            self.assume(format!("not in it, since it is not known: {missing}"));
        }
        Ok(self.bill)
    }
}

/// That something of a price is not known.
pub(super) fn unknown(price: &Price, part: &str) -> Unknown {
    Unknown {
        what: format!("what {} asks for {part} is not known", price.title()),
    }
}

/// A part's name as words.
fn words(part: &str) -> String {
    part.replace('-', " ")
}

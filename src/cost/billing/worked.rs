//! Worked examples: every element of a price, each worked out by hand in the comment beside it.

mod kept;
mod once;

use super::*;
use crate::cost::price::{Base, Disk, Egress, Month, Requests, Step, Storage, Tier, Unit};
use crate::cost::{Bill, Confidence, Currency, Fee, Money, Objects, Price, Sure};

const GB: u64 = 1_000_000_000;
const TB: u64 = 1000 * GB;
const GIB: u64 = 1 << 30;
const DAY: u64 = 86_400;

/// `text` in dollars: `0.023`.
fn usd(text: &str) -> Money {
    format!("{text} USD").parse().unwrap()
}

fn of(text: &str) -> Fee {
    Fee::Of(usd(text))
}

fn flat(rate: &str) -> Storage {
    let rate = of(rate);
    Storage::Rate(vec![Tier { up_to: None, rate }])
}

/// A vendor that asks so much for storage, and nothing else.
fn price(storage: Storage) -> Price {
    let requests = Requests {
        per: 1000,
        put: Fee::Free,
        get: Fee::Free,
        list: Fee::Free,
        delete: Fee::Free,
        retrieve: Fee::Free,
        free_puts: 0,
        free_gets: 0,
    };
    Price {
        id: "test".into(),
        vendor: "Acme".into(),
        name: "Store".into(),
        region: None,
        currency: Currency::USD,
        date: Some("2026-05".into()),
        source: "made up".into(),
        confidence: Confidence::Vendor,
        confidence_of: Default::default(),
        own: false,
        unit: Unit::GB,
        month: Month::Calendar,
        storage,
        base: None,
        free: 0,
        floor: 0,
        minimum_days: 0,
        minimum_object: 0,
        whole_units: false,
        requests,
        retrieval: Fee::Free,
        egress: Egress {
            rate: Fee::Free,
            free: 0,
            free_hundredths: 0,
        },
        client: Fee::Free,
        replication: Fee::Free,
        remarks: Vec::new(),
    }
}

/// A bill as text: its lines with exact amounts, the total, and the notes.
fn shown(bill: &Bill) -> String {
    let line = |(what, amount): (&str, Money)| format!("{:>14}  {what}\n", amount.exactly());
    let mut out: String = bill.lines.iter().map(|l| line((&l.what, l.amount))).collect();
    out.push_str(&line((&format!("in all, {:?}", bill.sure), bill.total)));
    bill.notes
        .iter()
        .for_each(|note| out.push_str(&format!("note: {note}\n")));
    out
}

fn month_of(price: &Price, bytes: u64) -> Bill {
    monthly(price, &Holding::of(bytes)).unwrap()
}

#[test]
fn what_is_hearsay_makes_a_bill_an_estimate() {
    let mut price = price(flat("0.01"));
    price.confidence_of.insert("storage".into(), Confidence::Unconfirmed);
    let bill = month_of(&price, GB);
    assert_eq!(bill.sure, Sure::Estimated);
    assert_eq!(bill.notes, ["what Acme Store says on storage is unconfirmed"]);
}

#[test]
fn two_currencies_do_not_mix() {
    let dollars = month_of(&price(flat("0.01")), GB);
    let euros = Bill {
        total: "1 EUR".parse().unwrap(),
        ..dollars.clone()
    };
    assert_eq!(saved(&dollars, &euros), None);
    assert_eq!(payback_months(dollars.total, euros.total), None);
    assert_eq!(dollars.plus(euros), None);
}

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::cost::{Currency, Money};

fn read(entry: &str) -> Result<Vec<Price>> {
    let text = format!("[prices.mine]\nvendor = \"Me\"\nname = \"mine\"\ncurrency = \"EUR\"\n{entry}\n");
    prices(&text, Path::new("/etc/coffer/prices.toml"), true)
}

fn one(entry: &str) -> Price {
    read(entry).unwrap().remove(0)
}

fn complaint(entry: &str) -> String {
    read(entry).unwrap_err().to_string()
}

fn euros(nanos: i128) -> Money {
    Money {
        nanos,
        currency: Currency::EUR,
    }
}

#[test]
fn the_least_that_can_be_said_leaves_the_rest_unknown() {
    let price = one("storage = 0.0125");
    let tier = Tier {
        up_to: None,
        rate: Fee::Of(euros(12_500_000)),
    };
    assert_eq!(price.storage, Storage::Rate(vec![tier]));
    assert_eq!((price.unit, price.month, price.own), (Unit::GB, Month::Calendar, true));
    assert_eq!(
        (price.confidence, price.source.as_str()),
        (Confidence::User, "your own")
    );
    assert_eq!(
        (price.requests.put, price.requests.delete, price.egress.rate),
        (Fee::Unknown, Fee::Free, Fee::Unknown)
    );
    assert_eq!(one("storage = \"unknown\"").storage, Storage::Unknown);
}

#[test]
fn every_key_is_read() {
    let price = one(r#"
        region = "cellar"
        date = "2026-05-20"
        source = "the invoice"
        confidence = "vendor"
        confidence-of = { egress = "unconfirmed" }
        unit = "GiB"
        month = "730 hours"
        tiers = [{ up-to = "50 TiB", rate = 0.023 }, { rate = "0.022" }]
        base = 6.49
        included = "1.5 TB"
        free = "10 GB"
        floor = "800 GB"
        minimum-days = 90
        minimum-object = "128 KiB"
        whole-units = true
        requests = { per = 1000000, put = 4.5, get = 0.36, list = 4, delete = "unknown", retrieve = 50, free-puts = 7, free-gets = 8 }
        retrieval = 0.01
        egress = 0
        egress-free = "100 GB"
        egress-free-times = 2.5
        client = 3
        replication = "free"
        remarks = ["is damp"]
    "#);
    let Storage::Rate(tiers) = &price.storage else {
        panic!("{price:?}")
    };
    assert_eq!(tiers[0].up_to, Some(50 << 40));
    assert_eq!(tiers[1].rate, Fee::Of(euros(22_000_000)));
    let base = Base {
        monthly: euros(6_490_000_000),
        included: 1_500_000_000_000,
    };
    assert_eq!(price.base, Some(base));
    assert_eq!((price.free, price.floor), (10_000_000_000, 800_000_000_000));
    assert_eq!(
        (price.minimum_days, price.minimum_object, price.whole_units),
        (90, 131_072, true)
    );
    let requests = price.requests;
    assert_eq!(
        (requests.per, requests.put, requests.list),
        (1_000_000, Fee::Of(euros(4_500_000_000)), Fee::Of(euros(4_000_000_000)))
    );
    assert_eq!(
        (requests.delete, requests.free_puts, requests.free_gets),
        (Fee::Unknown, 7, 8)
    );
    assert_eq!(requests.retrieve, Fee::Of(euros(50_000_000_000)));
    assert_eq!(
        (price.egress.rate, price.egress.free, price.egress.free_hundredths),
        (Fee::Free, 100_000_000_000, 250)
    );
    assert_eq!(
        (price.client, price.replication),
        (Fee::Of(euros(3_000_000_000)), Fee::Free)
    );
    assert_eq!(price.confidence_in("egress"), Confidence::Unconfirmed);
    assert_eq!(price.confidence_in("storage"), Confidence::Vendor);
    assert_eq!(price.title(), "Me mine, cellar");
}

#[test]
fn a_disk_and_plans_are_read() {
    let disk = one("disk = { price = 180, size = \"8 TB\", years = 5.5 }");
    let bytes = 8_000_000_000_000;
    let (price, months) = (euros(180_000_000_000), 66);
    assert_eq!(disk.storage, Storage::Disk(Disk { price, bytes, months }));
    assert_eq!(
        (disk.requests.get, disk.egress.rate, disk.retrieval),
        (Fee::Free, Fee::Free, Fee::Free)
    );
    let plans = one("steps = [{ size = \"1 TB\", monthly = 3.20 }, { size = \"5 TB\", monthly = 10.90 }]");
    let Storage::Steps(steps) = plans.storage else {
        panic!("{plans:?}")
    };
    assert_eq!(steps[1].monthly, euros(10_900_000_000));
}

#[test]
fn complaints_name_the_line_and_what_would_be_right() {
    assert_snapshot!(complaint("storag = 1"), @r#"/etc/coffer/prices.toml:5: price "mine" has no key "storag": did you mean storage?"#);
    assert_snapshot!(complaint(""), @r#"/etc/coffer/prices.toml:1: price "mine" lacks storage = 0.01 (a GB and month), storage = "unknown", tiers, steps or disk"#);
    assert_snapshot!(complaint("storage = -1"), @r#"/etc/coffer/prices.toml:5: storage of price "mine" must be a number, 0 or more, with at most nine digits behind the point, not integer"#);
    assert_snapshot!(complaint("storage = 1e-3"), @r#"/etc/coffer/prices.toml:5: storage of price "mine" must be a number, 0 or more, with at most nine digits behind the point, not float"#);
    assert_snapshot!(complaint("storage = \"dear\""), @r#"/etc/coffer/prices.toml:5: storage is "dear": it can be a number, "free" or "unknown""#);
    assert_snapshot!(complaint("storage = 1\nsteps = []"), @"/etc/coffer/prices.toml:6: give one of storage, tiers, steps and disk, not steps too");
    assert_snapshot!(complaint("storage = 1\nfloor = \"1T\""), @r#"/etc/coffer/prices.toml:6: floor is "1T": write a size such as "1 TB" (by thousands) or "1 TiB" (by 1024)"#);
    assert_snapshot!(complaint("storage = 1\nminimum-object = \"100 kB\""), @r#"/etc/coffer/prices.toml:6: minimum-object is a power of two, such as "128 KiB""#);
    assert_snapshot!(complaint("storage = 1\nunit = \"TB\""), @r#"/etc/coffer/prices.toml:6: unit is "TB": it can be "GB" (a thousand million bytes) or "GiB" (2^30 bytes)"#);
    assert_snapshot!(complaint("storage = 1\nmonth = \"31 days\""), @r#"/etc/coffer/prices.toml:6: month is "31 days": it can be "30 days", "730 hours" or "calendar""#);
    assert_snapshot!(complaint("storage = 1\ndate = \"2026-13\""), @r#"/etc/coffer/prices.toml:6: "2026-13" is no date: write "2026", "2026-05" or "2026-05-20""#);
    assert_snapshot!(complaint("storage = 1\nconfidence = \"sure\""), @r#"/etc/coffer/prices.toml:6: confidence is "sure": it can be vendor, third-party, user, unconfirmed"#);
    assert_snapshot!(complaint("storage = 1\nconfidence-of = { egres = \"vendor\" }"), @r#"/etc/coffer/prices.toml:6: confidence-of has no key "egres": did you mean egress?"#);
    assert_snapshot!(complaint("storage = 1\nincluded = \"1 TB\""), @"/etc/coffer/prices.toml:6: included goes with base = 6.49, the monthly fee it is included in");
    assert_snapshot!(complaint("storage = 1\nrequests = 3"), @r#"/etc/coffer/prices.toml:6: requests must be "free", "unknown" or { per = 1000, put = 0.005, get = 0.0004, list = 0.005 }"#);
    assert_snapshot!(complaint("storage = 1\nrequests = { per = 0 }"), @"/etc/coffer/prices.toml:6: per is a number of requests, 1 or more");
    assert_snapshot!(complaint("tiers = [{ rate = 1 }, { rate = 2 }]"), @"/etc/coffer/prices.toml:5: tiers rise, each up-to larger than the one before; only the last may have none");
    assert_snapshot!(complaint("tiers = [{ up-to = \"2 TB\", rate = 1 }, { up-to = \"1 TB\", rate = 2 }]"), @"/etc/coffer/prices.toml:5: tiers rise, each up-to larger than the one before; only the last may have none");
    assert_snapshot!(complaint("tiers = [{ up-to = \"2 TB\" }]"), @"/etc/coffer/prices.toml:5: an entry of tiers lacks rate = 0.01");
    assert_snapshot!(complaint("steps = [{ size = \"2 TB\", monthly = 1 }, { size = \"1 TB\", monthly = 2 }]"), @"/etc/coffer/prices.toml:5: steps rise, each size larger than the one before");
    assert_snapshot!(complaint("steps = 3"), @r#"/etc/coffer/prices.toml:5: steps of price "mine" must be an array of tables: [{ … }, { … }], not integer"#);
    assert_snapshot!(complaint("disk = { price = 1, size = \"1 TB\" }"), @"/etc/coffer/prices.toml:5: the disk lacks years = 5 (how long it is to last)");
    assert_snapshot!(complaint("disk = { price = 1, size = \"1 TB\", years = 0 }"), @"/etc/coffer/prices.toml:5: years is how long the disk is to last: a month to a hundred years");
    assert_snapshot!(complaint("disk = { price = 1, size = \"1 TB\", years = 1 }\nminimum-days = 3"), @"/etc/coffer/prices.toml:6: minimum-days goes with storage or tiers: a plan or a disk costs the same either way");
    let whole = |text: &str| prices(text, Path::new("p.toml"), true).unwrap_err().to_string();
    assert_snapshot!(whole("[price.a]"), @r#"p.toml:1: the price book has no key "price": did you mean prices?"#);
    assert_snapshot!(whole("[prices.\"A b\"]"), @r#"p.toml:1: "A b" cannot be a price's id: small letters, digits, - and . only"#);
    assert_snapshot!(whole("\n[prices.a]\nvendor = \"x\""), @r#"p.toml:2: price "a" lacks currency = "USD""#);
    assert_snapshot!(whole("[prices.a]\ncurrency = \"euro\""), @r#"p.toml:2: "euro" is no currency: write its code of three letters, such as "EUR""#);
}

#[test]
fn the_line_of_a_vaults_price_is_found() {
    let text = "[vaults.a]\npath = \"/a\"\n\n[vaults.b]\npath = \"/b\"\nprice = \"x\"\n";
    assert_eq!(line_of_price(text, Path::new("c"), "b"), Some(6));
    assert_eq!(line_of_price(text, Path::new("c"), "a"), None);
}

proptest! {
    #[test]
    fn any_text_gives_prices_or_a_line_in_range(text in "[a-z\\[\\].=\"\n 0-9#{},']{0,120}") {
        if let Err(Error::Invalid { line, .. }) = prices(&text, Path::new("p"), true) {
            prop_assert!(line >= 1 && line <= text.lines().count().max(1) + 1);
        }
    }

    #[test]
    fn rates_are_read_exactly(nanos in 1i128..1_000_000_000_000) {
        let rate = euros(nanos);
        let price = one(&format!("storage = {}", rate.exactly().trim_start_matches('€').replace(',', "")));
        let tier = Tier { up_to: None, rate: Fee::Of(rate) };
        prop_assert_eq!(price.storage, Storage::Rate(vec![tier]));
    }
}

//! Worked examples: every element of a price, each worked out by hand in the comment beside it.

use insta::assert_snapshot;

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
fn gigabytes_against_gibibytes() {
    // 500 GB = 500,000,000,000 B. By GB: 500 × $0.023 = $11.50.
    let by_gb = price(flat("0.023"));
    assert_snapshot!(shown(&month_of(&by_gb, 500 * GB)), @"
            $11.50  storage, 500 GB at $0.023 a GB and calendar month
            $11.50  in all, Measured
    ");
    // By GiB: 500,000,000,000 / 1,073,741,824 = 465.6612873077… GiB × $0.023 = $10.710209608….
    let by_gib = Price {
        unit: Unit::GiB,
        ..by_gb
    };
    assert_snapshot!(shown(&month_of(&by_gib, 500 * GB)), @"
     $10.710209608  storage, 465.7 GiB at $0.023 a GiB and calendar month
     $10.710209608  in all, Measured
    ");
}

#[test]
fn thirty_days_against_730_hours() {
    // 1,000 GB at $0.0173. By 730 hours: $17.30.
    let hours = Price {
        month: Month::Hours730,
        ..price(flat("0.0173"))
    };
    assert_snapshot!(shown(&month_of(&hours, TB)), @"
            $17.30  storage, 1,000 GB at $0.0173 a GB and month of 730 hours
            $17.30  in all, Measured
    ");
    // By 30 days, billed by the hour: $0.0173 / 720 h × 730 h × 1,000 = $17.540277777….
    let days = Price {
        month: Month::Days30,
        ..hours
    };
    assert_snapshot!(shown(&month_of(&days, TB)), @"
     $17.540277778  storage, 1,000 GB for 730 hours at $0.0173 a GB and 30 days
     $17.540277778  in all, Measured
    note: an average month has 730 hours, and the rate is for 720
    ");
}

#[test]
fn a_floor_below_which_nothing_is_saved() {
    let price = Price {
        floor: TB,
        ..price(flat("0.00799"))
    };
    // 400 GB are billed as 1,000 GB: 1,000 × $0.00799 = $7.99, and so are 300 GB: $7.99 − $7.99 = $0.
    let (now, after) = (month_of(&price, 400 * GB), month_of(&price, 300 * GB));
    assert_snapshot!(shown(&now), @"
             $7.99  storage, 1,000 GB at $0.00799 a GB and calendar month
             $7.99  in all, Measured
    note: Acme bills at least 1 TB: nothing is saved below that
    ");
    assert_eq!(saved(&now, &after), Some(usd("0")));
    assert_eq!(without(&price, 400 * GB, 100 * GB), Some(usd("0")));
    assert_snapshot!(nothing_saved(&price, 400 * GB, 300 * GB).unwrap(), @"Acme bills at least 1 TB: nothing is saved below that");
    // From 1,200 GB to 300 GB only the 200 GB above the floor are saved: 200 × $0.00799 = $1.598.
    assert_eq!(without(&price, 1200 * GB, 900 * GB), Some(usd("1.598")));
    assert_eq!(nothing_saved(&price, 1200 * GB, 300 * GB), None);
    assert_eq!(payback_months(usd("1"), usd("0")), None);
}

#[test]
fn plans_of_a_size() {
    let step = |size: u64, monthly: &str| Step {
        bytes: size * TB,
        monthly: usd(monthly),
    };
    let price = price(Storage::Steps(vec![
        step(1, "3.20"),
        step(5, "10.90"),
        step(10, "20.80"),
    ]));
    // 4 TB need the plan of 5 TB: $10.90. 2 TB need it too: nothing is saved. 1 TB needs the plan of 1 TB: $7.70 are.
    assert_snapshot!(shown(&month_of(&price, 4 * TB)), @"
            $10.90  the plan of 5 TB
            $10.90  in all, Measured
    ");
    assert_eq!(without(&price, 4 * TB, 2 * TB), Some(usd("0")));
    assert_snapshot!(nothing_saved(&price, 4 * TB, 2 * TB).unwrap(), @"the plan of 5 TB stays, since the next smaller one holds 1 TB: nothing is saved");
    assert_snapshot!(nothing_saved(&price, TB, 0).unwrap(), @"the plan of 1 TB is the smallest: nothing is saved");
    assert_eq!(without(&price, 4 * TB, 3 * TB), Some(usd("7.70")));
    assert_eq!(nothing_saved(&price, 4 * TB, TB), None);
    // No plan holds 11 TB.
    assert_snapshot!(monthly(&price, &Holding::of(11 * TB)).unwrap_err(), @"what Acme Store asks for storage beyond 10 TB is not known; say it in your prices.toml: coffer prices edit");
}

#[test]
fn graduated_tiers_and_a_free_beginning() {
    let tier = |up_to: Option<u64>, rate: &str| Tier {
        up_to: up_to.map(|tb| tb * TB),
        rate: of(rate),
    };
    let tiers = vec![tier(Some(1), "0.03"), tier(Some(50), "0.02"), tier(None, "0.01")];
    let price = Price {
        free: 10 * GB,
        ..price(Storage::Rate(tiers))
    };
    // 60 TB: 10 GB free, 990 × $0.03 = $29.70, 49,000 × $0.02 = $980, 10,000 × $0.01 = $100: $1,109.70.
    assert_snapshot!(shown(&month_of(&price, 60 * TB)), @"
            $29.70  storage, 990 GB at $0.03 a GB and calendar month
           $980.00  storage, 49,000 GB at $0.02 a GB and calendar month
           $100.00  storage, 10,000 GB at $0.01 a GB and calendar month
         $1,109.70  in all, Measured
    note: the first 10 GB are free
    ");
    // What goes, goes from the last tier: 10 TB at $0.01, 1 TB more at $0.02: $100 + $20.
    assert_eq!(without(&price, 60 * TB, 11 * TB), Some(usd("120")));
    // 9 GB cost nothing, and nothing is saved.
    assert_eq!(month_of(&price, 9 * GB).total, usd("0"));
    assert_snapshot!(nothing_saved(&price, 9 * GB, GB).unwrap(), @"the first 10 GB are free: nothing is saved below that");
}

#[test]
fn a_base_fee_with_an_included_amount() {
    let beyond = Tier {
        up_to: None,
        rate: of("0.006"),
    };
    let base = Base {
        monthly: usd("6.49"),
        included: TB,
    };
    let mut price = Price {
        base: Some(base),
        ..price(Storage::Rate(vec![beyond]))
    };
    // 1,500 GB: $6.49 and 500 × $0.006 = $3: $9.49.
    assert_snapshot!(shown(&month_of(&price, 1500 * GB)), @"
             $3.00  storage, 500 GB at $0.006 a GB and calendar month
             $6.49  base fee, 1 TB included
             $9.49  in all, Measured
    ");
    assert_snapshot!(shown(&month_of(&price, 800 * GB)), @"
             $6.49  base fee, 1 TB included
             $6.49  in all, Measured
    ");
    assert_snapshot!(nothing_saved(&price, 800 * GB, 0).unwrap(), @"the base fee includes 1 TB: nothing is saved below that");
    // What lies beyond is not known, and does not matter below.
    price.storage = Storage::Rate(vec![Tier {
        up_to: None,
        rate: Fee::Unknown,
    }]);
    assert_eq!(month_of(&price, 800 * GB).total, usd("6.49"));
    assert_snapshot!(monthly(&price, &Holding::of(2 * TB)).unwrap_err(), @"what Acme Store asks for storage beyond 1 TB is not known; say it in your prices.toml: coffer prices edit");
}

#[test]
fn a_minimum_size_of_objects() {
    let price = Price {
        minimum_object: 128 << 10,
        unit: Unit::GiB,
        ..price(flat("0.0125"))
    };
    // 8,192 objects of 64 KiB count as 128 KiB each: 1 GiB instead of 0.5. 15.5 GiB in large ones beside: 16.5 GiB × $0.0125 = $0.20625.
    let objects: Objects = (0..8192).map(|_| 64 << 10).chain([15 * GIB + GIB / 2]).collect();
    let holding = Holding {
        bytes: objects.bytes(),
        objects: Some(objects),
        clients: None,
    };
    assert_snapshot!(shown(&monthly(&price, &holding).unwrap()), @"
          $0.20625  storage, 16.5 GiB at $0.0125 a GiB and calendar month
          $0.20625  in all, Measured
    note: 8,192 objects are smaller than 128 KiB and billed as that: 0.500 GiB more
    ");
    // Without their sizes it is assumed that none is so small: 16 GiB × $0.0125 = $0.20.
    assert_snapshot!(shown(&month_of(&price, 16 * GIB)), @"
             $0.20  storage, 16 GiB at $0.0125 a GiB and calendar month
             $0.20  in all, Estimated
    note: no object is taken to be smaller than 128 KiB, which each is billed as at least
    ");
}

#[test]
fn whole_units_and_machines() {
    let price = Price {
        whole_units: true,
        client: of("2.50"),
        ..price(flat("0.01"))
    };
    // 10.2 GB are billed as 11: $0.11; three machines at $2.50: $7.50.
    let holding = Holding {
        clients: Some(3),
        ..Holding::of(10_200_000_000)
    };
    assert_snapshot!(shown(&monthly(&price, &holding).unwrap()), @"
             $0.11  storage, 11 GB at $0.01 a GB and calendar month
             $7.50  3 machines at $2.50 each
             $7.61  in all, Measured
    note: a begun GB is billed whole
    ");
    assert_snapshot!(nothing_saved(&price, 10_900_000_000, 10_200_000_000).unwrap(), @"Acme bills a begun GB whole: nothing is saved within one");
    // How many machines there are may not be known, nor their fee.
    let bill = month_of(
        &Price {
            client: Fee::Unknown,
            ..price
        },
        GB,
    );
    assert_eq!((bill.total, bill.sure), (usd("0.01"), Sure::Estimated));
    assert_eq!(
        bill.notes[1],
        "not in it, since it is not known: the fee for each machine"
    );
}

#[test]
fn a_disk_of_ones_own() {
    // A disk of 8 TB for $180 that lasts 60 months: 2 TB of it are $180 × 2/8 / 60 = $0.75 a month.
    let disk = Disk {
        price: usd("180"),
        bytes: 8 * TB,
        months: 60,
    };
    let price = price(Storage::Disk(disk));
    assert_snapshot!(shown(&month_of(&price, 2 * TB)), @"
             $0.75  2,000 GB of 8 TB that cost $180.00 for 60 months
             $0.75  in all, Estimated
    note: the disk lasts 60 months
    note: the disk is paid for already: what goes makes room on it
    ");
    assert_eq!(without(&price, 2 * TB, TB), Some(usd("0.375")));
}

#[test]
fn deleting_early() {
    let price = Price {
        minimum_days: 90,
        minimum_object: 4096,
        month: Month::Hours730,
        ..price(flat("0.00799"))
    };
    let leaving = [
        // 60 days left of 100 GB: 60 × 24 h / 730 h × 100 = 197.260273… GB-months.
        Leaving {
            bytes: 100 * GB,
            age_seconds: 30 * DAY,
        },
        // Old enough: nothing.
        Leaving {
            bytes: 500 * GB,
            age_seconds: 90 * DAY,
        },
        // 1 kB counts as 4,096 B, 90 days left: 90 × 24 / 730 × 0.000004096 = 0.0000121… GB-months.
        Leaving {
            bytes: 1000,
            age_seconds: 0,
        },
    ];
    // (197.260273972… + 0.000012119…) × $0.00799 = $1.576109686….
    assert_snapshot!(shown(&early_delete(&price, &leaving).unwrap()), @"
      $1.576109686  deleting 2 objects before 90 days: 197.260 GB-months left at $0.00799 a GB and month of 730 hours
      $1.576109686  in all, Estimated
    note: they are deleted now: each day later costs less
    ");
    // A vendor that counts 30 days: 60 / 30 × 100 = 200 GB-months exactly: $1.598.
    let days = Price {
        month: Month::Days30,
        ..price
    };
    assert_eq!(early_delete(&days, &leaving[..1]).unwrap().total, usd("1.598"));
    // Nothing is early: nothing is asked, and nothing is assumed.
    let none = early_delete(&days, &leaving[1..2]).unwrap();
    assert_eq!((none.lines.len(), none.sure), (0, Sure::Measured));
    // $1.598 once against $0.799 a month: paid after two months.
    assert_eq!(payback_months(usd("1.598"), usd("0.799")), Some(2.0));
    assert_eq!(payback_months(usd("0"), usd("0.799")), Some(0.0));
    assert_eq!(payback_months(usd("1"), usd("0").minus(usd("3")).unwrap()), None);
}

/// As AWS bills a cold class: retrieval by the GiB, requests by the thousand, 100 GiB of egress free.
fn cold() -> Price {
    let mut price = Price {
        unit: Unit::GiB,
        retrieval: of("0.01"),
        ..price(flat("0.0036"))
    };
    price.requests.put = of("0.03");
    price.requests.get = of("0.0004");
    price.requests.list = of("0.005");
    price.requests.retrieve = of("0.05");
    price.egress.rate = of("0.09");
    price.egress.free = 100 * GIB;
    price
}

#[test]
fn requests_retrieval_and_egress() {
    let moved = Traffic {
        puts: 640,
        gets: 1200,
        lists: 3,
        deletes: 2000,
        bytes_read: 150 * GIB,
    };
    // Writes 640 × 0.03/1000 = $0.0192; reads 1,200 × 0.0004/1000 = $0.00048; listings 3 × 0.005/1000 = $0.000015; deletions
    // free; retrievals 1,200 × 0.05/1000 = $0.06; retrieval 150 × $0.01 = $1.50; egress (150 − 100) × $0.09 = $4.50.
    assert_snapshot!(shown(&traffic(&cold(), &moved, 0, Machine::Outside).unwrap()), @"
           $0.0192  640 writes at $0.03 for 1,000
          $0.00048  1,200 reads at $0.0004 for 1,000
         $0.000015  3 listings at $0.005 for 1,000
             $0.06  1,200 retrievals from the archive at $0.05 for 1,000
             $1.50  retrieval, 150 GiB at $0.01 a GiB
             $4.50  egress, 50 GiB at $0.09 a GiB
         $6.079695  in all, Estimated
    note: the machine is outside of the vendor's network
    note: nothing else uses the 100 GiB of egress that are free this month
    ");
    // In the vault's region nothing leaves the network: $6.079695 − $4.50.
    let inside = traffic(&cold(), &moved, 0, Machine::Inside).unwrap();
    assert_eq!(inside.total, usd("1.579695"));
    assert_eq!(
        inside.notes,
        ["the machine is in the vault's region: nothing is paid for leaving the network"]
    );
    // A restore of the same only reads: $0.00048 + $0.06 + $1.50 + $4.50.
    let read = restore(&cold(), moved.bytes_read, moved.gets, 0, Machine::Outside).unwrap();
    assert_eq!(read.total, usd("6.06048"));
    // Both together, as one bill of what is paid once.
    let both = read.clone().plus(inside).unwrap();
    assert_eq!((both.total, both.lines.len()), (usd("7.640175"), 9));
    assert_eq!(both.notes.len(), 3);
}

#[test]
fn egress_free_by_what_is_stored() {
    let mut price = price(flat("0.00695"));
    price.egress.rate = of("0.01");
    price.egress.free_hundredths = 300;
    // 100 GB stored: 300 GB are free. 250 GB cost nothing; of 350 GB 50 are billed: 50 × $0.01 = $0.50.
    let read = |bytes| restore(&price, bytes, 0, 100 * GB, Machine::Outside).unwrap();
    assert_eq!(read(250 * GB).total, usd("0"));
    assert_snapshot!(shown(&read(350 * GB)), @"
             $0.50  egress, 50 GB at $0.01 a GB
             $0.50  in all, Estimated
    note: the machine is outside of the vendor's network
    note: nothing else uses the 300 GB of egress that are free this month
    ");
}

#[test]
fn free_requests_and_whole_millions() {
    let mut price = Price {
        whole_units: true,
        ..price(flat("0.015"))
    };
    price.requests.per = 1_000_000;
    price.requests.put = of("4.50");
    price.requests.free_puts = 1_000_000;
    let puts = |puts| {
        traffic(
            &price,
            &Traffic {
                puts,
                ..Traffic::default()
            },
            0,
            Machine::Outside,
        )
        .unwrap()
    };
    // A million is free; of 1,000,001 the one that is left is billed as a whole million: $4.50.
    assert_eq!(puts(1_000_000).total, usd("0"));
    assert_snapshot!(shown(&puts(1_000_001)), @"
             $4.50  1,000,000 writes at $4.50 for 1,000,000
             $4.50  in all, Estimated
    note: nothing else uses the 1,000,000 writes that are free each month
    ");
}

#[test]
fn what_is_not_known_is_named_and_never_nothing() {
    let mut price = cold();
    price.egress.rate = Fee::Unknown;
    let read = |price: &Price| restore(price, 150 * GIB, 10, 0, Machine::Outside);
    let bill = read(&price).unwrap();
    // The retrieval is known: 150 × $0.01, ten reads at $0.0004 and ten retrievals at $0.05 for 1,000.
    assert_eq!(bill.total, usd("1.500504"));
    assert_eq!(bill.notes.last().unwrap(), "not in it, since it is not known: egress");
    // When nothing is, there is no bill.
    price.retrieval = Fee::Unknown;
    price.requests.get = Fee::Unknown;
    price.requests.retrieve = Fee::Unknown;
    assert_snapshot!(read(&price).unwrap_err(), @"what Acme Store asks for reads, retrievals from the archive, retrieval, egress is not known; say it in your prices.toml: coffer prices edit");
    price.storage = Storage::Unknown;
    assert_snapshot!(monthly(&price, &Holding::of(GB)).unwrap_err(), @"what Acme Store asks for storage is not known; say it in your prices.toml: coffer prices edit");
    assert_eq!(without(&price, GB, 1), None);
    price.minimum_days = 30;
    assert!(
        early_delete(
            &price,
            &[Leaving {
                bytes: 1,
                age_seconds: 0
            }]
        )
        .is_err()
    );
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

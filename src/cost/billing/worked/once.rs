//! What is paid once.

use insta::assert_snapshot;

use super::*;

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

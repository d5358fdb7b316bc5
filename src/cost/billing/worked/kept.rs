//! What is kept, a month.

use insta::assert_snapshot;

use super::*;

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

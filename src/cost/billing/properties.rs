//! What holds for every price of the shipped kind, whatever is stored or moved.

use proptest::prelude::*;

use super::*;
use crate::cost::price::{Base, Disk, Egress, Month, Requests, Step, Storage, Tier, Unit};
use crate::cost::{Bill, Confidence, Currency, Fee, Money, Objects, Price};

fn money() -> impl Strategy<Value = Money> {
    (0i128..50_000_000_000).prop_map(|nanos| Money {
        nanos,
        currency: Currency::EUR,
    })
}

fn fee() -> impl Strategy<Value = Fee> {
    prop_oneof![Just(Fee::Free), money().prop_map(Fee::Of)]
}

fn storage() -> impl Strategy<Value = Storage> {
    // What rises: plans and tiers by size.
    let sizes = || prop::collection::btree_set(1u64..1 << 45, 1..4);
    let tiers = (sizes(), prop::collection::vec(fee(), 4)).prop_map(|(ends, rates)| {
        let ends = ends.into_iter().map(Some).chain([None]);
        Storage::Rate(ends.zip(rates).map(|(up_to, rate)| Tier { up_to, rate }).collect())
    });
    let steps = (sizes(), prop::collection::btree_set(0i128..1 << 40, 4)).prop_map(|(sizes, monthly)| {
        let sizes = sizes.into_iter().chain([u64::MAX]);
        let step = |(bytes, nanos)| Step {
            bytes,
            monthly: Money {
                nanos,
                currency: Currency::EUR,
            },
        };
        Storage::Steps(sizes.zip(monthly).map(step).collect())
    });
    let disk = (money(), 1u64..1 << 45, 1u32..200)
        .prop_map(|(price, bytes, months)| Storage::Disk(Disk { price, bytes, months }));
    prop_oneof![3 => tiers, 1 => steps, 1 => disk]
}

prop_compose! {
    fn price()(
        storage in storage(), month in 0usize..3, gib: bool, whole_units: bool, base in prop::option::of((money(), 0u64..1 << 41)),
        free in 0u64..1 << 38, floor in 0u64..1 << 41, minimum_days in 0u32..400, minimum_object in prop_oneof![Just(0u64), Just(4096), Just(1 << 17)],
        fees in prop::array::uniform8(fee()), free_egress in 0u64..1 << 40, free_hundredths in 0u64..400,
    ) -> Price {
        let [put, get, list, delete, retrieve, retrieval, egress, client] = fees;
        Price {
            id: "p".into(), vendor: "V".into(), name: "N".into(), region: None, currency: Currency::EUR, date: None, source: String::new(),
            confidence: Confidence::User, confidence_of: Default::default(), own: true, storage, free, floor, minimum_days, minimum_object, whole_units,
            unit: if gib { Unit::GiB } else { Unit::GB },
            month: [Month::Days30, Month::Hours730, Month::Calendar][month],
            base: base.map(|(monthly, included)| Base { monthly, included }),
            requests: Requests { per: 1000, put, get, list, delete, retrieve, free_puts: 10, free_gets: 100 },
            retrieval, client, replication: Fee::Free, remarks: Vec::new(),
            egress: Egress { rate: egress, free: free_egress, free_hundredths },
        }
    }
}

/// The parts sum up to the whole, and none is below nothing.
fn adds_up(bill: &Bill) {
    let sum: i128 = bill.lines.iter().map(|line| line.amount.nanos).sum();
    assert_eq!(sum, bill.total.nanos);
    assert!(bill.lines.iter().all(|line| line.amount.nanos >= 0), "{bill:?}");
}

proptest! {
    #[test]
    fn more_stored_never_costs_less(price in price(), sizes in prop::collection::vec(0u64..1 << 40, 1..20), clients in 0u32..9) {
        let holding = |sizes: &[u64]| {
            let objects: Objects = sizes.iter().copied().collect();
            Holding { bytes: objects.bytes(), objects: Some(objects), clients: Some(clients) }
        };
        let (less, more) = (holding(&sizes[1..]), holding(&sizes));
        let (less, more) = (monthly(&price, &less).unwrap(), monthly(&price, &more).unwrap());
        adds_up(&less);
        adds_up(&more);
        prop_assert!(less.total.nanos <= more.total.nanos);
    }

    #[test]
    fn what_is_saved_is_the_difference_of_two_bills(price in price(), stored in 0u64..1 << 46, gone in 0u64..1 << 46) {
        let bill = |bytes| monthly(&price, &Holding { clients: Some(1), ..Holding::of(bytes) }).unwrap();
        let after = stored.saturating_sub(gone);
        let saved = saved(&bill(stored), &bill(after));
        prop_assert_eq!(without(&price, stored, gone), saved);
        // A reason that nothing is saved is only given when nothing is.
        if nothing_saved(&price, stored, after).is_some() {
            prop_assert_eq!(saved.unwrap().nanos, 0);
        }
    }

    #[test]
    fn early_deletion_costs_less_with_each_second_and_more_with_each_byte(
        price in price(), bytes in 0u64..1 << 40, age in 0u64..40_000_000, later in 0u64..1_000_000, more in 0u64..1 << 30,
    ) {
        prop_assume!(matches!(price.storage, Storage::Rate(_)));
        let fee = |bytes, age_seconds| early_delete(&price, &[Leaving { bytes, age_seconds }]).unwrap();
        let now = fee(bytes, age);
        adds_up(&now);
        prop_assert!(fee(bytes, age + later).total.nanos <= now.total.nanos);
        prop_assert!(fee(bytes + more, age).total.nanos >= now.total.nanos);
        if age >= u64::from(price.minimum_days) * 86_400 {
            prop_assert_eq!(now.total.nanos, 0);
        }
    }

    #[test]
    fn more_traffic_never_costs_less(
        price in price(), gets in 0u64..1 << 30, puts in 0u64..1 << 30, bytes in 0u64..1 << 45, more in 0u64..1 << 30, stored in 0u64..1 << 45,
    ) {
        let moved = Traffic { gets, puts, lists: 3, deletes: puts, bytes_read: bytes };
        let further = Traffic { gets: gets + more, puts: puts + more, bytes_read: bytes + more, ..moved };
        let bill = |moved: &Traffic, machine| traffic(&price, moved, stored, machine).unwrap();
        for machine in [Machine::Inside, Machine::Outside] {
            adds_up(&bill(&moved, machine));
            prop_assert!(bill(&moved, machine).total.nanos <= bill(&further, machine).total.nanos);
        }
        prop_assert!(bill(&moved, Machine::Inside).total.nanos <= bill(&moved, Machine::Outside).total.nanos);
        // Free egress by what is stored: who stores more pays no more for reading.
        let richer = traffic(&price, &moved, stored.saturating_mul(2), Machine::Outside).unwrap();
        prop_assert!(richer.total.nanos <= bill(&moved, Machine::Outside).total.nanos);
    }
}

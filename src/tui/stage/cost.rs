//! What keeping costs in the made-up world: fourteen generations, each alone in holding a part of the vault.

use coffer::cost::{Bill, BillLine, Currency, Money, Sure};
use coffer::engine::question::{
    Estimate, Fate, GenerationCost, GenerationCosts, GenerationRow, LostAsked, LostRow, LostWindow, PriceRow,
    Projection, StayRule, VaultAt, VaultCost, WhatIf, WhatIfAsked,
};
use coffer::engine::{Answer, Question};
use coffer::lifetimes::Sums;
use coffer::retention::{Bucket, Budget, Many, Policy};

use super::vaults::generations;
use super::{DAY, NOW, World};

/// Bytes that all generations share.
const SHARED: u64 = 9_000_000_000;
/// Bytes of folders.
const FOLDERS: u64 = 120_000_000;
/// Bytes in packs that nothing needs.
const UNUSED: u64 = 1_100_000_000;
/// Billionths of a dollar that a GB costs a month, by price; the vault's own comes first.
const RATES: [(&str, &str, i128, &str); 5] = [
    (
        "aws-s3-standard",
        "AWS S3 Standard, us-east-1",
        23_000_000,
        "2026-05, third party",
    ),
    (
        "aws-s3-ia",
        "AWS S3 Standard-IA, us-east-1",
        12_500_000,
        "2026-06, third party",
    ),
    ("b2", "Backblaze B2", 6_950_000, "2026-09, third party"),
    ("wasabi", "Wasabi, one region", 7_990_000, "2026-07, third party"),
    ("own-disk", "The disk in the cellar", 2_100_000, "mine"),
];

pub(super) fn answer(world: &World, question: &Question) -> Option<Answer> {
    let locked = |vault: &String| vault == "away" && !world.unlocked;
    Some(match question {
        Question::WhatIf(asked) if locked(&asked.vault) => Answer::PasswordNeeded {
            vault: asked.vault.clone(),
            problem: String::new(),
        },
        Question::WhatIf(_) if world.measuring => Answer::Measuring {
            done: 12_345,
            of: 61_234,
        },
        Question::WhatIf(asked) if asked.vault == "gone" => {
            Answer::Failed("cannot read /mnt/usb/vault/config: No such file or directory".into())
        }
        Question::WhatIf(asked) => Answer::WhatIf(Box::new(what_if(asked))),
        Question::Lost(asked) => Answer::Lost(lost(asked)),
        Question::GenerationCosts { vault } if locked(vault) => Answer::PasswordNeeded {
            vault: vault.clone(),
            problem: String::new(),
        },
        Question::GenerationCosts { vault } => Answer::GenerationCosts(GenerationCosts {
            vault: vault.clone(),
            rows: rows(vault).iter().enumerate().map(generation_cost).collect(),
        }),
        Question::VaultCosts if world.bare => Answer::VaultCosts(Vec::new()),
        Question::VaultCosts => Answer::VaultCosts(vault_costs()),
        Question::Prices => Answer::Prices(prices()),
        _ => return None,
    })
}

fn rows(vault: &str) -> Vec<GenerationRow> {
    match vault {
        "new" | "gone" => Vec::new(),
        _ => generations(),
    }
}

/// What a generation alone holds: the older, the more.
fn exclusive(n: usize) -> u64 {
    [
        31_457_280,
        12_582_912,
        88_080_384,
        104_857_600,
        79_691_776,
        230_686_720,
        415_236_096,
        891_289_600,
        662_700_032,
        1_073_741_824,
        1_342_177_280,
        954_204_160,
        2_147_483_648,
        5_368_709_120,
    ][n]
}

fn usd(nanos: i128) -> Money {
    Money {
        nanos,
        currency: Currency::USD,
    }
}

fn bill(what: &str, nanos: i128) -> Bill {
    Bill {
        lines: vec![BillLine {
            what: what.into(),
            amount: usd(nanos),
        }],
        total: usd(nanos),
        sure: Sure::Estimated,
        notes: Vec::new(),
    }
}

fn rate(price: Option<&str>) -> (&'static str, i128) {
    let found = RATES.iter().find(|(id, ..)| Some(*id) == price).unwrap_or(&RATES[0]);
    (found.1, found.2)
}

fn monthly(bytes: u64, rate: i128) -> Bill {
    bill("storage", i128::from(bytes) * rate / 1_000_000_000)
}

/// Why a rule keeps a generation, newest first: not restic's rules, but near enough to look at.
fn reasons(policy: &Policy, all: &[GenerationRow], n: usize) -> Vec<String> {
    let age = |row: &GenerationRow| (NOW - row.time) / DAY;
    let mut reasons = Vec::new();
    if all[n].tags.iter().any(|tag| tag == "protected") {
        reasons.push("protected".to_owned());
    }
    if let Some(period) = policy.period {
        if age(&all[n]) <= i64::from(period.days) {
            reasons.push(format!("in {} days", period.days));
        } else if n < period.floor as usize {
            reasons.push("newest one".to_owned());
        }
    }
    let within = |many: Option<Many>, place: usize| match many {
        Some(Many::Of(count)) => place < count as usize,
        Some(Many::All) => true,
        None => false,
    };
    if within(policy.last, n) {
        reasons.push("last snapshot".to_owned());
    }
    for (bucket, (days, word)) in Bucket::ALL.into_iter().zip([
        (1, "hourly"),
        (1, "daily"),
        (7, "weekly"),
        (30, "monthly"),
        (91, "quarterly"),
        (365, "yearly"),
    ]) {
        let of = |row: &GenerationRow| age(row) / days;
        let newest = n == 0 || of(&all[n - 1]) != of(&all[n]);
        let place = (1..=n).filter(|n| of(&all[n - 1]) != of(&all[*n])).count();
        if newest && within(policy.bucket(bucket), place) {
            reasons.push(format!("{word} snapshot"));
        }
    }
    let has = |tags: &Vec<String>| match tags.is_empty() {
        true => all[n].tags.is_empty(),
        false => tags.iter().all(|tag| all[n].tags.contains(tag)),
    };
    if policy.tags.iter().any(has) {
        reasons.push("has tags".to_owned());
    }
    if let Some(Budget::Size(bytes)) = policy.fit
        && SHARED + (0..=n).map(exclusive).sum::<u64>() <= bytes
    {
        reasons.push("fits".to_owned());
    }
    reasons
}

/// What would be if.
pub fn what_if(asked: &WhatIfAsked) -> WhatIf {
    let all = rows(&asked.vault);
    let fate = |(n, row): (usize, &GenerationRow)| {
        let reasons = match &asked.rule {
            StayRule::All => vec!["all stay".to_owned()],
            StayRule::Policy(policy, _) => reasons(policy, &all, n),
            StayRule::Without(ids) if ids.contains(&row.id) => Vec::new(),
            StayRule::Without(_) => vec!["not marked".to_owned()],
        };
        let stays = !reasons.is_empty() && !asked.go.contains(&row.id);
        Fate {
            id: row.id,
            time: row.time,
            host: row.host.clone(),
            paths: row.paths.clone(),
            stays,
            reasons: if stays { reasons } else { Vec::new() },
            exclusive: exclusive(n),
            added: row.added.unwrap_or(0),
        }
    };
    let fates: Vec<Fate> = all.iter().enumerate().map(fate).collect();
    let freed: u64 = fates.iter().filter(|fate| !fate.stays).map(|fate| fate.exclusive).sum();
    let held: u64 = fates.iter().map(|fate| fate.exclusive).sum();
    let lost = fates.iter().filter(|fate| !fate.stays).count() as u64 * 37;
    let named = asked.vault != "away" || asked.price.is_some();
    let (name, now_rate) = rate(None);
    let (after_name, after_rate) = rate(asked.price.as_deref());
    let reclaimed = if freed > 0 { freed - freed / 25 + UNUSED / 2 } else { 0 };
    let left = fates.iter().filter(|fate| fate.stays);
    let gap = |times: Vec<i64>| times.windows(2).map(|pair| pair[0] - pair[1]).max();
    let side = |stored: u64, data: u64, (rate, name): (i128, &str), times: Vec<i64>, known: bool| VaultAt {
        generations: times.len() as u64,
        stored,
        data,
        folders: if stored > 0 { FOLDERS } else { 0 },
        unused: stored.saturating_sub(data + FOLDERS),
        price: known.then(|| name.to_owned()),
        monthly: known.then(|| monthly(stored, rate)),
        oldest: times.last().copied(),
        largest_gap: gap(times),
        restore: known.then(|| bill("reading", i128::from(data / 4) * 90_000_000 / 1_000_000_000)),
    };
    let named_now = asked.vault != "away";
    let data = SHARED + held - FOLDERS;
    let stored = if all.is_empty() { 0 } else { data + FOLDERS + UNUSED };
    let now = side(
        stored,
        data,
        (now_rate, name),
        fates.iter().map(|fate| fate.time).collect(),
        named_now,
    );
    let after = side(
        stored - reclaimed.min(stored),
        data - freed,
        (after_rate, after_name),
        left.map(|fate| fate.time).collect(),
        named,
    );
    let saved = now.monthly.as_ref().zip(after.monthly.as_ref());
    let saved = saved.and_then(|(now, after)| now.total.minus(after.total));
    let one_off = named.then(|| bill("requests and early deletion", i128::from(freed) * 4 / 1000));
    let one_off = one_off.filter(|_| !all.is_empty());
    let payback = one_off.as_ref().zip(saved).and_then(|(once, saved)| {
        let ratio = once.total.units() / saved.units();
        (saved.nanos > 0 && once.total.nanos > 0).then_some(ratio)
    });
    let notes = match freed {
        0 => Vec::new(),
        _ => {
            vec!["Packs younger than 30 days are billed for the rest of them: $0.01 of what it costs once.".to_owned()]
        }
    };
    WhatIf {
        projection: (!all.is_empty()).then(|| projection(&now, &after, asked, (now_rate, after_rate))),
        now,
        after,
        freed: Sums {
            stored: freed,
            versions: lost,
            ..Sums::default()
        },
        reclaimed,
        rewritten: freed / 9,
        one_off,
        saved,
        payback_months: payback,
        lost: (lost, freed + freed / 2),
        fates,
        notes,
    }
}

fn projection(now: &VaultAt, after: &VaultAt, asked: &WhatIfAsked, rates: (i128, i128)) -> Projection {
    let pace = 24.0 / asked.every_hours.unwrap_or(24.0);
    let grown = |from: u64, month: u64| from + (month as f64 * 260_000_000.0 * (0.5 + pace / 2.0)) as u64;
    let estimate = |from, month| {
        let likely = grown(from, month);
        Estimate {
            likely,
            low: likely - month * 60_000_000,
            high: likely + month * 140_000_000,
        }
    };
    let months = |from: u64| (1..=12).map(|month| estimate(from, month)).collect::<Vec<_>>();
    let money = |series: &[Estimate], rate: i128, known: bool| {
        let bills = series.iter().map(|estimate| monthly(estimate.likely, rate).total);
        bills.take(if known { 12 } else { 0 }).collect::<Vec<Money>>()
    };
    let (as_it_is, if_so) = (months(now.stored), months(after.stored));
    let past = (0..10).map(|month: u64| now.stored / 10 * (month + 1) - month % 3 * 200_000_000);
    let mut past: Vec<u64> = past.collect();
    if let Some(last) = past.last_mut() {
        *last = now.stored;
    }
    Projection {
        past,
        now_monthly: money(&as_it_is, rates.0, now.monthly.is_some()),
        after_monthly: money(&if_so, rates.1, after.monthly.is_some()),
        now: as_it_is,
        after: if_so,
        error: Some(0.06),
    }
}

fn lost(asked: &LostAsked) -> LostWindow {
    let what = what_if(&asked.what_if);
    let total = what.lost.0;
    let gone: Vec<&Fate> = what.fates.iter().filter(|fate| !fate.stays).collect();
    let row = |n: u64| {
        let fate = gone[(n as usize / 5) % gone.len()];
        let name = match n % 5 {
            0 => format!("notes-{n}.txt"),
            1 => format!("raw-{n}.cr3"),
            2 => "evil\u{202e}gnp.exe".to_owned(),
            3 => format!("thesis-draft-{n}.odt"),
            _ => format!("{}-{n}.mbox", "mail".repeat(n as usize % 30)),
        };
        LostRow {
            path: ["home", "anna", "documents", &name]
                .map(|part| part.as_bytes().to_vec())
                .to_vec(),
            size: 1_000 + n * n * 7_919 % 9_876_543,
            mtime: fate.time - 3_600 * n as i64,
            generation: fate.id,
            time: fate.time,
            other_kept: n % 3 != 1,
        }
    };
    let end = (asked.first + u64::from(asked.rows)).min(total);
    LostWindow {
        first: asked.first.min(end),
        rows: (asked.first.min(end)..end).map(row).collect(),
        total,
        whole: true,
    }
}

fn generation_cost((n, row): (usize, &GenerationRow)) -> GenerationCost {
    GenerationCost {
        id: row.id,
        exclusive: exclusive(n),
        added: row.added.unwrap_or(0),
        monthly: Some(monthly(exclusive(n), RATES[0].2).total),
    }
}

fn vault_costs() -> Vec<VaultCost> {
    let cost = |vault: &str, stored, price: Option<&str>, trend: &[u64]| VaultCost {
        vault: vault.into(),
        stored,
        price: price.map(str::to_owned),
        monthly: price.and(stored).map(|stored| monthly(stored, RATES[0].2).total),
        trend: trend.iter().map(|tenths| tenths * 100_000_000).collect(),
        sure: Sure::Measured,
    };
    vec![
        cost(
            "home",
            Some(23_456_789_012),
            Some(RATES[0].1),
            &[61, 88, 102, 99, 121, 150, 168, 171, 190, 205, 221, 234],
        ),
        cost("away", Some(312_456_789_012), None, &[2500, 2700, 2790, 2900, 3124]),
        cost("new", None, Some(RATES[2].1), &[]),
        VaultCost {
            sure: Sure::Estimated,
            ..cost("gone", Some(8_456_789_012), Some(RATES[4].1), &[80, 81, 81, 84])
        },
    ]
}

fn prices() -> Vec<PriceRow> {
    let row = |(id, name, nanos, source): &(&str, &str, i128, &str)| PriceRow {
        id: id.to_string(),
        name: name.to_string(),
        terms: format!("{} a GB-month, no minimum", usd(*nanos).exactly()),
        source: source.to_string(),
        own: *source == "mine",
    };
    RATES.iter().map(row).collect()
}

//! The next twelve months, worked out from the vault's own history.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Ground;
use super::bills;
use crate::cost::projection::{Cohort, Estimate, History, Model, Series, error, past};
use crate::cost::{Money, Price};
use crate::engine::question::{Projection, StayRule};
use crate::retention::{self, Budget, Policy};
use crate::vault::generation::GroupBy;
use crate::vault::{Generation, Id, Time};

/// How many months of the past are told at most, the one that is now among them.
pub(super) const PAST: usize = 25;
/// How many years of generations are looked ahead with, per series, at most: an hourly year.
const FUTURES: usize = 4;

/// What a vault's past tells.
#[derive(Debug)]
pub(super) struct Outlook {
    pub(super) history: History,
    model: Option<Model>,
    error: Option<f64>,
    /// What is there, without what no rule asks for, oldest first.
    known: Vec<Generation>,
    /// The newest of each series, by its place among them.
    newest: Vec<usize>,
    /// Where each generation stands: series and place in it.
    places: HashMap<Id, (usize, usize)>,
    /// The next twelve months as things are, which no question changes.
    steady: OnceLock<Vec<Estimate>>,
    /// Generations to come, by how far they are apart. The last used at the end.
    futures: Mutex<Vec<(Option<i64>, Arc<Future>)>>,
}

/// Generations to come.
#[derive(Debug)]
struct Future {
    /// Their times in each series.
    times: Vec<Vec<i64>>,
    /// As if they were there, oldest first.
    generations: Vec<Generation>,
    places: HashMap<Id, (usize, usize)>,
}

/// One side of a projection.
pub(super) struct Course<'a> {
    /// Bytes of packs now.
    pub(super) stored: u64,
    /// What is kept now.
    pub(super) kept: &'a HashSet<Id>,
    /// What is kept from then on.
    pub(super) rule: &'a StayRule,
    /// Seconds between two generations from then on, when that changes.
    pub(super) every: Option<i64>,
    /// What it is billed at.
    pub(super) price: Option<&'a Price>,
}

impl Outlook {
    pub(super) fn of(ground: &Ground, now: Time) -> Outlook {
        let mut history = History {
            now: now.seconds,
            series: vec![Series::default(); ground.keys.len()],
        };
        let mut places = HashMap::new();
        let mut newest = vec![0; ground.keys.len()];
        let mut known = Vec::with_capacity(ground.generations.len());
        for (generation, &series) in ground.generations.iter().zip(&ground.series).rev() {
            let times = &mut history.series[series].times;
            places.insert(generation.id, (series, times.len()));
            times.push(generation.time.seconds);
            newest[series] = known.len();
            known.push(alike(generation, generation.id, generation.time.seconds));
        }
        let made = ground.lifetimes.generations();
        let place = |number: u32| places.get(&made.get(number as usize)?.id).copied();
        ground.lifetimes.lives(|life| {
            let Some((series, born)) = place(life.first) else {
                return;
            };
            let times = &history.series[series].times;
            let last = match place(life.last) {
                _ if life.living => times.len() - 1,
                Some((other, last)) if other == series => last,
                // Where one series took over from another: as long as it was held there.
                Some(_) => {
                    let until = made[life.last as usize].time;
                    times.partition_point(|time| *time <= until).saturating_sub(1).max(born)
                }
                None => born,
            };
            history.series[series].cohorts.push(Cohort {
                born: born as u32,
                last: last as u32,
                bytes: life.sums.stored,
            });
        });
        Outlook {
            model: Model::of(&history),
            error: error(&history),
            history,
            known,
            newest,
            places,
            steady: OnceLock::new(),
            futures: Mutex::default(),
        }
    }

    /// Stored bytes of the past, a point a month.
    pub(super) fn past(&self, stored: u64, points: usize) -> Vec<u64> {
        past(&self.history, stored, points)
    }

    /// Both sides of the next twelve months, `now` without any change; `None` when the past tells too little.
    pub(super) fn project(&self, now: &Course, after: &Course, zone: &jiff::tz::TimeZone) -> Option<Projection> {
        let model = self.model.as_ref()?;
        let now_year = self.steady.get_or_init(|| self.year(model, now, zone)).clone();
        let after_year = self.year(model, after, zone);
        Some(Projection {
            past: self.past(now.stored, PAST),
            now_monthly: self.monthly(now.price, &now_year),
            after_monthly: self.monthly(after.price, &after_year),
            now: now_year,
            after: after_year,
            error: self.error,
        })
    }

    fn year(&self, model: &Model, course: &Course, zone: &jiff::tz::TimeZone) -> Vec<Estimate> {
        let future = self.future(model, course.every);
        let there = self.there(course.kept, &future);
        let mut year = model.year(&future.times, course.stored, &mut |at| match course.rule {
            StayRule::Policy(policy, by) if at > self.history.now => {
                let then = &there[..there.partition_point(|one| one.time.seconds <= at)];
                self.flags(&future, &keep(policy, *by, then, at, zone))
            }
            _ => {
                let then = future.generations.iter().take_while(|one| one.time.seconds <= at);
                let come = then.map(|one| &one.id);
                self.flags(&future, course.kept.iter().chain(come))
            }
        });
        if let StayRule::Policy(policy, _) = course.rule
            && let Some(most) = policy.fit.as_ref().and_then(|budget| self.most(budget, course.price))
            // A budget that cannot be kept now is none.
            && course.stored <= most
        {
            for month in &mut year {
                (month.low, month.likely, month.high) =
                    (month.low.min(most), month.likely.min(most), month.high.min(most));
            }
        }
        year
    }

    /// For each series which of its generations, those that are there and those to come, are these.
    fn flags<'a>(&self, future: &Future, kept: impl IntoIterator<Item = &'a Id>) -> Vec<Vec<bool>> {
        let series = self.history.series.iter().zip(&future.times);
        let mut flags: Vec<Vec<bool>> = series
            .map(|(series, future)| vec![false; series.times.len() + future.len()])
            .collect();
        for id in kept {
            if let Some((series, at)) = self.places.get(id).or_else(|| future.places.get(id)) {
                flags[*series][*at] = true;
            }
        }
        flags
    }

    /// What stays of now, and what comes, oldest first.
    fn there(&self, kept: &HashSet<Id>, future: &Future) -> Vec<Generation> {
        let stays = self.known.iter().filter(|one| kept.contains(&one.id));
        let mut there: Vec<Generation> = stays.cloned().collect();
        there.extend(future.generations.iter().cloned());
        // What is there may lie in the future, too.
        there.sort_by_key(|one| one.time.seconds);
        there
    }

    /// Bytes that a budget lets be stored.
    fn most(&self, budget: &Budget, price: Option<&Price>) -> Option<u64> {
        let money = match budget {
            Budget::Size(size) => return Some(*size),
            Budget::Cost(money) => money,
        };
        let price = price.filter(|price| price.currency == money.currency)?;
        let fits = |bytes: u64| {
            let bill = bills::monthly(Some(price), &crate::cost::billing::Holding::of(bytes), &mut Vec::new());
            bill.is_some_and(|bill| bill.total.nanos <= money.nanos)
        };
        // A petabyte that still fits is no limit.
        let (mut low, mut high) = (0u64, 1 << 50);
        if fits(high) {
            return None;
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            *(if fits(middle) { &mut low } else { &mut high }) = middle;
        }
        Some(low)
    }

    fn monthly(&self, price: Option<&Price>, year: &[Estimate]) -> Vec<Money> {
        let clients = self.known.iter().map(|one| &one.hostname).collect::<HashSet<_>>().len() as u32;
        let bill = |month: &Estimate| {
            let holding = crate::cost::billing::Holding {
                clients: Some(clients),
                ..crate::cost::billing::Holding::of(month.likely)
            };
            Some(bills::monthly(price, &holding, &mut Vec::new())?.total)
        };
        year.iter()
            .map(bill)
            .collect::<Option<Vec<Money>>>()
            .unwrap_or_default()
    }

    fn future(&self, model: &Model, every: Option<i64>) -> Arc<Future> {
        let mut futures = self.futures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = futures.iter().position(|(known, _)| *known == every) {
            let found = futures.remove(at);
            let future = found.1.clone();
            futures.push(found);
            return future;
        }
        let times = model.future(every);
        let (mut generations, mut places) = (Vec::new(), HashMap::new());
        for (series, (times, newest)) in times.iter().zip(&self.newest).enumerate() {
            for (n, time) in times.iter().enumerate() {
                let id = Id::of(format!("{series} {n}").as_bytes());
                places.insert(id, (series, self.history.series[series].times.len() + n));
                generations.extend(self.known.get(*newest).map(|newest| alike(newest, id, *time)));
            }
        }
        generations.sort_by_key(|one| one.time.seconds);
        let future = Arc::new(Future {
            times,
            generations,
            places,
        });
        futures.push((every, future.clone()));
        if futures.len() > FUTURES {
            futures.remove(0);
        }
        future
    }
}

/// What a rule keeps at a moment, its budget left aside.
fn keep(policy: &Policy, by: GroupBy, there: &[Generation], at: i64, zone: &jiff::tz::TimeZone) -> HashSet<Id> {
    let now = Time {
        seconds: at,
        nanos: 0,
        offset: 0,
    };
    retention::apply(policy, there, by, now, zone).kept()
}

/// A generation as the series' newest is, at another time.
fn alike(like: &Generation, id: Id, seconds: i64) -> Generation {
    Generation {
        id,
        time: Time {
            seconds,
            nanos: 0,
            ..like.time
        },
        parent: None,
        summary: None,
        excludes: Vec::new(),
        ..like.clone()
    }
}

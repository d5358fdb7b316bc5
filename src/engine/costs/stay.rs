//! Which generations stay under a rule or a choice, and why.

use std::collections::{HashMap, HashSet};

use super::Ground;
use crate::engine::question::StayRule;
use crate::engine::{Error, Result};
use crate::retention::{self, Budget, Fitted, PROTECTED_TAG, Policy};
use crate::text::counted;
use crate::vault::generation::{GroupBy, GroupKey};
use crate::vault::{Generation, Id, Time};

/// The reason of what no rule was asked about.
const NO_RULE: &str = "no rule";
/// The reason of what is protected from being taken by hand.
const PROTECTED: &str = "protected";

/// Which generations stay.
#[derive(Debug, Default)]
pub(super) struct Stay {
    /// Those that stay, each with its reasons.
    pub(super) kept: HashMap<Id, Vec<String>>,
    /// What must be said of it, a sentence each.
    pub(super) notes: Vec<String>,
}

/// What a budget is weighed with: whether what these generations leave in the vault is within it.
pub(super) type Fits<'a> = &'a mut dyn FnMut(&HashSet<Id>, &Budget) -> Result<bool>;

impl Stay {
    pub(super) fn of(
        ground: &Ground,
        rule: &StayRule,
        go: &[Id],
        now: Time,
        zone: &jiff::tz::TimeZone,
        fits: Fits,
    ) -> Result<Stay> {
        let all = &ground.generations;
        let known: HashSet<Id> = all.iter().map(|one| one.id).collect();
        let marked = match rule {
            StayRule::Without(ids) => ids.iter().chain(go),
            _ => [].iter().chain(go),
        };
        let marked: HashSet<Id> = marked.copied().collect();
        if let Some(unknown) = marked.iter().find(|id| !known.contains(id)) {
            let id = unknown.short();
            return Err(Error::Usage(format!(
                "the vault has no generation {id} (any more): list them again"
            )));
        }
        let mut stay = match rule {
            StayRule::Policy(policy, by) => Stay::by_rule(all, policy, *by, now, zone, fits)?,
            StayRule::All | StayRule::Without(_) => Stay {
                kept: all.iter().map(|one| (one.id, vec![NO_RULE.to_owned()])).collect(),
                notes: Vec::new(),
            },
        };
        stay.take(all, &marked);
        stay.tell_emptied(ground);
        Ok(stay)
    }

    fn by_rule(
        all: &[Generation],
        policy: &Policy,
        by: GroupBy,
        now: Time,
        zone: &jiff::tz::TimeZone,
        fits: Fits,
    ) -> Result<Stay> {
        if policy.is_empty() {
            return Err(Error::Usage(
                "the rule says nothing, so it would keep nothing: say what stays".into(),
            ));
        }
        let mut outcome = retention::apply(policy, all, by, now, zone);
        if let Some(budget) = &policy.fit {
            retention::fit(&mut outcome, all, budget, now, |kept| fits(kept, budget))?;
        }
        let mut stay = Stay::default();
        let kept = outcome.groups.iter().flat_map(|group| &group.kept);
        for one in kept {
            let reasons = one.reasons.iter().map(ToString::to_string).collect();
            stay.kept.insert(one.id, reasons);
        }
        let words = |gone: usize| counted(gone as u64, "generation goes", "generations go");
        match outcome.budget {
            Some(Fitted::Fits { gone: 0 }) => stay.notes.push("what the rule keeps is within the budget".into()),
            Some(Fitted::Fits { gone }) => {
                stay.notes
                    .push(format!("{} for the budget, the least valuable first", words(gone)));
            }
            Some(Fitted::TooMuch { gone }) => stay.notes.push(format!(
                "the budget cannot be kept: what must stay takes more, though {} for it",
                words(gone)
            )),
            None => {}
        }
        Ok(stay)
    }

    /// Takes out what was marked by hand, but for what is protected.
    fn take(&mut self, all: &[Generation], marked: &HashSet<Id>) {
        let mut refused = 0;
        for generation in all.iter().filter(|one| marked.contains(&one.id)) {
            if generation.tags.iter().any(|tag| tag == PROTECTED_TAG) {
                refused += 1;
                self.kept.insert(generation.id, vec![PROTECTED.to_owned()]);
            } else {
                self.kept.remove(&generation.id);
            }
        }
        if refused > 0 {
            let protected = counted(refused, "protected generation stays", "protected generations stay");
            self.notes.push(format!(
                "{protected}, though marked: take the tag {PROTECTED_TAG:?} away first"
            ));
        }
    }

    /// Says which series nothing would be left of.
    fn tell_emptied(&mut self, ground: &Ground) {
        let mut left = vec![0; ground.keys.len()];
        for (generation, series) in ground.generations.iter().zip(&ground.series) {
            left[*series] += usize::from(self.kept.contains_key(&generation.id));
        }
        for (key, _) in ground.keys.iter().zip(left).filter(|(_, left)| *left == 0) {
            self.notes
                .push(format!("nothing would be left of {}", series_words(key)));
        }
    }
}

/// A series in words.
pub(super) fn series_words(key: &GroupKey) -> String {
    let paths = key.paths.as_deref().unwrap_or_default().join(", ");
    format!("{} of {}", paths, key.host.as_deref().unwrap_or_default())
}

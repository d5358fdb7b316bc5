//! The plan that a vault's rule comes from and goes to.

use crate::config::{Config, PlanConfig};
use crate::retention::Policy;
use crate::vault::generation::GroupBy;

use super::super::super::model::Model;
use super::rule::Rule;

/// The plans that write to a vault, in the order of the config.
pub(super) fn of<'a>(config: &'a Config, vault: &'a str) -> impl Iterator<Item = &'a PlanConfig> {
    config
        .plans
        .iter()
        .filter(move |plan| plan.vaults.iter().any(|name| name == vault))
}

/// The plans that write to the vault that is shown.
pub(super) fn of_shown(model: &Model) -> Vec<&PlanConfig> {
    let (Some(vault), Some(now)) = (&model.generations.vault, &model.cost.config) else {
        return Vec::new();
    };
    of(&now.config, vault).collect()
}

/// The rule that a vault starts with: that of its first plan, or what a plan has by default.
pub(super) fn start(config: &Config, vault: &str) -> Rule {
    let plan = of(config, vault).next().cloned().unwrap_or_default();
    Rule::of(plan.retention, GroupBy::HOST_AND_PATHS)
}

/// A plan with another rule: without its budget, which no plan can say.
pub(super) fn with(plan: &PlanConfig, policy: &Policy) -> PlanConfig {
    PlanConfig {
        retention: Policy {
            fit: None,
            ids: Vec::new(),
            ..policy.clone()
        },
        ..plan.clone()
    }
}

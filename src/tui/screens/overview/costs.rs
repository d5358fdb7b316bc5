//! What the vaults cost, as far as it is known without opening them: a line each, their sum, and one of them as a fact.

use super::super::super::model::Model;
use super::super::super::theme::Role;
use super::super::super::view::canvas::Canvas;
use super::super::super::widgets::bars;
use super::super::cost::words::plain;
use super::view::{Columns, NAME};
use crate::cost::{Money, Sure};
use crate::engine::question::VaultCost;
use crate::text;

/// Months of a vault's trend that are shown.
const MONTHS: usize = 12;

/// What a vault costs: how much it weighs among all, its name, the money, how it grew, its price.
pub(super) fn line(model: &Model, canvas: &mut Canvas, y: u16, cost: &VaultCost) {
    let width = canvas.width();
    let columns = Columns::of(width);
    let symbols = model.look.symbols;
    // Which vault weighs most is seen at a glance.
    let all = model.overview.costs.iter().filter_map(|cost| cost.stored);
    let most = all.max().unwrap_or(0);
    if let Some(stored) = cost.stored.filter(|_| most > 0) {
        bars::draw(canvas, 2, y, NAME - 3, stored as f64 / most as f64, Role::Gauge);
    }
    let name = text::escape(cost.vault.as_bytes());
    let name = text::cut_middle(&name, usize::from(columns.second - NAME - 1), symbols.more);
    canvas.text(NAME, y, columns.second, &name, Role::Folder);
    let (words, role) = match (&cost.price, cost.monthly) {
        (None, _) => (format!("{} not named", symbols.warning), Role::Warning),
        (Some(_), None) => ("not known".to_owned(), Role::Dim),
        (Some(_), Some(monthly)) if cost.sure == Sure::Estimated => (format!("about {monthly}"), Role::Text),
        (Some(_), Some(monthly)) => (monthly.to_string(), Role::Text),
    };
    canvas.text(columns.second, y, columns.age, &plain(symbols, &words), role);
    let last = cost.trend.len().saturating_sub(MONTHS);
    let trend = &cost.trend[last..];
    let highest = trend.iter().copied().max().unwrap_or(0).max(1) as f64;
    for (n, stored) in trend.iter().enumerate() {
        let x = columns.age + n as u16;
        // The highest does not touch the row above.
        let column = symbols.column_of(*stored as f64 / highest * 7.0 / 8.0);
        canvas.text(x, y, width, column, Role::Series(0));
    }
    let stored = cost.stored.map(text::bytes).unwrap_or_default();
    canvas.right(y, columns.size, &stored, Role::Dim);
    if let Some(rest) = columns.rest {
        let (words, role) = match &cost.price {
            Some(price) => (text::escape(price.as_bytes()), Role::Dim),
            None => ("p names its price".to_owned(), Role::Text),
        };
        let words = text::cut_end(&plain(symbols, &words), usize::from(width - 1 - rest), symbols.more);
        canvas.text(rest, y, width - 1, &words, role);
    }
}

/// What all vaults cost a month, a sum for each currency; and how many name no price.
pub(super) fn sum(costs: &[VaultCost]) -> String {
    let mut sums: Vec<Money> = Vec::new();
    for monthly in costs.iter().filter_map(|cost| cost.monthly) {
        match sums.iter_mut().find(|sum| sum.currency == monthly.currency) {
            Some(sum) => *sum = sum.plus(monthly).unwrap_or(*sum),
            None => sums.push(monthly),
        }
    }
    let priced = |cost: &&VaultCost| cost.monthly.is_some();
    let about = match costs.iter().filter(priced).any(|cost| cost.sure == Sure::Estimated) {
        true => "about ",
        false => "",
    };
    let unnamed = costs.iter().filter(|cost| cost.monthly.is_none()).count() as u64;
    let sums: Vec<String> = sums.iter().map(Money::to_string).collect();
    match (sums.is_empty(), unnamed) {
        (true, _) => "cost unknown: p on a vault names its price".to_owned(),
        (false, 0) => format!("{about}{} a month", sums.join(" + ")),
        (false, unnamed) => {
            let vaults = text::counted(unnamed, "vault", "vaults");
            format!("{about}{} a month, {vaults} not counted", sums.join(" + "))
        }
    }
}

/// What a vault costs, as a fact.
pub(super) fn fact(model: &Model, vault: &str) -> (&'static str, String, Role) {
    let cost = model.overview.costs.iter().find(|cost| cost.vault == vault);
    let shown = |words: String| plain(model.look.symbols, &words);
    match cost.map(|cost| (&cost.price, cost.monthly, cost.sure)) {
        Some((Some(price), Some(monthly), sure)) => {
            let about = if sure == Sure::Estimated { "about " } else { "" };
            let price = text::escape(price.as_bytes());
            ("cost", shown(format!("{about}{monthly} a month, {price}")), Role::Text)
        }
        Some((Some(price), None, _)) => {
            let price = text::escape(price.as_bytes());
            ("cost", shown(format!("not known yet, {price}")), Role::Dim)
        }
        _ => ("cost", "price not named: p names it".to_owned(), Role::Dim),
    }
}

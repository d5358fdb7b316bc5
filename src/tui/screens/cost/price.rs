//! The price that a rule is worked out with: the vault's own, or another one of the book.

use super::super::super::model::Model;
use super::Draft;
use super::rule::Rule;

impl Draft {
    /// Tries out another price.
    pub(super) fn try_price(&mut self, price: Option<String>) {
        self.change(Rule {
            price,
            ..self.rule.clone()
        });
    }
}

/// The price that is in force in what is tried out on a vault, for the picker.
pub(crate) fn price_tried<'a>(model: &'a Model, vault: &str) -> Option<&'a str> {
    model.cost.drafts.get(vault)?.rule.price.as_deref()
}

/// Tries out another price on a vault; `None` is the vault's own. Where nothing is tried out on it yet, it waits until the
/// plan's rule is here.
pub(crate) fn try_price(model: &mut Model, vault: &str, price: Option<String>) {
    match model.cost.drafts.get_mut(vault) {
        Some(draft) => draft.try_price(price),
        None => _ = model.cost.tried_prices.insert(vault.to_owned(), price),
    }
}

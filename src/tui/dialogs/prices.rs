//! Choosing a price from the book: to see what it would come to, or for good.

use super::super::actions::{Act, Action, At, Context, read_only};
use super::super::asking::{Told, ask, change, complain, failed};
use super::super::dialog::{Dialog, Moves, Then, with_top};
use super::super::field::Field;
use super::super::model::{Load, Model, Screen};
use super::super::msg::Effect;
use super::super::screens::{self, cost, overview, vaults};
use super::super::theme::Role;
use super::super::view::canvas::Canvas;
use super::super::view::hint_line;
use super::super::window::Window;
use crate::engine::question::PriceRow;
use crate::engine::setup::Change;
use crate::engine::{Answer, Question};
use crate::text;

/// Where keys go.
const CONTEXT: Context = Context::dialog("prices", "Prices").with_list();
const SLOT: &str = "prices.book";
const SAVE: &str = "prices.save";

/// What one can do in it, and where it opens.
#[rustfmt::skip] // a table, read by its columns
pub static ACTIONS: &[Action] = &[
    Action::new("vaults.price", "price", "Name the vault's price, from the book", &["p", "$"], At::Only(&[vaults::VAULTS, overview::CONTEXT]), open).hint(20)
        .unless(super::no_vault_here),
    Action::new("prices.try", "try it", "See what this price would come to; nothing is written", &["Enter"], At::Only(&[CONTEXT]), try_it)
        .hint(1).unless(nothing),
    Action::new("prices.save", "save it", "Write this price into the config as the vault's", &["Ctrl-s"], At::Only(&[CONTEXT]), save)
        .hint(2).unless(|model| read_only(model).or_else(|| nothing(model))),
    Action::new("prices.own", "vault's own", "Back to the price that the vault names", &["Ctrl-r"], At::Only(&[CONTEXT]), own).hint(3),
];

/// The book, as far as the text fits.
#[derive(Debug)]
pub struct Prices {
    vault: String,
    field: Field,
    all: Vec<PriceRow>,
    list: Window<PriceRow>,
    load: Load,
    /// The price that is tried out when it opens.
    tried: Option<String>,
}

/// Opens the book for the vault that is shown.
pub fn open(act: &mut Act) {
    let model = &mut *act.model;
    let vault = match model.screen {
        Screen::Overview => overview::vault_under_cursor(model),
        _ => None,
    };
    let Some(vault) = vault.or_else(|| model.generations.vault.clone()) else {
        return;
    };
    let tried = cost::price_tried(model, &vault).map(str::to_owned);
    model.push(Prices {
        vault,
        field: Field::default(),
        all: Vec::new(),
        list: Window::default(),
        load: Load::Idle,
        tried,
    });
}

fn nothing(model: &Model) -> Option<String> {
    let none = model
        .dialog::<Prices>()
        .is_none_or(|dialog| dialog.list.current().is_none());
    none.then(|| "No price of the book fits.".into())
}

fn take(model: &mut Model, _: &Question, told: Told, _: &mut Vec<Effect>) {
    let Some(dialog) = model.dialog_mut::<Prices>() else {
        return;
    };
    match told.answer {
        Answer::Prices(rows) => {
            dialog.all = rows;
            dialog.load = Load::Ready;
            dialog.show();
            let at = dialog.all.iter().position(|row| Some(&row.id) == dialog.tried.as_ref());
            dialog.list.go(at.unwrap_or(0) as u64);
        }
        other => dialog.load = failed(other),
    }
}

/// Tries the price out on screen 6.
fn try_it(act: &mut Act) {
    with_top::<Prices>(act, |dialog, act| {
        let Some(id) = dialog.list.current().map(|row| row.id.clone()) else {
            return Then::Keep;
        };
        if act.model.screen != Screen::Cost {
            cost::go_to(act.model, &dialog.vault);
        }
        cost::try_price(act.model, &dialog.vault, Some(id));
        Then::Close
    });
}

fn own(act: &mut Act) {
    with_top::<Prices>(act, |dialog, act| {
        cost::try_price(act.model, &dialog.vault, None);
        Then::Close
    });
}

impl Prices {
    /// Shows the prices that the text fits: each of its words somewhere in the row.
    fn show(&mut self) {
        let wanted = self.field.text().to_lowercase();
        let words: Vec<&str> = wanted.split_whitespace().collect();
        let fits = |row: &&PriceRow| {
            let text = format!("{} {} {} {}", row.id, row.name, row.terms, row.source).to_lowercase();
            words.iter().all(|word| text.contains(word))
        };
        let rows: Vec<PriceRow> = self.all.iter().filter(fits).cloned().collect();
        self.list.hold(rows);
        self.list.go(0);
    }

    /// Rows it has for prices: two each.
    fn rows(model: &Model) -> u16 {
        model.size.1.saturating_sub(10).clamp(2, 28)
    }
}

impl Dialog for Prices {
    fn context(&self) -> Context {
        CONTEXT
    }

    fn list(&mut self) -> Option<&mut dyn Moves> {
        Some(&mut self.list)
    }

    fn field(&mut self) -> Option<&mut Field> {
        Some(&mut self.field)
    }

    fn edited(&mut self, _: &mut Model, _: &mut Vec<Effect>) {
        self.show();
    }

    fn layout(&mut self, model: &Model) {
        self.list.resize(u64::from(Prices::rows(model) / 2));
    }

    fn fetch(&mut self, model: &mut Model, effects: &mut Vec<Effect>) {
        if self.load == Load::Idle {
            self.load = Load::Loading;
            ask(model, SLOT, Question::Prices, take, effects);
        }
    }

    fn draw(&self, model: &Model, canvas: &mut Canvas) {
        let symbols = model.look.symbols;
        let width = 96.min(canvas.width().saturating_sub(4));
        let rows = Prices::rows(model);
        let title = format!("Price of {}", text::escape(self.vault.as_bytes()));
        let area = canvas.middle(width, rows + 6);
        let inside = canvas.frame(area, &title, Role::Focus);
        canvas.field(inside.x, inside.y, inside.width, &self.field, false);
        let words = match &self.load {
            Load::Failed(why) => Some((text::escape(why.as_bytes()), Role::Danger)),
            Load::Ready if self.all.is_empty() => Some(("The price book is empty.".to_owned(), Role::Dim)),
            Load::Ready if self.list.total() == Some(0) => Some((
                "No price fits; coffer prices edit adds one of your own.".to_owned(),
                Role::Dim,
            )),
            Load::Ready => None,
            _ => Some((format!("reading{}", symbols.more), Role::Dim)),
        };
        if let Some((words, role)) = words {
            let room = usize::from(inside.height.saturating_sub(4));
            let lines = text::wrap_short(&words, usize::from(inside.width), room, symbols.more);
            for (n, text) in lines.iter().enumerate() {
                canvas.text(inside.x, inside.y + 2 + n as u16, inside.right(), text, role);
            }
        }
        for (n, index) in self.list.visible().enumerate() {
            let y = inside.y + 2 + 2 * n as u16;
            let Some(row) = self.list.get(index).filter(|_| y + 1 < inside.bottom()) else {
                continue;
            };
            self.row(canvas, inside, y, row);
            if index == self.list.cursor() {
                canvas.paint(inside.x, y, inside.right(), model.look.style(Role::Cursor));
            }
        }
        let keys = inside.bottom().saturating_sub(1);
        hint_line(model, canvas, CONTEXT, inside.x, keys, inside.right());
    }
}

impl Prices {
    fn row(&self, canvas: &mut Canvas, inside: ratatui::layout::Rect, y: u16, row: &PriceRow) {
        let symbols = canvas.look.symbols;
        let end = inside.right();
        let on = self.tried.as_ref() == Some(&row.id);
        canvas.text(inside.x, y, end, if on { symbols.radio_on } else { " " }, Role::Marked);
        let plain = |words: &str| cost::words::plain(symbols, &text::escape(words.as_bytes()));
        let source = match row.own {
            true => "your own".to_owned(),
            false => plain(&row.source),
        };
        canvas.right(y, end, &source, Role::Dim);
        let room = usize::from(inside.width).saturating_sub(text::width(&source) + 4);
        let name = text::cut_end(&plain(&row.name), room, symbols.more);
        canvas.text(inside.x + 2, y, end, &name, Role::Text);
        let terms = text::cut_end(
            &plain(&row.terms),
            usize::from(inside.width.saturating_sub(4)),
            symbols.more,
        );
        canvas.text(inside.x + 4, y + 1, end, &terms, Role::Dim);
    }
}

/// Writes the price into the config.
fn save(act: &mut Act) {
    with_top::<Prices>(act, |dialog, act| {
        let Some(id) = dialog.list.current().map(|row| row.id.clone()) else {
            return Then::Keep;
        };
        let set = Change::SetPrice {
            vault: dialog.vault.clone(),
            price: Some(id),
        };
        act.model.cost.priced = Some(dialog.vault.clone());
        change(act.model, SAVE, set, saved, act.effects);
        Then::Close
    });
}

fn saved(model: &mut Model, answer: Answer, _: &mut Vec<Effect>) {
    let vault = model.cost.priced.take();
    match answer {
        Answer::Changed(changed) => {
            model.say(Role::Good, text::escape(changed.text.as_bytes()));
            // What is tried out is the vault's own price by now.
            if let Some(vault) = vault {
                cost::try_price(model, &vault, None);
            }
            screens::stale(model);
        }
        other => complain(model, other),
    }
}

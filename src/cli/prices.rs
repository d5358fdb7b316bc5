//! `coffer prices`: the price book, and the user's own prices.

mod edit;

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, counted, escape};
use crate::config::prices::own_file;
use crate::cost::billing::size;
use crate::cost::price::{Month, Storage, Unit};
use crate::cost::{Confidence, Fee, Price};
use crate::engine::Error;

/// The price book: what storing costs where, and how sure that is
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  coffer prices
  coffer prices show backblaze-b2
  coffer prices edit
  coffer vault set home --price backblaze-b2";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the prices that a vault can name (this is what `coffer prices` does)
    #[command(
        after_help = "Examples:\n  coffer prices list --vendor aws\n  coffer prices list --json | jq -r '.[] | select(.own) | .id'"
    )]
    List {
        /// Only those of vendors with this in their name
        #[arg(long, value_name = "VENDOR")]
        vendor: Option<String>,
    },
    /// Show everything that is known of one price, and what is not
    #[command(after_help = "Example:\n  coffer prices show aws-s3-glacier-flexible-us-east-1")]
    Show {
        /// Its id
        id: String,
    },
    /// Add your own prices or change those that ship, in your editor
    ///
    /// Your prices lie in prices.toml beside the config; they add to the price book, or take the place of an entry with the
    /// same id. The file is checked before it takes effect. Without VISUAL or EDITOR, or without a terminal, its name is
    /// printed.
    #[command(after_help = "Examples:\n  coffer prices edit\n  EDITOR=nano coffer prices edit")]
    Edit,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            None => list(context, None),
            Some(Command::List { vendor }) => list(context, vendor.as_deref()),
            Some(Command::Show { id }) => show(context, &id),
            Some(Command::Edit) => edit::run(context),
        }
    }
}

fn list(context: &Context, vendor: Option<&str>) -> Result<Exit, Failure> {
    let config = context.engine.config();
    warn(context);
    let wanted = vendor.map(str::to_lowercase);
    let by_vendor = |price: &&Price| {
        let wanted = wanted.as_deref();
        wanted.is_none_or(|wanted| price.vendor.to_lowercase().contains(wanted))
    };
    let prices: Vec<&Price> = config.prices.book.iter().filter(by_vendor).collect();
    if let (Some(vendor), true) = (vendor, prices.is_empty()) {
        let mut vendors: Vec<&str> = config.prices.book.iter().map(|price| price.vendor.as_str()).collect();
        vendors.dedup();
        let known = vendors.join(", ");
        return Err(Failure::failed(format!(
            "no price is of a vendor {vendor:?}: there are {known}"
        )));
    }
    if context.out.json {
        let values: Vec<Value> = prices.into_iter().map(value).collect();
        context.out.value(&values)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("Id", Align::Left),
        ("Name", Align::Left),
        ("Region", Align::Left),
        ("Rate", Align::Left),
        ("Minimum", Align::Left),
        ("Looked up", Align::Left),
        ("Confidence", Align::Left),
    ]);
    for price in &prices {
        let cells = [
            price.id.clone(),
            price.name.clone(),
            price.region.clone().unwrap_or_default(),
            price.rate_words(),
            price.minimum_words(),
            price.date.clone().unwrap_or_default(),
            price.confidence_in("storage").name().to_owned(),
        ];
        table.row(cells.map(|cell| escape(cell.as_bytes())).to_vec());
    }
    table.print(&context.out)?;
    let file = own_file(&context.engine.settings().config_path);
    context.out.remark(format!(
        "{}; your own are in {}: coffer prices edit",
        counted(prices.len() as u64, "price", "prices"),
        file.display()
    ))?;
    Ok(Exit::Done)
}

fn show(context: &Context, id: &str) -> Result<Exit, Failure> {
    let config = context.engine.config();
    warn(context);
    let price = config.prices.find(id).map_err(Error::from)?;
    if context.out.json {
        context.out.value(&value(price))?;
        return Ok(Exit::Done);
    }
    for (what, text) in lines(price) {
        context.out.line(format!("{what:<15} {}", escape(text.as_bytes())))?;
    }
    Ok(Exit::Done)
}

/// A price as JSON: its fields, and its title and terms for people.
fn value(price: &Price) -> Value {
    let mut value = serde_json::to_value(price).unwrap_or_default();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("title".into(), json!(price.title()));
        fields.insert("terms".into(), json!(price.terms()));
    }
    value
}

/// Says what is wrong with the user's own prices, on standard error.
fn warn(context: &Context) {
    let config = context.engine.config();
    let problems = config.prices.problems.iter();
    problems.for_each(|problem| context.out.problem(b"", problem));
}

/// All there is to say of a price.
fn lines(price: &Price) -> Vec<(&'static str, String)> {
    let by_unit = |fee| fee_words(price, fee, &format!("a {}", price.unit.name()));
    let unit = match price.unit {
        Unit::GB => "GB: a thousand million bytes",
        Unit::GiB => "GiB: 2^30 bytes, whatever the vendor calls them",
    };
    let month = match price.month {
        Month::Days30 => "30 days, billed by the hour: an average month costs 730/720 of the rate",
        Month::Hours730 => "730 hours",
        Month::Calendar => "the calendar's",
    };
    let mut lines = vec![
        ("price", price.title()),
        ("id", price.id.clone()),
        ("currency", price.currency.to_string()),
        ("looked up", looked_up(price)),
        ("unit", unit.into()),
        ("month", with_confidence(price, "month", month.into())),
    ];
    lines.extend(storage_lines(price));
    if let Some(base) = price.base {
        let included = size(base.included);
        lines.push((
            "base fee",
            format!("{} a month, {included} included", base.monthly.exactly()),
        ));
    }
    let days = format!("{} days", price.minimum_days);
    let least = [
        (price.floor > 0, "floor", "billed at least", size(price.floor)),
        (price.minimum_days > 0, "minimum-days", "kept at least", days),
        (
            price.minimum_object > 0,
            "minimum-object",
            "objects of",
            size(price.minimum_object) + " at least",
        ),
    ];
    for (_, part, what, text) in least.into_iter().filter(|(asked, ..)| *asked) {
        lines.push((what, with_confidence(price, part, text)));
    }
    if price.free > 0 {
        lines.push(("free", format!("the first {}", size(price.free))));
    }
    if price.whole_units {
        lines.push(("rounding", "up to whole units".into()));
    }
    lines.push(("requests", with_confidence(price, "requests", requests_words(price))));
    lines.push((
        "retrieval",
        with_confidence(price, "retrieval", by_unit(price.retrieval)),
    ));
    lines.push(("egress", with_confidence(price, "egress", egress_words(price))));
    lines.push((
        "replication",
        with_confidence(price, "replication", by_unit(price.replication)),
    ));
    if price.client != Fee::Free {
        let fee = fee_words(price, price.client, "a machine and month");
        lines.push(("each machine", with_confidence(price, "client", fee)));
    }
    lines.extend(price.remarks.iter().map(|remark| ("note", remark.clone())));
    lines
}

fn looked_up(price: &Price) -> String {
    let date = price.date.as_ref().map(|date| format!("{date}: ")).unwrap_or_default();
    let sure = match price.own {
        true => "in your own prices".to_owned(),
        false => price.confidence.name().to_owned(),
    };
    format!("{date}{} ({sure})", price.source)
}

fn storage_lines(price: &Price) -> Vec<(&'static str, String)> {
    let first = |text| with_confidence(price, "storage", text);
    match &price.storage {
        Storage::Rate(tiers) if tiers.len() > 1 => {
            let tier = |tier: &crate::cost::price::Tier| {
                let rate = fee_words(price, tier.rate, &format!("a {}-month", price.unit.name()));
                let end = tier.up_to.map(|bytes| format!("up to {}: ", size(bytes)));
                format!("{}{rate}", end.unwrap_or_else(|| "beyond: ".into()))
            };
            tiers.iter().map(|each| ("storage", first(tier(each)))).collect()
        }
        Storage::Steps(steps) => {
            let step =
                |step: &crate::cost::price::Step| format!("{}: {} a month", size(step.bytes), step.monthly.exactly());
            steps.iter().map(|each| ("plan", step(each))).collect()
        }
        _ => vec![("storage", first(price.storage_words()))],
    }
}

fn requests_words(price: &Price) -> String {
    let requests = price.requests;
    let kinds = [
        ("write", requests.put),
        ("read", requests.get),
        ("list", requests.list),
        ("delete", requests.delete),
    ];
    if kinds[..3].iter().all(|(_, fee)| *fee == requests.put) && requests.delete == Fee::Free {
        match requests.put {
            Fee::Free => return "free".into(),
            Fee::Unknown => return "unknown (deleting is free)".into(),
            Fee::Of(_) => {}
        }
    }
    let mut words: Vec<String> = kinds
        .iter()
        .map(|(name, fee)| format!("{name} {}", fee_words(price, *fee, "")))
        .collect();
    if requests.retrieve != Fee::Free {
        words.push(format!("from the archive {}", fee_words(price, requests.retrieve, "")));
    }
    let mut text = format!("for {}: {}", crate::text::count(requests.per), words.join(", "));
    for (free, what) in [(requests.free_puts, "writes"), (requests.free_gets, "reads")] {
        if free > 0 {
            text.push_str(&format!(", {} {what} free a month", crate::text::count(free)));
        }
    }
    text
}

fn egress_words(price: &Price) -> String {
    let egress = price.egress;
    let rate = fee_words(price, egress.rate, &format!("a {}", price.unit.name()));
    let mut free = Vec::new();
    if egress.free > 0 {
        free.push(format!("{} a month free", size(egress.free)));
    }
    if egress.free_hundredths > 0 {
        let times = egress.free_hundredths as f64 / 100.0;
        free.push(match egress.free_hundredths {
            100 => "as much as is stored free a month".to_owned(),
            _ => format!("{times} times what is stored free a month"),
        });
    }
    match free.is_empty() {
        true => rate,
        false => format!("{}, beyond that {rate}", free.join(" and ")),
    }
}

fn fee_words(price: &Price, fee: Fee, for_what: &str) -> String {
    match (fee, price.money(fee)) {
        (Fee::Free, _) => "free".into(),
        (Fee::Unknown, _) | (_, None) => "unknown".into(),
        (Fee::Of(_), Some(money)) => format!("{} {for_what}", money.exactly()).trim_end().to_owned(),
    }
}

/// The text, and how sure it is where that differs from the rest of the entry.
fn with_confidence(price: &Price, part: &str, text: String) -> String {
    match price.confidence_of.get(part) {
        Some(Confidence::Vendor) => format!("{text} (by the vendor)"),
        Some(confidence) => format!("{text} ({})", confidence.name()),
        None => text,
    }
}

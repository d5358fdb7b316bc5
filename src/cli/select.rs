//! Which generations a command means.

use super::Failure;
use super::args::{self, FilterArgs};
use super::context::Context;
use crate::vault::generation::{Filter, Selector, resolve, resolve_all, resolve_selector};
use crate::vault::{Generation, Vault};

/// The filter that the options make.
pub fn filter(args: &FilterArgs) -> Filter {
    Filter::of_texts(&args.host, &args.tag, &args.path)
}

/// The generation a text stands for.
pub fn one(context: &Context, vault: &Vault, text: &str) -> Result<Generation, Failure> {
    Ok(resolve(vault, text, &Filter::default(), &context.out.zone)?)
}

/// The same, of those that the filter lets through.
pub fn filtered(context: &Context, vault: &Vault, text: &str, args: &FilterArgs) -> Result<Generation, Failure> {
    Ok(resolve(vault, text, &filter(args), &context.out.zone)?)
}

/// The generation and the path that `GENERATION[:PATH]` stands for; no path is an empty one.
pub fn with_path(
    context: &Context,
    vault: &Vault,
    text: &str,
    args: &FilterArgs,
) -> Result<(Generation, Vec<u8>), Failure> {
    let (selector, path) = Selector::parse_with_path(text, &context.out.zone)?;
    let generation = resolve_selector(vault, &selector, &filter(args))?;
    Ok((generation, path.unwrap_or_default().as_bytes().to_vec()))
}

/// The generations that texts stand for; without any, all that the filter lets through.
pub fn several(
    context: &Context,
    vault: &Vault,
    texts: &[String],
    args: &FilterArgs,
) -> Result<Vec<Generation>, Failure> {
    Ok(resolve_all(vault, texts, &filter(args), &context.out.zone)?)
}

/// The instants that `--since` and `--until` stand for; a date as `until` is all of that day.
pub fn range(
    context: &Context,
    filter: &mut Filter,
    since: Option<&String>,
    until: Option<&String>,
) -> Result<(), Failure> {
    let now = (context.engine.settings().clock)();
    if let Some(text) = since {
        filter.since = Some(
            args::time_or_age(text, &context.out.zone, &now)
                .map_err(Failure::usage)?
                .instant(),
        );
    }
    if let Some(text) = until {
        filter.until = Some(match Selector::parse(text, &context.out.zone) {
            Ok(Selector::At(end)) => end,
            _ => args::time_or_age(text, &context.out.zone, &now)
                .map_err(Failure::usage)?
                .instant(),
        });
    }
    Ok(())
}

//! `coffer tag`: edits the tags of generations.

use super::args::FilterArgs;

/// Edit the tags of generations: those named, else all that the filters leave
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("edit").args(["add", "remove", "set"]).required(true).multiple(true))]
pub struct Args {
    /// Add this tag
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    add: Vec<String>,
    /// Remove this tag
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    remove: Vec<String>,
    /// Replace all tags by this one (an empty text: by none)
    #[arg(long, value_name = "TAG", value_delimiter = ',', conflicts_with_all = ["add", "remove"])]
    set: Vec<String>,
    /// Ids of generations, or unique beginnings of them, or `latest`
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
}

const EXAMPLES: &str = "\
Examples:
  coffer tag --vault /srv/backup --add before-upgrade latest
  coffer tag --vault /srv/backup --set nightly,db 4bba301e 79766175";

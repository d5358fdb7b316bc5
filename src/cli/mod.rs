//! One file a subcommand, for cron, scripts and pipes.
//!
//! What lives here: the arguments ([`Cli`]), what is printed, exit codes, prompts, signals. What does not: work. A command
//! resolves its arguments into a [`context::Context`] first, starts a job of the engine (or asks a vault a question), and
//! prints what comes back. Only this room and the interface touch the terminal.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub mod args;
pub mod context;
pub mod environment;
pub mod error;
pub mod exit;
mod front;
pub mod output;
pub mod password;
pub mod progress;
mod prune;
pub mod signals;

mod backup;
mod check;
mod completions;
mod cost;
mod coverage;
mod demo;
mod diff;
mod doctor;
mod dump;
mod entry;
mod find;
mod forget;
mod from_snapshot;
mod generations;
mod init;
mod interface;
mod jobs;
pub mod keep;
mod key;
mod ls;
mod machine;
mod plan;
mod prices;
mod restore;
mod select;
mod snapshot;
mod stats;
mod tag;
mod unlock;
mod vault;

pub use environment::Environment;
pub use error::Failure;

use args::GlobalArgs;
use context::Context;
use exit::Exit;

/// Backups in the restic format, with an interface in the terminal.
///
/// Without a command the interface opens.
#[derive(Debug, Parser)]
#[command(name = "coffer", version, max_term_width = 110, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do; nothing opens the interface.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  coffer                                        open the interface
  coffer demo                                   look around in a vault made for it
  coffer init --vault /srv/backup               make a vault
  coffer backup --vault /srv/backup /etc /home  back two folders up
  coffer restore --vault /srv/backup latest:/etc --target /tmp/etc";

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs)] // each one's arguments say it
pub enum Command {
    Init(init::Args),
    Backup(Box<backup::Args>),
    Restore(Box<restore::Args>),
    #[command(visible_alias = "snapshots")]
    Generations(generations::Args),
    Ls(ls::Args),
    Find(find::Args),
    Diff(diff::Args),
    Dump(dump::Args),
    Stats(stats::Args),
    Cost(cost::Args),
    Check(check::Args),
    Forget(Box<forget::Args>),
    Prune(prune::Args),
    Tag(tag::Args),
    Key(key::Args),
    Unlock(unlock::Args),
    Vault(vault::Args),
    Plan(plan::Args),
    Prices(prices::Args),
    Jobs(jobs::Args),
    Snapshot(Box<snapshot::Args>),
    Machine(machine::Args),
    Coverage(coverage::Args),
    Doctor(doctor::Args),
    Completions(completions::Args),
    Demo(demo::Args),
    #[command(hide = true, name = crate::snapshot::watchdog::COMMAND)]
    ThawWatchdog(snapshot::Watchdog),
    #[command(hide = true, name = crate::snapshot::hooks::sqlite::COMMAND)]
    HoldSqlite(snapshot::HoldSqlite),
}

/// Parses the program's arguments, runs, prints what failed; the exit code of the process.
pub fn main(environment: Environment) -> ExitCode {
    let cli = Cli::parse();
    let json = cli.global.json;
    log(cli.global.verbose);
    if opens_interface(&cli) && front::behind(environment.front).is_none() && interface::possible().is_ok() {
        // Nothing is open yet and no thread runs: this process only waits from now on.
        if let Some(code) = front::wait() {
            return code;
        }
    }
    match dispatch(cli, environment) {
        Ok(code) => code.into(),
        Err(failure) => {
            failure.print(json);
            failure.exit().into()
        }
    }
}

/// Whether the interface opens, if it can.
fn opens_interface(cli: &Cli) -> bool {
    match &cli.command {
        None => true,
        Some(Command::Demo(args)) => args.opens_interface(),
        Some(_) => false,
    }
}

/// What the rooms write down as they work goes to standard error, if more is to be said.
fn log(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    // Refused only where somebody listens already.
    let _ = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .try_init();
}

fn dispatch(cli: Cli, environment: Environment) -> Result<Exit, Failure> {
    // These work where nothing else does: without a config, or with a broken one.
    let command = match cli.command {
        Some(Command::Completions(args)) => return args.run(),
        Some(Command::ThawWatchdog(args)) => return Ok(args.run()),
        Some(Command::HoldSqlite(args)) => return Ok(args.run()),
        Some(Command::Doctor(args)) => return args.run(cli.global, environment),
        other => other,
    };
    if command.is_none() {
        interface::possible()?;
    }
    let context = Context::new(cli.global, environment)?;
    let engine = context.engine.clone();
    let Some(command) = command else {
        return interface::open(context);
    };
    signals::watch(&context.cancel)?;
    let done = run(command, &context);
    let flushed = context.out.flush();
    engine.shutdown(true);
    engine
        .take_warnings()
        .iter()
        .for_each(|warning| context.out.problem(b"", warning));
    done.and_then(|exit| flushed.map(|()| exit))
}

fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => args.run(context),
        Command::Backup(args) => args.run(context),
        Command::Restore(args) => args.run(context),
        Command::Generations(args) => args.run(context),
        Command::Ls(args) => args.run(context),
        Command::Find(args) => args.run(context),
        Command::Diff(args) => args.run(context),
        Command::Check(args) => args.run(context),
        Command::Stats(args) => args.run(context),
        Command::Cost(args) => args.run(context),
        Command::Dump(args) => args.run(context),
        Command::Forget(args) => args.run(context),
        Command::Prune(args) => args.run(context),
        Command::Tag(args) => args.run(context),
        Command::Key(args) => args.run(context),
        Command::Unlock(args) => args.run(context),
        Command::Vault(args) => args.run(context),
        Command::Plan(args) => args.run(context),
        Command::Prices(args) => args.run(context),
        Command::Jobs(args) => args.run(context),
        Command::Demo(args) => args.run(context),
        Command::Snapshot(args) => args.run(context),
        Command::Machine(args) => args.run(context),
        Command::Coverage(args) => args.run(context),
        _ => Err(Failure::failed("this command is not there yet")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn visit(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            assert!(help.contains("xample"), "{}: no example in\n{help}", command.get_name());
            for sub in command.get_subcommands_mut() {
                visit(sub);
            }
        }
        visit(&mut Cli::command());
    }
}

//! `coffer machine`: the machines that QEMU runs here.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueHint};
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::output::{Align, Table, escape};
use super::{Failure, output};
use crate::config::{MachineConfig, edit};
use crate::engine::Error;

/// Name the machines that QEMU runs here, so that they can be snapshotted
///
/// A machine is reached by its QMP socket (QEMU's option -qmp unix:SOCKET,server=on,wait=off); with its guest agent's
/// socket its filesystems can be frozen.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  coffer machine add web --qmp /run/web.qmp --agent /run/web.agent
  coffer snapshot take web";

#[derive(Debug, Subcommand)]
enum Command {
    /// List the machines of the config
    #[command(after_help = "Example:\n  coffer machine list")]
    List,
    /// Write a machine into the config
    #[command(after_help = "Example:\n  coffer machine add web --qmp /run/web.qmp --agent /run/web.agent")]
    Add {
        /// The name
        name: String,
        /// The socket of its QMP monitor
        #[arg(long, value_name = "SOCKET", value_hint = ValueHint::FilePath)]
        qmp: PathBuf,
        /// The socket of its guest agent
        #[arg(long, value_name = "SOCKET", value_hint = ValueHint::FilePath)]
        agent: Option<PathBuf>,
    },
    /// Take a machine out of the config; it runs on
    #[command(after_help = "Example:\n  coffer machine remove web")]
    Remove {
        /// The name
        name: String,
    },
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::List => list(context),
            Command::Add { name, qmp, agent } => add(context, name, &qmp, agent.as_deref()),
            Command::Remove { name } => remove(context, &name),
        }
    }
}

fn list(context: &Context) -> Result<Exit, Failure> {
    let config = context.engine.config();
    if context.out.json {
        let machines: Vec<_> = config.machines.iter().map(described).collect();
        context.out.value(&machines)?;
        return Ok(Exit::Done);
    }
    if config.machines.is_empty() {
        context
            .out
            .remark("The config names no machine. Add one: coffer machine add NAME --qmp SOCKET")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[("Name", Align::Left), ("QMP", Align::Left), ("Agent", Align::Left)]);
    let path = |path: &Path| escape(path.as_os_str().as_encoded_bytes());
    for machine in &config.machines {
        table.row(vec![
            escape(machine.name.as_bytes()),
            path(&machine.qmp),
            machine.agent.as_deref().map(path).unwrap_or_default(),
        ]);
    }
    table.print(&context.out)?;
    Ok(Exit::Done)
}

fn described(machine: &MachineConfig) -> serde_json::Value {
    json!({ "name": machine.name, "qmp": machine.qmp, "agent": machine.agent })
}

fn add(context: &Context, name: String, qmp: &Path, agent: Option<&Path>) -> Result<Exit, Failure> {
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|error| Failure::failed(format!("cannot find {}: {error}", path.display())))
    };
    let machine = MachineConfig {
        name,
        qmp: absolute(qmp)?,
        agent: agent.map(absolute).transpose()?,
    };
    let file = &context.engine.settings().config_path;
    edit::change(file, |text| edit::add_machine(text, file, &machine)).map_err(Error::from)?;
    if context.out.json {
        context.out.value(&described(&machine))?;
    }
    let name = output::escape(machine.name.as_bytes());
    context
        .out
        .remark(format!("added machine {name} to {}", file.display()))?;
    context
        .out
        .remark(format!("Take a snapshot: coffer snapshot take {name}"))?;
    Ok(Exit::Done)
}

fn remove(context: &Context, name: &str) -> Result<Exit, Failure> {
    let file = &context.engine.settings().config_path;
    edit::change(file, |text| edit::remove_machine(text, file, name)).map_err(Error::from)?;
    context.engine.forget_machine(name);
    if context.out.json {
        context.out.value(&json!({ "removed": name }))?;
    }
    context
        .out
        .remark(format!("removed machine {} from the config", escape(name.as_bytes())))?;
    Ok(Exit::Done)
}

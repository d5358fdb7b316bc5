//! Which levels a machine that runs can be had with, and what would help to more.

use super::Machine;
use super::agent::Agent;
use super::live::Live;
use super::wire::Unreached;
use crate::snapshot::{Ability, Consistency};

/// What can be had of a machine that runs.
pub(super) fn ability(machine: &Machine, live: &Live) -> Ability {
    let mut ability = Ability {
        levels: Vec::new(),
        hints: Vec::new(),
        writers: Vec::new(),
    };
    if let Some(why) = &live.problem {
        ability.hints.push(why.clone());
        return ability;
    }
    ability.levels.push(Consistency::Crash);
    match &machine.agent {
        _ if live.status != "running" => ability.hints.push(format!(
            "it is {}: its guest cannot freeze its filesystems before it runs",
            live.status
        )),
        None => ability.hints.push(format!(
            "with a guest agent its filesystems are frozen for the moment: install qemu-guest-agent within, and name its \
             socket (coffer machine remove {0}, then coffer machine add {0} --qmp {1} --agent SOCKET)",
            machine.name,
            machine.qmp.display()
        )),
        Some(socket) => match Agent::open(socket) {
            Err(Unreached::Off(_)) => {
                ability.hints.push(format!("there is no guest agent on its socket {}", socket.display()));
            }
            Err(error) => ability.hints.push(error.to_string()),
            Ok(mut agent) => match agent.is_frozen() {
                Ok(false) => ability.levels.push(Consistency::Filesystem),
                Ok(true) => ability.hints.push(
                    "the filesystems of its guest are frozen now, by another program: wait for that, or thaw them \
                     (guest-fsfreeze-thaw)"
                        .into(),
                ),
                Err(error) => ability.hints.push(error.to_string()),
            },
        },
    }
    ability.levels.push(Consistency::Memory);
    ability.hints.push(
        "--consistency memory holds RAM and all that runs, and can be gone back to without a restart; the machine stands \
         still while its RAM is written"
            .into(),
    );
    ability
}

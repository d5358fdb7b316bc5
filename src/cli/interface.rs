//! Opening the interface.

use std::io::IsTerminal;

use super::context::Context;
use super::exit::Exit;
use super::{Failure, front, signals};
use crate::tui::theme::{Look, Terminal};
use crate::tui::{self, Options};

/// Whether the interface can open here; what to run instead where it cannot.
pub fn possible() -> Result<(), Failure> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage(
        "the interface needs a terminal, and this is none. For scripts there are commands: \
         coffer generations --vault FOLDER, coffer backup …; coffer --help lists them",
    ))
}

/// Opens the interface; returns when the user quits.
pub fn open(context: Context) -> Result<Exit, Failure> {
    possible()?;
    signals::stand_down();
    let home = directories::BaseDirs::new().map(|dirs| dirs.home_dir().to_path_buf());
    let environment = &context.environment;
    let terminal = Terminal {
        no_color: environment.no_colour,
        colorterm: &environment.colour,
        term: &environment.term,
        locale: &environment.locale,
    };
    let mouse = context.engine.settings().config.interface.mouse.is_on(environment.ssh);
    let look = Look::new(terminal, &context.engine.settings().config.interface);
    let options = Options {
        vault: context.global.vault.clone(),
        read_only: context.global.read_only,
        home: home.unwrap_or_default(),
        look,
        front: front::behind(environment.front),
        mouse,
        panic_key: environment.panic_key,
    };
    tui::run(context.engine, options).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(Exit::Done)
}

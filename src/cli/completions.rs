//! `coffer completions`: completions for a shell.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Failure, exit::Exit};

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  coffer completions bash > /etc/bash_completion.d/coffer
  coffer completions zsh > ~/.zfunc/_coffer
  coffer completions fish > ~/.config/fish/completions/coffer.fish";

impl Args {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        // Into memory first: the generator panics when it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "coffer", &mut script);
        let mut out = std::io::stdout().lock();
        out.write_all(&script)?;
        out.flush()?;
        Ok(Exit::Done)
    }
}

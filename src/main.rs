//! The `coffer` program: read the environment, hand over.

use std::process::ExitCode;

fn main() -> ExitCode {
    coffer::cli::main(coffer::cli::Environment::read(|name| std::env::var_os(name)))
}

//! The `coffer` program: read the environment, hand over.

use std::process::ExitCode;

fn main() -> ExitCode {
    coffer::cli::main()
}

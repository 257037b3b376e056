//! The `revolve` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    revolve::cli::main()
}

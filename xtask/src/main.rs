//! `cargo xtask`: the project's development tasks, one module per command over one `harness`. It links nothing of the service
//! but the mail server of its tests: commands drive cargo, the stores and the binary as processes.

mod architecture;
mod attack;
mod audit;
mod bench;
mod ci;
mod client;
mod documents;
mod faults;
mod fuzz;
mod harness;
mod interop;
mod openapi;
mod pages;
mod release;
mod rolling;
mod sbom;
mod schemathesis;
mod secrets;
mod sizing;
mod stores;
mod test;
mod torture;
mod tour;

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};

use self::harness::interrupt::{Interrupt, Interrupted};

/// Development tasks of Revolve.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all tests, with Redis and Postgres from the environment, from containers or from local servers
    Test(test::Args),
    /// Run everything that a change must pass: format, architecture, lints, documentation, tests
    Ci(test::Args),
    /// Check and test the TypeScript client in clients/js, over a service and in Chromium (node)
    Client(client::Args),
    /// Attack a service with floods, slow clients, a scanner of mails and a stopwatch, and fail if a goal is missed
    Attack {
        #[command(subcommand)]
        attack: attack::Attack,
    },
    /// Measure the service, raw floors and the replaced scheme side by side, judge the goals and write docs/performance.md (Linux)
    Bench(bench::Args),
    /// Check which crate may depend on which, imports inside crates, and rules over the source text
    Architecture,
    /// Look for known vulnerabilities of dependencies (cargo-deny, the RustSec database)
    Audit(audit::Args),
    /// Write bills of materials below target/ (cargo-cyclonedx)
    Sbom,
    /// Fuzz the parsers of request bodies, tokens and the configuration (nightly, cargo-fuzz)
    Fuzz(fuzz::Args),
    /// Verify the service's tokens with independent libraries, and theirs with revolve-verify (Python, node)
    Interop,
    /// Generate docs/openapi.json, docs/openapi-admin.json and the tables of docs/api.md and docs/operators.md from the code
    Openapi,
    /// Walk through every page in Chromium at two widths, in light and dark, then do with and without scripts what people do, and what forgers try;
    /// fail if axe finds a violation, a story ends otherwise or a forged request is accepted (node)
    Pages,
    /// Send requests generated from the OpenAPI document, valid and invalid, and look for responses that it does not describe (Python)
    Schemathesis(schemathesis::Args),
    /// Build the service as it is shipped, with what a start runs in one place, so that it takes less memory (valgrind)
    Release,
    /// Restart two replicas one after the other under load: no request may fail
    Rolling(rolling::Args),
    /// Start Redis and Postgres for development and keep them until Ctrl-C
    Stores(harness::stores::Args),
    /// Attack the service, or another server by --profile, as bad networks, many tabs and thieves do, and keep score
    Torture(Box<torture::Args>),
    /// Play the whole story against a fresh server and print what happens: sign-up, verification, refresh, theft, sign-out
    Tour,
    /// Break the service, its stores, its disk, its clock and its mail server, and check everything that it has acknowledged (--long for the whole of it)
    Faults(Box<faults::Args>),
    /// Write the manual pages of `revolve` into target/man
    Man,
    /// Write the completions of `revolve` for each shell into target/completions
    Completions,
    /// Measure the size of sessions and users in the stores and the cost of a refresh, and write docs/sizing.md (Linux)
    Sizing(sizing::Args),
    /// Generate the passwords and keys that docker-compose.yml needs in ./secrets; existing ones are kept
    Secrets,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<test::TestsFailed>() => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(if error.is::<Interrupted>() { 130 } else { 1 })
        }
    }
}

async fn run(command: Command) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    match command {
        Command::Test(args) => test::run(&args, &interrupt).await,
        Command::Ci(args) => ci::run(&args, &interrupt).await,
        Command::Client(args) => client::run(&args, &interrupt).await,
        Command::Attack { attack } => attack::run(&attack, &interrupt).await,
        Command::Bench(args) => Box::pin(bench::run(&args, &interrupt)).await,
        Command::Architecture => architecture::run().await,
        Command::Audit(args) => audit::run(&args, &interrupt).await,
        Command::Sbom => sbom::run(&interrupt).await,
        Command::Fuzz(args) => fuzz::run(&args, &interrupt).await,
        Command::Interop => interop::run(&interrupt).await,
        Command::Openapi => openapi::run(&interrupt).await,
        Command::Pages => pages::run(&interrupt).await,
        Command::Schemathesis(args) => schemathesis::run(&args, &interrupt).await,
        Command::Release => {
            let train = async |service: &Path| bench::train(service, &interrupt).await;
            release::run(train, &interrupt).await
        }
        Command::Rolling(args) => rolling::run(&args, &interrupt).await,
        Command::Stores(args) => stores::run(&args, interrupt).await,
        Command::Torture(args) => torture::run(&args, &interrupt).await,
        Command::Tour => tour::run(&interrupt).await,
        Command::Faults(args) => faults::run(&args, &interrupt).await,
        Command::Man => documents::man(&interrupt).await,
        Command::Completions => documents::completions(&interrupt).await,
        Command::Sizing(args) => sizing::run(&args, &interrupt).await,
        Command::Secrets => secrets::run(&harness::folders::root()?),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}

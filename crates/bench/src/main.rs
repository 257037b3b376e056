//! What `cargo xtask bench` compares the service with, in processes of their own: raw floors on the same machine, a server of the scheme
//! that the service replaces, and the load; and what fills the embedded store. Of the service only the verification of passkeys is linked in.

mod baseline;
mod echo;
mod floors;
mod load;
mod server;
mod sqlite;

use anyhow::Result;
use clap::Parser;

/// Parts of `cargo xtask bench`.
#[derive(Debug, Parser)]
#[command(name = "revolve-bench")]
enum Command {
    /// Measure the raw floors and print them as JSON
    Floors(floors::Args),
    /// Serve HTTP that answers with what it was sent
    Echo,
    /// Serve the replaced scheme: refresh tokens by SET and DEL, sign-outs by SCAN
    Baseline(baseline::Args),
    /// Send requests, as told in JSON on standard input, one order a line
    Load(load::Args),
    /// Refresh at any server, as one order in JSON on standard input tells
    PeerLoad(load::peer::Args),
    /// Run the statements on standard input in the file of an embedded store
    Sqlite(sqlite::Args),
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Floors(args) => floors::run(&args),
        Command::Echo => echo::run(),
        Command::Baseline(args) => baseline::run(&args),
        Command::Load(args) => load::run(&args),
        Command::PeerLoad(args) => load::peer::run(&args),
        Command::Sqlite(args) => sqlite::run(&args),
    }
}

//! `cargo xtask bench`: the service, the raw floors of this machine and the scheme that the service replaces, measured side by side in one run,
//! since absolute times of a shared machine say nothing. Stores and servers are processes whose CPU time is read from `/proc`; the load comes
//! from another process. Rounds of everything alternate, so that other load of the machine affects all of them, and each figure is the
//! median of its rounds.

mod admin;
mod baseline;
mod binary_size;
mod costs;
mod curves;
mod feed;
mod figures;
mod flood;
mod goal;
mod goals;
mod hashing;
mod load;
mod mail;
mod memory;
mod outbox;
mod page;
mod peers;
mod plot;
mod proofs;
mod run_size;
mod seed;
mod sessions;
mod sign_out;
mod start;
mod store_calls;
mod testbed;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{
    harness::{
        folders,
        interrupt::Interrupt,
        service::Binary,
        stores::{self, Stores},
    },
    release,
};
use figures::Figures;
use goal::Goal;
use run_size::RunSize;
use testbed::Testbed;

/// How much is measured, and where the figures go.
#[derive(Debug, Clone, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Args {
    /// Shorter rounds and smaller stores: about eight minutes
    #[arg(long)]
    quick: bool,
    /// Write all figures to this file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Compare with xtask/bench-baseline.json, and fail if an efficiency has changed by more than 5 % (15 % with --quick); the page stays as it is
    #[arg(long)]
    check: bool,
    /// Keep this run's efficiencies as the baseline
    #[arg(long, conflicts_with_all = ["check", "only"])]
    save: bool,
    /// Only these parts; the page stays as it is
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART,…")]
    only: Vec<Part>,
    /// Only a comparison with other systems, which npm installs: about three minutes; rewrites its section of the page
    #[arg(long, conflicts_with_all = ["check", "save", "only"])]
    peers: bool,
    /// Take `revolve` and `revolve-bench` from this folder instead of building them
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
}

impl Args {
    fn parts(&self) -> Vec<Part> {
        if self.peers {
            return vec![Part::Peers];
        }
        let wanted = |part: &Part| self.only.is_empty() || self.only.contains(part);
        ALL.into_iter().filter(wanted).collect()
    }
}

/// A part that can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// CPU time per request, rates, and latency against load
    Costs,
    /// Sign-ins and sign-ups
    Hashing,
    /// The cost of a refresh against the number of live sessions
    Sessions,
    /// Signing out everywhere, among other users' keys
    SignOut,
    /// Redis memory for each session
    Memory,
    /// Idle memory, the time to the first response, and the size of the binary
    Start,
    /// Refreshes, and sign-ins of others, under floods of sign-ins
    Flood,
    /// The revocation feed while sessions end without pause
    Feed,
    /// Mails sent per second, and what the outbox costs requests
    Mail,
    /// Addresses verified by the codes of mails
    Proofs,
    /// Pages of accounts, by the number of accounts
    Admin,
    /// Other systems
    #[value(skip)]
    Peers,
}

const ALL: [Part; 11] = [
    Part::Costs,
    Part::Hashing,
    Part::Sessions,
    Part::SignOut,
    Part::Memory,
    Part::Start,
    Part::Flood,
    Part::Feed,
    Part::Mail,
    Part::Proofs,
    Part::Admin,
];

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let begun = Instant::now();
    let (service, tools) = match &args.binaries {
        Some(folder) => (
            Binary::copy(&folder.join("revolve"))?,
            Binary::copy(&folder.join("revolve-bench"))?,
        ),
        None => (
            Binary::copy(
                &release::build(async |service| train(service, interrupt).await, interrupt).await?,
            )?,
            Binary::build_package("revolve-bench", true, interrupt).await?,
        ),
    };
    eprintln!("built in {:.0} s", begun.elapsed().as_secs_f64());
    let size = if args.quick {
        RunSize::QUICK
    } else {
        RunSize::FULL
    };
    let (figures, failures) = measured(service, tools, size, args.parts(), interrupt).await?;

    let goals = goals::judge(&figures);
    if args.peers {
        println!("{}", peers::page::text(args.quick, &figures));
    } else {
        println!("{}", page::table(&goals));
    }
    if let Some(file) = &args.json {
        let json = serde_json::json!({ "quick": args.quick, "goals": goals, "figures": figures });
        fs::write(file, format!("{json:#}\n"))
            .with_context(|| format!("could not write {}", file.display()))?;
    }
    eprintln!("measured in {:.0} s", begun.elapsed().as_secs_f64());
    ensure!(
        failures.is_empty(),
        "could not be measured: {}",
        failures.join("; ")
    );
    let root = folders::root()?;
    if args.peers {
        return peers::page::write(&root, args.quick, &figures);
    }
    let kept = root.join("xtask/bench-baseline.json");
    if args.save {
        baseline::save(&kept, args.quick, &goals)?;
    }
    if args.check {
        let changes = baseline::compare(&kept, args.quick, args.only.is_empty(), &goals)?;
        println!("{changes}");
        ensure!(
            changes.none_beyond(),
            "an efficiency has changed; if that is meant, keep it with --save"
        );
    } else if args.only.is_empty() {
        page::write(&root, args.quick, &goals, &figures)?;
    }
    match goals.iter().find(|goal| goal.must && !goal.met) {
        Some(Goal {
            what,
            figure,
            bound,
            ..
        }) => bail!("{what}: {figure}, goal {bound}"),
        None => Ok(()),
    }
}

/// What a profile is of: requests and hashes as in a short run, answered by an instrumented service.
pub(crate) async fn train(service: &Path, interrupt: &Interrupt) -> Result<()> {
    let tools = Binary::build_package("revolve-bench", true, interrupt).await?;
    let parts = vec![Part::Costs, Part::Hashing];
    let service = Binary::copy(service)?;
    let (_, failures) = measured(service, tools, RunSize::QUICK, parts, interrupt).await?;
    ensure!(failures.is_empty(), "no load: {}", failures.join("; "));
    Ok(())
}

/// Measures over stores of its own.
async fn measured(
    service: Binary,
    tools: Binary,
    size: RunSize,
    parts: Vec<Part>,
    interrupt: &Interrupt,
) -> Result<(Figures, Vec<String>)> {
    let stores = Stores::start_own(&stores::Args::local(), interrupt).await?;
    let testbed = Testbed::new(service, tools, &stores, size);
    let outcome = match testbed {
        Ok(testbed) => Box::pin(interrupt.guard(measure(&testbed, parts, interrupt))).await,
        Err(error) => Err(error),
    };
    stores.shut_down().await;
    outcome
}

/// The figures, and the errors of parts that could not be measured.
async fn measure(
    testbed: &Testbed<'_>,
    parts: Vec<Part>,
    interrupt: &Interrupt,
) -> Result<(Figures, Vec<String>)> {
    let (mut figures, mut failures) = (Figures::default(), Vec::new());
    for part in parts {
        let begun = Instant::now();
        let outcome = match part {
            Part::Costs => costs::measure(testbed, &mut figures).await,
            Part::Hashing => hashing::measure(testbed, &mut figures).await,
            Part::Sessions => sessions::measure(testbed, &mut figures).await,
            Part::SignOut => sign_out::measure(testbed, &mut figures).await,
            Part::Memory => memory::measure(testbed, &mut figures).await,
            Part::Start => start::measure(testbed, &mut figures).await,
            Part::Flood => flood::measure(testbed, &mut figures, interrupt).await,
            Part::Feed => feed::measure(testbed, &mut figures).await,
            Part::Mail => mail::measure(testbed, &mut figures).await,
            Part::Proofs => proofs::measure(testbed, &mut figures).await,
            Part::Admin => admin::measure(testbed, &mut figures).await,
            Part::Peers => Box::pin(peers::measure(testbed, &mut figures, interrupt)).await,
        };
        eprintln!("{part:?}: {:.0} s", begun.elapsed().as_secs_f64());
        if let Err(error) = outcome {
            eprintln!("{error:#}");
            failures.push(format!("{part:?}: {error:#}"));
        }
    }
    Ok((figures, failures))
}

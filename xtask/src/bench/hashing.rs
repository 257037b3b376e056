//! Sign-ins and sign-ups with hashes as they are by default, next to the bare loop at the same priority.

use anyhow::Result;

use super::{
    figures::{Figures, Samples},
    load::{Order, Request},
    testbed::{Site, number, usual},
};
use crate::harness::{service::Settings, stores::Schema};

/// All memory that hashing may hold, in MiB.
pub(super) const BUDGET: u32 = 64;
/// More than there are threads, so that none is ever without work.
const CLIENTS: usize = 8;
/// More threads than the budget has memory for: as many run as it has.
const MANY: usize = 8;

pub(super) async fn measure(site: &Site<'_>, figures: &mut Figures) -> Result<()> {
    let floors = Schema::create(site.postgres(), "hash_floors".to_owned()).await?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = site
        .server(
            "hashing",
            5,
            hashing().with("HASHING__THREADS", &cores.to_string()),
        )
        .await?;
    let mut usual = site.server("hashing_default", 6, hashing()).await?;
    figures.put("hashing.cores", number(cores));
    for side in [&mut all, &mut usual] {
        side.ask(Order::count(Request::SignUp, CLIENTS, CLIENTS))
            .await?;
    }
    let mut samples = Samples::default();
    for round in 1..=site.plan.rounds {
        eprintln!("hashing, round {round} of {}", site.plan.rounds);
        for (name, value) in site.floors(&floors.url(), true).await? {
            samples.add(format!("floor.{name}"), value);
        }
        for side in [&mut all, &mut usual] {
            for (request, what) in [(Request::SignIn, "sign_in"), (Request::SignUp, "sign_up")] {
                let cost = site
                    .cost(side, Order::closed(request, CLIENTS, site.plan.hashing))
                    .await?;
                samples.add(format!("{}.{what}.service", side.name), cost.service);
                samples.add(
                    format!("{}.{what}.per_second", side.name),
                    cost.report.rate(),
                );
                samples.add(format!("{}.{what}.p99", side.name), cost.report.p99);
            }
        }
    }
    figures.settle(samples);
    all.stop().await?;
    usual.stop().await?;
    floors.remove().await?;
    memory(site, figures).await
}

/// The memory of as many threads as the budget allows, whatever the machine.
async fn memory(site: &Site<'_>, figures: &mut Figures) -> Result<()> {
    let mut side = site
        .server(
            "hashing_many",
            7,
            hashing().with("HASHING__THREADS", &MANY.to_string()),
        )
        .await?;
    figures.put("hashing.rss.idle", side.memory("VmRSS")?);
    for request in [Request::SignUp, Request::SignIn] {
        side.ask(Order::count(request, MANY * 2, MANY * 8)).await?;
    }
    figures.put("hashing.rss.peak", side.memory("VmHWM")?);
    figures.put("hashing.rss.after", side.memory("VmRSS")?);
    side.stop().await
}

/// Hashes as they are by default.
fn hashing() -> Settings {
    let cost = usual("ES256")
        .with("HASHING__MEMORY_KIB", "19456")
        .with("HASHING__PASSES", "2");
    cost.with("HASHING__MEMORY_BUDGET", &format!("{BUDGET}MiB"))
}

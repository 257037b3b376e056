//! Sign-ins and sign-ups with default hashes, beside the bare loop at the same priority.

use anyhow::Result;

use super::{
    figures::{Figures, Samples},
    load::{LoadOrder, LoadRequest},
    testbed::{Testbed, default_settings},
};
use crate::harness::{service::Settings, statistics::count, stores::Schema};

/// `hashing.memory_budget` in MiB.
pub(super) const BUDGET: u32 = 64;
/// More than there are threads, so that all have work.
pub(super) const CLIENTS: usize = 8;
/// More threads than the budget has memory for.
const MANY: usize = 8;

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let floors = Schema::create(testbed.postgres(), "hash_floors".to_owned()).await?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all = testbed
        .start_server(
            "hashing",
            5,
            default_hashes().with("HASHING__THREADS", &cores.to_string()),
        )
        .await?;
    let mut usual = testbed
        .start_server("hashing_default", 6, default_hashes())
        .await?;
    figures.put("hashing.cores", count(cores));
    for server in [&mut all, &mut usual] {
        server
            .run(LoadOrder::count(LoadRequest::SignUp, CLIENTS, CLIENTS))
            .await?;
    }
    let mut samples = Samples::default();
    for round in 1..=testbed.size.rounds {
        eprintln!("hashing, round {round} of {}", testbed.size.rounds);
        for (name, value) in testbed.floors(&floors.url(), true).await? {
            samples.add(format!("floor.{name}"), value);
        }
        for server in [&mut all, &mut usual] {
            for (request, what) in [
                (LoadRequest::SignIn, "sign_in"),
                (LoadRequest::SignUp, "sign_up"),
            ] {
                let cost = testbed
                    .cost(
                        server,
                        LoadOrder::closed(request, CLIENTS, testbed.size.hashing),
                    )
                    .await?;
                samples.add(format!("{}.{what}.service", server.name), cost.service);
                samples.add(
                    format!("{}.{what}.per_second", server.name),
                    cost.report.rate(),
                );
                samples.add(format!("{}.{what}.p99", server.name), cost.report.p99);
            }
        }
    }
    figures.settle(samples);
    all.stop().await?;
    usual.stop().await?;
    floors.remove().await?;
    memory(testbed, figures).await
}

/// The memory of as many threads as the budget allows, on any machine.
async fn memory(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let mut server = testbed
        .start_server(
            "hashing_many",
            7,
            default_hashes().with("HASHING__THREADS", &MANY.to_string()),
        )
        .await?;
    for (part, bytes) in server.idle_memory()? {
        figures.put(format!("hashing.rss.{part}"), bytes);
    }
    for request in [LoadRequest::SignUp, LoadRequest::SignIn] {
        server
            .run(LoadOrder::count(request, MANY * 2, MANY * 8))
            .await?;
    }
    figures.put("hashing.rss.peak", server.memory("VmHWM")?);
    figures.put("hashing.rss.after", server.memory("VmRSS")?);
    server.stop().await
}

/// Settings with default hashes.
pub(super) fn default_hashes() -> Settings {
    let cost = default_settings("ES256")
        .with("HASHING__MEMORY_KIB", "19456")
        .with("HASHING__PASSES", "2");
    cost.with("HASHING__MEMORY_BUDGET", &format!("{BUDGET}MiB"))
}

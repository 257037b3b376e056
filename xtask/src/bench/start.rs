//! How long a service takes from its start to its first answer, with keys that are there, and what memory it has when nobody asks.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{
    figures::Figures,
    testbed::{Side, Site},
};
use crate::harness::{http::HttpClient, service::Settings, statistics::median};

const DATABASE: u8 = 15;
/// For what is done at the start to be over.
const REST: Duration = Duration::from_secs(1);

pub(super) async fn measure(site: &Site<'_>, figures: &mut Figures) -> Result<()> {
    let plain = || Settings::plain().with("TOKENS__ALGORITHM", "ES256");
    let mut sides = [
        site.server("start_server", DATABASE, plain()).await?,
        site.embedded("start_embedded", plain()).await?,
    ];
    let mut found = [const { (Vec::new(), Vec::new()) }; 2];
    for round in 1..=site.plan.starts {
        eprintln!("starts, round {round} of {}", site.plan.starts);
        for (side, (times, sizes)) in sides.iter_mut().zip(&mut found) {
            side.server.stop().await?;
            times.push(first_answer(side).await?);
            tokio::time::sleep(REST).await;
            sizes.push(side.memory("VmRSS")?);
        }
    }
    for (side, (times, sizes)) in sides.into_iter().zip(found) {
        figures.put(format!("{}.milliseconds", side.name), median(&times));
        figures.put(format!("{}.rss", side.name), median(&sizes));
        side.stop().await?;
    }
    Ok(())
}

/// Milliseconds from the start of the process until it has answered a request.
async fn first_answer(side: &mut Side) -> Result<f64> {
    let http = HttpClient::new()?;
    let begun = Instant::now();
    side.server.restart().await?;
    let url = format!("{}/.well-known/jwks.json", side.server.url());
    let response = http.get(&url).await.context("no answer")?;
    ensure!(
        response.is_success(),
        "the key set was answered {}",
        response.status
    );
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

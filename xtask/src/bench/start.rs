//! The time from a service's start to its first response, with keys that exist, and its idle memory.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{
    figures::Figures,
    testbed::{MeasuredServer, Testbed},
};
use crate::harness::{http::HttpClient, service::Settings, statistics::median};

const DATABASE: u8 = 15;
/// For the work of the start to end.
const REST: Duration = Duration::from_secs(1);

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let plain = || Settings::plain().with("TOKENS__ALGORITHM", "ES256");
    let mut servers = [
        testbed
            .start_server("start_server", DATABASE, plain())
            .await?,
        testbed.start_embedded("start_embedded", plain()).await?,
    ];
    let mut found = [const { (Vec::new(), Vec::new()) }; 2];
    for round in 1..=testbed.size.starts {
        eprintln!("starts, round {round} of {}", testbed.size.starts);
        for (server, (times, sizes)) in servers.iter_mut().zip(&mut found) {
            server.instance.stop().await?;
            times.push(first_answer(server).await?);
            tokio::time::sleep(REST).await;
            sizes.push(server.memory("VmRSS")?);
        }
    }
    for (server, (times, sizes)) in servers.into_iter().zip(found) {
        figures.put(format!("{}.milliseconds", server.name), median(&times));
        figures.put(format!("{}.rss", server.name), median(&sizes));
        server.stop().await?;
    }
    Ok(())
}

/// Milliseconds from the start of the process to the first response.
pub(super) async fn first_answer(server: &mut MeasuredServer) -> Result<f64> {
    let http = HttpClient::new()?;
    let begun = Instant::now();
    server.instance.restart().await?;
    let url = format!("{}/.well-known/jwks.json", server.instance.url());
    let response = http.get(&url).await.context("no answer")?;
    ensure!(
        response.is_success(),
        "the key set was answered {}",
        response.status
    );
    Ok(begun.elapsed().as_secs_f64() * 1000.0)
}

//! The time from a service's start to its first response, with keys that exist, its idle memory, and the size of its binary.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::{
    binary_size,
    figures::{Figures, Samples},
    testbed::{MeasuredServer, Testbed},
};
use crate::harness::{http::HttpClient, service::Settings};

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
    let mut samples = Samples::default();
    for round in 1..=testbed.size.starts {
        eprintln!("starts, round {round} of {}", testbed.size.starts);
        for server in &mut servers {
            server.instance.stop().await?;
            let millis = first_answer(server).await?;
            samples.add(format!("{}.milliseconds", server.name), millis);
            tokio::time::sleep(REST).await;
            for (part, bytes) in server.idle_memory()? {
                samples.add(format!("{}.rss.{part}", server.name), bytes);
            }
        }
    }
    figures.settle(samples);
    for server in servers {
        server.stop().await?;
    }
    let binary = testbed.service();
    figures.put("binary.bytes", binary_size::stripped(binary.path()).await?);
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

//! The cost of a request beside its bare parts and the replaced scheme, and latency against load.

use std::time::Duration;

use anyhow::Result;

use super::{
    curves,
    figures::{Figures, Samples},
    load::{LoadOrder, LoadRequest},
    store_calls,
    testbed::{CONNECTIONS, MeasuredServer, Testbed, default_settings},
};
use crate::harness::stores::Schema;

/// Seconds of load before it counts.
const WARM_UP: f64 = 0.5;
/// For memory to settle.
const REST: Duration = Duration::from_secs(2);

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let floors = Schema::create(testbed.postgres(), "floors".to_owned()).await?;
    let mut servers = start(testbed).await?;
    for server in &mut servers {
        figures.put(format!("{}.rss.idle", server.name), server.memory("VmRSS")?);
        if server.name != "echo" {
            server
                .run(LoadOrder::count(LoadRequest::SignUp, 8, testbed.size.users))
                .await?;
        }
        server
            .run(LoadOrder::closed(requests(server)[0], CONNECTIONS, WARM_UP))
            .await?;
    }
    let mut samples = Samples::default();
    for round in 1..=testbed.size.rounds {
        eprintln!("costs, round {round} of {}", testbed.size.rounds);
        for (name, value) in testbed.floors(&floors.url(), false).await? {
            samples.add(format!("floor.{name}"), value);
        }
        for server in &mut servers {
            for &request in requests(server) {
                sample(testbed, server, request, &mut samples).await?;
            }
        }
    }
    figures.settle(samples);
    curves::measure(testbed, &mut servers, figures).await?;
    if let Some(server) = servers.iter_mut().find(|server| server.name == "es256") {
        store_calls::measure(testbed, server, figures).await?;
    }
    tokio::time::sleep(REST).await;
    for server in servers {
        figures.put(
            format!("{}.rss.after", server.name),
            server.memory("VmRSS")?,
        );
        figures.put(format!("{}.rss.peak", server.name), server.memory("VmHWM")?);
        server.stop().await?;
    }
    floors.remove().await
}

async fn start(testbed: &Testbed<'_>) -> Result<Vec<MeasuredServer>> {
    let mut servers = vec![
        testbed.start_tool("echo", &["echo"]).await?,
        testbed
            .start_server("es256", 1, default_settings("ES256"))
            .await?,
        testbed
            .start_server("rs256", 2, default_settings("RS256"))
            .await?,
        testbed
            .start_embedded("embedded", default_settings("ES256"))
            .await?,
        testbed.start_baseline("baseline_es256", 3, "ES256").await?,
        testbed.start_baseline("baseline_rs256", 4, "RS256").await?,
    ];
    servers.extend(
        testbed
            .start_pooled("pooled", 5, default_settings("ES256"))
            .await?,
    );
    Ok(servers)
}

fn requests(server: &MeasuredServer) -> &'static [LoadRequest] {
    match server.name.as_str() {
        "echo" => &[LoadRequest::Echo],
        "es256" => &[LoadRequest::Refresh, LoadRequest::Me],
        _ => &[LoadRequest::Refresh],
    }
}

async fn sample(
    testbed: &Testbed<'_>,
    server: &mut MeasuredServer,
    request: LoadRequest,
    samples: &mut Samples,
) -> Result<()> {
    let cost = testbed
        .cost(
            server,
            LoadOrder::closed(request, CONNECTIONS, testbed.size.seconds),
        )
        .await?;
    let name = format!("{}.{}", server.name, format!("{request:?}").to_lowercase());
    samples.add(format!("{name}.service"), cost.service);
    samples.add(format!("{name}.redis"), cost.redis);
    samples.add(format!("{name}.postgres"), cost.postgres);
    samples.add(format!("{name}.per_second"), cost.report.rate());
    samples.add(format!("{name}.p50"), cost.report.p50);
    samples.add(format!("{name}.p99"), cost.report.p99);
    samples.add(format!("{name}.p999"), cost.report.p999);
    Ok(())
}

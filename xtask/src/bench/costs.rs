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
        for (part, bytes) in server.idle_memory()? {
            figures.put(format!("{}.rss.{part}", server.name), bytes);
        }
        for &sign_up in sign_ups(server) {
            server
                .run(LoadOrder::count(sign_up, 8, testbed.size.users))
                .await?;
        }
        for &request in requests(server) {
            server
                .run(LoadOrder::closed(request, CONNECTIONS, WARM_UP))
                .await?;
        }
    }
    let mut samples = Samples::default();
    for round in 1..=testbed.size.rounds {
        eprintln!("costs, round {round} of {}", testbed.size.rounds);
        for (name, value) in testbed.floors(&floors.url(), false).await? {
            samples.add(format!("floor.{name}"), value);
        }
        for server in &mut servers {
            let mut requests = requests(server).to_vec();
            // Each comes first and last as often.
            if round % 2 == 0 {
                requests.reverse();
            }
            for request in requests {
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

fn sign_ups(server: &MeasuredServer) -> &'static [LoadRequest] {
    match server.name.as_str() {
        "echo" => &[],
        "es256" => &[LoadRequest::SignUp, LoadRequest::CookieSignUp],
        _ => &[LoadRequest::SignUp],
    }
}

fn requests(server: &MeasuredServer) -> &'static [LoadRequest] {
    match server.name.as_str() {
        "echo" => &[LoadRequest::Echo],
        "es256" => &[
            LoadRequest::Refresh,
            LoadRequest::OauthRefresh,
            LoadRequest::CookieRefresh,
            LoadRequest::Me,
        ],
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
    let name = format!("{}.{}", server.name, request.name());
    for (part, value) in cost.parts().into_iter().chain(cost.report.figures()) {
        samples.add(format!("{name}.{part}"), value);
    }
    Ok(())
}

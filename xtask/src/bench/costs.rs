//! What a request costs, next to what its parts cost bare and to the replaced scheme, and how latency grows with the load.

use std::time::Duration;

use anyhow::Result;

use super::{
    curves,
    figures::{Figures, Samples},
    load::{Order, Request},
    store_calls,
    testbed::{CONNECTIONS, Side, Site, usual},
};
use crate::harness::stores::Schema;

/// Seconds before it counts.
const WARM_UP: f64 = 0.5;
/// For memory to settle.
const REST: Duration = Duration::from_secs(2);

pub(super) async fn measure(site: &Site<'_>, figures: &mut Figures) -> Result<()> {
    let floors = Schema::create(site.postgres(), "floors".to_owned()).await?;
    let mut sides = start(site).await?;
    for side in &mut sides {
        figures.put(format!("{}.rss.idle", side.name), side.memory("VmRSS")?);
        if side.name != "echo" {
            side.ask(Order::count(Request::SignUp, 8, site.plan.people))
                .await?;
        }
        side.ask(Order::closed(requests(side)[0], CONNECTIONS, WARM_UP))
            .await?;
    }
    let mut samples = Samples::default();
    for round in 1..=site.plan.rounds {
        eprintln!("costs, round {round} of {}", site.plan.rounds);
        for (name, value) in site.floors(&floors.url(), false).await? {
            samples.add(format!("floor.{name}"), value);
        }
        for side in &mut sides {
            for &request in requests(side) {
                sample(site, side, request, &mut samples).await?;
            }
        }
    }
    figures.settle(samples);
    curves::measure(site, &mut sides, figures).await?;
    if let Some(side) = sides.iter_mut().find(|side| side.name == "es256") {
        store_calls::measure(site, side, figures).await?;
    }
    tokio::time::sleep(REST).await;
    for side in sides {
        figures.put(format!("{}.rss.after", side.name), side.memory("VmRSS")?);
        figures.put(format!("{}.rss.peak", side.name), side.memory("VmHWM")?);
        side.stop().await?;
    }
    floors.remove().await
}

async fn start(site: &Site<'_>) -> Result<Vec<Side>> {
    Ok(vec![
        site.tool("echo", &["echo"]).await?,
        site.server("es256", 1, usual("ES256")).await?,
        site.server("rs256", 2, usual("RS256")).await?,
        site.embedded("embedded", usual("ES256")).await?,
        site.baseline("baseline_es256", 3, "ES256").await?,
        site.baseline("baseline_rs256", 4, "RS256").await?,
    ])
}

fn requests(side: &Side) -> &'static [Request] {
    match side.name.as_str() {
        "echo" => &[Request::Echo],
        "es256" => &[Request::Refresh, Request::Me],
        _ => &[Request::Refresh],
    }
}

async fn sample(
    site: &Site<'_>,
    side: &mut Side,
    request: Request,
    samples: &mut Samples,
) -> Result<()> {
    let cost = site
        .cost(side, Order::closed(request, CONNECTIONS, site.plan.seconds))
        .await?;
    let name = format!("{}.{}", side.name, format!("{request:?}").to_lowercase());
    samples.add(format!("{name}.service"), cost.service);
    samples.add(format!("{name}.redis"), cost.redis);
    samples.add(format!("{name}.postgres"), cost.postgres);
    samples.add(format!("{name}.per_second"), cost.report.rate());
    samples.add(format!("{name}.p50"), cost.report.p50);
    samples.add(format!("{name}.p99"), cost.report.p99);
    samples.add(format!("{name}.p999"), cost.report.p999);
    Ok(())
}

//! Latency against load: open loops at shares of the rate of the closed loop.

use anyhow::Result;

use super::{
    figures::{Curve, Figures, Point},
    load::{LoadOrder, LoadReport, LoadRequest},
    testbed::{CONNECTIONS, MeasuredServer, Testbed},
};
use crate::harness::statistics::median;

const HALF: f64 = 0.5;
const LOADS: [f64; 6] = [0.1, 0.25, HALF, 0.65, 0.8, 0.9];

const SIDES: [(&str, &str); 3] = [
    ("es256", "Revolve, Redis and Postgres"),
    ("embedded", "Revolve, embedded"),
    ("baseline_es256", "replaced scheme, Redis"),
];

pub(super) async fn measure(
    testbed: &Testbed<'_>,
    servers: &mut [MeasuredServer],
    figures: &mut Figures,
) -> Result<()> {
    for (key, name) in SIDES {
        let Some(server) = servers.iter_mut().find(|server| server.name == key) else {
            continue;
        };
        let Some(most) = figures.get(&format!("{key}.refresh.per_second")) else {
            continue;
        };
        let mut found: [Vec<LoadReport>; LOADS.len()] = Default::default();
        for pass in 1..=testbed.size.passes {
            eprintln!(
                "latency against load: {name}, pass {pass} of {}",
                testbed.size.passes
            );
            for (load, reports) in LOADS.into_iter().zip(&mut found) {
                reports.push(
                    server
                        .load
                        .run(LoadOrder::open(
                            LoadRequest::Refresh,
                            CONNECTIONS,
                            testbed.size.point,
                            most * load,
                        ))
                        .await?,
                );
            }
        }
        let points: Vec<Point> = LOADS
            .into_iter()
            .zip(&found)
            .map(|(load, reports)| Point {
                load,
                rate: most * load,
                p50: middle(reports, |report| report.p50),
                p99: middle(reports, |report| report.p99),
                p999: middle(reports, |report| report.p999),
                failed: reports.iter().map(|report| report.failed).sum(),
            })
            .collect();
        if let Some(half) = points
            .iter()
            .find(|point| point.load.to_bits() == HALF.to_bits())
        {
            // Failed requests count as later than any response.
            let p99 = if half.failed > 0 {
                f64::INFINITY
            } else {
                half.p99
            };
            figures.put(format!("{key}.refresh.p99_at_half_load"), p99);
        }
        figures.curves.push(Curve { name, points });
    }
    Ok(())
}

/// The median of all passes.
fn middle(reports: &[LoadReport], latency: impl Fn(&LoadReport) -> f64) -> f64 {
    median(&reports.iter().map(latency).collect::<Vec<_>>())
}

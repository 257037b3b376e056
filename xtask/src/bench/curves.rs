//! Latency against load: open loops at parts of the rate that the closed loop reached.

use anyhow::Result;

use super::{
    figures::{Curve, Figures, Point},
    load::{Order, Request},
    site::{CONNECTIONS, Side, Site},
};

const LOADS: [f64; 6] = [0.1, 0.25, 0.5, 0.65, 0.8, 0.9];

const SIDES: [(&str, &str); 3] =
    [("es256", "Revolve, Redis and Postgres"), ("embedded", "Revolve, embedded"), ("baseline_es256", "replaced scheme, Redis")];

pub(super) async fn measure(site: &Site<'_>, sides: &mut [Side], figures: &mut Figures) -> Result<()> {
    for (key, name) in SIDES {
        let Some(side) = sides.iter_mut().find(|side| side.name == key) else { continue };
        let Some(most) = figures.get(&format!("{key}.refresh.per_second")) else { continue };
        eprintln!("latency against load: {name}");
        let mut points = Vec::new();
        for load in LOADS {
            let rate = most * load;
            let report = side.load.ask(Order::open(Request::Refresh, CONNECTIONS, site.plan.point, rate)).await?;
            points.push(Point { load, rate, p50: report.p50, p99: report.p99, p999: report.p999, failed: report.failed });
        }
        if let Some(half) = points.iter().find(|point| point.load.to_bits() == 0.5_f64.to_bits()) {
            // Answers that never came were later than any.
            let p99 = if half.failed > 0 { f64::INFINITY } else { half.p99 };
            figures.put(format!("{key}.refresh.p99_at_half_load"), p99);
        }
        figures.curves.push(Curve { name, points });
    }
    Ok(())
}

//! Signing out everywhere, without and with other people's keys in the same database; the replaced scheme does it, too.

use anyhow::Result;

use super::{
    figures::{Figures, Samples},
    load::{Order, Request},
    seed,
    testbed::{Side, Site, number, usual},
};

const EMPTY: u8 = 12;
const FULL: u8 = 13;

pub(super) async fn measure(site: &Site<'_>, figures: &mut Figures) -> Result<()> {
    let foreign = site.plan.foreign;
    eprintln!("{} keys of other people", 2 * foreign);
    seed::redis(&site.redis(FULL), foreign).await?;
    figures.put("sign_out.foreign_keys", number(2 * foreign));
    let (many, few) = site.plan.sign_outs;
    let mut sides = [
        (
            site.server("sign_out_alone", EMPTY, usual("ES256")).await?,
            "revolve.alone",
            many,
        ),
        (
            site.server("sign_out_among", FULL, usual("ES256")).await?,
            "revolve.among",
            many,
        ),
        (
            site.baseline("baseline_alone", EMPTY, "ES256").await?,
            "baseline.alone",
            many,
        ),
        (
            site.baseline("baseline_among", FULL, "ES256").await?,
            "baseline.among",
            few,
        ),
    ];
    let mut samples = Samples::default();
    // The first round warms up.
    for round in 0..=site.plan.rounds {
        for (side, name, people) in &mut sides {
            let p50 = sign_out(side, *people).await?;
            if round > 0 {
                samples.add(format!("sign_out.{name}"), p50);
            }
        }
    }
    figures.settle(samples);
    for (side, ..) in sides {
        side.stop().await?;
    }
    Ok(())
}

/// So many sign up and then out, one after the other: the median of the sign-outs in microseconds.
async fn sign_out(side: &mut Side, people: usize) -> Result<f64> {
    side.ask(Order::count(Request::SignUp, 1, people)).await?;
    Ok(side
        .ask(Order::count(Request::SignOut, 1, people))
        .await?
        .p50)
}

//! Signing out everywhere, without and with other users' keys in the same database; also with the replaced scheme.

use anyhow::Result;

use super::{
    figures::{Figures, Samples},
    load::{LoadOrder, LoadRequest},
    seed,
    testbed::{MeasuredServer, Testbed, default_settings},
};
use crate::harness::statistics::count;

const EMPTY: u8 = 12;
const FULL: u8 = 13;

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let foreign = testbed.size.foreign;
    eprintln!("{} keys of other users", 2 * foreign);
    seed::redis(&testbed.redis(FULL), foreign).await?;
    figures.put("sign_out.foreign_keys", count(2 * foreign));
    let (many, few) = testbed.size.sign_outs;
    let mut servers = [
        (
            testbed
                .start_server("sign_out_alone", EMPTY, default_settings("ES256"))
                .await?,
            "revolve.alone",
            many,
        ),
        (
            testbed
                .start_server("sign_out_among", FULL, default_settings("ES256"))
                .await?,
            "revolve.among",
            many,
        ),
        (
            testbed
                .start_baseline("baseline_alone", EMPTY, "ES256")
                .await?,
            "baseline.alone",
            many,
        ),
        (
            testbed
                .start_baseline("baseline_among", FULL, "ES256")
                .await?,
            "baseline.among",
            few,
        ),
    ];
    let mut samples = Samples::default();
    // The first round warms up.
    for round in 0..=testbed.size.rounds {
        for (server, name, users) in &mut servers {
            let p50 = sign_out(server, *users).await?;
            if round > 0 {
                samples.add(format!("sign_out.{name}"), p50);
            }
        }
    }
    figures.settle(samples);
    for (server, ..) in servers {
        server.stop().await?;
    }
    Ok(())
}

/// Users sign up and then out, one after the other; returns the median of the sign-outs in microseconds.
async fn sign_out(server: &mut MeasuredServer, users: usize) -> Result<f64> {
    server
        .run(LoadOrder::count(LoadRequest::SignUp, 1, users))
        .await?;
    Ok(server
        .run(LoadOrder::count(LoadRequest::SignOut, 1, users))
        .await?
        .p50)
}

//! Refreshes under a flood of sign-ins, by `cargo xtask attack flood`, and sign-ins of others under a flood of one account, by what `cargo xtask
//! attack starvation` does.

use std::time::Duration;

use anyhow::Result;

use super::{figures::Figures, testbed::Testbed};
use crate::{
    attack::{flood, starvation},
    harness::{interrupt::Interrupt, statistics::percentile},
};

pub(super) async fn measure(
    testbed: &Testbed<'_>,
    figures: &mut Figures,
    interrupt: &Interrupt,
) -> Result<()> {
    let seconds = testbed.size.flood;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    eprintln!("a flood of sign-ins");
    let [quiet, flooded] = flood::refreshes(testbed.service(), seconds, interrupt).await?;
    figures.put("flood.quiet_p99", micros(quiet));
    figures.put("flood.flooded_p99", micros(flooded));
    eprintln!("a flood of sign-ins to one account");
    let others = starvation::sign_ins_of_others(testbed.service(), seconds, interrupt).await?;
    for (when, times) in ["quiet", "flooded"].into_iter().zip(&others) {
        for (name, per_mille) in [("p50", 500), ("p99", 990)] {
            let time = percentile(times, per_mille);
            figures.put(format!("flood.others.{when}_{name}"), micros(time));
        }
    }
    Ok(())
}

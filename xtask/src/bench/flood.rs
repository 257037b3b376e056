//! Refreshes under a flood of sign-ins, by `cargo xtask attack flood`.

use anyhow::Result;

use super::{figures::Figures, testbed::Testbed};
use crate::{attack::flood, harness::interrupt::Interrupt};

pub(super) async fn measure(
    testbed: &Testbed<'_>,
    figures: &mut Figures,
    interrupt: &Interrupt,
) -> Result<()> {
    eprintln!("a flood of sign-ins");
    let [quiet, flooded] =
        flood::refreshes(testbed.service(), testbed.size.flood, interrupt).await?;
    figures.put("flood.quiet_p99", quiet.as_secs_f64() * 1e6);
    figures.put("flood.flooded_p99", flooded.as_secs_f64() * 1e6);
    Ok(())
}

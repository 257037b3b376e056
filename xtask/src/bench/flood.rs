//! Refreshes under a flood of sign-ins, as `cargo xtask attack flood` does it.

use anyhow::Result;

use super::{figures::Figures, testbed::Site};
use crate::{attack::flood, harness::interrupt::Interrupt};

pub(super) async fn measure(
    site: &Site<'_>,
    figures: &mut Figures,
    interrupt: &Interrupt,
) -> Result<()> {
    eprintln!("a flood of sign-ins");
    let found = flood::refreshes(site.service(), site.plan.flood, interrupt).await?;
    figures.put("flood.quiet_p99", found.quiet * 1000.0);
    figures.put("flood.flooded_p99", found.flooded * 1000.0);
    Ok(())
}

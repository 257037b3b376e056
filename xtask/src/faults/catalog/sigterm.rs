//! SIGTERM under load: the restarts of `cargo xtask rolling`, and what it counts.

use anyhow::Result;

use crate::{
    faults::{environment::House, rounds::Rounds},
    harness::args::parse,
    rolling::{self, REPLICAS, drained},
};

/// No request in flight fails.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let redis = house.redis().await?;
    let args = parse(&["--requests", "100", "--clients", "6", "--restarts", "1"])?;
    while let Some(round) = rounds.next() {
        let settings =
            drained(house.settings().await?).stores(&redis.url().parse()?, &house.schema().await?);
        let rolled = rolling::restarts(&args, &house.binary, &settings, |_| {}).await?;
        round.note(|verdict| {
            verdict.checks("requests", rolled.requests);
            verdict.checks(
                "orderly ends under load",
                (rolled.restarts * REPLICAS) as u64,
            );
            rolled
                .failed
                .iter()
                .for_each(|failure| verdict.violate(failure.clone()));
        });
        rounds.judge(round);
    }
    Ok(())
}

//! SIGTERM under load: the restarts of `cargo xtask rolling`.

use anyhow::Result;

use crate::{
    faults::{environment::Environment, rounds::Rounds},
    harness::args::parse,
    rolling::{REPLICAS, drained, restarts},
};

/// No request fails.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let redis = env.redis().await?;
    let args = parse(&["--requests", "100", "--clients", "6", "--restarts", "1"])?;
    while let Some(round) = rounds.next() {
        let settings =
            drained(env.settings().await?).stores(&redis.url().parse()?, &env.schema().await?);
        let rolled = restarts(&args, &env.binary, &settings, |_| {}).await?;
        round.record(|findings| {
            findings.count("requests", rolled.requests);
            findings.count(
                "orderly ends under load",
                (rolled.restarts * REPLICAS) as u64,
            );
            rolled
                .failed
                .iter()
                .for_each(|failure| findings.violate(failure.clone()));
        });
        rounds.finish(round);
    }
    Ok(())
}

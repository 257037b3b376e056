//! Postgres fails over while mails are ordered and sent.

use std::time::Instant;

use anyhow::Result;

use crate::faults::{
    environment::Environment,
    mail::{Aftermath, MailClients, MailStack, Outbox},
    rounds::Rounds,
};

/// The primary dies, and a standby takes over that has all that was acknowledged. Every promised mail arrives, once: what was sent while nothing
/// could be stored is stored later.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    while let Some(mut round) = rounds.next() {
        let name = format!("mail-failover-{}", round.seed);
        let (redis, postgres) = (env.redis().await?, env.postgres_pair().await?);
        let settings = env
            .settings()
            .await?
            .with("REDIS__URL", redis.url())
            .with("POSTGRES__URL", &postgres.url());
        let stores = (Outbox::Postgres(postgres.standby()?), Some(redis));
        let stack = MailStack::start_over(env, &name, &settings, 1, stores).await?;
        let scenario = &stack.scenario;
        let fault = async {
            postgres.fail_over().await?;
            let over = Instant::now();
            scenario.wait_for_recovery().await?;
            Ok(over)
        };
        let mut clients = MailClients::new();
        let over = clients.run(scenario, &mut round, fault).await?;
        let aftermath = Aftermath::of_lost_leases(over);
        stack.verify(&clients, &mut round, &aftermath).await?;
        round.record(|findings| findings.check("failovers"));
        rounds.finish(round);
    }
    Ok(())
}

//! Postgres answers questions and takes no writes: somebody holds a lock on its tables.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    faults::{
        environment::{House, POSTGRES_TIMEOUT},
        liveness::watch,
        rounds::Rounds,
        table_lock::Locker,
    },
    harness::profile::{Answer, Scope},
};

/// After the sign-out has waited: together longer than what an answer may take, so that one that waits for the end is too late.
const FAULT: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_millis(1250);

/// Refreshes go on; a sign-out that can't be written down is 503 and never a success.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let (redis, schema) = (house.redis().await?, house.schema().await?);
    let settings = house
        .settings()
        .await?
        .stores(&redis.url().parse()?, &schema);
    let service = house.start(&settings, "no-writes").await?;
    let town = house.town("no-writes")?;
    town.at(&[service.url()]);
    town.demand_answers();
    let mut people = town.people();
    while let Some(mut round) = rounds.next() {
        let ((_, mut client), before) = (town.newcomer(service.url()).await?, town.stalled());
        let fault = watch(&town, service.url(), async {
            let locker = Locker::lock(&schema, "users, sessions", "SHARE").await?;
            town.fault_begins();
            let refreshed = client.refresh().await?.answer;
            if let Answer::Granted(grant) = &refreshed {
                client.keep(grant.clone());
            }
            let signed_out = town
                .saw(client.api.sign_out(&client.grant, Scope::This).await?)
                .answer;
            sleep(FAULT).await;
            town.fault_ends();
            locker.release().await;
            town.recover().await?;
            Ok((refreshed, signed_out))
        });
        let (refreshed, signed_out) = Box::pin(town.endure(&mut people, &mut round, fault)).await?;
        round.note(|verdict| {
            verdict.require(
                "refreshes without writes",
                matches!(refreshed, Answer::Granted(_)),
                || format!("a refresh: {refreshed:?}"),
            );
            verdict.require(
                "sign-outs without writes, 503",
                signed_out == Answer::Unavailable,
                || format!("a sign-out: {signed_out:?}"),
            );
            verdict
                .answered_within(POSTGRES_TIMEOUT + GRACE + town.stalled().saturating_sub(before));
        });
        rounds.judge(round);
    }
    Ok(())
}

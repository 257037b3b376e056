//! Redis has no memory left and evicts nothing.

use anyhow::Result;

use crate::{
    faults::{
        environment::{House, Site},
        rounds::{Round, Rounds},
    },
    harness::{
        client::Client,
        profile::{Answer, Scope},
    },
};

/// Refreshing and signing out go on; signing in is 503. Memory comes back, and so does the service, without a restart.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let site = Site::open(house, "redis-full", &[]).await?;
    site.order(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])
        .await?;
    let mut people = site.town.people();
    site.town.demand_answers();
    while let Some(mut round) = rounds.next() {
        let (account, mut client) = site.town.newcomer(site.service.url()).await?;
        let replies = site
            .town
            .endure(&mut people, &mut round, async {
                site.order(&["CONFIG", "SET", "maxmemory", "1"]).await?;
                site.town.fault_begins();
                let refreshed = client.refresh().await?;
                if let Answer::Granted(grant) = &refreshed.answer {
                    client.keep(grant.clone());
                }
                let signed_in = client.api.sign_in(&account, None).await?;
                let signed_out = client.api.sign_out(&client.grant, Scope::This).await?;
                site.order(&["CONFIG", "SET", "maxmemory", "0"]).await?;
                site.town.fault_ends();
                site.town.recover().await?;
                Ok([refreshed, signed_in, signed_out].map(|reply| reply.answer))
            })
            .await?;
        judge(&round, &replies);
        dead(&round, &client).await?;
        rounds.judge(round);
    }
    Ok(())
}

fn judge(round: &Round, [refreshed, signed_in, signed_out]: &[Answer; 3]) {
    round.note(|verdict| {
        verdict.require(
            "refreshes without memory",
            matches!(refreshed, Answer::Granted(_)),
            || format!("a refresh: {refreshed:?}"),
        );
        verdict.require(
            "sign-ins without memory, 503",
            *signed_in == Answer::Unavailable,
            || format!("a sign-in: {signed_in:?}"),
        );
        verdict.require(
            "sign-outs without memory",
            *signed_out == Answer::Done,
            || format!("a sign-out: {signed_out:?}"),
        );
    });
}

async fn dead(round: &Round, client: &Client) -> Result<()> {
    let reply = client.refresh().await?;
    let words = reply.words();
    round.note(|verdict| {
        verdict.require(
            "refreshes after that sign-out",
            reply.refusal().is_some(),
            || words,
        )
    });
    Ok(())
}

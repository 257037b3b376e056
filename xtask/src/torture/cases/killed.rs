//! The service, killed while refreshes and a sign-out are in flight.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::{moment, pause};
use crate::{
    harness::{
        journal::issued_at,
        profile::{Answer, Scope},
    },
    torture::{
        round_context::{Judged, Scene},
        verdict::{Column, Verdict},
    },
};

/// Several clients refresh again and again, and the process is killed at a random moment, so that it hits some of them between the store's step and the
/// answer. It starts again: who was answered goes on with the new token, who was not retries the old one, and a sign-out that was
/// answered is final.
pub(super) async fn play(scene: &Scene, rng: &mut Rng) -> Judged {
    let mut service = scene.site.mortals[scene.turn % scene.site.mortals.len()]
        .lock()
        .await;
    let api = scene.api(service.url());
    let mut clients = Vec::new();
    for _ in 0..rng.u32(4..=8) {
        clients.push(scene.client(&api, rng).await?);
    }
    let (_, leaver) = scene.newcomer(&api, false).await?;
    let waits: Vec<_> = clients.iter().map(|_| moment(rng, 12)).collect();
    let (leaves_after, killed_after) = (
        moment(rng, 40),
        Duration::from_micros(rng.u64(500..=40_000)),
    );

    // One refresh after the other, so that at any moment some are between the step and the answer.
    let refreshes = try_join_all(
        clients
            .into_iter()
            .zip(waits)
            .map(async |(mut client, wait)| {
                pause(wait).await;
                loop {
                    let reply = client.refresh().await?;
                    match reply.answer {
                        Answer::Granted(grant) => client.keep(grant),
                        _ => return anyhow::Ok((client, reply)),
                    }
                }
            }),
    );
    let sign_out = async {
        pause(leaves_after).await;
        leaver.api.sign_out(&leaver.grant, Scope::This).await
    };
    let kill = async {
        pause(killed_after).await;
        scene.journal.note("the service is killed");
        service.kill().await
    };
    let (replies, signed_out, killed) = tokio::join!(refreshes, sign_out, kill);
    killed?;
    // Tokens say in whole seconds when they were issued: this is how a successor from before the kill will be known.
    sleep(Duration::from_millis(1100)).await;
    service.restart().await?;
    scene.journal.note("the service is back");

    let api = scene.api(service.url());
    let (_, newcomer) = scene.newcomer(&api, false).await?;
    let mut verdict = Verdict::default();
    for (client, reply) in replies? {
        let mut client = client.at(&api);
        if !matches!(reply.answer, Answer::Silence(_)) {
            verdict.count(
                Column::Other,
                format!("a refresh when the service was killed: {}", reply.words()),
            );
        }
        if !client
            .go_on(
                &mut verdict,
                "after the service was killed and started again",
            )
            .await?
        {
            continue;
        }
        if issued_at(&client.grant.refresh) < issued_at(&newcomer.grant.refresh) {
            verdict.hit();
        }
        let leaves = vec![client.grant.clone()];
        client
            .branch_out(leaves, &mut verdict, "after that")
            .await?;
    }
    match signed_out?.answer {
        Answer::Done => {
            let (grant, leaver) = (leaver.grant.clone(), leaver.at(&api));
            leaver
                .must_be_dead(
                    &[grant],
                    Column::Survivor,
                    &mut verdict,
                    "after a sign-out that was answered before the kill",
                )
                .await?;
        }
        Answer::Silence(_) => {}
        answer => verdict.count(
            Column::Other,
            format!("a sign-out when the service was killed: {answer:?}"),
        ),
    }
    Ok(verdict)
}

//! Old tokens, replayed after their successor was used.

use std::time::Instant;

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::try_join_all;

use crate::{
    harness::{
        api::Reply,
        client::{Client, until},
        profile::{Answer, Grant, Reason},
        windows::MARGIN,
    },
    torture::{
        round_context::{Judged, Scene, Trouble},
        verdict::{Column, Verdict},
    },
};

/// The parent of a token that was used.
pub(super) async fn parent(scene: &Scene, rng: &mut Rng) -> Judged {
    play(scene, rng, 2).await
}

/// An ancestor before that.
pub(super) async fn grandparent(scene: &Scene, rng: &mut Rng) -> Judged {
    let distance = rng.usize(3..=6);
    play(scene, rng, distance).await
}

/// Shortly after a rotation the replay is refused as stale and nothing changes; later it ends the session, for the thief as well, and the
/// honest client is told why.
async fn play(scene: &Scene, rng: &mut Rng, distance: usize) -> Judged {
    let mut client = scene.client(&scene.any(rng), rng).await?;
    let mut verdict = Verdict::default();
    let mut chain = vec![client.grant.clone()];
    for _ in 0..distance + rng.usize(..2) {
        client.advance().await?;
        chain.push(client.grant.clone());
    }
    if rng.bool() && !scene.windows().retry_free.is_zero() {
        let before = Instant::now();
        client.advance().await?;
        chain.push(client.grant.clone());
        let replies = replay(rng, &client, &chain[chain.len() - 1 - distance]).await?;
        for reply in &replies {
            let age = reply.received.duration_since(before);
            if age >= scene.windows().retry_free {
                return Err(Trouble::TooSlow(format!(
                    "a replay inside the free window was answered after {} ms",
                    age.as_millis()
                )));
            }
            refused_as(scene, reply, Reason::Stale, &mut verdict);
        }
        if !client
            .go_on(&mut verdict, "after a stale token was refused")
            .await?
        {
            return Ok(verdict);
        }
        verdict.branches(1);
        chain.push(client.grant.clone());
    }
    until(Instant::now() + scene.windows().retry_free + MARGIN).await;
    let thief: &Grant = &chain[chain.len() - 1 - distance];
    let replies = replay(rng, &client, thief).await?;
    for reply in &replies {
        refused_as(scene, reply, Reason::Reused, &mut verdict);
    }
    let told = client.refresh().await?;
    match &told.answer {
        Answer::Granted(_) => {
            verdict.count(Column::Undetected, "the session lives on after a replay")
        }
        Answer::Refused(code) if scene.profile().says(Reason::Reused, code) => {}
        _ => verdict.count(
            Column::Other,
            format!("after a replay the honest client is told {}", told.words()),
        ),
    }
    if told.refusal().is_some() {
        client
            .must_be_dead(&chain, Column::Undetected, &mut verdict, "after a replay")
            .await?;
    }
    Ok(verdict)
}

/// Once, or several times at once.
async fn replay(rng: &mut Rng, client: &Client, stolen: &Grant) -> Result<Vec<Reply>> {
    let times = if rng.bool() { 1 } else { rng.usize(2..=4) };
    try_join_all((0..times).map(|_| client.present(&stolen.refresh))).await
}

fn refused_as(scene: &Scene, reply: &Reply, reason: Reason, verdict: &mut Verdict) {
    match &reply.answer {
        Answer::Granted(_) => verdict.count(
            Column::Undetected,
            "an old token was answered after its successor was used",
        ),
        Answer::Refused(code) if scene.profile().says(reason, code) => {}
        Answer::Refused(code) => verdict.count(
            Column::Other,
            format!("an old token was refused as {code}, not as {reason:?}"),
        ),
        _ => verdict.count(Column::Other, format!("an old token: {}", reply.words())),
    }
}

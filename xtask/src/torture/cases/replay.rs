//! Old tokens, replayed after their successor was used.

use std::time::Instant;

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::try_join_all;

use super::timing::until;
use crate::{
    harness::{
        api::Reply,
        client::Client,
        profile::{Answer, Grant, Reason},
        windows::MARGIN,
    },
    torture::{
        round_context::{RoundContext, RoundError, RoundOutcome},
        verdict::{RoundFinding, Verdict},
    },
};

/// The parent of a token that was used.
pub(super) async fn parent(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    run(ctx, rng, 2).await
}

/// An ancestor before that.
pub(super) async fn grandparent(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    let distance = rng.usize(3..=6);
    run(ctx, rng, distance).await
}

/// Shortly after a rotation the replay is refused as stale and nothing changes; later it ends the session, for the thief as well, and the
/// honest client's next refresh says why.
async fn run(ctx: &RoundContext, rng: &mut Rng, distance: usize) -> RoundOutcome {
    let mut client = ctx.new_client(&ctx.any_replica(rng), rng).await?;
    let mut verdict = Verdict::default();
    let mut chain = vec![client.grant.clone()];
    for _ in 0..distance + rng.usize(..2) {
        client.advance().await?;
        chain.push(client.grant.clone());
    }
    if rng.bool() && !ctx.windows().retry_free.is_zero() {
        let before = Instant::now();
        client.advance().await?;
        chain.push(client.grant.clone());
        let replies = replay(rng, &client, &chain[chain.len() - 1 - distance]).await?;
        for reply in &replies {
            let age = reply.received.duration_since(before);
            if age >= ctx.windows().retry_free {
                return Err(RoundError::TooSlow(format!(
                    "a replay inside the free window was answered after {} ms",
                    age.as_millis()
                )));
            }
            refused_as(ctx, reply, Reason::Stale, &mut verdict);
        }
        if !client
            .must_refresh(&mut verdict, "after a stale token was refused")
            .await?
        {
            return Ok(verdict);
        }
        verdict.branches(1);
        chain.push(client.grant.clone());
    }
    let detected = ctx.windows().detected_after(client.sends_credential);
    until(Instant::now() + detected + MARGIN).await;
    let thief: &Grant = &chain[chain.len() - 1 - distance];
    let replies = replay(rng, &client, thief).await?;
    for reply in &replies {
        refused_as(ctx, reply, Reason::Reused, &mut verdict);
    }
    let reply = client.refresh().await?;
    match &reply.answer {
        Answer::Granted(_) => {
            verdict.count(
                RoundFinding::Undetected,
                "the session lives on after a replay",
            );
        }
        Answer::Refused(code) if ctx.profile().says(Reason::Reused, code) => {}
        _ => verdict.count(
            RoundFinding::Other,
            format!("after a replay the honest client gets {}", reply.words()),
        ),
    }
    if reply.refusal().is_some() {
        client
            .must_be_refused(
                &chain,
                RoundFinding::Undetected,
                &mut verdict,
                "after a replay",
            )
            .await?;
    }
    Ok(verdict)
}

/// Once, or several times at once.
async fn replay(rng: &mut Rng, client: &Client, stolen: &Grant) -> Result<Vec<Reply>> {
    let times = if rng.bool() { 1 } else { rng.usize(2..=4) };
    try_join_all((0..times).map(|_| client.present(&stolen.refresh))).await
}

fn refused_as(ctx: &RoundContext, reply: &Reply, reason: Reason, verdict: &mut Verdict) {
    match &reply.answer {
        Answer::Granted(_) => verdict.count(
            RoundFinding::Undetected,
            "an old token was answered after its successor was used",
        ),
        Answer::Refused(code) if ctx.profile().says(reason, code) => {}
        Answer::Refused(code) => verdict.count(
            RoundFinding::Other,
            format!("an old token was refused as {code}, not as {reason:?}"),
        ),
        _ => verdict.count(
            RoundFinding::Other,
            format!("an old token: {}", reply.words()),
        ),
    }
}

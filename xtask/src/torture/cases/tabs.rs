//! Tabs of one client that refresh at once, at one process of the service or at several.

use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::try_join_all;

use super::timing::pause;
use crate::{
    harness::{
        api::{Api, Reply},
        client::Client,
        profile::{Answer, Grant},
    },
    torture::{
        round_context::{RoundContext, RoundError, RoundOutcome},
        verdict::{RoundFinding, Verdict},
    },
};

/// Tabs at one process: all get the same successor, which then refreshes.
pub(super) async fn one_process(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    let api = ctx.any_replica(rng);
    let mut client = ctx.new_client(&api, rng).await?;
    let mut verdict = Verdict::default();
    for _ in 0..rng.u32(1..=3) {
        if !burst(
            ctx,
            rng,
            &mut client,
            std::slice::from_ref(&api),
            &mut verdict,
        )
        .await?
        {
            break;
        }
    }
    Ok(verdict)
}

/// The same over all replicas; and a response that is lost at one is requested again at another.
pub(super) async fn two_processes(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    let mut apis = ctx.replicas();
    let mut client = ctx.new_client(&apis[0], rng).await?;
    let mut verdict = Verdict::default();
    for _ in 0..rng.u32(1..=3) {
        rng.shuffle(&mut apis);
        if !burst(ctx, rng, &mut client, &apis, &mut verdict).await? {
            break;
        }
        let first = client.at(&apis[0]).refresh().await?;
        let again = client.at(&apis[1]).refresh().await?;
        let Some(leaves) = judge(ctx, &mut client, &[first, again], &mut verdict).await? else {
            break;
        };
        if !client
            .count_branches(leaves, &mut verdict, "after a retry at the other process")
            .await?
        {
            break;
        }
    }
    Ok(verdict)
}

/// One generation: all tabs refresh the same token, then the successors are used. False if the session is over.
async fn burst(
    ctx: &RoundContext,
    rng: &mut Rng,
    client: &mut Client,
    apis: &[Api],
    verdict: &mut Verdict,
) -> Result<bool, RoundError> {
    let spread = [0, 5, 60][rng.usize(..3)];
    let tabs = (0..rng.usize(2..=12)).map(|tab| {
        let (tab, wait) = (
            client.at(&apis[tab % apis.len()]),
            Duration::from_millis(rng.u64(0..=spread)),
        );
        async move {
            pause(wait).await;
            tab.refresh().await
        }
    });
    let replies = try_join_all(tabs.collect::<Vec<_>>()).await?;
    let Some(leaves) = judge(ctx, client, &replies, verdict).await? else {
        return Ok(false);
    };
    Ok(client
        .count_branches(leaves, verdict, "after its tabs refreshed at once")
        .await?)
}

/// The successors; none if no tab got one.
async fn judge(
    ctx: &RoundContext,
    client: &mut Client,
    replies: &[Reply],
    verdict: &mut Verdict,
) -> Result<Option<Vec<Grant>>, RoundError> {
    let first = replies.iter().map(|reply| reply.sent).min();
    let (mut leaves, mut refusals) = (Vec::new(), Vec::new());
    for reply in replies {
        let age = first
            .map(|first| reply.received.duration_since(first))
            .unwrap_or_default();
        match &reply.answer {
            Answer::Granted(grant) => leaves.push(grant.clone()),
            Answer::Refused(_) if ctx.windows().may_have_passed(client.sends_credential, age) => {
                return Err(RoundError::TooSlow(format!(
                    "a tab was answered after {} ms",
                    age.as_millis()
                )));
            }
            Answer::Refused(code) => refusals.push(format!("a tab was refused: {code}")),
            _ => verdict.count(
                RoundFinding::Other,
                format!("a tab's refresh: {}", reply.words()),
            ),
        }
    }
    // Where no tab got a successor, the one that they share may have ended with its session.
    if leaves.is_empty()
        && let Some(why) = refusals.pop()
    {
        client.was_refused(verdict, why).await?;
    }
    for why in refusals {
        verdict.count(RoundFinding::Refused, why);
    }
    Ok((!leaves.is_empty()).then_some(leaves))
}

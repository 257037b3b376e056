//! A token stolen from a bound session, without the credential of its device.

use fastrand::Rng;
use futures_util::future::try_join;

use super::timing::{delay, pause};
use crate::{
    harness::{
        api::Reply,
        client::Client,
        profile::{Answer, Reason},
    },
    torture::{
        round_context::{RoundContext, RoundOutcome},
        verdict::{RoundFinding, Verdict},
    },
};

/// The thief presents the live token or an older one, with no credential, another device's or a forged one, alone or while the client
/// refreshes. It is refused for that reason, and the client goes on.
pub(super) async fn run(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    let api = ctx.any_replica(rng);
    let (account, mut client) = ctx.sign_up(&api, false).await?;
    // Tokens from before the binding are refused as well: it is the session that is bound.
    let mut stolen = vec![client.grant.refresh.clone()];
    client.sends_credential = true;
    if rng.bool() {
        client.advance().await?;
    } else if let Some(credential) = client.grant.credential.clone() {
        // Signing in on the same device replaces the session and binds it at once.
        client = Client::from_reply(&api, &api.sign_in(&account, Some(&credential)).await?, true)?;
        stolen.clear();
    }
    let (_, other) = ctx.sign_up(&api, false).await?;
    let foreign = other.grant.credential.clone().unwrap_or_default();
    let forged: String = foreign.chars().rev().collect();

    let mut verdict = Verdict::default();
    for _ in 0..rng.u32(2..=4) {
        stolen.push(client.grant.refresh.clone());
        let credential = [None, Some(foreign.as_str()), Some(forged.as_str())][rng.usize(..3)];
        let token = stolen[if rng.bool() {
            stolen.len() - 1
        } else {
            rng.usize(..stolen.len())
        }]
        .clone();
        let wait = delay(rng, 5);
        let theft = async {
            pause(wait).await;
            api.refresh(&token, credential).await
        };
        if rng.bool() {
            let (reply, ours) = try_join(theft, client.refresh()).await?;
            judge(ctx, &reply, &mut verdict);
            if let Some(grant) = ours.grant() {
                client.keep(grant.clone());
            }
        } else {
            judge(ctx, &theft.await?, &mut verdict);
        }
        if !client
            .must_refresh(
                &mut verdict,
                "after a thief without its device's credential",
            )
            .await?
        {
            return Ok(verdict);
        }
    }
    verdict.branches(1);
    Ok(verdict)
}

fn judge(ctx: &RoundContext, reply: &Reply, verdict: &mut Verdict) {
    match &reply.answer {
        Answer::Granted(_) => verdict.count(
            RoundFinding::Undetected,
            "a token without its device's credential was answered",
        ),
        Answer::Refused(code) if ctx.profile().says(Reason::Mismatch, code) => {}
        Answer::Refused(code) => verdict.count(
            RoundFinding::Other,
            format!("a token without its device's credential was refused as {code}"),
        ),
        _ => verdict.count(
            RoundFinding::Other,
            format!("a token without its device's credential: {}", reply.words()),
        ),
    }
}

//! A copy of a whole device, with its credential, that tries to live on retries.

use fastrand::Rng;

use super::timing::until;
use crate::{
    harness::{
        profile::{Answer, Grant, Reason},
        windows::MARGIN,
    },
    torture::{
        round_context::{RoundContext, RoundOutcome},
        verdict::{RoundFinding, Verdict},
    },
};

/// Two clients hold the same tokens. In each generation one refreshes, and the other fetches the successor by a late retry, so that neither
/// ever presents a token that the other does not have. After the allowed number of late retries the next one is reuse: the session ends for
/// both, which tells the honest client of the theft.
pub(super) async fn run(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    let client = ctx.new_client(&ctx.any_replica(rng), rng).await?;
    let mut holders = [client.clone(), client.at(&ctx.any_replica(rng))];
    let bound = client.sends_credential;
    let allowed = if ctx.windows().has_late(bound) {
        ctx.windows().late_retries
    } else {
        0
    };
    let mut seen: Vec<Grant> = Vec::new();
    let mut verdict = Verdict::default();
    // The thief retries each time; or they take turns, and the second one retries.
    let turns = rng.bool();
    for retry in 1..=allowed + 1 {
        let leader = if turns { rng.usize(..2) } else { 0 };
        let [follower, leader] = if leader == 0 { [1, 0] } else { [0, 1] };
        let first = holders[leader].refresh().await?;
        let Answer::Granted(grant) = &first.answer else {
            let words = first.words();
            let why = format!("before the late retry {retry} the live token was refused: {words}");
            holders[leader].was_refused(&mut verdict, why).await?;
            return Ok(verdict);
        };
        holders[leader].keep(grant.clone());
        seen.push(grant.clone());
        let wait = if retry > allowed {
            ctx.windows().detected_after(bound)
        } else {
            ctx.windows().retry_free
        };
        until(first.received + wait + MARGIN).await;
        let late = holders[follower].refresh().await?;
        match &late.answer {
            Answer::Granted(_) if retry > allowed => {
                verdict.count(
                    RoundFinding::Undetected,
                    format!("{retry} late retries in a row were answered"),
                );
                return Ok(verdict);
            }
            Answer::Granted(grant) => holders[follower].keep(grant.clone()),
            // It may come early: on a slow machine the window passes.
            Answer::Refused(code) => {
                if !ctx.profile().says(Reason::Reused, code) {
                    verdict.count(
                        RoundFinding::Other,
                        format!("the late retry {retry} was refused as {code}"),
                    );
                }
                break;
            }
            _ => {
                verdict.count(
                    RoundFinding::Other,
                    format!("the late retry {retry}: {}", late.words()),
                );
                return Ok(verdict);
            }
        }
    }
    // The thief may have the newest token.
    seen.extend(holders.iter().map(|holder| holder.grant.clone()));
    client
        .must_be_refused(
            &seen,
            RoundFinding::Undetected,
            &mut verdict,
            "after the copy was found",
        )
        .await?;
    let told = holders[0].refresh().await?;
    match told.refusal() {
        Some(code) if ctx.profile().says(Reason::Reused, code) => {}
        _ => verdict.count(
            RoundFinding::Other,
            format!("the honest client is told {}", told.words()),
        ),
    }
    Ok(verdict)
}

//! Responses that never reach the client, which then retries.

use std::time::{Duration, Instant};

use anyhow::bail;
use fastrand::Rng;

use super::timing::{delay, until};
use crate::{
    harness::{
        client::Client,
        profile::{Answer, Grant, Reason},
        windows::MARGIN,
    },
    torture::{
        round_context::{RoundContext, RoundError, RoundOutcome, TortureRun},
        verdict::{RoundFinding, Verdict},
    },
};

/// When the client retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    AtOnce,
    /// Later than a retry is free, within the window; a bound session also later than the window of plain ones.
    Inside,
    After,
}

/// The retries that the run is patient enough for.
fn moments(run: &TortureRun, bound: bool) -> Vec<When> {
    let mut moments = vec![When::AtOnce];
    if run.windows.has_late(bound)
        && run
            .would_wait_for(run.windows.retry_free * run.windows.late_retries)
            .is_none()
    {
        moments.push(When::Inside);
    }
    if !run.windows.window(bound).is_zero()
        && run
            .would_wait_for(run.windows.refused_after(bound))
            .is_none()
    {
        moments.push(When::After);
    }
    moments
}

pub(super) fn obstacles(run: &TortureRun) -> Option<String> {
    let kinds: &[bool] = if run.profile.has_credentials() {
        &[false, true]
    } else {
        &[false]
    };
    let missing: Vec<String> = kinds
        .iter()
        .flat_map(|&bound| {
            let there = moments(run, bound);
            let kind = if bound { "bound" } else { "plain" };
            [When::Inside, When::After]
                .into_iter()
                .filter(move |when| !there.contains(when))
                .map(move |when| format!("{when:?} ({kind})"))
        })
        .collect();
    (!missing.is_empty()).then(|| {
        format!(
            "retries that would wait too long or can't be: {}",
            missing.join(", ")
        )
    })
}

/// One or several responses in a row are lost: read and thrown away, or the connection is cut. A retry must get the same successor; after the
/// window, and only then, it is refused by design, and the session is over.
pub(super) async fn run(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    let mut client = ctx.new_client(&ctx.any_replica(rng), rng).await?;
    let moments = moments(&ctx.run, client.sends_credential);
    let when = moments[rng.usize(..moments.len())];
    ctx.journal.note(&format!(
        "retries: {when:?}, bound: {}",
        client.sends_credential
    ));
    let mut verdict = Verdict::default();
    let in_a_row = match when {
        When::AtOnce => rng.u32(1..=5),
        When::Inside => rng.u32(1..=ctx.windows().late_retries.min(5)),
        When::After => 1,
    };
    let mut leaves = Vec::new();
    for _ in 0..in_a_row {
        let lost = match lose_a_response(&client, rng).await? {
            LossOutcome::Lost(lost) => lost,
            LossOutcome::Refused(code) => {
                let why = format!("the live token was refused after a retry: {code}");
                client.was_refused(&mut verdict, why).await?;
                return Ok(verdict);
            }
        };
        let over = ctx.windows().refused_after(client.sends_credential);
        let late = late(ctx, rng, client.sends_credential);
        match when {
            When::AtOnce => {}
            When::Inside => until(lost.done + late + MARGIN).await,
            When::After => until(lost.done + over + MARGIN).await,
        }
        let reply = client.present_until_answered(&client.grant.refresh).await?;
        let oldest = reply.received.duration_since(lost.sent);
        match &reply.answer {
            // A request that was cut may not have arrived; then this is no retry.
            Answer::Granted(_) if when == When::After && lost.answer.is_some() => {
                verdict.count(
                    RoundFinding::Undetected,
                    "a retry after the window was answered",
                );
                return Ok(verdict);
            }
            Answer::Granted(grant) => {
                leaves = lost.answer.into_iter().chain([grant.clone()]).collect();
                client.keep(grant.clone());
            }
            Answer::Refused(code) if when == When::After => {
                return by_design(ctx, &client, code, lost.answer, verdict).await;
            }
            Answer::Refused(_)
                if ctx
                    .windows()
                    .may_have_passed(client.sends_credential, oldest) =>
            {
                return Err(RoundError::TooSlow(format!(
                    "a retry ({when:?}) was answered after {} ms",
                    oldest.as_millis()
                )));
            }
            Answer::Refused(code) => {
                let why = format!("a retry ({when:?}) was refused: {code}");
                client.was_refused(&mut verdict, why).await?;
                return Ok(verdict);
            }
            _ => {
                verdict.count(
                    RoundFinding::Other,
                    format!("a retry ({when:?}): {}", reply.words()),
                );
                return Ok(verdict);
            }
        }
    }
    client
        .count_branches(leaves, &mut verdict, "after its retry was answered")
        .await?;
    Ok(verdict)
}

/// How long after a rotation a retry is late.
fn late(ctx: &RoundContext, rng: &mut Rng, bound: bool) -> Duration {
    let windows = ctx.windows();
    let (plain, own) = (windows.window(false), windows.window(bound));
    if own > plain + 4 * MARGIN && ctx.run.would_wait_for(plain).is_none() && rng.bool() {
        plain
    } else {
        windows.retry_free
    }
}

/// The client came too late: it is told so, and the session has ended.
async fn by_design(
    ctx: &RoundContext,
    client: &Client,
    code: &str,
    answer: Option<Grant>,
    mut verdict: Verdict,
) -> RoundOutcome {
    verdict.count(RoundFinding::ByDesign, "");
    if !ctx.profile().says(Reason::Reused, code) {
        verdict.count(
            RoundFinding::Other,
            format!("a retry after the window was refused for another reason: {code}"),
        );
    }
    let grants: Vec<Grant> = answer.into_iter().chain([client.grant.clone()]).collect();
    client
        .must_be_refused(
            &grants,
            RoundFinding::Undetected,
            &mut verdict,
            "after a retry that came too late",
        )
        .await?;
    Ok(verdict)
}

/// A response that was lost.
struct LostResponse {
    sent: Instant,
    /// When the client had given up.
    done: Instant,
    /// What it granted, if it was read.
    answer: Option<Grant>,
}

enum LossOutcome {
    Lost(LostResponse),
    /// A request that was cut earlier may have arrived after the retry, and have been taken for reuse.
    Refused(String),
}

async fn lose_a_response(client: &Client, rng: &mut Rng) -> anyhow::Result<LossOutcome> {
    let sent = Instant::now();
    let answer = if rng.bool() {
        // Read to its end, and thrown away.
        let reply = client.present_until_answered(&client.grant.refresh).await?;
        match reply.answer {
            Answer::Granted(grant) => Some(grant),
            Answer::Refused(code) => return Ok(LossOutcome::Refused(code)),
            _ => bail!("a refresh whose answer is thrown away: {}", reply.words()),
        }
    } else {
        client
            .api
            .refresh_and_cut(&client.grant.refresh, client.credential(), delay(rng, 20))
            .await?;
        None
    };
    Ok(LossOutcome::Lost(LostResponse {
        sent,
        done: Instant::now(),
        answer,
    }))
}

//! Answers that never reach the client, which then asks again.

use std::time::Instant;

use fastrand::Rng;

use super::{moment, patient};
use crate::{
    harness::{
        client::{Client, until},
        profile::{Answer, Grant, Reason},
        windows::MARGIN,
    },
    torture::{
        round_context::{Judged, Run, Scene, Trouble},
        verdict::{Column, Verdict},
    },
};

/// When the client asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    AtOnce,
    /// Later than is free, inside the window.
    Inside,
    After,
}

/// The moments that the run is patient enough for.
fn moments(run: &Run, bound: bool) -> Vec<When> {
    let mut moments = vec![When::AtOnce];
    if run.windows.has_late(bound)
        && patient(run, run.windows.retry_free * run.windows.late_retries).is_none()
    {
        moments.push(When::Inside);
    }
    if !run.windows.window(bound).is_zero() && patient(run, run.windows.window(bound)).is_none() {
        moments.push(When::After);
    }
    moments
}

pub(super) fn left_out(run: &Run) -> Option<String> {
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

/// One or several answers in a row are lost: read and thrown away, or the connection is cut. The client's retry must bring the same
/// successor; after the window, and only then, it is refused by design, and the session is over.
pub(super) async fn play(scene: &Scene, rng: &mut Rng) -> Judged {
    let mut client = scene.client(&scene.any(rng), rng).await?;
    let moments = moments(&scene.run, client.shows);
    let when = moments[rng.usize(..moments.len())];
    scene
        .journal
        .note(&format!("retries: {when:?}, bound: {}", client.shows));
    let mut verdict = Verdict::default();
    let in_a_row = match when {
        When::AtOnce => rng.u32(1..=5),
        When::Inside => rng.u32(1..=scene.windows().late_retries.min(5)),
        When::After => 1,
    };
    let mut leaves = Vec::new();
    for _ in 0..in_a_row {
        let lost = lose_an_answer(&client, rng).await?;
        let (free, window) = (
            scene.windows().retry_free,
            scene.windows().window(client.shows),
        );
        match when {
            When::AtOnce => {}
            When::Inside => until(lost.done + free + MARGIN).await,
            When::After => until(lost.done + window + MARGIN).await,
        }
        let reply = client.insist(&client.grant.refresh).await?;
        let oldest = reply.received.duration_since(lost.sent);
        match &reply.answer {
            // A request that was cut may have come to nothing; then this is no retry.
            Answer::Granted(_) if when == When::After && lost.answer.is_some() => {
                verdict.count(Column::Undetected, "a retry after the window was answered");
                return Ok(verdict);
            }
            Answer::Granted(grant) => {
                leaves = lost.answer.into_iter().chain([grant.clone()]).collect();
                client.keep(grant.clone());
            }
            Answer::Refused(code) if when == When::After => {
                return by_design(scene, &client, code, lost.answer, verdict).await;
            }
            Answer::Refused(_) if scene.windows().may_have_passed(client.shows, oldest) => {
                return Err(Trouble::TooSlow(format!(
                    "a retry ({when:?}) was answered after {} ms",
                    oldest.as_millis()
                )));
            }
            Answer::Refused(code) => {
                verdict.count(
                    Column::Lost,
                    format!("a retry ({when:?}) was refused: {code}"),
                );
                return Ok(verdict);
            }
            _ => {
                verdict.count(
                    Column::Other,
                    format!("a retry ({when:?}): {}", reply.words()),
                );
                return Ok(verdict);
            }
        }
    }
    client
        .branch_out(leaves, &mut verdict, "after its retry was answered")
        .await?;
    Ok(verdict)
}

/// The client came too late: it is told so, and nobody else lives on.
async fn by_design(
    scene: &Scene,
    client: &Client,
    code: &str,
    answer: Option<Grant>,
    mut verdict: Verdict,
) -> Judged {
    verdict.count(Column::ByDesign, "");
    if !scene.profile().says(Reason::Reused, code) {
        verdict.count(
            Column::Other,
            format!("a retry after the window was refused for another reason: {code}"),
        );
    }
    let grants: Vec<Grant> = answer.into_iter().chain([client.grant.clone()]).collect();
    client
        .must_be_dead(
            &grants,
            Column::Undetected,
            &mut verdict,
            "after a retry that came too late",
        )
        .await?;
    Ok(verdict)
}

/// What became of an answer.
struct Lost {
    sent: Instant,
    /// When the client had given up.
    done: Instant,
    /// What it would have said, if it was read.
    answer: Option<Grant>,
}

async fn lose_an_answer(client: &Client, rng: &mut Rng) -> anyhow::Result<Lost> {
    let sent = Instant::now();
    let answer = if rng.bool() {
        // Read to the end, and thrown away.
        Some(client.clone().advance().await?).and_then(|reply| reply.grant().cloned())
    } else {
        client
            .api
            .refresh_and_cut(&client.grant.refresh, client.credential(), moment(rng, 20))
            .await?;
        None
    };
    Ok(Lost {
        sent,
        done: Instant::now(),
        answer,
    })
}

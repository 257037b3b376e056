//! A copy of the whole device, credential and all, that tries to live on retries.

use fastrand::Rng;

use crate::{
    harness::{
        client::until,
        profile::{Answer, Grant, Reason},
        windows::MARGIN,
    },
    torture::{
        round_context::{Judged, Scene},
        verdict::{Column, Verdict},
    },
};

/// Two hold the same tokens. In each generation one refreshes, and the other fetches the successor by a late retry, so that it never has to
/// show a token that nobody else has. After the count of late retries the next one must be taken for what it is: the session ends for
/// both, which for the honest client is the way it is meant to hear of the theft.
pub(super) async fn play(scene: &Scene, rng: &mut Rng) -> Judged {
    let client = scene.client(&scene.any(rng), rng).await?;
    let mut holders = [client.clone(), client.at(&scene.any(rng))];
    let bound = client.shows;
    let allowed = if scene.windows().has_late(bound) {
        scene.windows().late_retries
    } else {
        0
    };
    let mut seen: Vec<Grant> = Vec::new();
    let mut verdict = Verdict::default();
    // The thief follows; or they take turns, and the client that comes second is the one that retries.
    let turns = rng.bool();
    for retry in 1..=allowed + 1 {
        let leader = if turns { rng.usize(..2) } else { 0 };
        let [follower, leader] = if leader == 0 { [1, 0] } else { [0, 1] };
        let first = holders[leader].refresh().await?;
        let Answer::Granted(grant) = &first.answer else {
            verdict.count(
                Column::Lost,
                format!(
                    "before the late retry {retry} the live token was refused: {}",
                    first.words()
                ),
            );
            return Ok(verdict);
        };
        holders[leader].keep(grant.clone());
        seen.push(grant.clone());
        until(first.received + scene.windows().retry_free + MARGIN).await;
        let late = holders[follower].refresh().await?;
        match &late.answer {
            Answer::Granted(_) if retry > allowed => {
                verdict.count(
                    Column::Undetected,
                    format!("{retry} late retries in a row were answered"),
                );
                return Ok(verdict);
            }
            Answer::Granted(grant) => holders[follower].keep(grant.clone()),
            // Earlier than it must be is not too early: a slow machine lets the window pass.
            Answer::Refused(code) => {
                if !scene.profile().says(Reason::Reused, code) {
                    verdict.count(
                        Column::Other,
                        format!("the late retry {retry} was refused as {code}"),
                    );
                }
                break;
            }
            _ => {
                verdict.count(
                    Column::Other,
                    format!("the late retry {retry}: {}", late.words()),
                );
                return Ok(verdict);
            }
        }
    }
    // Whoever is left with the newest token may be the thief.
    seen.extend(holders.iter().map(|holder| holder.grant.clone()));
    client
        .must_be_dead(
            &seen,
            Column::Undetected,
            &mut verdict,
            "after the copy was found",
        )
        .await?;
    let told = holders[0].refresh().await?;
    match told.refusal() {
        Some(code) if scene.profile().says(Reason::Reused, code) => {}
        _ => verdict.count(
            Column::Other,
            format!("the honest client is told {}", told.words()),
        ),
    }
    Ok(verdict)
}

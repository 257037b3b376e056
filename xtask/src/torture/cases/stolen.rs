//! A token stolen from a bound session, without the credential of its device.

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::try_join;

use super::{moment, pause};
use crate::{
    harness::{
        api::Reply,
        client::Client,
        profile::{Answer, Reason},
    },
    torture::{
        round_context::{Judged, Scene},
        verdict::{Column, Verdict},
    },
};

/// The thief presents the live token or an older one, with no credential, another device's or a forged one, alone or while the client
/// refreshes. It is refused for that reason, and the client goes on.
pub(super) async fn play(scene: &Scene, rng: &mut Rng) -> Judged {
    let api = scene.any(rng);
    let (account, mut client) = scene.newcomer(&api, false).await?;
    // Tokens from before the binding know nothing of it; the session does.
    let mut stolen = vec![client.grant.refresh.clone()];
    client.shows = true;
    if rng.bool() {
        client.advance().await?;
    } else if let Some(credential) = client.grant.credential.clone() {
        // Signing in on the same device replaces the session and binds it at once.
        client = Client::of(&api, &api.sign_in(&account, Some(&credential)).await?, true)?;
        stolen.clear();
    }
    let (_, other) = scene.newcomer(&api, false).await?;
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
        let wait = moment(rng, 5);
        let theft = async {
            pause(wait).await;
            api.refresh(&token, credential).await
        };
        if rng.bool() {
            let (reply, ours) = try_join(theft, client.refresh()).await?;
            judge(scene, &reply, &mut verdict);
            if let Some(grant) = ours.grant() {
                client.keep(grant.clone());
            }
        } else {
            judge(scene, &theft.await?, &mut verdict);
        }
        if !go_on(&mut client, &mut verdict).await? {
            return Ok(verdict);
        }
    }
    verdict.branches(1);
    Ok(verdict)
}

async fn go_on(client: &mut Client, verdict: &mut Verdict) -> Result<bool> {
    client
        .go_on(verdict, "after a thief without its device's credential")
        .await
}

fn judge(scene: &Scene, reply: &Reply, verdict: &mut Verdict) {
    match &reply.answer {
        Answer::Granted(_) => verdict.count(
            Column::Undetected,
            "a token without its device's credential was answered",
        ),
        Answer::Refused(code) if scene.profile().says(Reason::Mismatch, code) => {}
        Answer::Refused(code) => verdict.count(
            Column::Other,
            format!("a token without its device's credential was refused as {code}"),
        ),
        _ => verdict.count(
            Column::Other,
            format!("a token without its device's credential: {}", reply.words()),
        ),
    }
}

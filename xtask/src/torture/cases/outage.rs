//! A store that is gone in the middle of refreshes, for longer than the window.

use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::{moment, pause};
use crate::{
    harness::{
        api::Api,
        client::{Client, until},
        journal::issued_at,
        profile::{Answer, Grant, Reason, Scope},
        proxy::Failure,
        service::Outage,
        windows::MARGIN,
    },
    torture::{
        round_context::{Judged, Scene},
        verdict::{Column, Verdict},
    },
};

/// Which stores are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    WhiteList,
    Users,
    Both,
}

/// Somebody who refreshes when it happens.
struct Victim {
    client: Client,
    /// When the refresh that the outage hit was sent, if it hit one.
    hit: Option<Instant>,
    /// Whether its session is over.
    gone: bool,
}

/// How it comes.
#[derive(Debug, Clone, Copy)]
struct Plan {
    gone: Gone,
    how: Failure,
    /// In the middle of refreshes, or before.
    in_the_middle: bool,
    /// Shorter than the window after all: then plain clients must get through, too.
    short: bool,
}

impl Plan {
    fn draw(rng: &mut Rng) -> Self {
        let gone = [Gone::WhiteList, Gone::Users, Gone::Both][rng.usize(..3)];
        let how = [Failure::Cut, Failure::Silent, Failure::Deaf][rng.usize(..3)];
        // Deaf is in the middle by nature: the step is made, and its answer does not arrive.
        Self {
            gone,
            how,
            in_the_middle: rng.bool() || how == Failure::Deaf,
            short: how == Failure::Deaf && rng.bool(),
        }
    }

    fn begin(self, outage: &Outage) {
        if self.gone != Gone::Users {
            outage.redis.fail(self.how);
        }
        if self.gone != Gone::WhiteList {
            outage.postgres.fail(self.how);
        }
    }
}

/// Redis, Postgres or both break off, fall silent, or work on without being heard, before or in the middle of refreshes, and stay away for
/// longer than the window. No answer is a refusal; afterwards the tokens that clients hold work. A sign-out that was answered meanwhile
/// is final.
pub(super) async fn play(scene: &Scene, rng: &mut Rng) -> Judged {
    let outage = scene.site.outages[scene.turn % scene.site.outages.len()]
        .lock()
        .await;
    let api = scene.api(outage.instance.url());
    let plan = Plan::draw(rng);
    scene.journal.note(&format!("{plan:?}"));
    let mut victims = Vec::new();
    for _ in 0..rng.u32(2..=4) {
        victims.push(Victim {
            client: scene.client(&api, rng).await?,
            hit: None,
            gone: false,
        });
    }
    let (_, leaver) = scene.newcomer(&api, false).await?;

    let mut verdict = Verdict::default();
    let played = misfortune(
        scene,
        rng,
        &outage,
        plan,
        &mut victims,
        &leaver,
        &mut verdict,
    )
    .await;
    outage.redis.recover();
    outage.postgres.recover();
    let signed_out = played?;
    scene.journal.note("the stores are back");
    recovered(&api, &leaver.grant).await?;
    for victim in &mut victims {
        comes_back(scene, victim, &mut verdict).await?;
    }
    if signed_out {
        leaver
            .must_be_dead(
                std::slice::from_ref(&leaver.grant),
                Column::Survivor,
                &mut verdict,
                "after a sign-out during an outage",
            )
            .await?;
    }
    go_on(scene, &api, victims, &mut verdict).await?;
    Ok(verdict)
}

/// The outage, from its beginning to just before its end. Says whether a sign-out was answered.
async fn misfortune(
    scene: &Scene,
    rng: &mut Rng,
    outage: &Outage,
    plan: Plan,
    victims: &mut [Victim],
    leaver: &Client,
    verdict: &mut Verdict,
) -> Result<bool> {
    let begin = async |after: Duration| {
        pause(after).await;
        scene.journal.note("the stores go");
        plan.begin(outage);
        Instant::now()
    };
    let begun;
    if plan.in_the_middle {
        let after = if plan.how == Failure::Deaf {
            Duration::ZERO
        } else {
            moment(rng, 12)
        };
        let waits: Vec<_> = victims.iter().map(|_| moment(rng, 12)).collect();
        let refreshes = victims
            .iter_mut()
            .zip(waits)
            .map(|(victim, wait)| async move {
                pause(wait).await;
                victim.client.refresh().await.map(|reply| (victim, reply))
            });
        let (at, replies) = tokio::join!(begin(after), try_join_all(refreshes.collect::<Vec<_>>()));
        begun = at;
        for (victim, reply) in replies? {
            match reply.answer {
                Answer::Granted(grant) => victim.client.keep(grant),
                Answer::Unavailable => victim.hit = Some(reply.sent),
                Answer::Refused(code) => verdict.count(
                    Column::Lost,
                    format!("a refresh that the outage hit was refused: {code}"),
                ),
                _ => verdict.count(
                    Column::Other,
                    format!("a refresh that the outage hit: {}", reply.words()),
                ),
            }
        }
    } else {
        begun = begin(Duration::ZERO).await;
    }
    if plan.short {
        return Ok(false);
    }
    let signed_out = leaver.api.sign_out(&leaver.grant, Scope::This).await?;
    if !matches!(signed_out.answer, Answer::Done | Answer::Unavailable) {
        verdict.count(
            Column::Other,
            format!("a sign-out during the outage: {}", signed_out.words()),
        );
    }
    // What is done without being heard must not be asked for again and again: the window passes meanwhile.
    for victim in victims.iter().filter(|_| plan.how != Failure::Deaf) {
        let reply = victim.client.refresh().await?;
        let column = if reply.refusal().is_some() {
            Column::Lost
        } else {
            Column::Other
        };
        if !matches!(reply.answer, Answer::Unavailable) {
            verdict.count(
                column,
                format!("a refresh during the outage: {}", reply.words()),
            );
        }
    }
    until(begun + scene.windows().window(false) + MARGIN).await;
    Ok(matches!(signed_out.answer, Answer::Done))
}

/// Waits until both stores answer the service again; the health check would say so, too, but not every server has one.
async fn recovered(api: &Api, grant: &Grant) -> Result<()> {
    for _ in 0..100 {
        match api.check(grant).await? {
            Some(reply) if matches!(reply.answer, Answer::Unavailable) => {
                sleep(Duration::from_millis(50)).await
            }
            _ => return Ok(()),
        }
    }
    Ok(())
}

/// The token that a client holds works: it was never used, or this is a retry. A plain client whose rotation was made and whose answer was
/// lost to an outage that outlasted its window comes too late, by design.
async fn comes_back(scene: &Scene, victim: &mut Victim, verdict: &mut Verdict) -> Result<()> {
    let client = &mut victim.client;
    let reply = client.insist(&client.grant.refresh).await?;
    let late = victim.hit.is_some_and(|sent| {
        scene
            .windows()
            .may_have_passed(false, reply.received.duration_since(sent))
    });
    match &reply.answer {
        Answer::Granted(grant) => client.keep(grant.clone()),
        Answer::Refused(code)
            if late && !client.shows && scene.profile().says(Reason::Reused, code) =>
        {
            victim.gone = true;
            verdict.hit();
            verdict.count(Column::ByDesign, "");
        }
        Answer::Refused(code) => {
            victim.gone = true;
            verdict.count(
                Column::Lost,
                format!("after an outage the client's token was refused: {code}"),
            );
        }
        _ => verdict.count(Column::Other, format!("after an outage: {}", reply.words())),
    }
    Ok(())
}

/// Who came back goes on in one branch. A successor that is older than a sign-up of now was made before the outage ended.
async fn go_on(
    scene: &Scene,
    api: &Api,
    victims: Vec<Victim>,
    verdict: &mut Verdict,
) -> Result<()> {
    let (_, newcomer) = scene.newcomer(api, false).await?;
    for Victim {
        mut client,
        hit,
        gone,
    } in victims
    {
        if gone {
            continue;
        }
        if hit.is_some() && issued_at(&client.grant.refresh) < issued_at(&newcomer.grant.refresh) {
            verdict.hit();
        }
        let leaves = vec![client.grant.clone()];
        client
            .branch_out(leaves, verdict, "after an outage")
            .await?;
    }
    Ok(())
}

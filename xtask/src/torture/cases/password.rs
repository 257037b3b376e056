//! Refreshes and sign-ins in flight while the password changes.

use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::{try_join_all, try_join3};

use super::{
    observed_session::ObservedSession,
    timing::{delay, pause},
};
use crate::{
    harness::{
        client::Client,
        profile::{Account, Answer},
    },
    torture::{
        round_context::{RoundContext, RoundOutcome, until_available},
        verdict::{RoundFinding, Verdict},
    },
};

const NEW_PASSWORD: &str = "an even better battery";

/// One session changes the password while all refresh and others sign in with the old one. After the response it alone lives: neither
/// older sessions nor those of a sign-in with the old password do, and that password is refused.
pub(super) async fn run(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    let (api, sends_credential) = (ctx.any_replica(rng), ctx.sends_credential(rng));
    let (account, client) = ctx.sign_up(&api, sends_credential).await?;
    let mut sessions = vec![ObservedSession::new(client)];
    for _ in 0..rng.u32(1..=2) {
        let sends_credential = ctx.sends_credential(rng);
        sessions.push(ObservedSession::new(
            ctx.sign_in(&ctx.any_replica(rng), &account, sends_credential)
                .await?,
        ));
    }
    let mut verdict = Verdict::default();
    let mut dice: Vec<Rng> = sessions.iter().map(|_| rng.fork()).collect();
    let tabs: Vec<usize> = sessions.iter().map(|_| rng.usize(..=2)).collect();
    let wait = delay(rng, 8);
    let asking = &sessions[0].client;
    let change = async {
        pause(wait).await;
        until_available(async || {
            asking
                .api
                .change_password(&asking.grant, &account, NEW_PASSWORD)
                .await
        })
        .await
    };
    let races = try_join_all(
        sessions
            .iter()
            .zip(&mut dice)
            .zip(tabs)
            .map(|((session, rng), tabs)| session.race(rng, tabs)),
    );
    let arrivals: Vec<_> = (0..rng.u32(3..=6))
        .map(|_| {
            (
                ctx.any_replica(rng),
                Duration::from_micros(rng.u64(..16_000)),
            )
        })
        .collect();
    let sign_ins = try_join_all(arrivals.iter().map(async |(api, wait)| {
        pause(*wait).await;
        anyhow::Ok((api, api.sign_in(&account, None).await?))
    }));
    let (changed, raced, signed_in) = try_join3(change, races, sign_ins).await?;
    if !matches!(changed.answer, Answer::Done) {
        verdict.count(
            RoundFinding::Other,
            format!("the change of password itself: {}", changed.words()),
        );
        return Ok(verdict);
    }
    let when = "after a change of password";
    // The one that lives comes first: to present a token of a session that has ended may end others.
    for (index, (mut session, replies)) in sessions.into_iter().zip(raced).enumerate() {
        let lives = index == 0;
        session.record(replies, lives, &mut verdict);
        if lives {
            session.must_live(&mut verdict, when).await?;
        } else {
            session.must_be_over(&mut verdict, when).await?;
        }
    }
    for (api, reply) in &signed_in {
        match &reply.answer {
            Answer::Granted(_) => {
                ObservedSession::new(Client::from_reply(api, reply, false)?)
                    .must_be_over(&mut verdict, when)
                    .await?;
            }
            Answer::Refused(_) | Answer::Unavailable => {}
            _ => verdict.count(
                RoundFinding::Other,
                format!("a sign-in in the race: {}", reply.words()),
            ),
        }
    }
    let api = ctx.any_replica(rng);
    let old = until_available(async || api.sign_in(&account, None).await).await?;
    if old.refusal().is_none() {
        verdict.count(
            RoundFinding::Survivor,
            format!("{when}, signing in with the old one: {}", old.words()),
        );
    }
    new_password_works(ctx, rng, account, &mut verdict).await?;
    Ok(verdict)
}

async fn new_password_works(
    ctx: &RoundContext,
    rng: &mut Rng,
    account: Account,
    verdict: &mut Verdict,
) -> Result<()> {
    let account = Account {
        password: NEW_PASSWORD.to_owned(),
        ..account
    };
    let api = ctx.any_replica(rng);
    let reply = until_available(async || api.sign_in(&account, None).await).await?;
    if reply.grant().is_none() {
        verdict.count(
            RoundFinding::Refused,
            format!("the new password is refused: {}", reply.words()),
        );
    }
    Ok(())
}

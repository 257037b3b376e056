//! Refreshes in flight while a sign-out is on its way.

use fastrand::Rng;
use futures_util::future::{try_join, try_join_all};

use super::{
    observed_session::ObservedSession,
    timing::{delay, pause},
};
use crate::{
    harness::{
        api::Reply,
        profile::{Answer, Scope},
    },
    torture::{
        round_context::{RoundContext, RoundOutcome, TortureRun, until_available},
        verdict::{RoundFinding, Verdict},
    },
};

/// The scopes that can be tried.
pub(super) fn scopes(run: &TortureRun) -> Vec<Scope> {
    let siblings = run.has_siblings() && run.has_own_accounts();
    let possible =
        |scope: &Scope| run.profile.scope(*scope).is_some() && (*scope == Scope::This || siblings);
    [Scope::This, Scope::Others, Scope::Everywhere]
        .into_iter()
        .filter(possible)
        .collect()
}

/// One session signs out itself, the others or all, while all of them refresh. After the response nothing of an ended session works, whichever
/// refresh came first; the other sessions go on. A sign-out that is refused is tried once more, and survivors are looked for all the same.
pub(super) async fn run(ctx: &RoundContext, rng: &mut Rng) -> RoundOutcome {
    let scopes = scopes(&ctx.run);
    let scope = scopes[rng.usize(..scopes.len())];
    let sends_credential = ctx.sends_credential(rng);
    let (account, client) = ctx.sign_up(&ctx.any_replica(rng), sends_credential).await?;
    let mut sessions = vec![ObservedSession::new(client)];
    if ctx.run.has_siblings() && ctx.run.has_own_accounts() {
        for _ in 0..rng.u32(1..=2) {
            let sends_credential = ctx.sends_credential(rng);
            sessions.push(ObservedSession::new(
                ctx.sign_in(&ctx.any_replica(rng), &account, sends_credential)
                    .await?,
            ));
        }
    }
    let mut verdict = Verdict::default();
    let mut dice: Vec<Rng> = sessions.iter().map(|_| rng.fork()).collect();
    let tabs: Vec<usize> = sessions.iter().map(|_| rng.usize(..=3)).collect();
    let wait = delay(rng, 8);
    let asking = &sessions[0];
    let sign_out = async {
        pause(wait).await;
        until_available(async || {
            asking
                .client
                .api
                .sign_out(&asking.client.grant, scope)
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
    let (mut signed_out, raced) = try_join(sign_out, races).await?;
    let mut when = format!("after a sign-out ({scope:?})");
    if signed_out.refusal().is_some() {
        // A race may have replaced its token. An honest client tries again with the newest one; what the user asked for still counts.
        verdict.count(
            RoundFinding::Refused,
            format!("the sign-out itself: {}", signed_out.words()),
        );
        let newest = raced[0].iter().rev().find_map(Reply::grant);
        let grant = newest.unwrap_or(&asking.client.grant).clone();
        signed_out =
            until_available(async || asking.client.api.sign_out(&grant, scope).await).await?;
    }
    if !matches!(signed_out.answer, Answer::Done) {
        verdict.count(
            RoundFinding::Other,
            format!("the sign-out itself: {}", signed_out.words()),
        );
        when = format!("after a refused sign-out ({scope:?})");
    }
    let mut judged = Vec::new();
    for (index, (session, replies)) in sessions.into_iter().zip(raced).enumerate() {
        let ended = match scope {
            Scope::This => index == 0,
            Scope::Others => index != 0,
            Scope::Everywhere => true,
        };
        judged.push((ended, session, replies));
    }
    // Those that live come first: to present a token of a session that has ended may end others, and no honest client does it.
    judged.sort_by_key(|(ended, ..)| *ended);
    for (ended, mut session, replies) in judged {
        session.record(replies, !ended, &mut verdict);
        if ended {
            session.must_be_over(&mut verdict, &when).await?;
        } else {
            session.must_live(&mut verdict, &when).await?;
        }
    }
    Ok(verdict)
}

//! Refreshes in flight while a sign-out is on its way.

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::{try_join, try_join_all};

use super::{moment, pause};
use crate::{
    harness::{
        api::Reply,
        client::Client,
        profile::{Answer, Grant, Scope},
    },
    torture::{
        round_context::{Judged, Run, Scene, patiently},
        verdict::{Column, Verdict},
    },
};

/// The scopes that can be tried.
pub(super) fn scopes(run: &Run) -> Vec<Scope> {
    let siblings = run.has_siblings() && run.has_own_accounts();
    let possible =
        |scope: &Scope| run.profile.scope(*scope).is_some() && (*scope == Scope::This || siblings);
    [Scope::This, Scope::Others, Scope::Everywhere]
        .into_iter()
        .filter(possible)
        .collect()
}

/// A session of somebody, and every token of it that was seen.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) seen: Vec<Grant>,
}

impl Session {
    pub(super) fn of(client: Client) -> Self {
        let seen = vec![client.grant.clone()];
        Self { client, seen }
    }

    /// A few tabs that refresh at random moments.
    pub(super) async fn race(&self, rng: &mut Rng, tabs: usize) -> Result<Vec<Reply>> {
        let pauses: Vec<_> = (0..tabs).map(|_| moment(rng, 8)).collect();
        let tabs = pauses.into_iter().map(|wait| async move {
            pause(wait).await;
            self.client.refresh().await
        });
        try_join_all(tabs).await
    }

    /// Keeps what the race brought; in a session that goes on nobody may have been refused.
    pub(super) fn note(&mut self, replies: Vec<Reply>, lives: bool, verdict: &mut Verdict) {
        for reply in replies {
            match reply.answer {
                Answer::Granted(grant) => self.seen.push(grant),
                Answer::Refused(_) if !lives => {}
                Answer::Refused(code) => verdict.count(
                    Column::Lost,
                    format!("a session that goes on was refused: {code}"),
                ),
                _ => verdict.count(
                    Column::Other,
                    format!("a refresh in the race: {}", reply.words()),
                ),
            }
        }
    }

    /// Everything of a session that is over must be dead.
    pub(super) async fn must_be_over(&self, verdict: &mut Verdict, when: &str) -> Result<()> {
        self.client
            .must_be_dead(&self.seen, Column::Survivor, verdict, when)
            .await
    }

    /// A session that was spared goes on, in one branch.
    pub(super) async fn must_live(mut self, verdict: &mut Verdict, when: &str) -> Result<()> {
        // What the race brought replaces what the client held before; that would be a retry.
        let leaves = if self.seen.len() > 1 {
            self.seen.split_off(1)
        } else {
            self.seen
        };
        self.client.branch_out(leaves, verdict, when).await?;
        match self.client.api.check(&self.client.grant).await? {
            Some(reply) if !matches!(reply.answer, Answer::Done) => {
                verdict.count(
                    Column::Lost,
                    format!(
                        "{when}, the access token of a session that goes on: {}",
                        reply.words()
                    ),
                );
            }
            _ => {}
        }
        Ok(())
    }
}

/// One session signs out, itself, the others or all, while all of them refresh. After the answer nothing of an ended session works,
/// whichever refresh came first; the session that is spared goes on.
pub(super) async fn play(scene: &Scene, rng: &mut Rng) -> Judged {
    let scopes = scopes(&scene.run);
    let scope = scopes[rng.usize(..scopes.len())];
    let shows = scene.profile().has_credentials() && rng.bool();
    let (account, client) = scene.newcomer(&scene.any(rng), shows).await?;
    let mut sessions = vec![Session::of(client)];
    if scene.run.has_siblings() && scene.run.has_own_accounts() {
        for _ in 0..rng.u32(1..=2) {
            let shows = scene.profile().has_credentials() && rng.bool();
            sessions.push(Session::of(
                scene.sibling(&scene.any(rng), &account, shows).await?,
            ));
        }
    }
    let mut verdict = Verdict::default();
    let mut dice: Vec<Rng> = sessions.iter().map(|_| rng.fork()).collect();
    let tabs: Vec<usize> = sessions.iter().map(|_| rng.usize(..=3)).collect();
    let wait = moment(rng, 8);
    let asking = &sessions[0];
    let sign_out = async {
        pause(wait).await;
        patiently(async || {
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
    let (signed_out, raced) = try_join(sign_out, races).await?;
    if !matches!(signed_out.answer, Answer::Done) {
        verdict.count(
            Column::Other,
            format!("the sign-out itself: {}", signed_out.words()),
        );
        return Ok(verdict);
    }
    let when = format!("after a sign-out ({scope:?})");
    for (index, (mut session, replies)) in sessions.into_iter().zip(raced).enumerate() {
        let ended = match scope {
            Scope::This => index == 0,
            Scope::Others => index != 0,
            Scope::Everywhere => true,
        };
        session.note(replies, !ended, &mut verdict);
        if ended {
            session.must_be_over(&mut verdict, &when).await?;
        } else {
            session.must_live(&mut verdict, &when).await?;
        }
    }
    Ok(verdict)
}

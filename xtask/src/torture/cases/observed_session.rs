//! A session whose tokens are followed through a race.

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::try_join_all;

use super::timing::{delay, pause};
use crate::{
    harness::{
        api::Reply,
        client::Client,
        profile::{Answer, Grant},
    },
    torture::verdict::{RoundFinding, Verdict},
};

/// A session, and all of its tokens that were seen.
pub(super) struct ObservedSession {
    pub(super) client: Client,
    pub(super) seen: Vec<Grant>,
}

impl ObservedSession {
    pub(super) fn new(client: Client) -> Self {
        let seen = vec![client.grant.clone()];
        Self { client, seen }
    }

    /// Refreshes from so many tabs at random moments.
    pub(super) async fn race(&self, rng: &mut Rng, tabs: usize) -> Result<Vec<Reply>> {
        let pauses: Vec<_> = (0..tabs).map(|_| delay(rng, 8)).collect();
        let tabs = pauses.into_iter().map(|wait| async move {
            pause(wait).await;
            self.client.refresh().await
        });
        try_join_all(tabs).await
    }

    /// Keeps the tokens of a race. In a session that lives no refresh may be refused.
    pub(super) fn record(&mut self, replies: Vec<Reply>, lives: bool, verdict: &mut Verdict) {
        for reply in replies {
            match reply.answer {
                Answer::Granted(grant) => self.seen.push(grant),
                Answer::Refused(_) if !lives => {}
                Answer::Refused(code) => verdict.count(
                    RoundFinding::Refused,
                    format!("a session that goes on was refused: {code}"),
                ),
                _ => verdict.count(
                    RoundFinding::Other,
                    format!("a refresh in the race: {}", reply.words()),
                ),
            }
        }
    }

    /// All tokens of a session that is over must be refused.
    pub(super) async fn must_be_over(&self, verdict: &mut Verdict, when: &str) -> Result<()> {
        self.client
            .must_be_refused(&self.seen, RoundFinding::Survivor, verdict, when)
            .await
    }

    /// A session that lives goes on in one branch.
    pub(super) async fn must_live(mut self, verdict: &mut Verdict, when: &str) -> Result<()> {
        // Tokens of the race replace the one before; presenting that would be a retry.
        let leaves = if self.seen.len() > 1 {
            self.seen.split_off(1)
        } else {
            self.seen
        };
        if !self.client.count_branches(leaves, verdict, when).await? {
            return Ok(());
        }
        match self.client.api.check(&self.client.grant).await? {
            Some(reply) if !matches!(reply.answer, Answer::Done) => {
                verdict.count(
                    RoundFinding::Refused,
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

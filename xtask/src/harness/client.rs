//! Somebody with a client: what it keeps, how an honest one behaves, and how a thief gets a copy.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::time::sleep;

use super::{
    api::{Api, Reply},
    profile::{Answer, Grant},
};
use crate::torture::verdict::{Column, Verdict};

/// An honest client that is told to come back later tries so often, with such pauses.
const ATTEMPTS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(200);

/// A client and what it keeps. A clone is another tab, or a thief's copy of the whole device.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) api: Api,
    pub(crate) grant: Grant,
    /// Whether it shows its device credential, which binds its session.
    pub(crate) shows: bool,
}

impl Client {
    /// The client of a sign-up or sign-in that was answered with tokens.
    pub(crate) fn of(api: &Api, reply: &Reply, shows: bool) -> Result<Self> {
        let grant = reply
            .grant()
            .with_context(|| format!("signing in: {}", reply.words()))?
            .clone();
        if shows && grant.credential.is_none() {
            bail!("signing in brought no device credential");
        }
        Ok(Self {
            api: api.clone(),
            grant,
            shows,
        })
    }

    /// The same client at another instance.
    pub(crate) fn at(&self, api: &Api) -> Self {
        Self {
            api: api.clone(),
            ..self.clone()
        }
    }

    /// The credential that it shows.
    pub(crate) fn credential(&self) -> Option<&str> {
        self.grant.credential.as_deref().filter(|_| self.shows)
    }

    /// Refreshes with what it has and keeps nothing.
    pub(crate) async fn refresh(&self) -> Result<Reply> {
        self.present(&self.grant.refresh).await
    }

    /// Refreshes with any token, by its own credential if it shows one.
    pub(crate) async fn present(&self, token: &str) -> Result<Reply> {
        self.api.refresh(token, self.credential()).await
    }

    /// The same, but comes back for as long as the service is not available or does not answer.
    pub(crate) async fn insist(&self, token: &str) -> Result<Reply> {
        for _ in 0..ATTEMPTS {
            let reply = self.present(token).await?;
            if !matches!(reply.answer, Answer::Unavailable | Answer::Silence(_)) {
                return Ok(reply);
            }
            sleep(PAUSE).await;
        }
        bail!("the service is not available again after {ATTEMPTS} attempts")
    }

    /// Keeps new tokens; a device credential comes only once.
    pub(crate) fn keep(&mut self, grant: Grant) {
        let credential = grant
            .credential
            .clone()
            .or_else(|| self.grant.credential.take());
        self.grant = Grant {
            credential,
            ..grant
        };
    }

    /// Refreshes as part of a case's preparation: anything but success is an error.
    pub(crate) async fn advance(&mut self) -> Result<Reply> {
        let reply = self.insist(&self.grant.refresh).await?;
        let grant = reply
            .grant()
            .with_context(|| format!("a refresh in preparation: {}", reply.words()))?
            .clone();
        self.keep(grant);
        Ok(reply)
    }

    /// Refreshes as an honest client whose session lives; says whether it may go on, and counts it as lost if not.
    pub(crate) async fn go_on(&mut self, verdict: &mut Verdict, when: &str) -> Result<bool> {
        let reply = self.insist(&self.grant.refresh).await?;
        match reply.answer {
            Answer::Granted(grant) => {
                self.keep(grant);
                return Ok(true);
            }
            Answer::Refused(code) => verdict.count(
                Column::Lost,
                format!("{when}, the honest client was refused: {code}"),
            ),
            _ => verdict.count(
                Column::Other,
                format!("{when}, the honest client's refresh: {}", reply.words()),
            ),
        }
        Ok(false)
    }

    /// Presents each of the tokens once and counts how many different successors come of them: the branches that live. The client goes on
    /// with the last.
    pub(crate) async fn branch_out(
        &mut self,
        leaves: Vec<Grant>,
        verdict: &mut Verdict,
        when: &str,
    ) -> Result<bool> {
        let mut leaves = distinct(leaves);
        let mut successors = Vec::new();
        let mut refusal = String::new();
        for leaf in &leaves {
            let reply = self.insist(&leaf.refresh).await?;
            match reply.answer {
                Answer::Granted(grant) => successors.push(grant),
                _ => refusal = reply.words(),
            }
        }
        leaves.clear();
        let mut successors = distinct(successors);
        verdict.branches(u32::try_from(successors.len())?);
        let Some(last) = successors.pop() else {
            verdict.count(
                Column::Lost,
                format!("{when}, no token that the honest client was given works: {refusal}"),
            );
            return Ok(false);
        };
        self.keep(last);
        Ok(true)
    }

    /// Presents a token and uses an access token of a session that is over: what still works is counted in `column`.
    pub(crate) async fn must_be_dead(
        &self,
        grants: &[Grant],
        column: Column,
        verdict: &mut Verdict,
        when: &str,
    ) -> Result<()> {
        for grant in distinct(grants.to_vec()) {
            let reply = self.insist(&grant.refresh).await?;
            judge_dead(
                &reply,
                column,
                verdict,
                &format!(
                    "{when}, refreshing with {}",
                    self.api.journal.name(&grant.refresh)
                ),
            );
            if let Some(reply) = self.api.check(&grant).await? {
                let what = format!(
                    "{when}, the access token that came with {}",
                    self.api.journal.name(&grant.refresh)
                );
                judge_dead(&reply, column, verdict, &what);
            }
        }
        Ok(())
    }
}

fn judge_dead(reply: &Reply, column: Column, verdict: &mut Verdict, what: &str) {
    match reply.answer {
        Answer::Refused(_) => {}
        Answer::Granted(_) | Answer::Done => verdict.count(column, format!("{what} still worked")),
        _ => verdict.count(Column::Other, format!("{what}: {}", reply.words())),
    }
}

/// Each refresh token once, in order.
pub(crate) fn distinct(grants: Vec<Grant>) -> Vec<Grant> {
    let mut kept: Vec<Grant> = Vec::new();
    for grant in grants {
        if kept.iter().all(|known| known.refresh != grant.refresh) {
            kept.push(grant);
        }
    }
    kept
}

/// Waits for a moment: the edge of a window.
pub(crate) async fn until(moment: Instant) {
    tokio::time::sleep_until(moment.into()).await;
}

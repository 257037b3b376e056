//! Sessions that change after the state to which a store is set back, and a thief with a token from before.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::time::sleep;

use super::{rounds::Round, scenario::Scenario};
use crate::harness::{
    api::Reply,
    client::Client,
    profile::{Account, Answer, Grant, Reason, Scope},
};

/// `sessions.retry_free` for faults with this probe: short, so that reuse is detected at once.
pub(super) const RETRY_FREE: &str = "300ms";
const AFTER_RETRY_FREE: Duration = Duration::from_millis(400);
/// `iat` counts seconds: what is minted later than this is another token.
const NEXT_SECOND: Duration = Duration::from_millis(1100);

/// How sessions end after the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndMethod {
    /// One signs itself out.
    Itself,
    /// One signs the others out.
    Others,
    /// One changes the password, which ends the others.
    Password,
}

impl EndMethod {
    pub(super) const ALL: [Self; 3] = [Self::Itself, Self::Others, Self::Password];
}

/// What the store that is set back knows of the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowsAfterRollback {
    /// The rows of users and sessions are in another store, which is not set back.
    Kept,
    /// They are set back as well, so that it forgets which sessions have ended.
    SetBack,
}

/// Four sessions of one user.
pub(super) struct RollbackProbe {
    account: Account,
    ending: EndMethod,
    /// Goes on refreshing; `stolen` is its token of before.
    victim: Client,
    stolen: Grant,
    /// Is bound to its device after the copy, unless it ends.
    bound: Client,
    /// Ends after the copy.
    ended: Client,
    /// Goes on refreshing, unless it ends; `copied` is its token of before, for a thief that catches up.
    forked: Client,
    copied: Grant,
}

impl RollbackProbe {
    /// Begins the sessions, before the copy.
    pub(super) async fn start(
        scenario: &Scenario,
        base: &str,
        ending: EndMethod,
        round: &Round,
    ) -> Result<Self> {
        let (account, mut victim) = scenario.sign_up(base).await?;
        round.keep_journal(victim.api.journal.clone());
        let mut others = Vec::new();
        for _ in 0..3 {
            let reply = victim.api.sign_in(&account, None).await?;
            others.push(Client::from_reply(&victim.api, &reply, false)?);
        }
        let [bound, ended, forked] = others.try_into().ok().context("three sessions")?;
        victim.advance().await?;
        Ok(Self {
            account,
            ending,
            stolen: victim.grant.clone(),
            victim,
            bound,
            ended,
            copied: forked.grant.clone(),
            forked,
        })
    }

    /// What the store will forget: new generations, a binding, the end of sessions.
    pub(super) async fn change(&mut self, scenario: &Scenario, base: &str) -> Result<()> {
        self.move_to(scenario, base);
        self.victim.advance().await?;
        self.victim.advance().await?;
        self.forked.advance().await?;
        self.forked.advance().await?;
        self.bound.sends_credential = true;
        self.bound.advance().await?;
        let (victim, ended) = (&self.victim, &self.ended);
        let reply = match self.ending {
            EndMethod::Itself => ended.api.sign_out(&ended.grant, Scope::This).await?,
            EndMethod::Others => victim.api.sign_out(&victim.grant, Scope::Others).await?,
            EndMethod::Password => {
                let new = "an even better battery";
                victim
                    .api
                    .change_password(&victim.grant, &self.account, new)
                    .await?
            }
        };
        ensure!(
            reply.answer == Answer::Done,
            "the end of sessions, in preparation: {}",
            reply.words()
        );
        Ok(())
    }

    /// Afterwards: ended sessions are dead, what was bound is bound, newer tokens heal the store, a thief with the older one gets in once
    /// at most, and one that catches up with the client before it comes back shares nothing with it.
    pub(super) async fn verify(
        mut self,
        scenario: &Scenario,
        base: &str,
        rows: RowsAfterRollback,
        round: &Round,
    ) -> Result<()> {
        self.move_to(scenario, base);
        if rows == RowsAfterRollback::Kept {
            must_be_over(&self.ended, round).await?;
        }
        if self.ending == EndMethod::Itself {
            self.verify_binding(round).await?;
            self.verify_fork(round).await?;
        } else {
            must_be_over(&self.bound, round).await?;
            must_be_over(&self.forked, round).await?;
        }
        self.verify_theft(round).await
    }

    fn move_to(&mut self, scenario: &Scenario, base: &str) {
        let api = scenario.api(base, &self.victim.api.journal);
        for client in [
            &mut self.victim,
            &mut self.bound,
            &mut self.ended,
            &mut self.forked,
        ] {
            *client = client.at(&api);
        }
    }

    async fn verify_binding(&mut self, round: &Round) -> Result<()> {
        let without_credential = Client {
            sends_credential: false,
            ..self.bound.clone()
        };
        let reply = until_answered(&without_credential, &self.bound.grant).await?;
        let profile = &self.bound.api.profile;
        let refused = reply
            .refusal()
            .is_some_and(|code| profile.says(Reason::Mismatch, code));
        require(round, "bindings after the loss", refused, &reply);
        let healed = until_answered(&self.bound, &self.bound.grant).await?;
        let lives = healed.grant().is_some();
        require(round, "bound sessions that heal", lives, &healed);
        Ok(())
    }

    async fn verify_fork(&self, round: &Round) -> Result<()> {
        sleep(NEXT_SECOND).await;
        let mut thief = Client {
            grant: self.copied.clone(),
            ..self.forked.clone()
        };
        // As often as the client since the copy.
        for _ in 0..2 {
            let loot = until_answered(&thief, &thief.grant).await?;
            let Some(loot) = loot.grant().cloned() else {
                round.record(|findings| findings.check("superseded tokens refused at once"));
                return Ok(());
            };
            thief.keep(loot);
        }
        for client in [&self.forked, &thief] {
            let reply = until_answered(client, &client.grant).await?;
            let caught = reply.refusal() == Some("token_reused");
            require(
                round,
                "second tokens of a generation caught",
                caught,
                &reply,
            );
        }
        Ok(())
    }

    async fn verify_theft(mut self, round: &Round) -> Result<()> {
        let thief = Client {
            grant: self.stolen.clone(),
            ..self.victim.clone()
        };
        let loot = until_answered(&thief, &self.stolen).await?;
        let loot = loot.grant().cloned();
        if loot.is_some() {
            round.record(|findings| findings.check("superseded tokens accepted once"));
        }
        let healed = until_answered(&self.victim, &self.victim.grant).await?;
        let lives = healed.grant().is_some();
        require(round, "newer tokens that heal", lives, &healed);
        self.victim
            .keep(healed.grant().cloned().context("it did not heal")?);
        sleep(AFTER_RETRY_FREE).await;
        if let Some(loot) = loot {
            let reply = until_answered(&thief, &loot).await?;
            let caught = reply.refusal() == Some("token_reused");
            require(round, "superseded chains caught", caught, &reply);
        } else {
            self.victim.advance().await?;
            round.record(|findings| findings.check("superseded tokens refused at once"));
        }
        Ok(())
    }
}

async fn until_answered(client: &Client, grant: &Grant) -> Result<Reply> {
    client.present_until_answered(&grant.refresh).await
}

async fn must_be_over(client: &Client, round: &Round) -> Result<()> {
    let reply = until_answered(client, &client.grant).await?;
    let over = reply.refusal().is_some();
    require(round, "ended sessions after the loss", over, &reply);
    if let Some(reply) = client.api.check(&client.grant).await? {
        let what = "bearer calls of ended sessions after the loss";
        require(round, what, reply.refusal().is_some(), &reply);
    }
    Ok(())
}

fn require(round: &Round, what: &'static str, holds: bool, reply: &Reply) {
    round.record(|findings| {
        findings.require(what, holds, || format!("{what}: {}", reply.words()));
    });
}

//! Somebody whose token was copied just before the white list forgot what came after, and the thief who has the copy.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use super::{rounds::Round, scenario::Town};
use crate::harness::{
    client::Client,
    profile::{Answer, Grant, Scope},
};

/// Free retries for rows with a thief: short, so that reuse shows at once.
pub(super) const RETRY_FREE: &str = "300ms";
const AFTER_RETRY_FREE: Duration = Duration::from_millis(400);

/// A client with a stolen token, and one that is signed out in the time that is forgotten.
pub(super) struct Robbed {
    victim: Client,
    stolen: Grant,
    leaver: Client,
}

impl Robbed {
    /// Before what will be remembered.
    pub(super) async fn enter(town: &Town, base: &str) -> Result<Self> {
        let ((_, mut victim), (_, leaver)) =
            (town.newcomer(base).await?, town.newcomer(base).await?);
        victim.advance().await?;
        Ok(Self {
            stolen: victim.grant.clone(),
            victim,
            leaver,
        })
    }

    /// What will be forgotten: two more generations, and a sign-out.
    pub(super) async fn go_on(&mut self) -> Result<()> {
        self.victim.advance().await?;
        self.victim.advance().await?;
        let reply = self
            .leaver
            .api
            .sign_out(&self.leaver.grant, Scope::This)
            .await?;
        anyhow::ensure!(
            reply.answer == Answer::Done,
            "a sign-out, in preparation: {}",
            reply.words()
        );
        Ok(())
    }

    /// Afterwards: what was ended is dead; the thief may get in once; the victim's newer token heals the white list, and that ends the thief.
    pub(super) async fn judge(mut self, base: &str, town: &Town, round: &Round) -> Result<()> {
        let api = town.api(base, &self.victim.api.journal);
        let reply = self
            .leaver
            .at(&api)
            .present_until_answered(&self.leaver.grant.refresh)
            .await?;
        let over = |what: &'static str, answer: &Answer| {
            let holds = matches!(answer, Answer::Refused(_));
            round.note(|verdict| verdict.require(what, holds, || format!("{what}: {answer:?}")));
        };
        over("ended sessions after the loss", &reply.answer);
        if let Some(reply) = api.check(&self.leaver.grant).await? {
            over(
                "bearer calls of ended sessions after the loss",
                &reply.answer,
            );
        }
        let thief = Client {
            grant: self.stolen.clone(),
            ..self.victim.at(&api)
        };
        let booty = thief
            .present_until_answered(&self.stolen.refresh)
            .await?
            .grant()
            .cloned();
        if booty.is_some() {
            round.note(|verdict| verdict.check("superseded tokens accepted once"));
        }
        self.victim = self.victim.at(&api);
        let healed = self
            .victim
            .present_until_answered(&self.victim.grant.refresh)
            .await?;
        let words = healed.words();
        round.note(|verdict| {
            verdict.require("newer tokens that heal", healed.grant().is_some(), || {
                format!("an honest newer token: {words}")
            });
        });
        self.victim
            .keep(healed.grant().cloned().context("it did not heal")?);
        sleep(AFTER_RETRY_FREE).await;
        if let Some(booty) = booty {
            let reply = thief.present_until_answered(&booty.refresh).await?;
            let caught = reply.refusal() == Some("token_reused");
            let words = reply.words();
            round.note(|verdict| {
                verdict.require("superseded chains caught", caught, || {
                    format!("the thief's token afterwards: {words}")
                })
            });
        } else {
            self.victim.advance().await?;
            round.note(|verdict| verdict.check("superseded tokens refused at once"));
        }
        Ok(())
    }
}

//! A round: a person asks for a mail, the robot works it, and then the person finishes: by its code in another client, or by its link in the one
//! that asked.

use std::future::ready;

use anyhow::{Context as _, Result, ensure};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{
    people::{Asked, Client, NEW_PASSWORD, Network, PASSWORD, World, api},
    received::Mail,
};
use crate::attack::findings::Findings;

/// What the person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Story {
    /// An account, which there is only once its mailbox is proved.
    SignUp,
    /// To verify the address, by the mail of the sign-up.
    Verify,
    /// The same, by another mail.
    VerifyAgain,
    Recover,
    SignInByCode,
    ChangeAddress,
    /// The old address back.
    UndoChange,
}

const STORIES: [Story; 7] = [
    Story::SignUp,
    Story::Verify,
    Story::VerifyAgain,
    Story::Recover,
    Story::SignInByCode,
    Story::ChangeAddress,
    Story::UndoChange,
];

/// How the person finishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finish {
    Code,
    Link,
}

struct Round<'a> {
    world: &'a World,
    number: usize,
    email: String,
    finish: Finish,
}

/// Plays so many rounds, some at once. Finds those in which the person could not finish.
pub(super) async fn play(world: &World, rounds: usize, at_once: usize) -> Findings {
    let all = stream::iter(0..rounds).map(|number| async move {
        let (story, finish) = plan(number);
        let round = Round {
            world,
            number,
            email: format!("round-{number}@example.org"),
            finish,
        };
        let lost = round.play(story).await.err();
        lost.map(|error| format!("round {number}, {story:?} by {finish:?}: {error:#}"))
    });
    let lost = all.buffer_unordered(at_once.max(1)).filter_map(ready);
    let note = |mut findings: Findings, what| {
        findings.note(what);
        ready(findings)
    };
    lost.fold(Findings::default(), note).await
}

/// Every story in turn, and each both ways.
fn plan(number: usize) -> (Story, Finish) {
    let finish = if (number / STORIES.len()).is_multiple_of(2) {
        Finish::Code
    } else {
        Finish::Link
    };
    (STORIES[number % STORIES.len()], finish)
}

impl Round<'_> {
    async fn play(&self, story: Story) -> Result<()> {
        match story {
            Story::SignUp => self.sign_up(self.finish).await.map(drop),
            Story::Verify => self.verify(false).await,
            Story::VerifyAgain => self.verify(true).await,
            Story::Recover => self.recover().await,
            Story::SignInByCode => self.sign_in_by_code().await,
            Story::ChangeAddress => self.change_address(self.finish).await.map(drop),
            Story::UndoChange => self.undo_change().await,
        }
    }

    /// Signs up where the mailbox has to be proved; the client that is signed in then.
    async fn sign_up(&self, finish: Finish) -> Result<Client> {
        let body = json!({ "email": self.email, "password": PASSWORD });
        let asked = self.ask(&self.home(), "/signup", &body).await?;
        let mail = self.world.mail(&asked.proof).await?;
        let (client, mut body) = self.shown(&asked, &mail, finish)?;
        if finish == Finish::Code {
            body["password"] = json!(PASSWORD);
        }
        let session = self.begin(&client, "/signup/confirm", &body, 201).await?;
        self.world.look_for_sessions(&session, 1).await?;
        Ok(session)
    }

    /// Signs up where the mailbox may be proved, and proves it.
    async fn verify(&self, again: bool) -> Result<()> {
        let world = self.world;
        let body = json!({ "email": self.email, "password": PASSWORD });
        let sign_up = ("POST", api(&world.optional, "/signup"));
        let (_, answer) = world.call(&self.home(), sign_up, Some(&body), 201).await?;
        let session = self.home().signed_in(&answer)?;
        // Without a session: by its device this client is the one that asked.
        let device = Client {
            device: Some(answer.text("/device/credential")?),
            ..self.home()
        };
        let first = Asked {
            proof: answer.text("/proof/id")?,
            by: device,
        };
        world.expect(&first.proof);
        let mut mail = world.mail(&first.proof).await?;
        let mut asked = first;
        if again {
            self.is_untouched(&session, "emailVerified", &json!(false))
                .await?;
            let verify = ("POST", api(&world.optional, "/email/verify"));
            asked = world.ask(&session, verify, None).await?;
            mail = world.mail(&asked.proof).await?;
        }
        self.is_untouched(&session, "emailVerified", &json!(false))
            .await?;
        self.confirm_email(&asked, &mail, self.finish).await?;
        let account = world.account(&session).await?;
        ensure!(
            account["emailVerified"] == true,
            "the address is not verified"
        );
        self.look_for_sessions(&session, self.finish).await
    }

    async fn recover(&self) -> Result<()> {
        let session = self.sign_up(Finish::Code).await?;
        let body = json!({ "email": self.email });
        let asked = self.ask(&self.home(), "/recovery", &body).await?;
        let mail = self.world.mail(&asked.proof).await?;
        self.world.look_for_sessions(&session, 1).await?;
        let (client, mut body) = self.shown(&asked, &mail, self.finish)?;
        body["newPassword"] = json!(NEW_PASSWORD);
        let session = self.begin(&client, "/recovery/confirm", &body, 200).await?;
        self.world.look_for_sessions(&session, 1).await
    }

    /// Changes the address; what undoes it, with its mail.
    /// Signs in beside the session of the sign-up.
    async fn sign_in_by_code(&self) -> Result<()> {
        let session = self.sign_up(Finish::Code).await?;
        let body = json!({ "email": self.email });
        let asked = self.ask(&self.home(), "/signin/code", &body).await?;
        let mail = self.world.mail(&asked.proof).await?;
        self.world.look_for_sessions(&session, 1).await?;
        let (client, body) = self.shown(&asked, &mail, self.finish)?;
        let session = self
            .begin(&client, "/signin/code/confirm", &body, 200)
            .await?;
        self.world.look_for_sessions(&session, 2).await
    }

    async fn change_address(&self, finish: Finish) -> Result<(Asked, Mail)> {
        let world = self.world;
        let session = self.sign_up(Finish::Code).await?;
        let new = format!("round-{}@example.net", self.number);
        let body = json!({ "email": new, "currentPassword": PASSWORD });
        let change = ("PUT", api(&world.required, "/details"));
        let asked = world.ask(&session, change, Some(&body)).await?;
        let mail = world.mail(&asked.proof).await?;
        self.is_untouched(&session, "email", &json!(self.email))
            .await?;
        self.confirm_email(&asked, &mail, finish).await?;
        // To the old address, with a proof that no answer has named.
        let known = world.asked();
        let undoes = |mail: &Mail| {
            let proof = mail.proof().filter(|proof| !known.contains(&proof.id));
            mail.to == self.email && proof.is_some()
        };
        let told = world
            .letters
            .wait_for(undoes)
            .await
            .context("of the change")?;
        let proof = told.proof().context("the mail has no link")?.id;
        world.expect(&proof);
        let account = world.account(&session).await?;
        ensure!(account["email"] == new, "the address is not changed");
        self.look_for_sessions(&session, finish).await?;
        // It counts where the change was asked for, without a session.
        let by = Client {
            id_token: None,
            ..asked.by
        };
        Ok((Asked { proof, by }, told))
    }

    async fn undo_change(&self) -> Result<()> {
        let (asked, told) = self.change_address(Finish::Link).await?;
        let (client, mut body) = self.shown(&asked, &told, self.finish)?;
        body["newPassword"] = json!(NEW_PASSWORD);
        let session = self
            .begin(&client, "/email/undo/confirm", &body, 200)
            .await?;
        self.is_untouched(&session, "email", &json!(self.email))
            .await
    }

    /// Confirms an address, by its code in another session.
    async fn confirm_email(&self, asked: &Asked, mail: &Mail, finish: Finish) -> Result<()> {
        let (mut client, body) = self.shown(asked, mail, finish)?;
        if finish == Finish::Code {
            let password = json!({ "email": self.email, "password": PASSWORD });
            client = self.begin(&client, "/signin", &password, 200).await?;
        }
        let confirm = ("POST", api(&self.world.required, "/email/confirm"));
        let confirmed = self.world.call(&client, confirm, Some(&body), 204).await;
        confirmed.map(drop)
    }

    /// The client that finishes, and what it shows of the mail.
    fn shown(&self, asked: &Asked, mail: &Mail, finish: Finish) -> Result<(Client, Value)> {
        Ok(match finish {
            Finish::Code => (
                Client::at(Network::Elsewhere.address(self.number)),
                asked.by_code(mail)?,
            ),
            Finish::Link => (asked.by.clone(), asked.by_link(mail)?),
        })
    }

    async fn ask(&self, client: &Client, path: &str, body: &Value) -> Result<Asked> {
        let to = ("POST", api(&self.world.required, path));
        self.world.ask(client, to, Some(body)).await
    }

    /// Begins a session.
    async fn begin(
        &self,
        client: &Client,
        path: &str,
        body: &Value,
        status: u16,
    ) -> Result<Client> {
        let to = ("POST", api(&self.world.required, path));
        let (_, answer) = self.world.call(client, to, Some(body), status).await?;
        client.signed_in(&answer)
    }

    /// The account's member is what it was before the robot, and so are its sessions.
    async fn is_untouched(&self, session: &Client, member: &str, value: &Value) -> Result<()> {
        let account = self.world.account(session).await?;
        ensure!(account[member] == *value, "{member} is {}", account[member]);
        self.world.look_for_sessions(session, 1).await
    }

    /// The code was confirmed in a session of its own.
    async fn look_for_sessions(&self, session: &Client, finish: Finish) -> Result<()> {
        let own = match finish {
            Finish::Code => 2,
            Finish::Link => 1,
        };
        self.world.look_for_sessions(session, own).await
    }

    fn home(&self) -> Client {
        Client::at(Network::Home.address(self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_story_is_played_both_ways() {
        let mut seen = Vec::new();
        for number in 0..2 * STORIES.len() {
            let planned = plan(number);
            assert!(!seen.contains(&planned), "{planned:?}");
            seen.push(planned);
        }
        assert_eq!(plan(2 * STORIES.len()), plan(0));
    }
}

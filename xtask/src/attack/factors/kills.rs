//! The service is killed between the steps of sign-ins, and in the middle of second steps and set-ups. Afterwards each is done or not done.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::person::{FirstStep, Network, Person, Replica, SetUp};
use crate::{
    attack::{client::Client, findings::Findings, target::ServiceUnderAttack},
    harness::http::{HttpClient, Response},
};

/// The first kill comes at a random time within this.
const WITHIN: Duration = Duration::from_millis(60);
/// Who is at it when the service is killed, and with what.
const PEOPLE: [Act; 6] = [
    Act::Between,
    Act::SecondStep("totp"),
    Act::SecondStep("recoveryCode"),
    Act::SecondStep("totp"),
    Act::App,
    Act::Passkey,
];

/// All of them but one send something.
const REQUESTS: usize = PEOPLE.len() - 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    /// Has done the first step, and does the second one after the restart.
    Between,
    SecondStep(&'static str),
    App,
    Passkey,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct KillCounts {
    pub(super) kills: u64,
    /// Requests that were answered before the kill.
    pub(super) answered: u64,
    /// Those that were not, and whose commit had come through.
    pub(super) done: u64,
    /// Those that were not, and had left nothing.
    pub(super) undone: u64,
    /// What was half, or shut its owner out.
    pub(super) broken: Findings,
}

/// What is sent when the kill comes.
enum Prepared {
    Step(FirstStep, &'static str, Value),
    SetUp(SetUp),
}

struct Player {
    act: Act,
    person: Person,
    prepared: Prepared,
}

/// Kills the service so many times.
pub(super) async fn play(service: &mut ServiceUnderAttack, kills: usize) -> Result<KillCounts> {
    let http = HttpClient::new()?;
    let (mut counts, mut within) = (KillCounts::default(), WITHIN);
    for kill in 0..kills {
        let before = replica(&http, service);
        let mut players = Vec::new();
        for (number, act) in PEOPLE.into_iter().enumerate() {
            let number = kill * PEOPLE.len() + number;
            players.push(Player::prepare(&before, act, number).await?);
        }
        let sent = join_all(players.iter().map(|player| player.send(&before)));
        let at = within.mul_f64(fastrand::f64());
        let killed = async {
            sleep(at).await;
            service.kill().await
        };
        let (answers, killed) = tokio::join!(sent, killed);
        killed?;
        // So that kills fall among the requests, on a slow machine as well.
        within = match answers.iter().flatten().count() {
            0 => within * 3 / 2,
            few if few < REQUESTS => within,
            _ => within / 2,
        };
        service.restart().await?;
        let after = replica(&http, service);
        for (mut player, answer) in players.into_iter().zip(answers) {
            let was_sent = player.act != Act::Between;
            counts.answered += u64::from(answer.is_some());
            let outcome = player.finish(&after, answer.as_ref()).await;
            match outcome {
                Ok(done) if was_sent && answer.is_none() => {
                    counts.done += u64::from(done);
                    counts.undone += u64::from(!done);
                }
                Ok(_) => {}
                Err(error) => counts.broken.note(format!(
                    "{:?} of {}, killed after {at:?}, answered {:?}: {error:#}",
                    player.act,
                    player.person.email,
                    answer.map(|answer| answer.status)
                )),
            }
        }
        counts.kills += 1;
    }
    Ok(counts)
}

fn replica(http: &HttpClient, service: &ServiceUnderAttack) -> Replica {
    Replica {
        http: http.clone(),
        url: service.url().to_owned(),
    }
}

impl Player {
    async fn prepare(replica: &Replica, act: Act, number: usize) -> Result<Self> {
        let email = format!("kill-{number}@example.org");
        let home = Network::Home.address(0x1_0000 + number);
        let (person, prepared) = match act {
            Act::Between | Act::SecondStep(_) => {
                let mut person = replica.sign_up_with_app(email, home).await?;
                let client = Client::at(person.client.address.clone());
                let step = replica.first_step(&client, &person.email).await?;
                let (member, code) = match act {
                    Act::SecondStep("recoveryCode") => ("recoveryCode", person.codes[1].clone()),
                    _ => ("totp", person.app.code()?),
                };
                (person, Prepared::Step(step, member, json!(code)))
            }
            Act::App | Act::Passkey => {
                let mut person = replica.sign_up(email, home).await?;
                let set_up = match act {
                    Act::App => replica.app_set_up(&mut person).await?,
                    _ => replica.passkey_set_up(&mut person).await?,
                };
                (person, Prepared::SetUp(set_up))
            }
        };
        Ok(Self {
            act,
            person,
            prepared,
        })
    }

    /// The answer, if there is one.
    async fn send(&self, replica: &Replica) -> Option<Response> {
        if self.act == Act::Between {
            return None;
        }
        self.again(replica).await.ok()
    }

    async fn again(&self, replica: &Replica) -> Result<Response> {
        match &self.prepared {
            Prepared::Step(step, member, code) => replica.second_step(step, member, code).await,
            Prepared::SetUp(set_up) => replica.finish(&self.person, set_up).await,
        }
    }

    /// Whether it was done before the restart. Fails if it is half, or if the person can't sign in.
    async fn finish(&mut self, replica: &Replica, answer: Option<&Response>) -> Result<bool> {
        if let Some(answer) = answer {
            ensure!(answer.is_success(), "{}", answer.code());
        }
        let done = match self.act {
            Act::Between | Act::SecondStep(_) => self.finish_step(replica).await?,
            Act::App | Act::Passkey => self.finish_set_up(replica, answer).await?,
        };
        ensure!(done || answer.is_none(), "what was answered is not kept");
        self.sign_in(replica).await.context("shut out")?;
        Ok(done)
    }

    /// Either the challenge counts with its code, or both are spent and the session lives.
    async fn finish_step(&self, replica: &Replica) -> Result<bool> {
        let again = self.again(replica).await?;
        let done = match (again.status, again.code().as_str()) {
            (200, _) => false,
            (410, "challenge_gone") => true,
            (status, code) => anyhow::bail!("half: then {status} {code}"),
        };
        let sessions = replica.sessions(&self.person).await?;
        ensure!(sessions == 2, "half: {sessions} sessions, done: {done}");
        Ok(done)
    }

    /// Either there is a factor with recovery codes, or there is nothing and it can be finished.
    async fn finish_set_up(
        &mut self,
        replica: &Replica,
        answer: Option<&Response>,
    ) -> Result<bool> {
        let factors = replica.get(&self.person, "/factors").await?;
        let done = factors["totp"]["confirmedAt"].is_string()
            || factors["passkeys"]
                .as_array()
                .is_some_and(|keys| !keys.is_empty());
        let codes = &factors["recoveryCodes"]["left"];
        let whole = if done { json!(10) } else { Value::Null };
        ensure!(
            *codes == whole,
            "half: {codes} recovery codes, done: {done}"
        );
        match answer {
            Some(answer) => self.person.keep_codes(answer)?,
            None if !done => {
                let again = self.again(replica).await?;
                ensure!(again.is_success(), "half: then {}", again.code());
                self.person.keep_codes(&again)?;
            }
            None => {}
        }
        Ok(done)
    }

    /// With a factor that was not shown yet, on a client of its own.
    async fn sign_in(&mut self, replica: &Replica) -> Result<()> {
        let address = Network::Elsewhere.address(0);
        if self.act == Act::Passkey {
            return replica.sign_in_by_passkey(&self.person, address).await;
        }
        let client = Client::at(address);
        let step = replica.first_step(&client, &self.person.email).await?;
        let (member, code) = match self.person.codes.last() {
            Some(code) => ("recoveryCode", code.clone()),
            None => ("totp", self.person.app.code()?),
        };
        let answer = replica.second_step(&step, member, &json!(code)).await?;
        self.person.begin(&step.client, &answer)
    }
}

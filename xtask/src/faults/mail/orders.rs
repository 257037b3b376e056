//! Clients that order mails by their requests, and remember what was promised.

use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    claims::{MailKind, Promise, Taken},
    taken::TakenMails,
};
use crate::{
    faults::{
        clients::{BEFORE, beside},
        rounds::Round,
        scenario::Scenario,
    },
    harness::{
        api::{Api, Reply},
        http::{Request, Response},
        journal::Journal,
        profile::Answer,
    },
};

const CLIENTS: usize = 4;
/// Between two requests of a client.
const PAUSE: Duration = Duration::from_millis(30);
/// So many times a request is sent until it is answered.
const ATTEMPTS: u32 = 200;
const PASSWORD: &str = "correct horse battery";
const NEW_PASSWORD: &str = "correct horse battery anew";

/// The domain of half of all recipients; the others share three.
pub(in crate::faults) const BUSY_DOMAIN: &str = "busy.example.org";
const DOMAINS: [&str; 3] = ["one.example.org", "two.example.org", "three.example.org"];

/// A request that orders a mail, or must not.
#[derive(Debug)]
pub(in crate::faults) struct Order {
    pub(in crate::faults) address: String,
    pub(in crate::faults) kind: MailKind,
    pub(in crate::faults) promise: Promise,
    /// The proof that the answer names.
    pub(super) proof: Option<String>,
}

impl Order {
    pub(super) fn words(&self) -> String {
        format!("{} to {}", self.kind.name(), self.address)
    }
}

/// Whether it is the address of a client here.
pub(super) fn is_of_a_client(address: &str) -> bool {
    let domain = address.rsplit('@').next().unwrap_or_default();
    domain == BUSY_DOMAIN || DOMAINS.contains(&domain)
}

struct MailClient {
    /// Accounts whose passwords nobody has forgotten yet.
    accounts: Vec<String>,
    orders: Vec<Order>,
    journal: Journal,
}

/// The clients of a round.
pub(in crate::faults) struct MailClients(Vec<MailClient>);

impl MailClients {
    pub(in crate::faults) fn new() -> Self {
        let client = |_| MailClient {
            accounts: Vec::new(),
            orders: Vec::new(),
            journal: Journal::new(),
        };
        Self((0..CLIENTS).map(client).collect())
    }

    /// The clients run, the fault happens at a random moment, and they go on.
    pub(in crate::faults) async fn run<T>(
        &mut self,
        scenario: &Scenario,
        round: &mut Round,
        fault: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        for client in &self.0 {
            round.keep_journal(client.journal.clone());
        }
        scenario.begin();
        let before = Duration::from_micros(round.rng.u64(BEFORE));
        let running = self
            .0
            .iter_mut()
            .map(|client| client.run(scenario, round.rng.fork()))
            .collect();
        let outcome = beside(scenario, before, running, fault).await;
        // Also if the round failed.
        let findings = scenario.take_findings();
        round.record(|total| total.merge(findings));
        outcome
    }

    pub(in crate::faults) fn orders(&self) -> impl Iterator<Item = &Order> {
        self.0.iter().flat_map(|client| &client.orders)
    }

    /// Requires that what the mails prove is in the store.
    pub(super) async fn confirm(
        &self,
        scenario: &Scenario,
        round: &mut Round,
        mails: &TakenMails,
    ) -> Result<()> {
        let confirming: Vec<_> = self
            .0
            .iter()
            .map(|client| client.confirm(scenario, round.rng.fork(), mails))
            .collect();
        try_join_all(confirming).await.map(drop)
    }
}

impl MailClient {
    async fn run(&mut self, scenario: &Scenario, mut rng: Rng) -> Result<()> {
        while !scenario.is_stopped() {
            let api = scenario.any_replica(&mut rng, &self.journal);
            match rng.u32(..8) {
                0 => {
                    let nobody = new_address(scenario, &mut rng);
                    let order = recover(scenario, &api, nobody).await?;
                    self.orders.push(Order {
                        promise: Promise::Never,
                        ..order
                    });
                }
                1..4 if !self.accounts.is_empty() => {
                    let account = self.accounts.swap_remove(rng.usize(..self.accounts.len()));
                    self.orders.push(recover(scenario, &api, account).await?);
                }
                _ => self.sign_up(scenario, &api, &mut rng).await?,
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn confirm(&self, scenario: &Scenario, mut rng: Rng, mails: &TakenMails) -> Result<()> {
        for order in &self.orders {
            if let Some(mail) = mails.of(&order.address, order.kind).first() {
                let api = scenario.any_replica(&mut rng, &self.journal);
                confirm(scenario, &api, order, mail).await?;
            }
        }
        Ok(())
    }

    /// The mail that verifies the address is ordered after the account is made. It is promised if the answer names its proof.
    async fn sign_up(&mut self, scenario: &Scenario, api: &Api, rng: &mut Rng) -> Result<()> {
        let address = new_address(scenario, rng);
        let body = json!({ "email": address, "password": PASSWORD });
        let (answer, response) = ask(scenario, api, "/signup", &body).await?;
        let proof = response.and_then(|response| response.text("/proof/id").ok());
        if answer == Answer::Done {
            self.accounts.push(address.clone());
        }
        self.orders.push(Order {
            address,
            kind: MailKind::VerifyEmail,
            promise: promise(proof.as_ref()),
            proof,
        });
        Ok(())
    }
}

fn promise(proof: Option<&String>) -> Promise {
    if proof.is_some() {
        Promise::Sent
    } else {
        Promise::Perhaps
    }
}

/// A number is the last character of its local part.
fn new_address(scenario: &Scenario, rng: &mut Rng) -> String {
    let domain = if rng.bool() {
        BUSY_DOMAIN
    } else {
        DOMAINS[rng.usize(..DOMAINS.len())]
    };
    let address = scenario.new_email();
    let local = address.split('@').next().unwrap_or_default();
    format!("{local}@{domain}")
}

async fn recover(scenario: &Scenario, api: &Api, address: String) -> Result<Order> {
    let body = json!({ "email": address });
    let (_, response) = ask(scenario, api, "/recovery", &body).await?;
    let proof = response.and_then(|response| response.text("/proof/id").ok());
    Ok(Order {
        address,
        kind: MailKind::ResetPassword,
        promise: promise(proof.as_ref()),
        proof,
    })
}

/// A mail is there, so its account can sign in, or its proof sets a new password.
async fn confirm(scenario: &Scenario, api: &Api, order: &Order, mail: &Taken) -> Result<()> {
    let (path, body) = match order.kind {
        MailKind::VerifyEmail => (
            "/signin",
            json!({ "email": order.address, "password": PASSWORD }),
        ),
        MailKind::ResetPassword => (
            "/recovery/confirm",
            json!({ "proof": mail.proof, "code": mail.code, "newPassword": NEW_PASSWORD }),
        ),
    };
    for _ in 0..ATTEMPTS {
        match send(scenario, api, path, &body).await?.0 {
            Answer::Done => scenario.check("mails whose cause is in the store"),
            Answer::Unavailable | Answer::Silence(_) => {
                sleep(PAUSE).await;
                continue;
            }
            answer => scenario.violate(&format!(
                "{}: it was sent, and {path} answers {answer:?}",
                order.words()
            )),
        }
        return Ok(());
    }
    scenario.violate(&format!("{path} is not answered in {ATTEMPTS} attempts"));
    Ok(())
}

/// Sends a request that must succeed if it is answered at all.
async fn ask(
    scenario: &Scenario,
    api: &Api,
    path: &str,
    body: &Value,
) -> Result<(Answer, Option<Response>)> {
    let (answer, response) = send(scenario, api, path, body).await?;
    if let Answer::Odd(what) = &answer {
        scenario.violate(&format!("{path}: {what}"));
    }
    Ok((answer, response))
}

/// Sends a request, and records its time. A response is there if it was a success.
async fn send(
    scenario: &Scenario,
    api: &Api,
    path: &str,
    body: &Value,
) -> Result<(Answer, Option<Response>)> {
    let request = Request::post(&format!("{}/api/account{path}", api.base), body)?;
    let sent = Instant::now();
    let response = api.http.send(&request).await;
    let received = Instant::now();
    let answer = match &response {
        Ok(response) if response.is_success() => Answer::Done,
        Ok(response) if response.status == 503 => Answer::Unavailable,
        Ok(response) => Answer::Odd(format!("status {} {}", response.status, response.code())),
        Err(error) => Answer::Silence(error.root_cause().to_string()),
    };
    let reply = scenario.record(Reply {
        sent,
        received,
        answer,
    });
    api.journal.note(&format!(
        "{path} {} → {} [{} ms]",
        body["email"].as_str().unwrap_or_default(),
        reply.words(),
        received.duration_since(sent).as_millis()
    ));
    let response = response.ok().filter(Response::is_success);
    Ok((reply.answer, response))
}

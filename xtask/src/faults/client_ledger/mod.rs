//! An honest client that remembers every acknowledgement and holds the service to it.

mod verify;

use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use tokio::time::sleep;

use super::{
    claims::{Claim, Judgement, judge},
    scenario::Scenario,
};
use crate::harness::{
    api::{Api, Reply},
    client::Client,
    journal::Journal,
    profile::{Account, Answer, Grant, Scope},
};

/// Before a request without an answer is repeated.
const PAUSE: Duration = Duration::from_millis(20);
/// After a fault every request is answered within so many attempts: eight seconds and the time of the answers.
const ATTEMPTS: u32 = 400;
/// So many sign-outs are remembered.
const REMEMBERED: usize = 6;
/// The answer to a sign-up whose address is taken.
const TAKEN: &str = "status 409 email_taken";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AccountState {
    Absent,
    /// A sign-up was not answered.
    Unknown,
    Present,
}

struct OpenSession {
    client: Client,
    /// When the sign-in was sent and answered.
    begun: (Instant, Instant),
    /// A sign-out was sent and not answered.
    signing_out: bool,
}

impl OpenSession {
    fn claim(&self) -> Claim {
        let (asked, answered) = self.begun;
        Claim::Lives { asked, answered }
    }
}

/// What one client knows.
pub(super) struct ClientLedger {
    account: Account,
    account_state: AccountState,
    /// A new password whose change was not answered.
    unconfirmed_password: Option<String>,
    /// The last password that was replaced.
    replaced_password: Option<String>,
    session: Option<OpenSession>,
    ended: Vec<Grant>,
    /// Whether its sessions are bound to its device.
    sends_credential: bool,
    password_changes: u32,
    attempts: u32,
    journal: Journal,
}

impl ClientLedger {
    pub(super) fn new(email: String, sends_credential: bool) -> Self {
        let account = Account {
            user: email,
            password: "correct horse battery 0".to_owned(),
        };
        Self {
            account,
            account_state: AccountState::Absent,
            unconfirmed_password: None,
            replaced_password: None,
            session: None,
            ended: Vec::new(),
            sends_credential,
            password_changes: 0,
            attempts: ATTEMPTS,
            journal: Journal::new(),
        }
    }

    /// Starts a new journal.
    pub(super) fn new_journal(&mut self) -> Journal {
        self.journal = Journal::new();
        self.journal.clone()
    }

    pub(super) fn client(&self) -> Option<&Client> {
        self.session.as_ref().map(|session| &session.client)
    }

    /// Uses the service until the scenario stops.
    pub(super) async fn run(&mut self, scenario: &Scenario, mut rng: Rng) -> Result<()> {
        while !scenario.is_stopped() {
            if !self.step(scenario, &mut rng).await? {
                sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    /// Sends one request; false if it was not answered.
    async fn step(&mut self, scenario: &Scenario, rng: &mut Rng) -> Result<bool> {
        let api = scenario.any_replica(rng, &self.journal);
        let Some(session) = &self.session else {
            return if self.account_state == AccountState::Present {
                self.sign_in(scenario, &api).await
            } else {
                self.sign_up(scenario, &api).await
            };
        };
        if session.signing_out {
            return self.sign_out(scenario, &api).await;
        }
        let operation = rng.u32(..100);
        if scenario.refreshes_only() {
            return self.refresh(scenario, &api).await;
        }
        match operation {
            0..8 => self.sign_out(scenario, &api).await,
            8..16 if self.unconfirmed_password.is_none() => {
                self.change_password(scenario, &api).await
            }
            16..30 => self.use_id_token(scenario, &api).await,
            _ => self.refresh(scenario, &api).await,
        }
    }

    async fn sign_up(&mut self, scenario: &Scenario, api: &Api) -> Result<bool> {
        let reply = scenario.record(api.sign_up(&self.account).await?);
        match &reply.answer {
            Answer::Granted(_) => {
                self.account_state = AccountState::Present;
                self.begin(api, &reply)?;
                scenario.check("sign-ups");
            }
            Answer::Unavailable | Answer::Silence(_) => {
                self.account_state = AccountState::Unknown;
                return Ok(false);
            }
            Answer::Odd(what) if what == TAKEN && self.account_state == AccountState::Unknown => {
                self.account_state = AccountState::Present;
            }
            _ => scenario.violate(&format!("a sign-up: {}", reply.words())),
        }
        Ok(true)
    }

    async fn sign_in(&mut self, scenario: &Scenario, api: &Api) -> Result<bool> {
        let reply = scenario.record(api.sign_in(&self.account, None).await?);
        match judge(Claim::Password, &reply.answer, scenario.losses()) {
            Judgement::Kept => {
                self.begin(api, &reply)?;
                scenario.check("sign-ins");
            }
            Judgement::Later => return Ok(false),
            Judgement::Excused => unreachable!("only sessions are excused"),
            Judgement::Broken(why) => match self.unconfirmed_password.clone() {
                // The change succeeded after all.
                Some(new) if reply.refusal().is_some() => {
                    self.replace_password(new);
                    self.unconfirmed_password = None;
                }
                _ => scenario.violate(&why),
            },
        }
        Ok(true)
    }

    fn begin(&mut self, api: &Api, reply: &Reply) -> Result<()> {
        let client = Client::from_reply(api, reply, self.sends_credential)?;
        self.session = Some(OpenSession {
            client,
            begun: (reply.sent, reply.received),
            signing_out: false,
        });
        Ok(())
    }

    fn replace_password(&mut self, new: String) {
        self.replaced_password = Some(std::mem::replace(&mut self.account.password, new));
    }

    async fn refresh(&mut self, scenario: &Scenario, api: &Api) -> Result<bool> {
        let Some(session) = &mut self.session else {
            return Ok(true);
        };
        let reply = scenario.record(session.client.at(api).refresh().await?);
        if let Answer::Granted(grant) = &reply.answer {
            session.client.keep(grant.clone());
        }
        let claim = session.claim();
        Ok(self.judge(scenario, claim, &reply, "refreshes"))
    }

    async fn use_id_token(&mut self, scenario: &Scenario, api: &Api) -> Result<bool> {
        let Some(session) = &self.session else {
            return Ok(true);
        };
        let Some(reply) = api.check(&session.client.grant).await? else {
            return Ok(true);
        };
        let claim = session.claim();
        Ok(self.judge(scenario, claim, &scenario.record(reply), "bearer calls"))
    }

    async fn sign_out(&mut self, scenario: &Scenario, api: &Api) -> Result<bool> {
        let Some(session) = &mut self.session else {
            return Ok(true);
        };
        let reply = scenario.record(api.sign_out(&session.client.grant, Scope::This).await?);
        let over = match &reply.answer {
            Answer::Done => {
                scenario.check("sign-outs");
                true
            }
            // The first one succeeded after all.
            Answer::Refused(_) if session.signing_out => true,
            Answer::Unavailable | Answer::Silence(_) => {
                session.signing_out = true;
                return Ok(false);
            }
            _ => false,
        };
        if over {
            self.ended
                .extend(self.session.take().map(|session| session.client.grant));
            let old = self.ended.len().saturating_sub(REMEMBERED);
            self.ended.drain(..old);
            return Ok(true);
        }
        let claim = session.claim();
        Ok(self.judge(scenario, claim, &reply, "sign-outs"))
    }

    async fn change_password(&mut self, scenario: &Scenario, api: &Api) -> Result<bool> {
        let Some(session) = &self.session else {
            return Ok(true);
        };
        self.password_changes += 1;
        let new = format!("correct horse battery {}", self.password_changes);
        let reply = scenario.record(
            api.change_password(&session.client.grant, &self.account, &new)
                .await?,
        );
        match &reply.answer {
            Answer::Done => {
                self.replace_password(new);
                scenario.check("password changes");
                Ok(true)
            }
            Answer::Unavailable | Answer::Silence(_) => {
                self.unconfirmed_password = Some(new);
                Ok(false)
            }
            _ => {
                let claim = session.claim();
                Ok(self.judge(scenario, claim, &reply, "password changes"))
            }
        }
    }

    /// Judges an answer to a client with a session; false if there was none.
    fn judge(
        &mut self,
        scenario: &Scenario,
        claim: Claim,
        reply: &Reply,
        what: &'static str,
    ) -> bool {
        match judge(claim, &reply.answer, scenario.losses()) {
            Judgement::Kept => scenario.check(what),
            Judgement::Later => return false,
            Judgement::Excused => {
                scenario.check("sessions lost with the white list's data");
                self.session = None;
            }
            Judgement::Broken(why) => {
                scenario.violate(&why);
                self.session = None;
            }
        }
        true
    }
}

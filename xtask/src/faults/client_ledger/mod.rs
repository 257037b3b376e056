//! Somebody honest with one client at a time, who remembers every acknowledgement and holds the service to it.

mod verify;

use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;
use tokio::time::sleep;

use super::{
    claims::{Claim, Judgement, judge},
    scenario::Town,
};
use crate::harness::{
    api::{Api, Reply},
    client::Client,
    journal::Journal,
    profile::{Account, Answer, Grant, Scope},
};

/// Before somebody asks again who was not answered.
const PAUSE: Duration = Duration::from_millis(20);
/// So many sign-outs are remembered.
const REMEMBERED: usize = 6;
/// What is said to a sign-up whose address is taken.
const TAKEN: &str = "status 409 email_taken";

/// Whether the account is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    No,
    /// A sign-up was not answered.
    Perhaps,
    Yes,
}

/// A session, and since when.
struct Session {
    client: Client,
    /// When the sign-in was asked for, and answered.
    begun: (Instant, Instant),
    /// A sign-out was asked for and not answered.
    leaving: bool,
}

impl Session {
    fn lives(&self) -> Claim {
        let (asked, answered) = self.begun;
        Claim::Lives { asked, answered }
    }
}

/// Somebody.
pub(super) struct Person {
    account: Account,
    exists: Known,
    /// A password whose change was not answered.
    perhaps: Option<String>,
    /// The last one that was replaced.
    replaced: Option<String>,
    session: Option<Session>,
    ended: Vec<Grant>,
    /// Whether sessions are bound to the device.
    shows: bool,
    changes: u32,
    /// After a fault every question is answered within so many attempts.
    attempts: u32,
    journal: Journal,
}

impl Person {
    pub(super) fn new(user: String, shows: bool) -> Self {
        let account = Account {
            user,
            password: "correct horse battery 0".to_owned(),
        };
        Self {
            account,
            exists: Known::No,
            perhaps: None,
            replaced: None,
            session: None,
            ended: Vec::new(),
            shows,
            changes: 0,
            attempts: verify::ATTEMPTS,
            journal: Journal::new(),
        }
    }

    /// From now on notes go into this one.
    pub(super) fn new_journal(&mut self) -> Journal {
        self.journal = Journal::new();
        self.journal.clone()
    }

    /// The newest tokens, as a thief would copy them.
    pub(super) fn client(&self) -> Option<&Client> {
        self.session.as_ref().map(|session| &session.client)
    }

    /// Lives for as long as the town does not stop.
    pub(super) async fn live(&mut self, town: &Town, mut rng: Rng) -> Result<()> {
        while !town.stopped() {
            if !self.step(town, &mut rng).await? {
                sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    /// Does one thing; false if it was not answered.
    async fn step(&mut self, town: &Town, rng: &mut Rng) -> Result<bool> {
        let api = town.any(rng, &self.journal);
        let Some(session) = &self.session else {
            return if self.exists == Known::Yes {
                self.sign_in(town, &api).await
            } else {
                self.sign_up(town, &api).await
            };
        };
        if session.leaving {
            return self.sign_out(town, &api).await;
        }
        match rng.u32(..100) {
            0..8 if town.whole_life() => self.sign_out(town, &api).await,
            8..16 if town.whole_life() && self.perhaps.is_none() => {
                self.change_password(town, &api).await
            }
            16..30 if town.whole_life() => self.look(town, &api).await,
            _ => self.refresh(town, &api).await,
        }
    }

    async fn sign_up(&mut self, town: &Town, api: &Api) -> Result<bool> {
        let reply = town.saw(api.sign_up(&self.account).await?);
        match &reply.answer {
            Answer::Granted(_) => {
                self.exists = Known::Yes;
                self.begin(api, &reply)?;
                town.check("sign-ups");
            }
            Answer::Unavailable | Answer::Silence(_) => {
                self.exists = Known::Perhaps;
                return Ok(false);
            }
            Answer::Odd(what) if what == TAKEN && self.exists == Known::Perhaps => {
                self.exists = Known::Yes
            }
            _ => town.violate(&format!("a sign-up: {}", reply.words())),
        }
        Ok(true)
    }

    async fn sign_in(&mut self, town: &Town, api: &Api) -> Result<bool> {
        let reply = town.saw(api.sign_in(&self.account, None).await?);
        match judge(Claim::Password, &reply.answer, town.losses()) {
            Judgement::Kept => {
                self.begin(api, &reply)?;
                town.check("sign-ins");
            }
            Judgement::Later => return Ok(false),
            Judgement::Excused => unreachable!("only sessions are excused"),
            Judgement::Broken(why) => match &self.perhaps {
                // The change came through after all.
                Some(new) if reply.refusal().is_some() => {
                    self.replaced =
                        Some(std::mem::replace(&mut self.account.password, new.clone()));
                    self.perhaps = None;
                }
                _ => town.violate(&why),
            },
        }
        Ok(true)
    }

    fn begin(&mut self, api: &Api, reply: &Reply) -> Result<()> {
        let client = Client::from_reply(api, reply, self.shows)?;
        self.session = Some(Session {
            client,
            begun: (reply.sent, reply.received),
            leaving: false,
        });
        Ok(())
    }

    async fn refresh(&mut self, town: &Town, api: &Api) -> Result<bool> {
        let Some(session) = &mut self.session else {
            return Ok(true);
        };
        let reply = town.saw(session.client.at(api).refresh().await?);
        if let Answer::Granted(grant) = &reply.answer {
            session.client.keep(grant.clone());
        }
        let claim = session.lives();
        Ok(self.hear(town, claim, &reply, "refreshes"))
    }

    async fn look(&mut self, town: &Town, api: &Api) -> Result<bool> {
        let Some(session) = &self.session else {
            return Ok(true);
        };
        let Some(reply) = api.check(&session.client.grant).await? else {
            return Ok(true);
        };
        let claim = session.lives();
        Ok(self.hear(town, claim, &town.saw(reply), "bearer calls"))
    }

    async fn sign_out(&mut self, town: &Town, api: &Api) -> Result<bool> {
        let Some(session) = &mut self.session else {
            return Ok(true);
        };
        let reply = town.saw(api.sign_out(&session.client.grant, Scope::This).await?);
        let over = match &reply.answer {
            Answer::Done => {
                town.check("sign-outs");
                true
            }
            // The first one came through after all.
            Answer::Refused(_) if session.leaving => true,
            Answer::Unavailable | Answer::Silence(_) => {
                session.leaving = true;
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
        let claim = session.lives();
        Ok(self.hear(town, claim, &reply, "sign-outs"))
    }

    async fn change_password(&mut self, town: &Town, api: &Api) -> Result<bool> {
        let Some(session) = &self.session else {
            return Ok(true);
        };
        self.changes += 1;
        let new = format!("correct horse battery {}", self.changes);
        let reply = town.saw(
            api.change_password(&session.client.grant, &self.account, &new)
                .await?,
        );
        match &reply.answer {
            Answer::Done => {
                self.replaced = Some(std::mem::replace(&mut self.account.password, new));
                town.check("password changes");
                Ok(true)
            }
            Answer::Unavailable | Answer::Silence(_) => {
                self.perhaps = Some(new);
                Ok(false)
            }
            _ => {
                let claim = session.lives();
                Ok(self.hear(town, claim, &reply, "password changes"))
            }
        }
    }

    /// An answer to somebody with a session; false if it was none.
    fn hear(&mut self, town: &Town, claim: Claim, reply: &Reply, what: &'static str) -> bool {
        match judge(claim, &reply.answer, town.losses()) {
            Judgement::Kept => town.check(what),
            Judgement::Later => return false,
            Judgement::Excused => {
                town.check("sessions lost with the white list's data");
                self.session = None;
            }
            Judgement::Broken(why) => {
                town.violate(&why);
                self.session = None;
            }
        }
        true
    }
}

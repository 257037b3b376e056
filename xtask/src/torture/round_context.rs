//! What a case has to work with in one round: the instances, the windows, and newcomers with accounts of their own.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;

use super::{plan::Round, verdict::Verdict};
use crate::harness::{
    api::{Api, Reply},
    client::Client,
    journal::Journal,
    profile::{Account, Answer, Grant, Profile},
    service::Site,
    windows::Windows,
};

/// What all rounds share.
pub(crate) struct Run {
    pub(crate) profile: Arc<Profile>,
    pub(crate) http: reqwest::Client,
    pub(crate) windows: Windows,
    /// Longest that a case may wait for windows.
    pub(crate) patience: std::time::Duration,
    /// Tells this run's accounts from those of others.
    pub(crate) nonce: String,
    /// First tokens that were obtained beforehand; each is used once.
    pub(crate) tokens: Option<Mutex<Vec<String>>>,
}

impl Run {
    /// Whether a user can have several sessions.
    pub(crate) fn has_siblings(&self) -> bool {
        self.tokens.is_none() && self.profile.sign_in.is_some()
    }

    /// Whether a change of password hits nobody but the round's own user.
    pub(crate) fn has_own_accounts(&self) -> bool {
        self.tokens.is_none() && self.profile.sign_up.is_some()
    }
}

/// How a round could not come to a verdict.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The machine or the service was too slow for the windows to decide anything.
    TooSlow(String),
    /// Something that is no part of the case failed.
    Broken(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

/// What a case returns.
pub(crate) type Judged = Result<Verdict, Trouble>;

/// One round's surroundings.
pub(crate) struct Scene {
    pub(crate) run: Arc<Run>,
    pub(crate) site: Arc<Site>,
    pub(crate) journal: Journal,
    /// How often the case was played before, which chooses among the instances that rounds take turns with.
    pub(crate) turn: usize,
    number: usize,
    attempt: u32,
    people: AtomicU32,
}

impl Scene {
    pub(crate) fn new(run: Arc<Run>, site: Arc<Site>, round: &Round, attempt: u32) -> Self {
        Self {
            run,
            site,
            journal: Journal::new(),
            turn: round.turn,
            number: round.number,
            attempt,
            people: AtomicU32::new(0),
        }
    }

    pub(crate) fn windows(&self) -> &Windows {
        &self.run.windows
    }

    pub(crate) fn profile(&self) -> &Profile {
        &self.run.profile
    }

    /// An instance by its URL.
    pub(crate) fn api(&self, base: &str) -> Api {
        Api {
            http: self.run.http.clone(),
            profile: Arc::clone(&self.run.profile),
            base: base.to_owned(),
            journal: self.journal.clone(),
        }
    }

    /// All replicas.
    pub(crate) fn replicas(&self) -> Vec<Api> {
        self.site.urls.iter().map(|url| self.api(url)).collect()
    }

    /// Any replica.
    pub(crate) fn any(&self, rng: &mut Rng) -> Api {
        self.api(&self.site.urls[rng.usize(..self.site.urls.len())])
    }

    /// An account of this round's own, or one of those that exist.
    pub(crate) fn account(&self) -> Result<Account> {
        let person = self.people.fetch_add(1, Ordering::Relaxed);
        if self.run.profile.sign_up.is_some() {
            let user = format!(
                "torture-{}-{}-{}-{person}@example.org",
                self.run.nonce, self.number, self.attempt
            );
            return Ok(Account {
                user,
                password: "correct horse battery".to_owned(),
            });
        }
        let accounts = &self.run.profile.accounts;
        let index = (self.number + usize::try_from(person)?).checked_rem(accounts.len());
        index
            .map(|index| accounts[index].clone())
            .context("the profile has neither sign_up nor accounts")
    }

    /// A newcomer's first session; plain or bound, as chance has it.
    pub(crate) async fn client(&self, api: &Api, rng: &mut Rng) -> Result<Client> {
        let shows = self.profile().has_credentials() && rng.bool();
        Ok(self.newcomer(api, shows).await?.1)
    }

    /// The same, and the account. A session that shows its credential is bound by a first refresh.
    pub(crate) async fn newcomer(&self, api: &Api, shows: bool) -> Result<(Account, Client)> {
        if let Some(tokens) = &self.run.tokens {
            let token = tokens
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop()
                .context("there are no more tokens in the file")?;
            let account = Account {
                user: String::new(),
                password: String::new(),
            };
            let grant = Grant {
                refresh: token,
                access: None,
                credential: None,
            };
            return Ok((
                account,
                Client {
                    api: api.clone(),
                    grant,
                    shows: false,
                },
            ));
        }
        let account = self.account()?;
        let reply = if self.run.profile.sign_up.is_some() {
            patiently(async || api.sign_up(&account).await).await?
        } else {
            patiently(async || api.sign_in(&account, None).await).await?
        };
        let mut client = Client::of(api, &reply, shows)?;
        if shows {
            client.advance().await?;
        }
        Ok((account, client))
    }

    /// One more session of somebody.
    pub(crate) async fn sibling(
        &self,
        api: &Api,
        account: &Account,
        shows: bool,
    ) -> Result<Client> {
        let reply = patiently(async || api.sign_in(account, None).await).await?;
        let mut client = Client::of(api, &reply, shows)?;
        if shows {
            client.advance().await?;
        }
        Ok(client)
    }
}

/// Again, for as long as the service is not available.
pub(crate) async fn patiently(request: impl AsyncFn() -> Result<Reply>) -> Result<Reply> {
    for _ in 0..40 {
        let reply = request().await?;
        if reply.answer != Answer::Unavailable {
            return Ok(reply);
        }
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    }
    bail!("the service stays unavailable")
}

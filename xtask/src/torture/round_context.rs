//! What a case has to work with in one round: the servers, the windows, and new clients with accounts of their own.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;

use super::{
    accounts::{AccountLease, AccountPool},
    servers::ServerGroup,
    verdict::Verdict,
};
use crate::harness::{
    api::{Api, Reply},
    client::Client,
    http::HttpClient,
    journal::Journal,
    profile::{Account, Answer, Grant, ServerProfile},
    windows::Windows,
};

/// What all rounds share.
pub(crate) struct TortureRun {
    pub(crate) profile: Arc<ServerProfile>,
    pub(crate) http: HttpClient,
    pub(crate) windows: Windows,
    /// The longest that a case may wait for a window to pass.
    pub(crate) patience: Duration,
    /// In the names of this run's accounts.
    pub(crate) nonce: String,
    /// Refresh tokens from a file, each for one round.
    pub(crate) tokens: Option<Mutex<Vec<String>>>,
    /// The profile's accounts where rounds can't sign up their own.
    pub(crate) accounts: Option<AccountPool>,
}

impl TortureRun {
    /// Whether a user can have several sessions.
    pub(crate) fn has_siblings(&self) -> bool {
        self.tokens.is_none() && self.profile.sign_in.is_some()
    }

    /// Whether each round has an account that no other round uses.
    pub(crate) fn has_own_accounts(&self) -> bool {
        self.tokens.is_none() && self.profile.sign_up.is_some()
    }

    /// Why a case that waits for so long can't run, if it can't.
    pub(crate) fn would_wait_for(&self, wait: Duration) -> Option<String> {
        let words = humantime::format_duration;
        (wait > self.patience).then(|| {
            format!(
                "would wait for {} (--patience {})",
                words(wait),
                words(self.patience)
            )
        })
    }
}

/// The context of an error of what comes before a case: the service did nothing that a case could judge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SetUpFault;

impl std::fmt::Display for SetUpFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("set-up")
    }
}

/// Why a round has no verdict.
#[derive(Debug)]
pub(crate) enum RoundError {
    /// The machine or the service was too slow for the windows to decide anything.
    TooSlow(String),
    /// Something that is no part of the case failed.
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for RoundError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

pub(crate) type RoundOutcome = Result<Verdict, RoundError>;

/// The surroundings of one attempt at one round.
pub(crate) struct RoundContext {
    pub(crate) run: Arc<TortureRun>,
    pub(crate) servers: Arc<ServerGroup>,
    pub(crate) journal: Journal,
    round: usize,
    attempt: u32,
    accounts: AtomicU32,
    /// Accounts that no other round has until this one ends.
    leases: Mutex<Vec<AccountLease>>,
}

impl RoundContext {
    /// Waits for an account that no other round uses, where rounds have none of their own: some services end all sessions of a user and
    /// client at once.
    pub(crate) async fn new(
        run: Arc<TortureRun>,
        servers: Arc<ServerGroup>,
        round: usize,
        attempt: u32,
    ) -> Self {
        let lease = match &run.accounts {
            Some(pool) => Some(pool.lease().await),
            None => None,
        };
        Self {
            run,
            servers,
            journal: Journal::new(),
            round,
            attempt,
            accounts: AtomicU32::new(0),
            leases: Mutex::new(lease.into_iter().collect()),
        }
    }

    pub(crate) fn windows(&self) -> &Windows {
        &self.run.windows
    }

    pub(crate) fn profile(&self) -> &ServerProfile {
        &self.run.profile
    }

    fn api(&self, base: &str) -> Api {
        Api {
            http: self.run.http.clone(),
            profile: Arc::clone(self.servers.profile.as_ref().unwrap_or(&self.run.profile)),
            base: base.to_owned(),
            journal: self.journal.clone(),
        }
    }

    pub(crate) fn replicas(&self) -> Vec<Api> {
        self.servers.urls.iter().map(|url| self.api(url)).collect()
    }

    pub(crate) fn any_replica(&self, rng: &mut Rng) -> Api {
        self.api(&self.servers.urls[rng.usize(..self.servers.urls.len())])
    }

    /// A new account's name and password, or one of the accounts that exist.
    fn account(&self) -> Result<Account> {
        let number = self.accounts.fetch_add(1, Ordering::Relaxed);
        if self.run.profile.sign_up.is_some() {
            let user = format!(
                "torture-{}-{}-{}-{number}@example.org",
                self.run.nonce, self.round, self.attempt
            );
            return Ok(Account {
                user,
                password: "correct horse battery".to_owned(),
            });
        }
        let pool = self
            .run
            .accounts
            .as_ref()
            .context("the profile has neither sign_up nor accounts")?;
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        let number = usize::try_from(number)?;
        if number >= leases.len() {
            // To wait for a second one could wait for ever; without a free one the round shares its first.
            leases.extend(pool.lease_now());
        }
        let index = number.checked_rem(leases.len());
        index
            .map(|index| leases[index].account().clone())
            .context("the round has no account")
    }

    /// A new user's client; it sends its device credential or not, at random.
    pub(crate) async fn new_client(&self, api: &Api, rng: &mut Rng) -> Result<Client> {
        let sends_credential = self.sends_credential(rng);
        Ok(self.sign_up(api, sends_credential).await?.1)
    }

    /// Whether a new client sends its device credential, at random where there are any.
    pub(crate) fn sends_credential(&self, rng: &mut Rng) -> bool {
        self.profile().has_credentials() && rng.bool()
    }

    /// A new user and a client. A session whose client sends its credential is bound by a first refresh.
    pub(crate) async fn sign_up(
        &self,
        api: &Api,
        sends_credential: bool,
    ) -> Result<(Account, Client)> {
        self.begin_session(api, sends_credential)
            .await
            .context(SetUpFault)
    }

    async fn begin_session(&self, api: &Api, sends_credential: bool) -> Result<(Account, Client)> {
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
            let mut client = Client {
                api: api.clone(),
                grant,
                sends_credential: false,
            };
            // A token that was used up before the run says nothing about the service.
            client
                .advance()
                .await
                .context("a token of --tokens does not work; each can be used once")?;
            return Ok((account, client));
        }
        let account = self.account()?;
        let reply = if self.run.profile.sign_up.is_some() {
            until_available(async || api.sign_up(&account).await).await?
        } else {
            until_available(async || api.sign_in(&account, None).await).await?
        };
        let client = begin(api, &reply, sends_credential).await?;
        Ok((account, client))
    }

    /// A client with one more session of this user.
    pub(crate) async fn sign_in(
        &self,
        api: &Api,
        account: &Account,
        sends_credential: bool,
    ) -> Result<Client> {
        let session = async {
            let reply = until_available(async || api.sign_in(account, None).await).await?;
            begin(api, &reply, sends_credential).await
        };
        session.await.context(SetUpFault)
    }
}

async fn begin(api: &Api, reply: &Reply, sends_credential: bool) -> Result<Client> {
    let mut client = Client::from_reply(api, reply, sends_credential)?;
    if sends_credential {
        client.advance().await?;
    }
    Ok(client)
}

/// Repeats a request for as long as the service is not available.
pub(crate) async fn until_available(request: impl AsyncFn() -> Result<Reply>) -> Result<Reply> {
    for _ in 0..40 {
        let reply = request().await?;
        if reply.answer != Answer::Unavailable {
            return Ok(reply);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    bail!("the service stays unavailable")
}

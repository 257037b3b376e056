//! Operators' management of accounts: find, list, disable, enable, sign out, delete. An end is the commit of a row in the user
//! database; the white list follows.

use crate::{
    model::{
        Credentials, EmailAddress, EndReason, FieldError, Session, SessionId, SessionRecord,
        Standing, User, UserId,
    },
    ports::{
        AccountDirectory, Clearings, Clock, DisableOutcome, EnableOutcome, EndOutcome, LiveSession,
        SecurityEvent, SecurityEvents, SessionRepository, StoreError, TokenRepository,
        UserRepository,
    },
    use_cases::{
        parts::{Failure, OperatorPorts},
        sessions::{Clear, End},
    },
};
use std::{collections::HashMap, fmt, str::FromStr, sync::Arc};

/// How an operator names an account: by its address or by its id.
#[derive(Clone, PartialEq, Eq)]
pub enum AccountName {
    /// The address to sign in with.
    Email(EmailAddress),
    /// The id.
    Id(UserId),
}

impl FromStr for AccountName {
    type Err = FieldError;

    /// An id has no `@`, and an address has one.
    fn from_str(text: &str) -> Result<Self, FieldError> {
        text.trim()
            .parse()
            .map(Self::Id)
            .or_else(|_| EmailAddress::present(text).map(Self::Email))
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(email) => f.write_str(email.as_str()),
            Self::Id(id) => id.fmt(f),
        }
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(_) => f.write_str("Email(…)"),
            Self::Id(id) => f.debug_tuple("Id").field(id).finish(),
        }
    }
}

/// A session, live or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoricSession {
    /// Its row.
    pub session: Session,
    /// Whether it is live, by its row and its user's.
    pub standing: Standing,
    /// Its entry in the white list; a live session without one can't be refreshed.
    pub live: Option<LiveSession>,
}

/// The sessions of a user whose rows are kept.
#[derive(Debug)]
pub struct SessionHistory {
    /// The newest first.
    pub sessions: Vec<HistoricSession>,
    /// The failure of the white list, if it did not answer; then no session has an entry here.
    pub white_list: Result<(), StoreError>,
}

/// Manages accounts.
pub struct ManageAccounts {
    users: Arc<dyn UserRepository>,
    directory: Arc<dyn AccountDirectory>,
    sessions: Arc<dyn SessionRepository>,
    tokens: Arc<dyn TokenRepository>,
    end: End,
    clock: Arc<dyn Clock>,
    events: Arc<dyn SecurityEvents>,
}

impl ManageAccounts {
    pub(crate) fn new(
        ports: &OperatorPorts,
        directory: Arc<dyn AccountDirectory>,
        sessions: Arc<dyn SessionRepository>,
        tokens: Arc<dyn TokenRepository>,
        clearings: Arc<dyn Clearings>,
    ) -> Self {
        let clear = Clear::with(
            tokens.clone(),
            sessions.clone(),
            ports.clock.clone(),
            clearings,
        );
        Self {
            users: ports.users.clone(),
            directory,
            sessions,
            tokens,
            end: End::with(clear, ports.events.clone()),
            clock: ports.clock.clone(),
            events: ports.events.clone(),
        }
    }

    /// The account of that name; `None` if there is none.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn find(&self, name: &AccountName) -> Result<Option<User>, Failure> {
        let found: Option<Credentials> = match name {
            AccountName::Email(email) => self.users.credentials_by_email(email, &[]).await?,
            AccountName::Id(id) => self.users.credentials(*id).await?,
        };
        Ok(found.map(|found| found.user))
    }

    /// All sessions of the user whose rows are kept, also of an account that is deleted.
    ///
    /// # Errors
    /// [`Failure`] of the user database; the white list may be down.
    pub async fn history(&self, user: UserId) -> Result<SessionHistory, Failure> {
        let account = self.users.credentials(user).await?.map(|found| found.user);
        let rows = self.directory.history(user).await?;
        let (live, white_list) = match self.tokens.list(user).await {
            Ok(live) => (live, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        let (live, now): (HashMap<SessionId, LiveSession>, _) = (
            live.into_iter().map(|live| (live.session, live)).collect(),
            self.clock.now(),
        );
        let sessions = rows.into_iter().map(|session| {
            let live = live.get(&session.id).copied();
            let record = SessionRecord {
                session,
                user: account.clone(),
            };
            let standing = record.standing(now);
            HistoricSession {
                session: record.session,
                standing,
                live,
            }
        });
        Ok(SessionHistory {
            sessions: sessions.collect(),
            white_list,
        })
    }

    /// The user's live sessions by their rows, the newest first; the white list is not asked.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn live(&self, user: UserId) -> Result<Vec<Session>, Failure> {
        Ok(self.sessions.live(user, self.clock.now()).await?)
    }

    /// Disables the account and ends all of its sessions.
    ///
    /// # Errors
    /// [`Failure`]; then it may be disabled, and doing it again is safe.
    pub async fn disable(&self, user: UserId) -> Result<DisableOutcome, Failure> {
        let outcome = self.directory.disable(user, self.clock.now()).await?;
        let (DisableOutcome::Disabled(epoch) | DisableOutcome::AlreadyDisabled(epoch)) = outcome
        else {
            return Ok(outcome);
        };
        if matches!(outcome, DisableOutcome::Disabled(_)) {
            self.events.record(SecurityEvent::AccountDisabled { user });
        }
        let reason = EndReason::AccountDisabled;
        self.end.older(user, epoch, None, reason).await;
        Ok(outcome)
    }

    /// Enables the account again; its user has to sign in.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn enable(&self, user: UserId) -> Result<EnableOutcome, Failure> {
        let outcome = self.directory.enable(user).await?;
        if outcome == EnableOutcome::Enabled {
            self.events.record(SecurityEvent::AccountEnabled { user });
        }
        Ok(outcome)
    }

    /// Deletes the account and ends all of its sessions; `false` if there is none.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn delete(&self, user: UserId) -> Result<bool, Failure> {
        let deleted = self.users.delete(user, None, self.clock.now()).await?;
        if deleted {
            self.end.account(user).await;
        }
        Ok(deleted)
    }

    /// Ends all of the user's sessions; `false` if there is no such account.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn sign_out(&self, user: UserId) -> Result<bool, Failure> {
        let reason = EndReason::SignedOut;
        let Some(epoch) = self
            .sessions
            .end_all(user, None, reason, self.clock.now())
            .await?
        else {
            return Ok(false);
        };
        self.end.older(user, epoch, None, reason).await;
        Ok(true)
    }

    /// Ends one session of the user.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<EndOutcome, Failure> {
        let reason = EndReason::SignedOut;
        let outcome = self
            .sessions
            .end(user, session, reason, self.clock.now())
            .await?;
        if outcome != EndOutcome::NotFound {
            self.end.one(user, session, reason, outcome).await;
        }
        Ok(outcome)
    }
}

//! What an operator does with accounts: find, disable, enable, sign out, delete. As for users, an end is the commit of a row in the
//! user database; the white list follows.

use crate::{
    model::{
        Credentials, EmailAddress, EndReason, Epoch, FieldError, Session, SessionId, SessionRecord,
        Standing, User, UserId,
    },
    ports::{
        AccountDirectory, Clearing, Clock, DisableOutcome, EnableOutcome, EndOutcome, LiveSession,
        SecurityEvent, SecurityEvents, SessionRepository, StoreError, UserRepository,
    },
    use_cases::{parts::Failure, sessions::Clear},
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
            .or_else(|_| EmailAddress::parse(text).map(Self::Email))
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

/// A session, whether it lives or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoricSession {
    /// Its row.
    pub session: Session,
    /// What its row and its user's say.
    pub standing: Standing,
    /// Its entry in the white list; without one a session whose row says that it lives can't be refreshed any more.
    pub live: Option<LiveSession>,
}

/// The sessions that are known of a user.
#[derive(Debug)]
pub struct History {
    /// The newest first.
    pub sessions: Vec<HistoricSession>,
    /// Why nothing is known of entries, if the white list did not answer.
    pub white_list: Result<(), StoreError>,
}

/// Manages accounts.
pub struct ManageAccounts {
    /// Accounts.
    pub users: Arc<dyn UserRepository>,
    /// The same, for operators.
    pub directory: Arc<dyn AccountDirectory>,
    /// The sessions' rows.
    pub sessions: Arc<dyn SessionRepository>,
    /// The white list.
    pub clear: Clear,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Hears of it.
    pub events: Arc<dyn SecurityEvents>,
}

impl ManageAccounts {
    /// The account of that name; `None` if there is none.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn find(&self, name: &AccountName) -> Result<Option<User>, Failure> {
        let found: Option<Credentials> = match name {
            AccountName::Email(email) => self.users.credentials_by_email(email, None).await?,
            AccountName::Id(id) => self.users.credentials(*id).await?,
        };
        Ok(found.map(|found| found.user))
    }

    /// All sessions of the user whose rows are kept: the account itself may be gone.
    ///
    /// # Errors
    /// [`Failure`] of the user database; the white list may be down.
    pub async fn history(&self, user: UserId) -> Result<History, Failure> {
        let account = self.users.credentials(user).await?.map(|found| found.user);
        let rows = self.directory.history(user).await?;
        let (live, white_list) = match self.clear.tokens.list(user).await {
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
        Ok(History {
            sessions: sessions.collect(),
            white_list,
        })
    }

    /// Disables the account and ends all of its sessions.
    ///
    /// # Errors
    /// [`Failure`]; whether it is disabled is not known then, and doing it again is safe.
    pub async fn disable(&self, user: UserId) -> Result<DisableOutcome, Failure> {
        let outcome = self.directory.disable(user, self.clock.now()).await?;
        let (DisableOutcome::Disabled(epoch) | DisableOutcome::AlreadyDisabled(epoch)) = outcome
        else {
            return Ok(outcome);
        };
        self.clear
            .execute(Clearing::Older {
                user,
                epoch,
                kept: None,
            })
            .await;
        if matches!(outcome, DisableOutcome::Disabled(_)) {
            self.events.record(SecurityEvent::AccountDisabled { user });
        }
        self.events.record(SecurityEvent::SessionsEnded {
            user,
            kept: None,
            reason: EndReason::AccountDisabled,
        });
        Ok(outcome)
    }

    /// Lets the account be used again; its user has to sign in.
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
            self.clear
                .execute(Clearing::Older {
                    user,
                    epoch: Epoch::new(u32::MAX),
                    kept: None,
                })
                .await;
            self.events.record(SecurityEvent::AccountDeleted { user });
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
        self.clear
            .execute(Clearing::Older {
                user,
                epoch,
                kept: None,
            })
            .await;
        self.events.record(SecurityEvent::SessionsEnded {
            user,
            kept: None,
            reason,
        });
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
            self.clear
                .execute(Clearing::Sessions {
                    user,
                    sessions: vec![session],
                })
                .await;
        }
        if outcome == EndOutcome::Ended {
            self.events.record(SecurityEvent::SessionEnded {
                user,
                session,
                reason,
            });
        }
        Ok(outcome)
    }
}

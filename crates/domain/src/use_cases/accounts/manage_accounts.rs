//! Operators' management of accounts: find, list, disable, enable, sign out, delete. An end is the commit of a row in the user
//! database; the white list follows.

use super::delete_account::deleted;
use crate::{
    journal::{Actor, MailKind, NewMail, SecurityEvent, Told},
    model::{
        ClientInfo, Credentials, EmailAddress, EndReason, FieldError, Session, SessionId,
        SessionRecord, Standing, Timestamp, User, UserId,
    },
    ports::{
        AccountDirectory, AccountQuery, Clearings, Clock, DisableOutcome, EnableOutcome,
        EndOutcome, LiveSession, SessionRepository, StoreError, TokenRepository, UserRepository,
    },
    use_cases::{
        parts::{Failure, OperatorPorts, Recorder},
        sessions::{Clear, End, EndOne},
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
    /// The same in a word; one whose entry is not known of counts as live.
    pub state: SessionState,
    /// Its entry in the white list; a live session without one can't be refreshed, and one that is over has none that counts.
    pub live: Option<LiveSession>,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPage {
    /// By address.
    pub accounts: Vec<User>,
    /// The address after which the next page begins; `None` on the last one.
    pub next: Option<EmailAddress>,
}

/// How a session stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// It lives.
    Live,
    /// Its row lives, and nothing can be refreshed: it was not used in time, or the white list lost it.
    Lapsed,
    /// Its time is over.
    Expired,
    /// It was ended.
    Ended,
    /// Its account is disabled.
    Disabled,
}

impl SessionState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Live,
        Self::Lapsed,
        Self::Expired,
        Self::Ended,
        Self::Disabled,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Lapsed => "lapsed",
            Self::Expired => "expired",
            Self::Ended => "ended",
            Self::Disabled => "disabled",
        }
    }

    /// `has_entry`: the white list has it, as far as is known.
    const fn of(standing: Standing, has_entry: bool) -> Self {
        match standing {
            Standing::Live if has_entry => Self::Live,
            Standing::Live => Self::Lapsed,
            Standing::Ended(EndReason::Expired) | Standing::Expired => Self::Expired,
            Standing::Ended(_) | Standing::Superseded | Standing::AccountGone => Self::Ended,
            Standing::Disabled => Self::Disabled,
        }
    }
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
    recorder: Recorder,
}

impl ManageAccounts {
    pub(crate) fn new(
        ports: &OperatorPorts,
        directory: Arc<dyn AccountDirectory>,
        sessions: Arc<dyn SessionRepository>,
        tokens: Arc<dyn TokenRepository>,
        clearings: Arc<dyn Clearings>,
    ) -> Self {
        let recorder = Recorder::with(ports.entropy.clone(), ports.events.clone(), ports.mail);
        let clear = Clear::with(
            tokens.clone(),
            sessions.clone(),
            ports.clock.clone(),
            clearings,
            recorder.clone(),
        );
        let end = End::with(
            clear,
            sessions.clone(),
            ports.clock.clone(),
            recorder.clone(),
        );
        Self {
            users: ports.users.clone(),
            directory,
            sessions,
            tokens,
            end,
            clock: ports.clock.clone(),
            recorder,
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

    /// A page of the accounts that the query asks for, by address; with an address the one that has it, if the query asks for that, too.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn search(
        &self,
        email: Option<&EmailAddress>,
        query: AccountQuery,
    ) -> Result<AccountPage, Failure> {
        if let Some(email) = email {
            let found = self.users.credentials_by_email(email, &[]).await?;
            let found = found.map(|found| found.user);
            return Ok(AccountPage {
                accounts: found
                    .filter(|found| query.admits(found))
                    .into_iter()
                    .collect(),
                next: None,
            });
        }
        let limit = query.limit;
        let one_more = AccountQuery {
            limit: limit.saturating_add(1),
            ..query
        };
        let mut accounts = self.directory.list(&one_more).await?;
        let is_last = accounts.len() <= limit as usize;
        accounts.truncate(limit as usize);
        let last = accounts.last().filter(|_| !is_last);
        let next = last.map(|last| last.email.clone());
        Ok(AccountPage { accounts, next })
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
        let is_known = white_list.is_ok();
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
                state: SessionState::of(standing, live.is_some() || !is_known),
                // That of an ended one could not be cleared yet.
                live: live.filter(|_| standing == Standing::Live),
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
    pub async fn disable(&self, user: UserId, actor: Actor) -> Result<DisableOutcome, Failure> {
        let now = self.clock.now();
        let notice = self.notice(MailKind::AccountDisabled, user, now).await?;
        let tell = self.recorder.tell(now, actor, disabled(user, notice));
        let outcome = self.directory.disable(user, now, &tell).await?;
        let (DisableOutcome::Disabled(epoch) | DisableOutcome::AlreadyDisabled(epoch)) = outcome
        else {
            return Ok(outcome);
        };
        self.end.clear_older(user, epoch, None).await;
        self.recorder.record(&tell, &outcome);
        Ok(outcome)
    }

    async fn notice(
        &self,
        kind: MailKind,
        user: UserId,
        at: Timestamp,
    ) -> Result<Option<NewMail>, StoreError> {
        let account = self.users.credentials(user).await?;
        let client = ClientInfo::default();
        Ok(account.and_then(|account| self.recorder.notice(kind, &account.user, &client, at)))
    }

    /// Enables the account again; its user has to sign in.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn enable(&self, user: UserId, actor: Actor) -> Result<EnableOutcome, Failure> {
        let told = move |outcome: &EnableOutcome| match outcome {
            EnableOutcome::Enabled => vec![SecurityEvent::AccountEnabled { user }],
            EnableOutcome::NotDisabled | EnableOutcome::NotFound => Vec::new(),
        };
        let tell = self.recorder.tell(self.clock.now(), actor, told);
        let outcome = self.directory.enable(user, &tell).await?;
        self.recorder.record(&tell, &outcome);
        Ok(outcome)
    }

    /// Deletes the account and ends all of its sessions; `false` if there is none.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn delete(&self, user: UserId, actor: Actor) -> Result<bool, Failure> {
        let now = self.clock.now();
        let notice = self.notice(MailKind::AccountDeleted, user, now).await?;
        let tell = self.recorder.tell(now, actor, deleted(user, notice));
        let outcome = self.users.delete(user, None, now, &tell).await?;
        if outcome {
            self.end.clear_account(user).await;
            self.recorder.record(&tell, &outcome);
        }
        Ok(outcome)
    }

    /// Ends all of the user's sessions; `false` if there is no such account.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn sign_out(&self, user: UserId, actor: Actor) -> Result<bool, Failure> {
        let ended = self
            .end
            .all(user, None, EndReason::SignedOut, actor)
            .await?;
        Ok(ended.is_some())
    }

    /// Ends one session of the user.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn end_session(
        &self,
        user: UserId,
        session: SessionId,
        actor: Actor,
    ) -> Result<EndOutcome, Failure> {
        let end = EndOne::new(user, session, EndReason::SignedOut);
        Ok(self.end.one(end, actor).await?)
    }
}

fn disabled(
    user: UserId,
    notice: Option<NewMail>,
) -> impl Fn(&DisableOutcome) -> Told + Send + Sync {
    let ended = SecurityEvent::SessionsEnded {
        user,
        kept: None,
        reason: EndReason::AccountDisabled,
    };
    move |outcome| match outcome {
        DisableOutcome::Disabled(_) => Told {
            events: vec![SecurityEvent::AccountDisabled { user }, ended.clone()],
            mails: notice.clone().into_iter().collect(),
        },
        DisableOutcome::AlreadyDisabled(_) => vec![ended.clone()].into(),
        DisableOutcome::NotFound => Told::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_has_a_word() {
        for (standing, has_entry, word) in [
            (Standing::Live, true, "live"),
            (Standing::Live, false, "lapsed"),
            (Standing::Expired, true, "expired"),
            (Standing::Ended(EndReason::Expired), false, "expired"),
            (Standing::Ended(EndReason::Reused), false, "ended"),
            (Standing::Superseded, true, "ended"),
            (Standing::AccountGone, true, "ended"),
            (Standing::Disabled, true, "disabled"),
        ] {
            let state = SessionState::of(standing, has_entry);
            assert_eq!(state.as_str(), word, "{standing:?}");
        }
    }
}

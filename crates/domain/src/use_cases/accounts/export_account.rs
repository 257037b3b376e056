//! Everything that is stored about an account, for its user.

use super::reauthentication::Reauthentication;
use crate::{
    journal::{Actor, JournalEntry, SecurityEvent},
    model::{ClientInfo, EventId, SessionId, Timestamp, UserId},
    ports::{
        Clock, Entropy, Journal, JournalQuery, JournalRecord, LiveSession, PersonalData,
        StoreError, TokenRepository, UserRepository,
    },
    use_cases::{
        parts::{
            Denied, Failure, Recorder, Refusal, Refused, RequestLimits, ServicePorts, from_via,
        },
        sessions::{Authenticate, Authenticated, Caller},
    },
};
use std::sync::Arc;

/// What is stored about an account, but for its journal, which [`ExportAccount::journal`] reads page by page.
#[derive(Clone, Debug)]
pub struct AccountExport {
    /// When it was read.
    pub at: Timestamp,
    /// What the user database has.
    pub data: PersonalData,
    /// What the white list has: of sessions that can be refreshed, in any order.
    pub live: Vec<LiveSession>,
    /// The session that asks.
    pub session: SessionId,
}

/// Why nothing is answered.
#[derive(Debug, thiserror::Error)]
pub enum ExportAccountError {
    /// The ID token was refused, or there were too many exports.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No reauthentication that counts was shown.
    #[error("reauthenticate first")]
    ReauthenticationRequired,
}

from_via!(ExportAccountError: StoreError => Refused, Failure => Refused, Denied => Refused);

/// Exports accounts.
pub struct ExportAccount {
    authenticate: Authenticate,
    reauthentication: Reauthentication,
    limits: RequestLimits,
    users: Arc<dyn UserRepository>,
    tokens: Arc<dyn TokenRepository>,
    journal: Arc<dyn Journal>,
    recorder: Recorder,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl ExportAccount {
    /// The entries of a page of the journal.
    pub const PAGE: u32 = 100;

    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            reauthentication: Reauthentication::new(ports),
            limits: RequestLimits::new(ports),
            users: ports.users.clone(),
            tokens: ports.tokens.clone(),
            journal: ports.journal.clone(),
            recorder: Recorder::new(ports),
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
        }
    }

    /// Reads what is stored about the caller's account, and writes into the journal that it was. The caller must have reauthenticated, however
    /// young the session is.
    ///
    /// # Errors
    /// [`ExportAccountError`].
    pub async fn execute(&self, caller: &Caller) -> Result<AccountExport, ExportAccountError> {
        let authenticated = self.admit(caller).await?;
        let taken = self
            .limits
            .export(authenticated.user.id, &caller.client)
            .await?;
        let export = self.read(&authenticated, &caller.client).await;
        if export.is_err() {
            self.limits.give_back(taken).await;
        }
        Ok(export?)
    }

    /// Whether the caller may have an export. Nothing is read, counted or written down.
    ///
    /// # Errors
    /// [`ExportAccountError`].
    pub async fn check(&self, caller: &Caller) -> Result<(), ExportAccountError> {
        self.admit(caller).await.map(drop)
    }

    async fn admit(&self, caller: &Caller) -> Result<Authenticated, ExportAccountError> {
        let authenticated = self.authenticate.on_device(caller).await?;
        let shown = self.reauthentication.shown(caller, &authenticated).await?;
        if shown.is_none() {
            return Err(ExportAccountError::ReauthenticationRequired);
        }
        Ok(authenticated)
    }

    /// A page of the account's entries in the journal, the newest first: those that follow `after`. The last page is the first one that is not
    /// full. An account that was deleted meanwhile has entries that name nobody, and after an entry that was pruned meanwhile there are only
    /// older ones, whose time is over as well.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn journal(
        &self,
        user: UserId,
        after: Option<EventId>,
    ) -> Result<Vec<JournalRecord>, Failure> {
        let query = JournalQuery {
            user: Some(user),
            after,
            limit: Self::PAGE,
            ..JournalQuery::default()
        };
        Ok(self.journal.read(&query).await?)
    }

    async fn read(
        &self,
        asking: &Authenticated,
        client: &ClientInfo,
    ) -> Result<AccountExport, Refused> {
        let (user, session) = (asking.user.id, asking.session.id);
        // It may have been deleted since the token was checked.
        let data = self.users.personal_data(user).await?;
        let data = data.ok_or(Refusal::SessionRevoked)?;
        let live = self.tokens.list(user).await?;
        let at = self.clock.now();
        let event = SecurityEvent::AccountExported {
            user,
            session,
            address: client.address,
        };
        let entry = JournalEntry {
            id: EventId::from_random(self.entropy.bytes()),
            at,
            actor: Actor::User(user),
            event: event.clone(),
        };
        self.journal.note(&[JournalRecord::from(&entry)]).await?;
        self.recorder.record_event(event);
        Ok(AccountExport {
            at,
            data,
            live,
            session,
        })
    }
}

//! The user's live sessions.

use super::{Authenticate, Caller};
use crate::{
    model::{Session, SessionId, Timestamp},
    ports::{Clock, SessionRepository, TokenRepository},
    use_cases::parts::{Refused, ServicePorts},
};
use std::{collections::HashMap, sync::Arc};

/// A live session as its user sees it.
#[derive(Clone, Debug)]
pub struct SessionView {
    /// Its row.
    pub session: Session,
    /// When it was last refreshed.
    pub refreshed_at: Timestamp,
    /// When it ends if it is not refreshed.
    pub expires_at: Timestamp,
    /// Whether it is the caller's own.
    pub current: bool,
}

/// Lists the caller's live sessions. One without an entry in the white list can't be refreshed and is not listed, unless it is
/// the caller's own.
pub struct ListSessions {
    authenticate: Authenticate,
    sessions: Arc<dyn SessionRepository>,
    tokens: Arc<dyn TokenRepository>,
    clock: Arc<dyn Clock>,
}

impl ListSessions {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            sessions: ports.sessions.clone(),
            tokens: ports.tokens.clone(),
            clock: ports.clock.clone(),
        }
    }

    /// The caller's live sessions, the newest first.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn execute(&self, caller: &Caller) -> Result<Vec<SessionView>, Refused> {
        let caller = self.authenticate.on_device(caller).await?;
        let rows = self.sessions.live(caller.user.id, self.clock.now()).await?;
        let live = self.tokens.list(caller.user.id).await?;
        let live: HashMap<SessionId, _> =
            live.into_iter().map(|live| (live.session, live)).collect();
        let view = |session: Session| {
            let current = session.id == caller.session.id;
            let (refreshed_at, expires_at) = match live.get(&session.id) {
                Some(live) => (live.refreshed_at, live.token.expires_at),
                // Its ID token is still valid, but it can't be refreshed.
                None if current => (session.began_at, self.clock.now().whole_second()),
                None => return None,
            };
            Some(SessionView {
                session,
                refreshed_at,
                expires_at,
                current,
            })
        };
        Ok(rows.into_iter().filter_map(view).collect())
    }
}

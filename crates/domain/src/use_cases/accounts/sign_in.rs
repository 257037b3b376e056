//! A new session of an account.

use super::session_starter::{Begun, SessionStarter, SignInRequest};
use crate::{
    model::{Credentials, EndReason, SessionId, User},
    ports::{
        BeginOutcome, BeginSession, Clearing, PasswordCheck, PasswordHasher, SecurityEvent,
        SecurityEvents, SessionRepository, SignError, StoreError, UserRepository,
    },
    revocations::KEPT,
    use_cases::parts::{
        Failure, KnownClient, Limited, PasswordAttempt, RequestLimits, ServicePorts, from_denied,
        from_via,
    },
};
use std::sync::Arc;

/// Why there is no new session.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, a wrong password or a disabled account: the answer does not say which.
    #[error("e-mail address or password is wrong")]
    InvalidCredentials,
    /// All sessions of the account were ended while this one was about to begin.
    #[error("the account's sessions were ended during the sign-in; sign in again")]
    Superseded,
    /// There were too many attempts; the password was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_denied!(SignInError);
from_via!(SignInError: StoreError => Failure, SignError => Failure);

/// Signs in.
pub struct SignIn {
    starter: SessionStarter,
    users: Arc<dyn UserRepository>,
    sessions: Arc<dyn SessionRepository>,
    hasher: Arc<dyn PasswordHasher>,
    limits: RequestLimits,
    events: Arc<dyn SecurityEvents>,
}

impl SignIn {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            starter: SessionStarter::new(ports),
            users: ports.users.clone(),
            sessions: ports.sessions.clone(),
            hasher: ports.hasher.clone(),
            limits: RequestLimits::new(ports),
            events: ports.events.clone(),
        }
    }

    /// Checks the password and begins a session.
    ///
    /// The white list is written first and the row last. What the sign-in replaces or evicts leaves the white list only
    /// after the commit.
    ///
    /// # Errors
    /// [`SignInError`]; then no session has begun.
    pub async fn execute(&self, request: SignInRequest) -> Result<Begun, SignInError> {
        let user = self.check(&request).await?;
        let prepared = self.starter.prepare(user.id, user.epoch, &request);
        let (tokens, others) = self.starter.white_list(&user, &prepared).await?;
        let policy = &self.starter.policy;
        let begun = self
            .sessions
            .begin(&BeginSession {
                session: prepared.session.clone(),
                refreshed: others
                    .iter()
                    .map(|other| (other.session, other.refreshed_at))
                    .collect(),
                max_live: policy.max_per_user,
                max_ended: policy.max_ended(),
                settled: prepared.session.began_at.minus(KEPT),
                max_devices: policy.max_devices(),
                idle: policy.refresh_lifetime,
            })
            .await;
        if !matches!(begun, Ok(BeginOutcome::Begun { .. })) {
            self.starter.withdraw(&prepared).await;
        }
        if begun.is_err() {
            // The commit may have come through: a session that no client holds must not take a place.
            self.starter.clear.defer(Clearing::Row {
                user: user.id,
                session: prepared.session.id,
                reason: EndReason::Expired,
            });
        }
        let BeginOutcome::Begun { replaced, evicted } = begun? else {
            return Err(SignInError::Superseded);
        };
        let gone: Vec<SessionId> = replaced.iter().chain(&evicted).copied().collect();
        self.starter
            .clear
            .execute(Clearing::Sessions {
                user: user.id,
                sessions: gone,
            })
            .await;

        for (ended, reason) in [
            (&replaced, EndReason::Replaced),
            (&evicted, EndReason::Evicted),
        ] {
            for &session in ended {
                self.events.record(SecurityEvent::SessionEnded {
                    user: user.id,
                    session,
                    reason,
                });
            }
        }
        self.events.record(SecurityEvent::SessionBegun {
            user: user.id,
            session: prepared.session.id,
            address: prepared.session.client.address,
        });
        Ok(prepared.begun(tokens, evicted))
    }

    /// Only a password that was found wrong counts: what was taken for any other attempt is given back.
    async fn check(&self, request: &SignInRequest) -> Result<User, SignInError> {
        self.hasher.admit()?;
        let attempt = |known| PasswordAttempt {
            email: &request.email,
            client: &request.client,
            known,
        };
        let device = self.starter.device(request);
        let (held, found) = if device.is_some() {
            let found = self
                .users
                .credentials_by_email(&request.email, device)
                .await?;
            let known = found
                .as_ref()
                .filter(|found| found.known_device)
                .zip(device)
                .map(|(found, device)| KnownClient::Device(found.user.id, device));
            (self.limits.password(attempt(known)).await?, Ok(found))
        } else {
            // Without a credential this is a stranger: a refusal costs the user database nothing.
            (
                self.limits.password(attempt(None)).await?,
                self.users.credentials_by_email(&request.email, None).await,
            )
        };
        let judged = match found {
            Ok(found) => self.judge(request, found).await,
            Err(error) => Err(error.into()),
        };
        if !matches!(judged, Err(SignInError::InvalidCredentials)) {
            self.limits.give_back(held).await;
        }
        judged
    }

    /// One hash is computed whatever the outcome, and every refusal is the same.
    async fn judge(
        &self,
        request: &SignInRequest,
        found: Option<Credentials>,
    ) -> Result<User, SignInError> {
        let check = self
            .hasher
            .check(&request.password, found.as_ref().map(|found| &found.hash))
            .await?;
        let known = found.as_ref().map(|found| found.user.id);
        match (found, check) {
            (Some(found), PasswordCheck::Match { outdated })
                if found.user.disabled_at.is_none() =>
            {
                // The password was right: a hash that can't be renewed now is renewed at another sign-in.
                if outdated && let Ok(new) = self.hasher.hash(&request.password).await {
                    let _ = self.users.rehash(found.user.id, &found.hash, &new).await;
                }
                Ok(found.user)
            }
            _ => {
                self.events.record(SecurityEvent::SignInRefused {
                    user: known,
                    address: request.client.address,
                });
                Err(SignInError::InvalidCredentials)
            }
        }
    }
}

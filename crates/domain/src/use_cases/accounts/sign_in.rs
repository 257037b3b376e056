//! A new session of an account.

use super::begin::{Begun, Opening, SignInRequest};
use crate::{
    model::{Credentials, EndReason, SessionId, User},
    ports::{
        BeginOutcome, BeginSession, Clearing, Clock, DeviceCredentials, Entropy, PasswordCheck,
        PasswordHasher, SecurityEvent, SecurityEvents, SessionRepository, SignError, StoreError,
        TokenRepository, UserRepository,
    },
    use_cases::{
        parts::{Failure, Guess, Limited, Limits, Mint, Own, from_denied},
        sessions::Clear,
    },
};
use std::sync::Arc;

/// Why there is no new session.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, a wrong password or a disabled account: nobody is told which.
    #[error("e-mail address or password is wrong")]
    InvalidCredentials,
    /// All sessions of the account were ended while this one was about to begin.
    #[error("the account's sessions were ended during the sign-in; sign in again")]
    Superseded,
    /// There were too many attempts; the password was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// Something that the service depends on failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Signs in.
pub struct SignIn {
    /// Accounts.
    pub users: Arc<dyn UserRepository>,
    /// The sessions' rows.
    pub sessions: Arc<dyn SessionRepository>,
    /// The white list.
    pub tokens: Arc<dyn TokenRepository>,
    /// Checks the password.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Device credentials.
    pub devices: Arc<dyn DeviceCredentials>,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub entropy: Arc<dyn Entropy>,
    /// Signs.
    pub mint: Mint,
    /// Clears what was replaced or evicted.
    pub clear: Clear,
    /// Slows down those who guess.
    pub limits: Limits,
    /// Hears of it.
    pub events: Arc<dyn SecurityEvents>,
}

impl SignIn {
    /// Checks the password and begins a session.
    ///
    /// The white list is written first and the row last. What the sign-in replaces or evicts leaves the white list only
    /// after the commit.
    ///
    /// # Errors
    /// [`SignInError`]; then no session has begun.
    pub async fn execute(&self, request: SignInRequest) -> Result<Begun, SignInError> {
        let user = self.check(&request).await?;
        let opening = Opening {
            clock: &*self.clock,
            entropy: &*self.entropy,
            devices: &*self.devices,
            policy: &self.mint.policy,
        };
        let formed = opening.form(user.id, user.epoch, &request);
        let tokens = self.mint.pair(&user, &formed.session, &formed.live.token)?;

        let own = || Clearing::Sessions {
            user: user.id,
            sessions: vec![formed.session.id],
        };
        let others = match self.tokens.begin(formed.live).await {
            Ok(others) => others,
            Err(error) => {
                // It may have happened all the same. To ask a store at once that failed just now would only hold up the answer.
                self.clear.defer(own());
                return Err(error.into());
            }
        };
        let policy = &self.mint.policy;
        let begun = self
            .sessions
            .begin(&BeginSession {
                session: formed.session.clone(),
                refreshed: others
                    .iter()
                    .map(|other| (other.session, other.refreshed_at))
                    .collect(),
                max_live: policy.max_per_user,
                max_ended: policy.max_ended(),
                max_devices: policy.max_devices(),
                idle: policy.refresh_lifetime,
            })
            .await;
        if !matches!(begun, Ok(BeginOutcome::Begun { .. })) {
            self.clear.execute(own()).await;
        }
        if begun.is_err() {
            // The commit may have come through: a session that nobody holds must not take a place.
            self.clear.defer(Clearing::Row {
                user: user.id,
                session: formed.session.id,
                reason: EndReason::Expired,
            });
        }
        let BeginOutcome::Begun { replaced, evicted } = begun? else {
            return Err(SignInError::Superseded);
        };
        let gone: Vec<SessionId> = replaced.iter().chain(&evicted).copied().collect();
        self.clear
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
        let address = formed.session.client.address;
        self.events.record(SecurityEvent::SessionBegun {
            user: user.id,
            session: formed.session.id,
            address,
        });
        Ok(Begun {
            session: formed.session,
            tokens,
            device: formed.device,
            evicted,
        })
    }

    /// Only a password that was found wrong counts: what was taken for any other attempt is given back.
    async fn check(&self, request: &SignInRequest) -> Result<User, SignInError> {
        self.hasher.admit()?;
        let guess = |own| Guess {
            email: &request.email,
            client: &request.client,
            own,
        };
        let device = request
            .device_credential
            .as_ref()
            .and_then(|credential| self.devices.verify(credential));
        let (held, found) = if device.is_some() {
            let found = self
                .users
                .credentials_by_email(&request.email, device)
                .await?;
            let known = found
                .as_ref()
                .filter(|found| found.known_device)
                .zip(device);
            let own = known.map(|(found, device)| Own::Device(found.user.id, device));
            (self.limits.guess(guess(own)).await?, Ok(found))
        } else {
            // Nothing can make this one known: refusing it costs the user database nothing.
            (
                self.limits.guess(guess(None)).await?,
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

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<SignError> for SignInError {
    fn from(error: SignError) -> Self {
        Self::Failed(error.into())
    }
}

from_denied!(SignInError);

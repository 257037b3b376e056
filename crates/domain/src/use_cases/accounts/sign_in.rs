//! A new session of an account.

use super::session_starter::{Begun, PreparedSession, SessionStarter, SignInRequest};
use crate::{
    journal::{Actor, MailKind, SecurityEvent, Tell, Told},
    model::{Credentials, DeviceId, EndReason, KnownDevice, SessionId, User},
    ports::{
        BeginOutcome, BeginSession, Clearing, HashFlow, LiveSession, PasswordCheck, PasswordHasher,
        SecurityEvents, SessionRepository, SignError, StoreError, UserRepository,
    },
    revocations::KEPT,
    use_cases::parts::{
        Failure, KnownClient, Limited, PasswordAttempt, Recorder, RequestLimits, ServicePorts,
        ShownDevices, from_denied, from_via,
    },
};
use std::sync::Arc;

/// Why there is no new session.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, a wrong password or a disabled account: the answer does not say which.
    #[error("e-mail address or password is wrong")]
    InvalidCredentials,
    /// All sessions of the account were ended, or reuse was found on the device, while this one was about to begin.
    #[error("sessions of the account were ended during the sign-in; sign in again")]
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
    recorder: Recorder,
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
            recorder: Recorder::new(ports),
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
        let shown = self.starter.shown_devices(&request);
        let (user, known) = self.check(&request, &shown).await?;
        // A credential that this user has not signed in with, or of which there may be copies, is not kept.
        let kept = known.filter(|known| known.is_current).map(|known| known.id);
        let prepared = self.starter.prepare(user.id, user.epoch, &request, kept);
        let former_devices = shown.without(prepared.session.device);
        let (tokens, others) = self.starter.white_list(&user, &prepared).await?;
        let policy = &self.starter.policy;
        let begin = BeginSession {
            session: prepared.session.clone(),
            former_devices: former_devices.clone(),
            refreshed: others
                .iter()
                .map(|other| (other.session, other.refreshed_at))
                .collect(),
            max_live: policy.max_per_user,
            max_ended: policy.max_ended(),
            settled: prepared.session.began_at.minus(KEPT),
            max_devices: policy.max_devices(),
            idle: policy.refresh_lifetime,
        };
        let is_new = known.is_none();
        let tell = self.tell(&user, &prepared, is_new);
        let begun = self.sessions.begin(&begin, &tell).await;
        if !matches!(begun, Ok(BeginOutcome::Begun { .. })) {
            self.starter.withdraw(&prepared).await;
        }
        if begun.is_err() {
            // The commit may have come through: a session that no client holds must not take a place.
            self.starter.clear.defer(Clearing::Row {
                user: user.id,
                session: prepared.session.id,
                reason: EndReason::Expired,
                cause: None,
                notice: None,
            });
        }
        let outcome = begun?;
        let BeginOutcome::Begun {
            replaced, evicted, ..
        } = &outcome
        else {
            return Err(SignInError::Superseded);
        };
        let gone: Vec<SessionId> = replaced.iter().chain(evicted).copied().collect();
        let replaced_device = known.map(|known| known.id);
        let still_needed = former_devices.into_iter().filter(|device| {
            replaced_device != Some(*device) || may_be_bound(*device, &others, &gone)
        });
        let credentials = self.starter.credentials(still_needed);
        self.starter
            .clear
            .execute(Clearing::Sessions {
                user: user.id,
                sessions: gone,
            })
            .await;
        self.recorder.record(&tell, &outcome);
        let evicted = evicted.clone();
        Ok(prepared.begun(tokens, evicted, credentials))
    }

    /// What it ends comes before what begins.
    fn tell(&self, account: &User, prepared: &PreparedSession, is_new: bool) -> Tell<BeginOutcome> {
        let session = &prepared.session;
        let user = session.user;
        let (kind, client) = (MailKind::NewDevice, &session.client);
        let notice = self
            .recorder
            .notice(kind, account, client, session.began_at);
        let notice = notice.filter(|_| is_new);
        let begun = SecurityEvent::SessionBegun {
            user,
            session: session.id,
            address: session.client.address,
            device: session.device_label().cloned(),
        };
        let told = move |outcome: &BeginOutcome| {
            let BeginOutcome::Begun {
                replaced,
                expired,
                evicted,
            } = outcome
            else {
                return Told::default();
            };
            let ended = |sessions: &[SessionId], reason| -> Vec<SecurityEvent> {
                let ended = |&session| SecurityEvent::SessionEnded {
                    user,
                    session,
                    reason,
                };
                sessions.iter().map(ended).collect()
            };
            let mut events = ended(replaced, EndReason::Replaced);
            events.extend(ended(expired, EndReason::Expired));
            events.extend(ended(evicted, EndReason::Evicted));
            events.push(begun.clone());
            Told {
                events,
                mails: notice.clone().into_iter().collect(),
            }
        };
        self.recorder.tell(prepared.at, Actor::User(user), told)
    }

    /// Only a password that was found wrong counts: what was taken for any other attempt is given back.
    async fn check(
        &self,
        request: &SignInRequest,
        shown: &ShownDevices,
    ) -> Result<(User, Option<KnownDevice>), SignInError> {
        // Whether this user has signed in on the device is not known before a store is asked.
        let mut flow = self
            .limits
            .flow(&request.email, &request.client, !shown.all().is_empty());
        self.hasher.admit(&flow)?;
        let attempt = |known| PasswordAttempt {
            email: &request.email,
            client: &request.client,
            known,
        };
        let (held, found) = if shown.all().is_empty() {
            // Without a credential this is a stranger: a refusal costs the user database nothing.
            (
                self.limits.password(attempt(None)).await?,
                self.users.credentials_by_email(&request.email, &[]).await,
            )
        } else {
            let found = self
                .users
                .credentials_by_email(&request.email, shown.all())
                .await?;
            let known = found.as_ref().and_then(|found| {
                let device = found.known_device?;
                Some(KnownClient::Device(found.user.id, device.id))
            });
            flow.known = known.is_some();
            if !flow.known {
                // A stranger with a borrowed credential is refused as all strangers are, before the limits.
                self.hasher.admit(&flow)?;
            }
            (self.limits.password(attempt(known)).await?, Ok(found))
        };
        let judged = match found {
            Ok(found) => self.judge(request, &flow, found).await,
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
        flow: &HashFlow,
        found: Option<Credentials>,
    ) -> Result<(User, Option<KnownDevice>), SignInError> {
        let check = self
            .hasher
            .check(
                flow,
                &request.password,
                found.as_ref().map(|found| &found.hash),
            )
            .await?;
        let known = found.as_ref().map(|found| found.user.id);
        match (found, check) {
            (Some(found), PasswordCheck::Match { outdated })
                if found.user.disabled_at.is_none() =>
            {
                // The password was right: a hash that can't be renewed at once is renewed at another sign-in.
                if outdated
                    && let Ok(Some(new)) = self.hasher.try_hash(flow, &request.password).await
                {
                    let _ = self.users.rehash(found.user.id, &found.hash, &new).await;
                }
                Ok((found.user, found.known_device))
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

/// Whether one of the user's sessions in the white list, but for those that are gone, may be bound to the device.
fn may_be_bound(device: DeviceId, sessions: &[LiveSession], gone: &[SessionId]) -> bool {
    let mut left = sessions
        .iter()
        .filter(|session| !gone.contains(&session.session));
    left.any(|session| session.token.device.is_none_or(|bound| bound == device))
}

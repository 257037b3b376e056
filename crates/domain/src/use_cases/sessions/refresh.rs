//! The exchange of a refresh token for the next pair of tokens.

use super::{End, EndOne};
use crate::{
    journal::{Actor, MailKind, NewMail, SecurityEvent},
    model::{ClientInfo, DeviceId, EndReason, Session, SessionRecord, Timestamp, User},
    policy::SessionPolicy,
    ports::{
        Clock, DeviceCredentials, RefreshClaims, SecurityEvents, SessionRepository, TokenCodec,
        TokenRepository,
    },
    rotation::{DeviceProof, Rotation, RotationOutcome},
    use_cases::parts::{
        LimitBudget, Mint, Recorder, Refusal, Refused, RequestLimits, ServicePorts, ShownDevices,
        TokenPair, verify_refresh,
    },
};
use secrecy::SecretString;
use std::{net::IpAddr, sync::Arc};

/// A request to refresh.
#[derive(Clone, Debug)]
pub struct RefreshRequest {
    /// The refresh token.
    pub token: SecretString,
    /// The device credentials that the client holds. A session that is bound needs that of its device.
    pub device_credentials: Vec<SecretString>,
    /// Where the request came from.
    pub client: ClientInfo,
}

/// The next pair.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The tokens.
    pub tokens: TokenPair,
    /// The session.
    pub session: Session,
    /// What is left of the session's budget of refreshes, if there is a limit.
    pub budget: Option<LimitBudget>,
    /// When this was, by the clock that the tokens were made with.
    pub at: Timestamp,
}

/// Refreshes: one read of the user database, then one step in the white list, then the signatures.
pub struct Refresh {
    codec: Arc<dyn TokenCodec>,
    devices: Arc<dyn DeviceCredentials>,
    sessions: Arc<dyn SessionRepository>,
    tokens: Arc<dyn TokenRepository>,
    clock: Arc<dyn Clock>,
    policy: SessionPolicy,
    mint: Mint,
    end: End,
    limits: RequestLimits,
    recorder: Recorder,
    events: Arc<dyn SecurityEvents>,
}

impl Refresh {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            codec: ports.codec.clone(),
            devices: ports.devices.clone(),
            sessions: ports.sessions.clone(),
            tokens: ports.tokens.clone(),
            clock: ports.clock.clone(),
            policy: ports.policy,
            mint: Mint::new(ports),
            end: End::new(ports),
            limits: RequestLimits::in_process(ports),
            recorder: Recorder::new(ports),
            events: ports.events.clone(),
        }
    }

    /// Replaces a refresh token.
    ///
    /// The user database comes first, so that an outage of it leaves the white list as it was.
    ///
    /// # Errors
    /// [`Refused::Token`] with the reason; [`Refused::Limited`], or [`Refused::Failed`] if a store did not answer: then the
    /// client keeps its token and tries again.
    pub async fn execute(&self, request: RefreshRequest) -> Result<Refreshed, Refused> {
        // Every attempt counts and is never given back: for the session of a valid token, for the address otherwise, so that
        // invalid tokens from an address do not delay a client there whose token is valid.
        let claims = match verify_refresh(&*self.codec, &request.token).await {
            Ok(claims) => claims,
            Err(rejected) => {
                let _counted = self.limits.refresh_from(&request.client).await?;
                return Err(rejected);
            }
        };
        let address = request.client.address;
        let shown = ShownDevices::verify(&*self.devices, &request.device_credentials);
        // Other devices than the token's have no budget of their own. A token that names none may be of a client that shows its device
        // for the first time: whoever has a copy of the token alone does not use up what that client has. A device of others has a
        // budget there, too, which is no more than a session of theirs would have.
        let own = claims
            .device
            .map_or_else(|| shown.first(), |own| shown.find(own));
        let budget = self.limits.refresh_of(&claims, own, &request.client);
        let budget = budget.await?.level();
        let now = self.clock.now();
        let record = self.sessions.find(claims.user, claims.session).await?;
        let (user, mut session) = Self::live(record, &claims, now)?;
        let bound = session.bound_at.is_some() || claims.device.is_some();
        if session.bound_at.is_none()
            && let Some(device) = self.bind(&session, &claims, &shown, now).await?
        {
            session.device = device;
        }
        // Credentials of others, which a browser may have by accident, are as good as none. To refuse them where none is needed would
        // protect nobody: a thief of the token leaves them out.
        let device = DeviceProof {
            owner: session.device,
            shown: shown.find(session.device),
            bound,
        };
        if !device.satisfies(None) {
            return Err(self.mismatch(&claims, address));
        }

        let issued_at = now.whole_second();
        let rotation = Rotation {
            user: user.id,
            session: session.id,
            presented: claims.generation,
            presented_issued_at: claims.issued_at,
            expired: now >= claims.expires_at,
            issued_at,
            expires_at: self
                .policy
                .refresh_expiry(issued_at, session.ends_at)
                .whole_second(),
            epoch: session.epoch,
            device,
            policy: self.policy.retry,
        };
        let outcome = self.tokens.rotate(&rotation).await?;
        let tokens = match outcome {
            RotationOutcome::Rotated(token) => self.mint.pair(&user, &session, &token)?,
            RotationOutcome::Healed { token, lost } => {
                self.events.record(SecurityEvent::SessionHealed {
                    user: user.id,
                    session: session.id,
                    presented: claims.generation,
                    lost,
                });
                self.mint.pair(&user, &session, &token)?
            }
            RotationOutcome::Repeated { token, age, late } => {
                self.events.record(SecurityEvent::SessionRepeated {
                    user: user.id,
                    session: session.id,
                    gap: age,
                    late,
                });
                self.mint.pair_again(&user, &session, &token, now)?
            }
            RotationOutcome::DeviceMismatch => return Err(self.mismatch(&claims, address)),
            RotationOutcome::Stale => return Err(Refusal::TokenStale.into()),
            RotationOutcome::Unknown => return Err(self.unknown(&claims, now).await?.into()),
            RotationOutcome::Reused { live, age, revoked } => {
                let reused = SecurityEvent::SessionReused {
                    user: user.id,
                    session: session.id,
                    presented: claims.generation,
                    live,
                    gap: age,
                    session_address: session.client.address,
                    address,
                    revoked,
                };
                if revoked {
                    let notice =
                        self.recorder
                            .notice(MailKind::SessionReused, &user, &request.client, now);
                    self.revoke(&session, reused, notice).await?;
                } else {
                    self.events.record(reused);
                }
                return Err(Refusal::TokenReused.into());
            }
        };
        Ok(Refreshed {
            tokens,
            session,
            budget,
            at: now,
        })
    }

    /// Binds a session whose row says that it is not bound to the device that is shown: its own, or another that its user has
    /// signed in on, since of two sign-ins at once a browser keeps one's token and the other's cookie. `None` if no device will do.
    async fn bind(
        &self,
        session: &Session,
        claims: &RefreshClaims,
        shown: &ShownDevices,
        now: Timestamp,
    ) -> Result<Option<DeviceId>, Refused> {
        let devices = match shown.find(session.device).or(claims.device) {
            Some(one) => shown.find(one).into_iter().collect(),
            None => shown.all().to_vec(),
        };
        if devices.is_empty() {
            return Ok(None);
        }
        let (user, session) = (session.user, session.id);
        let tell = self
            .recorder
            .tell(now, Actor::User(user), move |bound: &Option<DeviceId>| {
                let told = bound.map(|_| SecurityEvent::SessionBound { user, session });
                told.into_iter().collect::<Vec<_>>()
            });
        let bound = self
            .sessions
            .bind(user, session, &devices, now, &tell)
            .await?;
        self.recorder.record(&tell, &bound);
        Ok(bound)
    }

    fn mismatch(&self, claims: &RefreshClaims, address: Option<IpAddr>) -> Refused {
        self.events.record(SecurityEvent::DeviceMismatch {
            user: claims.user,
            session: claims.session,
            address,
        });
        Refusal::DeviceMismatch.into()
    }

    fn live(
        record: Option<SessionRecord>,
        claims: &RefreshClaims,
        now: Timestamp,
    ) -> Result<(User, Session), Refusal> {
        let Some(record) = record else {
            return Err(Self::not_found(now >= claims.expires_at));
        };
        match (Refusal::of(record.standing(now)), record.user) {
            (None, Some(user)) => Ok((user, record.session)),
            (refusal, _) => Err(refusal.unwrap_or(Refusal::SessionRevoked)),
        }
    }

    const fn not_found(expired: bool) -> Refusal {
        if expired {
            Refusal::TokenExpired
        } else {
            Refusal::SessionUnknown
        }
    }

    /// The white list has no entry of a session whose row was live a moment ago: read the row again for the reason.
    async fn unknown(&self, claims: &RefreshClaims, now: Timestamp) -> Result<Refusal, Refused> {
        let record = self.sessions.find(claims.user, claims.session).await?;
        Ok(Self::live(record, claims, now)
            .err()
            .unwrap_or_else(|| Self::not_found(now >= claims.expires_at)))
    }

    /// The white list has marked the entry, so that the finding can't be lost; the row is committed before the answer.
    async fn revoke(
        &self,
        session: &Session,
        reused: SecurityEvent,
        notice: Option<NewMail>,
    ) -> Result<(), Refused> {
        let end = EndOne {
            cause: Some(reused),
            notice,
            ..EndOne::new(session.user, session.id, EndReason::Reused)
        };
        if let Err(error) = self.end.one(end.clone(), Actor::Stranger).await {
            self.end.defer(end);
            return Err(error.into());
        }
        Ok(())
    }
}

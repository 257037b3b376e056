//! A factor that is shown once more, within a session.

use super::{
    PasskeyChallenge,
    challenges::{Challenges, NotAnswered, descriptors},
    shown::{FactorCheck, ShownFactor},
};
use crate::{
    journal::{Actor, Told},
    model::{
        AuthMethods, Challenge, ChallengeId, ChallengeKind, ChallengedUser, ClientInfo, FactorKind,
    },
    ports::{Asking, Clock, Factors, PasskeyCeremonies, ShowOutcome, ShownInSession},
    use_cases::{
        accounts::ReauthenticateError,
        parts::{Failure, KnownClient, Recorder, Refused, RequestLimits, ServicePorts},
        sessions::Authenticated,
    },
};
use std::sync::Arc;

/// Checks factors within sessions.
pub(in crate::use_cases) struct SessionFactors {
    store: Arc<dyn Factors>,
    ceremonies: Arc<dyn PasskeyCeremonies>,
    challenges: Challenges,
    check: FactorCheck,
    limits: RequestLimits,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

impl SessionFactors {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self {
            store: ports.factors.store.clone(),
            ceremonies: ports.factors.ceremonies.clone(),
            challenges: Challenges::new(ports),
            check: FactorCheck::new(ports),
            limits: RequestLimits::new(ports),
            clock: ports.clock.clone(),
            recorder: Recorder::new(ports),
        }
    }

    /// What the account can show.
    pub(in crate::use_cases) async fn kinds(
        &self,
        asking: &Authenticated,
    ) -> Result<Vec<FactorKind>, Refused> {
        Ok(self.store.of(asking.user.id).await?.kinds())
    }

    /// A challenge for a passkey of the account.
    pub(in crate::use_cases) async fn begin(
        &self,
        asking: &Authenticated,
    ) -> Result<PasskeyChallenge, ReauthenticateError> {
        let factors = self.store.of(asking.user.id).await?;
        if factors.passkeys.is_empty() {
            return Err(ReauthenticateError::CredentialRefused);
        }
        let allowed = descriptors(&factors.passkeys);
        let ceremony = self.ceremonies.begin_sign_in(Some(&allowed));
        let ceremony = ceremony.map_err(Failure::from).map_err(Refused::from)?;
        let of = ChallengedUser {
            id: asking.user.id,
            epoch: asking.user.epoch,
            session: Some(asking.session.id),
        };
        let kind = ChallengeKind::Reauthentication;
        let opened = self.challenges.open(kind, Some(of), ceremony).await?;
        opened.ok_or(ReauthenticateError::Conflict)
    }

    /// Uses the factor, in a commit of its own. Answers what was proved by it.
    pub(in crate::use_cases) async fn show(
        &self,
        asking: &Authenticated,
        client: &ClientInfo,
        factor: &ShownFactor,
        challenge: Option<ChallengeId>,
    ) -> Result<AuthMethods, ReauthenticateError> {
        let user = &asking.user;
        match factor {
            ShownFactor::Passkey(_) => {
                return self.passkey(asking, client, factor, challenge).await;
            }
            ShownFactor::RecoveryCode(_) => {
                return self.compare(asking, client, factor, None).await;
            }
            ShownFactor::Totp(_) => {}
        }
        let known = KnownClient::Session(user.id, asking.session.id);
        let taken = self.limits.factor(user.id, Some(known), client).await;
        let taken = taken.map_err(Refused::from)?;
        let shown = self.compare(asking, client, factor, None).await;
        if !matches!(shown, Err(ReauthenticateError::WrongCode)) {
            self.limits.give_back(taken).await;
        }
        shown
    }

    async fn passkey(
        &self,
        asking: &Authenticated,
        client: &ClientInfo,
        factor: &ShownFactor,
        challenge: Option<ChallengeId>,
    ) -> Result<AuthMethods, ReauthenticateError> {
        let id = challenge.ok_or(ReauthenticateError::Gone)?;
        let kind = ChallengeKind::Reauthentication;
        let session = Some(asking.session.id);
        let is_own = |found: &Challenge| found.user.is_some_and(|user| user.session == session);
        let tried = self.challenges.attempt(id, kind, client, is_own).await?;
        let challenge = tried?;
        let shown = self.compare(asking, client, factor, Some(&challenge)).await;
        let failed = matches!(shown, Err(ReauthenticateError::Refused(_)));
        if failed {
            self.challenges.forgive(id).await;
        }
        shown
    }

    async fn compare(
        &self,
        asking: &Authenticated,
        client: &ClientInfo,
        factor: &ShownFactor,
        challenge: Option<&Challenge>,
    ) -> Result<AuthMethods, ReauthenticateError> {
        let (user, at) = (&asking.user, self.clock.now());
        let factors = self.store.of(user.id).await?;
        let ceremony = challenge.and_then(|challenge| challenge.ceremony.as_ref());
        let checked = self.check.check(&factors, factor, ceremony, at);
        let checked = checked.map_err(Failure::from).map_err(Refused::from)?;
        let Some(right) = checked else {
            self.challenges.refuse_in(asking, client);
            return Err(match factor {
                ShownFactor::Passkey(_) => ReauthenticateError::CredentialRefused,
                _ => ReauthenticateError::WrongCode,
            });
        };
        let shown = ShownInSession {
            user: user.id,
            asking: Asking {
                session: asking.session.id,
                epoch: Some(user.epoch),
            },
            used: right.used,
            challenge: challenge.map(|challenge| challenge.id),
            at,
        };
        let told = right.told(user, client, &self.recorder, at);
        let actor = Actor::User(user.id);
        let tell = self
            .recorder
            .tell(at, actor, move |outcome: &ShowOutcome| match outcome {
                ShowOutcome::Shown => told.clone(),
                _ => Told::default(),
            });
        let outcome = self.store.show(&shown, &tell).await?;
        self.recorder.record(&tell, &outcome);
        match outcome {
            ShowOutcome::Shown => Ok(right.by),
            ShowOutcome::CodeUsed => {
                self.challenges.refuse_in(asking, client);
                Err(ReauthenticateError::CodeUsed)
            }
            ShowOutcome::Gone => Err(ReauthenticateError::Gone),
            ShowOutcome::Superseded => Err(ReauthenticateError::Conflict),
        }
    }
}

impl From<NotAnswered> for ReauthenticateError {
    fn from(not_answered: NotAnswered) -> Self {
        match not_answered {
            NotAnswered::Gone => Self::Gone,
            NotAnswered::Limited(limited) => Refused::from(limited).into(),
            NotAnswered::Refused => Self::CredentialRefused,
        }
    }
}

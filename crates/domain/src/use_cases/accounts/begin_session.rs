//! The commit of a sign-in, whatever was proved.

use super::session_starter::{Begun, NewSession, PreparedSession, SessionStarter};
use crate::{
    factors::FactorUse,
    journal::{Actor, MailKind, SecurityEvent, Told},
    model::{
        AuthMethods, ChallengeId, ChallengedDevice, ClientInfo, DeviceId, EndReason, KnownDevice,
        Label, ProofVersion, SessionId, User,
    },
    policy::RequireFactor,
    ports::{
        BeginOutcome, BeginSession, Clearing, FactorSignIn, FactorSignInOutcome, LiveSession,
        ProvedSignIn, StoreError,
    },
    revocations::KEPT,
    use_cases::{
        factors::{FirstStep, SecondStep},
        parts::{Failure, ShownDevices},
    },
};

/// Who signs in, and what was proved.
pub(in crate::use_cases) struct ProvedUser<'a> {
    /// The account as it was read for the proof.
    pub(in crate::use_cases) user: &'a User,
    /// The one of the shown devices that the user has signed in on.
    pub(in crate::use_cases) known: Option<KnownDevice>,
    pub(in crate::use_cases) shown: &'a ShownDevices,
    pub(in crate::use_cases) client: &'a ClientInfo,
    pub(in crate::use_cases) device_name: Option<Label>,
    pub(in crate::use_cases) by: AuthMethods,
    pub(in crate::use_cases) spends: Spends,
}

/// What the sign-in spends in its commit.
pub(in crate::use_cases) enum Spends {
    /// A password is not spent.
    Nothing,
    /// The proof of the mailbox.
    Proof(ProofVersion),
    /// A challenge, and what was shown of a factor.
    Factor {
        challenge: ChallengeId,
        /// The device that was made, or kept, in the step before.
        device: Option<ChallengedDevice>,
        used: FactorUse,
        /// What its use tells, before the session.
        told: Told,
    },
}

/// Why no session has begun.
pub(in crate::use_cases) enum NotBegun {
    /// All sessions of the account were ended, or reuse was found on the device, in the meantime.
    Superseded,
    /// What was proved is only a first step.
    SecondStep(Box<SecondStep>),
    /// The proof, or the challenge, has become void in the meantime.
    ProofGone,
    /// The code of a factor was used before.
    CodeUsed,
    Failed(Failure),
}

impl From<Failure> for NotBegun {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<StoreError> for NotBegun {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What became of the commit.
enum Committed {
    Outcome(BeginOutcome),
    /// What it was to spend is gone. Nothing changed.
    Gone,
    /// The code of a factor was used before. Nothing changed.
    CodeUsed,
}

impl SessionStarter {
    /// Begins the session, or opens the second step where what was proved is only the first. The white list is written first and the row last. What the sign-in replaces or evicts leaves the white list only
    /// after the commit.
    pub(in crate::use_cases) async fn begin(
        &self,
        proved: ProvedUser<'_>,
    ) -> Result<Begun, NotBegun> {
        let ProvedUser {
            user, known, shown, ..
        } = proved;
        if self.second_steps.is_needed(user, proved.by) {
            return Err(self.second_step(proved).await?);
        }
        let made = match proved.spends {
            Spends::Factor { device, .. } => device,
            Spends::Nothing | Spends::Proof(_) => None,
        };
        // A credential that this user has not signed in with, or of which there may be copies, is not kept.
        let kept = known.filter(|known| known.is_current).map(|known| known.id);
        let kept = kept.filter(|kept| made.is_none_or(|made| made.id == *kept));
        if kept.is_none() && made.is_some_and(|made| made.is_known) {
            // Since the step before there may be copies of its credential.
            return Err(NotBegun::Superseded);
        }
        let prepared = self.prepare(NewSession {
            user: user.id,
            epoch: user.epoch,
            client: proved.client,
            device_name: proved.device_name,
            kept,
            made: made.map(|made| made.id),
            authenticated_by: proved.by,
        });
        let former_devices = shown.without(prepared.session.device);
        let (tokens, others) = self.white_list(user, &prepared).await?;
        let begin = self.begin_session(&prepared, &former_devices, &others);
        // Who reads the mailbox and holds a copy of a former credential must not come without a notice.
        let has_password = proved.by.has_password();
        let is_new = known.is_none_or(|known| !has_password && !known.is_current);
        let told = self.told(user, &prepared, is_new);
        let begun = self.commit(&prepared, begin, proved.spends, told).await;
        let has_begun =
            |outcome: &_| matches!(outcome, Committed::Outcome(BeginOutcome::Begun { .. }));
        self.withdraw_unless(&prepared, &begun, has_begun).await;
        let (replaced, evicted) = match begun? {
            Committed::Outcome(BeginOutcome::Begun {
                replaced, evicted, ..
            }) => (replaced, evicted),
            Committed::Outcome(BeginOutcome::Superseded) => return Err(NotBegun::Superseded),
            Committed::Gone => return Err(NotBegun::ProofGone),
            Committed::CodeUsed => return Err(NotBegun::CodeUsed),
        };
        let gone: Vec<SessionId> = replaced.iter().chain(&evicted).copied().collect();
        let replaced_device = known.map(|known| known.id);
        let still_needed = former_devices.into_iter().filter(|device| {
            replaced_device != Some(*device) || may_be_bound(*device, &others, &gone)
        });
        let credentials = self.credentials(still_needed);
        self.clear
            .execute(Clearing::Sessions {
                user: user.id,
                sessions: gone,
            })
            .await;
        Ok(prepared.begun(tokens, evicted, credentials))
    }

    fn begin_session(
        &self,
        prepared: &PreparedSession,
        former_devices: &[DeviceId],
        others: &[LiveSession],
    ) -> BeginSession {
        let policy = &self.policy;
        let refreshed = others
            .iter()
            .map(|other| (other.session, other.refreshed_at));
        BeginSession {
            session: prepared.session.clone(),
            former_devices: former_devices.to_vec(),
            refreshed: refreshed.collect(),
            max_live: policy.max_per_user,
            max_ended: policy.max_ended(),
            settled: prepared.session.began_at.minus(KEPT),
            max_devices: policy.max_devices(),
            idle: policy.refresh_lifetime,
            unless_factor: self.rules.require_factor != RequireFactor::Never
                && !prepared.session.authenticated_by.is_multi_factor(),
        }
    }

    /// Why no session has begun: the first step is done.
    async fn second_step(&self, proved: ProvedUser<'_>) -> Result<NotBegun, NotBegun> {
        let proof = match proved.spends {
            Spends::Proof(proof) => Some(proof),
            Spends::Nothing | Spends::Factor { .. } => None,
        };
        let first = FirstStep {
            user: proved.user,
            known: proved.known,
            shown: proved.shown,
            client: proved.client,
            device_name: proved.device_name,
            by: proved.by,
        };
        Ok(match self.second_steps.open(first, proof).await? {
            Some(step) => NotBegun::SecondStep(Box::new(step)),
            None if proof.is_some() => NotBegun::ProofGone,
            None => NotBegun::Superseded,
        })
    }

    /// One commit begins the session and spends what was shown once.
    async fn commit(
        &self,
        prepared: &PreparedSession,
        begin: BeginSession,
        spends: Spends,
        told: impl Fn(&BeginOutcome) -> Told + Send + Sync + 'static,
    ) -> Result<Committed, StoreError> {
        let (at, actor) = (prepared.at, Actor::User(begin.session.user));
        match spends {
            Spends::Nothing => {
                let tell = self.recorder.tell(at, actor, told);
                let outcome = self.sessions.begin(&begin, &tell).await?;
                self.recorder.record(&tell, &outcome);
                Ok(Committed::Outcome(outcome))
            }
            Spends::Proof(proof) => {
                let told = move |outcome: &Option<BeginOutcome>| {
                    outcome.as_ref().map(&told).unwrap_or_default()
                };
                let tell = self.recorder.tell(at, actor, told);
                let sign_in = ProvedSignIn { proof, begin, at };
                let outcome = self.proofs.sign_in(&sign_in, &tell).await?;
                self.recorder.record(&tell, &outcome);
                Ok(outcome.map_or(Committed::Gone, Committed::Outcome))
            }
            Spends::Factor {
                challenge,
                used,
                told: of_use,
                ..
            } => {
                let told = move |outcome: &FactorSignInOutcome| match outcome {
                    FactorSignInOutcome::SignedIn(begun @ BeginOutcome::Begun { .. }) => {
                        let (mut all, then) = (of_use.clone(), told(begun));
                        all.events.extend(then.events);
                        all.mails.extend(then.mails);
                        all
                    }
                    _ => Told::default(),
                };
                let tell = self.recorder.tell(at, actor, told);
                let sign_in = FactorSignIn {
                    challenge,
                    used,
                    begin,
                    at,
                };
                let outcome = self.factors.sign_in(&sign_in, &tell).await?;
                self.recorder.record(&tell, &outcome);
                Ok(match outcome {
                    FactorSignInOutcome::SignedIn(outcome) => Committed::Outcome(outcome),
                    FactorSignInOutcome::CodeUsed => Committed::CodeUsed,
                    FactorSignInOutcome::Gone => Committed::Gone,
                })
            }
        }
    }

    /// What it ends comes before what begins.
    fn told(
        &self,
        account: &User,
        prepared: &PreparedSession,
        is_new: bool,
    ) -> impl Fn(&BeginOutcome) -> Told + Send + Sync + use<> {
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
        move |outcome: &BeginOutcome| {
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

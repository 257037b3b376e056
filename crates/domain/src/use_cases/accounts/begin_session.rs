//! The commit of a sign-in, whatever was proved.

use super::session_starter::{Begun, NewSession, PreparedSession, SessionStarter};
use crate::{
    journal::{Actor, MailKind, SecurityEvent, Told},
    model::{
        AuthMethods, ClientInfo, DeviceId, EndReason, KnownDevice, Label, ProofVersion, SessionId,
        User,
    },
    ports::{BeginOutcome, BeginSession, Clearing, LiveSession, ProvedSignIn, StoreError},
    revocations::KEPT,
    use_cases::parts::{Failure, ShownDevices},
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
    /// The proof of the mailbox, which the sign-in spends.
    pub(in crate::use_cases) proof: Option<ProofVersion>,
}

/// Why no session has begun.
pub(in crate::use_cases) enum NotBegun {
    /// All sessions of the account were ended, or reuse was found on the device, in the meantime.
    Superseded,
    /// The proof has become void in the meantime.
    ProofGone,
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

impl SessionStarter {
    /// Begins the session. The white list is written first and the row last. What the sign-in replaces or evicts leaves the white list only
    /// after the commit.
    pub(in crate::use_cases) async fn begin(
        &self,
        proved: ProvedUser<'_>,
    ) -> Result<Begun, NotBegun> {
        let ProvedUser {
            user, known, shown, ..
        } = proved;
        // A credential that this user has not signed in with, or of which there may be copies, is not kept.
        let kept = known.filter(|known| known.is_current).map(|known| known.id);
        let prepared = self.prepare(NewSession {
            user: user.id,
            epoch: user.epoch,
            client: proved.client,
            device_name: proved.device_name,
            kept,
            authenticated_by: proved.by,
        });
        let former_devices = shown.without(prepared.session.device);
        let (tokens, others) = self.white_list(user, &prepared).await?;
        let begin = self.begin_session(&prepared, &former_devices, &others);
        // Who reads the mailbox and holds a copy of a former credential must not come without a notice.
        let by_code = proved.proof.is_some();
        let is_new = known.is_none_or(|known| by_code && !known.is_current);
        let told = self.told(user, &prepared, is_new);
        let begun = self.commit(&prepared, begin, proved.proof, told).await;
        let has_begun = |outcome: &_| matches!(outcome, Some(BeginOutcome::Begun { .. }));
        self.withdraw_unless(&prepared, &begun, has_begun).await;
        let (replaced, evicted) = match begun? {
            Some(BeginOutcome::Begun {
                replaced, evicted, ..
            }) => (replaced, evicted),
            Some(BeginOutcome::Superseded) => return Err(NotBegun::Superseded),
            None => return Err(NotBegun::ProofGone),
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
            unless_factor: false,
        }
    }

    /// With a proof one commit begins the session and spends it; `None` if the proof does not count any more.
    async fn commit(
        &self,
        prepared: &PreparedSession,
        begin: BeginSession,
        proof: Option<ProofVersion>,
        told: impl Fn(&BeginOutcome) -> Told + Send + Sync + 'static,
    ) -> Result<Option<BeginOutcome>, StoreError> {
        let (at, actor) = (prepared.at, Actor::User(begin.session.user));
        let Some(proof) = proof else {
            let tell = self.recorder.tell(at, actor, told);
            let outcome = self.sessions.begin(&begin, &tell).await?;
            self.recorder.record(&tell, &outcome);
            return Ok(Some(outcome));
        };
        let tell = self
            .recorder
            .tell(at, actor, move |outcome: &Option<BeginOutcome>| {
                outcome.as_ref().map(&told).unwrap_or_default()
            });
        let sign_in = ProvedSignIn { proof, begin, at };
        let outcome = self.proofs.sign_in(&sign_in, &tell).await?;
        self.recorder.record(&tell, &outcome);
        Ok(outcome)
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

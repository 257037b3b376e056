//! What all changes of factors in a session share.

use super::ChangeFactorsError;
use crate::{
    factors::RemovedFactor,
    journal::{Actor, MailKind, SecurityEvent, Tell, Told},
    model::{ClientInfo, EndReason, Epoch, FactorKind, Session, Timestamp, User},
    policy::{AccountPolicy, RequireFactor},
    ports::{
        AddFactorOutcome, Asking, Clearing, Clock, FactorRemoval, Factors, RemoveFactorOutcome,
    },
    use_cases::{
        accounts::Reauthentication,
        parts::{Recorder, ServicePorts},
        sessions::{Authenticate, Authenticated, Caller, Clear},
    },
};
use std::sync::Arc;

/// Authenticates the callers of changes, and says what changes tell.
pub(super) struct FactorChanges {
    authenticate: Authenticate,
    reauthentication: Reauthentication,
    pub(super) store: Arc<dyn Factors>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) recorder: Recorder,
    clear: Clear,
    rules: AccountPolicy,
}

/// A caller who may change the factors of the account.
pub(super) struct FactorOwner {
    pub(super) user: User,
    pub(super) session: Session,
    pub(super) client: ClientInfo,
    /// The account's epoch when the password or a factor was shown; `None` if nothing need be shown.
    pub(super) epoch: Option<Epoch>,
}

impl FactorChanges {
    pub(super) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            reauthentication: Reauthentication::new(ports),
            store: ports.factors.store.clone(),
            clock: ports.clock.clone(),
            recorder: Recorder::new(ports),
            clear: Clear::new(ports),
            rules: ports.accounts,
        }
    }

    /// The caller, in a session that may have to set up a factor first.
    pub(super) async fn authenticated(
        &self,
        caller: &Caller,
    ) -> Result<FactorOwner, ChangeFactorsError> {
        let Authenticated { user, session } = self.authenticate.to_set_up(caller).await?;
        Ok(FactorOwner {
            user,
            session,
            client: caller.client.clone(),
            epoch: None,
        })
    }

    /// The same, who has shown the password or a factor a moment ago.
    pub(super) async fn reauthenticated(
        &self,
        caller: &Caller,
    ) -> Result<FactorOwner, ChangeFactorsError> {
        let authenticated = self.authenticate.to_set_up(caller).await?;
        let epoch = self.reauthentication.shown(caller, &authenticated).await?;
        if epoch.is_none() {
            return Err(ChangeFactorsError::ReauthenticationRequired);
        }
        let Authenticated { user, session } = authenticated;
        Ok(FactorOwner {
            user,
            session,
            client: caller.client.clone(),
            epoch,
        })
    }

    /// Whether the account must keep a factor.
    pub(super) fn needs_factor(&self) -> bool {
        self.rules.require_factor == RequireFactor::Always
    }

    /// Why a commit was too late: the session has ended, and its row has the reason, or the reauthentication counts for nothing any more.
    pub(super) async fn superseded(&self, caller: &Caller) -> ChangeFactorsError {
        match self.authenticate.execute(&caller.id_token).await {
            Ok(_) => ChangeFactorsError::ReauthenticationRequired,
            Err(refused) => refused.into(),
        }
    }

    /// What an outcome tells that `has_changed` something.
    pub(super) fn tell<O>(
        &self,
        owner: &FactorOwner,
        at: Timestamp,
        told: Told,
        has_changed: impl Fn(&O) -> bool + Send + Sync + 'static,
    ) -> Tell<O> {
        let actor = Actor::User(owner.user.id);
        self.recorder.tell(at, actor, move |outcome: &O| {
            if has_changed(outcome) {
                told.clone()
            } else {
                Told::default()
            }
        })
    }

    /// What the addition of a factor tells; the recovery codes that come with it and the sessions that end with the first one as well.
    pub(super) fn added(
        &self,
        owner: &FactorOwner,
        factor: FactorKind,
        at: Timestamp,
    ) -> Tell<AddFactorOutcome> {
        let (user, session) = (owner.user.id, Some(owner.session.id));
        let address = owner.client.address;
        let added = SecurityEvent::FactorAdded {
            user,
            session,
            address,
            factor,
        };
        let made = SecurityEvent::RecoveryCodesMade {
            user,
            session,
            address,
        };
        let ended = SecurityEvent::SessionsEnded {
            user,
            kept: session,
            reason: EndReason::FactorAdded,
        };
        let told = owner.told(self, factor, vec![added], at);
        let actor = Actor::User(user);
        self.recorder
            .tell(at, actor, move |outcome: &AddFactorOutcome| {
                let AddFactorOutcome::Added { codes, raised } = outcome else {
                    return Told::default();
                };
                let mut told = told.clone();
                told.events.extend(codes.then(|| made.clone()));
                told.events.extend(raised.map(|_| ended.clone()));
                told
            })
    }

    /// The first factor has ended all other sessions: they leave the white list.
    pub(super) async fn clear_others(&self, owner: &FactorOwner, raised: Option<Epoch>) {
        if let Some(epoch) = raised {
            let older = Clearing::Older {
                user: owner.user.id,
                epoch,
                kept: Some(owner.session.id),
            };
            self.clear.execute(older).await;
        }
    }

    /// A code was wrong, or a passkey was refused.
    pub(super) fn refuse(&self, owner: &FactorOwner) {
        self.recorder.record_event(SecurityEvent::FactorRefused {
            user: Some(owner.user.id),
            session: Some(owner.session.id),
            address: owner.client.address,
        });
    }

    /// Removes a factor of the caller's account.
    pub(super) async fn remove(
        &self,
        caller: &Caller,
        factor: RemovedFactor,
    ) -> Result<(), ChangeFactorsError> {
        let owner = self.reauthenticated(caller).await?;
        let (user, at) = (owner.user.id, self.clock.now());
        let removal = FactorRemoval {
            user,
            factor,
            needs_factor: self.needs_factor(),
            asking: owner.asking(),
            at,
        };
        let kind = match factor {
            RemovedFactor::Totp => FactorKind::Totp,
            RemovedFactor::Passkey(_) => FactorKind::Passkey,
        };
        let event = SecurityEvent::FactorRemoved {
            user,
            session: owner.session.id,
            address: caller.client.address,
            factor: kind,
        };
        let told = owner.mailed(self, MailKind::FactorRemoved, kind, vec![event], at);
        let tell = self.tell(&owner, at, told, |outcome| {
            matches!(outcome, RemoveFactorOutcome::Removed)
        });
        let outcome = self.store.remove(&removal, &tell).await?;
        self.recorder.record(&tell, &outcome);
        match outcome {
            RemoveFactorOutcome::Removed => Ok(()),
            RemoveFactorOutcome::NotFound => Err(ChangeFactorsError::NotFound),
            RemoveFactorOutcome::LastFactor => Err(ChangeFactorsError::LastFactor),
            RemoveFactorOutcome::Superseded => Err(self.superseded(caller).await),
        }
    }
}

impl FactorOwner {
    pub(super) fn asking(&self) -> Asking {
        Asking {
            session: self.session.id,
            epoch: self.epoch,
        }
    }

    /// These events, and a mail that something was added of that kind.
    pub(super) fn told(
        &self,
        changes: &FactorChanges,
        kind: FactorKind,
        events: Vec<SecurityEvent>,
        at: Timestamp,
    ) -> Told {
        self.mailed(changes, MailKind::FactorAdded, kind, events, at)
    }

    /// These events, and a mail of that kind about a factor.
    pub(super) fn mailed(
        &self,
        changes: &FactorChanges,
        mail: MailKind,
        factor: FactorKind,
        events: Vec<SecurityEvent>,
        at: Timestamp,
    ) -> Told {
        let notice = changes.recorder.notice(mail, &self.user, &self.client, at);
        Told {
            events,
            mails: notice
                .into_iter()
                .map(|notice| notice.about(factor.as_str()))
                .collect(),
        }
    }
}

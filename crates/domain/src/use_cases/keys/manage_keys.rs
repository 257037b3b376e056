//! Operators' management of the keys.

use super::keep_keys::{KeepKeys, KeysFailed, next};
use crate::{
    keys::{
        Gone, IdKeys, KeyId, KeyKind, KeyState, KeyUse, NotYet, Phase, Promotion, Retired,
        StoredKey, find, promotion,
    },
    ports::{KeyOutcome, SecurityEvent, StoreError},
};

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone {
    /// There is a next key already.
    #[error("there is a next key already: {0}")]
    NextExists(KeyId),
    /// There is no such key.
    #[error("there is no key {0} in the user database")]
    NotFound(KeyId),
    /// It is active, and there is no other one.
    #[error("{0} is the key that signs: `rotate` retires it when the next one takes over")]
    Signs(KeyId),
    /// It is retired, and tokens that it signed may be valid.
    #[error("{0} is retired already; tokens that it signed may be alive until {at}", at = .1.to_datetime())]
    Needed(KeyId, crate::model::Timestamp),
    /// ID tokens are signed with a file.
    #[error(
        "ID tokens are signed with the key in tokens.signing_key: it is rotated by changing the configuration"
    )]
    File,
    /// Another operator or replica changed the keys meanwhile.
    #[error(
        "another operator or replica changed the keys at the same time; list them and try again"
    )]
    Changed,
    /// A dependency failed.
    #[error(transparent)]
    Failed(#[from] KeysFailed),
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// The outcome of a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotateOutcome {
    /// The next key is active; the other one is retired.
    Rotated(Promotion),
    /// The next key is published and becomes active at that time.
    Waits(KeyId, NotYet),
}

/// The outcome of [`ManageKeys::retire`].
#[derive(Debug)]
pub enum RetireOutcome {
    /// It is retired and will be deleted when its tokens have expired.
    Retired(Retired),
    /// It was deleted.
    Gone,
    /// It was deleted, but could not be revoked: an old backup of the user database would bring it back.
    NotRevoked(StoreError),
    /// There was none. It is revoked, in case a backup brings it back.
    Revoked,
}

/// Changes the keys for an operator, by the same steps as [`KeepKeys`].
pub struct ManageKeys {
    keep: KeepKeys,
}

impl ManageKeys {
    /// Manages the keys that `keep` keeps.
    pub const fn new(keep: KeepKeys) -> Self {
        Self { keep }
    }

    /// Every stored key.
    ///
    /// # Errors
    /// [`NotDone::Failed`].
    pub async fn list(&self) -> Result<Vec<StoredKey>, NotDone> {
        Ok(self.keep.load().await?)
    }

    /// Makes the next key, which becomes active when every verifier has fetched it.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn generate(&self, kind: KeyKind) -> Result<StoredKey, NotDone> {
        self.stored_here(kind.usage())?;
        let keys = self.keep.load().await?;
        if let Some(key) = find(&keys, kind.usage(), KeyState::Next) {
            return Err(NotDone::NextExists(key.id.clone()));
        }
        let new = self.keep.ports.maker.make(kind).map_err(KeysFailed::from)?;
        let key = next(new, &self.keep.ports.policy, self.keep.ports.clock.now());
        done(self.keep.insert(&key).await?)?;
        Ok(key)
    }

    /// Makes the next key active; makes one if there is none. `early`: now, although a verifier may not have fetched it yet.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn rotate(&self, kind: KeyKind, early: bool) -> Result<RotateOutcome, NotDone> {
        self.stored_here(kind.usage())?;
        let mut keys = self.keep.load().await?;
        if find(&keys, kind.usage(), KeyState::Next).is_none() {
            self.generate(kind).await?;
            keys = self.keep.load().await?;
        }
        let waiting = find(&keys, kind.usage(), KeyState::Next).map(|key| key.id.clone());
        match (
            promotion(
                &keys,
                kind.usage(),
                &self.keep.ports.policy,
                self.keep.ports.clock.now(),
                early,
            ),
            waiting,
        ) {
            (Ok(promotion), _) => {
                done(self.keep.promote(&promotion).await?)?;
                Ok(RotateOutcome::Rotated(promotion))
            }
            (Err(Some(not_yet)), Some(id)) => Ok(RotateOutcome::Waits(id, not_yet)),
            _ => Err(NotDone::Changed),
        }
    }

    /// Takes a key out of use: a next one is deleted, an active one retires if a file signs in its place, a retired one is deleted;
    /// `early`: although its tokens may be valid. Then it is revoked, too, so that no old backup of the user database brings it back.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn retire(&self, id: &KeyId, early: bool) -> Result<RetireOutcome, NotDone> {
        let keys = self.keep.load().await?;
        let revoked = self.keep.ports.revoked.as_ref().filter(|_| early);
        let Some(key) = keys.iter().find(|key| key.id == *id) else {
            let revoked = revoked.ok_or_else(|| NotDone::NotFound(id.clone()))?;
            revoked.revoke(id).await?;
            return Ok(RetireOutcome::Revoked);
        };
        let now = self.keep.ports.clock.now();
        let (gone, state) = match key.phase {
            Phase::Next(next) => (next.discard(), KeyState::Next),
            Phase::Active(active)
                if key.kind.usage() == KeyUse::Id && self.keep.ports.id_keys == IdKeys::File =>
            {
                let retired = self.keep.ports.policy.retire(key, active, now);
                let tell = self
                    .keep
                    .tell(vec![SecurityEvent::KeyRetired { key: id.clone() }]);
                let retire = self.keep.ports.repository.retire(id, retired, &tell);
                done(retire.await?)?;
                return Ok(RetireOutcome::Retired(retired));
            }
            Phase::Active(_) => return Err(NotDone::Signs(id.clone())),
            Phase::Retired(retired) if early => (retired.remove_early(), KeyState::Retired),
            Phase::Retired(retired) => (
                retired
                    .remove(now)
                    .map_err(|NotYet(at)| NotDone::Needed(id.clone(), at))?,
                KeyState::Retired,
            ),
        };
        let Gone = gone;
        // First of all no replica may use it any more, whatever else can be reached.
        done(self.keep.remove(id, state).await?)?;
        match revoked {
            Some(revoked) => Ok(revoked
                .revoke(id)
                .await
                .map_or_else(RetireOutcome::NotRevoked, |()| RetireOutcome::Gone)),
            None => Ok(RetireOutcome::Gone),
        }
    }

    /// Seals every key under the present master key, each in a commit of its own; answers those that were not. Any number of replicas
    /// may go on meanwhile, and it may be begun again.
    ///
    /// # Errors
    /// [`NotDone`]; the keys that were sealed anew before stay so.
    pub async fn reseal(&self) -> Result<Vec<KeyId>, NotDone> {
        let mut resealed = Vec::new();
        for key in self.keep.load().await? {
            let sealed = self
                .keep
                .ports
                .maker
                .reseal(&key)
                .map_err(KeysFailed::from)?;
            let Some(sealed) = sealed else { continue };
            let event = SecurityEvent::KeyResealed {
                key: key.id.clone(),
            };
            let tell = self.keep.tell(vec![event]);
            let reseal = self
                .keep
                .ports
                .repository
                .reseal(&key.id, &key.sealed, &sealed, &tell);
            done(reseal.await?)?;
            resealed.push(key.id);
        }
        Ok(resealed)
    }

    fn stored_here(&self, usage: KeyUse) -> Result<(), NotDone> {
        if usage == KeyUse::Id && self.keep.ports.id_keys == IdKeys::File {
            Err(NotDone::File)
        } else {
            Ok(())
        }
    }
}

fn done(outcome: KeyOutcome) -> Result<(), NotDone> {
    match outcome {
        KeyOutcome::Done => Ok(()),
        KeyOutcome::Changed => Err(NotDone::Changed),
    }
}

//! What an operator does with the keys by hand.

use super::{KeepKeys, KeysFailed, keep_keys::next};
use crate::{
    keys::{
        Gone, IdKeys, KeyId, KeyKind, KeyUse, NotYet, Phase, Promotion, Retired, State, StoredKey,
        find, promotion,
    },
    ports::{KeyOutcome, StoreError},
};

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotDone {
    /// There is a next key already.
    #[error("there is a next key already: {0}")]
    NextExists(KeyId),
    /// There is no such key.
    #[error("there is no key {0} in the user database")]
    NotFound(KeyId),
    /// It signs, and nothing would take over.
    #[error("{0} is the key that signs: `rotate` retires it when the next one takes over")]
    Signs(KeyId),
    /// It is retired, and tokens that it signed may be alive.
    #[error("{0} is retired already; tokens that it signed may be alive until {at}", at = .1.to_datetime())]
    Needed(KeyId, crate::model::Timestamp),
    /// ID tokens are signed with a file.
    #[error(
        "ID tokens are signed with the key in tokens.signing_key: it is rotated by changing the configuration"
    )]
    File,
    /// Somebody else changed the keys meanwhile.
    #[error("the keys were changed at the same time by somebody else; look again")]
    Changed,
    /// It failed.
    #[error(transparent)]
    Failed(#[from] KeysFailed),
}

impl From<StoreError> for NotDone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// How a rotation came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RotateOutcome {
    /// The next key signs from now on; the other one is retired.
    Rotated(Promotion),
    /// The next key is published and takes over by itself at that time.
    Waits(KeyId, NotYet),
}

/// What became of a key that was to retire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetireOutcome {
    /// It signs nothing more and goes at its time.
    Retired(Retired),
    /// It is gone.
    Gone,
}

/// Changes the keys for an operator, by the same steps as [`KeepKeys`].
pub struct ManageKeys {
    /// The keys and the rules.
    pub keep: KeepKeys,
}

impl ManageKeys {
    /// Every stored key.
    ///
    /// # Errors
    /// [`NotDone::Failed`].
    pub async fn list(&self) -> Result<Vec<StoredKey>, NotDone> {
        Ok(self.keep.load().await?)
    }

    /// Makes the next key, which takes over by itself when everybody knows it.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn generate(&self, kind: KeyKind) -> Result<StoredKey, NotDone> {
        self.stored_here(kind.usage())?;
        let keys = self.keep.load().await?;
        if let Some(key) = find(&keys, kind.usage(), State::Next) {
            return Err(NotDone::NextExists(key.id.clone()));
        }
        let new = self.keep.maker.make(kind).map_err(KeysFailed::from)?;
        let key = next(new, &self.keep.policy, self.keep.clock.now());
        done(self.keep.repository.insert(&key).await?)?;
        Ok(key)
    }

    /// Lets the next key take over, which is made if there is none; `early`: now, although somebody may not know it yet.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn rotate(&self, kind: KeyKind, early: bool) -> Result<RotateOutcome, NotDone> {
        self.stored_here(kind.usage())?;
        let mut keys = self.keep.load().await?;
        if find(&keys, kind.usage(), State::Next).is_none() {
            self.generate(kind).await?;
            keys = self.keep.load().await?;
        }
        let waiting = find(&keys, kind.usage(), State::Next).map(|key| key.id.clone());
        match (
            promotion(
                &keys,
                kind.usage(),
                &self.keep.policy,
                self.keep.clock.now(),
                early,
            ),
            waiting,
        ) {
            (Ok(promotion), _) => {
                done(self.keep.repository.promote(&promotion).await?)?;
                Ok(RotateOutcome::Rotated(promotion))
            }
            (Err(Some(not_yet)), Some(id)) => Ok(RotateOutcome::Waits(id, not_yet)),
            _ => Err(NotDone::Changed),
        }
    }

    /// Takes a key out of use: a next one is discarded, an active one retires if a file signs in its place, a retired one
    /// goes; `early`: with all of the tokens that it signed.
    ///
    /// # Errors
    /// [`NotDone`].
    pub async fn retire(&self, id: &KeyId, early: bool) -> Result<RetireOutcome, NotDone> {
        let keys = self.keep.load().await?;
        let key = keys
            .iter()
            .find(|key| key.id == *id)
            .ok_or_else(|| NotDone::NotFound(id.clone()))?;
        let now = self.keep.clock.now();
        let (gone, state) = match key.phase {
            Phase::Next(next) => (next.discard(), State::Next),
            Phase::Active(active)
                if key.kind.usage() == KeyUse::Id && self.keep.id_keys == IdKeys::File =>
            {
                let retired = self.keep.policy.retire(key, active, now);
                done(self.keep.repository.retire(id, retired).await?)?;
                return Ok(RetireOutcome::Retired(retired));
            }
            Phase::Active(_) => return Err(NotDone::Signs(id.clone())),
            Phase::Retired(retired) if early => (retired.remove_early(), State::Retired),
            Phase::Retired(retired) => (
                retired
                    .remove(now)
                    .map_err(|NotYet(at)| NotDone::Needed(id.clone(), at))?,
                State::Retired,
            ),
        };
        let Gone = gone;
        done(self.keep.repository.remove(id, state).await?)?;
        Ok(RetireOutcome::Gone)
    }

    /// Seals every key under the present master key, each in a commit of its own; answers those that were not. Any number of replicas
    /// may go on meanwhile, and it may be begun again.
    ///
    /// # Errors
    /// [`NotDone`]; the keys that were sealed anew before stay so.
    pub async fn reseal(&self) -> Result<Vec<KeyId>, NotDone> {
        let mut resealed = Vec::new();
        for key in self.keep.load().await? {
            let sealed = self.keep.maker.reseal(&key).map_err(KeysFailed::from)?;
            let Some(sealed) = sealed else { continue };
            done(
                self.keep
                    .repository
                    .reseal(&key.id, &key.sealed, &sealed)
                    .await?,
            )?;
            resealed.push(key.id);
        }
        Ok(resealed)
    }

    fn stored_here(&self, usage: KeyUse) -> Result<(), NotDone> {
        if usage == KeyUse::Id && self.keep.id_keys == IdKeys::File {
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

//! The steps that are due for the keys at an instant. Every replica computes the same; the store lets one of them take each step.

use super::{
    Active, Algorithm, KeyId, KeyKind, KeyState, KeyUse, NotYet, Phase, Retired, StoredKey,
};
use crate::model::Timestamp;
use std::time::Duration;

/// How long keys are published, used and kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// How long verifiers may cache the key set: the `max-age` of its response.
    pub key_set_max_age: Duration,
    /// How long a replica may take to learn of a change, differences between clocks included.
    pub margin: Duration,
    /// Life of an ID token.
    pub id_lifetime: Duration,
    /// Life of a refresh token.
    pub refresh_lifetime: Duration,
    /// How long a key signs before the next one takes over; `None`: until an operator rotates it.
    pub rotate_every: Option<Duration>,
}

impl KeyPolicy {
    /// How long a key is published before it signs. Keys of refresh tokens are in no key set that verifiers cache.
    pub fn lead(&self, usage: KeyUse) -> Duration {
        match usage {
            KeyUse::Id => self.key_set_max_age.saturating_add(self.margin),
            KeyUse::Refresh => self.margin,
        }
    }

    /// How long tokens of that use live.
    pub const fn token_life(&self, usage: KeyUse) -> Duration {
        match usage {
            KeyUse::Id => self.id_lifetime,
            KeyUse::Refresh => self.refresh_lifetime,
        }
    }

    /// The active key stops signing now.
    pub fn retire(&self, key: &StoredKey, active: Active, now: Timestamp) -> Retired {
        active.retire(
            now,
            self.token_life(key.kind.usage()).max(key.token_life),
            self.margin,
        )
    }
}

/// Where the key of ID tokens comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKeys {
    /// Keys in the user database; new ones are for this algorithm.
    Stored(Algorithm),
    /// A file that the operator mounts. Stored keys, if there are any, verify their tokens until they are deleted.
    File,
}

/// One key takes over from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The key whose state is `next`.
    pub next: KeyId,
    /// Its new state.
    pub active: Active,
    /// The active key of the same use, if there is one, and its new state.
    pub retires: Option<(KeyId, Retired)>,
}

/// A step that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is no active key: make one.
    Begin(KeyKind),
    /// Make the next key.
    Make(KeyKind),
    /// The next key takes over.
    Promote(Promotion),
    /// Delete a retired key whose last token has expired.
    Remove(KeyId),
}

/// The steps that are due at `now`.
pub fn due(keys: &[StoredKey], id_keys: IdKeys, policy: &KeyPolicy, now: Timestamp) -> Vec<Step> {
    let mut steps = Vec::new();
    for key in keys {
        if let Phase::Retired(retired) = key.phase
            && retired.remove(now).is_ok()
        {
            steps.push(Step::Remove(key.id.clone()));
        }
    }
    for usage in KeyUse::ALL {
        let kind = match (usage, id_keys) {
            (KeyUse::Refresh, _) => KeyKind::Refresh,
            (KeyUse::Id, IdKeys::Stored(algorithm)) => KeyKind::Id(algorithm),
            (KeyUse::Id, IdKeys::File) => continue,
        };
        steps.extend(due_for(keys, kind, policy, now));
    }
    steps
}

fn due_for(keys: &[StoredKey], kind: KeyKind, policy: &KeyPolicy, now: Timestamp) -> Option<Step> {
    let usage = kind.usage();
    match (
        find(keys, usage, KeyState::Next),
        find(keys, usage, KeyState::Active),
    ) {
        (None, None) => Some(Step::Begin(kind)),
        (None, Some(active)) => {
            // Early enough that it may sign when its time has come.
            let every = policy.rotate_every?.saturating_sub(policy.lead(usage));
            (now >= active.phase.since().plus(every)).then_some(Step::Make(kind))
        }
        (Some(_), None) => promotion(keys, usage, policy, now, true)
            .ok()
            .map(Step::Promote),
        (Some(_), Some(_)) => promotion(keys, usage, policy, now, false)
            .ok()
            .map(Step::Promote),
    }
}

/// The key of this use in this state.
pub fn find(keys: &[StoredKey], usage: KeyUse, state: KeyState) -> Option<&StoredKey> {
    keys.iter()
        .find(|key| key.kind.usage() == usage && key.phase.state() == state)
}

/// The promotion of the next key of a use; `early`: although a verifier may not have fetched it.
///
/// # Errors
/// When it is possible, or `None` if there is no next key.
pub fn promotion(
    keys: &[StoredKey],
    usage: KeyUse,
    policy: &KeyPolicy,
    now: Timestamp,
    early: bool,
) -> Result<Promotion, Option<NotYet>> {
    let next = find(keys, usage, KeyState::Next).ok_or(None)?;
    let Phase::Next(phase) = next.phase else {
        return Err(None);
    };
    let active = if early {
        phase.activate_early(now)
    } else {
        phase.activate(now)?
    };
    let retires = find(keys, usage, KeyState::Active).and_then(|key| match key.phase {
        Phase::Active(active) => Some((key.id.clone(), policy.retire(key, active, now))),
        _ => None,
    });
    Ok(Promotion {
        next: next.id.clone(),
        active,
        retires,
    })
}

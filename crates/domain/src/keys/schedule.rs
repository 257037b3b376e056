//! What is due among the keys at an instant. Every replica asks itself the same; the store lets the first one do it.

use super::{Active, Algorithm, KeyId, KeyKind, KeyUse, NotYet, Phase, Retired, State, StoredKey};
use crate::model::Timestamp;
use std::time::Duration;

/// How long keys live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPolicy {
    /// So long others may keep the key set before they ask again: the `max-age` of its answer.
    pub key_set_max_age: Duration,
    /// So long a replica may take to hear of a change, differences between clocks included.
    pub margin: Duration,
    /// Life of an ID token.
    pub id_lifetime: Duration,
    /// Life of a refresh token.
    pub refresh_lifetime: Duration,
    /// So long a key signs before the next one takes over; `None`: until somebody says so.
    pub rotate_every: Option<Duration>,
}

impl KeyPolicy {
    /// How long a key is published before it signs. Refresh tokens are verified by ourselves alone, who keep no old
    /// key set.
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

/// What signs ID tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKeys {
    /// Keys in the user database; new ones are for this algorithm.
    Stored(Algorithm),
    /// A file that the operator mounts. Stored keys, if there are any, verify what they signed until they are gone.
    File,
}

/// One key takes over from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The key that is `next`.
    pub next: KeyId,
    /// What it becomes.
    pub active: Active,
    /// The key of the same use that is `active`, if there is one, and what it becomes.
    pub retires: Option<(KeyId, Retired)>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing signs: make a key that does at once.
    Begin(KeyKind),
    /// Make the next key.
    Make(KeyKind),
    /// The next key takes over.
    Promote(Promotion),
    /// The last token of a retired key has expired.
    Remove(KeyId),
}

/// What is due now.
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
        find(keys, usage, State::Next),
        find(keys, usage, State::Active),
    ) {
        (None, None) => Some(Step::Begin(kind)),
        (None, Some(active)) => {
            // So early that it may sign when the time has come.
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

/// The key of a use in a state of which there is one at most.
pub fn find(keys: &[StoredKey], usage: KeyUse, state: State) -> Option<&StoredKey> {
    keys.iter()
        .find(|key| key.kind.usage() == usage && key.phase.state() == state)
}

/// The next key of a use takes over; `early`: whoever knows it.
///
/// # Errors
/// From when on it may, or `None` if there is no next key.
pub fn promotion(
    keys: &[StoredKey],
    usage: KeyUse,
    policy: &KeyPolicy,
    now: Timestamp,
    early: bool,
) -> Result<Promotion, Option<NotYet>> {
    let next = find(keys, usage, State::Next).ok_or(None)?;
    let Phase::Next(phase) = next.phase else {
        return Err(None);
    };
    let active = if early {
        phase.activate_early(now)
    } else {
        phase.activate(now)?
    };
    let retires = find(keys, usage, State::Active).and_then(|key| match key.phase {
        Phase::Active(active) => Some((key.id.clone(), policy.retire(key, active, now))),
        _ => None,
    });
    Ok(Promotion {
        next: next.id.clone(),
        active,
        retires,
    })
}

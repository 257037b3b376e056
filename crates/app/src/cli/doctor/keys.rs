//! The keys that sign tokens: whether the master key opens them, and whether they are due for rotation.

use super::finding::{AS_USER, Finding, is_denied};
use crate::{
    config::{Config, Profile, Secret},
    data_dir,
    keys::Material,
};
use revolve_adapters::system::{SystemClock, SystemEntropy};
use revolve_domain::{
    keys::{IdKeys, KeyState, KeyUse, StoredKey, find},
    model::Timestamp,
    ports::{Clock, KeyMaker, KeyRing, StoreError, StoreErrorKind},
};
use revolve_observe::telemetry::chain;
use std::{io, sync::Arc, time::Duration};

const SEALED: &str = "keys.sealed";
/// The age up to which a key may sign if `tokens.rotate_every` is not set. The alert has the same bound.
const OLD: Duration = Duration::from_hours(90 * 24);
/// How late a rotation by the service may be.
const LATE: Duration = Duration::from_hours(24);

/// The keys of the user database, or why they can't be read; nothing if its tables are not there as this program needs them.
pub(super) type Keys = Option<Result<Vec<StoredKey>, StoreError>>;

pub(super) fn check(config: &Config, keys: Keys) -> Vec<Finding> {
    match keys {
        None => vec![Finding::unknown(
            SEALED,
            "the keys can't be looked at while the tables are not there as this program needs them",
        )],
        Some(Err(error)) => {
            let why = chain(&error);
            vec![if error.kind() == StoreErrorKind::Unavailable {
                Finding::unknown(SEALED, why)
                    .advise("run it again: another process is changing the keys or tables, or has locked them")
            } else {
                Finding::error(SEALED, why).advise("look at the table signing_keys, and at what the user of the URL may do with it")
            }]
        }
        Some(Ok(keys)) => look(config, &keys).unwrap_or_else(|error| {
            vec![if is_denied(error.as_ref()) {
                Finding::unknown(SEALED, format!("{error:#}")).advise(AS_USER)
            } else {
                Finding::error(SEALED, format!("{error:#}"))
                    .advise("give the master key as it was when the keys were made")
            }]
        }),
    }
}

/// Reading it would make one.
fn lacks_master_key(config: &Config) -> io::Result<bool> {
    let given = matches!(config.master_key(), Ok(Secret::Given(_)));
    Ok(config.profile == Profile::Embedded
        && !given
        && !config.data_dir.join("master-key").try_exists()?)
}

fn look(config: &Config, keys: &[StoredKey]) -> anyhow::Result<Vec<Finding>> {
    if keys.is_empty() {
        return Ok(vec![Finding::ok(
            SEALED,
            "there are no keys yet: the first start makes them",
        )]);
    }
    if lacks_master_key(config)? {
        let advice = "put back the master key from its safe copy: a new one opens none of the keys, and all users would have to sign in again";
        let says = "there are keys in the database, but no master key in the data directory";
        return Ok(vec![Finding::error(SEALED, says).advise(advice)]);
    }
    if config.profile == Profile::Embedded
        && data_dir::weaknesses(&config.data_dir).is_ok_and(|found| !found.is_empty())
    {
        return Ok(vec![
            Finding::unknown(
                SEALED,
                "the master key is not read from a data directory that is not for this user alone",
            )
            .advise("do what files.data_dir says, and look again"),
        ]);
    }
    let Material {
        ring,
        vault,
        id_keys,
        ..
    } = Material::new(config, Arc::new(SystemEntropy))?;
    if let Err(fault) = ring.load(keys) {
        let advice = "configure the master key under which they were sealed (secrets.master_key), or remove the key with revolve keys retire";
        return Ok(vec![Finding::error(SEALED, chain(&fault)).advise(advice)]);
    }
    let earlier = keys
        .iter()
        .filter(|key| matches!(vault.reseal(key), Ok(Some(_))))
        .count();
    let sealed = if earlier == 0 {
        let says = format!(
            "the master key opens all {} keys of the user database",
            keys.len()
        );
        Finding::ok(SEALED, says)
    } else {
        let says = format!(
            "{earlier} of {} keys are sealed under one of secrets.previous_master_keys",
            keys.len()
        );
        Finding::warning(SEALED, says)
            .advise("once every replica has the present master key: revolve keys reseal")
    };
    let mut findings = vec![sealed];
    findings.push(rotation(
        keys,
        id_keys,
        config.tokens.rotate_every,
        SystemClock.now(),
    ));
    Ok(findings)
}

fn rotation(
    keys: &[StoredKey],
    id_keys: IdKeys,
    every: Option<Duration>,
    now: Timestamp,
) -> Finding {
    const CHECK: &str = "keys.rotation";
    let stored = KeyUse::ALL
        .into_iter()
        .filter(|usage| *usage == KeyUse::Refresh || id_keys != IdKeys::File);
    let active: Vec<(KeyUse, Option<Duration>)> = stored
        .map(|usage| {
            (
                usage,
                find(keys, usage, KeyState::Active).map(|key| now.since(key.phase.since())),
            )
        })
        .collect();
    if let Some((usage, _)) = active.iter().find(|(_, age)| age.is_none()) {
        return Finding::error(CHECK, format!("no key signs {usage} tokens"))
            .advise(format!("revolve keys rotate --use {usage}"));
    }
    let limit = every.map_or(OLD, |every| every + LATE);
    let days = |age: Duration| age.as_secs() / 86_400;
    let ages: Vec<String> = active
        .iter()
        .filter_map(|(usage, age)| Some(format!("the {usage} key since {} days", days((*age)?))))
        .collect();
    let says = format!("these sign: {}", ages.join(", "));
    let old = active
        .iter()
        .any(|(_, age)| age.is_some_and(|age| age > limit));
    match (old, every) {
        (false, _) => Finding::ok(CHECK, says),
        (true, None) => Finding::warning(CHECK, says).advise("revolve keys rotate (and --use refresh), or set tokens.rotate_every"),
        (true, Some(_)) => Finding::warning(CHECK, format!("{says}, longer than tokens.rotate_every"))
            .advise("the service rotates by itself while it runs: is it running, and what does its log say?"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};
    use revolve_domain::keys::{Active, Algorithm, KeyKind, Phase, SealedKey};

    const NOW: Timestamp = Timestamp::from_seconds(1_900_000_000);

    fn key(kind: KeyKind, days: u64) -> StoredKey {
        let since = NOW.minus(Duration::from_hours(days * 24));
        StoredKey {
            id: "a-key".parse().unwrap(),
            kind,
            sealed: SealedKey::new(Vec::new()),
            token_life: Duration::ZERO,
            created_at: since,
            phase: Phase::Active(Active { since }),
        }
    }

    #[test]
    fn old_keys_are_due() {
        let (id, refresh) = (KeyKind::Id(Algorithm::Rs256), KeyKind::Refresh);
        let stored = IdKeys::Stored(Algorithm::Rs256);
        let month = Some(Duration::from_hours(30 * 24));
        for (keys, id_keys, every, level) in [
            (vec![key(id, 80), key(refresh, 80)], stored, None, Level::Ok),
            (
                vec![key(id, 91), key(refresh, 80)],
                stored,
                None,
                Level::Warning,
            ),
            (
                vec![key(id, 80), key(refresh, 91)],
                stored,
                None,
                Level::Warning,
            ),
            (
                vec![key(id, 29), key(refresh, 29)],
                stored,
                month,
                Level::Ok,
            ),
            (
                vec![key(id, 32), key(refresh, 29)],
                stored,
                month,
                Level::Warning,
            ),
            (vec![key(refresh, 1)], stored, None, Level::Error),
            (vec![key(refresh, 1)], IdKeys::File, None, Level::Ok),
            (vec![key(id, 1)], IdKeys::File, None, Level::Error),
        ] {
            let finding = rotation(&keys, id_keys, every, NOW);
            assert_eq!(
                (finding.level, finding.advice.is_some()),
                (level, level != Level::Ok),
                "{finding:?}"
            );
        }
    }
}

//! The contract of [`RevokedKeys`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

use super::given::random;
use revolve_domain::{keys::KeyId, ports::RevokedKeys};
use std::{collections::BTreeSet, sync::Arc};

/// Ids that no other case has; some begin with a hyphen, as an id may.
fn ids(number: usize) -> Vec<KeyId> {
    (0..number)
        .map(|at| {
            let first = if at % 2 == 0 { "-" } else { "_" };
            let id = format!("{first}{}", uuid::Uuid::from_bytes(random()).simple());
            id.parse().expect("a key's name")
        })
        .collect()
}

async fn among(keys: &Arc<dyn RevokedKeys>, ids: &[KeyId]) -> BTreeSet<KeyId> {
    let among = keys.among(ids).await.expect("among works");
    among.into_iter().collect()
}

/// Nobody's keys are revoked at first, and asking for none is fine.
pub async fn no_key_is_revoked_at_first(keys: &Arc<dyn RevokedKeys>) {
    assert_eq!(among(keys, &ids(3)).await, BTreeSet::new(), "new keys");
    assert_eq!(among(keys, &[]).await, BTreeSet::new(), "of no keys");
}

/// What is revoked is named whenever it is asked for, and nothing else is.
pub async fn revoked_keys_are_told_from_others(keys: &Arc<dyn RevokedKeys>) {
    let ids = ids(40);
    let (revoked, others) = ids.split_at(20);
    for key in revoked {
        keys.revoke(key).await.expect("revoke works");
    }
    let expected: BTreeSet<_> = revoked.iter().cloned().collect();
    assert_eq!(among(keys, &ids).await, expected, "of all");
    assert_eq!(among(keys, &revoked[..1]).await.len(), 1, "of one");
    assert_eq!(among(keys, others).await, BTreeSet::new(), "of the others");
}

/// A key can be revoked again, as by a command that is repeated.
pub async fn a_revoked_key_stays_revoked(keys: &Arc<dyn RevokedKeys>) {
    let ids = ids(2);
    for _ in 0..2 {
        keys.revoke(&ids[0]).await.expect("revoke works");
        keys.revoke(&ids[1]).await.expect("revoke works");
        assert_eq!(among(keys, &ids).await.len(), 2, "both");
    }
}

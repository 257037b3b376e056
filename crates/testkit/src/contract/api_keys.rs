//! The contract of [`ApiKeys`](revolve_domain::ports::ApiKeys).

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

use super::{
    ApiKeysSubject,
    accounts::at,
    given::{at_once, event_id, label, random},
};
use crate::untold;
use revolve_domain::{
    journal::{Actor, SecurityEvent, Tell},
    model::{ApiKey, ApiKeyId, ApiKeyScope, Fingerprint},
    ports::{JournalQuery, RevokeOutcome, StoredApiKey},
};
use std::collections::BTreeSet;

fn key(made: u64) -> StoredApiKey {
    StoredApiKey {
        key: ApiKey {
            id: ApiKeyId::from_random(random()),
            name: label("help desk"),
            scopes: BTreeSet::from([ApiKeyScope::UsersRead, ApiKeyScope::SessionsWrite]),
            created_at: at(made),
            expires_at: at(made + 1000),
            revoked_at: None,
            used_at: None,
        },
        fingerprint: Fingerprint::of_content(&"the key".into(), &random()),
    }
}

async fn added(subject: &dyn ApiKeysSubject, made: u64) -> StoredApiKey {
    let key = key(made);
    let keys = subject.api_keys();
    keys.add(&key, &untold()).await.expect("add works");
    key
}

async fn find(subject: &dyn ApiKeysSubject, id: ApiKeyId) -> Option<StoredApiKey> {
    subject.api_keys().find(id).await.expect("find works")
}

/// With all of its fields, and what is told of it in the same commit.
pub async fn a_key_reads_back_as_added(subject: &dyn ApiKeysSubject) {
    let key = key(1);
    let id = key.key.id;
    let told = move |(): &()| vec![SecurityEvent::ApiKeyCreated { api_key: id }];
    let tell = Tell::new(event_id(), at(1), Actor::Key(id), told);
    subject
        .api_keys()
        .add(&key, &tell)
        .await
        .expect("add works");
    assert_eq!(find(subject, id).await, Some(key), "as it was added");
    let query = JournalQuery {
        limit: 1000,
        ..JournalQuery::default()
    };
    let entries = subject.journal().read(&query).await.expect("read works");
    let entry = entries
        .iter()
        .find(|entry| entry.id == tell.id)
        .expect("it is told");
    assert_eq!(
        (entry.event.as_str(), entry.actor, &entry.details["api_key"]),
        ("api_key.created", Actor::Key(id), &id.to_string())
    );
}

/// Revoked ones, too.
pub async fn keys_are_listed_oldest_first(subject: &dyn ApiKeysSubject) {
    let (second, first) = (added(subject, 20).await, added(subject, 10).await);
    let revoked = subject
        .api_keys()
        .revoke(first.key.id, at(30), &untold())
        .await;
    assert_eq!(revoked.expect("revoke works"), RevokeOutcome::Revoked);
    let listed = subject.api_keys().list().await.expect("list works");
    let own: Vec<_> = listed
        .into_iter()
        .filter(|key| [first.key.id, second.key.id].contains(&key.id))
        .collect();
    let first = ApiKey {
        revoked_at: Some(at(30)),
        ..first.key
    };
    assert_eq!(own, [first, second.key], "whole keys");
}

/// The second time changes nothing and tells nothing new.
pub async fn a_revoked_key_stays_so_since_the_first_time(subject: &dyn ApiKeysSubject) {
    let key = added(subject, 1).await;
    let keys = subject.api_keys();
    for (time, expected) in [
        (10, RevokeOutcome::Revoked),
        (20, RevokeOutcome::AlreadyRevoked),
    ] {
        let revoked = keys.revoke(key.key.id, at(time), &untold()).await;
        assert_eq!(revoked.expect("revoke works"), expected, "at {time}");
    }
    let found = find(subject, key.key.id).await.expect("it is kept");
    assert_eq!(found.key.revoked_at, Some(at(10)), "since the first time");
}

/// One of them revokes it.
pub async fn parallel_revocations_tell_once(subject: &dyn ApiKeysSubject) {
    let id = added(subject, 1).await.key.id;
    let calls = (0..8).map(|_| {
        let keys = subject.api_keys();
        async move {
            keys.revoke(id, at(10), &untold())
                .await
                .expect("revoke works")
        }
    });
    let outcomes = at_once(calls).await;
    let revoked = outcomes
        .iter()
        .filter(|outcome| **outcome == RevokeOutcome::Revoked);
    assert_eq!(revoked.count(), 1, "{outcomes:?}");
}

/// Nothing is made of it.
pub async fn an_unknown_key_is_neither_found_nor_revoked(subject: &dyn ApiKeysSubject) {
    let id = ApiKeyId::from_random(random());
    let keys = subject.api_keys();
    let revoked = keys.revoke(id, at(10), &untold()).await;
    assert_eq!(revoked.expect("revoke works"), RevokeOutcome::NotFound);
    keys.used(id, at(10)).await.expect("used works");
    assert_eq!(find(subject, id).await, None, "there is none");
}

/// Whatever the order in which replicas note it.
pub async fn the_last_use_never_goes_back(subject: &dyn ApiKeysSubject) {
    let id = added(subject, 1).await.key.id;
    for (hour, expected) in [(7200, 7200), (3600, 7200), (10_800, 10_800)] {
        subject
            .api_keys()
            .used(id, at(hour))
            .await
            .expect("used works");
        let found = find(subject, id).await.expect("it is there");
        assert_eq!(found.key.used_at, Some(at(expected)), "noted {hour}");
    }
}

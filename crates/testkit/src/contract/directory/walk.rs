//! All accounts with their hashes, and all sessions of one.

use crate::contract::{
    DirectorySubject,
    accounts::{Accounts, at},
    given::{hash, user, user_id},
};
use revolve_domain::{
    model::{DetailsChange, EmailAddress, EndReason, Session, User, UserId},
    ports::{AddOutcome, UpdateOutcome},
};

async fn page(
    subject: &dyn DirectorySubject,
    after: Option<UserId>,
    limit: u32,
) -> Vec<(User, String)> {
    let page = subject
        .directory()
        .walk(after, limit)
        .await
        .expect("walk works");
    page.into_iter()
        .map(|found| (found.user, found.hash.expose().to_owned()))
        .collect()
}

/// By id, so that an account whose address changes meanwhile is neither missed nor met twice.
pub async fn a_walk_meets_every_account_once(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let mut made = Vec::new();
    for _ in 0..8 {
        made.push(accounts.signed_up().await.0);
    }
    made.sort_by_key(|user| user.id);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = page(subject, after, 3).await;
        let Some((last, _)) = page.last() else { break };
        assert!(page.len() <= 3, "a page has its limit");
        let ascending = page.windows(2).all(|pair| pair[0].0.id < pair[1].0.id);
        assert!(
            ascending && after < Some(page[0].0.id),
            "ids ascend, also over pages"
        );
        after = Some(last.id);
        seen.extend(
            page.into_iter()
                .filter(|(user, _)| made.iter().any(|made| made.id == user.id))
                .map(|(user, _)| user.id),
        );
        // The first by address becomes the last one.
        if seen.len() == 1 {
            let email = EmailAddress::parse(&format!("zzz-{}", made[7].email.as_str()))
                .expect("an address");
            let change = DetailsChange {
                email: Some(email),
                ..DetailsChange::default()
            };
            let changed = accounts
                .users
                .update(seen[0], &change, None, at(60))
                .await
                .expect("update works");
            assert!(
                matches!(changed, UpdateOutcome::Updated(_)),
                "a fresh address"
            );
        }
    }
    assert_eq!(
        seen,
        made.iter().map(|user| user.id).collect::<Vec<_>>(),
        "each once"
    );
}

/// Each account with its hash and all other fields.
pub async fn a_walk_knows_the_hashes(subject: &dyn DirectorySubject) {
    let (ann, bob) = (
        user(),
        User {
            disabled_at: Some(at(7)),
            ..user()
        },
    );
    for (user, text) in [(&ann, "ann's"), (&bob, "bob's")] {
        assert_eq!(
            subject
                .users()
                .add(user, &hash(text))
                .await
                .expect("add works"),
            AddOutcome::Added,
            "a fresh address"
        );
    }
    for (user, text) in [(ann, "$test$v=1$ann's"), (bob, "$test$v=1$bob's")] {
        // The greatest id below the account's.
        let before = UserId::from_uuid(uuid::Uuid::from_u128(user.id.as_uuid().as_u128() - 1));
        assert_eq!(
            page(subject, Some(before), 1).await,
            [(user, text.to_owned())],
            "the next one after it"
        );
    }
}

/// Nobody is given such an id now, but an earlier release may have imported it.
pub async fn a_walk_meets_the_first_and_the_last_id_that_there_can_be(
    subject: &dyn DirectorySubject,
) {
    let ids = [uuid::Uuid::nil(), uuid::Uuid::max()].map(UserId::from_uuid);
    for id in ids {
        let user = User { id, ..user() };
        let added = subject.users().add(&user, &hash("theirs")).await;
        assert_eq!(added.expect("add works"), AddOutcome::Added);
    }
    let first = page(subject, None, 1).await;
    assert_eq!(first[0].0.id, ids[0]);
    let mut seen = Vec::new();
    let mut after = None;
    while let Some((last, _)) = page(subject, after, 1).await.pop() {
        after = Some(last.id);
        seen.push(last.id);
    }
    assert_eq!(seen.last(), Some(&ids[1]));
}

/// Live rows and ended ones, the newest first; they stay when the account is deleted.
pub async fn a_history_has_all_rows(subject: &dyn DirectorySubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    accounts.signed_up().await;
    let (third, second) = (
        accounts.signed_in(&user, 200).await,
        accounts.signed_in(&user, 100).await,
    );
    accounts
        .sessions
        .end(user.id, second.id, EndReason::Reused, at(300))
        .await
        .expect("end works");
    let history = async || {
        subject
            .directory()
            .history(user.id)
            .await
            .expect("history works")
    };
    let second = accounts.row(&second).await;
    assert_eq!(
        second.ending.map(|ending| ending.reason),
        Some(EndReason::Reused),
        "it has ended"
    );
    assert_eq!(
        history().await,
        [third.clone(), second.clone(), first.clone()],
        "whole rows, the newest first"
    );
    assert!(
        accounts
            .users
            .delete(user.id, None, at(400))
            .await
            .expect("delete works"),
        "there was an account"
    );
    let left: Vec<_> = history()
        .await
        .iter()
        .map(|row: &Session| (row.id, row.ending.map(|ending| ending.reason)))
        .collect();
    let deleted = Some(EndReason::AccountDeleted);
    assert_eq!(
        left,
        [
            (third.id, deleted),
            (second.id, Some(EndReason::Reused)),
            (first.id, deleted)
        ],
        "what the account leaves"
    );
    assert_eq!(
        subject
            .directory()
            .history(user_id())
            .await
            .expect("history works"),
        [],
        "nobody has none"
    );
}

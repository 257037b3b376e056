//! Lists and followers.

use super::{Scene, begun, created, record, told};
use crate::contract::{
    JournalSubject,
    given::{START, at_once, hash, random, secs, session, user, user_id},
};
use revolve_domain::{
    journal::Actor,
    model::EventId,
    ports::{JournalQuery, SecurityEvent},
};
use std::{collections::BTreeSet, sync::Arc};

/// Entries of the same instant included.
pub async fn pages_join_without_gaps(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    for after in [3, 1, 1, 2, 1] {
        scene
            .tell_by_end(&session, vec![begun(&session), begun(&session)], after)
            .await;
    }
    let all = scene.entries(user.id).await;
    assert_eq!(all.len(), 10);
    assert!(
        all.is_sorted_by(|newer, older| newer.at >= older.at),
        "the newest come first: {all:?}"
    );
    let (mut joined, mut after) = (Vec::new(), None);
    loop {
        let page = scene.page(user.id, after, 3).await;
        assert!(page.len() <= 3, "a page has a limit");
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        joined.extend(page);
    }
    assert_eq!(joined, all);
}

/// It was pruned, or never there.
pub async fn a_page_after_an_unknown_entry_is_empty(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    scene.tell_by_end(&session, vec![begun(&session)], 1).await;
    let unknown = EventId::from_random(random());
    assert_eq!(scene.page(user.id, Some(unknown), 10).await, []);
}

/// Nobody learns whether it is there.
pub async fn a_page_after_an_entry_of_another_account_is_empty(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    let (other, other_session) = scene.accounts.signed_up().await;
    scene.tell_by_end(&session, vec![begun(&session)], 1).await;
    let events = vec![begun(&other_session)];
    scene.tell_by_end(&other_session, events, 2).await;
    let foreign = scene.entries(other.id).await[0].id;
    assert_eq!(scene.page(user.id, Some(foreign), 10).await, []);
}

/// The list of all has those of all.
pub async fn an_account_sees_its_own_entries_only(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    let (other, other_session) = scene.accounts.signed_up().await;
    scene.tell_by_end(&session, vec![begun(&session)], 1).await;
    scene
        .tell_by_end(&other_session, vec![created(&other, &other_session)], 2)
        .await;
    assert_eq!(scene.names(user.id).await, ["session.begun"]);
    assert_eq!(scene.names(other.id).await, ["account.created"]);
    assert_eq!(scene.entries(user_id()).await, []);
    let query = JournalQuery {
        limit: 1000,
        ..JournalQuery::default()
    };
    let all = scene.journal.read(&query).await.expect("read works");
    let own: Vec<_> = all
        .iter()
        .filter(|entry| [Some(user.id), Some(other.id)].contains(&entry.user))
        .map(|entry| entry.event.as_str())
        .collect();
    assert_eq!(own, ["account.created", "session.begun"]);
}

/// In the order of the commits.
pub async fn a_follower_gets_each_entry_once(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    let cursor = scene.follow(None, 2).await.cursor;
    for after in [9, 1, 5] {
        scene
            .tell_by_end(
                &session,
                vec![begun(&session), created(&user, &session)],
                after,
            )
            .await;
    }
    let mut note = record(2, Actor::Stranger, begun(&session));
    for count in [2, 3] {
        note.count = count;
        scene
            .journal
            .note(std::slice::from_ref(&note))
            .await
            .expect("note works");
    }
    let found = scene.follow_until(cursor, 7).await;
    let seconds: Vec<_> = found.iter().map(|entry| entry.at).collect();
    let expected = [9, 9, 1, 1, 5, 5, 2].map(|after| START.plus(secs(after)));
    assert_eq!(seconds, expected);
    let names: Vec<_> = found.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(names[..2], ["session.begun", "account.created"]);
}

/// Without a cursor nothing comes, however much there is.
pub async fn a_follower_begins_now(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let empty = scene.follow(None, 10).await;
    assert_eq!(empty.entries, []);
    let (user, session) = scene.accounts.signed_up().await;
    scene.tell_by_end(&session, vec![begun(&session)], 1).await;
    let now = scene.follow(None, 10).await;
    assert_eq!(now.entries, []);
    let found = scene.follow_until(empty.cursor, 1).await;
    assert_eq!(found[0].user, Some(user.id));
}

/// None is missed, whichever commits first.
pub async fn parallel_changes_reach_a_follower(subject: &impl JournalSubject) {
    let scene = Arc::new(Scene::new(subject));
    let cursor = scene.follow(None, 2).await.cursor;
    let accounts: Vec<_> = (0..24).map(|_| user()).collect();
    let expected: BTreeSet<_> = accounts.iter().map(|user| Some(user.id)).collect();
    let calls = accounts.into_iter().map(|user| {
        let scene = Arc::clone(&scene);
        async move {
            let session = session(&user, 0);
            let events = vec![SecurityEvent::AccountEnabled { user: user.id }];
            let tell = told(1, Actor::System, events);
            let users = &scene.accounts.users;
            users
                .create(&user, &hash("first"), &session, &tell)
                .await
                .expect("create works");
        }
    });
    let (_, found) = tokio::join!(at_once(calls), scene.follow_until(cursor, expected.len()));
    let found: Vec<_> = found.iter().map(|entry| entry.user).collect();
    assert_eq!(found.len(), expected.len(), "each comes once: {found:?}");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
}

/// In pages as well; a time is the first that counts, or the first that does not any more.
pub async fn entries_are_found_by_name_and_time(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let at = |after| START.plus(secs(after));
    let (user, session) = scene.accounts.signed_up().await;
    for after in 1..=6 {
        let event = if after % 2 == 0 {
            begun(&session)
        } else {
            SecurityEvent::AccountEnabled { user: user.id }
        };
        scene.tell_by_end(&session, vec![event], after).await;
    }
    let read = async |query: JournalQuery| {
        let found = scene.journal.read(&query).await.expect("read works");
        found.iter().map(|entry| entry.at).collect::<Vec<_>>()
    };
    let all = JournalQuery {
        user: Some(user.id),
        event: Some("session.begun".to_owned()),
        limit: 10,
        ..JournalQuery::default()
    };
    assert_eq!(read(all.clone()).await, [at(6), at(4), at(2)]);
    let some = JournalQuery {
        from: Some(at(2)),
        to: Some(at(6)),
        ..all.clone()
    };
    assert_eq!(read(some.clone()).await, [at(4), at(2)]);
    let of_any_name = JournalQuery {
        event: None,
        ..some.clone()
    };
    assert_eq!(read(of_any_name).await, [at(5), at(4), at(3), at(2)]);
    let first = JournalQuery {
        limit: 1,
        ..some.clone()
    };
    let first = scene.journal.read(&first).await.expect("read works");
    let next = JournalQuery {
        after: Some(first[0].id),
        ..some
    };
    assert_eq!(read(next).await, [at(2)]);
    let strange = JournalQuery {
        after: Some(first[0].id),
        event: Some("account.enabled".to_owned()),
        ..all
    };
    assert_eq!(read(strange).await, [], "it is of another name");
    let of_all_accounts = JournalQuery {
        event: Some("account.enabled".to_owned()),
        from: Some(at(3)),
        to: Some(at(4)),
        limit: 1000,
        ..JournalQuery::default()
    };
    let found = scene.journal.read(&of_all_accounts).await;
    let found = found.expect("read works");
    assert!(found.iter().any(|entry| entry.user == Some(user.id)));
    assert!(found.iter().all(|entry| entry.at == at(3)), "{found:?}");
}

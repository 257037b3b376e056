//! What changes tell.

use super::{Scene, begun, created, record, reset, reused, told};
use crate::{
    contract::{
        JournalSubject,
        accounts::{at, begin},
        given::{START, at_once, hash, random, secs, session, session_id, user},
    },
    untold,
};
use revolve_domain::{
    journal::{Actor, Tell},
    model::{DetailsChange, EndReason, EventId, SessionId},
    ports::{
        Asking, CreateOutcome, EndOutcome, JournalRecord, PasswordChange, PasswordOutcome,
        SecurityEvent, UpdateOutcome,
    },
};
use std::sync::Arc;

/// The change is there, and so is what it tells.
pub async fn what_an_outcome_tells_is_committed_with_it(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let user = user();
    let session = session(&user, 0);
    let tell = told(5, Actor::User(user.id), vec![created(&user, &session)]);
    let outcome = scene
        .accounts
        .users
        .create(&user, &hash("first"), &session, &tell)
        .await
        .expect("create works");
    assert_eq!(outcome, CreateOutcome::Created);
    assert_eq!(scene.entries(user.id).await, expected(&tell, &outcome));
}

/// What a store keeps of what is told, the newest first.
fn expected<O>(tell: &Tell<O>, outcome: &O) -> Vec<JournalRecord> {
    let (entries, _) = tell.of(outcome);
    entries.iter().rev().map(JournalRecord::from).collect()
}

/// An outcome that is told by nothing leaves no entry, and one that changed nothing may tell all the same.
pub async fn what_changed_nothing_tells_nothing(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (owner, first) = scene.accounts.signed_up().await;
    assert_eq!(scene.entries(owner.id).await, []);
    let mut second = user();
    second.email = owner.email.clone();
    let session = session(&second, 0);
    let events = [created(&second, &session), created(&owner, &first)];
    let tell = Tell::new(
        EventId::from_random(random()),
        START,
        Actor::Stranger,
        move |outcome: &CreateOutcome| match outcome {
            CreateOutcome::Created => vec![events[0].clone()],
            CreateOutcome::EmailTaken => vec![events[1].clone()],
        },
    );
    let outcome = scene
        .accounts
        .users
        .create(&second, &hash("second"), &session, &tell)
        .await
        .expect("create works");
    assert_eq!(outcome, CreateOutcome::EmailTaken);
    assert_eq!(scene.entries(second.id).await, [], "it was not created");
    assert_eq!(scene.entries(owner.id).await, expected(&tell, &outcome));
}

/// Every field, and text that needs care.
pub async fn an_entry_reads_back_as_told(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    for (after, actor, event) in [
        (1, Actor::User(user.id), created(&user, &session)),
        (2, Actor::Stranger, reused(&session)),
        (
            3,
            Actor::Operator,
            SecurityEvent::AccountEnabled { user: user.id },
        ),
        (4, Actor::System, begun(&session)),
    ] {
        let tell = told(after, actor, vec![event]);
        let outcome = scene
            .accounts
            .sessions
            .end(user.id, session.id, EndReason::SignedOut, START, &tell)
            .await
            .expect("end works");
        assert_eq!(
            scene.page(user.id, None, 1).await,
            expected(&tell, &outcome)
        );
    }
}

/// The last that is told of a commit comes first.
pub async fn entries_of_one_commit_keep_their_order(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    let events = vec![
        reused(&session),
        created(&user, &session),
        begun(&session),
        SecurityEvent::AccountEnabled { user: user.id },
        SecurityEvent::AccountDisabled { user: user.id },
    ];
    scene.tell_by_end(&session, events, 1).await;
    assert_eq!(
        scene.names(user.id).await,
        [
            "account.disabled",
            "account.enabled",
            "session.begun",
            "account.created",
            "session.reused"
        ]
    );
}

/// Each method commits what it is given to tell.
pub async fn every_change_tells(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (users, sessions) = (&scene.accounts.users, &scene.accounts.sessions);
    let owner = user();
    let first = session(&owner, 0);
    let own = Actor::User(owner.id);
    let event = |number: u8| SecurityEvent::SessionEnded {
        user: owner.id,
        session: SessionId::from_random([number; 16]),
        reason: EndReason::SignedOut,
    };
    let added = user();
    let add = told(
        0,
        Actor::Operator,
        vec![SecurityEvent::AccountImported { user: added.id }],
    );
    users
        .add(&added, &hash("first"), &add)
        .await
        .expect("add works");
    assert_eq!(scene.names(added.id).await, ["account.imported"]);

    let create = told(1, own, vec![event(1)]);
    users
        .create(&owner, &hash("first"), &first, &create)
        .await
        .expect("create works");
    let second = session(&owner, 2);
    let tell = told(2, own, vec![event(2)]);
    let begin = begin(&second);
    let begun = sessions.begin(&begin, &tell);
    begun.await.expect("begin works");
    let tell = told(3, own, vec![event(3)]);
    let devices = [second.device];
    let bound = sessions.bind(owner.id, second.id, &devices, at(3), &tell);
    bound.await.expect("bind works");
    let updated = users
        .update(
            owner.id,
            &DetailsChange::default(),
            None,
            at(4),
            &told(4, own, vec![event(4)]),
        )
        .await
        .expect("update works");
    assert!(matches!(updated, UpdateOutcome::Updated(_)), "{updated:?}");
    let change = PasswordChange {
        user: owner.id,
        session: second.id,
        epoch: owner.epoch,
        hash: hash("second"),
        at: at(5),
    };
    let tell = told(5, own, vec![event(5)]);
    let changed = users.change_password(&change, &tell);
    assert!(matches!(
        changed.await.expect("change_password works"),
        PasswordOutcome::Changed(_)
    ));
    let tell = told(6, own, vec![event(6)]);
    let all = sessions.end_all(owner.id, None, EndReason::SignedOut, at(6), &tell);
    all.await.expect("end_all works");
    let tell = told(7, own, vec![event(7)]);
    let deleted = users.delete(owner.id, None, at(7), &tell);
    assert!(deleted.await.expect("delete works"));

    let found = scene.entries(owner.id).await;
    let found: Vec<_> = found.iter().map(|entry| entry.session).collect();
    let expected = (1..=7).rev();
    let expected: Vec<_> = expected
        .map(|number| Some(SessionId::from_random([number; 16])))
        .collect();
    assert_eq!(found, expected);
}

/// Of many ends one tells.
pub async fn parallel_changes_tell_once_each(subject: &impl JournalSubject) {
    let scene = Arc::new(Scene::new(subject));
    let (user, session) = scene.accounts.signed_up().await;
    let ended = SecurityEvent::SessionEnded {
        user: user.id,
        session: session.id,
        reason: EndReason::SignedOut,
    };
    let calls = (0..8).map(|_| {
        let (scene, session, ended) = (Arc::clone(&scene), session.clone(), ended.clone());
        let tell = Tell::new(
            EventId::from_random(random()),
            START.plus(secs(1)),
            Actor::System,
            move |outcome: &EndOutcome| match outcome {
                EndOutcome::Ended => vec![ended.clone()],
                _ => Vec::new(),
            },
        );
        async move {
            let reason = EndReason::SignedOut;
            let ends = &scene.accounts.sessions;
            ends.end(session.user, session.id, reason, START, &tell)
                .await
                .expect("end works")
        }
    });
    at_once(calls).await;
    assert_eq!(scene.names(user.id).await, ["session.signed_out"]);
}

/// Address, device, the session's address and an operator's reason go in the commit of the deletion; the rest stays.
pub async fn a_deletion_scrubs_the_entries(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    let (other, other_session) = scene.accounts.signed_up().await;
    scene
        .tell_by_end(
            &session,
            vec![created(&user, &session), reused(&session), reset(user.id)],
            1,
        )
        .await;
    scene
        .tell_by_end(
            &other_session,
            vec![begun(&other_session), reset(other.id)],
            1,
        )
        .await;
    let mut noted = record(2, Actor::Stranger, begun(&session));
    noted.count = 7;
    scene
        .journal
        .note(std::slice::from_ref(&noted))
        .await
        .expect("note works");
    let (before, others) = (scene.entries(user.id).await, scene.entries(other.id).await);
    assert_eq!(before.len(), 4);
    let has_reason = |entry: &JournalRecord| entry.details.contains_key(JournalRecord::NOTE);
    assert!(before.iter().any(has_reason) && others.iter().any(has_reason));

    let tell = untold();

    let asking = Asking {
        session: session_id(),
        epoch: None,
    };
    let not_asked = scene
        .accounts
        .users
        .delete(user.id, Some(asking), at(3), &tell);
    assert!(!not_asked.await.expect("delete works"));
    assert_eq!(scene.entries(user.id).await, before, "nothing was deleted");

    let deleted = told(
        4,
        Actor::User(user.id),
        vec![SecurityEvent::AccountDeleted { user: user.id }],
    );
    let delete = scene.accounts.users.delete(user.id, None, at(4), &deleted);
    assert!(delete.await.expect("delete works"));
    let mut after = scene.entries(user.id).await;
    assert_eq!(after.remove(0).event, "account.deleted");
    let mut scrubbed = before;
    scrubbed.iter_mut().for_each(JournalRecord::scrub);
    assert_eq!(after, scrubbed);
    assert!(!after.iter().any(has_reason));
    assert_eq!(scene.entries(other.id).await, others, "another account");
}

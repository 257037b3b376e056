//! Notes of what changed no row, and the end of old entries.

use super::{Scene, begun, record, reset};
use crate::{
    contract::{
        JournalSubject,
        accounts::at,
        given::{START, at_once, secs, session, user},
    },
    untold,
};
use revolve_domain::{
    journal::Actor,
    ports::{JournalQuery, SecurityEvent},
};
use std::{sync::Arc, time::Duration};

/// Replicas that count the same thing count in one row; its time stays that of the first.
pub async fn notes_of_one_id_are_counted(subject: &impl JournalSubject) {
    let scene = Arc::new(Scene::new(subject));
    let (user, session) = scene.accounts.signed_up().await;
    let mut first = record(1, Actor::Stranger, begun(&session));
    first.count = 3;
    let note = [first.clone()];
    scene.journal.note(&note).await.expect("note works");
    let other = record(1, Actor::Stranger, begun(&session));
    let calls = (2..10).map(|after| {
        let (scene, mut again, other) = (Arc::clone(&scene), first.clone(), other.clone());
        (again.at, again.count) = (at(after), after);
        async move {
            let notes = if after % 2 == 0 {
                [again, other]
            } else {
                [other, again]
            };
            scene.journal.note(&notes).await.expect("note works");
        }
    });
    at_once(calls).await;
    let mut found = scene.entries(user.id).await;
    found.sort_by_key(|entry| entry.count);
    assert_eq!(
        found
            .iter()
            .map(|entry| (entry.id, entry.at, entry.count))
            .collect::<Vec<_>>(),
        [
            (other.id, other.at, 8),
            (first.id, first.at, 3 + (2..10).sum::<u64>())
        ]
    );
}

/// Also of nobody's account.
pub async fn a_note_reads_back_as_noted(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    let own = record(1, Actor::User(user.id), begun(&session));
    let mut nobodys = record(
        2,
        Actor::Stranger,
        SecurityEvent::SignInRefused {
            user: None,
            address: Some([192, 0, 2, 1].into()),
        },
    );
    nobodys.count = 1 << 40;
    scene
        .journal
        .note(&[own.clone(), nobodys.clone()])
        .await
        .expect("note works");
    assert_eq!(scene.entries(user.id).await, [own]);
    let query = JournalQuery {
        limit: 1000,
        ..JournalQuery::default()
    };
    let all = scene.journal.read(&query).await.expect("read works");
    assert!(all.contains(&nobodys), "{all:?}");
}

/// A request may be under way when its account goes.
pub async fn a_note_about_a_deleted_account_is_scrubbed(subject: &impl JournalSubject) {
    let scene = Scene::new(subject);
    let (gone, gone_session) = scene.accounts.signed_up().await;
    let never = user();
    let never_session = session(&never, 0);
    let tell = untold();
    let deleted = scene.accounts.users.delete(gone.id, None, at(1), &tell);
    assert!(deleted.await.expect("delete works"));
    for session in [&gone_session, &never_session] {
        for event in [begun(session), reset(session.user)] {
            let mut note = record(2, Actor::Stranger, event);
            scene
                .journal
                .note(std::slice::from_ref(&note))
                .await
                .expect("note works");
            note.scrub();
            assert_eq!(scene.entries(session.user).await.remove(0), note);
        }
    }
}

/// The others stay.
pub async fn old_entries_are_pruned_in_batches(subject: &impl JournalSubject) {
    const YEAR: Duration = Duration::from_hours(24 * 365);
    let scene = Scene::new(subject);
    let (user, session) = scene.accounts.signed_up().await;
    let notes = (0..4).map(|number| {
        let mut note = record(number, Actor::Stranger, begun(&session));
        note.at = note.at.minus(YEAR);
        note
    });
    let notes: Vec<_> = notes.collect();
    scene.journal.note(&notes).await.expect("note works");
    let before = START.minus(YEAR).plus(secs(3));
    for pruned in [2, 1, 0] {
        let prune = scene.journal.prune(before, 2);
        assert_eq!(prune.await.expect("prune works"), pruned);
    }
    assert_eq!(scene.entries(user.id).await, [notes[3].clone()]);
}

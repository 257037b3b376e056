//! Which device a session is bound to.

use crate::{
    contract::{
        AccountsSubject,
        accounts::{Accounts, at},
        given::{at_once, device_id, session},
    },
    untold,
};
use revolve_domain::model::{EndReason, Session};

async fn assert_binds_none(accounts: &Accounts, session: &Session, devices: &[&Session]) {
    let devices: Vec<_> = devices.iter().map(|session| session.device).collect();
    let before = accounts.row(session).await;
    assert_eq!(accounts.bind(session, &devices, 500).await, None);
    assert_eq!(accounts.row(session).await, before, "nothing changed");
}

/// A session that is not bound takes its own device, else the first that its user has signed in on under its epoch, and no other
/// from then on.
pub async fn an_unbound_session_takes_a_device_of_its_user(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let ((mut user, first), (_, others)) = (accounts.signed_up().await, accounts.signed_up().await);
    let before = accounts.signed_in(&user, 10).await;
    accounts
        .sessions
        .end_all(
            user.id,
            Some(first.id),
            EndReason::SignedOut,
            at(30),
            &untold(),
        )
        .await
        .expect("end_all works");
    user.epoch = user.epoch.next();
    let (one, two) = (
        accounts.signed_in(&user, 60).await,
        accounts.signed_in(&user, 90).await,
    );
    let strange = session(&user, 0);
    assert_binds_none(&accounts, &one, &[&others, &strange, &first]).await;
    let shown = [others.device, first.device, two.device, device_id()];
    assert_eq!(
        accounts.bind(&one, &shown, 120).await,
        Some(two.device),
        "the device that the user has signed in on"
    );
    let taken = Session {
        device: two.device,
        bound_at: Some(at(120)),
        ..one.clone()
    };
    assert_eq!(accounts.row(&one).await, taken, "the row says so");
    assert_binds_none(&accounts, &one, &[&one]).await;
    let again = accounts.bind(&one, &[two.device], 150).await;
    assert_eq!(again, Some(two.device), "it stays bound to it");
    assert_eq!(accounts.row(&one).await, taken, "since the first time");
    let own = [one.device, first.device, two.device];
    assert_eq!(
        accounts.bind(&two, &own, 180).await,
        Some(two.device),
        "its own before others"
    );
    let shown = [others.device, before.device, one.device];
    assert_eq!(
        accounts.bind(&first, &shown, 210).await,
        Some(before.device),
        "a session that was kept takes those of its own epoch, too"
    );
}

/// Of concurrent bindings to two devices one wins, and all calls hear the same.
pub async fn parallel_bindings_agree_on_a_device(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let other = accounts.signed_in(&user, 60).await;
    let calls = (0..20_usize).map(|number| {
        let (sessions, session) = (subject.sessions(), first.clone());
        let device = [first.device, other.device][number % 2];
        async move {
            let bound = sessions
                .bind(session.user, session.id, &[device], at(90), &untold())
                .await
                .expect("bind works");
            (device, bound)
        }
    });
    let answers = at_once(calls).await;
    let device = accounts.row(&first).await.device;
    for (shown, bound) in answers {
        let expected = (shown == device).then_some(device);
        assert_eq!(bound, expected, "the session is bound to {device}");
    }
}

/// A deleted account has no device that a session could be bound to.
pub async fn the_devices_of_a_deleted_account_bind_nothing(subject: &dyn AccountsSubject) {
    let accounts = Accounts::new(subject);
    let (user, first) = accounts.signed_up().await;
    let other = accounts.signed_in(&user, 60).await;
    accounts
        .users
        .delete(user.id, None, at(90), &untold())
        .await
        .expect("delete works");
    assert_binds_none(&accounts, &first, &[&other]).await;
}

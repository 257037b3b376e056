//! Without the device of its session, an ID token of a bound session only reads the account and ends that session.

use super::{names, reauthentication::to_new_password, refusal};
use revolve_domain::{
    model::{DetailsChange, Label},
    ports::SecurityEvent,
    use_cases::{
        Caller, ChangePasswordError, DeleteAccountError, EndSessionError, ReauthenticateError,
        Refusal, SignOutScope, UpdateDetailsError, UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, world::TestClient};
use secrecy::SecretString;

/// A client whose session is bound.
async fn bound<'w>(world: &'w World, name: &str) -> TestClient<'w> {
    let mut client = world.signed_up(name).await;
    client.shows_credential = true;
    client.refresh().await.expect("this binds the session");
    client
}

#[tokio::test]
async fn an_id_token_alone_reads_the_account_of_a_bound_session_and_ends_it() {
    let world = World::new();
    let mut ann = bound(&world, "ann").await;
    let (mut other, bob) = (world.signed_in("ann").await, world.signed_up("bob").await);
    let reauthentication = ann.reauthenticated("ann").await.reauthentication;
    let calls = world.hasher.calls();
    let shown: [Option<SecretString>; 4] = [
        None,
        Some("forged".into()),
        Some(bob.credential.clone()),
        Some(other.credential.clone()),
    ];
    for device_credential in shown {
        let thief = Caller {
            device_credentials: device_credential.into_iter().collect(),
            reauthentication: reauthentication.clone(),
            ..ann.caller()
        };
        world.events.take();
        let password = World::password("ann's password");
        let name = UpdateDetailsRequest {
            change: DetailsChange {
                name: Some(Label::parse("Eve").ok()),
                ..DetailsChange::default()
            },
            current_password: None,
            ..UpdateDetailsRequest::default()
        };
        let refusals = [
            world.list_sessions.execute(&thief).await.map(drop),
            world.sign_out.execute(&thief, SignOutScope::Others).await,
            world
                .sign_out
                .execute(&thief, SignOutScope::Everywhere)
                .await,
            match world.end_session.execute(&thief, other.session).await {
                Err(EndSessionError::Refused(refused)) => Err(refused),
                outcome => panic!("{outcome:?}"),
            },
            match world.reauthenticate.execute(&thief, &password).await {
                Err(ReauthenticateError::Refused(refused)) => Err(refused),
                outcome => panic!("{outcome:?}"),
            },
            match world.update_details.execute(&thief, name).await {
                Err(UpdateDetailsError::Refused(refused)) => Err(refused),
                outcome => panic!("{outcome:?}"),
            },
            match world
                .change_password
                .execute(&thief, to_new_password())
                .await
            {
                Err(ChangePasswordError::Refused(refused)) => Err(refused),
                outcome => panic!("{outcome:?}"),
            },
            match world.delete_account.execute(&thief).await {
                Err(DeleteAccountError::Refused(refused)) => Err(refused),
                outcome => panic!("{outcome:?}"),
            },
        ];
        let number = refusals.len();
        for refused in refusals {
            assert_eq!(refusal(refused), Refusal::DeviceMismatch);
        }
        let events = world.events.take();
        assert_eq!(names(&events), vec!["device.mismatch"; number]);
        assert!(
            events.iter().all(|event| matches!(event, SecurityEvent::DeviceMismatch { session, address: Some(_), .. } if *session == ann.session)),
            "{events:?}"
        );
    }
    assert_eq!(world.hasher.calls(), calls, "no password was looked at");
    other.refresh().await.expect("nothing has ended");
    let seen = world.me.execute(&ann.id_token).await;
    let seen = seen.expect("it says who one is");
    assert_eq!(seen.details.name, None, "nothing changed");

    let listed = world.list_sessions.execute(&ann.caller()).await;
    assert_eq!(listed.expect("the device is shown").len(), 2);
    let thief = Caller {
        device_credentials: Vec::new(),
        ..ann.caller()
    };
    world
        .sign_out
        .execute(&thief, SignOutScope::This)
        .await
        .expect("who has lost the device can sign out");
    assert_eq!(refusal(ann.refresh().await), Refusal::SessionRevoked);
}

#[tokio::test]
async fn a_bound_session_can_be_ended_by_its_own_id_without_its_device() {
    let world = World::new();
    let mut ann = bound(&world, "ann").await;
    let thief = Caller {
        device_credentials: Vec::new(),
        ..ann.caller()
    };
    world
        .end_session
        .execute(&thief, ann.session)
        .await
        .expect("it is a sign-out");
    assert_eq!(refusal(ann.refresh().await), Refusal::SessionRevoked);
}

#[tokio::test]
async fn a_session_that_is_not_bound_needs_no_device_whatever_is_shown() {
    let world = World::new();
    let (ann, bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    for device_credential in [None, Some("forged".into()), Some(bob.credential)] {
        let caller = Caller {
            device_credentials: device_credential.into_iter().collect(),
            ..ann.caller()
        };
        world
            .list_sessions
            .execute(&caller)
            .await
            .expect("the session is not bound");
    }
    let row = world.accounts.inner().rows(ann.user).remove(0);
    assert_eq!(row.bound_at, None, "a call does not bind it");
}

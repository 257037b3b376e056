//! Sign-ups and refreshes are held to limits, too.

use super::{refusal, secs};
use revolve_domain::{
    limits::LimitName,
    model::{ClientInfo, DetailsChange, EmailAddress},
    use_cases::{
        Caller, ChangePasswordError, ChangePasswordRequest, Limited, Refused, SignInRequest,
        SignUpError, UpdateDetailsError, UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, memory::Fault, world::TestClient};

#[track_caller]
fn limited<T: std::fmt::Debug>(result: Result<T, Refused>) -> Limited {
    match result {
        Err(Refused::Limited(limited)) => limited,
        other => panic!("expected a limit to be reached, got {other:?}"),
    }
}

#[tokio::test]
async fn whoever_asks_for_taken_addresses_is_slowed_down() {
    let world = World::new();
    world.signed_up("ann").await;
    for _ in 0..9 {
        assert!(matches!(
            world.try_sign_up("ann").await,
            Err(SignUpError::EmailTaken)
        ));
    }
    let Err(SignUpError::Limited(account)) = world.try_sign_up("ann").await else {
        panic!("ten an hour for one address")
    };
    assert_eq!(account.limit, LimitName::SignUpPerAccount);
    for number in 0..50 {
        world.signed_up(&format!("somebody{number}")).await;
    }
    let calls = world.hasher.calls();
    let Err(SignUpError::Limited(address)) = world.try_sign_up("another").await else {
        panic!("sixty an hour from one address")
    };
    assert_eq!(
        (address.limit, address.retry_after),
        (LimitName::SignUpPerAddress, secs(60))
    );
    assert_eq!(world.hasher.calls(), calls, "what is refused costs no hash");
    let elsewhere = ClientInfo {
        address: Some([203, 0, 113, 9].into()),
        ..ClientInfo::default()
    };
    world
        .sign_up
        .execute(SignInRequest {
            client: elsewhere,
            ..World::request("another")
        })
        .await
        .expect("others are not slowed down");
}

#[tokio::test]
async fn asking_for_addresses_from_within_an_account_counts_as_well() {
    let world = World::new();
    let (ann, _bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    let asks = async |address: &str| {
        let change = DetailsChange {
            email: EmailAddress::parse(address).ok(),
            ..DetailsChange::default()
        };
        let current_password = Some(World::password("ann's password"));
        let client = ClientInfo {
            address: Some([203, 0, 113, 9].into()),
            ..ClientInfo::default()
        };
        world
            .update_details
            .execute(
                &Caller {
                    client,
                    ..ann.caller()
                },
                UpdateDetailsRequest {
                    change,
                    current_password,
                    ..UpdateDetailsRequest::default()
                },
            )
            .await
    };
    for _ in 0..100 {
        asks("ann@example.org")
            .await
            .expect("her own address asks nothing");
    }
    for number in 0..60 {
        asks(&format!("ann{number}@example.org"))
            .await
            .expect("nobody has it");
    }
    let refused = asks("bob@example.org").await;
    assert!(
        matches!(
            refused,
            Err(UpdateDetailsError::Refused(Refused::Limited(_)))
        ),
        "{refused:?}"
    );
    world.advance(secs(60));
    assert!(matches!(
        asks("bob@example.org").await,
        Err(UpdateDetailsError::EmailTaken)
    ));
    assert!(matches!(
        asks("bob@example.org").await,
        Err(UpdateDetailsError::Refused(Refused::Limited(_)))
    ));
}

#[tokio::test]
async fn weak_passwords_count_for_the_address_that_has_them_judged() {
    let world = World::new();
    let weak = || SignInRequest {
        password: World::password("sunshine"),
        ..World::request("ann")
    };
    for _ in 0..60 {
        assert!(matches!(
            world.sign_up.execute(weak()).await,
            Err(SignUpError::WeakPassword(_))
        ));
    }
    let judged = world.strength.calls();
    let Err(SignUpError::Limited(limited)) = world.sign_up.execute(weak()).await else {
        panic!("sixty an hour from one address")
    };
    assert_eq!(
        (limited.limit, world.strength.calls()),
        (LimitName::SignUpPerAddress, judged)
    );
    let elsewhere = ClientInfo {
        address: Some([203, 0, 113, 9].into()),
        ..ClientInfo::default()
    };
    world
        .sign_up
        .execute(SignInRequest {
            client: elsewhere,
            ..World::request("ann")
        })
        .await
        .expect("her e-mail address is free for her");
}

#[tokio::test]
async fn a_session_does_not_have_passwords_judged_without_end() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let (before, mut judged, mut last) = (world.strength.calls(), 0, None);
    for _ in 0..200 {
        let request = ChangePasswordRequest {
            current: Some(World::password("ann's password")),
            new: World::password("sunshine"),
        };
        let outcome = world.change_password.execute(&ann.caller(), request).await;
        if !matches!(outcome, Err(ChangePasswordError::WeakPassword(_))) {
            last = Some(outcome);
            break;
        }
        judged += 1;
    }
    assert!(
        matches!(
            last,
            Some(Err(ChangePasswordError::Refused(Refused::Limited(_))))
        ),
        "{last:?}"
    );
    assert_eq!(
        world.strength.calls() - before,
        judged,
        "what is refused is not judged"
    );
}

#[tokio::test]
async fn a_sign_up_that_could_not_be_done_does_not_count() {
    let world = World::new();
    world.accounts.fail(Fault::Before);
    for _ in 0..30 {
        assert!(matches!(
            world.try_sign_up("ann").await,
            Err(SignUpError::Failed(_))
        ));
    }
    world.accounts.recover();
    world.signed_up("ann").await;
}

async fn refresh_until_limited(ann: &mut TestClient<'_>, most: u32) -> Limited {
    for _ in 0..most {
        match ann.refresh().await {
            Ok(refreshed) => assert!(refreshed.budget.is_some(), "it says what is left"),
            refused => return limited(refused),
        }
    }
    panic!("no limit in {most} refreshes");
}

#[tokio::test]
async fn a_session_that_refreshes_without_end_is_slowed_down_and_not_signed_out() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let before = ann
        .refresh()
        .await
        .expect("an honest refresh")
        .budget
        .expect("a limit");
    assert_eq!(
        (before.limit, before.level.remaining),
        (LimitName::RefreshPerSession, 119)
    );
    let limit = refresh_until_limited(&mut ann, 120).await;
    assert_eq!(limit.limit, LimitName::RefreshPerSession);
    let entry = ann.entry();
    limited(ann.refresh().await);
    assert_eq!(ann.entry(), entry, "nothing changed");
    world.advance(limit.retry_after);
    ann.refresh().await.expect("the session goes on");
}

#[tokio::test]
async fn a_thief_of_a_token_does_not_use_up_what_the_device_has() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    ann.shows_credential = true;
    ann.refresh().await.expect("this binds the session");
    let stolen = ann.refresh_token.clone();
    ann.shows_credential = false;
    for _ in 0..120 {
        refusal(ann.present(&stolen).await);
    }
    limited(ann.present(&stolen).await);
    ann.shows_credential = true;
    ann.refresh().await.expect("the owner is not slowed down");
}

#[tokio::test]
async fn made_up_tokens_are_limited_by_address_and_keep_no_session_there_waiting() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    for _ in 0..1200 {
        refusal(ann.present(&"made up".into()).await);
    }
    let limit = limited(ann.present(&"made up".into()).await);
    assert_eq!(limit.limit, LimitName::RefreshPerAddress);
    ann.refresh()
        .await
        .expect("a good token has a budget of its own");
    world.advance(limit.retry_after);
    refusal(ann.present(&"made up".into()).await);
}

//! Accounts that must have a factor.

use super::{
    super::{names, refusal, secs},
    amr,
};
use revolve_domain::{
    model::{AuthMethods, DetailsChange},
    policy::{AccountPolicy, RequireFactor},
    ports::{Clock, TokenCodec},
    use_cases::{
        ChangeFactorsError, Refusal, Refused, SignOutScope, UpdateDetailsError,
        UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, memory::TestAuthenticator};

fn world() -> World {
    World::with_rules(AccountPolicy {
        require_factor: RequireFactor::Always,
        ..AccountPolicy::default()
    })
}

#[tokio::test]
async fn a_new_account_can_do_nothing_but_set_up_a_factor() {
    let world = world();
    let mut ann = world.signed_up("ann").await;
    let now = world.clock.now();
    let others = world.codec.verify_id(&ann.id_token, now);
    others.expect_err("no other service lets it in");
    let caller = ann.caller();
    world.me.execute(&ann.id_token).await.expect("she may look");
    let listed = world.list_sessions.execute(&caller).await;
    assert!(matches!(listed, Err(Refused::FactorSetUpRequired)));
    let change = UpdateDetailsRequest {
        change: DetailsChange::default(),
        ..UpdateDetailsRequest::default()
    };
    let updated = world.update_details.execute(&caller, change).await;
    assert!(matches!(
        updated,
        Err(UpdateDetailsError::Refused(Refused::FactorSetUpRequired))
    ));
    let refreshed = ann.refresh().await.expect("the session lives");
    assert!(refreshed.tokens.must_set_up_factor);
    world
        .codec
        .verify_id(&ann.id_token, now)
        .expect_err("nor after a refresh");

    ann.set_up_app("ann").await;
    let listed = world.list_sessions.execute(&ann.caller()).await;
    listed.expect("the limit has fallen at once");
    let refreshed = ann.refresh().await.expect("the session lives");
    assert!(!refreshed.tokens.must_set_up_factor);
    let verified = world.codec.verify_id(&ann.id_token, now);
    verified.expect("an ID token like any other");
}

#[tokio::test]
async fn a_passkey_lifts_the_limit_as_well_and_a_sign_out_needs_none() {
    let world = world();
    let ann = world.signed_up("ann").await;
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    world.sign_in_with(&key).await.expect("it is hers");
    let bob = world.signed_up("bob").await;
    let signed_out = world
        .sign_out
        .execute(&bob.caller(), SignOutScope::This)
        .await;
    signed_out.expect("anybody may leave");
}

#[tokio::test]
async fn the_last_factor_stays() {
    let world = world();
    let ann = world.signed_up("ann").await;
    ann.set_up_app("ann").await;
    let caller = ann.reauthenticated("ann").await;
    let last = world.manage_totp.remove(&caller).await;
    assert!(matches!(last, Err(ChangeFactorsError::LastFactor)));
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    let removed = world.manage_totp.remove(&caller).await;
    removed.expect("she has a passkey");
    world.events.take();
    let again = world.manage_totp.remove(&caller).await;
    assert!(matches!(again, Err(ChangeFactorsError::NotFound)));
    assert!(!names(&world.events.take()).contains(&"factor.removed"));
}

#[tokio::test]
async fn who_has_no_factor_signs_in_to_set_one_up() {
    let world = world();
    world.signed_up("ann").await;
    let begun = world.sign_in.execute(World::request("ann")).await;
    let begun = begun.expect("there is no second step yet");
    assert!(begun.tokens.must_set_up_factor);
    assert_eq!(begun.session.authenticated_by, AuthMethods::PASSWORD);
    let client = world.client(begun);
    let app = client.set_up_app("ann").await;
    world.advance(secs(60));
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, app.shown(&world)).await;
    let begun = begun.expect("the code is right");
    assert_eq!(amr(&begun.tokens.id_token), "mfa otp pwd");
}

#[tokio::test]
async fn who_knew_the_password_before_the_first_factor_is_signed_out_by_it() {
    for require_factor in [
        RequireFactor::Never,
        RequireFactor::IfSetUp,
        RequireFactor::Always,
    ] {
        for is_passkey in [true, false] {
            let world = World::with_rules(AccountPolicy {
                require_factor,
                ..AccountPolicy::default()
            });
            world.signed_up("ann").await;
            let mut thief = world.signed_in("ann").await;
            let mut ann = world.signed_in("ann").await;
            world.events.take();
            if is_passkey {
                let key = TestAuthenticator::new("key");
                ann.add_passkey("ann", &key).await.expect("it is new");
            } else {
                ann.set_up_app("ann").await;
            }
            assert!(world.events.take_names().contains(&"sessions.ended"));
            assert!(thief.entry().is_none(), "it leaves the white list");
            let listed = world.list_sessions.execute(&thief.caller()).await;
            assert!(matches!(
                listed,
                Err(Refused::Token(Refusal::SessionRevoked))
            ));
            assert_eq!(refusal(thief.refresh().await), Refusal::SessionRevoked);
            let refreshed = ann.refresh().await.expect("hers goes on");
            assert!(!refreshed.tokens.must_set_up_factor);
            let listed = world.list_sessions.execute(&ann.caller()).await;
            assert_eq!(listed.expect("she is signed in").len(), 1);
        }
    }
}

#[tokio::test]
async fn a_further_factor_ends_no_session() {
    let world = world();
    let ann = world.signed_up("ann").await;
    let app = ann.set_up_app("ann").await;
    world.advance(secs(60));
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, app.shown(&world)).await;
    let mut other = world.client(begun.expect("the code is right"));
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    other.refresh().await.expect("it has shown a factor");
}

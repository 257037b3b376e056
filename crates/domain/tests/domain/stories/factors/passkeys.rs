//! Passkeys.

use super::{super::secs, amr};
use revolve_domain::{
    journal::Actor,
    model::{FactorKind, Label, Passkey},
    use_cases::{
        ChangeFactorsError, FactorSignInError, NewPasskey, PasskeySignInRequest, ShownFactor,
        SignInRequest,
    },
};
use revolve_testkit::{World, memory::TestAuthenticator};

#[tokio::test]
async fn a_passkey_signs_in_without_a_name_and_without_a_second_step() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let key = TestAuthenticator::new("key");
    let added = ann.add_passkey("ann", &key).await.expect("it is new");
    assert_eq!(added.passkey.name.as_str(), "Test authenticator");
    assert_eq!(added.codes.expect("the first factor").codes().len(), 10);
    let begun = world.sign_in_with(&key).await.expect("it is hers");
    assert_eq!(begun.session.user, ann.user);
    assert_eq!(amr(&begun.tokens.id_token), "hwk mfa user");
    let factors = world.read_factors.execute(&ann.caller()).await;
    let factors = factors.expect("she is signed in");
    assert_eq!(factors.passkeys.len(), 1);
    assert!(factors.passkeys[0].used_at.is_some());

    let synced = TestAuthenticator::new("phone").synced();
    let added = ann.add_passkey("ann", &synced).await.expect("it is new");
    assert!(added.codes.is_none(), "she has a set");
    let begun = world.sign_in_with(&synced).await.expect("it is hers");
    assert_eq!(amr(&begun.tokens.id_token), "mfa swk user");
}

#[tokio::test]
async fn a_passkey_is_a_factor_after_a_password() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    let step = world.first_step(World::request("ann")).await;
    assert_eq!(
        step.factors,
        [FactorKind::Passkey, FactorKind::RecoveryCode]
    );
    let options = step.public_key.clone().expect("there is a passkey");
    let shown = ShownFactor::Passkey(key.get(&options));
    let begun = world.second_step(&step, shown).await.expect("it is hers");
    assert_eq!(amr(&begun.tokens.id_token), "hwk mfa pwd user");
}

#[tokio::test]
async fn a_passkey_that_does_not_count_is_refused_and_nothing_says_why() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let bob = world.signed_up("bob").await;
    let (anns, bobs) = (TestAuthenticator::new("key"), TestAuthenticator::new("bob"));
    ann.add_passkey("ann", &anns).await.expect("it is new");
    bob.add_passkey("bob", &bobs).await.expect("it is new");

    // Of another account, as a second step.
    let step = world.first_step(World::request("ann")).await;
    let options = step.public_key.clone().expect("there is a passkey");
    let mut open = options.clone();
    open["allow"] = serde_json::Value::Null;
    let foreign = ShownFactor::Passkey(bobs.get(&open));
    let refused = world.second_step(&step, foreign).await;
    assert!(matches!(refused, Err(FactorSignInError::CredentialRefused)));
    // For another challenge.
    let client = World::request("anybody").client;
    let begun = world.begin_passkey_sign_in.execute(&client).await;
    let begun = begun.expect("anybody may begin");
    let request = |credential| PasskeySignInRequest {
        challenge: begun.challenge,
        credential,
        device_name: None,
        device_credentials: Vec::new(),
        client: client.clone(),
    };
    let mut forged = anns.get(&begun.public_key);
    forged["user"] = bob.user.to_string().into();
    let mut unsigned = anns.get(&begun.public_key);
    unsigned["counter"] = 99.into();
    let mut unverified = anns.get(&begun.public_key);
    unverified["verified"] = false.into();
    for (bad, why) in [
        (anns.get(&options), "another challenge"),
        (forged, "another user handle"),
        (unsigned, "another signature"),
        (unverified, "without user verification"),
    ] {
        let refused = world.sign_in_by_passkey.execute(request(bad)).await;
        assert!(
            matches!(refused, Err(FactorSignInError::CredentialRefused)),
            "{why}: {refused:?}"
        );
    }
    let good = request(anns.get(&begun.public_key));
    let signed_in = world.sign_in_by_passkey.execute(good.clone()).await;
    signed_in.expect("the fifth attempt is right");
    let spent = world.sign_in_by_passkey.execute(good).await;
    assert!(matches!(spent, Err(FactorSignInError::Gone)), "{spent:?}");
}

#[tokio::test]
async fn a_passkey_that_was_removed_or_whose_account_is_disabled_is_refused() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let bob = world.signed_up("bob").await;
    let (anns, bobs) = (TestAuthenticator::new("key"), TestAuthenticator::new("bob"));
    let added = ann.add_passkey("ann", &anns).await.expect("it is new");
    bob.add_passkey("bob", &bobs).await.expect("it is new");
    let caller = ann.reauthenticated("ann").await;
    let passkeys = &world.manage_passkeys;
    let removed = passkeys.remove(&caller, added.passkey.id).await;
    removed.expect("she has a password");
    let again = passkeys.remove(&caller, added.passkey.id).await;
    assert!(matches!(again, Err(ChangeFactorsError::NotFound)));
    world
        .manage_accounts
        .disable(bob.user, Actor::Operator)
        .await
        .expect("the stores are up");
    for key in [&anns, &bobs] {
        let refused = world.sign_in_with(key).await;
        assert!(matches!(refused, Err(FactorSignInError::CredentialRefused)));
    }
    world.signed_in("ann").await;
}

#[tokio::test]
async fn a_counter_that_goes_back_is_only_a_warning() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    for _ in 0..3 {
        world.sign_in_with(&key).await.expect("it is hers");
    }
    let warned = || {
        let names = world.events.take_names();
        names.contains(&"passkey.counter_back")
    };
    assert!(!warned());
    key.rewind(1);
    world.sign_in_with(&key).await.expect("it is not refused");
    assert!(warned());
    world.sign_in_with(&key).await.expect("it grows again");
    assert!(!warned());
}

#[tokio::test]
async fn a_registration_is_of_its_session_and_verifies_the_user() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let key = TestAuthenticator::new("key").unverified();
    let refused = ann.add_passkey("ann", &key).await;
    assert!(matches!(
        refused,
        Err(ChangeFactorsError::CredentialRefused)
    ));
    let plain = world.manage_passkeys.begin(&ann.caller()).await;
    assert!(matches!(
        plain,
        Err(ChangeFactorsError::ReauthenticationRequired)
    ));
    let begun = world
        .manage_passkeys
        .begin(&ann.reauthenticated("ann").await)
        .await;
    let begun = begun.expect("she has reauthenticated");
    let elsewhere = world.signed_in("ann").await;
    let new = NewPasskey {
        challenge: begun.challenge,
        credential: TestAuthenticator::new("other").create(&begun.public_key),
        name: None,
    };
    let caller = elsewhere.reauthenticated("ann").await;
    let foreign = world.manage_passkeys.add(&caller, new.clone()).await;
    assert!(matches!(foreign, Err(ChangeFactorsError::Gone)));
    let caller = ann.reauthenticated("ann").await;
    let added = world.manage_passkeys.add(&caller, new.clone()).await;
    added.expect("it is her challenge");
    let spent = world.manage_passkeys.add(&caller, new).await;
    assert!(matches!(spent, Err(ChangeFactorsError::Gone)));
}

#[tokio::test]
async fn one_authenticator_holds_passkeys_of_two_accounts() {
    let world = World::new();
    let key = TestAuthenticator::new("key");
    let ann = world.signed_up("ann").await;
    ann.add_passkey("ann", &key).await.expect("it is new");
    let begun = world.sign_in_with(&key).await.expect("it is hers");
    assert_eq!(begun.session.user, ann.user);
    let bob = world.signed_up("bob").await;
    bob.add_passkey("bob", &key).await.expect("it is another");
    let begun = world.sign_in_with(&key).await.expect("the newest");
    assert_eq!(begun.session.user, bob.user);
}

#[tokio::test]
async fn a_passkey_is_renamed_without_a_reauthentication() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let key = TestAuthenticator::new("key");
    let added = ann.add_passkey("ann", &key).await.expect("it is new");
    let name = Label::parse("my key").expect("a name");
    let (passkeys, caller) = (&world.manage_passkeys, ann.caller());
    let renamed = passkeys.rename(&caller, added.passkey.id, name).await;
    renamed.expect("it is hers");
    let bob = world.signed_up("bob").await;
    let name = Label::parse("not his").expect("a name");
    let foreign = passkeys.rename(&bob.caller(), added.passkey.id, name).await;
    assert!(matches!(foreign, Err(ChangeFactorsError::NotFound)));
    let factors = world.read_factors.execute(&caller).await;
    let factors = factors.expect("she is signed in");
    assert_eq!(factors.passkeys[0].name.as_str(), "my key");
}

#[tokio::test]
async fn twenty_passkeys_are_enough() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let key = TestAuthenticator::new("key");
    for _ in 0..Passkey::MOST {
        ann.add_passkey("ann", &key).await.expect("there is room");
        world.advance(secs(1));
    }
    let caller = ann.reauthenticated("ann").await;
    let full = world.manage_passkeys.begin(&caller).await;
    assert!(matches!(full, Err(ChangeFactorsError::TooMany)), "{full:?}");
}

#[tokio::test]
async fn a_known_device_is_kept_by_a_passkey_as_by_a_password() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    let SignInRequest { client, .. } = World::request("ann");
    let begun = world.begin_passkey_sign_in.execute(&client).await;
    let begun = begun.expect("anybody may begin");
    let request = PasskeySignInRequest {
        challenge: begun.challenge,
        credential: key.get(&begun.public_key),
        device_name: None,
        device_credentials: vec![ann.credential.clone()],
        client,
    };
    let signed_in = world.sign_in_by_passkey.execute(request).await;
    let signed_in = signed_in.expect("it is hers");
    assert!(signed_in.session.bound_at.is_some());
    let replaced = world.me.execute(&ann.id_token).await;
    replaced.expect_err("the session of the same device is replaced");
}

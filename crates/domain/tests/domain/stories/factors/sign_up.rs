//! Accounts that begin with a passkey in place of a password.

use super::{
    super::{proved_sign_ups, verification},
    amr,
};
use revolve_domain::{
    model::HashKind,
    policy::{AccountPolicy, Verification},
    ports::UserRepository,
    use_cases::{
        Begun, ChangeFactorsError, ChangePasswordRequest, ConfirmSignUpError, ConfirmSignUpRequest,
        PasskeySignUpRequest, ReauthenticateRequest, RequestedProof, ShownAsker, ShownFactor,
        ShownProof, SignInError, SignInRequest, SignUpError, SignUpPasskeyRequest, SignedUp,
    },
};
use revolve_testkit::{World, memory::TestAuthenticator};

/// Begins a registration and answers it.
async fn request(world: &World, name: &str, key: &TestAuthenticator) -> PasskeySignUpRequest {
    let SignInRequest {
        email,
        device_name,
        client,
        ..
    } = World::request(name);
    let begin = SignUpPasskeyRequest {
        email: email.clone(),
        client: client.clone(),
    };
    let begun = world.begin_sign_up_passkey.execute(begin).await;
    let begun = begun.expect("anybody may begin");
    PasskeySignUpRequest {
        email,
        challenge: begun.challenge,
        credential: key.create(&begun.public_key),
        passkey_name: None,
        device_name,
        device_credentials: Vec::new(),
        proof_cookie: None,
        locale: None,
        client,
    }
}

async fn signed_up(world: &World, name: &str, key: &TestAuthenticator) -> Begun {
    let request = request(world, name, key).await;
    let signed_up = world.sign_up.by_passkey(request).await;
    let begun = signed_up.expect("the address is free").begun();
    begun.expect("nothing has to be proved")
}

#[tokio::test]
async fn a_passkey_signs_up_in_one_go() {
    let world = World::new();
    let key = TestAuthenticator::new("key");
    let begun = signed_up(&world, "ann", &key).await;
    let user = begun.session.user;
    assert_eq!(amr(&begun.tokens.id_token), "hwk mfa user");
    let codes = begun.recovery_codes.as_ref().expect("the first factor");
    assert_eq!(codes.codes().len(), 10);
    let account = UserRepository::credentials(world.accounts.inner(), user).await;
    let account = account.expect("the store is up").expect("an account");
    assert_eq!(account.hash.kind(), HashKind::NoPassword);
    let mut client = world.client(begun);
    client.refresh().await.expect("a session like any other");
    let again = world.sign_in_with(&key).await.expect("it is hers");
    assert_eq!(again.session.user, user, "the handle is the account's id");
}

#[tokio::test]
async fn no_password_is_right_for_an_account_without_one() {
    let world = World::new();
    signed_up(&world, "ann", &TestAuthenticator::new("key")).await;
    for password in ["", "$none$", "ann's password"] {
        let request = SignInRequest {
            password: World::password(password),
            ..World::request("ann")
        };
        let refused = world.sign_in.execute(request).await;
        assert!(matches!(refused, Err(SignInError::InvalidCredentials)));
    }
}

#[tokio::test]
async fn a_passkey_makes_one_account() {
    let world = World::new();
    let key = TestAuthenticator::new("key");
    let request = request(&world, "ann", &key).await;
    let made = world.sign_up.by_passkey(request.clone()).await;
    made.expect("the address is free");
    let again = world.sign_up.by_passkey(request.clone()).await;
    assert!(matches!(again, Err(SignUpError::ChallengeGone)));
    let other = request_with(&world, "bob", request).await;
    let taken = world.sign_up.by_passkey(other).await;
    assert!(
        matches!(taken, Err(SignUpError::CredentialRefused)),
        "{taken:?}"
    );
    let late = self::request(&world, "ann", &TestAuthenticator::new("b")).await;
    let taken = world.sign_up.by_passkey(late).await;
    assert!(matches!(taken, Err(SignUpError::EmailTaken)), "{taken:?}");
}

/// Another registration with the credential of this one.
async fn request_with(
    world: &World,
    name: &str,
    first: PasskeySignUpRequest,
) -> PasskeySignUpRequest {
    let other = request(world, name, &TestAuthenticator::new("other")).await;
    let mut credential = other.credential.clone();
    credential["id"] = first.credential["id"].clone();
    PasskeySignUpRequest {
        credential,
        ..other
    }
}

#[tokio::test]
async fn the_only_passkey_stays_until_there_is_a_password() {
    let world = World::new();
    let key = TestAuthenticator::new("key");
    let client = world.client(signed_up(&world, "ann", &key).await);
    let caller = async || {
        let begun = world.reauthenticate.begin_passkey(&client.caller()).await;
        let begun = begun.expect("she has a passkey");
        let request = ReauthenticateRequest {
            factor: Some(ShownFactor::Passkey(key.get(&begun.public_key))),
            challenge: Some(begun.challenge),
            ..ReauthenticateRequest::default()
        };
        let shown = world.reauthenticate.by(&client.caller(), request).await;
        let mut caller = client.caller();
        caller.reauthentication = Some(shown.expect("it is hers").token);
        caller
    };
    let own = caller().await;
    let factors = world.read_factors.execute(&own).await;
    let only = factors.expect("she is signed in").passkeys[0].id;
    let last = world.manage_passkeys.remove(&own, only).await;
    assert!(matches!(last, Err(ChangeFactorsError::LastFactor)));
    let change = ChangePasswordRequest {
        current: None,
        new: World::password("a first password"),
    };
    let changed = world.change_password.execute(&own, change).await;
    changed.expect("a passkey is a proof as good as a password");
    let removed = world.manage_passkeys.remove(&caller().await, only).await;
    removed.expect("she has a password");
}

#[tokio::test]
async fn a_sign_up_that_must_be_proved_carries_its_passkey() {
    let world = verification::world(Verification::Required);
    let key = TestAuthenticator::new("key");
    let request = request(&world, "ann", &key).await;
    let asked = match world.sign_up.by_passkey(request.clone()).await {
        Ok(SignedUp::Asked(asked)) => asked,
        other => panic!("expected a proof, got {other:?}"),
    };
    for name in ["ann", "bob"] {
        let again = PasskeySignUpRequest {
            email: World::request(name).email,
            ..request.clone()
        };
        let again = world.sign_up.by_passkey(again).await;
        assert!(
            matches!(again, Err(SignUpError::ChallengeGone)),
            "one challenge, one account: {again:?}"
        );
    }
    let refused = world.sign_in_with(&key).await;
    refused.expect_err("there is no account yet");
    let confirm = async |asked: &RequestedProof, asker: ShownAsker| {
        let request = ConfirmSignUpRequest {
            proof: ShownProof {
                id: asked.id,
                evidence: verification::code(&world, asked, 1),
                asker,
            },
            password: None,
            device_name: None,
            client: World::request("ann").client,
        };
        world.confirm_sign_up.execute(request).await
    };
    let elsewhere = confirm(&asked, ShownAsker::default()).await;
    assert!(
        matches!(elsewhere, Err(ConfirmSignUpError::OtherClient)),
        "who reads the mailbox makes no account with a stranger's passkey: {elsewhere:?}"
    );
    let own = ShownAsker {
        cookie: asked.cookie.clone(),
        device_credentials: Vec::new(),
    };
    let begun = confirm(&asked, own).await.expect("this is the client");
    assert_eq!(amr(&begun.tokens.id_token), "hwk mfa otp user");
    assert!(begun.recovery_codes.is_some());
    let again = world.sign_in_with(&key).await.expect("it is hers");
    assert_eq!(again.session.user, begun.session.user);
}

#[tokio::test]
async fn a_taken_address_is_answered_like_any_other_where_it_must_be_proved() {
    let world = World::with_mail(AccountPolicy {
        verification: Verification::Required,
        ..AccountPolicy::default()
    });
    let ann = proved_sign_ups::sign_up(&world, "ann", "ann's password").await;
    let begun = {
        let request = ConfirmSignUpRequest {
            proof: ShownProof {
                id: ann.id,
                evidence: verification::code(&world, &ann, 1),
                asker: ShownAsker::default(),
            },
            password: Some(World::password("ann's password")),
            device_name: None,
            client: World::request("ann").client,
        };
        world.confirm_sign_up.execute(request).await
    };
    begun.expect("the code is right");
    let key = TestAuthenticator::new("key");
    let asked = world
        .sign_up
        .by_passkey(request(&world, "ann", &key).await)
        .await;
    assert!(matches!(asked, Ok(SignedUp::Asked(_))), "{asked:?}");
    world.sign_in_with(&key).await.expect_err("it is nobody's");
}

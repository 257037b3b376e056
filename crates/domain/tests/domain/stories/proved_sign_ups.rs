//! Sign-ups that prove their mailbox before there is an account.

use super::{
    secs,
    verification::{code, shown, world},
};
use revolve_domain::{
    limits::LimitName,
    model::{Locale, ProofPurpose},
    policy::Verification,
    ports::{Clock, ProofSecrets, Proofs},
    use_cases::{
        ConfirmSignUpError, ConfirmSignUpRequest, Evidence, ProofRefused, RequestedProof,
        ShownAsker, SignInRequest, SignUpError, SignedUp,
    },
};
use revolve_testkit::{World, memory::Fault};

pub(super) async fn sign_up(world: &World, name: &str, password: &str) -> RequestedProof {
    let request = SignInRequest {
        password: World::password(password),
        locale: Some("de".parse().expect("a language tag")),
        ..World::request(name)
    };
    match world.sign_up.execute(request).await {
        Ok(SignedUp::Asked(proof)) => proof,
        other => panic!("expected a proof to be asked for, got {other:?}"),
    }
}

fn proved(world: &World, proof: &RequestedProof) -> ConfirmSignUpRequest {
    ConfirmSignUpRequest {
        proof: shown(proof, code(world, proof, 1)),
        password: None,
        device_name: None,
        client: World::request("ann").client,
    }
}

/// On another client than the one that signed up.
fn proved_elsewhere(
    world: &World,
    proof: &RequestedProof,
    password: Option<&str>,
) -> ConfirmSignUpRequest {
    let mut request = proved(world, proof);
    request.proof.asker = ShownAsker::default();
    request.password = password.map(World::password);
    request
}

/// A stranger signs up with ann's address, and ann types the code of the mail that she gets.
#[tokio::test]
async fn another_client_needs_the_password_of_the_sign_up() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "stranger's password").await;
    for _ in 0..7 {
        let elsewhere = proved_elsewhere(&world, &proof, None);
        assert!(matches!(
            world.confirm_sign_up.execute(elsewhere).await,
            Err(ConfirmSignUpError::PasswordRequired)
        ));
    }
    for _ in 0..5 {
        let elsewhere = proved_elsewhere(&world, &proof, Some("ann's password"));
        assert!(matches!(
            world.confirm_sign_up.execute(elsewhere).await,
            Err(ConfirmSignUpError::WrongPassword)
        ));
    }
    let elsewhere = proved_elsewhere(&world, &proof, Some("stranger's password"));
    assert!(
        matches!(
            world.confirm_sign_up.execute(elsewhere).await,
            Err(ConfirmSignUpError::Proof(ProofRefused::Gone))
        ),
        "each of these was an attempt"
    );

    let own = sign_up(&world, "bob", "bob's password").await;
    let elsewhere = proved_elsewhere(&world, &own, Some("bob's password"));
    let begun = world.confirm_sign_up.execute(elsewhere).await;
    begun.expect("he knows what he signed up with");
    world.signed_in("bob").await;
}

/// No more of them can be tried than codes, in the browser that asked either.
#[tokio::test]
async fn passwords_beside_a_link_are_attempts_if_they_are_compared() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    let linked = |password: &str| {
        let mut request = proved(&world, &proof);
        request.proof.evidence = Evidence::Secret(world.proof_secrets.secret(proof.id, 1));
        request.password = Some(World::password(password));
        request
    };
    world.hasher.overload(true);
    for _ in 0..7 {
        let refused = world.confirm_sign_up.execute(linked("ann's password"));
        assert!(matches!(refused.await, Err(ConfirmSignUpError::Failed(_))));
    }
    world.hasher.overload(false);
    for _ in 0..5 {
        let wrong = world.confirm_sign_up.execute(linked("another password"));
        assert!(matches!(
            wrong.await,
            Err(ConfirmSignUpError::WrongPassword)
        ));
    }
    let right = world.confirm_sign_up.execute(linked("ann's password"));
    assert!(matches!(
        right.await,
        Err(ConfirmSignUpError::Proof(ProofRefused::Gone))
    ));
}

#[tokio::test]
async fn there_is_no_account_before_its_mailbox_is_proved() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    assert_eq!(proof.expires_in, secs(24 * 3600));
    assert!(world.try_sign_in("ann").await.is_err());
    let begun = world.confirm_sign_up.execute(proved(&world, &proof)).await;
    let mut ann = world.client(begun.expect("the code is right"));
    ann.refresh().await.expect("the session lives");
    let user = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert!(user.email_verified_at.is_some());
    assert_eq!(user.details.locale.as_ref().map(Locale::as_str), Some("de"));
    world.signed_in("ann").await;
}

/// A stranger's sign-up does not seed a password for an address that is not theirs.
#[tokio::test]
async fn the_sign_up_that_is_proved_is_the_account() {
    let world = world(Verification::Required);
    let stranger = sign_up(&world, "ann", "stranger's password").await;
    let own = sign_up(&world, "ann", "ann's password").await;
    world
        .confirm_sign_up
        .execute(proved(&world, &own))
        .await
        .expect("the code is right");
    let late = world
        .confirm_sign_up
        .execute(proved(&world, &stranger))
        .await;
    assert!(matches!(
        late,
        Err(ConfirmSignUpError::Proof(ProofRefused::Gone))
    ));
    world.signed_in("ann").await;
}

#[tokio::test]
async fn a_sign_up_does_not_tell_whether_an_address_is_taken() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    let begun = world.confirm_sign_up.execute(proved(&world, &proof)).await;
    begun.expect("the code is right");
    let hashes = world.hasher.calls();
    let taken = sign_up(&world, "ann", "stranger's password").await;
    let free = sign_up(&world, "bob", "bob's password").await;
    assert_eq!(world.hasher.calls(), hashes + 2, "one hash each");
    assert_eq!(taken.expires_in, free.expires_in);
    assert_eq!(taken.cookie.is_some(), free.cookie.is_some());
    // Not even with the code, which nobody was sent.
    let guessed = world.confirm_sign_up.execute(proved(&world, &taken)).await;
    assert!(matches!(guessed, Err(ConfirmSignUpError::EmailTaken)));
    world.signed_in("ann").await;
}

#[tokio::test]
async fn a_sign_up_that_has_to_be_proved_is_judged_like_any_other() {
    let world = world(Verification::Required);
    let weak = SignInRequest {
        password: World::password("password"),
        ..World::request("ann")
    };
    assert!(matches!(
        world.sign_up.execute(weak).await,
        Err(SignUpError::WeakPassword(_))
    ));
    for _ in 0..5 {
        sign_up(&world, "bob", "bob's password").await;
    }
    let hashes = world.hasher.calls();
    let more = world.sign_up.execute(World::request("bob")).await;
    let Err(SignUpError::Limited(limited)) = more else {
        panic!("five mails an hour, got {more:?}");
    };
    assert_eq!(limited.limit, LimitName::ProofsPerAccount);
    assert_eq!(
        world.hasher.calls(),
        hashes,
        "what is refused costs no hash"
    );
}

#[tokio::test]
async fn nothing_is_left_of_sign_ups_that_were_not_proved() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    world.advance(secs(24 * 3600));
    let late = world.confirm_sign_up.execute(proved(&world, &proof)).await;
    assert!(matches!(
        late,
        Err(ConfirmSignUpError::Proof(ProofRefused::Gone))
    ));
    world.advance(secs(24 * 3600 + 1));
    assert_eq!(world.prune.execute().await.expect("the stores are up"), 1);
    assert_eq!(world.prune.execute().await.expect("the stores are up"), 0);
}

#[tokio::test]
async fn a_sign_up_outlives_a_store_that_fails() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    for fault in [Fault::Before, Fault::After] {
        world.accounts.fail_on("prove_sign_up", fault);
        let failed = world.confirm_sign_up.execute(proved(&world, &proof)).await;
        assert!(matches!(failed, Err(ConfirmSignUpError::Failed(_))));
        world.accounts.recover();
    }
    // The answer of the second one was lost.
    world.signed_in("ann").await;
    let purpose = ProofPurpose::SignUp;
    let gone = world
        .accounts
        .attempt(proof.id, purpose, world.clock.now())
        .await;
    assert!(gone.expect("attempt works").is_none());
}

//! Addresses that are verified after the sign-up.

use super::{refusal, secs};
use revolve_domain::{
    journal::Actor,
    model::ClientInfo,
    policy::{AccountPolicy, Verification},
    ports::{Clock, ProofSecrets, Proofs},
    use_cases::{
        ConfirmEmailError, ConfirmEmailRequest, DisownEmailError, Evidence, ProofRefused, Refusal,
        Refused, RequestVerificationError, RequestedProof, ShownAsker, ShownProof, SignInError,
        SignInRequest, SignedUp,
    },
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use secrecy::{ExposeSecret, SecretString};

pub(super) fn world(verification: Verification) -> World {
    World::with_mail(AccountPolicy {
        verification,
        ..AccountPolicy::default()
    })
}

pub(super) fn shown(proof: &RequestedProof, evidence: Evidence) -> ShownProof {
    ShownProof {
        id: proof.id,
        evidence,
        asker: ShownAsker {
            cookie: proof.cookie.clone(),
            device_credentials: Vec::new(),
        },
    }
}

/// Another serial's: six digits, and not this one's.
pub(super) fn wrong(world: &World, proof: &RequestedProof) -> Evidence {
    let right = world.proof_secrets.code(proof.id, 1);
    let other = (2..).map(|serial| world.proof_secrets.code(proof.id, serial));
    let mut others = other.filter(|code| code.expose_secret() != right.expose_secret());
    Evidence::Code(others.next().expect("there are more"))
}

pub(super) fn code(world: &World, proof: &RequestedProof, serial: u32) -> Evidence {
    Evidence::Code(world.proof_secrets.code(proof.id, serial))
}

async fn asked(world: &World, client: &TestClient<'_>) -> RequestedProof {
    let asked = world
        .request_verification
        .execute(&client.caller(), &ShownAsker::default(), None)
        .await;
    asked.expect("the address is not verified")
}

pub(super) async fn confirm(world: &World, proof: ShownProof) -> Result<(), ConfirmEmailError> {
    let request = ConfirmEmailRequest {
        proof,
        caller: None,
        password: None,
        client: ClientInfo::default(),
    };
    world.confirm_email.execute(&request).await
}

/// In a session of the account.
pub(super) async fn confirm_in(
    world: &World,
    client: &TestClient<'_>,
    proof: ShownProof,
) -> Result<(), ConfirmEmailError> {
    let request = ConfirmEmailRequest {
        proof,
        caller: Some(client.caller()),
        password: None,
        client: ClientInfo::default(),
    };
    world.confirm_email.execute(&request).await
}

/// Verifies the address that the account has.
pub(super) async fn verify(world: &World, client: &TestClient<'_>) {
    let proof = asked(world, client).await;
    confirm(world, shown(&proof, code(world, &proof, 1)))
        .await
        .expect("it is the browser that asked");
}

async fn is_verified(world: &World, token: &SecretString) -> bool {
    let user = world.me.execute(token).await.expect("the session lives");
    user.email_verified_at.is_some()
}

#[tokio::test]
async fn an_address_is_verified_where_the_mail_was_asked_for() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    assert!(!is_verified(&world, &ann.id_token).await, "it can be used");
    let proof = asked(&world, &ann).await;
    world.events.take();
    confirm(&world, shown(&proof, code(&world, &proof, 1)))
        .await
        .expect("it is the browser that asked");
    assert_eq!(world.events.take_names(), ["email.verified"]);
    assert!(is_verified(&world, &ann.id_token).await);
    let again = confirm(&world, shown(&proof, code(&world, &proof, 1))).await;
    assert!(matches!(
        again,
        Err(ConfirmEmailError::Proof(ProofRefused::Gone))
    ));
    let more = world
        .request_verification
        .execute(&ann.caller(), &ShownAsker::default(), None)
        .await;
    assert!(matches!(
        more,
        Err(RequestVerificationError::AlreadyVerified)
    ));
}

/// Whoever reads a mailbox does not lend it to an account that a stranger made for its address.
#[tokio::test]
async fn a_mailbox_verifies_no_account_of_a_stranger() {
    let world = world(Verification::Optional);
    let stranger = world.signed_up("ann").await;
    let proof = asked(&world, &stranger).await;
    for evidence in [
        code(&world, &proof, 1),
        Evidence::Secret(world.proof_secrets.secret(proof.id, 1)),
    ] {
        let elsewhere = ShownProof {
            asker: ShownAsker::default(),
            ..shown(&proof, evidence)
        };
        assert!(matches!(
            confirm(&world, elsewhere).await,
            Err(ConfirmEmailError::SessionRequired)
        ));
    }
    let reader = world.signed_up("reader").await;
    let request = ConfirmEmailRequest {
        proof: ShownProof {
            asker: ShownAsker::default(),
            ..shown(&proof, code(&world, &proof, 1))
        },
        caller: Some(reader.caller()),
        password: None,
        client: ClientInfo::default(),
    };
    assert!(matches!(
        world.confirm_email.execute(&request).await,
        Err(ConfirmEmailError::SessionRequired)
    ));
    let found = Proofs::find(&*world.accounts, proof.id, world.clock.now()).await;
    let left = found.expect("find works").map(|proof| proof.attempts_left);
    assert_eq!(left, Some(5), "nobody else uses up an attempt");
    let own = ConfirmEmailRequest {
        caller: Some(stranger.caller()),
        ..request
    };
    world
        .confirm_email
        .execute(&own)
        .await
        .expect("a session of the account counts");
}

/// The account's password says as much as a session of it.
#[tokio::test]
async fn another_client_verifies_by_code_and_password() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    let proof = asked(&world, &ann).await;
    let elsewhere = |evidence, password: &str| ConfirmEmailRequest {
        proof: ShownProof {
            asker: ShownAsker::default(),
            ..shown(&proof, evidence)
        },
        caller: None,
        password: Some(World::password(password)),
        client: ClientInfo::default(),
    };
    let link = Evidence::Secret(world.proof_secrets.secret(proof.id, 1));
    let robot = elsewhere(link, "ann's password");
    assert!(matches!(
        world.confirm_email.execute(&robot).await,
        Err(ConfirmEmailError::Proof(ProofRefused::CodeRequired))
    ));
    let stranger = elsewhere(code(&world, &proof, 1), "stranger's password");
    assert!(matches!(
        world.confirm_email.execute(&stranger).await,
        Err(ConfirmEmailError::WrongPassword)
    ));
    let left = async || {
        let found = Proofs::find(&*world.accounts, proof.id, world.clock.now()).await;
        found.expect("find works").map(|proof| proof.attempts_left)
    };
    assert_eq!(left().await, Some(4), "a wrong password is an attempt");
    let guess = SignInRequest {
        password: World::password("wrong"),
        ..World::request("ann")
    };
    while !matches!(
        world.sign_in.execute(guess.clone()).await,
        Err(SignInError::Limited(_))
    ) {}
    let own = elsewhere(code(&world, &proof, 1), "ann's password");
    assert!(
        matches!(
            world.confirm_email.execute(&own).await,
            Err(ConfirmEmailError::Refused(Refused::Limited(_)))
        ),
        "it counts like the password of a sign-in"
    );
    assert_eq!(left().await, Some(4), "it was not looked at");
    world.advance(secs(24 * 3600 - 1));
    world
        .confirm_email
        .execute(&own)
        .await
        .expect("she knows the password and reads the mailbox");
    let again = world.signed_in("ann").await;
    assert!(is_verified(&world, &again.id_token).await);
}

/// "This was not me."
#[tokio::test]
async fn who_reads_the_mailbox_can_take_it_from_an_unverified_account() {
    let world = world(Verification::Optional);
    let mut stranger = world.signed_up("ann").await;
    let proof = asked(&world, &stranger).await;
    let elsewhere = |evidence| ShownProof {
        asker: ShownAsker::default(),
        ..shown(&proof, evidence)
    };
    let client = ClientInfo::default();
    let link = elsewhere(Evidence::Secret(world.proof_secrets.secret(proof.id, 1)));
    let robot = world.disown_email.execute(&link, &client).await;
    assert!(matches!(
        robot,
        Err(DisownEmailError::Proof(ProofRefused::CodeRequired))
    ));
    let typed = elsewhere(code(&world, &proof, 1));
    world
        .disown_email
        .execute(&typed, &client)
        .await
        .expect("she reads the mailbox");
    assert_eq!(refusal(stranger.refresh().await), Refusal::SessionRevoked);
    world.signed_up("ann").await;
}

#[tokio::test]
async fn a_sign_up_asks_for_its_verification() {
    let world = world(Verification::Optional);
    world.signed_up("ann").await;
    assert_eq!(
        world.events.take_names(),
        ["account.created", "verification.requested"]
    );
    world.accounts.fail_on("open_proof", Fault::Before);
    let bob = world.signed_up("bob").await;
    world.accounts.recover();
    asked(&world, &bob).await;
}

#[tokio::test]
async fn the_mail_of_a_sign_up_counts_and_is_left_out_where_too_many_were_sent() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    for _ in 0..4 {
        asked(&world, &ann).await;
    }
    let more = world
        .request_verification
        .execute(&ann.caller(), &ShownAsker::default(), None)
        .await;
    assert!(
        matches!(
            more,
            Err(RequestVerificationError::Refused(Refused::Limited(_)))
        ),
        "five mails an hour, that of the sign-up included"
    );
    world
        .manage_accounts
        .delete(ann.user, Actor::Operator)
        .await
        .expect("the stores are up");
    let again = world.sign_up.execute(World::request("ann")).await;
    assert!(
        matches!(again, Ok(SignedUp::Begun(_, None))),
        "an account without a mail, got {again:?}"
    );
}

#[tokio::test]
async fn without_mail_nothing_is_asked_for() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let asked = world
        .request_verification
        .execute(&ann.caller(), &ShownAsker::default(), None)
        .await;
    assert!(matches!(
        asked,
        Err(RequestVerificationError::MailNotConfigured)
    ));
    assert_eq!(world.events.take_names(), ["account.created"]);
}

#[tokio::test]
async fn a_proof_of_another_session_is_refused_with_its_token() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    let proof = asked(&world, &ann).await;
    world
        .sign_out
        .execute(&ann.caller(), revolve_domain::use_cases::SignOutScope::This)
        .await
        .expect("she may");
    let request = ConfirmEmailRequest {
        proof: ShownProof {
            asker: ShownAsker::default(),
            ..shown(&proof, code(&world, &proof, 1))
        },
        caller: Some(ann.caller()),
        password: None,
        client: ClientInfo::default(),
    };
    let Err(ConfirmEmailError::Refused(refused)) = world.confirm_email.execute(&request).await
    else {
        panic!("the session is over");
    };
    assert_eq!(refusal::<()>(Err(refused)), Refusal::SessionRevoked);
}

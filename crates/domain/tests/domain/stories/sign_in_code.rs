//! Sign-ins without a password, by a code that was mailed.

use super::{
    notices, refusal, secs,
    verification::{self, wrong},
};
use revolve_domain::{
    journal::MailKind,
    limits::LimitName,
    model::{ClientInfo, EndReason, ProofId, ProofPurpose},
    policy::AccountPolicy,
    ports::{Clock, ProofSecrets, Proofs},
    use_cases::{
        Begun, ChangePasswordRequest, Evidence, ProofRefused, RecoverRequest, RecoveryRequest,
        Refusal, RequestSignInCodeError, RequestedProof, ShownAsker, ShownProof, SignInByCodeError,
        SignInByCodeRequest, SignInCodeRequest, SignInError, SignInRequest, SignOutScope,
    },
};
use revolve_testkit::{
    World,
    memory::{Fault, TestCodec},
    world::TestClient,
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

fn world() -> World {
    World::with_mail(AccountPolicy {
        sign_in_code: true,
        ..AccountPolicy::default()
    })
}

/// Has signed up and verified the address.
async fn verified<'w>(world: &'w World, name: &str) -> TestClient<'w> {
    let client = world.signed_up(name).await;
    verification::verify(world, &client).await;
    client
}

fn request(name: &str) -> SignInCodeRequest {
    let SignInRequest { email, client, .. } = World::request(name);
    SignInCodeRequest {
        email,
        locale: None,
        asker: ShownAsker::default(),
        client,
    }
}

async fn asked(world: &World, name: &str) -> RequestedProof {
    let asked = world.request_sign_in_code.execute(request(name)).await;
    asked.expect("anybody may ask")
}

fn code(world: &World, proof: &RequestedProof) -> Evidence {
    verification::code(world, proof, 1)
}

fn shown(proof: &RequestedProof, evidence: Evidence) -> ShownProof {
    ShownProof {
        id: proof.id,
        evidence,
        asker: ShownAsker::default(),
    }
}

fn with(proof: ShownProof) -> SignInByCodeRequest {
    SignInByCodeRequest {
        proof,
        device_name: None,
        client: World::request("ann").client,
    }
}

fn by_code(world: &World, proof: &RequestedProof) -> SignInByCodeRequest {
    with(shown(proof, code(world, proof)))
}

async fn sign_in(world: &World, request: SignInByCodeRequest) -> Result<Begun, SignInByCodeError> {
    world.sign_in_by_code.execute(request).await
}

fn refused(result: Result<Begun, SignInByCodeError>) -> ProofRefused {
    match result {
        Err(SignInByCodeError::Proof(refused)) => refused,
        other => panic!("expected the proof to be refused, got {other:?}"),
    }
}

async fn asked_to_recover(world: &World) -> RequestedProof {
    let SignInCodeRequest {
        email,
        locale,
        asker,
        client,
    } = request("ann");
    let recovery = RecoveryRequest {
        email,
        locale,
        asker,
        client,
    };
    let asked = world.request_recovery.execute(recovery).await;
    asked.expect("anybody may ask")
}

/// Sets a new password by the code of the mail.
async fn recovered(world: &World) -> Begun {
    let proof = asked_to_recover(world).await;
    let recovery = RecoverRequest {
        proof: shown(&proof, code(world, &proof)),
        password: World::password("a password that ann remembers"),
        device_name: None,
        client: ClientInfo::default(),
    };
    let purpose = ProofPurpose::ResetPassword;
    let recovered = world.recover.execute(purpose, recovery).await;
    recovered.expect("the code is right")
}

async fn mails(world: &World, to: &str) -> Vec<(MailKind, Option<ProofId>)> {
    let mut mails = notices::mails(world, to).await;
    mails.retain(|(kind, _)| *kind != MailKind::VerifyEmail);
    mails
}

/// How the user of an ID token signed in.
fn methods(token: &SecretString) -> Vec<String> {
    let claims = TestCodec::read(token);
    let names = claims["amr"].as_array().expect("an array").iter();
    names
        .map(|name| name.as_str().expect("a text").to_owned())
        .collect()
}

async fn attempts_left(world: &World, proof: &RequestedProof) -> Option<u32> {
    let found = Proofs::find(&*world.accounts, proof.id, world.clock.now()).await;
    found.expect("find works").map(|proof| proof.attempts_left)
}

#[tokio::test]
async fn a_code_signs_in_and_the_tokens_say_how() {
    let world = world();
    let mut ann = verified(&world, "ann").await;
    assert_eq!(methods(&ann.id_token), ["pwd"], "of the sign-up");
    world.events.take();
    world.advance(secs(60));
    let proof = asked(&world, "ann").await;
    assert_eq!(proof.expires_in, secs(600));
    assert_eq!(world.events.take_names(), ["sign_in.requested"]);
    assert_eq!(
        mails(&world, "ann@example.org").await,
        [(MailKind::SignIn, Some(proof.id))]
    );
    let begun = sign_in(&world, by_code(&world, &proof)).await;
    let mut new = world.client(begun.expect("the code is right"));
    assert_eq!(world.events.take_names(), ["session.begun"]);
    let told = mails(&world, "ann@example.org").await;
    assert!(told.contains(&(MailKind::NewDevice, None)), "{told:?}");
    let now = world.clock.now().as_seconds();
    for _ in 0..2 {
        assert_eq!(methods(&new.id_token), ["otp"]);
        let id = TestCodec::read(&new.id_token);
        assert_eq!(id["auth_time"], now, "of the sign-in");
        world.advance(secs(60));
        new.refresh().await.expect("the session lives");
    }
    ann.refresh().await.expect("so does the other one");
    world.signed_in("ann").await;
    let again = sign_in(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(again), ProofRefused::Gone, "it is spent");
}

#[tokio::test]
async fn each_session_says_how_it_began_and_a_reauthentication_how_it_was_made() {
    let world = world();
    let ann = verified(&world, "ann").await;
    let proof = asked(&world, "ann").await;
    let begun = sign_in(&world, by_code(&world, &proof)).await;
    let by_code = world.client(begun.expect("the code is right"));
    let given = world
        .reauthenticate
        .execute(&by_code.caller(), &World::password("ann's password"))
        .await
        .expect("the password is hers");
    assert_eq!(methods(&given.id_token), ["pwd"]);
    let recovered = recovered(&world).await;
    assert_eq!(
        methods(&recovered.tokens.id_token),
        ["otp"],
        "the password was chosen, not known"
    );
    assert_eq!(methods(&ann.id_token), ["pwd"]);
}

#[tokio::test]
async fn a_known_device_is_kept_and_its_session_replaced() {
    let world = world();
    let mut ann = verified(&world, "ann").await;
    let mut ask = request("ann");
    ask.asker.device_credentials = vec![ann.credential.clone()];
    let proof = world.request_sign_in_code.execute(ask).await;
    let proof = proof.expect("anybody may ask");
    assert!(proof.cookie.is_none(), "its device is enough");
    let mut own = with(shown(
        &proof,
        Evidence::Secret(world.proof_secrets.secret(proof.id, 1)),
    ));
    own.proof.asker.device_credentials = vec![ann.credential.clone()];
    let begun = sign_in(&world, own)
        .await
        .expect("it is the one that asked");
    assert_eq!(
        begun.device.credential.expose_secret(),
        ann.credential.expose_secret()
    );
    assert!(begun.session.bound_at.is_some(), "from the beginning");
    assert_eq!(refusal(ann.refresh().await), Refusal::SessionReplaced);
    let told = mails(&world, "ann@example.org").await;
    assert_eq!(told, [(MailKind::SignIn, Some(proof.id))], "no news");
}

/// Who reads the mailbox and has the credential of a device of before does not come unseen.
#[tokio::test]
async fn a_device_of_before_the_end_of_all_sessions_is_news() {
    let world = world();
    let ann = verified(&world, "ann").await;
    let ended = world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Everywhere)
        .await;
    ended.expect("the session lives");
    let proof = asked(&world, "ann").await;
    let mut thief = by_code(&world, &proof);
    thief.proof.asker.device_credentials = vec![ann.credential.clone()];
    let begun = sign_in(&world, thief).await.expect("the code is right");
    assert_ne!(
        begun.device.credential.expose_secret(),
        ann.credential.expose_secret(),
        "another device"
    );
    let told = mails(&world, "ann@example.org").await;
    assert!(
        told.iter().any(|(kind, _)| *kind == MailKind::NewDevice),
        "{told:?}"
    );
}

#[tokio::test]
async fn nobody_can_tell_whether_there_is_an_account() {
    let world = world();
    verified(&world, "ann").await;
    world.signed_up("unverified").await;
    let eve = verified(&world, "eve").await;
    world.accounts.inner().disable(eve.user, world.clock.now());
    for name in ["ann", "nobody", "unverified", "eve"] {
        let proof = asked(&world, name).await;
        assert_eq!(
            (proof.expires_in, proof.cookie.is_some()),
            (secs(600), true)
        );
        let guess = with(shown(&proof, wrong(&world, &proof)));
        assert_eq!(
            refused(sign_in(&world, guess).await),
            ProofRefused::WrongCode { attempts_left: 4 },
            "{name}"
        );
        if name != "ann" {
            // Not even the code, which nobody was sent, gets any further.
            let right = sign_in(&world, by_code(&world, &proof)).await;
            assert_eq!(refused(right), ProofRefused::Gone, "{name}");
        }
    }
    for silent in ["nobody@example.org", "eve@example.org"] {
        assert_eq!(mails(&world, silent).await, [], "{silent}");
    }
}

/// Whoever signed up with an address that is not theirs has the password and a session. Its reader must not come to share the account.
#[tokio::test]
async fn an_account_that_a_stranger_may_have_made_gets_no_code() {
    let world = world();
    let mut stranger = world.signed_up("ann").await;
    let proof = asked(&world, "ann").await;
    asked(&world, "ann").await;
    assert_eq!(
        mails(&world, "ann@example.org").await,
        [(MailKind::SignInUnverified, None)],
        "one, which says what to do"
    );
    let right = sign_in(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(right), ProofRefused::Gone);
    let user = world.me.execute(&stranger.id_token).await;
    let user = user.expect("the session lives");
    assert!(user.email_verified_at.is_none(), "nor is it verified");

    recovered(&world).await;
    assert_eq!(refusal(stranger.refresh().await), Refusal::SessionRevoked);
    let proof = asked(&world, "ann").await;
    let begun = sign_in(&world, by_code(&world, &proof)).await;
    begun.expect("the account is hers");
}

#[tokio::test]
async fn a_link_counts_only_where_the_mail_was_asked_for() {
    let world = world();
    verified(&world, "ann").await;
    let proof = asked(&world, "ann").await;
    let link = || {
        let secret = world.proof_secrets.secret(proof.id, 1);
        with(shown(&proof, Evidence::Secret(secret)))
    };
    let robot = sign_in(&world, link()).await;
    assert_eq!(refused(robot), ProofRefused::CodeRequired);
    assert_eq!(attempts_left(&world, &proof).await, Some(5));
    let mut own = link();
    own.proof.asker.cookie = proof.cookie.clone();
    sign_in(&world, own)
        .await
        .expect("it is the one that asked");
}

#[tokio::test]
async fn five_codes_can_be_tried() {
    let world = world();
    verified(&world, "ann").await;
    let proof = asked(&world, "ann").await;
    for attempts_left in (0..5).rev() {
        let guess = with(shown(&proof, wrong(&world, &proof)));
        assert_eq!(
            refused(sign_in(&world, guess).await),
            ProofRefused::WrongCode { attempts_left }
        );
    }
    let late = sign_in(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(late), ProofRefused::Gone, "it is too late");
}

#[tokio::test]
async fn a_proof_does_not_outlive_its_time_or_what_it_is_bound_to() {
    let world = world();
    let ann = verified(&world, "ann").await;
    let proof = asked(&world, "ann").await;
    world.advance(secs(600));
    let late = sign_in(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(late), ProofRefused::Gone, "ten minutes");

    let (older, newer) = (asked(&world, "ann").await, asked(&world, "ann").await);
    let superseded = sign_in(&world, by_code(&world, &older)).await;
    assert_eq!(refused(superseded), ProofRefused::Gone, "a newer one");
    let change = ChangePasswordRequest {
        current: Some(World::password("ann's password")),
        new: World::password("ann's new password"),
    };
    let changed = world.change_password.execute(&ann.caller(), change).await;
    changed.expect("the password is hers");
    let superseded = sign_in(&world, by_code(&world, &newer)).await;
    assert_eq!(refused(superseded), ProofRefused::Gone, "another password");

    let proof = asked(&world, "ann").await;
    let ended = world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Everywhere)
        .await;
    ended.expect("she may");
    let superseded = sign_in(&world, by_code(&world, &proof)).await;
    assert_eq!(
        refused(superseded),
        ProofRefused::Gone,
        "all sessions ended"
    );
}

#[tokio::test]
async fn a_failure_begins_nothing_and_uses_up_no_attempt() {
    let world = world();
    let ann = verified(&world, "ann").await;
    let proof = asked(&world, "ann").await;
    let rows = || world.accounts.inner().rows(ann.user).len();
    for _ in 0..7 {
        world.accounts.fail_on("prove_sign_in", Fault::Before);
        let failed = sign_in(&world, by_code(&world, &proof)).await;
        assert!(matches!(failed, Err(SignInByCodeError::Failed(_))));
        world.accounts.recover();
        world.tokens.fail_on("begin_entry", Fault::Before);
        let failed = sign_in(&world, by_code(&world, &proof)).await;
        assert!(matches!(failed, Err(SignInByCodeError::Failed(_))));
        world.tokens.recover();
    }
    assert_eq!((rows(), attempts_left(&world, &proof).await), (1, Some(5)));
    let begun = sign_in(&world, by_code(&world, &proof)).await;
    begun.expect("nothing is half-made");
    assert_eq!(rows(), 2);
}

#[tokio::test]
async fn a_session_whose_answer_was_lost_takes_no_place() {
    let world = world();
    let user = verified(&world, "ann").await.user;
    let proof = asked(&world, "ann").await;
    world.accounts.fail_on("prove_sign_in", Fault::After);
    let lost = sign_in(&world, by_code(&world, &proof)).await;
    assert!(matches!(lost, Err(SignInByCodeError::Failed(_))));
    world.accounts.recover();
    world.clearings.run(&world.clear).await;
    let rows = world.accounts.inner().rows(user);
    let ended: Vec<_> = rows.iter().filter_map(|row| row.ending).collect();
    assert_eq!((rows.len(), ended.len()), (2, 1), "that one");
    assert_eq!(ended[0].reason, EndReason::Expired);
    assert_eq!(world.tokens.inner().size(user), 1);
    let again = sign_in(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(again), ProofRefused::Gone);
}

#[tokio::test]
async fn a_hundred_confirmations_at_once_begin_one_session() {
    let world = Arc::new(world());
    let user = verified(&world, "ann").await.user;
    let proof = asked(&world, "ann").await;
    let link = Evidence::Secret(world.proof_secrets.secret(proof.id, 1));
    let mut request = with(shown(&proof, link));
    request.proof.asker.cookie = proof.cookie.clone();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (world, request) = (world.clone(), request.clone());
        calls.spawn(async move { sign_in(&world, request).await.is_ok() });
    }
    let succeeded = calls.join_all().await;
    assert_eq!(succeeded.iter().filter(|ok| **ok).count(), 1);
    assert_eq!(world.accounts.inner().rows(user).len(), 2);
    assert_eq!(
        world.tokens.inner().size(user),
        2,
        "those that failed took no place in the white list"
    );
}

#[tokio::test]
async fn sign_ins_by_code_use_up_neither_recovery_nor_the_owners_devices() {
    let world = world();
    let ann = verified(&world, "ann").await;
    world.advance(secs(3600));
    let limited = async |request: SignInCodeRequest| match world
        .request_sign_in_code
        .execute(request)
        .await
    {
        Err(RequestSignInCodeError::Limited(limited)) => Some(limited.limit),
        asked => {
            asked.expect("anybody may ask");
            None
        }
    };
    for _ in 0..5 {
        assert_eq!(limited(request("ann")).await, None);
    }
    let reached = Some(LimitName::ProofsPerAccount);
    assert_eq!(limited(request("ann")).await, reached, "five an hour");
    // A share of its own.
    asked_to_recover(&world).await;
    for _ in 0..5 {
        let mut own = request("ann");
        own.asker.device_credentials = vec![ann.credential.clone()];
        assert_eq!(limited(own).await, None, "her device is no stranger");
    }
}

#[tokio::test]
async fn it_works_while_sign_ins_are_limited() {
    let world = world();
    verified(&world, "ann").await;
    let guess = SignInRequest {
        password: World::password("wrong"),
        ..World::request("ann")
    };
    while !matches!(
        world.sign_in.execute(guess.clone()).await,
        Err(SignInError::Limited(_))
    ) {}
    let proof = asked(&world, "ann").await;
    let begun = sign_in(&world, by_code(&world, &proof)).await;
    begun.expect("nobody can keep her out by wrong passwords");
}

#[tokio::test]
async fn a_service_that_takes_no_codes_says_so() {
    let off = World::with_mail(AccountPolicy::default());
    verified(&off, "ann").await;
    let asked = off.request_sign_in_code.execute(request("ann")).await;
    assert!(matches!(asked, Err(RequestSignInCodeError::Off)));
    let proof = asked_to_recover(&off).await;
    let refused = sign_in(&off, by_code(&off, &proof)).await;
    assert!(matches!(refused, Err(SignInByCodeError::Off)));
    assert_eq!(attempts_left(&off, &proof).await, Some(5));
}

#[tokio::test]
async fn the_code_of_a_recovery_signs_nobody_in() {
    let world = world();
    verified(&world, "ann").await;
    let recovery = asked_to_recover(&world).await;
    let other = sign_in(&world, by_code(&world, &recovery)).await;
    assert_eq!(refused(other), ProofRefused::Gone);
}

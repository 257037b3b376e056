//! A forgotten password.

use super::{refusal, secs};
use revolve_domain::{
    limits::LimitName,
    model::{ClientInfo, FieldError, ProofId, ProofPurpose},
    policy::AccountPolicy,
    ports::{Clock, ProofSecrets, Proofs},
    use_cases::{
        Begun, Evidence, ProofRefused, RecoverError, RecoverRequest, RecoveryRequest, Refusal,
        RequestRecoveryError, RequestedProof, ShownAsker, ShownProof, SignInError, SignInRequest,
        SignOutScope,
    },
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use secrecy::ExposeSecret;

const NEW: &str = "a password that ann remembers";

fn world() -> World {
    World::with_mail(AccountPolicy::default())
}

fn forgot(name: &str) -> RecoveryRequest {
    let SignInRequest { email, client, .. } = World::request(name);
    RecoveryRequest {
        email,
        locale: None,
        asker: ShownAsker::default(),
        client,
    }
}

async fn asked(world: &World, name: &str) -> RequestedProof {
    let asked = world.request_recovery.execute(forgot(name)).await;
    asked.expect("anybody may ask")
}

fn with(proof: &RequestedProof, evidence: Evidence) -> RecoverRequest {
    RecoverRequest {
        proof: ShownProof {
            id: proof.id,
            evidence,
            asker: ShownAsker::default(),
        },
        password: World::password(NEW),
        device_name: None,
        client: World::request("ann").client,
    }
}

fn by_code(world: &World, proof: &RequestedProof) -> RecoverRequest {
    with(proof, Evidence::Code(world.proof_secrets.code(proof.id, 1)))
}

fn wrong(world: &World, proof: &RequestedProof) -> RecoverRequest {
    with(proof, super::verification::wrong(world, proof))
}

async fn recover(world: &World, request: RecoverRequest) -> Result<Begun, RecoverError> {
    let purpose = ProofPurpose::ResetPassword;
    world.recover.execute(purpose, request).await
}

fn refused<T: std::fmt::Debug>(result: Result<T, RecoverError>) -> ProofRefused {
    match result {
        Err(RecoverError::Proof(refused)) => refused,
        other => panic!("expected the proof to be refused, got {other:?}"),
    }
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew() {
    let world = world();
    let (mut ann, known) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let proof = asked(&world, "ann").await;
    assert_eq!(proof.expires_in, secs(900));
    world.events.take();
    let begun = recover(&world, by_code(&world, &proof))
        .await
        .expect("the code is right");
    assert_eq!(
        world.events.take_names(),
        ["account.recovered", "sessions.ended", "session.begun"]
    );
    let mut new = world.client(begun);
    assert_ne!(
        new.credential.expose_secret(),
        known.credential.expose_secret(),
        "no device from before is kept"
    );
    assert_eq!(refusal(ann.refresh().await), Refusal::SessionRevoked);
    assert_eq!(ann.entry(), None, "the white list is cleared");
    new.refresh().await.expect("the new session lives");
    let user = world.me.execute(&new.id_token).await.expect("it is hers");
    assert!(user.email_verified_at.is_some(), "she reads the mailbox");
    assert!(matches!(
        world.try_sign_in("ann").await,
        Err(SignInError::InvalidCredentials)
    ));
    let request = SignInRequest {
        password: World::password(NEW),
        ..World::request("ann")
    };
    world.sign_in.execute(request).await.expect("it is right");
    let again = recover(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(again), ProofRefused::Gone, "it is spent");
}

#[tokio::test]
async fn nobody_can_tell_whether_there_is_an_account() {
    let world = world();
    let ann = world.signed_up("ann").await;
    world.signed_up("eve").await;
    let disabled = world.accounts.inner();
    disabled.disable(ann.user, world.clock.now());
    for name in ["ann", "nobody", "eve"] {
        let proof = asked(&world, name).await;
        assert_eq!(
            (proof.expires_in, proof.cookie.is_some()),
            (secs(900), true)
        );
        assert_eq!(
            refused(recover(&world, wrong(&world, &proof)).await),
            ProofRefused::WrongCode { attempts_left: 4 },
            "{name}"
        );
    }
    // Not even the code, which nobody was sent, gets any further.
    for name in ["ann", "nobody"] {
        let proof = asked(&world, name).await;
        assert_eq!(
            refused(recover(&world, by_code(&world, &proof)).await),
            ProofRefused::Gone,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_link_counts_only_where_the_mail_was_asked_for() {
    let world = world();
    world.signed_up("ann").await;
    let proof = asked(&world, "ann").await;
    let link = || Evidence::Secret(world.proof_secrets.secret(proof.id, 1));
    for cookie in [None, Some("another browser's".into())] {
        let mut robot = with(&proof, link());
        robot.proof.asker.cookie = cookie;
        assert_eq!(
            refused(recover(&world, robot).await),
            ProofRefused::CodeRequired
        );
    }
    let mut forged = with(&proof, Evidence::Secret("forged".into()));
    forged.proof.asker.cookie = proof.cookie.clone();
    assert_eq!(
        refused(recover(&world, forged).await),
        ProofRefused::Gone,
        "the one that asked has a secret that is wrong"
    );
    let standing = world.accounts.find(proof.id, world.clock.now()).await;
    let left = standing
        .expect("find works")
        .map(|proof| proof.attempts_left);
    assert_eq!(left, Some(5), "a robot uses up no attempt");
    let mut own = with(&proof, link());
    own.proof.asker.cookie = proof.cookie.clone();
    recover(&world, own)
        .await
        .expect("it is the one that asked");
}

#[tokio::test]
async fn a_device_is_known_without_a_cookie() {
    let world = world();
    let ann = world.signed_up("ann").await;
    let mut request = forgot("ann");
    request.asker.device_credentials = vec![ann.credential.clone()];
    let proof = world.request_recovery.execute(request).await;
    let proof = proof.expect("anybody may ask");
    assert!(proof.cookie.is_none(), "its device is enough");
    let mut own = with(
        &proof,
        Evidence::Secret(world.proof_secrets.secret(proof.id, 1)),
    );
    own.proof.asker.device_credentials = vec![ann.credential.clone()];
    recover(&world, own)
        .await
        .expect("it is the one that asked");
}

#[tokio::test]
async fn five_codes_can_be_tried() {
    let world = world();
    world.signed_up("ann").await;
    let proof = asked(&world, "ann").await;
    for attempts_left in (0..5).rev() {
        assert_eq!(
            refused(recover(&world, wrong(&world, &proof)).await),
            ProofRefused::WrongCode { attempts_left }
        );
    }
    let late = recover(&world, by_code(&world, &proof)).await;
    assert_eq!(
        refused(late),
        ProofRefused::Gone,
        "the right one is too late"
    );
    let link = Evidence::Secret(world.proof_secrets.secret(proof.id, 1));
    let mut own = with(&proof, link);
    own.proof.asker.cookie = proof.cookie.clone();
    assert_eq!(
        refused(recover(&world, own).await),
        ProofRefused::Gone,
        "and so is the link"
    );
    world.signed_in("ann").await;
}

#[tokio::test]
async fn a_weak_password_or_a_failure_uses_up_no_attempt() {
    let world = world();
    world.signed_up("ann").await;
    let proof = asked(&world, "ann").await;
    for _ in 0..7 {
        let mut weak = by_code(&world, &proof);
        weak.password = World::password("password");
        assert!(matches!(
            recover(&world, weak).await,
            Err(RecoverError::WeakPassword(FieldError::TooCommon))
        ));
    }
    world.accounts.fail_on("recover_account", Fault::Before);
    assert!(matches!(
        recover(&world, by_code(&world, &proof)).await,
        Err(RecoverError::Failed(_))
    ));
    world.accounts.recover();
    world.signed_in("ann").await;
    recover(&world, by_code(&world, &proof))
        .await
        .expect("nothing is half-made");
}

#[tokio::test]
async fn a_proof_does_not_outlive_its_time_or_what_it_is_bound_to() {
    let world = world();
    let mut ann = world.signed_up("ann").await;
    let proof = asked(&world, "ann").await;
    world.advance(secs(900));
    let late = recover(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(late), ProofRefused::Gone);
    ann.refresh().await.expect("the session lives");

    let proof = asked(&world, "ann").await;
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Everywhere)
        .await
        .expect("she may");
    let superseded = recover(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(superseded), ProofRefused::Gone);

    let proof = asked(&world, "ann").await;
    let newer = asked(&world, "ann").await;
    let older = recover(&world, by_code(&world, &proof)).await;
    assert_eq!(refused(older), ProofRefused::Gone, "a newer one voids it");
    recover(&world, by_code(&world, &newer))
        .await
        .expect("the newer one counts");
}

#[tokio::test]
async fn it_works_while_sign_ins_are_limited() {
    let world = world();
    world.signed_up("ann").await;
    let guess = SignInRequest {
        password: World::password("wrong"),
        ..World::request("ann")
    };
    while !matches!(
        world.sign_in.execute(guess.clone()).await,
        Err(SignInError::Limited(_))
    ) {}
    let proof = asked(&world, "ann").await;
    recover(&world, by_code(&world, &proof))
        .await
        .expect("nobody can keep her out by wrong passwords");
}

#[tokio::test]
async fn mails_are_limited_and_the_owners_device_is_no_stranger() {
    let world = world();
    let ann = world.signed_up("ann").await;
    for number in 0..5_u8 {
        let client = ClientInfo {
            address: Some([203, 0, 113, number].into()),
            ..ClientInfo::default()
        };
        let request = RecoveryRequest {
            client,
            ..forgot("ann")
        };
        let asked = world.request_recovery.execute(request).await;
        asked.expect("five an hour");
    }
    let refused = world.request_recovery.execute(forgot("ann")).await;
    let Err(RequestRecoveryError::Limited(limited)) = refused else {
        panic!("no more than five an hour, got {refused:?}")
    };
    assert_eq!(limited.limit, LimitName::ProofsPerAccount);
    let mut own = forgot("ann");
    own.asker.device_credentials = vec![ann.credential.clone()];
    let asked = world.request_recovery.execute(own).await;
    asked.expect("strangers can't use up the budget of her device");
}

#[tokio::test]
async fn all_devices_of_an_account_share_one_budget_and_former_ones_have_none() {
    let world = world();
    let (ann, phone) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let on = async |client: &TestClient<'_>| {
        let mut request = forgot("ann");
        request.asker.device_credentials = vec![client.credential.clone()];
        world.request_recovery.execute(request).await
    };
    let limited = |result: Result<RequestedProof, RequestRecoveryError>| {
        matches!(result, Err(RequestRecoveryError::Limited(_)))
    };
    // Five of the devices, and five of strangers.
    for device in [&ann, &phone].into_iter().cycle().take(10) {
        assert!(!limited(on(device).await));
    }
    assert!(limited(on(&ann).await));
    assert!(limited(on(&phone).await));

    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Everywhere)
        .await
        .expect("she may");
    world.advance(secs(2 * 3600));
    for _ in 0..5 {
        assert!(!limited(on(&ann).await), "a stranger by now");
    }
    assert!(limited(on(&phone).await), "so is that one");
}

#[tokio::test]
async fn what_comes_to_nothing_is_limited_but_for_the_client_that_asked() {
    let world = world();
    world.signed_up("ann").await;
    let proof = asked(&world, "ann").await;
    let invented = RequestedProof {
        id: ProofId::from_random([7; 16]),
        ..proof.clone()
    };
    for _ in 0..60 {
        let unknown = recover(&world, by_code(&world, &invented)).await;
        assert_eq!(refused(unknown), ProofRefused::Gone);
    }
    let limited = recover(&world, by_code(&world, &proof)).await;
    let ProofRefused::Limited(limited) = refused(limited) else {
        panic!("sixty from one address");
    };
    assert_eq!(limited.limit, LimitName::ConfirmationsPerAddress);
    let standing = world.accounts.find(proof.id, world.clock.now()).await;
    let left = standing
        .expect("find works")
        .map(|proof| proof.attempts_left);
    assert_eq!(left, Some(5), "it was not looked at");
    let mut own = by_code(&world, &proof);
    own.proof.asker.cookie = proof.cookie.clone();
    recover(&world, own)
        .await
        .expect("nobody can keep the one that asked out");
}

#[tokio::test]
async fn a_service_without_mail_says_so() {
    let world = World::new();
    world.signed_up("ann").await;
    assert!(matches!(
        world.request_recovery.execute(forgot("ann")).await,
        Err(RequestRecoveryError::MailNotConfigured)
    ));
}

#[tokio::test]
async fn a_hundred_confirmations_at_once_succeed_once() {
    let world = std::sync::Arc::new(world());
    world.signed_up("ann").await;
    let proof = asked(&world, "ann").await;
    let link = Evidence::Secret(world.proof_secrets.secret(proof.id, 1));
    let mut request = with(&proof, link);
    request.proof.asker.cookie = proof.cookie.clone();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (world, request) = (world.clone(), request.clone());
        calls.spawn(async move { recover(&world, request).await.map(|_| ()).is_ok() });
    }
    let succeeded = calls.join_all().await;
    assert_eq!(succeeded.iter().filter(|ok| **ok).count(), 1);
}

//! What a mailbox opens of an account with a factor.

use super::{
    super::{changes_of_address, notices, refusal, secs, verification},
    second_step::with_app,
    wrong_code,
};
use revolve_domain::{
    journal::{MailKind, SecurityEvent},
    model::{FactorKind, ProofId, ProofPurpose},
    policy::{AccountPolicy, RequireFactor},
    ports::ProofSecrets,
    use_cases::{
        Begun, Evidence, FactorSignInError, RecoverError, RecoverRequest, RecoveryRequest, Refusal,
        ShownAsker, ShownProof, SignInRequest,
    },
};
use revolve_testkit::{World, memory::TestAuthenticator, world::TestClient};

const RECOVERED: &str = "recovered password";

/// Recovers ann's account by its mailbox.
async fn recover(world: &World) -> Result<Begun, RecoverError> {
    let SignInRequest { email, client, .. } = World::request("ann");
    let request = RecoveryRequest {
        email,
        locale: None,
        asker: ShownAsker::default(),
        client,
    };
    let asked = world.request_recovery.execute(request).await;
    let asked = asked.expect("anybody may ask");
    let code = verification::code(world, &asked, 1);
    confirm(world, ProofPurpose::ResetPassword, asked.id, code).await
}

async fn confirm(
    world: &World,
    purpose: ProofPurpose,
    id: ProofId,
    evidence: Evidence,
) -> Result<Begun, RecoverError> {
    let request = RecoverRequest {
        proof: ShownProof {
            id,
            evidence,
            asker: ShownAsker::default(),
        },
        password: World::password(RECOVERED),
        device_name: None,
        client: World::request("ann").client,
    };
    world.recover.execute(purpose, request).await
}

fn anew() -> SignInRequest {
    SignInRequest {
        password: World::password(RECOVERED),
        ..World::request("ann")
    }
}

#[tokio::test]
async fn a_recovery_never_yields_a_session_past_a_factor() {
    let world = World::with_mail(AccountPolicy::default());
    let (mut ann, app) = with_app(&world).await;
    verification::verify(&world, &ann).await;
    let step = match recover(&world).await {
        Err(RecoverError::FactorRequired(step)) => *step,
        other => panic!("expected a second step, got {other:?}"),
    };
    ann.refresh().await.expect_err("all sessions have ended");
    let live = world.tokens.inner().entry(ann.user, ann.session);
    assert!(live.is_none(), "no entry is left");
    let wrong = world.second_step(&step, wrong_code(&world, &app)).await;
    wrong.expect_err("the mailbox is not the app");
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("the code is right");
    world.first_step(anew()).await;
    assert!(!world.events.take_names().contains(&"factors.reset"));
}

/// Nobody has read that mailbox before: the factors are those of whoever signed up with somebody else's address.
#[tokio::test]
async fn a_stranger_who_signed_up_with_the_address_keeps_no_factor() {
    for require_factor in [
        RequireFactor::Never,
        RequireFactor::IfSetUp,
        RequireFactor::Always,
    ] {
        let world = World::with_mail(AccountPolicy {
            require_factor,
            ..AccountPolicy::default()
        });
        let (mut stranger, app) = with_app(&world).await;
        let key = TestAuthenticator::new("key");
        stranger.add_passkey("ann", &key).await.expect("it is new");
        world.events.take();
        let begun = recover(&world).await.expect("she reads the mailbox");
        let told = world.events.take();
        let reset = SecurityEvent::FactorsReset {
            user: stranger.user,
            note: None,
        };
        assert!(told.contains(&reset), "{told:?}");
        assert_eq!(refusal(stranger.refresh().await), Refusal::SessionRevoked);
        let by_key = world.sign_in_with(&key).await;
        assert!(matches!(by_key, Err(FactorSignInError::CredentialRefused)));
        let ann = world.client(begun);
        let factors = world.read_factors.execute(&ann.caller()).await;
        let factors = factors.expect("she is signed in");
        assert!(!factors.set_up().any() && factors.codes.is_none());
        let begun = world.sign_in.execute(anew()).await;
        begun.expect("there is no second step");
        drop(app);
    }
}

/// Changes the address of ann's account to a thief's, and answers the undo that the old one is mailed.
async fn stolen(world: &World, thief: &TestClient<'_>) -> ProofId {
    let asked = changes_of_address::change(world, thief, "thief@example.net").await;
    let code = verification::code(world, &asked, 1);
    let confirmed = verification::confirm_in(world, thief, verification::shown(&asked, code)).await;
    confirmed.expect("the thief reads that mailbox");
    let told = notices::mails(world, "ann@example.org").await;
    let mut told = told.into_iter();
    let undo = told.find(|(kind, _)| *kind == MailKind::EmailChanged);
    let undo = undo.and_then(|(_, proof)| proof);
    undo.expect("the old address can undo it")
}

#[tokio::test]
async fn a_thief_who_changes_the_address_and_adds_a_factor_keeps_neither() {
    let world = World::with_mail(AccountPolicy::default());
    let ann = world.signed_up("ann").await;
    verification::verify(&world, &ann).await;
    let mut thief = world.signed_in("ann").await;
    let undo = stolen(&world, &thief).await;
    let key = TestAuthenticator::new("key");
    thief.add_passkey("ann", &key).await.expect("it is new");
    world.advance(secs(3600));
    let code = Evidence::Code(world.proof_secrets.code(undo, 1));
    let begun = confirm(&world, ProofPurpose::UndoEmail, undo, code).await;
    let ann = world.client(begun.expect("nobody asks for the thief's factor"));
    assert_eq!(refusal(thief.refresh().await), Refusal::SessionRevoked);
    world.sign_in_with(&key).await.expect_err("it is removed");
    let user = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert_eq!(user.email.as_str(), "ann@example.org");
    assert!(!user.factors.any());
    world.sign_in.execute(anew()).await.expect("it is enough");
}

#[tokio::test]
async fn an_undo_leads_to_the_second_step_of_a_factor_from_before() {
    let world = World::with_mail(AccountPolicy::default());
    let (ann, app) = with_app(&world).await;
    verification::verify(&world, &ann).await;
    let undo = stolen(&world, &ann).await;
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    let code = Evidence::Code(world.proof_secrets.code(undo, 1));
    let undone = confirm(&world, ProofPurpose::UndoEmail, undo, code).await;
    let step = match undone {
        Err(RecoverError::FactorRequired(step)) => *step,
        other => panic!("expected a second step, got {other:?}"),
    };
    assert_eq!(step.factors, [FactorKind::Totp, FactorKind::RecoveryCode]);
    world.sign_in_with(&key).await.expect_err("it is removed");
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("the app is hers");
}

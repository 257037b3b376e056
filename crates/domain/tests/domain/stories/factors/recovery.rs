//! What a mailbox opens of an account with a factor.

use super::{
    super::{refusal, verification},
    second_step::with_app,
    wrong_code,
};
use revolve_domain::{
    journal::SecurityEvent,
    model::ProofPurpose,
    policy::{AccountPolicy, RequireFactor},
    use_cases::{
        Begun, FactorSignInError, RecoverError, RecoverRequest, RecoveryRequest, Refusal,
        ShownAsker, ShownProof, SignInRequest,
    },
};
use revolve_testkit::{World, memory::TestAuthenticator};

const RECOVERED: &str = "recovered password";

/// Recovers ann's account by its mailbox.
async fn recover(world: &World) -> Result<Begun, RecoverError> {
    let SignInRequest { email, client, .. } = World::request("ann");
    let request = RecoveryRequest {
        email,
        locale: None,
        asker: ShownAsker::default(),
        client: client.clone(),
    };
    let asked = world.request_recovery.execute(request).await;
    let asked = asked.expect("anybody may ask");
    let request = RecoverRequest {
        proof: ShownProof {
            id: asked.id,
            evidence: verification::code(world, &asked, 1),
            asker: ShownAsker::default(),
        },
        password: World::password(RECOVERED),
        device_name: None,
        client,
    };
    let purpose = ProofPurpose::ResetPassword;
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

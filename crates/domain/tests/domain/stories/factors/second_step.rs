//! The second step of a sign-in.

use super::{
    super::{notices, secs, verification},
    amr, recovery_code, refused, wrong_code,
};
use revolve_domain::{
    journal::{MailKind, SecurityEvent},
    model::{ChallengeId, EndReason, FactorKind},
    policy::{AccountPolicy, RequireFactor},
    ports::{Clock, SessionRepository, TokenRepository},
    use_cases::{
        ChangePasswordRequest, FactorSignInError, SecondStepRequest, ShownAsker, ShownProof,
        SignInByCodeError, SignInByCodeRequest, SignInCodeRequest, SignInRequest,
    },
};
use revolve_testkit::{
    World,
    memory::Fault,
    untold,
    world::{TestApp, TestClient},
};

/// A minute later, so that the app shows another code than that of the set-up.
pub(super) async fn with_app(world: &World) -> (TestClient<'_>, TestApp) {
    let ann = world.signed_up("ann").await;
    let app = ann.set_up_app("ann").await;
    world.advance(secs(60));
    (ann, app)
}

#[tokio::test]
async fn a_password_is_a_first_step_once_a_factor_is_set_up() {
    let world = World::new();
    let (_, app) = with_app(&world).await;
    let step = world.first_step(World::request("ann")).await;
    assert_eq!(step.factors, [FactorKind::Totp, FactorKind::RecoveryCode]);
    assert!(step.public_key.is_none(), "there is no passkey");
    let begun = world.second_step(&step, app.shown(&world)).await;
    let begun = begun.expect("the code is right");
    assert_eq!(begun.device.id, step.device.id, "that of the first step");
    assert_eq!(amr(&begun.tokens.id_token), "mfa otp pwd");
    let mut client = world.client(begun);
    client.refresh().await.expect("a session like any other");
    assert_eq!(amr(&client.id_token), "mfa otp pwd", "the row has it");
}

#[tokio::test]
async fn a_wrong_password_gets_no_further_with_a_factor() {
    let world = World::new();
    with_app(&world).await;
    let request = SignInRequest {
        password: World::password("a guess"),
        ..World::request("ann")
    };
    let refused = world.sign_in.execute(request).await;
    let refused = refused.expect_err("the password is wrong");
    assert_eq!(refused.to_string(), "e-mail address or password is wrong");
}

#[tokio::test]
async fn a_second_step_counts_on_the_client_of_the_first_only() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let step = world.first_step(World::request("ann")).await;
    for shown in [vec![], vec![ann.credential.clone()]] {
        let elsewhere = SecondStepRequest {
            device_credentials: shown,
            ..world.answer(&step, app.shown(&world))
        };
        let refused = world.sign_in_by_factor.execute(elsewhere).await;
        assert!(matches!(refused, Err(FactorSignInError::Gone)));
    }
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("no attempt was counted");
}

#[tokio::test]
async fn a_known_device_is_kept_through_both_steps() {
    let world = World::with_mail(AccountPolicy::default());
    let (ann, app) = with_app(&world).await;
    let again = SignInRequest {
        device_credentials: vec![ann.credential.clone()],
        ..World::request("ann")
    };
    let step = world.first_step(again).await;
    let begun = world.second_step(&step, app.shown(&world)).await;
    let begun = begun.expect("the code is right");
    assert!(begun.session.bound_at.is_some(), "bound from the beginning");
    let kinds = async || -> Vec<_> {
        let mails = notices::mails(&world, "ann@example.org").await;
        mails.into_iter().map(|(kind, _)| kind).collect()
    };
    assert!(!kinds().await.contains(&MailKind::NewDevice));
    let step = world.first_step(World::request("ann")).await;
    world.advance(secs(60));
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("the code is right");
    assert!(kinds().await.contains(&MailKind::NewDevice));
}

#[tokio::test]
async fn five_codes_can_be_tried() {
    let world = World::new();
    let (_, app) = with_app(&world).await;
    let step = world.first_step(World::request("ann")).await;
    for left in [4, 3, 2, 1, 0] {
        let wrong = world.second_step(&step, wrong_code(&world, &app)).await;
        assert!(
            matches!(wrong, Err(FactorSignInError::WrongCode { attempts_left }) if attempts_left == left),
            "{wrong:?}"
        );
    }
    assert_eq!(refused(&world), [None; 5], "strangers to the account");
    let late = world.second_step(&step, app.shown(&world)).await;
    assert!(matches!(late, Err(FactorSignInError::Gone)), "{late:?}");
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("who has the password begins anew");
}

#[tokio::test]
async fn no_code_counts_twice_that_of_the_set_up_included() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let app = ann.set_up_app("ann").await;
    let step = world.first_step(World::request("ann")).await;
    let first = world.second_step(&step, app.shown(&world)).await;
    assert!(
        matches!(first, Err(FactorSignInError::CodeUsed { attempts_left: 4 })),
        "{first:?}"
    );
    world.advance(secs(60));
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("it is another code");
    let step = world.first_step(World::request("ann")).await;
    let replayed = world.second_step(&step, app.shown(&world)).await;
    assert!(matches!(replayed, Err(FactorSignInError::CodeUsed { .. })));
}

#[tokio::test]
async fn a_challenge_lives_five_minutes_and_counts_once() {
    let world = World::new();
    let (_, app) = with_app(&world).await;
    let step = world.first_step(World::request("ann")).await;
    world.advance(step.expires_in);
    let late = world.second_step(&step, app.shown(&world)).await;
    assert!(matches!(late, Err(FactorSignInError::Gone)), "{late:?}");
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("the code is right");
    world.advance(secs(60));
    let spent = world.second_step(&step, app.shown(&world)).await;
    assert!(matches!(spent, Err(FactorSignInError::Gone)), "{spent:?}");
}

#[tokio::test]
async fn a_change_of_the_password_voids_a_challenge() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let step = world.first_step(World::request("ann")).await;
    let change = ChangePasswordRequest {
        current: Some(World::password("ann's password")),
        new: World::password("another password"),
    };
    let changed = world.change_password.execute(&ann.caller(), change).await;
    changed.expect("the password is hers");
    let late = world.second_step(&step, app.shown(&world)).await;
    assert!(matches!(late, Err(FactorSignInError::Gone)), "{late:?}");
}

#[tokio::test]
async fn a_recovery_code_opens_once_and_its_owner_is_told() {
    let world = World::with_mail(AccountPolicy::default());
    let (_, app) = with_app(&world).await;
    let codes = app.recovery_codes.as_ref().expect("the first factor");
    assert_eq!(codes.codes().len(), 10);
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, recovery_code(codes, 3)).await;
    begun.expect("the code is right");
    let used = world
        .events
        .take()
        .into_iter()
        .find_map(|event| match event {
            SecurityEvent::RecoveryCodeUsed { left, .. } => Some(left),
            _ => None,
        });
    assert_eq!(used, Some(9));
    let mails = notices::mails(&world, "ann@example.org").await;
    let mut kinds = mails.iter().map(|(kind, _)| *kind);
    assert!(kinds.any(|kind| kind == MailKind::RecoveryCodeUsed));
    let step = world.first_step(World::request("ann")).await;
    let again = world.second_step(&step, recovery_code(codes, 3)).await;
    assert!(
        matches!(again, Err(FactorSignInError::WrongCode { .. })),
        "it is gone: {again:?}"
    );
}

#[tokio::test]
async fn a_mailed_code_leads_to_the_second_step_and_is_spent() {
    let world = World::with_mail(AccountPolicy {
        sign_in_code: true,
        ..AccountPolicy::default()
    });
    let (ann, app) = with_app(&world).await;
    verification::verify(&world, &ann).await;
    let SignInRequest { email, client, .. } = World::request("ann");
    let request = SignInCodeRequest {
        email,
        locale: None,
        asker: ShownAsker::default(),
        client: client.clone(),
    };
    let asked = world.request_sign_in_code.execute(request).await;
    let asked = asked.expect("anybody may ask");
    let sign_in = async || {
        let request = SignInByCodeRequest {
            proof: ShownProof {
                id: asked.id,
                evidence: verification::code(&world, &asked, 1),
                asker: ShownAsker::default(),
            },
            device_name: None,
            client: client.clone(),
        };
        world.sign_in_by_code.execute(request).await
    };
    let step = match sign_in().await {
        Err(SignInByCodeError::FactorRequired(step)) => *step,
        other => panic!("expected a second step, got {other:?}"),
    };
    let spent = sign_in().await;
    assert!(
        matches!(spent, Err(SignInByCodeError::Proof(_))),
        "{spent:?}"
    );
    let begun = world.second_step(&step, app.shown(&world)).await;
    let begun = begun.expect("the code is right");
    assert_eq!(amr(&begun.tokens.id_token), "mfa otp");
}

#[tokio::test]
async fn where_no_factor_is_needed_a_password_suffices() {
    let world = World::with_rules(AccountPolicy {
        require_factor: RequireFactor::Never,
        ..AccountPolicy::default()
    });
    let (_, _) = with_app(&world).await;
    let ann = world.signed_in("ann").await;
    assert_eq!(amr(&ann.id_token), "pwd");
}

#[tokio::test]
async fn what_was_right_can_be_shown_again_after_an_outage() {
    let world = World::new();
    let (_, app) = with_app(&world).await;
    let step = world.first_step(World::request("ann")).await;
    for _ in 0..6 {
        world.accounts.fail_on("factor_sign_in", Fault::Before);
        let failed = world.second_step(&step, app.shown(&world)).await;
        assert!(matches!(failed, Err(FactorSignInError::Failed(_))));
        world.accounts.recover();
    }
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("nothing was spent, and no attempt counted");
}

#[tokio::test]
async fn a_session_whose_answer_was_lost_takes_no_place() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let step = world.first_step(World::request("ann")).await;
    world.accounts.fail_on("factor_sign_in", Fault::After);
    let failed = world.second_step(&step, app.shown(&world)).await;
    assert!(matches!(failed, Err(FactorSignInError::Failed(_))));
    world.accounts.recover();
    let again = world.second_step(&step, app.shown(&world)).await;
    assert!(matches!(again, Err(FactorSignInError::Gone)), "{again:?}");
    let live = TokenRepository::list(world.tokens.inner(), ann.user).await;
    assert_eq!(live.expect("the store is up").len(), 1, "the first");
}

#[tokio::test]
async fn an_invented_challenge_writes_nothing_and_counts_for_the_address() {
    let world = World::new();
    let (_, app) = with_app(&world).await;
    let mut step = world.first_step(World::request("ann")).await;
    step.challenge = ChallengeId::from_random([9; 16]);
    let mut limited = 0;
    for _ in 0..100 {
        let refused = world.second_step(&step, app.shown(&world)).await;
        match refused {
            Err(FactorSignInError::Gone) => {}
            Err(FactorSignInError::Limited(_)) => limited += 1,
            other => panic!("expected it to be gone, got {other:?}"),
        }
    }
    assert_eq!(limited, 40);
}

#[tokio::test]
async fn a_device_on_which_reuse_is_found_between_the_steps_is_not_kept() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let again = SignInRequest {
        device_credentials: vec![ann.credential.clone()],
        ..World::request("ann")
    };
    let step = world.first_step(again).await;
    let tell = untold();
    let reused = SessionRepository::end(
        world.accounts.inner(),
        ann.user,
        ann.session,
        EndReason::Reused,
        world.clock.now(),
        &tell,
    );
    reused.await.expect("the store is up");
    let late = world.second_step(&step, app.shown(&world)).await;
    assert!(matches!(late, Err(FactorSignInError::Superseded)));
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("the code was not used up");
}

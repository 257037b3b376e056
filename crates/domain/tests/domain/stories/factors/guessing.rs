//! Guessers who have the password.

use super::{super::secs, in_session::by, recovery_code, second_step::with_app, wrong_code};
use revolve_domain::{
    limits::LimitName,
    model::RecoveryCode,
    use_cases::{
        ChangePasswordRequest, FactorSignInError, SecondStepRequest, ShownFactor, SignInRequest,
    },
};
use revolve_testkit::{
    World,
    world::{TestApp, TestClient},
};

/// Signs in on a new device and guesses until it is refused; answers how many guesses were looked at.
async fn guesses(world: &World, app: &TestApp, most: usize) -> usize {
    let mut looked_at = 0;
    while looked_at < most {
        let step = world.first_step(World::request("ann")).await;
        for _ in 0..5 {
            match world.second_step(&step, wrong_code(world, app)).await {
                Err(FactorSignInError::WrongCode { .. }) => looked_at += 1,
                Err(FactorSignInError::Limited(limited)) => {
                    assert_eq!(limited.limit, LimitName::FactorsPerAccount);
                    return looked_at;
                }
                other => panic!("expected a refusal, got {other:?}"),
            }
        }
    }
    looked_at
}

fn invented_recovery_code() -> ShownFactor {
    ShownFactor::RecoveryCode(RecoveryCode::from_random([7; 10]))
}

/// Signs in on the device of this client.
async fn sign_in_again(world: &World, app: &TestApp, on: &TestClient<'_>) {
    let own = SignInRequest {
        device_credentials: vec![on.credential.clone()],
        ..World::request("ann")
    };
    let step = world.first_step(own).await;
    let begun = world.second_step(&step, app.shown(world)).await;
    begun.expect("the owner's device is never shut out by others");
}

#[tokio::test]
async fn a_guesser_who_has_the_password_is_slowed_and_the_owner_is_not() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    assert_eq!(guesses(&world, &app, usize::MAX).await, 10);
    sign_in_again(&world, &app, &ann).await;
    let mut in_a_week = 0;
    for _ in 0..7 * 24 {
        world.advance(secs(3600));
        in_a_week += guesses(&world, &app, usize::MAX).await;
    }
    assert!(in_a_week <= 70, "of a million codes {in_a_week} in a week");
    sign_in_again(&world, &app, &ann).await;
}

#[tokio::test]
async fn the_owner_on_a_new_device_is_free_of_the_guesser_with_a_new_password() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    guesses(&world, &app, usize::MAX).await;
    let change = ChangePasswordRequest {
        current: Some(World::password("ann's password")),
        new: World::password("another password"),
    };
    let changed = world.change_password.execute(&ann.caller(), change).await;
    changed.expect("the owner's session is her own");
    let guess = world.sign_in.execute(World::request("ann")).await;
    guess.expect_err("the guesser gets no challenge any more");
    world.advance(secs(24 * 3600));
    let anew = SignInRequest {
        password: World::password("another password"),
        ..World::request("ann")
    };
    let step = world.first_step(anew).await;
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("the strangers' budget has filled");
}

#[tokio::test]
async fn a_guesser_with_the_password_locks_nobody_out_of_the_recovery_codes() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let codes = app.recovery_codes.as_ref().expect("the first factor");
    guesses(&world, &app, usize::MAX).await;
    // An invented code can't be guessed: it is bounded by its challenge only.
    let step = world.first_step(World::request("ann")).await;
    for left in (0..5).rev() {
        let invented = world.second_step(&step, invented_recovery_code()).await;
        assert!(
            matches!(invented, Err(FactorSignInError::WrongCode { attempts_left }) if attempts_left == left),
            "{invented:?}"
        );
    }
    let spent = world.second_step(&step, recovery_code(codes, 0)).await;
    assert!(matches!(spent, Err(FactorSignInError::Gone)));
    // The owner on a new device, and in a session.
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, recovery_code(codes, 0)).await;
    begun.expect("strangers can't use up what a recovery code needs");
    let caller = ann.caller();
    for _ in 0..20 {
        let refused = by(&world, &caller, wrong_code(&world, &app)).await;
        refused.expect_err("it is wrong, or there were too many");
    }
    let shown = by(&world, &caller, recovery_code(codes, 1)).await;
    shown.expect("nor can her own mistakes with the app");
}

#[tokio::test]
async fn no_flood_of_challenges_voids_that_of_another_device() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let own = SignInRequest {
        device_credentials: vec![ann.credential.clone()],
        ..World::request("ann")
    };
    let known = world.first_step(own).await;
    let new = world.first_step(World::request("ann")).await;
    for _ in 0..50 {
        world.advance(secs(1));
        world.first_step(World::request("ann")).await;
    }
    for step in [known, new] {
        let begun = world.second_step(&step, app.shown(&world)).await;
        begun.expect("it is out of reach");
        world.advance(secs(30));
    }
}

#[tokio::test]
async fn a_credential_of_somebody_else_opens_no_budget() {
    let world = World::new();
    let (_, app) = with_app(&world).await;
    let bob = world.signed_up("bob").await;
    let mut looked_at = 0;
    for _ in 0..30 {
        let step = world.first_step(World::request("ann")).await;
        let guess = world.answer(&step, wrong_code(&world, &app));
        let guess = SecondStepRequest {
            device_credentials: vec![step.device.credential.clone(), bob.credential.clone()],
            ..guess
        };
        let refused = world.sign_in_by_factor.execute(guess).await;
        looked_at += usize::from(matches!(refused, Err(FactorSignInError::WrongCode { .. })));
    }
    assert_eq!(looked_at, 10);
}

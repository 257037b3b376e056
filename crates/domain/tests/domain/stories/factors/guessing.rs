//! Guessers who have the password.

use super::{super::secs, second_step::with_app, wrong_code};
use revolve_domain::{
    limits::LimitName,
    use_cases::{ChangePasswordRequest, FactorSignInError, SecondStepRequest, SignInRequest},
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
async fn no_flood_of_challenges_voids_that_of_a_known_device() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let own = SignInRequest {
        device_credentials: vec![ann.credential.clone()],
        ..World::request("ann")
    };
    let owners = world.first_step(own).await;
    let first = world.first_step(World::request("ann")).await;
    for _ in 0..50 {
        world.advance(secs(1));
        world.first_step(World::request("ann")).await;
    }
    let voided = world.second_step(&first, app.shown(&world)).await;
    assert!(matches!(voided, Err(FactorSignInError::Gone)));
    let begun = world.second_step(&owners, app.shown(&world)).await;
    begun.expect("it is out of reach");
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

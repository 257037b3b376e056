//! Reauthentication by a factor.

use super::{super::secs, amr, recovery_code, refused, second_step::with_app, wrong_code};
use revolve_domain::{
    limits::LimitName,
    use_cases::{
        Caller, ChangePasswordRequest, ReauthenticateError, ReauthenticateRequest, Reauthenticated,
        Refused, ShownFactor,
    },
};
use revolve_testkit::{World, memory::TestAuthenticator};

pub(super) async fn by(
    world: &World,
    caller: &Caller,
    factor: ShownFactor,
) -> Result<Reauthenticated, ReauthenticateError> {
    let request = ReauthenticateRequest {
        factor: Some(factor),
        ..ReauthenticateRequest::default()
    };
    world.reauthenticate.by(caller, request).await
}

#[tokio::test]
async fn each_factor_reauthenticates_and_each_code_once() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let caller = ann.caller();
    let shown = by(&world, &caller, app.shown(&world)).await;
    let shown = shown.expect("the code is right");
    assert_eq!(amr(&shown.id_token), "otp");
    let again = by(&world, &caller, app.shown(&world)).await;
    assert!(matches!(again, Err(ReauthenticateError::CodeUsed)));
    let codes = app.recovery_codes.as_ref().expect("the first factor");
    let shown = by(&world, &caller, recovery_code(codes, 0)).await;
    shown.expect("the code is right");
    let again = by(&world, &caller, recovery_code(codes, 0)).await;
    assert!(matches!(again, Err(ReauthenticateError::WrongCode)));
    assert_eq!(refused(&world), [Some(ann.session); 2]);

    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    let begun = world.reauthenticate.begin_passkey(&caller).await;
    let begun = begun.expect("she has a passkey");
    let request = |challenge| ReauthenticateRequest {
        factor: Some(ShownFactor::Passkey(key.get(&begun.public_key))),
        challenge,
        ..ReauthenticateRequest::default()
    };
    let without = world.reauthenticate.by(&caller, request(None)).await;
    assert!(matches!(without, Err(ReauthenticateError::Gone)));
    let good = request(Some(begun.challenge));
    let shown = world.reauthenticate.by(&caller, good).await;
    assert_eq!(amr(&shown.expect("it is hers").id_token), "hwk mfa user");
    let again = request(Some(begun.challenge));
    let spent = world.reauthenticate.by(&caller, again).await;
    assert!(matches!(spent, Err(ReauthenticateError::Gone)));
}

#[tokio::test]
async fn a_password_and_a_code_together_are_two_factors() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let request = ReauthenticateRequest {
        password: Some(World::password("ann's password")),
        factor: Some(app.shown(&world)),
        challenge: None,
    };
    let shown = world.reauthenticate.by(&ann.caller(), request).await;
    assert_eq!(amr(&shown.expect("both are right").id_token), "mfa otp pwd");
    let nothing = ReauthenticateRequest::default();
    let refused = world.reauthenticate.by(&ann.caller(), nothing).await;
    assert!(matches!(refused, Err(ReauthenticateError::NothingShown)));
}

#[tokio::test]
async fn what_a_factor_allows_is_what_a_password_does() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let shown = by(&world, &ann.caller(), app.shown(&world)).await;
    let caller = Caller {
        reauthentication: Some(shown.expect("the code is right").token),
        ..ann.caller()
    };
    let change = ChangePasswordRequest {
        current: None,
        new: World::password("another password"),
    };
    let changed = world.change_password.execute(&caller, change).await;
    changed.expect("she has reauthenticated");
    let deleted = world.delete_account.execute(&caller).await;
    deleted.expect_err("the change of the password has voided it");
}

#[tokio::test]
async fn guesses_in_a_session_are_limited() {
    let world = World::new();
    let (mut ann, app) = with_app(&world).await;
    let mut looked_at = 0;
    let limited = loop {
        match by(&world, &ann.caller(), wrong_code(&world, &app)).await {
            Err(ReauthenticateError::WrongCode) => looked_at += 1,
            Err(ReauthenticateError::Refused(Refused::Limited(limited))) => break limited,
            other => panic!("expected a refusal, got {other:?}"),
        }
    };
    assert_eq!(limited.limit, LimitName::FactorsPerAccount);
    assert_eq!(looked_at, 20, "the session's own, then the strangers'");
    world.advance(secs(3600));
    ann.refresh().await.expect("the session lives");
    let shown = by(&world, &ann.caller(), app.shown(&world)).await;
    shown.expect("its own budget has filled");
}

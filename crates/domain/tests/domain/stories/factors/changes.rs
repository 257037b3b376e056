//! Factors that are set up and removed, and who is told.

use super::{
    super::{notices, secs},
    recovery_code, refused,
    second_step::with_app,
};
use revolve_domain::{
    keys::SealedKey,
    model::{OneTimeCode, SetUpFactors},
    policy::AccountPolicy,
    ports::{Clock, FactorSecrets, Factors, UserRepository},
    use_cases::{ChangeFactorsError, FactorSignInError, ResealFactors},
};
use revolve_testkit::{World, memory::TestCodes};
use std::sync::Arc;

#[tokio::test]
async fn an_app_counts_once_its_code_was_shown() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let plain = world.manage_totp.set_up(&ann.caller()).await;
    assert!(matches!(
        plain,
        Err(ChangeFactorsError::ReauthenticationRequired)
    ));
    let caller = ann.reauthenticated("ann").await;
    let code = OneTimeCode::parse(&"123456".into()).expect("six digits");
    let early = world.manage_totp.confirm(&caller, &code).await;
    assert!(matches!(early, Err(ChangeFactorsError::Gone)));
    let former = world.manage_totp.set_up(&caller).await.expect("a secret");
    let new = world.manage_totp.set_up(&caller).await.expect("another");
    world.signed_in("ann").await;
    let now = world.clock.now();
    let old = TestCodes::code(&former.secret, now);
    let wrong = world.manage_totp.confirm(&caller, &old).await;
    assert!(matches!(wrong, Err(ChangeFactorsError::WrongCode)));
    assert_eq!(refused(&world), [Some(ann.session)]);
    let code = TestCodes::code(&new.secret, now);
    let confirmed = world.manage_totp.confirm(&caller, &code).await;
    let codes = confirmed.expect("the code is right");
    assert_eq!(codes.expect("the first factor").codes().len(), 10);
    let late = world.manage_totp.set_up(&caller).await;
    assert!(
        matches!(late, Err(ChangeFactorsError::ReauthenticationRequired)),
        "the first factor ends what was shown before"
    );
    let caller = ann.reauthenticated("ann").await;
    let again = world.manage_totp.set_up(&caller).await;
    assert!(matches!(again, Err(ChangeFactorsError::AlreadySetUp)));
    world.first_step(World::request("ann")).await;
}

#[tokio::test]
async fn a_password_suffices_again_once_the_last_factor_is_removed() {
    let world = World::new();
    let (ann, _) = with_app(&world).await;
    let caller = ann.reauthenticated("ann").await;
    let removed = world.manage_totp.remove(&caller).await;
    removed.expect("she has a password");
    world.signed_in("ann").await;
    let codes = world.replace_recovery_codes.execute(&caller).await;
    assert!(matches!(codes, Err(ChangeFactorsError::NoFactor)));
}

#[tokio::test]
async fn new_recovery_codes_void_the_former() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    let caller = ann.reauthenticated("ann").await;
    let new = world.replace_recovery_codes.execute(&caller).await;
    let new = new.expect("she has a factor");
    let former = app.recovery_codes.as_ref().expect("the first factor");
    let step = world.first_step(World::request("ann")).await;
    let void = world.second_step(&step, recovery_code(former, 0)).await;
    assert!(matches!(void, Err(FactorSignInError::WrongCode { .. })));
    let begun = world.second_step(&step, recovery_code(&new, 0)).await;
    begun.expect("it is of the new set");
}

#[tokio::test]
async fn the_owner_is_told_of_each_change() {
    let world = World::with_mail(AccountPolicy::default());
    let (ann, _) = with_app(&world).await;
    let caller = ann.reauthenticated("ann").await;
    let codes = world.replace_recovery_codes.execute(&caller).await;
    codes.expect("she has a factor");
    let removed = world.manage_totp.remove(&caller).await;
    removed.expect("she has a password");
    let mails = notices::mails(&world, "ann@example.org").await;
    let mut kinds: Vec<_> = mails.iter().map(|(kind, _)| kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["factor_added", "factor_added", "factor_removed"]);
    let names = world.events.take_names();
    for name in [
        "totp.set_up",
        "factor.added",
        "recovery_codes.made",
        "factor.removed",
    ] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}

#[tokio::test]
async fn secrets_and_recovery_codes_survive_another_master_key() {
    let world = World::new();
    let (ann, app) = with_app(&world).await;
    world.factor_secrets.change_master();
    let secrets: Arc<dyn FactorSecrets> = world.factor_secrets.clone();
    let reseal = ResealFactors::new(world.accounts.clone(), secrets);
    for expected in [2, 0] {
        let all = reseal.execute().await.expect("the store is up");
        assert_eq!((all.done, all.failed.len()), (expected, 0));
    }
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, app.shown(&world)).await;
    begun.expect("the secret is the same");
    let codes = app.recovery_codes.as_ref().expect("the first factor");
    let step = world.first_step(World::request("ann")).await;
    let begun = world.second_step(&step, recovery_code(codes, 9)).await;
    begun.expect("the MACs are the same");
    let account = UserRepository::credentials(world.accounts.inner(), ann.user).await;
    let account = account.expect("the store is up").expect("an account");
    let set_up = SetUpFactors {
        totp: true,
        passkey: false,
    };
    assert_eq!(account.user.factors, set_up);
}

#[tokio::test]
async fn a_secret_that_cannot_be_opened_holds_up_no_other() {
    let world = World::new();
    let mut owners = Vec::new();
    for name in ["ann", "bob"] {
        let owner = world.signed_up(name).await;
        owner.set_up_app(name).await;
        owners.push(owner.user);
    }
    owners.sort_unstable();
    let store = world.accounts.inner();
    let sealed = Factors::sealed(store, None, 1).await;
    let sealed = sealed.expect("the store is up");
    let broken = Factors::reseal(store, &sealed[0], &SealedKey::new(vec![7; 40])).await;
    assert!(broken.expect("the store is up"), "it was as it is read");
    world.factor_secrets.change_master();
    let secrets: Arc<dyn FactorSecrets> = world.factor_secrets.clone();
    let reseal = ResealFactors::new(world.accounts.clone(), secrets);
    let all = reseal.execute().await.expect("the store is up");
    assert_eq!(all.done, 3);
    let failed: Vec<_> = all.failed.iter().map(|(user, _)| *user).collect();
    assert_eq!(failed, owners[..1]);
}

#[tokio::test]
async fn an_app_that_was_never_confirmed_is_forgotten_after_a_day() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let caller = ann.reauthenticated("ann").await;
    world.manage_totp.set_up(&caller).await.expect("a secret");
    world
        .begin_passkey_sign_in
        .execute(&World::request("ann").client)
        .await
        .expect("anybody may begin");
    world.advance(secs(23 * 3600));
    assert_eq!(world.prune.execute().await.expect("the store is up"), 1);
    world.advance(secs(2 * 3600));
    assert_eq!(world.prune.execute().await.expect("the store is up"), 1);
    assert_eq!(world.prune.execute().await.expect("the store is up"), 0);
}

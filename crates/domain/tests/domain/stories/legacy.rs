//! Accounts that were imported without a hash.

use super::assert_passes;
use revolve_domain::{
    journal::Actor,
    model::{AppData, Details, DetailsChange, HashKind, PasswordHash, ProofPurpose, Roles, UserId},
    policy::AccountPolicy,
    ports::{Clock, ProofSecrets, SecurityEvent, UserRepository},
    use_cases::{
        AccountPatch, Evidence, ImportOutcome, ImportRequest, RecoverRequest, RecoveryRequest,
        ServicePorts, ShownAsker, ShownProof, SignInError, UseCases,
    },
};
use revolve_testkit::{World, memory::Fault};

/// Ann's account with a mark in place of a hash.
async fn imported(world: &World, mark: PasswordHash) -> UserId {
    let request = ImportRequest {
        email: World::request("ann").email,
        hash: mark,
        id: Some(UserId::from_random([7; 16])),
        details: Details::default(),
        email_verified: false,
        roles: Roles::default(),
        app: AppData::default(),
        created_at: None,
        disabled: false,
    };
    let outcome = world.import_account.execute(&request).await;
    assert_eq!(outcome.expect("execute works"), ImportOutcome::Imported);
    let outcome = world.import_account.execute(&request).await;
    assert_eq!(outcome.expect("execute works"), ImportOutcome::Present);
    UserId::from_random([7; 16])
}

async fn kept(world: &World, user: UserId) -> PasswordHash {
    let found = world.accounts.inner().credentials(user).await;
    found.expect("it never fails").expect("she is there").hash
}

fn knows_ann(world: &World) {
    let ann = World::request("ann");
    world.legacy.know(ann.email, &ann.password);
}

fn assert_refused<T>(outcome: &Result<T, SignInError>) {
    assert!(matches!(outcome, Err(SignInError::InvalidCredentials)));
}

#[tokio::test]
async fn no_password_matches_where_there_is_none_and_the_work_is_the_same() {
    let world = World::new();
    let ann = imported(&world, PasswordHash::no_password()).await;
    world.events.take();
    for text in ["ann's password", "", "$none$"] {
        let calls = world.hasher.calls();
        let mut request = World::request("ann");
        request.password = World::password(text);
        assert_refused(&world.sign_in.execute(request).await);
        assert_eq!(world.hasher.calls() - calls, 1, "the work of any sign-in");
        assert!(matches!(
            world.events.take()[..],
            [SecurityEvent::SignInRefused { user: Some(user), .. }] if user == ann
        ));
    }
    assert!(world.legacy.take_asked().is_empty());
    assert_eq!(kept(&world, ann).await.kind(), HashKind::NoPassword);
}

#[tokio::test]
async fn an_account_without_a_password_gets_one_by_a_recovery() {
    for mark in [PasswordHash::no_password(), PasswordHash::legacy()] {
        let world = World::with_mail(AccountPolicy::default());
        imported(&world, mark).await;
        let ann = World::request("ann");
        let asked = world.request_recovery.execute(RecoveryRequest {
            email: ann.email,
            locale: None,
            asker: ShownAsker::default(),
            client: ann.client.clone(),
        });
        let proof = asked.await.expect("anybody may ask");
        let recovered = world.recover.execute(
            ProofPurpose::ResetPassword,
            RecoverRequest {
                proof: ShownProof {
                    id: proof.id,
                    evidence: Evidence::Code(world.proof_secrets.code(proof.id, 1)),
                    asker: ShownAsker::default(),
                },
                password: ann.password,
                device_name: None,
                client: ann.client,
            },
        );
        recovered.await.expect("the code is right");
        world.signed_in("ann").await;
        assert!(world.legacy.take_asked().is_empty(), "there is a hash");
    }
}

#[tokio::test]
async fn the_former_system_is_asked_until_it_has_confirmed_a_password_and_never_again() {
    let world = World::new();
    let ann = imported(&world, PasswordHash::legacy()).await;
    knows_ann(&world);
    let mut wrong = World::request("ann");
    wrong.password = World::password("not hers");
    let calls = world.hasher.calls();
    assert_refused(&world.sign_in.execute(wrong.clone()).await);
    assert_eq!(world.hasher.calls() - calls, 1, "the work of any sign-in");
    assert_eq!(kept(&world, ann).await.kind(), HashKind::Legacy);
    world.signed_in("ann").await;
    assert_eq!(world.legacy.take_asked().len(), 2, "no, then yes");
    let hash = kept(&world, ann).await;
    assert_eq!(hash.kind(), HashKind::Hash);

    world.legacy.fail(true);
    world.signed_in("ann").await;
    assert_refused(&world.sign_in.execute(wrong).await);
    assert!(world.legacy.take_asked().is_empty(), "the hash is here");
    assert_eq!(kept(&world, ann).await.expose(), hash.expose());
}

#[tokio::test]
async fn a_former_system_that_does_not_answer_is_an_outage_and_changes_nothing() {
    let world = World::new();
    let ann = imported(&world, PasswordHash::legacy()).await;
    knows_ann(&world);
    world.legacy.fail(true);
    match world.try_sign_in("ann").await {
        Err(SignInError::Failed(failure)) => assert_passes(&failure),
        _ => panic!("expected a failure"),
    }
    assert_eq!(kept(&world, ann).await.kind(), HashKind::Legacy);
    world.legacy.fail(false);

    // Confirmed, but not stored: the next sign-in asks again.
    world.accounts.fail_on("rehash", Fault::Before);
    match world.try_sign_in("ann").await {
        Err(SignInError::Failed(failure)) => assert_passes(&failure),
        _ => panic!("expected a failure"),
    }
    world.accounts.recover();
    assert_eq!(kept(&world, ann).await.kind(), HashKind::Legacy);
    world.legacy.take_asked();
    world.signed_in("ann").await;
    assert_eq!(world.legacy.take_asked().len(), 1);
}

#[tokio::test]
async fn a_flood_is_turned_away_before_the_former_system_is_asked() {
    let world = World::new();
    imported(&world, PasswordHash::legacy()).await;
    world.hasher.overload(true);
    assert!(matches!(
        world.try_sign_in("ann").await,
        Err(SignInError::Failed(_))
    ));
    assert!(world.legacy.take_asked().is_empty());
}

#[tokio::test]
async fn outages_do_not_count_as_attempts_and_wrong_passwords_do() {
    let world = World::new();
    imported(&world, PasswordHash::legacy()).await;
    world.legacy.fail(true);
    for _ in 0..20 {
        assert!(matches!(
            world.try_sign_in("ann").await,
            Err(SignInError::Failed(_))
        ));
    }
    world.legacy.fail(false);
    let mut refused = 0;
    let limited = loop {
        match world.try_sign_in("ann").await {
            Err(SignInError::InvalidCredentials) => refused += 1,
            Err(SignInError::Limited(limited)) => break limited,
            _ => panic!("the former system knows no password"),
        }
    };
    assert_eq!(refused, limited.rate.burst());
    assert_eq!(world.legacy.take_asked().len(), 20 + refused as usize);
}

#[tokio::test]
async fn a_disabled_account_is_not_asked_for() {
    let world = World::new();
    let ann = imported(&world, PasswordHash::legacy()).await;
    knows_ann(&world);
    world.accounts.inner().disable(ann, world.clock.now());
    assert_refused(&world.try_sign_in("ann").await);
    assert!(world.legacy.take_asked().is_empty());
}

#[tokio::test]
async fn without_a_verifier_a_marked_account_has_no_password() {
    let world = World::new();
    let ann = imported(&world, PasswordHash::legacy()).await;
    knows_ann(&world);
    let alone = UseCases::new(&ServicePorts {
        legacy: None,
        ..world.ports.clone()
    });
    let calls = world.hasher.calls();
    assert_refused(&alone.sign_in.execute(World::request("ann")).await);
    assert_eq!(world.hasher.calls() - calls, 1, "the work of any sign-in");
    assert_eq!(kept(&world, ann).await.kind(), HashKind::Legacy);
}

#[tokio::test]
async fn a_password_that_was_set_meanwhile_stays() {
    let world = World::new();
    let ann = imported(&world, PasswordHash::legacy()).await;
    knows_ann(&world);
    let held = world.hasher.hold();
    let late = world.try_sign_in("ann");
    let set = async {
        held.wait_for(1).await;
        let new = PasswordHash::from_phc("$plain$v=1$set$meanwhile".to_owned());
        let mark = PasswordHash::legacy();
        world
            .accounts
            .inner()
            .rehash(ann, &mark, &new)
            .await
            .expect("it never fails");
        held.release();
    };
    let (_, ()) = tokio::join!(late, set);
    assert_eq!(kept(&world, ann).await.expose(), "$plain$v=1$set$meanwhile");
}

#[tokio::test]
async fn the_former_system_is_not_asked_about_an_address_that_it_does_not_know_the_account_by() {
    let world = World::new();
    let ann = imported(&world, PasswordHash::legacy()).await;
    // Somebody else has Ann's new address there.
    let anna = World::request("anna");
    world.legacy.know(anna.email.clone(), &anna.password);
    let patch = AccountPatch {
        details: DetailsChange {
            email: Some(anna.email.clone()),
            ..DetailsChange::default()
        },
        ..AccountPatch::default()
    };
    let change = &world.change_account;
    let changed = change.execute(ann, &patch, None, Actor::Operator).await;
    assert_eq!(changed.expect("the address is free").email, anna.email);
    assert_refused(&world.sign_in.execute(anna).await);
    assert!(world.legacy.take_asked().is_empty());
    assert_eq!(kept(&world, ann).await.kind(), HashKind::NoPassword);
}

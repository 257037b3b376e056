//! Resets of factors by operators.

use super::{
    super::{DAY, notices, refusal, secs},
    second_step::with_app,
};
use revolve_domain::{
    journal::{Actor, MailKind},
    model::{ClientInfo, FactorKind, Label, ProofId},
    policy::AccountPolicy,
    ports::ProofSecrets,
    use_cases::{
        Evidence, Refusal, ResetFactorsError, ShownAsker, ShownProof, StopFactorResetError,
    },
};
use revolve_testkit::{
    World,
    memory::{Fault, TestAuthenticator},
};

fn note() -> Option<Label> {
    Label::parse("lost the phone").ok()
}

async fn stop_link(world: &World) -> Option<ProofId> {
    let mails = notices::mails(world, "ann@example.org").await;
    let mut ordered = mails
        .into_iter()
        .filter(|(kind, _)| *kind == MailKind::FactorResetOrdered);
    ordered.next_back()?.1
}

fn shown(world: &World, id: ProofId) -> ShownProof {
    ShownProof {
        id,
        evidence: Evidence::Secret(world.proof_secrets.secret(id, 1)),
        asker: ShownAsker::default(),
    }
}

#[tokio::test]
async fn a_reset_counts_after_a_day_and_ends_all_sessions() {
    let world = World::with_mail(AccountPolicy::default());
    let (mut ann, _) = with_app(&world).await;
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    let factors = &world.manage_factors;
    let ordered = factors.order_reset(ann.user, note(), Actor::Operator).await;
    let ordered = ordered.expect("there is something to reset");
    assert!(!ordered.was_pending);
    let again = factors.order_reset(ann.user, None, Actor::Operator).await;
    let again = again.expect("it waits");
    assert!(again.was_pending && again.due_at == ordered.due_at);
    let seen = world.read_factors.execute(&ann.caller()).await;
    let seen = seen.expect("she is signed in").reset.expect("it waits");
    assert_eq!(seen.due_at, ordered.due_at);
    world.advance(DAY.checked_sub(secs(1)).expect("a day is longer"));
    let applied = world.apply_factor_resets.execute().await;
    assert_eq!(applied.expect("the stores are up").done, 0);
    world.first_step(World::request("ann")).await;
    ann.refresh().await.expect("nothing has changed yet");

    world.advance(secs(1));
    let applied = world.apply_factor_resets.execute().await;
    assert_eq!(applied.expect("the stores are up").done, 1);
    assert_eq!(refusal(ann.refresh().await), Refusal::SessionRevoked);
    world.sign_in_with(&key).await.expect_err("it is removed");
    world.signed_in("ann").await;
    let applied = world.apply_factor_resets.execute().await;
    assert_eq!(applied.expect("the stores are up").done, 0, "once");
    let names = world.events.take_names();
    for name in ["factor_reset.ordered", "factors.reset", "sessions.ended"] {
        assert!(names.contains(&name), "{name}");
    }
    let mails = notices::mails(&world, "ann@example.org").await;
    assert!(mails.contains(&(MailKind::FactorsReset, None)));
}

#[tokio::test]
async fn the_owner_stops_a_reset_by_the_link_on_any_client() {
    let world = World::with_mail(AccountPolicy::default());
    let (ann, _) = with_app(&world).await;
    let factors = &world.manage_factors;
    let ordered = factors.order_reset(ann.user, note(), Actor::Operator).await;
    ordered.expect("there is something to reset");
    let id = stop_link(&world).await.expect("a mail with a link");
    let shown = shown(&world, id);
    let client = ClientInfo::default();
    let stopped = world.stop_factor_reset.by_proof(&shown, &client).await;
    stopped.expect("the link is hers");
    let again = world.stop_factor_reset.by_proof(&shown, &client).await;
    assert!(matches!(again, Err(StopFactorResetError::Proof(_))));
    world.advance(DAY * 2);
    let applied = world.apply_factor_resets.execute().await;
    assert_eq!(applied.expect("the stores are up").done, 0);
    world.first_step(World::request("ann")).await;
    assert!(world.events.take_names().contains(&"factor_reset.stopped"));
}

/// The reset counts for it as well.
#[tokio::test]
async fn the_owner_of_a_disabled_account_stops_a_reset() {
    let world = World::with_mail(AccountPolicy::default());
    let (ann, _) = with_app(&world).await;
    let factors = &world.manage_factors;
    let ordered = factors.order_reset(ann.user, note(), Actor::Operator).await;
    ordered.expect("there is something to reset");
    let accounts = &world.admin.manage_accounts;
    let disabled = accounts.disable(ann.user, Actor::Operator).await;
    disabled.expect("there is such an account");
    let id = stop_link(&world).await.expect("a mail with a link");
    let client = ClientInfo::default();
    let stopped = world
        .stop_factor_reset
        .by_proof(&shown(&world, id), &client)
        .await;
    stopped.expect("the link is hers");
    world.advance(DAY * 2);
    let applied = world.apply_factor_resets.execute().await;
    assert_eq!(applied.expect("the stores are up").done, 0);
}

#[tokio::test]
async fn the_owner_stops_a_reset_in_a_session() {
    let world = World::with_mail(AccountPolicy::default());
    let (ann, _) = with_app(&world).await;
    let none = world.stop_factor_reset.in_session(&ann.caller()).await;
    assert!(matches!(none, Err(StopFactorResetError::NotFound)));
    let factors = &world.manage_factors;
    let ordered = factors.order_reset(ann.user, note(), Actor::Operator).await;
    ordered.expect("there is something to reset");
    let stopped = world.stop_factor_reset.in_session(&ann.caller()).await;
    stopped.expect("it is hers");
    let seen = world.read_factors.execute(&ann.caller()).await;
    assert!(seen.expect("she is signed in").reset.is_none());
}

#[tokio::test]
async fn a_forced_reset_is_at_once() {
    let world = World::new();
    let (mut ann, _) = with_app(&world).await;
    let bob = world.signed_up("bob").await;
    let note = || Label::parse("identified in person").expect("a reason");
    let factors = &world.manage_factors;
    let forced = factors.force_reset(ann.user, note(), Actor::Operator).await;
    forced.expect("there is something to reset");
    assert_eq!(refusal(ann.refresh().await), Refusal::SessionRevoked);
    world.signed_in("ann").await;
    let none = factors.force_reset(bob.user, note(), Actor::Operator).await;
    assert!(matches!(none, Err(ResetFactorsError::NoFactors)));
    let none = factors.order_reset(bob.user, None, Actor::Operator).await;
    assert!(matches!(none, Err(ResetFactorsError::NoFactors)));
}

#[tokio::test]
async fn a_reset_leaves_what_its_owner_has_set_up_meanwhile() {
    let world = World::with_mail(AccountPolicy::default());
    let (mut ann, _) = with_app(&world).await;
    let factors = &world.manage_factors;
    let ordered = factors.order_reset(ann.user, note(), Actor::Operator).await;
    ordered.expect("there is something to reset");
    world.advance(secs(60));
    let key = TestAuthenticator::new("key");
    ann.add_passkey("ann", &key).await.expect("it is new");
    world.advance(DAY);
    let applied = world.apply_factor_resets.execute().await;
    assert_eq!(applied.expect("the stores are up").done, 1);
    assert_eq!(refusal(ann.refresh().await), Refusal::SessionRevoked);
    let step = world.first_step(World::request("ann")).await;
    assert_eq!(step.factors, [FactorKind::Passkey]);
    world.sign_in_with(&key).await.expect("it stays");
}

#[tokio::test]
async fn a_reset_of_nothing_ends_no_session() {
    let world = World::with_mail(AccountPolicy::default());
    let (mut ann, _) = with_app(&world).await;
    let factors = &world.manage_factors;
    let ordered = factors.order_reset(ann.user, note(), Actor::Operator).await;
    ordered.expect("there is something to reset");
    let caller = ann.reauthenticated("ann").await;
    let removed = world.manage_totp.remove(&caller).await;
    removed.expect("she has a password");
    world.advance(DAY);
    let applied = world.apply_factor_resets.execute().await;
    assert_eq!(applied.expect("the stores are up").done, 0);
    ann.refresh().await.expect("it is hers");
}

#[tokio::test]
async fn an_account_that_fails_holds_up_no_other_reset() {
    let world = World::with_mail(AccountPolicy::default());
    let factors = &world.manage_factors;
    for name in ["ann", "bob"] {
        let owner = world.signed_up(name).await;
        owner.set_up_app(name).await;
        let ordered = factors.order_reset(owner.user, None, Actor::Operator).await;
        ordered.expect("there is something to reset");
    }
    world.advance(DAY);
    world.accounts.fail_on("reset_factors", Fault::Corrupt);
    let all = world.apply_factor_resets.execute().await;
    let all = all.expect("the other row is as it should be");
    assert_eq!((all.done, all.failed.len()), (1, 1));
    let all = world.apply_factor_resets.execute().await;
    let all = all.expect("the stores are up");
    assert_eq!((all.done, all.failed.len()), (1, 0));
    world.accounts.fail_on("due_factor_resets", Fault::Before);
    let down = world.apply_factor_resets.execute().await;
    down.expect_err("the store can't be reached");
}

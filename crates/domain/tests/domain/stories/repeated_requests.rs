//! Requests of programs that make an account, and come more than once.

use super::{
    DAY,
    admin::{KEY, create, request, with_password},
    secs,
};
use revolve_domain::{
    model::{ApiKeyId, Fingerprint, UserId},
    ports::AccountQuery,
    use_cases::{AddAccountError, AddAccountRequest, CreateAccountError, FirstAccess, RequestName},
};
use revolve_testkit::{World, memory::Fault};

fn named(name: &str, content: &str) -> RequestName {
    RequestName {
        name: Fingerprint::of_request(ApiKeyId::from_random([7; 16]), name),
        content: Fingerprint::of_content(&"the key".into(), content.as_bytes()),
    }
}

#[tokio::test]
async fn a_request_with_a_name_creates_one_account_however_often_it_comes() {
    let world = World::new();
    let name = Some(named("first", "ann"));
    let ann = create(&world, with_password("ann"), name)
        .await
        .expect("a fresh address");
    world.advance(secs(3600));
    let again = create(&world, with_password("ann"), name).await;
    assert_eq!(again.expect("the same").id, ann.id);
    let other = create(&world, with_password("bob"), Some(named("first", "bob"))).await;
    assert!(
        matches!(other, Err(CreateAccountError::NameTaken)),
        "got {other:?}"
    );
    let without = create(&world, with_password("ann"), None).await;
    assert!(
        matches!(
            without,
            Err(CreateAccountError::Refused(AddAccountError::EmailTaken))
        ),
        "got {without:?}"
    );
    let manage = &world.admin.manage_accounts;
    assert!(manage.delete(ann.id, KEY).await.expect("it works"));
    let gone = create(&world, with_password("ann"), name).await;
    assert!(
        matches!(gone, Err(CreateAccountError::Gone)),
        "no id is used again: {gone:?}"
    );
    world.advance(DAY);
    let new = create(&world, with_password("ann"), name).await;
    assert_ne!(new.expect("the name is free").id, ann.id);
}

#[tokio::test]
async fn a_request_whose_answer_is_lost_can_be_repeated() {
    for fault in [Fault::Before, Fault::After] {
        let world = World::new();
        let name = Some(named("first", "ann"));
        world.accounts.fail_on("add_account", fault);
        let lost = create(&world, with_password("ann"), name).await;
        assert!(
            matches!(
                lost,
                Err(CreateAccountError::Refused(AddAccountError::Failed(_)))
            ),
            "got {lost:?}"
        );
        world.accounts.recover();
        let ann = create(&world, with_password("ann"), name)
            .await
            .expect("made now, or answered");
        let found = world.admin.manage_accounts.search(
            Some(&ann.email),
            AccountQuery {
                limit: 10,
                ..AccountQuery::default()
            },
        );
        let found = found.await.expect("it works").accounts;
        assert_eq!(found, [ann], "{fault:?}");
    }
}

#[tokio::test]
async fn a_refused_request_frees_its_name_and_an_account_that_was_there_is_no_answer() {
    let world = World::new();
    let ann = create(&world, with_password("ann"), None)
        .await
        .expect("a fresh address");
    world.advance(secs(3600));
    let same = AddAccountRequest {
        id: Some(ann.id),
        ..with_password("ann")
    };
    for _ in 0..2 {
        let taken = create(&world, same.clone(), Some(named("second", "ann"))).await;
        assert!(
            matches!(
                taken,
                Err(CreateAccountError::Refused(AddAccountError::EmailTaken))
            ),
            "got {taken:?}"
        );
    }
    let weak = request(
        "bob",
        FirstAccess::Password(World::password("bob@example.org")),
    );
    let refused = create(&world, weak, Some(named("second", "weak"))).await;
    assert!(
        matches!(
            refused,
            Err(CreateAccountError::Refused(AddAccountError::WeakPassword(
                _
            )))
        ),
        "got {refused:?}"
    );
    create(&world, with_password("bob"), Some(named("second", "bob")))
        .await
        .expect("with another password");
}

#[tokio::test]
async fn an_account_that_another_request_made_a_moment_ago_is_no_answer() {
    let world = World::new();
    let with_id = |name| AddAccountRequest {
        id: Some(UserId::from_random([9; 16])),
        ..with_password(name)
    };
    let ann = create(&world, with_id("ann"), Some(named("first", "ann"))).await;
    let ann = ann.expect("a fresh address");
    world.advance(secs(1));
    let bob = async || create(&world, with_id("bob"), Some(named("second", "bob"))).await;
    // The first attempt ends between its claim and its account.
    world.accounts.fail_on("add_account", Fault::Before);
    let cut_off = bob().await;
    assert!(
        matches!(
            cut_off,
            Err(CreateAccountError::Refused(AddAccountError::Failed(_)))
        ),
        "got {cut_off:?}"
    );
    world.accounts.recover();
    for attempt in ["again", "new"] {
        let taken = bob().await;
        assert!(
            matches!(
                taken,
                Err(CreateAccountError::Refused(AddAccountError::IdTaken))
            ),
            "{attempt}: got {taken:?}"
        );
    }
    let again = create(&world, with_id("ann"), Some(named("first", "ann"))).await;
    assert_eq!(again.expect("the same"), ann);
}

#[tokio::test]
async fn a_request_is_forgotten_after_a_day_whether_or_not_another_comes() {
    let world = World::new();
    create(&world, with_password("ann"), Some(named("first", "ann")))
        .await
        .expect("a fresh address");
    world.advance(DAY);
    for (waits, pruned) in [(0, 0), (1, 1), (0, 0)] {
        world.advance(secs(waits));
        let done = world.prune.execute().await;
        assert_eq!(done.expect("nothing is down"), pruned);
    }
}

//! Operators change what an account shows: its roles and app data, its address and details.

use super::secs;
use revolve_domain::{
    deliveries::DeliveryQuery,
    journal::{Actor, MailKind},
    model::{
        AccountVersion, AppData, AppPatch, DetailsChange, EmailAddress, FieldError, Label, Role,
        Roles, RolesPatch, User, UserId,
    },
    policy::AccountPolicy,
    ports::{Clock, Deliveries, Journal, JournalQuery, JournalRecord},
    revocations::{RevocationLog, SLACK},
    use_cases::{AccountPatch, ChangeAccountError, UpdateDetailsRequest},
};
use revolve_testkit::{
    World,
    memory::{Fault, TestCodec},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

fn set_roles(names: &[&str]) -> AccountPatch {
    let roles = names.iter().map(|name| Role::parse(name).expect("a role"));
    AccountPatch {
        roles: Some(RolesPatch::Set(Roles::new(roles).expect("few"))),
        ..AccountPatch::default()
    }
}

fn add_role(name: &str) -> AccountPatch {
    AccountPatch {
        roles: Some(RolesPatch::Adjust {
            add: vec![Role::parse(name).expect("a role")],
            remove: Vec::new(),
        }),
        ..AccountPatch::default()
    }
}

fn merge(patch: Value) -> AccountPatch {
    let Value::Object(patch) = patch else {
        panic!("a merge patch of app data is an object")
    };
    AccountPatch {
        app: Some(AppPatch::Merge(patch)),
        ..AccountPatch::default()
    }
}

fn to_email(address: &str) -> AccountPatch {
    AccountPatch {
        details: DetailsChange {
            email: Some(EmailAddress::parse(address).expect("an address")),
            ..DetailsChange::default()
        },
        ..AccountPatch::default()
    }
}

async fn try_change(
    world: &World,
    user: UserId,
    patch: &AccountPatch,
    expected: Option<AccountVersion>,
) -> Result<User, ChangeAccountError> {
    let change = &world.change_account;
    change.execute(user, patch, expected, Actor::Operator).await
}

async fn change(world: &World, user: UserId, patch: &AccountPatch) -> User {
    let changed = try_change(world, user, patch, None).await;
    changed.expect("nothing is in the way")
}

async fn entries(world: &World, user: UserId) -> Vec<JournalRecord> {
    let query = JournalQuery {
        user: Some(user),
        limit: 100,
        ..JournalQuery::default()
    };
    let found = world.accounts.inner().read(&query).await;
    found.expect("the journal is in memory")
}

/// Which version of the account the feed says is needed; `None` if any will do.
async fn needed(world: &World, user: UserId) -> Option<AccountVersion> {
    let read = world.revocation_feed.execute(None).await;
    let log = RevocationLog::new(read.expect("the user database answers"));
    let outdated = log.plain().outdated;
    let mut found = outdated.into_iter().filter(|(named, _)| *named == user);
    found.next().map(|(_, before)| before)
}

fn version(token: &SecretString) -> AccountVersion {
    let version = TestCodec::read(token)["version"].as_u64();
    AccountVersion::new(version.expect("each token has one")).expect("it is in range")
}

#[tokio::test]
async fn a_change_of_roles_is_in_the_next_token_and_outdates_those_of_before() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let before = ann.id_token.clone();
    assert_eq!(TestCodec::read(&before)["roles"], json!([]));
    assert_eq!(needed(&world, ann.user).await, None, "nothing has changed");
    let user = change(&world, ann.user, &set_roles(&["admin", "billing:read"])).await;
    assert_eq!(needed(&world, ann.user).await, Some(user.version));
    assert!(version(&before) < user.version, "so it is refused");

    // Within the same second, by a retry and by a reauthentication.
    let first = ann.refresh_token.clone();
    ann.refresh().await.expect("the session goes on");
    let claims = TestCodec::read(&ann.id_token);
    assert_eq!(claims["roles"], json!(["admin", "billing:read"]));
    assert_eq!(claims["iat"], TestCodec::read(&before)["iat"]);
    assert_eq!(version(&ann.id_token), user.version, "it is accepted");
    let again = ann.present(&first).await.expect("a retry");
    assert_eq!(version(&again.tokens.id_token), user.version);
    let shown = ann.caller();
    let password = World::password("ann's password");
    let reauthenticated = world.reauthenticate.execute(&shown, &password).await;
    let reauthenticated = reauthenticated.expect("the password is right");
    assert_eq!(version(&reauthenticated.id_token), user.version);

    // As long as a token of before could live.
    world.advance(world.policy.id_lifetime + SLACK);
    assert_eq!(needed(&world, ann.user).await, Some(user.version));
    world.advance(secs(1));
    assert_eq!(needed(&world, ann.user).await, None);
}

#[tokio::test]
async fn a_retry_within_the_life_of_its_token_has_the_roles_of_now() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let parent = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    let user = change(&world, ann.user, &set_roles(&["admin"])).await;
    let again = ann.present(&parent).await.expect("a retry");
    let same = again.tokens.refresh_token;
    assert_eq!(same.expose_secret(), ann.refresh_token.expose_secret());
    let claims = TestCodec::read(&again.tokens.id_token);
    assert_eq!(claims["roles"], json!(["admin"]));
    assert_eq!(version(&again.tokens.id_token), user.version);
}

#[tokio::test]
async fn the_owner_sees_roles_and_cannot_change_them() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    change(&world, ann.user, &set_roles(&["admin"])).await;
    let plan = json!({ "plan": "pro", "trial": null });
    change(&world, ann.user, &merge(plan)).await;
    let request = UpdateDetailsRequest {
        change: DetailsChange {
            name: Some(Some(Label::parse("Ann").expect("a label"))),
            ..DetailsChange::default()
        },
        ..UpdateDetailsRequest::default()
    };
    let before = needed(&world, ann.user).await;
    let updated = world.update_details.execute(&ann.caller(), request).await;
    let updated = updated.expect("she is signed in").user;
    let me = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert_eq!(me, updated);
    assert_eq!(
        me.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
        ["admin"]
    );
    assert_eq!(
        me.app,
        AppData::parse(r#"{"plan":"pro"}"#).expect("an object")
    );
    assert!(
        Some(me.version) > before,
        "her own change raises the version"
    );
    assert_eq!(
        needed(&world, ann.user).await,
        before,
        "and outdates nothing"
    );
}

#[tokio::test]
async fn of_two_changes_that_expect_one_version_the_second_is_refused() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let seen = world
        .me
        .execute(&ann.id_token)
        .await
        .expect("it is hers")
        .version;
    let first = try_change(&world, ann.user, &set_roles(&["a"]), Some(seen)).await;
    let now = first.expect("nobody was faster");
    for patch in [set_roles(&["b"]), add_role("b"), merge(json!({ "a": 1 }))] {
        let second = try_change(&world, ann.user, &patch, Some(seen)).await;
        assert!(
            matches!(second, Err(ChangeAccountError::VersionMismatch { current }) if current == now.version),
            "{second:?}"
        );
    }
    let me = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert_eq!(me, now);
    let again = try_change(&world, ann.user, &add_role("b"), Some(now.version)).await;
    assert_eq!(again.expect("that is the version").roles.iter().len(), 2);
}

#[tokio::test]
async fn changes_that_add_to_what_is_there_do_not_lose_each_other() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let names: Vec<_> = (0..Roles::MAX).map(|n| format!("r{n}")).collect();
    for name in &names {
        change(&world, ann.user, &add_role(name)).await;
    }
    let one_more = try_change(&world, ann.user, &add_role("more"), None).await;
    assert!(
        matches!(
            one_more,
            Err(ChangeAccountError::Invalid {
                field: "roles",
                error: FieldError::TooMany { max: 32 }
            })
        ),
        "{one_more:?}"
    );
    let big = json!({ "a": "x".repeat(4000) });
    let with_big = change(&world, ann.user, &merge(big)).await;
    let more = merge(json!({ "b": "x".repeat(200) }));
    let too_large = try_change(&world, ann.user, &more, None).await;
    assert!(
        matches!(
            too_large,
            Err(ChangeAccountError::Invalid {
                field: "app",
                error: FieldError::TooLarge { max: 4096 }
            })
        ),
        "{too_large:?}"
    );
    let me = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert_eq!(me, with_big, "nothing changed");
}

#[tokio::test]
async fn the_journal_names_the_fields_and_the_operator_and_no_value() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.events.take();
    let mut patch = merge(json!({ "secret-plan": "canary" }));
    patch.roles = add_role("canary").roles;
    patch.details.name = Some(Some(Label::parse("Canary").expect("a label")));
    patch.email_verified = Some(true);
    change(&world, ann.user, &patch).await;
    assert_eq!(world.events.take_names(), ["account.changed"]);
    let told = entries(&world, ann.user).await;
    let entry = &told[0];
    assert_eq!(
        (entry.event.as_str(), entry.actor),
        ("account.changed", Actor::Operator)
    );
    assert_eq!(entry.details["changed"], "name,emailVerified,roles,app");
    let all = format!("{told:?}").to_lowercase();
    assert!(
        !all.contains("canary") && !all.contains("secret-plan"),
        "{all}"
    );

    let count = told.len();
    let before = world.me.execute(&ann.id_token).await.expect("it is hers");
    let same = change(&world, ann.user, &patch).await;
    assert_eq!(same, before, "what is so already is no change");
    assert_eq!(entries(&world, ann.user).await.len(), count);
}

#[tokio::test]
async fn another_address_is_not_verified_ends_nothing_and_the_owner_is_told() {
    let world = World::with_mail(AccountPolicy::default());
    let mut ann = world.signed_up("ann").await;
    let verified = AccountPatch {
        email_verified: Some(true),
        ..AccountPatch::default()
    };
    change(&world, ann.user, &verified).await;
    let user = change(&world, ann.user, &to_email("ann@example.net")).await;
    assert_eq!(
        (user.email.as_str(), user.email_verified_at),
        ("ann@example.net", None)
    );
    assert_eq!(needed(&world, ann.user).await, Some(user.version));
    ann.refresh().await.expect("no session ended");
    let claims = TestCodec::read(&ann.id_token);
    assert_eq!(claims["email_verified"], false);
    let all = DeliveryQuery {
        state: None,
        limit: 100,
    };
    let mails = Deliveries::list(world.accounts.inner(), all).await;
    let mails = mails.expect("the store is up");
    let [notice] = &mails[..] else {
        panic!("one mail tells of it: {mails:?}");
    };
    let mail = &notice.mail;
    assert_eq!(
        (mail.kind, mail.to.as_str()),
        (MailKind::EmailChanged, "ann@example.org")
    );
    assert_eq!(
        mail.proof, None,
        "an operator's change is undone by operators"
    );
    assert_eq!(mail.facts.subject.as_deref(), Some("ann@example.net"));
    let names: Vec<_> = entries(&world, ann.user)
        .await
        .into_iter()
        .map(|entry| entry.event)
        .collect();
    assert_eq!(names[0], "email.changed");
    let both = AccountPatch {
        email_verified: Some(true),
        ..to_email("ann@example.com")
    };
    let user = change(&world, ann.user, &both).await;
    assert_eq!(user.email_verified_at, Some(world.clock.now()));
}

#[tokio::test]
async fn what_is_in_the_way_changes_nothing() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.signed_up("bob").await;
    let before = world.me.execute(&ann.id_token).await.expect("it is hers");
    let mut patch = to_email("bob@example.org");
    patch.roles = add_role("admin").roles;
    let taken = try_change(&world, ann.user, &patch, None).await;
    assert!(
        matches!(taken, Err(ChangeAccountError::EmailTaken)),
        "{taken:?}"
    );
    let nobody = UserId::from_random([7; 16]);
    let gone = try_change(&world, nobody, &add_role("admin"), None).await;
    assert!(
        matches!(gone, Err(ChangeAccountError::NotFound)),
        "{gone:?}"
    );
    world.accounts.fail_on("change_account", Fault::Before);
    let failed = try_change(&world, ann.user, &add_role("admin"), None).await;
    assert!(
        matches!(failed, Err(ChangeAccountError::Failed(_))),
        "{failed:?}"
    );
    world.accounts.recover();
    let me = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert_eq!(me, before);
}

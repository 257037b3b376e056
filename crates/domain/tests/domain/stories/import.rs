//! Accounts of other systems are imported once, however often the import runs.

use super::{assert_passes, proofs::taken_over, secs, verification};
use revolve_domain::{
    model::{AppData, Details, Label, PasswordHash, ProofPurpose, Role, Roles, Timestamp, UserId},
    policy::Verification,
    ports::{HashFlow, PasswordHasher},
    use_cases::{ImportOutcome, ImportRequest, SignInError},
};
use revolve_testkit::{World, memory::Fault};

/// A row with a hash that is outdated by the time of the import.
async fn row(world: &World, name: &str) -> ImportRequest {
    let flow = HashFlow {
        account: World::request(name).email,
        address: None,
        known: true,
    };
    let hash = world
        .hasher
        .hash(&flow, &World::password(&format!("{name}'s password")))
        .await
        .expect("hash works");
    world.hasher.change_parameters();
    let email = World::request(name).email;
    ImportRequest {
        email,
        hash,
        id: None,
        details: Details::default(),
        email_verified: false,
        roles: Roles::default(),
        app: AppData::default(),
        created_at: None,
        disabled: false,
    }
}

async fn stored(world: &World, request: &ImportRequest) -> revolve_domain::model::Credentials {
    use revolve_domain::ports::UserRepository;
    let found = world
        .accounts
        .credentials_by_email(&request.email, &[])
        .await
        .expect("credentials_by_email works");
    found.expect("the account is there")
}

#[tokio::test]
async fn an_imported_account_signs_in_with_its_password_and_gets_todays_hash() {
    let world = World::new();
    let request = row(&world, "ann").await;
    assert_eq!(
        world
            .import_account
            .rehearse(&request)
            .await
            .expect("rehearse works"),
        ImportOutcome::Imported
    );
    assert_eq!(
        world
            .import_account
            .execute(&request)
            .await
            .expect("execute works"),
        ImportOutcome::Imported
    );
    world
        .signed_in("ann")
        .await
        .refresh()
        .await
        .expect("a session like any other");
    let renewed = stored(&world, &request).await.hash;
    assert_ne!(
        renewed.expose(),
        request.hash.expose(),
        "the hash is today's"
    );
    world.signed_in("ann").await;
    assert_eq!(
        stored(&world, &request).await.hash.expose(),
        renewed.expose(),
        "and stays"
    );
}

#[tokio::test]
async fn a_disabled_account_stays_disabled() {
    let world = World::new();
    let request = ImportRequest {
        disabled: true,
        ..row(&world, "ann").await
    };
    world
        .import_account
        .execute(&request)
        .await
        .expect("execute works");
    assert!(
        matches!(
            world.try_sign_in("ann").await,
            Err(SignInError::InvalidCredentials)
        ),
        "nobody is told why"
    );
}

#[tokio::test]
async fn roles_app_data_and_a_verified_address_come_along() {
    let world = World::new();
    let request = ImportRequest {
        email_verified: true,
        roles: Roles::new([Role::parse("admin").expect("a role")]).expect("few"),
        app: AppData::parse(r#"{ "plan": "pro" }"#).expect("an object"),
        ..row(&world, "ann").await
    };
    let imported = world.import_account.execute(&request).await;
    assert_eq!(imported.expect("execute works"), ImportOutcome::Imported);
    let user = stored(&world, &request).await.user;
    assert_eq!((&user.roles, &user.app), (&request.roles, &request.app));
    assert!(user.email_verified_at.is_some());
}

#[tokio::test]
async fn what_is_there_already_is_present_whatever_its_user_has_done_meanwhile() {
    let world = World::new();
    let made = Some(Timestamp::from_seconds(1_000_000_000));
    let (ann, bob) = (
        row(&world, "ann").await,
        ImportRequest {
            created_at: made,
            ..row(&world, "bob").await
        },
    );
    let eve = ImportRequest {
        id: Some(UserId::from_random([7; 16])),
        ..row(&world, "eve").await
    };
    for request in [&ann, &bob, &eve] {
        assert_eq!(
            world
                .import_account
                .execute(request)
                .await
                .expect("execute works"),
            ImportOutcome::Imported
        );
    }
    world.signed_in("bob").await;
    world.signed_in("eve").await;
    world.advance(secs(60));
    for request in [&ann, &bob, &eve] {
        let before = stored(&world, request).await;
        assert_eq!(
            world
                .import_account
                .execute(request)
                .await
                .expect("execute works"),
            ImportOutcome::Present
        );
        assert_eq!(
            world
                .import_account
                .rehearse(request)
                .await
                .expect("rehearse works"),
            ImportOutcome::Present
        );
        let after = stored(&world, request).await;
        assert_eq!(
            (before.user, before.hash.expose()),
            (after.user, after.hash.expose()),
            "nothing changed"
        );
    }
}

/// A rehearsal that does not know of it would promise what the import refuses.
#[tokio::test]
async fn an_address_that_can_be_taken_back_is_refused_until_its_time_is_over() {
    let world = verification::world(Verification::Off);
    let thief = world.signed_up("ann").await;
    taken_over(&world, &thief).await;
    let ann = row(&world, "ann").await;
    for outcome in [ImportOutcome::EmailTaken, ImportOutcome::Imported] {
        let rehearsed = world.import_account.rehearse(&ann).await;
        assert_eq!(rehearsed.expect("rehearse works"), outcome);
        let done = world.import_account.execute(&ann).await;
        assert_eq!(done.expect("execute works"), outcome);
        world.advance(ProofPurpose::UndoEmail.lifetime());
    }
}

#[tokio::test]
async fn another_accounts_address_or_id_is_refused() {
    let world = World::new();
    world.signed_up("ann").await;
    let id = Some(UserId::from_random([7; 16]));
    let (ann, bob) = (
        row(&world, "ann").await,
        ImportRequest {
            id,
            ..row(&world, "bob").await
        },
    );
    world
        .import_account
        .execute(&bob)
        .await
        .expect("execute works");
    let foreign_hash = PasswordHash::from_phc("$plain$v=1$another$one".to_owned());
    for (request, outcome) in [
        (ann.clone(), ImportOutcome::EmailTaken),
        (ImportRequest { id, ..ann }, ImportOutcome::EmailTaken),
        (
            ImportRequest {
                id,
                ..row(&world, "eve").await
            },
            ImportOutcome::IdTaken,
        ),
        (
            ImportRequest {
                id: None,
                hash: foreign_hash,
                ..bob
            },
            ImportOutcome::EmailTaken,
        ),
    ] {
        assert_eq!(
            world
                .import_account
                .rehearse(&request)
                .await
                .expect("rehearse works"),
            outcome,
            "{:?}",
            request.id
        );
        assert_eq!(
            world
                .import_account
                .execute(&request)
                .await
                .expect("execute works"),
            outcome,
            "{:?}",
            request.id
        );
    }
    world.signed_in("ann").await;
    let details = Details {
        name: Some(Label::parse("Ann").expect("a label")),
        ..Details::default()
    };
    assert_ne!(
        stored(&world, &row(&world, "ann").await).await.user.details,
        details,
        "nothing changed"
    );
}

#[tokio::test]
async fn after_a_lost_answer_the_same_import_finds_out() {
    let world = World::new();
    let request = row(&world, "ann").await;
    world.accounts.fail_on("add_account", Fault::After);
    assert_passes(
        &world
            .import_account
            .execute(&request)
            .await
            .expect_err("the answer is lost"),
    );
    world.accounts.recover();
    assert_eq!(
        world
            .import_account
            .execute(&request)
            .await
            .expect("execute works"),
        ImportOutcome::Present
    );
    world.signed_in("ann").await;
}

//! What programs of operators do, each with its key.

use super::{DAY, secs};
use revolve_domain::{
    deliveries::{Delivery, DeliveryQuery},
    journal::{Actor, MailKind},
    model::{
        ApiKeyId, AppData, ClientInfo, Details, EmailAddress, ProofId, ProofPurpose, Role, Roles,
        User, UserId,
    },
    policy::AccountPolicy,
    ports::{AccountQuery, Deliveries, JournalQuery, ProofSecrets},
    use_cases::{
        AddAccountError, AddAccountRequest, Begun, CreateAccountError, Evidence, FirstAccess,
        ProofRefused, RecoverError, RecoverRequest, RecoveryLinkError, RequestName, ShownAsker,
        ShownProof, SignInRequest,
    },
};
use revolve_testkit::World;
use secrecy::{ExposeSecret, SecretString};

pub(super) const KEY: Actor = Actor::Key(ApiKeyId::from_uuid(uuid::Uuid::from_u128(7)));
const NEW: &str = "a password that ann remembers";

pub(super) fn request(name: &str, access: FirstAccess) -> AddAccountRequest {
    AddAccountRequest {
        email: World::request(name).email,
        access,
        details: Details::default(),
        email_verified: false,
        roles: Roles::new([Role::parse("editor").expect("a role")]).expect("few roles"),
        app: AppData::parse(r#"{ "plan": "pro" }"#).expect("an object"),
        id: None,
    }
}

pub(super) fn with_password(name: &str) -> AddAccountRequest {
    let password = World::password(&format!("{name}'s password"));
    request(name, FirstAccess::Password(password))
}

pub(super) async fn create(
    world: &World,
    request: AddAccountRequest,
    named: Option<RequestName>,
) -> Result<User, CreateAccountError> {
    let create = &world.admin.create_account;
    create.execute(request, named, KEY).await
}

async fn mails(world: &World) -> Vec<Delivery> {
    let query = DeliveryQuery {
        state: None,
        limit: 100,
    };
    let listed = Deliveries::list(world.accounts.inner(), query).await;
    listed.expect("the outbox is in memory")
}

async fn told_about(world: &World, user: UserId) -> Vec<(String, Actor)> {
    let query = JournalQuery {
        user: Some(user),
        limit: 100,
        ..JournalQuery::default()
    };
    let page = world.admin.read_journal.page(query).await;
    let entries = page.expect("the journal is in memory").entries;
    let told = entries.into_iter().rev();
    told.map(|entry| (entry.event, entry.actor)).collect()
}

async fn recover(world: &World, id: ProofId, evidence: Evidence) -> Result<Begun, RecoverError> {
    let request = RecoverRequest {
        proof: ShownProof {
            id,
            evidence,
            // A browser that nobody knows.
            asker: ShownAsker::default(),
        },
        password: World::password(NEW),
        device_name: None,
        client: ClientInfo::default(),
    };
    world
        .recover
        .execute(ProofPurpose::ResetPassword, request)
        .await
}

async fn signs_in(world: &World, name: &str, password: &str) -> bool {
    let request = SignInRequest {
        password: World::password(password),
        ..World::request(name)
    };
    world.sign_in.execute(request).await.is_ok()
}

#[tokio::test]
async fn an_account_is_created_as_it_is_asked_for_and_the_key_is_named() {
    let world = World::new();
    let ann = create(&world, with_password("ann"), None)
        .await
        .expect("a fresh address");
    assert!(ann.roles.contains(&Role::parse("editor").expect("a role")));
    assert!(signs_in(&world, "ann", "ann's password").await);
    let told = told_about(&world, ann.id).await;
    assert_eq!(told[0], ("account.created".to_owned(), KEY));
    let manage = &world.admin.manage_accounts;
    manage.disable(ann.id, KEY).await.expect("it works");
    manage.enable(ann.id, KEY).await.expect("it works");
    manage.sign_out(ann.id, KEY).await.expect("it works");
    let told = told_about(&world, ann.id).await;
    let by_key = told.iter().filter(|(_, actor)| *actor == KEY).count();
    assert_eq!(by_key, 5, "{told:?}");
}

#[tokio::test]
async fn whoever_is_invited_chooses_the_first_password_in_any_browser() {
    let world = World::with_mail(AccountPolicy::default());
    let ann = create(&world, request("ann", FirstAccess::Invitation), None)
        .await
        .expect("a fresh address");
    let told = told_about(&world, ann.id).await;
    let names: Vec<_> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["account.created", "account.invited"]);
    let waiting = mails(&world).await;
    let [delivery] = &waiting[..] else {
        panic!("one mail: {waiting:?}")
    };
    assert_eq!(delivery.mail.kind, MailKind::Invitation);
    assert_eq!(delivery.mail.expires_at.since(delivery.created_at), 3 * DAY);
    let proof = delivery.mail.proof.expect("a proof");
    let secret = world.proof_secrets.secret(proof, 1);
    let begun = recover(&world, proof, Evidence::Secret(secret.clone()))
        .await
        .expect("its link counts anywhere");
    let user = world.me.execute(&begun.tokens.id_token).await;
    assert!(user.expect("it is hers").email_verified_at.is_some());
    assert!(signs_in(&world, "ann", NEW).await);
    let mails = mails(&world).await;
    let of_reset = mails
        .iter()
        .filter(|told| told.mail.kind == MailKind::PasswordReset);
    assert_eq!(of_reset.count(), 0, "nor is she told of it");
    let again = recover(&world, proof, Evidence::Secret(secret)).await;
    assert!(
        matches!(again, Err(RecoverError::Proof(ProofRefused::Gone))),
        "once"
    );
}

#[tokio::test]
async fn an_invitation_counts_by_its_code_too_and_ends() {
    let world = World::with_mail(AccountPolicy::default());
    for (name, waits, counts) in [
        ("ann", secs(3 * DAY.as_secs() - 1), true),
        ("bob", 3 * DAY, false),
    ] {
        create(&world, request(name, FirstAccess::Invitation), None)
            .await
            .expect("a fresh address");
        let newest = mails(&world).await;
        let newest = newest
            .iter()
            .find(|delivery| delivery.mail.to == World::request(name).email);
        let proof = newest.expect("a mail").mail.proof.expect("a proof");
        world.advance(waits);
        let code = world.proof_secrets.code(proof, 1);
        let outcome = recover(&world, proof, Evidence::Code(code)).await;
        assert_eq!(outcome.is_ok(), counts, "{name}");
    }
}

#[tokio::test]
async fn nobody_is_invited_where_no_mail_is_sent() {
    let world = World::new();
    let refused = create(&world, request("ann", FirstAccess::Invitation), None).await;
    assert!(
        matches!(
            refused,
            Err(CreateAccountError::Refused(
                AddAccountError::MailNotConfigured
            ))
        ),
        "got {refused:?}"
    );
}

/// Proof and secret of a link.
fn parts(url: &SecretString) -> (ProofId, SecretString) {
    let url = url.expose_secret();
    let query = url.strip_prefix("https://app.example.org/reset?proof=");
    let (proof, secret) = query
        .and_then(|query| query.split_once("&secret="))
        .expect("the template is filled in");
    (proof.parse().expect("an id"), secret.into())
}

#[tokio::test]
async fn a_recovery_link_sets_a_password_once_and_is_written_down() {
    let world = World::with_mail(AccountPolicy::default());
    let ann = world.signed_up("ann").await;
    let links = &world.admin.recovery_links;
    let former = links.issue(ann.user, KEY).await.expect("she is there");
    let link = links.issue(ann.user, KEY).await.expect("she is there");
    let told = told_about(&world, ann.user).await;
    let issued = ("recovery_link.issued".to_owned(), KEY);
    assert_eq!(told.iter().filter(|one| **one == issued).count(), 2);
    assert!(mails(&world).await.is_empty(), "nothing is sent");
    let (proof, secret) = parts(&former.url);
    let outcome = recover(&world, proof, Evidence::Secret(secret)).await;
    assert!(
        matches!(outcome, Err(RecoverError::Proof(ProofRefused::Gone))),
        "the newer one voids it"
    );
    let (proof, secret) = parts(&link.url);
    let begun = recover(&world, proof, Evidence::Secret(secret.clone()))
        .await
        .expect("it counts anywhere");
    let user = world.me.execute(&begun.tokens.id_token).await;
    assert_eq!(
        user.expect("it is hers").email_verified_at,
        None,
        "nobody has read the mailbox"
    );
    assert!(signs_in(&world, "ann", NEW).await);
    let notices = mails(&world).await;
    assert_eq!(notices[0].mail.kind, MailKind::PasswordReset, "she is told");
    let again = recover(&world, proof, Evidence::Secret(secret)).await;
    assert!(matches!(
        again,
        Err(RecoverError::Proof(ProofRefused::Gone))
    ));
}

#[tokio::test]
async fn there_is_no_link_for_nobody_and_for_a_disabled_account() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let links = &world.admin.recovery_links;
    let nobody = links.issue(UserId::from_random([9; 16]), KEY).await;
    assert!(matches!(nobody, Err(RecoveryLinkError::NotFound)));
    let link = links.issue(ann.user, KEY).await.expect("she is there");
    let manage = &world.admin.manage_accounts;
    manage.disable(ann.user, KEY).await.expect("it works");
    let disabled = links.issue(ann.user, KEY).await;
    assert!(matches!(disabled, Err(RecoveryLinkError::Disabled)));
    let (proof, secret) = parts(&link.url);
    let outcome = recover(&world, proof, Evidence::Secret(secret)).await;
    assert!(
        matches!(outcome, Err(RecoverError::Proof(ProofRefused::Gone))),
        "nor does an earlier one count"
    );
}

#[tokio::test]
async fn accounts_are_searched_in_pages() {
    let world = World::new();
    for name in ["ann", "anna", "bob", "carl", "dora"] {
        create(&world, with_password(name), None)
            .await
            .expect("a fresh address");
    }
    let manage = &world.admin.manage_accounts;
    let mut query = AccountQuery {
        limit: 2,
        ..AccountQuery::default()
    };
    let mut pages = Vec::new();
    loop {
        let page = manage.search(None, query.clone()).await.expect("it works");
        pages.push(page.accounts.len());
        let Some(next) = page.next else { break };
        query.after = Some(next);
    }
    assert_eq!(pages, [2, 2, 1]);
    let exact = EmailAddress::parse("ANN@example.org").expect("an address");
    let all = AccountQuery {
        limit: 10,
        ..AccountQuery::default()
    };
    let found = manage.search(Some(&exact), all.clone()).await;
    let found = found.expect("it works");
    assert_eq!((found.accounts.len(), found.next), (1, None));
    let disabled = AccountQuery {
        disabled: Some(true),
        ..all
    };
    let found = manage.search(Some(&exact), disabled).await;
    assert!(found.expect("it works").accounts.is_empty());
}

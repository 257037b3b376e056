//! Sign-ups that prove their mailbox, at once or later.

use super::{refusal, secs};
use revolve_domain::{
    deliveries::DeliveryQuery,
    journal::MailKind,
    limits::LimitName,
    model::{ClientInfo, DetailsChange, EmailAddress, Label, Locale, ProofId, ProofPurpose},
    policy::{AccountPolicy, Verification},
    ports::{Clock, Deliveries, MailProofs, ProofSecrets, Proofs},
    use_cases::{
        ChangePasswordRequest, ConfirmEmailError, ConfirmEmailRequest, ConfirmSignUpError,
        ConfirmSignUpRequest, DerivedProofs, DisownEmailError, Evidence, ProofRefused,
        RecoverRequest, RecoveryRequest, Refusal, Refused, RequestVerificationError,
        RequestedProof, ShownAsker, ShownProof, SignInError, SignInRequest, SignUpError, SignedUp,
        UpdateDetailsError, UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use secrecy::SecretString;

pub(super) fn world(verification: Verification) -> World {
    World::with_mail(AccountPolicy {
        verification,
        ..AccountPolicy::default()
    })
}

pub(super) fn shown(proof: &RequestedProof, evidence: Evidence) -> ShownProof {
    ShownProof {
        id: proof.id,
        evidence,
        asker: ShownAsker {
            cookie: proof.cookie.clone(),
            device_credentials: Vec::new(),
        },
    }
}

pub(super) fn code(world: &World, proof: &RequestedProof, serial: u32) -> Evidence {
    Evidence::Code(world.proof_secrets.code(proof.id, serial))
}

async fn asked(world: &World, client: &TestClient<'_>) -> RequestedProof {
    let asked = world
        .request_verification
        .execute(&client.caller(), &ShownAsker::default(), None)
        .await;
    asked.expect("the address is not verified")
}

async fn confirm(world: &World, proof: ShownProof) -> Result<(), ConfirmEmailError> {
    let request = ConfirmEmailRequest {
        proof,
        caller: None,
        password: None,
        client: ClientInfo::default(),
    };
    world.confirm_email.execute(&request).await
}

/// In a session of the account.
pub(super) async fn confirm_in(
    world: &World,
    client: &TestClient<'_>,
    proof: ShownProof,
) -> Result<(), ConfirmEmailError> {
    let request = ConfirmEmailRequest {
        proof,
        caller: Some(client.caller()),
        password: None,
        client: ClientInfo::default(),
    };
    world.confirm_email.execute(&request).await
}

/// Verifies the address that the account has.
pub(super) async fn verify(world: &World, client: &TestClient<'_>) {
    let proof = asked(world, client).await;
    confirm(world, shown(&proof, code(world, &proof, 1)))
        .await
        .expect("it is the browser that asked");
}

async fn is_verified(world: &World, token: &SecretString) -> bool {
    let user = world.me.execute(token).await.expect("the session lives");
    user.email_verified_at.is_some()
}

#[tokio::test]
async fn an_address_is_verified_where_the_mail_was_asked_for() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    assert!(!is_verified(&world, &ann.id_token).await, "it can be used");
    let proof = asked(&world, &ann).await;
    world.events.take();
    confirm(&world, shown(&proof, code(&world, &proof, 1)))
        .await
        .expect("it is the browser that asked");
    assert_eq!(world.events.take_names(), ["email.verified"]);
    assert!(is_verified(&world, &ann.id_token).await);
    let again = confirm(&world, shown(&proof, code(&world, &proof, 1))).await;
    assert!(matches!(
        again,
        Err(ConfirmEmailError::Proof(ProofRefused::Gone))
    ));
    let more = world
        .request_verification
        .execute(&ann.caller(), &ShownAsker::default(), None)
        .await;
    assert!(matches!(
        more,
        Err(RequestVerificationError::AlreadyVerified)
    ));
}

/// Whoever reads a mailbox does not lend it to an account that a stranger made for its address.
#[tokio::test]
async fn a_mailbox_verifies_no_account_of_a_stranger() {
    let world = world(Verification::Optional);
    let stranger = world.signed_up("ann").await;
    let proof = asked(&world, &stranger).await;
    for evidence in [
        code(&world, &proof, 1),
        Evidence::Secret(world.proof_secrets.secret(proof.id, 1)),
    ] {
        let elsewhere = ShownProof {
            asker: ShownAsker::default(),
            ..shown(&proof, evidence)
        };
        assert!(matches!(
            confirm(&world, elsewhere).await,
            Err(ConfirmEmailError::SessionRequired)
        ));
    }
    let reader = world.signed_up("reader").await;
    let request = ConfirmEmailRequest {
        proof: ShownProof {
            asker: ShownAsker::default(),
            ..shown(&proof, code(&world, &proof, 1))
        },
        caller: Some(reader.caller()),
        password: None,
        client: ClientInfo::default(),
    };
    assert!(matches!(
        world.confirm_email.execute(&request).await,
        Err(ConfirmEmailError::SessionRequired)
    ));
    let found = Proofs::find(&*world.accounts, proof.id, world.clock.now()).await;
    let left = found.expect("find works").map(|proof| proof.attempts_left);
    assert_eq!(left, Some(5), "nobody else uses up an attempt");
    let own = ConfirmEmailRequest {
        caller: Some(stranger.caller()),
        ..request
    };
    world
        .confirm_email
        .execute(&own)
        .await
        .expect("a session of the account counts");
}

/// The account's password says as much as a session of it.
#[tokio::test]
async fn another_client_verifies_by_code_and_password() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    let proof = asked(&world, &ann).await;
    let elsewhere = |evidence, password: &str| ConfirmEmailRequest {
        proof: ShownProof {
            asker: ShownAsker::default(),
            ..shown(&proof, evidence)
        },
        caller: None,
        password: Some(World::password(password)),
        client: ClientInfo::default(),
    };
    let link = Evidence::Secret(world.proof_secrets.secret(proof.id, 1));
    let robot = elsewhere(link, "ann's password");
    assert!(matches!(
        world.confirm_email.execute(&robot).await,
        Err(ConfirmEmailError::Proof(ProofRefused::CodeRequired))
    ));
    let stranger = elsewhere(code(&world, &proof, 1), "stranger's password");
    assert!(matches!(
        world.confirm_email.execute(&stranger).await,
        Err(ConfirmEmailError::WrongPassword)
    ));
    let left = async || {
        let found = Proofs::find(&*world.accounts, proof.id, world.clock.now()).await;
        found.expect("find works").map(|proof| proof.attempts_left)
    };
    assert_eq!(left().await, Some(4), "a wrong password is an attempt");
    let guess = SignInRequest {
        password: World::password("wrong"),
        ..World::request("ann")
    };
    while !matches!(
        world.sign_in.execute(guess.clone()).await,
        Err(SignInError::Limited(_))
    ) {}
    let own = elsewhere(code(&world, &proof, 1), "ann's password");
    assert!(
        matches!(
            world.confirm_email.execute(&own).await,
            Err(ConfirmEmailError::Refused(Refused::Limited(_)))
        ),
        "it counts like the password of a sign-in"
    );
    assert_eq!(left().await, Some(4), "it was not looked at");
    world.advance(secs(24 * 3600 - 1));
    world
        .confirm_email
        .execute(&own)
        .await
        .expect("she knows the password and reads the mailbox");
    let again = world.signed_in("ann").await;
    assert!(is_verified(&world, &again.id_token).await);
}

/// "This was not me."
#[tokio::test]
async fn who_reads_the_mailbox_can_take_it_from_an_unverified_account() {
    let world = world(Verification::Optional);
    let mut stranger = world.signed_up("ann").await;
    let proof = asked(&world, &stranger).await;
    let elsewhere = |evidence| ShownProof {
        asker: ShownAsker::default(),
        ..shown(&proof, evidence)
    };
    let client = ClientInfo::default();
    let link = elsewhere(Evidence::Secret(world.proof_secrets.secret(proof.id, 1)));
    let robot = world.disown_email.execute(&link, &client).await;
    assert!(matches!(
        robot,
        Err(DisownEmailError::Proof(ProofRefused::CodeRequired))
    ));
    let typed = elsewhere(code(&world, &proof, 1));
    world
        .disown_email
        .execute(&typed, &client)
        .await
        .expect("she reads the mailbox");
    assert_eq!(refusal(stranger.refresh().await), Refusal::SessionRevoked);
    world.signed_up("ann").await;
}

#[tokio::test]
async fn a_sign_up_asks_for_its_verification() {
    let world = world(Verification::Optional);
    world.signed_up("ann").await;
    assert_eq!(
        world.events.take_names(),
        ["account.created", "verification.requested"]
    );
    world.accounts.fail_on("open_proof", Fault::Before);
    let bob = world.signed_up("bob").await;
    world.accounts.recover();
    asked(&world, &bob).await;
}

#[tokio::test]
async fn the_mail_of_a_sign_up_counts_and_is_left_out_where_too_many_were_sent() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    for _ in 0..4 {
        asked(&world, &ann).await;
    }
    let more = world
        .request_verification
        .execute(&ann.caller(), &ShownAsker::default(), None)
        .await;
    assert!(
        matches!(
            more,
            Err(RequestVerificationError::Refused(Refused::Limited(_)))
        ),
        "five mails an hour, that of the sign-up included"
    );
    world
        .manage_accounts
        .delete(ann.user)
        .await
        .expect("the stores are up");
    let again = world.sign_up.execute(World::request("ann")).await;
    assert!(
        matches!(again, Ok(SignedUp::Begun(_, None))),
        "an account without a mail, got {again:?}"
    );
}

#[tokio::test]
async fn without_mail_nothing_is_asked_for() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let asked = world
        .request_verification
        .execute(&ann.caller(), &ShownAsker::default(), None)
        .await;
    assert!(matches!(
        asked,
        Err(RequestVerificationError::MailNotConfigured)
    ));
    assert_eq!(world.events.take_names(), ["account.created"]);
}

pub(super) async fn sign_up(world: &World, name: &str, password: &str) -> RequestedProof {
    let request = SignInRequest {
        password: World::password(password),
        locale: Some("de".parse().expect("a language tag")),
        ..World::request(name)
    };
    match world.sign_up.execute(request).await {
        Ok(SignedUp::Asked(proof)) => proof,
        other => panic!("expected a proof to be asked for, got {other:?}"),
    }
}

fn proved(world: &World, proof: &RequestedProof) -> ConfirmSignUpRequest {
    ConfirmSignUpRequest {
        proof: shown(proof, code(world, proof, 1)),
        password: None,
        device_name: None,
        client: World::request("ann").client,
    }
}

/// On another client than the one that signed up.
fn proved_elsewhere(
    world: &World,
    proof: &RequestedProof,
    password: Option<&str>,
) -> ConfirmSignUpRequest {
    let mut request = proved(world, proof);
    request.proof.asker = ShownAsker::default();
    request.password = password.map(World::password);
    request
}

/// A stranger signs up with ann's address, and ann types the code of the mail that she gets.
#[tokio::test]
async fn another_client_needs_the_password_of_the_sign_up() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "stranger's password").await;
    for _ in 0..7 {
        let elsewhere = proved_elsewhere(&world, &proof, None);
        assert!(matches!(
            world.confirm_sign_up.execute(elsewhere).await,
            Err(ConfirmSignUpError::PasswordRequired)
        ));
    }
    for _ in 0..5 {
        let elsewhere = proved_elsewhere(&world, &proof, Some("ann's password"));
        assert!(matches!(
            world.confirm_sign_up.execute(elsewhere).await,
            Err(ConfirmSignUpError::WrongPassword)
        ));
    }
    let elsewhere = proved_elsewhere(&world, &proof, Some("stranger's password"));
    assert!(
        matches!(
            world.confirm_sign_up.execute(elsewhere).await,
            Err(ConfirmSignUpError::Proof(ProofRefused::Gone))
        ),
        "each of these was an attempt"
    );

    let own = sign_up(&world, "bob", "bob's password").await;
    let elsewhere = proved_elsewhere(&world, &own, Some("bob's password"));
    let begun = world.confirm_sign_up.execute(elsewhere).await;
    begun.expect("he knows what he signed up with");
    world.signed_in("bob").await;
}

#[tokio::test]
async fn there_is_no_account_before_its_mailbox_is_proved() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    assert_eq!(proof.expires_in, secs(24 * 3600));
    assert!(world.try_sign_in("ann").await.is_err());
    let begun = world.confirm_sign_up.execute(proved(&world, &proof)).await;
    let mut ann = world.client(begun.expect("the code is right"));
    ann.refresh().await.expect("the session lives");
    let user = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert!(user.email_verified_at.is_some());
    assert_eq!(user.details.locale.as_ref().map(Locale::as_str), Some("de"));
    world.signed_in("ann").await;
}

#[tokio::test]
async fn a_client_that_keeps_no_tokens_gets_an_account_and_no_session() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    let device = world
        .confirm_sign_up
        .without_session(proved(&world, &proof))
        .await
        .expect("the code is right");
    let request = SignInRequest {
        device_credentials: vec![device.credential],
        ..World::request("ann")
    };
    let begun = world.sign_in.execute(request).await;
    let begun = begun.expect("the password is hers");
    assert_eq!(begun.device.id, device.id, "the device is known");
    let mut ann = world.client(begun);
    ann.shows_credential = true;
    assert_eq!(world.tokens.inner().size(ann.user), 1, "that session alone");
    let sessions = world.list_sessions.execute(&ann.caller()).await;
    assert_eq!(sessions.expect("the session lives").len(), 1);
}

/// A stranger's sign-up does not seed a password for an address that is not theirs.
#[tokio::test]
async fn the_sign_up_that_is_proved_is_the_account() {
    let world = world(Verification::Required);
    let stranger = sign_up(&world, "ann", "stranger's password").await;
    let own = sign_up(&world, "ann", "ann's password").await;
    world
        .confirm_sign_up
        .execute(proved(&world, &own))
        .await
        .expect("the code is right");
    let late = world
        .confirm_sign_up
        .execute(proved(&world, &stranger))
        .await;
    assert!(matches!(
        late,
        Err(ConfirmSignUpError::Proof(ProofRefused::Gone))
    ));
    world.signed_in("ann").await;
}

#[tokio::test]
async fn a_sign_up_does_not_tell_whether_an_address_is_taken() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    let begun = world.confirm_sign_up.execute(proved(&world, &proof)).await;
    begun.expect("the code is right");
    let hashes = world.hasher.calls();
    let taken = sign_up(&world, "ann", "stranger's password").await;
    let free = sign_up(&world, "bob", "bob's password").await;
    assert_eq!(world.hasher.calls(), hashes + 2, "one hash each");
    assert_eq!(taken.expires_in, free.expires_in);
    assert_eq!(taken.cookie.is_some(), free.cookie.is_some());
    // Not even with the code, which nobody was sent.
    let guessed = world.confirm_sign_up.execute(proved(&world, &taken)).await;
    assert!(matches!(guessed, Err(ConfirmSignUpError::EmailTaken)));
    world.signed_in("ann").await;
}

#[tokio::test]
async fn a_sign_up_that_has_to_be_proved_is_judged_like_any_other() {
    let world = world(Verification::Required);
    let weak = SignInRequest {
        password: World::password("password"),
        ..World::request("ann")
    };
    assert!(matches!(
        world.sign_up.execute(weak).await,
        Err(SignUpError::WeakPassword(_))
    ));
    for _ in 0..5 {
        sign_up(&world, "bob", "bob's password").await;
    }
    let hashes = world.hasher.calls();
    let more = world.sign_up.execute(World::request("bob")).await;
    let Err(SignUpError::Limited(limited)) = more else {
        panic!("five mails an hour, got {more:?}");
    };
    assert_eq!(limited.limit, LimitName::ProofsPerAccount);
    assert_eq!(
        world.hasher.calls(),
        hashes,
        "what is refused costs no hash"
    );
}

#[tokio::test]
async fn nothing_is_left_of_sign_ups_that_were_not_proved() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    world.advance(secs(24 * 3600));
    let late = world.confirm_sign_up.execute(proved(&world, &proof)).await;
    assert!(matches!(
        late,
        Err(ConfirmSignUpError::Proof(ProofRefused::Gone))
    ));
    world.advance(secs(24 * 3600 + 1));
    assert_eq!(world.prune.execute().await.expect("the stores are up"), 1);
    assert_eq!(world.prune.execute().await.expect("the stores are up"), 0);
}

#[tokio::test]
async fn a_sign_up_outlives_a_store_that_fails() {
    let world = world(Verification::Required);
    let proof = sign_up(&world, "ann", "ann's password").await;
    for fault in [Fault::Before, Fault::After] {
        world.accounts.fail_on("prove_sign_up", fault);
        let failed = world.confirm_sign_up.execute(proved(&world, &proof)).await;
        assert!(matches!(failed, Err(ConfirmSignUpError::Failed(_))));
        world.accounts.recover();
    }
    // The answer of the second one was lost.
    world.signed_in("ann").await;
    let purpose = ProofPurpose::SignUp;
    let gone = world
        .accounts
        .attempt(proof.id, purpose, world.clock.now())
        .await;
    assert!(gone.expect("attempt works").is_none());
}

fn to_email(address: &str) -> UpdateDetailsRequest {
    UpdateDetailsRequest {
        change: DetailsChange {
            email: Some(EmailAddress::parse(address).expect("an address")),
            name: Some(Label::lossy("Ann")),
            ..DetailsChange::default()
        },
        current_password: Some(World::password("ann's password")),
        ..UpdateDetailsRequest::default()
    }
}

/// Asks for a change of ann's address.
pub(super) async fn change(world: &World, ann: &TestClient<'_>, address: &str) -> RequestedProof {
    let updated = world
        .update_details
        .execute(&ann.caller(), to_email(address))
        .await
        .expect("the password is hers");
    assert_eq!(updated.user.email.as_str(), "ann@example.org", "not yet");
    assert!(updated.user.details.name.is_some(), "the rest is changed");
    updated.proof.expect("the new address has to be proved")
}

/// The mails to an address that wait, by their kind, with the proofs that they name.
pub(super) async fn mails(world: &World, to: &str) -> Vec<(MailKind, Option<ProofId>)> {
    let query = DeliveryQuery {
        state: None,
        limit: 100,
    };
    let waiting = Deliveries::list(world.accounts.inner(), query).await;
    let waiting = waiting.expect("the store is up").into_iter();
    let to = waiting.filter(|delivery| delivery.mail.to.as_str() == to);
    to.map(|delivery| (delivery.mail.kind, delivery.mail.proof))
        .collect()
}

#[tokio::test]
async fn an_address_changes_once_the_new_one_is_proved() {
    let world = world(Verification::Off);
    let mut ann = world.signed_up("ann").await;
    let proof = change(&world, &ann, "ann@example.net").await;
    assert_eq!(proof.expires_in, secs(3600));
    assert_eq!(
        mails(&world, "ann@example.net").await,
        [(MailKind::ChangeEmail, Some(proof.id))]
    );
    world.events.take();
    confirm_in(&world, &ann, shown(&proof, code(&world, &proof, 1)))
        .await
        .expect("the code is right");
    assert_eq!(world.events.take_names(), ["email.changed"]);
    let user = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert_eq!(user.email.as_str(), "ann@example.net");
    assert!(user.email_verified_at.is_some());
    ann.refresh().await.expect("sessions go on");
}

#[tokio::test]
async fn an_address_changes_by_the_password_where_there_is_no_session() {
    let world = world(Verification::Off);
    let ann = world.signed_up("ann").await;
    let proof = change(&world, &ann, "ann@example.net").await;
    let request = |password: Option<&str>| ConfirmEmailRequest {
        proof: shown(&proof, code(&world, &proof, 1)),
        caller: None,
        password: password.map(World::password),
        client: ClientInfo::default(),
    };
    assert!(matches!(
        world.confirm_email.execute(&request(None)).await,
        Err(ConfirmEmailError::SessionRequired)
    ));
    let own = request(Some("ann's password"));
    world
        .confirm_email
        .execute(&own)
        .await
        .expect("the password is hers");
    let user = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert_eq!(user.email.as_str(), "ann@example.net");
}

#[tokio::test]
async fn the_old_address_undoes_a_change_whatever_the_thief_does() {
    let world = world(Verification::Off);
    let thief = world.signed_up("ann").await;
    verify(&world, &thief).await;
    let first = change(&world, &thief, "thief@example.net").await;
    confirm_in(&world, &thief, shown(&first, code(&world, &first, 1)))
        .await
        .expect("the thief reads that mailbox");
    let told = mails(&world, "ann@example.org").await;
    let notice = told
        .iter()
        .find(|(kind, _)| *kind == MailKind::EmailChanged);
    let Some(&(_, Some(undo))) = notice else {
        panic!("the old address is told, got {told:?}");
    };
    // The thief goes on: a recovery by the new mailbox.
    let recovery = RecoveryRequest {
        email: EmailAddress::parse("thief@example.net").expect("an address"),
        locale: None,
        asker: ShownAsker::default(),
        client: ClientInfo::default(),
    };
    let asked = world.request_recovery.execute(recovery).await;
    let asked = asked.expect("anybody may ask");
    let by = |id, serial| RecoverRequest {
        proof: ShownProof {
            id,
            evidence: Evidence::Code(world.proof_secrets.code(id, serial)),
            asker: ShownAsker::default(),
        },
        password: World::password("a password of its own"),
        device_name: None,
        client: ClientInfo::default(),
    };
    let reset = world
        .recover
        .execute(ProofPurpose::ResetPassword, by(asked.id, 1));
    let mut again = world.client(reset.await.expect("the thief reads that mailbox"));
    again.refresh().await.expect("the thief is in");
    // As a recovery it does not count.
    let other = world
        .recover
        .execute(ProofPurpose::ResetPassword, by(undo, 1));
    assert!(other.await.is_err());
    let undone = world.recover.execute(ProofPurpose::UndoEmail, by(undo, 1));
    let owner = world.client(undone.await.expect("ann reads the old mailbox"));
    let user = world.me.execute(&owner.id_token).await.expect("it is hers");
    assert_eq!(user.email.as_str(), "ann@example.org");
    assert_eq!(
        refusal(again.refresh().await),
        Refusal::SessionRevoked,
        "the thief is out"
    );
}

/// It may be a stranger's: who mistyped an address at the sign-up and corrects it must not hand over the account.
#[tokio::test]
async fn an_old_address_that_was_never_verified_is_told_without_an_undo() {
    let world = world(Verification::Off);
    let ann = world.signed_up("ann").await;
    let proof = change(&world, &ann, "ann@example.net").await;
    confirm_in(&world, &ann, shown(&proof, code(&world, &proof, 1)))
        .await
        .expect("the code is right");
    assert_eq!(
        mails(&world, "ann@example.org").await,
        [(MailKind::EmailChanged, None)]
    );
}

#[tokio::test]
async fn the_old_address_is_told_as_long_as_it_can_undo_the_change() {
    let world = world(Verification::Off);
    let ann = world.signed_up("ann").await;
    verify(&world, &ann).await;
    let proof = change(&world, &ann, "ann@example.net").await;
    confirm_in(&world, &ann, shown(&proof, code(&world, &proof, 1)))
        .await
        .expect("the code is right");
    let query = DeliveryQuery {
        state: None,
        limit: 100,
    };
    let waiting = Deliveries::list(world.accounts.inner(), query).await;
    let notice = waiting
        .expect("the store is up")
        .into_iter()
        .find(|delivery| delivery.mail.kind == MailKind::EmailChanged);
    let expires_at = notice.expect("the old address is told").mail.expires_at;
    assert_eq!(expires_at.since(world.clock.now()), secs(3 * 24 * 3600));
}

/// The asker's browser is not enough: a thief whose session was ended has it still.
#[tokio::test]
async fn a_change_of_address_ends_with_its_session() {
    let world = world(Verification::Off);
    let thief = world.signed_up("ann").await;
    let proof = change(&world, &thief, "thief@example.net").await;
    world
        .sign_out
        .execute(
            &thief.caller(),
            revolve_domain::use_cases::SignOutScope::This,
        )
        .await
        .expect("the session lives");
    let alone = confirm(&world, shown(&proof, code(&world, &proof, 1))).await;
    assert!(matches!(alone, Err(ConfirmEmailError::SessionRequired)));
    let ended = confirm_in(&world, &thief, shown(&proof, code(&world, &proof, 1))).await;
    assert!(matches!(ended, Err(ConfirmEmailError::Refused(_))));
    let owner = world.signed_in("ann").await;
    let user = world.me.execute(&owner.id_token).await.expect("it is hers");
    assert_eq!(user.email.as_str(), "ann@example.org");
}

#[tokio::test]
async fn a_code_is_mailed_to_no_other_address_than_it_proves() {
    let world = world(Verification::Off);
    let ann = world.signed_up("ann").await;
    let proof = change(&world, &ann, "ann@example.net").await;
    let mailed = DerivedProofs::new(
        world.accounts.clone(),
        world.proof_secrets.clone(),
        world.clock.clone(),
    );
    for (to, is_mailed) in [("ANN@example.net", true), ("ann@example.org", false)] {
        let to = EmailAddress::parse(to).expect("an address");
        let found = mailed.open(proof.id, &to).await;
        assert_eq!(found.expect("the store is up").is_some(), is_mailed);
    }
}

#[tokio::test]
async fn a_change_of_address_is_asked_for_before_anything_changes() {
    let world = world(Verification::Off);
    let ann = world.signed_up("ann").await;
    world.accounts.fail_on("open_proof", Fault::Before);
    for _ in 0..7 {
        let failed = world
            .update_details
            .execute(&ann.caller(), to_email("ann@example.net"))
            .await;
        assert!(matches!(
            failed,
            Err(UpdateDetailsError::Refused(Refused::Failed(_)))
        ));
    }
    world.accounts.recover();
    let user = world.me.execute(&ann.id_token).await.expect("it is hers");
    assert!(user.details.name.is_none(), "nothing is half-made");
    // Nor is any of the budget lost: of the new address, and of the account.
    for number in 0..5 {
        let address = format!("ann{number}@example.net");
        change(&world, &ann, &address).await;
    }
    let more = world
        .update_details
        .execute(&ann.caller(), to_email("ann@example.net"))
        .await;
    assert!(
        matches!(more, Err(UpdateDetailsError::Refused(Refused::Limited(_)))),
        "five an hour for an account, whatever the address"
    );
}

#[tokio::test]
async fn a_taken_address_is_told_to_who_reads_it_only() {
    let world = world(Verification::Off);
    let ann = world.signed_up("ann").await;
    let bob = world.signed_up("bob").await;
    let proof = change(&world, &ann, "bob@example.org").await;
    let taken = confirm_in(&world, &ann, shown(&proof, code(&world, &proof, 1))).await;
    assert!(matches!(taken, Err(ConfirmEmailError::EmailTaken)));
    let user = world.me.execute(&bob.id_token).await.expect("it is his");
    assert_eq!(user.email.as_str(), "bob@example.org");
}

#[tokio::test]
async fn a_proof_of_another_session_is_refused_with_its_token() {
    let world = world(Verification::Optional);
    let ann = world.signed_up("ann").await;
    let proof = asked(&world, &ann).await;
    world
        .sign_out
        .execute(&ann.caller(), revolve_domain::use_cases::SignOutScope::This)
        .await
        .expect("she may");
    let request = ConfirmEmailRequest {
        proof: ShownProof {
            asker: ShownAsker::default(),
            ..shown(&proof, code(&world, &proof, 1))
        },
        caller: Some(ann.caller()),
        password: None,
        client: ClientInfo::default(),
    };
    let Err(ConfirmEmailError::Refused(refused)) = world.confirm_email.execute(&request).await
    else {
        panic!("the session is over");
    };
    assert_eq!(refusal::<()>(Err(refused)), Refusal::SessionRevoked);
}

#[tokio::test]
async fn the_owner_is_told_of_what_a_thief_would_do() {
    let world = world(Verification::Off);
    let ann = world.signed_up("ann").await;
    let kinds = async || -> Vec<_> {
        let told = mails(&world, "ann@example.org").await.into_iter();
        told.map(|(kind, _)| kind).collect()
    };
    assert_eq!(kinds().await, [], "not of a sign-up");
    let elsewhere = world.signed_in("ann").await;
    assert_eq!(kinds().await, [MailKind::NewDevice]);
    elsewhere
        .sign_in_again("ann")
        .await
        .expect("the password is hers");
    assert_eq!(kinds().await, [MailKind::NewDevice], "the device is known");
    let change = ChangePasswordRequest {
        current: Some(World::password("ann's password")),
        new: World::password("another password"),
    };
    world
        .change_password
        .execute(&ann.caller(), change)
        .await
        .expect("the password is hers");
    assert!(kinds().await.contains(&MailKind::PasswordChanged));
    world
        .manage_accounts
        .disable(ann.user)
        .await
        .expect("the stores are up");
    assert!(kinds().await.contains(&MailKind::AccountDisabled));
    world
        .manage_accounts
        .delete(ann.user)
        .await
        .expect("the stores are up");
    assert!(kinds().await.contains(&MailKind::AccountDeleted));
}

#[tokio::test]
async fn a_service_without_mail_leaves_none_in_the_outbox() {
    let world = World::new();
    world.signed_up("ann").await;
    world.signed_in("ann").await;
    assert_eq!(mails(&world, "ann@example.org").await, []);
}

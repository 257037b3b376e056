//! A new address counts once its mailbox is proved, and the old one can undo it.

use super::{
    notices::mails,
    refusal, secs,
    verification::{code, confirm, confirm_in, shown, verify, world},
};
use revolve_domain::{
    deliveries::DeliveryQuery,
    journal::MailKind,
    model::{ClientInfo, DetailsChange, EmailAddress, Label, ProofPurpose},
    policy::Verification,
    ports::{Clock, Deliveries, MailProofs, ProofSecrets},
    use_cases::{
        ConfirmEmailError, ConfirmEmailRequest, DerivedProofs, Evidence, RecoverRequest,
        RecoveryRequest, Refusal, Refused, RequestedProof, ShownAsker, ShownProof,
        UpdateDetailsError, UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, memory::Fault, world::TestClient};

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
    world.events.take_names();
    let undone = world.recover.execute(ProofPurpose::UndoEmail, by(undo, 1));
    let owner = world.client(undone.await.expect("ann reads the old mailbox"));
    assert_eq!(
        world.events.take_names(),
        [
            "email.changed",
            "account.recovered",
            "sessions.ended",
            "session.begun"
        ]
    );
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

//! What operators ask for: invitations, and links that they hand out.

use super::{Proving, recovery, told_of};
use crate::{
    contract::{
        ProofsSubject,
        accounts::at,
        given::{event_id, hash, proof_id, random, user},
    },
    untold::untold,
};
use revolve_domain::{
    journal::{Actor, MailFacts, MailKind, NewMail, SecurityEvent, Tell, Told},
    model::{Credentials, DeliveryId, Proof, ProofPurpose, User},
    ports::{AddOutcome, Invitation, JournalQuery, RecoveryOutcome},
};

fn invitation(user: User) -> Invitation {
    let account = Credentials {
        user,
        hash: hash("nobody knows"),
        known_device: None,
    };
    let proof = Proof::by_operator(proof_id(), ProofPurpose::Invitation, &account, at(60));
    Invitation {
        proof,
        user: account.user,
        hash: account.hash,
    }
}

/// Tells of the account by a mail and an entry of the journal.
fn tell(invitation: &Invitation, mail: DeliveryId) -> Tell<AddOutcome> {
    let Invitation { user, proof, .. } = invitation.clone();
    let told = move |outcome: &AddOutcome| match outcome {
        AddOutcome::Added => Told {
            events: vec![SecurityEvent::AccountInvited { user: user.id }],
            mails: vec![NewMail {
                id: mail,
                kind: MailKind::Invitation,
                to: user.email.clone(),
                locale: None,
                user: Some(user.id),
                proof: Some(proof.id),
                facts: MailFacts::default(),
                expires_at: proof.expires_at,
            }],
        },
        AddOutcome::EmailTaken | AddOutcome::IdTaken => Told::default(),
    };
    Tell::new(event_id(), at(60), Actor::Operator, told)
}

/// All in one commit.
pub async fn an_invitation_is_an_account_with_its_proof_and_mail(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let invitation = invitation(user());
    let mail = DeliveryId::from_random(random());
    let outcome = proving
        .proofs
        .invite(&invitation, &tell(&invitation, mail))
        .await;
    assert_eq!(outcome.expect("invite works"), AddOutcome::Added);
    let id = invitation.user.id;
    assert_eq!(
        proving.accounts.account(id).await,
        Some(invitation.user.clone())
    );
    let found = proving.find(&invitation.proof, 61).await.expect("open");
    assert_eq!(told_of(&found), told_of(&invitation.proof));
    let delivery = subject.deliveries().find(mail).await.expect("find works");
    assert_eq!(
        delivery.expect("it waits").mail.proof,
        Some(invitation.proof.id)
    );
    let query = JournalQuery {
        user: Some(id),
        limit: 10,
        ..JournalQuery::default()
    };
    let entries = subject.journal().read(&query).await.expect("read works");
    let names: Vec<_> = entries.iter().map(|entry| entry.event.as_str()).collect();
    assert_eq!(names, ["account.invited"]);
}

/// Then there is neither proof nor mail.
pub async fn an_invitation_takes_no_address_and_no_id(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (taken, _) = proving.accounts.signed_up().await;
    let same_address = User {
        email: taken.email.clone(),
        ..user()
    };
    let same_id = User {
        id: taken.id,
        ..user()
    };
    for (user, expected) in [
        (same_address, AddOutcome::EmailTaken),
        (same_id, AddOutcome::IdTaken),
    ] {
        let invitation = invitation(user);
        let mail = DeliveryId::from_random(random());
        let outcome = proving
            .proofs
            .invite(&invitation, &tell(&invitation, mail))
            .await;
        assert_eq!(outcome.expect("invite works"), expected);
        assert!(proving.find(&invitation.proof, 61).await.is_none());
        let delivery = subject.deliveries().find(mail).await.expect("find works");
        assert_eq!(delivery, None);
    }
    assert_eq!(
        proving.accounts.account(taken.id).await,
        Some(taken),
        "the one that was there"
    );
}

/// Once.
pub async fn an_invitation_sets_the_first_password_and_verifies_the_address(
    subject: &impl ProofsSubject,
) {
    let proving = Proving::new(subject);
    let invitation = invitation(user());
    let invited = proving.proofs.invite(&invitation, &untold()).await;
    assert_eq!(invited.expect("invite works"), AddOutcome::Added);
    let recovery = recovery(&invitation.proof, &invitation.user, 90);
    let RecoveryOutcome::Recovered(user) = proving.recover(&recovery).await else {
        panic!("it counts")
    };
    assert_eq!(user.email_verified_at, Some(at(90)), "the mail was read");
    assert_eq!(proving.accounts.hash(user.id).await, "$test$v=1$recovered");
    assert_eq!(proving.recover(&recovery).await, RecoveryOutcome::Gone);
}

/// Nobody has read the mailbox.
pub async fn a_recovery_link_verifies_no_address(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::RecoveryLink, &user).await;
    let outcome = proving.recover(&recovery(&proof, &user, 90)).await;
    let RecoveryOutcome::Recovered(user) = outcome else {
        panic!("it counts: {outcome:?}")
    };
    assert_eq!(user.email_verified_at, None);
}

//! What is stored about one account, read at once.

use super::{Proving, proof};
use crate::{
    contract::{
        ProofsSubject,
        accounts::at,
        given::{random, user_id},
    },
    untold,
};
use revolve_domain::{
    deliveries::{Delivery, Settled},
    journal::{MailFacts, MailKind, NewMail},
    model::{DeliveryId, EndReason, ProofPurpose, User},
    ports::{QuietNotice, RememberedDevice},
};

/// Inserts a mail to the account this many seconds after the start.
async fn mailed(subject: &impl ProofsSubject, kind: MailKind, user: &User, after: u64) -> Delivery {
    let mail = NewMail {
        id: DeliveryId::from_random(random()),
        kind,
        to: user.email.clone(),
        locale: None,
        user: Some(user.id),
        proof: None,
        facts: MailFacts::default(),
        expires_at: at(after + 3600),
    };
    let outbox = subject.deliveries();
    let mails = std::slice::from_ref(&mail);
    outbox.insert(at(after), mails).await.expect("insert works");
    let found = outbox.find(mail.id).await.expect("find works");
    found.expect("it is there")
}

/// Everything of this account, whatever its state, the newest first, and nothing of another one.
pub async fn all_that_is_stored_about_an_account_is_read(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let accounts = &proving.accounts;
    let (ann, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&ann, 30).await;
    accounts
        .sessions
        .end(ann.id, first.id, EndReason::SignedOut, at(40), &untold())
        .await
        .expect("end works");
    let (bob, _) = accounts.signed_up().await;
    proving.opened(ProofPurpose::ResetPassword, &bob).await;
    mailed(subject, MailKind::ResetPassword, &bob, 60).await;
    let nobodys = proof(ProofPurpose::SignUp, &ann.email, 50);
    proving.open(&nobodys).await;
    let older = proving.opened(ProofPurpose::VerifyEmail, &ann).await;
    let newer = proving.proof(ProofPurpose::ResetPassword, &ann, 70).await;
    proving.open(&newer).await;
    let mails = [
        mailed(subject, MailKind::ResetPassword, &ann, 90).await,
        mailed(subject, MailKind::VerifyEmail, &ann, 80).await,
    ];
    let notice = mailed(subject, MailKind::PasswordChanged, &ann, 85).await;
    let sent = Settled::Sent { at: at(100) };
    let outbox = subject.deliveries();
    let settled = outbox.settle(&notice, &sent, &untold()).await;
    settled.expect("settle works");

    let read = accounts.users.personal_data(ann.id).await;
    let data = read.expect("personal_data works");
    let data = data.expect("the account is there");
    let rows = [accounts.row(&second).await, accounts.row(&first).await];
    assert_eq!((&data.user, &data.sessions[..]), (&ann, &rows[..]));
    let devices = [(second.device, 30), (first.device, 0)].map(|(id, after)| RememberedDevice {
        id,
        signed_in_at: at(after),
    });
    assert_eq!(data.devices, devices);
    let proofs: Vec<_> = data.proofs.iter().map(|proof| proof.id).collect();
    assert_eq!(proofs, [newer.id, older.id]);
    assert_eq!(data.mails, mails);
    let kind = MailKind::PasswordChanged;
    let pause = kind.least_interval().expect("it is a notice");
    let until = at(100).plus(pause);
    let to = ann.email.clone();
    assert_eq!(data.quiet, [QuietNotice { kind, to, until }]);
}

/// Nor of an account that was deleted, although rows of its sessions are there.
pub async fn nothing_is_read_about_nobody(subject: &impl ProofsSubject) {
    let accounts = Proving::new(subject).accounts;
    let (ann, _) = accounts.signed_up().await;
    let deleted = accounts.users.delete(ann.id, None, at(60), &untold()).await;
    assert!(deleted.expect("delete works"));
    for nobody in [ann.id, user_id()] {
        let read = accounts.users.personal_data(nobody).await;
        assert!(read.expect("personal_data works").is_none());
    }
}

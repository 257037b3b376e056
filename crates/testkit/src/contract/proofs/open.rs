//! What is asked for, and what it makes void.

use super::{Proving, entries, proof, told_of};
use crate::{
    contract::{
        ProofsSubject,
        accounts::at,
        given::{at_once, email, event_id, hash, proof_id, random, user_id},
    },
    untold,
};
use revolve_domain::{
    journal::{Actor, MailFacts, MailKind, NewMail, SecurityEvent, Tell, Told},
    model::{DeliveryId, EmailAddress, Proof, ProofPurpose, SignUpIntent},
    ports::{JournalQuery, OpenProof, StandingProof},
};

/// Every field is stored unchanged, of an account's proof, of a sign-up's and of nobody's.
pub async fn a_proof_reads_back_as_opened(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let typed = format!("Ann.{}", email().as_str());
    let typed = EmailAddress::parse(&typed).expect("an address");
    let sign_up = Proof {
        intent: Some(SignUpIntent::Password(hash("intended"))),
        locale: None,
        ..proof(ProofPurpose::SignUp, &typed, 60)
    };
    let mut undo = proving.proof(ProofPurpose::UndoEmail, &user, 60).await;
    undo.binding = None;
    let mut given = vec![sign_up, undo];
    for purpose in ProofPurpose::ALL {
        given.push(proof(purpose, &email(), 60));
        if purpose != ProofPurpose::UndoEmail {
            given.push(proving.proof(purpose, &user, 60).await);
        }
    }
    for proof in given {
        let standing = proving.open(&proof).await;
        assert_eq!(standing, StandingProof::from(&proof), "it is the one");
        let found = proving.find(&proof, 61).await.expect("it is open");
        assert_eq!(told_of(&found), told_of(&proof));
    }
}

/// Asks for a proof of that user, with a mail and an entry of the journal. Answers the mail's id.
async fn ask(subject: &impl ProofsSubject, proof: &Proof, withheld: bool) -> DeliveryId {
    let (user, to, expires_at) = (proof.user, proof.address.clone(), proof.expires_at);
    let mail = DeliveryId::from_random(random());
    let told = move |opened: &StandingProof| Told {
        events: vec![SecurityEvent::RecoveryRequested {
            user,
            address: Some([192, 0, 2, 1].into()),
        }],
        mails: vec![NewMail {
            id: mail,
            kind: MailKind::ResetPassword,
            to: to.clone(),
            locale: None,
            user,
            proof: Some(opened.id),
            facts: MailFacts::default(),
            expires_at,
        }],
    };
    let tell = Tell::new(event_id(), at(60), Actor::Stranger, told);
    let open = OpenProof {
        proof: proof.clone(),
        withheld,
    };
    let opened = subject.proofs().open(&open, &tell).await;
    opened.expect("open works");
    mail
}

/// In one commit; the mail names the proof.
pub async fn a_proof_comes_with_its_mail_and_its_entry(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.proof(ProofPurpose::ResetPassword, &user, 60).await;
    let mail = ask(subject, &proof, false).await;
    let found = subject.deliveries().find(mail).await.expect("find works");
    let found = found.expect("it is to be sent").mail;
    assert_eq!(
        (found.proof, found.to),
        (Some(proof.id), user.email.clone())
    );
    assert_eq!(entries(subject, &user).await, ["recovery.requested"]);
}

/// The proof and the entry are there.
pub async fn a_withheld_mail_is_taken_back(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.proof(ProofPurpose::ResetPassword, &user, 60).await;
    let mail = ask(subject, &proof, true).await;
    let found = subject.deliveries().find(mail).await.expect("find works");
    assert!(found.is_none());
    assert!(proving.find(&proof, 61).await.is_some());
    assert_eq!(entries(subject, &user).await, ["recovery.requested"]);
}

/// The request may have looked for its account before that was deleted.
pub async fn a_request_of_a_deleted_account_leaves_no_address(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.proof(ProofPurpose::ResetPassword, &user, 60).await;
    let users = &proving.accounts.users;
    let deleted = users.delete(user.id, None, at(60), &untold()).await;
    assert!(deleted.expect("delete works"));
    let mail = ask(subject, &proof, false).await;
    let found = subject.deliveries().find(mail).await.expect("find works");
    assert!(found.is_none());
    let query = JournalQuery {
        user: Some(user.id),
        limit: 10,
        ..JournalQuery::default()
    };
    let read = subject.journal().read(&query).await.expect("read works");
    assert!(
        read.iter().any(|entry| entry.event == "recovery.requested"),
        "{read:?}"
    );
    assert!(read.iter().all(|entry| entry.address.is_none()), "{read:?}");
}

/// Whoever asked for the older one.
pub async fn a_new_proof_makes_the_older_void(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    for purpose in [
        ProofPurpose::ResetPassword,
        ProofPurpose::VerifyEmail,
        ProofPurpose::SignIn,
        ProofPurpose::ChangeEmail,
    ] {
        let older = proving.proof(purpose, &user, 60).await;
        let newer = proving.proof(purpose, &user, 61).await;
        proving.open(&older).await;
        proving.open(&newer).await;
        assert!(proving.find(&older, 62).await.is_none(), "{purpose:?}");
        assert!(proving.find(&newer, 62).await.is_some(), "{purpose:?}");
    }
    for purpose in [
        ProofPurpose::ResetPassword,
        ProofPurpose::VerifyEmail,
        ProofPurpose::SignIn,
        ProofPurpose::ChangeEmail,
    ] {
        let again = proving.proof(purpose, &user, 63).await;
        proving.open(&again).await;
    }
    let nobody = email();
    let (older, newer) = (
        proof(ProofPurpose::ResetPassword, &nobody, 60),
        proof(ProofPurpose::ResetPassword, &nobody, 61),
    );
    proving.open(&older).await;
    proving.open(&newer).await;
    assert!(proving.find(&older, 62).await.is_none(), "nobody's, too");
}

/// Another purpose, another account, another address.
pub async fn proofs_of_other_scopes_stay(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let (other, _) = proving.accounts.signed_up().await;
    let wanted = email();
    let mut open = vec![
        proving.proof(ProofPurpose::ResetPassword, &user, 60).await,
        proving.proof(ProofPurpose::ResetPassword, &other, 60).await,
        proving.proof(ProofPurpose::SignIn, &user, 60).await,
        proof(ProofPurpose::ResetPassword, &email(), 60),
    ];
    // Two accounts may want the same address; one may have changed its address twice.
    for owner in [&user, &other] {
        let mut change = proving.proof(ProofPurpose::ChangeEmail, owner, 60).await;
        change.address = wanted.clone();
        open.push(change);
    }
    for former in [email(), email()] {
        let mut undo = proving.proof(ProofPurpose::UndoEmail, &user, 60).await;
        undo.address = former;
        undo.binding = None;
        open.push(undo);
    }
    for proof in &open {
        proving.open(proof).await;
    }
    for proof in &open {
        assert!(
            proving.find(proof, 61).await.is_some(),
            "{:?}",
            proof.purpose
        );
    }
}

/// It is the same proof with another serial, the attempts that were left, and a new life.
pub async fn who_asks_again_gets_the_same_proof(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let first = proving.opened(ProofPurpose::ResetPassword, &user).await;
    assert_eq!(proving.attempt(&first, 61).await, Some(4));
    let again = Proof {
        id: proof_id(),
        created_at: at(120),
        expires_at: at(120).plus(first.purpose.lifetime()),
        ..first.clone()
    };
    let standing = proving.open(&again).await;
    let expected = StandingProof {
        id: first.id,
        serial: 2,
        address: user.email.clone(),
        expires_at: again.expires_at,
    };
    assert_eq!(standing, expected);
    assert_eq!(
        proving.attempt(&first, 121).await,
        Some(3),
        "as many as before"
    );
    while proving.attempt(&first, 122).await.is_some() {}
    let after = Proof {
        id: proof_id(),
        ..again
    };
    assert_eq!(
        proving.open(&after).await.id,
        after.id,
        "one that can't be tried any more is replaced"
    );
    assert_eq!(proving.attempt(&after, 123).await, Some(4));
}

/// Each request has another account that does not exist: the answers must not tell it from one that does.
pub async fn nobodys_proof_is_asked_for_again_like_any_other(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let first = Proof {
        user: Some(user_id()),
        ..proof(ProofPurpose::ResetPassword, &email(), 60)
    };
    proving.open(&first).await;
    assert_eq!(proving.attempt(&first, 61).await, Some(4));
    let again = Proof {
        id: proof_id(),
        user: Some(user_id()),
        ..first.clone()
    };
    let standing = proving.open(&again).await;
    assert_eq!((standing.id, standing.serial), (first.id, 2));
    assert_eq!(proving.attempt(&first, 61).await, Some(3));
}

/// The newest three of an address: nobody can crowd them out at once, and nothing grows.
pub async fn three_sign_ups_of_an_address_stay(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let address = email();
    let mut all = Vec::new();
    for after in 0..5 {
        let proof = proof(ProofPurpose::SignUp, &address, 60 + after);
        proving.open(&proof).await;
        all.push(proof);
    }
    let mut open = Vec::new();
    for proof in &all {
        open.push(proving.find(proof, 70).await.is_some());
    }
    assert_eq!(open, [false, false, true, true, true]);
}

/// However many ask at once, one proof of a scope is open.
pub async fn parallel_requests_leave_one_proof(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let address = email();
    let all: Vec<_> = (0..8)
        .map(|_| proof(ProofPurpose::ResetPassword, &address, 60))
        .collect();
    let calls = all.iter().map(|proof| {
        let (proving, proof) = (Proving::new(subject), proof.clone());
        async move { proving.open(&proof).await }
    });
    at_once(calls).await;
    let ids: Vec<_> = all.iter().map(|proof| proof.id).collect();
    let standing = proving.proofs.standing(&ids, at(61)).await;
    assert_eq!(standing.expect("standing works").len(), 1);
}

/// However often its mail is asked for meanwhile.
pub async fn parallel_requests_lose_no_attempt(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    for _ in 0..10 {
        let proof = proof(ProofPurpose::ResetPassword, &email(), 60);
        proving.open(&proof).await;
        let calls = (0..12).map(|number| {
            let (proving, proof) = (Proving::new(subject), proof.clone());
            async move {
                if number % 3 == 0 {
                    return proving.attempt(&proof, 61).await.is_some();
                }
                let again = Proof {
                    id: proof_id(),
                    ..proof
                };
                proving.open(&again).await;
                false
            }
        });
        let counted: u32 = at_once(calls).await.into_iter().map(u32::from).sum();
        let found = proving.find(&proof, 62).await.expect("it is open");
        assert_eq!(found.attempts_left + counted, Proof::ATTEMPTS);
    }
}

/// Those that have expired, the oldest first, as many as asked for.
pub async fn expired_proofs_are_pruned(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (old, young) = (
        proof(ProofPurpose::SignIn, &email(), 60),
        proof(ProofPurpose::SignIn, &email(), 600),
    );
    for proof in [&old, &young] {
        proving.open(proof).await;
    }
    let prune = async || {
        let pruned = proving.proofs.prune(at(60 + 601), 1000).await;
        pruned.expect("prune works")
    };
    assert!(prune().await >= 1);
    assert!(
        proving.find(&old, 60).await.is_none(),
        "its time, whoever asks, is over"
    );
    assert!(proving.find(&young, 601).await.is_some());
}

//! A forgotten password, and a change of address that is undone.

use super::{Proving, begun, recovery};
use crate::contract::{
    ProofsSubject,
    accounts::at,
    given::{at_once, email, hash},
};
use crate::untold::untold;
use revolve_domain::{
    model::{DetailsChange, EndReason, Ending, Proof, ProofPurpose, Session, User},
    ports::{Recovery, RecoveryOutcome, RecoveryStep},
};

/// The password, the epoch, the end of all sessions, the new one with its device, the verified address: one commit.
pub async fn a_reset_begins_anew(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let accounts = &proving.accounts;
    let (user, first) = accounts.signed_up().await;
    let second = accounts.signed_in(&user, 30).await;
    let proof = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let recovery = recovery(&proof, &user, 90);
    let expected = User {
        epoch: user.epoch.next(),
        email_verified_at: Some(at(90)),
        version: user.version.next(at(90)),
        ..user.clone()
    };
    assert_eq!(
        proving.recover(&recovery).await,
        RecoveryOutcome::Recovered(expected.clone())
    );
    assert_eq!(accounts.account(user.id).await, Some(expected.clone()));
    assert_eq!(accounts.hash(user.id).await, "$test$v=1$recovered");
    assert_eq!(
        accounts.live(user.id, at(91)).await,
        [begun(&recovery).id],
        "the new session alone"
    );
    assert_eq!(accounts.row(begun(&recovery)).await, *begun(&recovery));
    let ending = Some(Ending {
        at: at(90),
        reason: EndReason::Recovered,
    });
    for ended in [&first, &second] {
        let row = Session {
            ending,
            ..ended.clone()
        };
        assert_eq!(accounts.row(ended).await, row);
        assert!(
            !accounts.keeps(&expected, ended.device).await,
            "a credential from before is not kept"
        );
    }
    assert!(accounts.keeps(&expected, begun(&recovery).device).await);
    let revoked = accounts.revoked(at(90)).await;
    assert!(
        revoked
            .raised
            .iter()
            .any(|raised| raised.user == user.id && raised.epoch == expected.epoch),
        "other services hear of it"
    );
}

/// The second finds it gone and changes nothing.
pub async fn a_reset_spends_the_proof(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let first = recovery(&proof, &user, 90);
    let RecoveryOutcome::Recovered(now) = proving.recover(&first).await else {
        panic!("the proof is open");
    };
    assert!(proving.find(&proof, 91).await.is_none());
    let second = Recovery {
        hash: hash("another"),
        ..recovery(&proof, &now, 92)
    };
    assert_eq!(proving.recover(&second).await, RecoveryOutcome::Gone);
    assert_eq!(proving.accounts.hash(user.id).await, "$test$v=1$recovered");
    assert_eq!(
        proving.accounts.live(user.id, at(93)).await,
        [begun(&first).id]
    );
}

/// One of many: the others find it gone.
pub async fn parallel_resets_succeed_once(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let calls = (0..30).map(|_| {
        let (proving, recovery) = (Proving::new(subject), recovery(&proof, &user, 90));
        async move {
            let outcome = proving.recover(&recovery).await;
            (begun(&recovery).id, outcome)
        }
    });
    let outcomes = at_once(calls).await;
    let won: Vec<_> = outcomes
        .iter()
        .filter(|(_, outcome)| *outcome != RecoveryOutcome::Gone)
        .map(|(session, _)| *session)
        .collect();
    assert_eq!(won.len(), 1);
    assert_eq!(proving.accounts.live(user.id, at(91)).await, won);
}

/// All of the account, but for those that undo a change of its address; none of another.
pub async fn a_reset_voids_the_other_proofs(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let (other, _) = proving.accounts.signed_up().await;
    let proof = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let sign_in = proving.opened(ProofPurpose::SignIn, &user).await;
    let undo = proving.opened(ProofPurpose::UndoEmail, &user).await;
    let stop = proving.opened(ProofPurpose::StopFactorReset, &user).await;
    let others = proving.opened(ProofPurpose::ResetPassword, &other).await;
    proving.recover(&recovery(&proof, &user, 90)).await;
    assert!(proving.find(&sign_in, 91).await.is_none());
    assert!(
        proving.find(&undo, 91).await.is_some(),
        "a thief of the mailbox can't void it"
    );
    assert!(
        proving.find(&stop, 91).await.is_none(),
        "no reset of factors waits"
    );
    assert!(proving.find(&others, 91).await.is_some());
}

/// An epoch that was read too early, a disabled account, a proof of another purpose, one that expired.
pub async fn a_reset_that_does_not_hold_changes_nothing(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, session) = proving.accounts.signed_up().await;
    let reset = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let sign_in = proving.opened(ProofPurpose::SignIn, &user).await;
    let mut superseded = recovery(&reset, &user, 90);
    if let RecoveryStep::Session { session, .. } = &mut superseded.then {
        session.epoch = user.epoch;
    }
    let over = 60 + reset.purpose.lifetime().as_secs();
    for bad in [
        superseded,
        recovery(&sign_in, &user, 90),
        recovery(&reset, &user, over),
    ] {
        assert_eq!(proving.recover(&bad).await, RecoveryOutcome::Gone);
    }
    assert_eq!(proving.accounts.account(user.id).await, Some(user.clone()));
    assert_eq!(proving.accounts.hash(user.id).await, "$test$v=1$first");
    assert_eq!(proving.accounts.live(user.id, at(91)).await, [session.id]);
    assert!(proving.find(&reset, 91).await.is_some(), "it is not spent");
}

async fn change_address(proving: &Proving, user: &User, after: u64) -> (Proof, User) {
    let mut undo = proving.proof(ProofPurpose::UndoEmail, user, after).await;
    undo.binding = None;
    let change = DetailsChange {
        email: Some(email()),
        ..DetailsChange::default()
    };
    let updated = proving
        .accounts
        .users
        .update(user.id, &change, None, at(after), &untold())
        .await;
    updated.expect("update works");
    proving.open(&undo).await;
    (undo, proving.credentials(user.id).await.user)
}

/// Whatever the thief did since: another address, another password. All proofs of the account are void.
pub async fn an_undo_restores_the_address(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let (undo, changed) = change_address(&proving, &user, 60).await;
    let (thiefs, _) = change_address(&proving, &changed, 65).await;
    let ended = proving
        .accounts
        .sessions
        .end_all(user.id, None, EndReason::PasswordChanged, at(70), &untold())
        .await;
    ended.expect("end_all works");
    let present = proving.credentials(user.id).await.user;
    let recovery = recovery(&undo, &present, 90);
    let RecoveryOutcome::Recovered(restored) = proving.recover(&recovery).await else {
        panic!("the proof is open");
    };
    assert_eq!(restored.email, user.email);
    assert_eq!(restored.email_verified_at, Some(at(90)));
    assert_eq!(proving.accounts.account(user.id).await, Some(restored));
    assert!(proving.find(&thiefs, 91).await.is_none());
}

/// The thief has one, too: of a change from the thief's own address to another.
pub async fn an_undo_leaves_those_of_earlier_changes(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let (owners, changed) = change_address(&proving, &user, 60).await;
    let (thiefs, present) = change_address(&proving, &changed, 65).await;
    let undone = proving.recover(&recovery(&thiefs, &present, 80)).await;
    let RecoveryOutcome::Recovered(back) = undone else {
        panic!("the thief reads that mailbox");
    };
    assert_eq!(back.email, changed.email);
    let undone = proving.recover(&recovery(&owners, &back, 90)).await;
    let RecoveryOutcome::Recovered(restored) = undone else {
        panic!("the thief can't void it");
    };
    assert_eq!(restored.email, user.email);
    assert_eq!(proving.accounts.account(user.id).await, Some(restored));
}

/// The code was checked before another mail was asked for.
pub async fn a_superseded_code_resets_nothing(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let checked = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let again = proving.again(&checked).await;
    let outcome = proving.recover(&recovery(&checked, &user, 90)).await;
    assert_eq!(outcome, RecoveryOutcome::Gone);
    assert_eq!(proving.accounts.hash(user.id).await, "$test$v=1$first");
    let outcome = proving.recover(&recovery(&again, &user, 90)).await;
    assert!(matches!(outcome, RecoveryOutcome::Recovered(_)));
}

/// Then nothing changes, and the proof can be used once the address is free.
pub async fn an_undo_needs_the_address_to_be_free(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let mut undo = proving.proof(ProofPurpose::UndoEmail, &user, 60).await;
    undo.binding = None;
    let change = DetailsChange {
        email: Some(email()),
        ..DetailsChange::default()
    };
    let users = &proving.accounts.users;
    let updated = users
        .update(user.id, &change, None, at(60), &untold())
        .await;
    updated.expect("update works");
    let changed = proving.credentials(user.id).await.user;
    // An earlier release lets another account have it.
    let mut other = crate::contract::given::user();
    other.email = user.email.clone();
    let session = crate::contract::given::session(&other, 60);
    proving.accounts.create(&other, &session).await;
    proving.open(&undo).await;
    let attempt = recovery(&undo, &changed, 90);
    assert_eq!(proving.recover(&attempt).await, RecoveryOutcome::EmailTaken);
    assert_eq!(proving.accounts.account(user.id).await, Some(changed));
    assert!(proving.find(&undo, 91).await.is_some());
}

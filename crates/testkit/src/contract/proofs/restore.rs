//! An address that an account can take back belongs to no other account until then.

use super::{
    Proving,
    change::{change, wanted},
    recovery,
    sign_up::{intended, proved},
};
use crate::contract::{
    DirectorySubject, ProofsSubject,
    accounts::at,
    given::{at_once, email, event_id, hash, label, proof_id, session, user},
};
use crate::untold::untold;
use revolve_domain::{
    journal::{Actor, Tell, Told},
    model::{AccountChange, DetailsChange, EmailAddress, Proof, ProofPurpose, User},
    ports::{
        AddOutcome, AddressOutcome, ChangeOutcome, CreateOutcome, OperatorChange, RecoveryOutcome,
        SignUpOutcome, UpdateOutcome, UserRepository,
    },
};
use std::sync::Arc;

/// An account whose address has changed, with its former one and the proof that restores it.
async fn changed(proving: &Proving) -> (User, EmailAddress, Proof) {
    let (user, _) = proving.accounts.signed_up().await;
    let proof = wanted(proving, &user, &email()).await;
    let (outcome, undo) = change(proving, &user, &proof).await;
    let AddressOutcome::Changed(now) = outcome else {
        panic!("the address is free");
    };
    (now, user.email, undo)
}

fn to(address: &EmailAddress) -> DetailsChange {
    DetailsChange {
        email: Some(address.clone()),
        ..DetailsChange::default()
    }
}

/// A sign-up with this address so many seconds after the start.
async fn create(
    users: &Arc<dyn UserRepository>,
    address: &EmailAddress,
    after: u64,
) -> CreateOutcome {
    let user = User {
        email: address.clone(),
        ..user()
    };
    let tell = Tell::new(event_id(), at(after), Actor::System, |_| Told::default());
    users
        .create(&user, &hash("other"), &session(&user, after), &tell)
        .await
        .expect("create works")
}

/// Its mail names it before the former one is known. The same client has changed the address twice.
pub async fn an_undo_is_always_another_proof(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, _) = proving.accounts.signed_up().await;
    let former = proving.opened(ProofPurpose::UndoEmail, &user).await;
    let new = Proof {
        id: proof_id(),
        created_at: at(61),
        ..former.clone()
    };
    let standing = proving.open(&new).await;
    assert_eq!((standing.id, standing.serial), (new.id, 1));
    assert!(proving.find(&new, 62).await.is_some());
    assert!(proving.find(&former, 62).await.is_none());
}

/// Each way to an address answers as for one that an account has, and changes nothing. Its own account may have it.
pub async fn an_address_that_can_be_restored_is_taken(
    subject: &(impl ProofsSubject + DirectorySubject),
) {
    let proving = Proving::new(subject);
    let (owner, address, undo) = changed(&proving).await;
    let accounts = &proving.accounts;
    let found = proving.proofs.undo_of(&address, at(91)).await;
    let found = found.expect("undo_of works").expect("it is open");
    assert_eq!((found.id, found.user), (undo.id, Some(owner.id)));
    let others = proving.proofs.undo_of(&owner.email, at(91)).await;
    assert!(others.expect("undo_of works").is_none());

    assert_eq!(
        create(&accounts.users, &address, 91).await,
        CreateOutcome::EmailTaken
    );
    let added = User {
        email: address.clone(),
        ..user()
    };
    let add = accounts.users.add(&added, &hash("other"), &untold()).await;
    assert_eq!(add.expect("add works"), AddOutcome::EmailTaken);
    let (other, _) = accounts.signed_up().await;
    let updated = accounts
        .users
        .update(other.id, &to(&address), None, at(91), &untold())
        .await;
    assert_eq!(updated.expect("update works"), UpdateOutcome::EmailTaken);
    let by_operator = OperatorChange {
        user: other.id,
        change: AccountChange {
            details: to(&address),
            ..AccountChange::default()
        },
        expected: None,
        at: at(91),
    };
    let changed = subject.directory().change(&by_operator, &untold()).await;
    assert_eq!(changed.expect("change works"), ChangeOutcome::EmailTaken);
    let proof = wanted(&proving, &other, &address).await;
    let (outcome, _) = change(&proving, &other, &proof).await;
    assert_eq!(outcome, AddressOutcome::EmailTaken);
    let intent = intended(&proving, &address, "other").await;
    let signed_up = proving.proofs.sign_up(&proved(&intent), &untold()).await;
    assert_eq!(signed_up.expect("sign_up works"), SignUpOutcome::EmailTaken);
    let owned = accounts.users.credentials_by_email(&address, &[]).await;
    assert!(
        owned.expect("credentials_by_email works").is_none(),
        "nobody has it"
    );
    assert_eq!(accounts.account(other.id).await, Some(other));
    assert!(proving.find(&undo, 91).await.is_some());

    let back = accounts
        .users
        .update(owner.id, &to(&address), None, at(92), &untold())
        .await;
    assert!(matches!(back, Ok(UpdateOutcome::Updated(_))), "{back:?}");
}

/// By a proof from before it; the address that this would have restored is free. Other changes void nothing.
pub async fn an_operators_change_of_address_is_not_undone(
    subject: &(impl ProofsSubject + DirectorySubject),
) {
    let proving = Proving::new(subject);
    let (owner, address, undo) = changed(&proving).await;
    let (other, of_other, undo_of_other) = changed(&proving).await;
    let by_operator = async |change, after| {
        let change = OperatorChange {
            user: owner.id,
            change,
            expected: None,
            at: at(after),
        };
        let changed = subject.directory().change(&change, &untold()).await;
        match changed.expect("change works") {
            ChangeOutcome::Changed { after, .. } => after,
            outcome => panic!("it changes: {outcome:?}"),
        }
    };
    let name = DetailsChange {
        name: Some(Some(label("Ann"))),
        ..DetailsChange::default()
    };
    for (details, is_open) in [(name, true), (to(&email()), false)] {
        let change = AccountChange {
            details,
            ..AccountChange::default()
        };
        let now = by_operator(change, 92).await;
        assert_eq!(proving.find(&undo, 93).await.is_some(), is_open);
        if !is_open {
            let undone = proving.recover(&recovery(&undo, &now, 93)).await;
            assert_eq!(undone, RecoveryOutcome::Gone);
            assert_eq!(proving.accounts.account(owner.id).await, Some(now));
        }
    }
    let users = &proving.accounts.users;
    assert_eq!(create(users, &address, 93).await, CreateOutcome::Created);
    assert_eq!(
        create(users, &of_other, 93).await,
        CreateOutcome::EmailTaken,
        "another account keeps its own"
    );
    let undone = recovery(&undo_of_other, &other, 94);
    let undone = proving.recover(&undone).await;
    assert!(matches!(undone, RecoveryOutcome::Recovered(_)));
}

/// When its time is over, when no code can be tried any more, and when the account is deleted.
pub async fn an_address_is_free_once_it_can_not_be_restored(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let users = &proving.accounts.users;

    let (_, address, undo) = changed(&proving).await;
    let over = 90 + undo.purpose.lifetime().as_secs();
    assert_eq!(
        create(users, &address, over - 1).await,
        CreateOutcome::EmailTaken
    );
    assert_eq!(create(users, &address, over).await, CreateOutcome::Created);

    let (_, address, undo) = changed(&proving).await;
    while proving.attempt(&undo, 91).await.is_some() {}
    assert_eq!(create(users, &address, 91).await, CreateOutcome::Created);

    let (owner, address, _) = changed(&proving).await;
    let deleted = users.delete(owner.id, None, at(91), &untold()).await;
    assert!(deleted.expect("delete works"));
    assert_eq!(create(users, &address, 91).await, CreateOutcome::Created);
}

/// Whichever comes first, the sign-ups find the address taken: by the account, or by what restores it.
pub async fn no_sign_up_comes_between_a_change_and_its_undo(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    for _ in 0..5 {
        let (user, _) = proving.accounts.signed_up().await;
        let proof = wanted(&proving, &user, &email()).await;
        let mut calls: Vec<crate::contract::given::BoxedCall> = Vec::new();
        for number in 0..9 {
            if number == 4 {
                let (proving, user, proof) = (Proving::new(subject), user.clone(), proof.clone());
                calls.push(Box::pin(async move {
                    let (outcome, _) = change(&proving, &user, &proof).await;
                    assert!(matches!(outcome, AddressOutcome::Changed(_)), "{outcome:?}");
                }));
                continue;
            }
            let (users, address) = (subject.users(), user.email.clone());
            calls.push(Box::pin(async move {
                assert_eq!(
                    create(&users, &address, 91).await,
                    CreateOutcome::EmailTaken
                );
            }));
        }
        at_once(calls).await;
        let users = subject.users();
        let owned = users.credentials_by_email(&user.email, &[]).await;
        assert!(owned.expect("credentials_by_email works").is_none());
    }
}

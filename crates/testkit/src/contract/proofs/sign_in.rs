//! Sign-ins by a code.

use super::{Proving, entries};
use crate::contract::{
    ProofsSubject,
    accounts::{at, begin},
    given::{at_once, event_id, hash, session, user},
};
use crate::untold::untold;
use revolve_domain::{
    journal::{Actor, SecurityEvent, Tell},
    model::{AuthMethods, EndReason, Proof, ProofPurpose, Session, User},
    ports::{BeginOutcome, BeginSession, CreateOutcome, PasswordChange, ProvedSignIn},
};

const BEGUN: BeginOutcome = BeginOutcome::Begun {
    replaced: Vec::new(),
    expired: Vec::new(),
    evicted: Vec::new(),
};

impl Proving {
    /// An account whose address is verified, and its first session.
    async fn verified(&self) -> (User, Session) {
        let user = User {
            email_verified_at: Some(at(1)),
            ..user()
        };
        let session = session(&user, 0);
        let created = self.accounts.create(&user, &session).await;
        assert_eq!(created, CreateOutcome::Created);
        (user, session)
    }

    async fn sign_in(&self, sign_in: &ProvedSignIn) -> Option<BeginOutcome> {
        let outcome = self.proofs.sign_in(sign_in, &untold()).await;
        outcome.expect("sign_in works")
    }
}

/// On a device of its own, with wide limits.
fn by_code(proof: &Proof, user: &User, after: u64) -> ProvedSignIn {
    let session = Session {
        authenticated_by: AuthMethods::CODE,
        ..session(user, after)
    };
    ProvedSignIn {
        proof: proof.version(),
        begin: begin(&session),
        at: at(after),
    }
}

/// As a sign-in with the password: the session of the same device is replaced. The proof is spent in that commit, and no other is.
pub async fn a_code_begins_a_session_and_is_spent(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let accounts = &proving.accounts;
    let (user, first) = proving.verified().await;
    let proof = proving.opened(ProofPurpose::SignIn, &user).await;
    let reset = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let mut sign_in = by_code(&proof, &user, 90);
    sign_in.begin.session = Session {
        device: first.device,
        bound_at: Some(at(90)),
        ..sign_in.begin.session
    };
    let session = sign_in.begin.session.clone();
    let begun = SecurityEvent::SessionBegun {
        user: user.id,
        session: session.id,
        address: None,
        device: None,
    };
    let tell = Tell::new(
        event_id(),
        at(90),
        Actor::User(user.id),
        move |outcome: &Option<BeginOutcome>| match outcome {
            Some(BeginOutcome::Begun { .. }) => vec![begun.clone()],
            _ => Vec::new(),
        },
    );
    let outcome = proving.proofs.sign_in(&sign_in, &tell).await;
    let replacing = BeginOutcome::Begun {
        replaced: vec![first.id],
        expired: Vec::new(),
        evicted: Vec::new(),
    };
    assert_eq!(outcome.expect("sign_in works"), Some(replacing));
    assert_eq!(accounts.row(&session).await, session);
    assert_eq!(accounts.live(user.id, at(91)).await, [session.id]);
    assert_eq!(entries(subject, &user).await, ["session.begun"]);
    assert_eq!(accounts.account(user.id).await, Some(user.clone()));
    assert!(proving.find(&proof, 91).await.is_none());
    assert!(proving.find(&reset, 91).await.is_some());

    let again = by_code(&proof, &user, 92);
    let outcome = proving.proofs.sign_in(&again, &tell).await;
    assert_eq!(outcome.expect("sign_in works"), None);
    assert_eq!(accounts.live(user.id, at(93)).await, [session.id]);
    assert_eq!(entries(subject, &user).await.len(), 1, "it tells nothing");
}

/// One of a hundred: the others find it gone.
pub async fn parallel_sign_ins_by_one_code_begin_one_session(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, first) = proving.verified().await;
    let proof = proving.opened(ProofPurpose::SignIn, &user).await;
    let calls = (0..100).map(|_| {
        let (proving, sign_in) = (Proving::new(subject), by_code(&proof, &user, 90));
        async move {
            let outcome = proving.sign_in(&sign_in).await;
            outcome.map(|outcome| (sign_in.begin.session.id, outcome))
        }
    });
    let outcomes: Vec<_> = at_once(calls).await.into_iter().flatten().collect();
    let [(session, outcome)] = &outcomes[..] else {
        panic!("expected one of them to begin, got {outcomes:?}");
    };
    assert_eq!(*outcome, BEGUN);
    let mut live = proving.accounts.live(user.id, at(91)).await;
    live.sort_unstable();
    let mut expected = [first.id, *session];
    expected.sort_unstable();
    assert_eq!(live, expected);
}

/// A proof of another purpose, of another account or of an earlier mail, one that expired, an address that nobody verified.
pub async fn a_code_that_does_not_hold_begins_nothing(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, first) = proving.verified().await;
    let (other, others) = proving.verified().await;
    let (stranger, strangers) = proving.accounts.signed_up().await;
    let reset = proving.opened(ProofPurpose::ResetPassword, &user).await;
    let proof = proving.opened(ProofPurpose::SignIn, &user).await;
    let unverified = proving.opened(ProofPurpose::SignIn, &stranger).await;
    let over = 60 + proof.purpose.lifetime().as_secs();
    for bad in [
        by_code(&reset, &user, 90),
        by_code(&proof, &other, 90),
        by_code(&proof, &user, over),
        by_code(&unverified, &stranger, 90),
    ] {
        assert_eq!(proving.sign_in(&bad).await, None, "{bad:?}");
    }
    for (user, first) in [(&user, &first), (&other, &others), (&stranger, &strangers)] {
        assert_eq!(proving.accounts.live(user.id, at(91)).await, [first.id]);
    }
    let again = proving.again(&proof).await;
    assert_eq!(proving.sign_in(&by_code(&proof, &user, 92)).await, None);
    let newest = by_code(&again, &user, 92);
    assert_eq!(proving.sign_in(&newest).await, Some(BEGUN));
}

/// Whatever changed of the account since it was asked for: the epoch, the password, a new hash of the same.
pub async fn a_change_of_the_account_voids_its_code(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    for change in ["epoch", "password", "hash"] {
        let (user, session) = proving.verified().await;
        let proof = proving.opened(ProofPurpose::SignIn, &user).await;
        let (users, sessions) = (&proving.accounts.users, &proving.accounts.sessions);
        match change {
            "epoch" => {
                let reason = EndReason::SignedOut;
                let ended = sessions
                    .end_all(user.id, None, reason, at(61), &untold())
                    .await;
                ended.expect("end_all works");
            }
            "password" => {
                let change = PasswordChange {
                    user: user.id,
                    session: session.id,
                    epoch: user.epoch,
                    hash: hash("second"),
                    at: at(61),
                };
                let changed = users.change_password(&change, &untold()).await;
                changed.expect("change_password works");
            }
            _ => {
                let (old, new) = (hash("first"), hash("rehashed"));
                let rehashed = users.rehash(user.id, &old, &new).await;
                rehashed.expect("rehash works");
            }
        }
        let live = proving.accounts.live(user.id, at(62)).await;
        let present = proving.credentials(user.id).await.user;
        for user in [&user, &present] {
            let outcome = proving.sign_in(&by_code(&proof, user, 62)).await;
            assert_eq!(outcome, None, "{change}");
        }
        assert_eq!(
            proving.accounts.live(user.id, at(63)).await,
            live,
            "{change}"
        );
    }
}

/// Reuse was found on the device since it was looked at. The code can be used without it.
pub async fn a_code_is_not_spent_where_no_session_begins(subject: &impl ProofsSubject) {
    let proving = Proving::new(subject);
    let (user, first) = proving.verified().await;
    let proof = proving.opened(ProofPurpose::SignIn, &user).await;
    let reused = proving
        .accounts
        .sessions
        .end(user.id, first.id, EndReason::Reused, at(70), &untold())
        .await;
    reused.expect("end works");
    let plain = by_code(&proof, &user, 90);
    let kept = ProvedSignIn {
        begin: BeginSession {
            session: Session {
                device: first.device,
                bound_at: Some(at(90)),
                ..plain.begin.session.clone()
            },
            ..plain.begin.clone()
        },
        ..plain.clone()
    };
    let outcome = proving.sign_in(&kept).await;
    assert_eq!(outcome, Some(BeginOutcome::Superseded));
    assert!(proving.find(&proof, 91).await.is_some());
    assert_eq!(proving.sign_in(&plain).await, Some(BEGUN));
}

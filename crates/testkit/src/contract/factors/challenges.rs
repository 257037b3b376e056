//! Challenges: opened, tried, voided.

use super::{Factoring, challenge, of_session, of_sign_up, second_step, totp};
use crate::contract::{
    FactorsSubject,
    accounts::at,
    given::{START, at_once, device_id, proof_id, secs, session, user, user_id},
};
use crate::untold::untold;
use revolve_domain::{
    model::{
        Binding, Challenge, ChallengeKind, ChallengedDevice, EndReason, Fingerprint, Proof,
        ProofPurpose, Totp, User,
    },
    ports::{CreateOutcome, OpenChallenge, OpenProof, TotpSetUpOutcome},
};

/// Every field is stored unchanged, of each kind.
pub async fn a_challenge_reads_back_as_opened(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let known = Challenge {
        device: Some(ChallengedDevice {
            id: first.device,
            is_known: true,
        }),
        ..second_step(&user, 60)
    };
    let given = [
        second_step(&user, 60),
        known,
        of_session(ChallengeKind::Registration, &first, 60),
        of_session(ChallengeKind::Reauthentication, &first, 60),
        of_sign_up(user_id()),
        challenge(ChallengeKind::PasskeySignIn, None, 60),
    ];
    for challenge in given {
        assert!(factoring.open(&challenge).await);
        let found = factoring.find(&challenge, 61).await;
        assert_eq!(found, Some(challenge));
    }
}

/// Five, whoever tries; each is counted before it is answered. What is given back is never more than there were.
pub async fn attempts_of_a_challenge_are_counted(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let challenge = challenge(ChallengeKind::PasskeySignIn, None, 60);
    assert!(factoring.open(&challenge).await);
    let forgive = async || {
        let given = factoring.factors.forgive(challenge.id).await;
        given.expect("forgive works");
    };
    forgive().await;
    for left in [4, 3] {
        assert_eq!(factoring.attempt(&challenge, 61).await, Some(left));
    }
    forgive().await;
    for left in [3, 2, 1, 0] {
        assert_eq!(factoring.attempt(&challenge, 61).await, Some(left));
    }
    assert_eq!(factoring.attempt(&challenge, 61).await, None);
    let another_kind = Challenge {
        kind: ChallengeKind::SecondStep,
        ..challenge.clone()
    };
    forgive().await;
    assert_eq!(factoring.attempt(&another_kind, 61).await, None);
    assert_eq!(factoring.attempt(&challenge, 61).await, Some(0));
}

/// However many try at once.
pub async fn parallel_attempts_of_a_challenge_are_no_more_than_there_are(
    subject: &impl FactorsSubject,
) {
    let factoring = Factoring::new(subject);
    let challenge = challenge(ChallengeKind::PasskeySignIn, None, 60);
    assert!(factoring.open(&challenge).await);
    let tries = (0..20).map(|_| {
        let (factoring, challenge) = (Factoring::new(subject), challenge.clone());
        async move { factoring.attempt(&challenge, 61).await }
    });
    let mut left: Vec<_> = at_once(tries).await.into_iter().flatten().collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2, 3, 4]);
}

/// After five minutes.
pub async fn an_expired_challenge_is_not_found(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let challenge = challenge(ChallengeKind::PasskeySignIn, None, 60);
    assert!(factoring.open(&challenge).await);
    let over = 60 + Challenge::LIFETIME.as_secs();
    assert!(factoring.find(&challenge, over - 1).await.is_some());
    assert!(factoring.find(&challenge, over).await.is_none());
    assert_eq!(factoring.attempt(&challenge, over).await, None);
}

/// However many spend it at once. One of another kind, and one that has expired, is not spent.
pub async fn a_challenge_is_spent_once(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let challenge = of_sign_up(user_id());
    assert!(factoring.open(&challenge).await);
    assert!(
        !factoring
            .spend(&challenge, ChallengeKind::SecondStep, 61)
            .await
    );
    let over = 60 + Challenge::LIFETIME.as_secs();
    assert!(!factoring.spend(&challenge, challenge.kind, over).await);
    assert!(factoring.find(&challenge, 61).await.is_some());
    let calls = (0..10).map(|_| {
        let (factoring, challenge) = (Factoring::new(subject), challenge.clone());
        async move { factoring.spend(&challenge, challenge.kind, 61).await }
    });
    let spent = at_once(calls).await;
    assert_eq!(spent.into_iter().filter(|spent| *spent).count(), 1);
    assert!(factoring.find(&challenge, 61).await.is_none());
}

/// Of a device that the user has signed in on. Second steps on other devices void none, however many there are: neither the owner's, nor each other.
pub async fn the_oldest_challenges_of_a_scope_go(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let on = |id, after| Challenge {
        device: Some(ChallengedDevice { id, is_known: true }),
        ..second_step(&user, after)
    };
    let own = on(first.device, 60);
    assert!(factoring.open(&own).await);
    let mut strangers = Vec::new();
    for after in 61..91 {
        strangers.push(factoring.second_step(&user, after).await);
    }
    for challenge in strangers.iter().chain([&own]) {
        assert!(factoring.find(challenge, 91).await.is_some());
    }

    let most = Challenge::MOST as u64;
    for after in 0..most {
        let newer = on(first.device, 91 + after);
        assert!(factoring.open(&newer).await);
    }
    let other = on(device_id(), 91);
    assert!(factoring.open(&other).await);
    let now = 91 + most;
    assert!(factoring.find(&own, now).await.is_none(), "the oldest");
    for challenge in strangers.iter().chain([&other]) {
        assert!(factoring.find(challenge, now).await.is_some());
    }
}

/// Of an epoch that has risen, of nobody, or of a disabled account.
pub async fn a_challenge_that_does_not_hold_is_not_opened(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (before, _) = factoring.accounts.signed_up().await;
    let reason = EndReason::SignedOut;
    let sessions = &factoring.accounts.sessions;
    let ended = sessions
        .end_all(before.id, None, reason, at(50), &untold())
        .await;
    ended.expect("end_all works");
    let nobody = user();
    for account in [&before, &nobody] {
        let challenge = second_step(account, 60);
        assert!(!factoring.open(&challenge).await);
        assert!(factoring.find(&challenge, 61).await.is_none());
    }
}

/// One commit: of two second steps by one mailed code one is opened.
pub async fn a_mailed_code_is_spent_with_the_second_step(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let user = User {
        email_verified_at: Some(at(1)),
        ..user()
    };
    let first = session(&user, 0);
    let created = factoring.accounts.create(&user, &first).await;
    assert_eq!(created, CreateOutcome::Created);
    let account = factoring.accounts.users.credentials(user.id).await;
    let account = account.expect("credentials works").expect("an account");
    let proof = Proof {
        binding: Some(Binding::of(&account)),
        asker: Fingerprint::of_browser("asker"),
        ..Proof::by_operator(proof_id(), ProofPurpose::SignIn, &account, at(30))
    };
    let opened = OpenProof {
        proof: proof.clone(),
        withheld: true,
    };
    let opened = factoring.proofs.open(&opened, &untold()).await;
    let standing = opened.expect("open works");
    let open = async |challenge: &Challenge| {
        let open = OpenChallenge {
            challenge: challenge.clone(),
            spends: Some(proof.version()),
        };
        let opened = factoring.factors.open(&open, &untold()).await;
        opened.expect("open works")
    };
    let (another, _) = factoring.accounts.signed_up().await;
    assert!(!open(&second_step(&another, 60)).await, "not its code");
    let challenge = second_step(&user, 60);
    assert!(open(&challenge).await);
    assert!(factoring.find(&challenge, 61).await.is_some());
    let spent = factoring.proofs.find(standing.id, at(61)).await;
    assert!(spent.expect("find works").is_none(), "it is spent");
    let second = second_step(&user, 62);
    assert!(!open(&second).await);
    assert!(factoring.find(&second, 63).await.is_none());
}

/// Challenges by their end, and apps that wait by their beginning.
pub async fn what_is_over_is_pruned(subject: &impl FactorsSubject) {
    const LONG_AGO: u64 = 4000 * 24 * 3600;
    let factoring = Factoring::new(subject);
    let expired = START.minus(secs(LONG_AGO));
    let old = |seconds| Challenge {
        created_at: expired.minus(secs(600)),
        expires_at: expired.plus(secs(seconds)),
        ..challenge(ChallengeKind::PasskeySignIn, None, 60)
    };
    let (over, open) = (old(0), old(2));
    for challenge in [&over, &open] {
        assert!(factoring.open(challenge).await);
    }
    let (waiting, first) = factoring.accounts.signed_up().await;
    factoring.set_up_totp(&totp(waiting.id), &first).await;
    let (_, other, key) = factoring.with_passkey().await;
    let old_app = Totp {
        created_at: expired,
        ..totp(key.user)
    };
    let outcome = factoring.set_up_totp(&old_app, &other).await;
    assert_eq!(outcome, TotpSetUpOutcome::Waiting);
    let prune = async |made| {
        let pruned = factoring
            .factors
            .prune(expired.plus(secs(1)), made, 1000)
            .await;
        pruned.expect("prune works")
    };
    assert!(prune(expired).await >= 1);
    let find = async |challenge: &Challenge| {
        let found = factoring.factors.find(challenge.id, expired.minus(secs(1)));
        found.await.expect("find works").is_some()
    };
    assert!(!find(&over).await && find(&open).await);
    assert!(factoring.of(key.user).await.totp.is_some());
    prune(expired.plus(secs(1))).await;
    assert!(factoring.of(key.user).await.totp.is_none());
    assert_eq!(factoring.of(key.user).await.passkeys, [key]);
    assert!(factoring.of(waiting.id).await.totp.is_some(), "not yet");
}

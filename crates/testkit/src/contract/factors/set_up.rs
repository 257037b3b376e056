//! Factors that are added in a session.

use super::{FIRST_STEP, Factoring, asking, by_factor, code_of, of_session, passkey, totp};
use crate::contract::{
    FactorsSubject,
    accounts::at,
    given::{at_once, label, user},
};
use crate::untold::untold;
use revolve_domain::{
    model::{
        ChallengeKind, CredentialId, EndReason, Ending, Epoch, Passkey, PasskeyId, SetUpFactors,
        Totp, TotpStep, User,
    },
    ports::{
        AddFactorOutcome, Asking, FactorSignInOutcome, PasskeyRename, RenameOutcome,
        TotpSetUpOutcome,
    },
};
use std::slice;

/// The first factor of an account whose epoch was the first.
const ADDED: AddFactorOutcome = AddFactorOutcome::Added {
    codes: true,
    raised: Some(Epoch::FIRST.next()),
};
const ADDED_ANOTHER: AddFactorOutcome = AddFactorOutcome::Added {
    codes: false,
    raised: None,
};

/// Until its first code was shown it counts for nothing, and the account has no factor. That code counts no more.
pub async fn an_app_counts_once_it_is_confirmed(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let app = totp(user.id);
    let outcome = factoring.set_up_totp(&app, &first).await;
    assert_eq!(outcome, TotpSetUpOutcome::Waiting);
    assert_eq!(factoring.of(user.id).await.totp, Some(app.clone()));
    assert_eq!(factoring.account(user.id).await, user, "as before");
    let challenge = factoring.second_step(&user, 60).await;
    let early = by_factor(&challenge, &user, code_of(FIRST_STEP + 5), 90);
    assert_eq!(factoring.sign_in(&early).await, FactorSignInOutcome::Gone);

    assert_eq!(factoring.confirm(&app, &first, FIRST_STEP).await, ADDED);
    let confirmed = Totp {
        confirmed_at: Some(at(10)),
        last_step: Some(TotpStep::new(FIRST_STEP)),
        ..app
    };
    let factors = factoring.of(user.id).await;
    assert_eq!(factors.totp, Some(confirmed));
    assert_eq!(factors.codes_left(), 10);
    let set_up = SetUpFactors {
        totp: true,
        passkey: false,
    };
    let user = factoring.account(user.id).await;
    assert_eq!(user.factors, set_up);
    let challenge = factoring.second_step(&user, 60).await;
    let again = by_factor(&challenge, &user, code_of(FIRST_STEP), 91);
    assert_eq!(
        factoring.sign_in(&again).await,
        FactorSignInOutcome::CodeUsed
    );
}

/// One that counts stays until it is removed.
pub async fn an_app_is_replaced_only_while_it_waits(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let (former, app) = (totp(user.id), totp(user.id));
    for waiting in [&former, &app] {
        let outcome = factoring.set_up_totp(waiting, &first).await;
        assert_eq!(outcome, TotpSetUpOutcome::Waiting);
    }
    let gone = factoring.confirm(&former, &first, FIRST_STEP).await;
    assert_eq!(gone, AddFactorOutcome::Gone, "its secret was replaced");
    assert_eq!(factoring.confirm(&app, &first, FIRST_STEP).await, ADDED);
    let first = factoring.present(first).await;
    let again = factoring.confirm(&app, &first, FIRST_STEP + 1).await;
    assert_eq!(again, AddFactorOutcome::Gone);
    let outcome = factoring.set_up_totp(&former, &first).await;
    assert_eq!(outcome, TotpSetUpOutcome::Confirmed);
    let kept = factoring.of(user.id).await.totp.expect("an app");
    assert_eq!(kept.sealed, app.sealed);
    assert_eq!(kept.last_step, Some(TotpStep::new(FIRST_STEP)));
}

/// With one code or with several.
pub async fn parallel_confirmations_confirm_once(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let app = totp(user.id);
    factoring.set_up_totp(&app, &first).await;
    let calls = (0..12).map(|call| {
        let of = Factoring::new(subject);
        let (app, first) = (app.clone(), first.clone());
        async move { of.confirm(&app, &first, FIRST_STEP + call % 2).await }
    });
    let outcomes = at_once(calls).await;
    let added = outcomes.iter().filter(|outcome| **outcome == ADDED);
    assert_eq!(added.count(), 1, "{outcomes:?}");
    assert_eq!(factoring.of(user.id).await.codes_left(), 10);
}

/// All of its fields, and it is found by its credential.
pub async fn a_passkey_reads_back_as_added(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let mut keys = vec![passkey(user.id), passkey(user.id)];
    keys[1].created_at = at(11);
    let longest = vec![3; CredentialId::MAX - 16];
    let longest = [&longest[..], keys[1].id.as_uuid().as_bytes()].concat();
    keys[1].credential.id = CredentialId::from_bytes(longest).expect("an id");
    keys[1].credential.backup_eligible = false;
    keys[1].credential.counter = u32::MAX;
    assert_eq!(factoring.register(&keys[0], &first).await, ADDED);
    assert_eq!(factoring.register(&keys[1], &first).await, ADDED_ANOTHER);
    assert_eq!(factoring.of(user.id).await.passkeys, keys);
    for key in keys {
        let found = factoring.factors.by_credential(&key.credential.id).await;
        assert_eq!(found.expect("by_credential works"), Some(key));
    }
    let unknown = passkey(user.id).credential.id;
    let found = factoring.factors.by_credential(&unknown).await;
    assert_eq!(found.expect("by_credential works"), None);
    let set_up = SetUpFactors {
        totp: false,
        passkey: true,
    };
    assert_eq!(factoring.account(user.id).await.factors, set_up);
}

/// The set of the first factor stays when another one is added.
pub async fn the_first_factor_alone_gets_recovery_codes(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first, _) = factoring.with_passkey().await;
    let codes = factoring.of(user.id).await.codes;
    let app = totp(user.id);
    factoring.set_up_totp(&app, &first).await;
    let added = factoring.confirm(&app, &first, FIRST_STEP).await;
    assert_eq!(added, ADDED_ANOTHER);
    assert_eq!(factoring.of(user.id).await.codes, codes);
}

/// They may have begun with the password alone. The one that adds it goes on, and a further factor ends nothing.
pub async fn the_first_factor_ends_all_other_sessions(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let accounts = &factoring.accounts;
    for is_passkey in [true, false] {
        let (user, first) = accounts.signed_up().await;
        let second = accounts.signed_in(&user, 3).await;
        let late = of_session(ChallengeKind::Registration, &second, 5);
        assert!(factoring.open(&late).await);
        let key = passkey(user.id);
        if is_passkey {
            assert_eq!(factoring.register(&key, &first).await, ADDED);
        } else {
            factoring.add_totp(&user, &first).await;
        }
        let raised = User {
            epoch: user.epoch.next(),
            kept_session: Some(first.id),
            factors: SetUpFactors {
                totp: !is_passkey,
                passkey: is_passkey,
            },
            ..user.clone()
        };
        assert_eq!(factoring.account(user.id).await, raised);
        assert_eq!(accounts.live(user.id, at(11)).await, [first.id]);
        assert_eq!(accounts.row(&first).await, first);
        let ending = Some(Ending {
            at: at(10),
            reason: EndReason::FactorAdded,
        });
        assert_eq!(accounts.row(&second).await.ending, ending);
        assert!(accounts.keeps(&raised, first.device).await);
        assert!(!accounts.keeps(&raised, second.device).await);
        let revoked = accounts.revoked(at(10)).await.raised;
        let mut revoked = revoked.iter().filter(|raised| raised.user == user.id);
        assert!(
            revoked.any(|revoked| revoked.epoch == raised.epoch),
            "other services hear of it"
        );
        let another = passkey(user.id);
        let outcome = factoring.register_by(&late, &another, &second).await;
        assert_eq!(outcome, AddFactorOutcome::Superseded);

        let third = accounts.signed_in(&raised, 12).await;
        let added = factoring.register(&passkey(user.id), &first).await;
        assert_eq!(added, ADDED_ANOTHER);
        assert_eq!(accounts.row(&third).await, third);
        assert_eq!(factoring.account(user.id).await.epoch, raised.epoch);
    }
}

/// Of one account, whichever asks.
pub async fn a_credential_is_of_one_passkey(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first, key) = factoring.with_passkey().await;
    let (other, others) = factoring.accounts.signed_up().await;
    for (owner, session) in [(&user, &first), (&other, &others)] {
        let copy = Passkey {
            credential: key.credential.clone(),
            ..passkey(owner.id)
        };
        let challenge = of_session(ChallengeKind::Registration, session, 5);
        assert!(factoring.open(&challenge).await);
        let outcome = factoring.register_by(&challenge, &copy, session).await;
        assert_eq!(outcome, AddFactorOutcome::CredentialTaken);
        assert!(factoring.find(&challenge, 20).await.is_some(), "not spent");
    }
    assert_eq!(factoring.of(user.id).await.passkeys, [key]);
    assert!(factoring.of(other.id).await.passkeys.is_empty());
    assert_eq!(factoring.account(other.id).await, other);
}

/// Of accounts that register one credential at once one gets it.
pub async fn parallel_registrations_of_one_credential_add_one(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let credential = passkey(user().id).credential;
    let mut calls = Vec::new();
    for _ in 0..8 {
        let (user, first) = factoring.accounts.signed_up().await;
        let key = Passkey {
            credential: credential.clone(),
            ..passkey(user.id)
        };
        let of = Factoring::new(subject);
        calls.push(async move { of.register(&key, &first).await });
    }
    let outcomes = at_once(calls).await;
    let added = outcomes.iter().filter(|outcome| **outcome == ADDED);
    assert_eq!(added.count(), 1, "{outcomes:?}");
    let refused = outcomes
        .iter()
        .filter(|outcome| **outcome == AddFactorOutcome::CredentialTaken);
    assert_eq!(refused.count(), 7, "{outcomes:?}");
}

/// However many are registered at once.
pub async fn there_are_no_more_passkeys_than_the_most(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    for _ in 0..Passkey::MOST - 2 {
        factoring.register(&passkey(user.id), &first).await;
    }
    let first = factoring.present(first).await;
    let mut calls = Vec::new();
    // No more of them than challenges of one session may be open.
    for _ in 0..4 {
        let challenge = of_session(ChallengeKind::Registration, &first, 5);
        assert!(factoring.open(&challenge).await);
        let of = Factoring::new(subject);
        let (key, first) = (passkey(user.id), first.clone());
        calls.push(async move { of.register_by(&challenge, &key, &first).await });
    }
    let outcomes = at_once(calls).await;
    let refused = outcomes
        .iter()
        .filter(|outcome| **outcome == AddFactorOutcome::TooMany);
    assert_eq!(refused.count(), 2, "{outcomes:?}");
    assert_eq!(factoring.of(user.id).await.passkeys.len(), Passkey::MOST);
}

/// Of this session and this kind, and once.
pub async fn a_registration_needs_its_own_challenge(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let second = factoring.accounts.signed_in(&user, 3).await;
    let own = of_session(ChallengeKind::Registration, &first, 5);
    let others = of_session(ChallengeKind::Registration, &second, 5);
    let another_kind = of_session(ChallengeKind::Reauthentication, &first, 5);
    for challenge in [&own, &others, &another_kind] {
        assert!(factoring.open(challenge).await);
    }
    let unknown = of_session(ChallengeKind::Registration, &first, 5);
    for bad in [&others, &another_kind, &unknown] {
        let outcome = factoring.register_by(bad, &passkey(user.id), &first).await;
        assert_eq!(outcome, AddFactorOutcome::Gone);
    }
    let key = passkey(user.id);
    assert_eq!(factoring.register_by(&own, &key, &first).await, ADDED);
    let first = factoring.present(first).await;
    let again = factoring.register_by(&own, &passkey(user.id), &first).await;
    assert_eq!(again, AddFactorOutcome::Gone);
    assert_eq!(factoring.of(user.id).await.passkeys, [key]);
}

/// Nothing changes after the end of the session that asks, or of the password that was shown.
pub async fn factors_are_added_in_a_live_session_only(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first) = factoring.accounts.signed_up().await;
    let second = factoring.accounts.signed_in(&user, 3).await;
    let app = totp(user.id);
    factoring.set_up_totp(&app, &first).await;
    let challenge = of_session(ChallengeKind::Registration, &first, 5);
    assert!(factoring.open(&challenge).await);
    let sessions = &factoring.accounts.sessions;
    let ended = sessions
        .end(user.id, first.id, EndReason::SignedOut, at(6), &untold())
        .await;
    ended.expect("end works");
    let mut late = second.clone();
    late.epoch = late.epoch.next();
    for over in [&first, &late] {
        let outcome = factoring.set_up_totp(&totp(user.id), over).await;
        assert_eq!(outcome, TotpSetUpOutcome::Superseded);
        let outcome = factoring.confirm(&app, over, FIRST_STEP).await;
        assert_eq!(outcome, AddFactorOutcome::Superseded);
        let key = passkey(user.id);
        let outcome = factoring.register_by(&challenge, &key, over).await;
        assert_eq!(outcome, AddFactorOutcome::Superseded);
    }
    let factors = factoring.of(user.id).await;
    assert_eq!(factors.totp, Some(app.clone()));
    assert!(factors.passkeys.is_empty() && factors.codes.is_none());
    assert_eq!(factoring.confirm(&app, &second, FIRST_STEP).await, ADDED);
}

/// Nothing else of it changes, and no other.
pub async fn a_passkey_is_renamed(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first, key) = factoring.with_passkey().await;
    let (other, others_session, others) = factoring.with_passkey().await;
    let rename = async |passkey: PasskeyId, asking: Asking| {
        let rename = PasskeyRename {
            user: user.id,
            passkey,
            name: label("Ann's other 🔑"),
            asking,
            at: at(20),
        };
        let renamed = factoring.factors.rename_passkey(&rename, &untold()).await;
        renamed.expect("rename_passkey works")
    };
    let own = Asking {
        epoch: None,
        ..asking(&first)
    };
    assert_eq!(rename(others.id, own).await, RenameOutcome::NotFound);
    let foreign = asking(&others_session);
    assert_eq!(rename(key.id, foreign).await, RenameOutcome::Superseded);
    assert_eq!(
        factoring.of(user.id).await.passkeys[..],
        *slice::from_ref(&key)
    );
    assert_eq!(rename(key.id, own).await, RenameOutcome::Renamed);
    let renamed = Passkey {
        name: label("Ann's other 🔑"),
        ..key
    };
    assert_eq!(factoring.of(user.id).await.passkeys, [renamed]);
    assert_eq!(factoring.of(other.id).await.passkeys, [others]);
}

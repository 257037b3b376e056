//! Factors that are removed, and recovery codes that are replaced.

use super::{Factoring, asking, codes, passkey};
use crate::contract::{
    FactorsSubject,
    accounts::at,
    given::{at_once, user},
};
use crate::untold::untold;
use revolve_domain::{
    factors::RemovedFactor,
    model::{AccountFactors, Passkey, PasswordHash, Session, SetUpFactors, User},
    ports::{
        AddFactorOutcome, AddOutcome, CodesOutcome, CodesReplacement, FactorRemoval,
        RemoveFactorOutcome,
    },
};

impl Factoring {
    async fn remove(
        &self,
        session: &Session,
        factor: RemovedFactor,
        needs_factor: bool,
    ) -> RemoveFactorOutcome {
        let removal = FactorRemoval {
            user: session.user,
            factor,
            needs_factor,
            asking: asking(session),
            at: at(90),
        };
        let outcome = self.factors.remove(&removal, &untold()).await;
        outcome.expect("remove works")
    }

    /// A new account without a password, with these many passkeys, and a session of it.
    async fn without_password(&self, passkeys: usize) -> (User, Session, Vec<Passkey>) {
        let user = user();
        let users = &self.accounts.users;
        let none = PasswordHash::no_password();
        let added = users.add(&user, &none, &untold()).await;
        assert_eq!(added.expect("add works"), AddOutcome::Added);
        let session = self.accounts.signed_in(&user, 0).await;
        let keys: Vec<_> = (0..passkeys).map(|_| passkey(user.id)).collect();
        for key in &keys {
            let added = self.register(key, &session).await;
            assert!(matches!(added, AddFactorOutcome::Added { .. }));
        }
        (user, self.present(session).await, keys)
    }

    async fn replace(&self, session: &Session, first: u8) -> CodesOutcome {
        let replacement = CodesReplacement {
            codes: codes(session.user, first),
            asking: asking(session),
            at: at(90),
        };
        let outcome = self.factors.replace_codes(&replacement, &untold()).await;
        outcome.expect("replace_codes works")
    }
}

/// An account without a password keeps a passkey. One with a password may remove all.
pub async fn the_last_way_in_is_not_removed(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, session, keys) = factoring.without_password(2).await;
    let [first, second] = [keys[0].id, keys[1].id].map(RemovedFactor::Passkey);
    let removed = factoring.remove(&session, first, false).await;
    assert_eq!(removed, RemoveFactorOutcome::Removed);
    let last = factoring.remove(&session, second, false).await;
    assert_eq!(last, RemoveFactorOutcome::LastFactor);
    assert_eq!(factoring.of(user.id).await.passkeys, keys[1..]);
    assert_eq!(factoring.of(user.id).await.codes_left(), 10);

    let (user, session, key) = factoring.with_passkey().await;
    let only = RemovedFactor::Passkey(key.id);
    let removed = factoring.remove(&session, only, false).await;
    assert_eq!(removed, RemoveFactorOutcome::Removed);
    assert_eq!(
        factoring.account(user.id).await.factors,
        SetUpFactors::default()
    );
}

/// Two at once that would leave nothing: one of them stays.
pub async fn parallel_removals_leave_a_way_in(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    for _ in 0..5 {
        let (user, session, keys) = factoring.without_password(2).await;
        let calls = keys.into_iter().map(|key| {
            let (of, session) = (Factoring::new(subject), session.clone());
            async move {
                let factor = RemovedFactor::Passkey(key.id);
                of.remove(&session, factor, false).await
            }
        });
        let outcomes = at_once(calls).await;
        assert!(outcomes.contains(&RemoveFactorOutcome::Removed));
        assert!(outcomes.contains(&RemoveFactorOutcome::LastFactor));
        assert_eq!(factoring.of(user.id).await.passkeys.len(), 1);
    }
}

/// Whichever it is, where the account must have one.
pub async fn a_factor_that_is_needed_is_not_removed(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, session, key) = factoring.with_passkey().await;
    factoring.add_totp(&user, &session).await;
    let key = RemovedFactor::Passkey(key.id);
    let removed = factoring.remove(&session, key, true).await;
    assert_eq!(removed, RemoveFactorOutcome::Removed);
    let last = factoring.remove(&session, RemovedFactor::Totp, true).await;
    assert_eq!(last, RemoveFactorOutcome::LastFactor);
    let set_up = SetUpFactors {
        totp: true,
        passkey: false,
    };
    assert_eq!(factoring.account(user.id).await.factors, set_up);
}

/// They stand in for a factor, and open nothing alone.
pub async fn recovery_codes_go_with_the_last_factor(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, session, key) = factoring.with_passkey().await;
    factoring.add_totp(&user, &session).await;
    let removed = factoring.remove(&session, RemovedFactor::Totp, false).await;
    assert_eq!(removed, RemoveFactorOutcome::Removed);
    assert_eq!(factoring.of(user.id).await.codes_left(), 10);
    let key = RemovedFactor::Passkey(key.id);
    let removed = factoring.remove(&session, key, false).await;
    assert_eq!(removed, RemoveFactorOutcome::Removed);
    assert_eq!(factoring.of(user.id).await, AccountFactors::default());
    let again = factoring.remove(&session, key, false).await;
    assert_eq!(again, RemoveFactorOutcome::NotFound);
    // The next factor is a first one again.
    let added = factoring.register(&passkey(user.id), &session).await;
    assert!(matches!(
        added,
        AddFactorOutcome::Added {
            codes: true,
            raised: Some(_)
        }
    ));
}

/// Nor of another account, or after the session that asks.
pub async fn only_an_own_factor_is_removed(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, session, key) = factoring.with_passkey().await;
    let (_, _, others) = factoring.with_passkey().await;
    let theirs = RemovedFactor::Passkey(others.id);
    let outcome = factoring.remove(&session, theirs, false).await;
    assert_eq!(outcome, RemoveFactorOutcome::NotFound);
    let none = factoring.remove(&session, RemovedFactor::Totp, false).await;
    assert_eq!(none, RemoveFactorOutcome::NotFound);
    let mut late = session.clone();
    late.epoch = late.epoch.next();
    let own = RemovedFactor::Passkey(key.id);
    let outcome = factoring.remove(&late, own, false).await;
    assert_eq!(outcome, RemoveFactorOutcome::Superseded);
    assert_eq!(factoring.of(user.id).await.passkeys, [key]);
    assert_eq!(factoring.of(others.user).await.passkeys, [others]);
}

/// For an account that has a factor, and in a live session.
pub async fn new_recovery_codes_void_the_former(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, session) = factoring.with_totp().await;
    assert_eq!(factoring.replace(&session, 2).await, CodesOutcome::Replaced);
    let now = factoring.of(user.id).await.codes.expect("a set");
    assert_eq!(now.macs, codes(user.id, 2).macs);
    let mut late = session.clone();
    late.epoch = late.epoch.next();
    assert_eq!(factoring.replace(&late, 3).await, CodesOutcome::Superseded);
    assert_eq!(factoring.of(user.id).await.codes, Some(now));
    let (plain, first) = factoring.accounts.signed_up().await;
    assert_eq!(factoring.replace(&first, 3).await, CodesOutcome::NoFactor);
    assert!(factoring.of(plain.id).await.codes.is_none());
}

/// With all that it has, so that its credentials are free.
pub async fn a_deletion_takes_the_factors_along(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, session, key) = factoring.with_passkey().await;
    factoring.add_totp(&user, &session).await;
    let challenge = factoring.second_step(&user, 60).await;
    let users = &factoring.accounts.users;
    let deleted = users.delete(user.id, None, at(90), &untold()).await;
    assert!(deleted.expect("delete works"));
    assert_eq!(factoring.of(user.id).await, AccountFactors::default());
    assert!(factoring.find(&challenge, 91).await.is_none());
    let found = factoring.factors.by_credential(&key.credential.id).await;
    assert_eq!(found.expect("by_credential works"), None);
    let (other, first) = factoring.accounts.signed_up().await;
    let again = Passkey {
        user: other.id,
        ..key
    };
    let added = factoring.register(&again, &first).await;
    assert!(matches!(
        added,
        AddFactorOutcome::Added {
            codes: true,
            raised: Some(_)
        }
    ));
}

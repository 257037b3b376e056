//! The contract of [`FactorSecrets`].

use crate::contract::given::user_id;
use revolve_domain::{
    keys::SealedKey,
    model::RecoveryCode,
    ports::{FactorSecretUse, FactorSecrets},
};
use secrecy::ExposeSecret;
use std::{collections::HashSet, sync::Arc};

const USES: [FactorSecretUse; 2] = [FactorSecretUse::Totp, FactorSecretUse::RecoveryCodes];

/// What is sealed for one account and use opens as nothing else, and not once it was changed.
pub async fn a_factors_secret_opens_for_its_account_and_use_only(secrets: &Arc<dyn FactorSecrets>) {
    let (user, other) = (user_id(), user_id());
    for (of, another) in [(USES[0], USES[1]), (USES[1], USES[0])] {
        let sealed = secrets.make(user, of).expect("make works");
        let secret = secrets.open(user, of, &sealed).expect("it is its own");
        let again = secrets.open(user, of, &sealed).expect("it is its own");
        assert_eq!(secret.expose_secret(), again.expose_secret());
        assert!(secrets.open(other, of, &sealed).is_err());
        assert!(secrets.open(user, another, &sealed).is_err());
        let mut bytes = sealed.as_bytes().to_vec();
        bytes.pop();
        for broken in [bytes, Vec::new()] {
            let opened = secrets.open(user, of, &SealedKey::new(broken));
            let is_same =
                opened.is_ok_and(|opened| opened.expose_secret() == secret.expose_secret());
            assert!(!is_same, "it was changed");
        }
    }
}

/// Nobody gets a secret twice.
pub async fn secrets_of_factors_are_fresh(secrets: &Arc<dyn FactorSecrets>) {
    let user = user_id();
    let mut seen = HashSet::new();
    for of in USES {
        for _ in 0..50 {
            let sealed = secrets.make(user, of).expect("make works");
            let secret = secrets.open(user, of, &sealed).expect("it is its own");
            assert!(seen.insert(secret.expose_secret().to_vec()));
        }
    }
}

/// Under the present master key already.
pub async fn a_fresh_secret_of_a_factor_need_not_be_resealed(secrets: &Arc<dyn FactorSecrets>) {
    let user = user_id();
    for of in USES {
        let sealed = secrets.make(user, of).expect("make works");
        let resealed = secrets.reseal(user, of, &sealed).expect("it is its own");
        assert_eq!(resealed, None);
    }
}

/// The same of the same, and another of another code, set or account.
pub async fn a_mac_depends_on_account_set_and_code(secrets: &Arc<dyn FactorSecrets>) {
    let (user, of) = (user_id(), FactorSecretUse::RecoveryCodes);
    let key = secrets.make(user, of).expect("make works");
    let another_key = secrets.make(user, of).expect("make works");
    let code = |last| RecoveryCode::from_random([1, 2, 3, 4, 5, 6, 7, 8, 9, last]);
    let mac = |key, last| {
        let mac = secrets.code_mac(user, key, &code(last));
        mac.expect("code_mac works")
    };
    assert_eq!(mac(&key, 10), mac(&key, 10));
    assert_ne!(mac(&key, 10), mac(&key, 11));
    assert_ne!(mac(&key, 10), mac(&another_key, 10));
    let foreign = secrets.code_mac(user_id(), &key, &code(10));
    assert!(foreign.is_err(), "the key is another account's");
    let app = secrets.make(user, FactorSecretUse::Totp);
    let app = app.expect("make works");
    let foreign = secrets.code_mac(user, &app, &code(10));
    assert!(foreign.is_err(), "the key is for something else");
}

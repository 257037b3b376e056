//! Sealed secrets, and what an export has.

use super::{Factoring, sealed};
use crate::contract::{FactorsSubject, given::user_id};
use revolve_domain::{
    model::UserId,
    ports::{FactorSecretUse, SealedFactor},
};

impl Factoring {
    async fn sealed_of(&self, user: UserId) -> Vec<SealedFactor> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.factors.sealed(after, 50).await;
            let page = page.expect("sealed works");
            let Some(last) = page.last() else { break };
            assert!(page.is_sorted_by_key(|secret| secret.user));
            assert!(after.is_none_or(|after| page[0].user > after));
            after = Some(last.user);
            all.extend(page);
        }
        all.retain(|secret| secret.user == user);
        all
    }

    async fn reseal(&self, secret: &SealedFactor, to: &revolve_domain::keys::SealedKey) -> bool {
        let resealed = self.factors.reseal(secret, to).await;
        resealed.expect("reseal works")
    }
}

/// Page by page each account's secrets are there, of each use one, and each is replaced only as it was.
pub async fn secrets_are_resealed_as_they_were(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, _) = factoring.with_totp().await;
    let (other, ..) = factoring.with_passkey().await;
    let mut secrets = factoring.sealed_of(user.id).await;
    secrets.sort_by_key(|secret| secret.of.name());
    let uses: Vec<_> = secrets.iter().map(|secret| secret.of).collect();
    assert_eq!(
        uses,
        [FactorSecretUse::RecoveryCodes, FactorSecretUse::Totp]
    );
    assert_eq!(factoring.sealed_of(other.id).await.len(), 1);
    let before = factoring.of(user.id).await;
    for secret in &secrets {
        let new = sealed();
        assert!(factoring.reseal(secret, &new).await);
        assert!(!factoring.reseal(secret, &sealed()).await, "it is another");
        let after = factoring.of(user.id).await;
        match secret.of {
            FactorSecretUse::Totp => assert_eq!(after.totp.map(|totp| totp.sealed), Some(new)),
            FactorSecretUse::RecoveryCodes => {
                let codes = after.codes.expect("a set");
                assert_eq!(codes.key, new);
                assert_eq!(
                    Some(codes.macs),
                    before.codes.clone().map(|codes| codes.macs)
                );
            }
        }
    }
    let nobodys = SealedFactor {
        user: user_id(),
        ..secrets[0].clone()
    };
    assert!(!factoring.reseal(&nobodys, &sealed()).await);
}

/// Factors, and challenges as they are stored.
pub async fn an_export_has_factors_and_challenges(subject: &impl FactorsSubject) {
    let factoring = Factoring::new(subject);
    let (user, first, key) = factoring.with_passkey().await;
    factoring.add_totp(&user, &first).await;
    let (earlier, later) = (
        factoring.second_step(&user, 60).await,
        factoring.second_step(&user, 61).await,
    );
    let data = factoring.accounts.users.personal_data(user.id).await;
    let data = data.expect("personal_data works").expect("an account");
    assert_eq!(data.factors.passkeys, [key]);
    assert_eq!(data.factors.codes_left(), 10);
    assert_eq!(data.factors, factoring.of(user.id).await);
    assert_eq!(data.challenges, [later, earlier]);
}

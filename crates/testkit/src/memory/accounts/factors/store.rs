//! The port, over the tables.

use super::super::MemoryAccounts;
use async_trait::async_trait;
use revolve_domain::{
    factors::{self, Removal},
    journal::Tell,
    keys::SealedKey,
    model::{
        AccountFactors, Challenge, ChallengeId, ChallengeKind, CredentialId, Passkey, PendingReset,
        Timestamp, Totp, UserId,
    },
    ports::{
        AddFactorOutcome, CodesOutcome, CodesReplacement, FactorRemoval, FactorSecretUse,
        FactorSignIn, FactorSignInOutcome, Factors, OpenChallenge, PasskeyRegistration,
        PasskeyRename, PasskeySignUp, PasskeySignUpOutcome, RemoveFactorOutcome, RenameOutcome,
        ResetFactors, ResetOrder, ResetOrderOutcome, ResetOutcome, SealedFactor, ShowOutcome,
        ShownInSession, StopReset, StopResetOutcome, StoreError, TotpConfirmation, TotpSetUp,
        TotpSetUpOutcome,
    },
};

#[async_trait]
impl Factors for MemoryAccounts {
    async fn of(&self, user: UserId) -> Result<AccountFactors, StoreError> {
        Ok(self.tables().factors_of(user))
    }

    async fn by_credential(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<Passkey>, StoreError> {
        let tables = self.tables();
        let mut passkeys = tables.passkeys();
        Ok(passkeys
            .find(|passkey| passkey.credential.id == *credential)
            .cloned())
    }

    async fn open(&self, open: &OpenChallenge, tell: &Tell<bool>) -> Result<bool, StoreError> {
        self.change(tell, |tables| tables.open_if_it_holds(open))
    }

    async fn find(
        &self,
        challenge: ChallengeId,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let tables = self.tables();
        let found = tables.challenges.get(&challenge);
        Ok(found.filter(|found| at < found.expires_at).cloned())
    }

    async fn attempt(
        &self,
        challenge: ChallengeId,
        kind: ChallengeKind,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let mut tables = self.tables();
        let Some(found) = tables.challenges.get_mut(&challenge) else {
            return Ok(None);
        };
        if found.kind != kind || at >= found.expires_at || found.attempts_left == 0 {
            return Ok(None);
        }
        found.attempts_left -= 1;
        Ok(Some(found.clone()))
    }

    async fn forgive(&self, challenge: ChallengeId) -> Result<(), StoreError> {
        if let Some(found) = self.tables().challenges.get_mut(&challenge) {
            found.attempts_left = Challenge::ATTEMPTS.min(found.attempts_left + 1);
        }
        Ok(())
    }

    async fn sign_in(
        &self,
        sign_in: &FactorSignIn,
        tell: &Tell<FactorSignInOutcome>,
    ) -> Result<FactorSignInOutcome, StoreError> {
        self.change(tell, |tables| tables.sign_in_by_factor(sign_in))
    }

    async fn sign_up(
        &self,
        sign_up: &PasskeySignUp,
        tell: &Tell<PasskeySignUpOutcome>,
    ) -> Result<PasskeySignUpOutcome, StoreError> {
        self.change(tell, |tables| tables.sign_up_by_passkey(sign_up))
    }

    async fn show(
        &self,
        shown: &ShownInSession,
        tell: &Tell<ShowOutcome>,
    ) -> Result<ShowOutcome, StoreError> {
        self.change(tell, |tables| tables.show_factor(shown))
    }

    async fn set_up_totp(
        &self,
        set_up: &TotpSetUp,
        tell: &Tell<TotpSetUpOutcome>,
    ) -> Result<TotpSetUpOutcome, StoreError> {
        self.change(tell, |tables| {
            let Totp {
                user, created_at, ..
            } = set_up.totp;
            if !tables.admits(user, set_up.asking, created_at) {
                return TotpSetUpOutcome::Superseded;
            }
            let mut factors = tables.factors_of(user);
            if factors.confirmed_totp().is_some() {
                return TotpSetUpOutcome::Confirmed;
            }
            factors.totp = Some(set_up.totp.clone());
            tables.keep_factors(user, factors);
            TotpSetUpOutcome::Waiting
        })
    }

    async fn confirm_totp(
        &self,
        confirmation: &TotpConfirmation,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        self.change(tell, |tables| tables.confirm_totp(confirmation))
    }

    async fn add_passkey(
        &self,
        registration: &PasskeyRegistration,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        self.change(tell, |tables| tables.add_passkey(registration))
    }

    async fn rename_passkey(
        &self,
        rename: &PasskeyRename,
        tell: &Tell<RenameOutcome>,
    ) -> Result<RenameOutcome, StoreError> {
        self.change(tell, |tables| {
            if !tables.admits(rename.user, rename.asking, rename.at) {
                return RenameOutcome::Superseded;
            }
            let mut factors = tables.factors_of(rename.user);
            let mut passkeys = factors.passkeys.iter_mut();
            let Some(passkey) = passkeys.find(|passkey| passkey.id == rename.passkey) else {
                return RenameOutcome::NotFound;
            };
            passkey.name = rename.name.clone();
            tables.keep_factors(rename.user, factors);
            RenameOutcome::Renamed
        })
    }

    async fn remove(
        &self,
        removal: &FactorRemoval,
        tell: &Tell<RemoveFactorOutcome>,
    ) -> Result<RemoveFactorOutcome, StoreError> {
        self.change(tell, |tables| {
            let user = removal.user;
            if !tables.admits(user, removal.asking, removal.at) {
                return RemoveFactorOutcome::Superseded;
            }
            let Some((_, hash)) = tables.users.get(&user) else {
                return RemoveFactorOutcome::Superseded;
            };
            let factors = tables.factors_of(user);
            match factors::removed(factors, hash, removal.factor, removal.needs_factor) {
                Removal::Removed(left) => {
                    tables.keep_factors(user, left);
                    RemoveFactorOutcome::Removed
                }
                Removal::NotFound => RemoveFactorOutcome::NotFound,
                Removal::LastFactor => RemoveFactorOutcome::LastFactor,
            }
        })
    }

    async fn replace_codes(
        &self,
        replacement: &CodesReplacement,
        tell: &Tell<CodesOutcome>,
    ) -> Result<CodesOutcome, StoreError> {
        self.change(tell, |tables| {
            let user = replacement.codes.user;
            if !tables.admits(user, replacement.asking, replacement.at) {
                return CodesOutcome::Superseded;
            }
            let mut factors = tables.factors_of(user);
            if !factors.set_up().any() {
                return CodesOutcome::NoFactor;
            }
            factors.codes = Some(replacement.codes.clone());
            tables.keep_factors(user, factors);
            CodesOutcome::Replaced
        })
    }

    async fn order_reset(
        &self,
        order: &ResetOrder,
        tell: &Tell<ResetOrderOutcome>,
    ) -> Result<ResetOrderOutcome, StoreError> {
        self.change(tell, |tables| {
            if !tables.users.contains_key(&order.user) {
                return ResetOrderOutcome::NotFound;
            }
            let mut factors = tables.factors_of(order.user);
            if let Some(pending) = factors.reset {
                return ResetOrderOutcome::Pending(pending.due_at);
            }
            if !factors::has_any(&factors) {
                return ResetOrderOutcome::NoFactors;
            }
            factors.reset = Some(PendingReset {
                ordered_at: order.at,
                due_at: order.due_at,
            });
            tables.keep_factors(order.user, factors);
            if let Some(proof) = &order.proof {
                tables.open_proof(proof);
            }
            ResetOrderOutcome::Ordered
        })
    }

    async fn stop_reset(
        &self,
        stop: StopReset,
        at: Timestamp,
        tell: &Tell<StopResetOutcome>,
    ) -> Result<StopResetOutcome, StoreError> {
        self.change(tell, |tables| match tables.stopping(stop, at) {
            Ok(user) => {
                let mut factors = tables.factors_of(user);
                factors.reset = None;
                tables.keep_factors(user, factors);
                tables.void_reset_proofs(user);
                StopResetOutcome::Stopped(user)
            }
            Err(outcome) => outcome,
        })
    }

    async fn due_resets(&self, at: Timestamp, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let tables = self.tables();
        let factors = tables.factors.iter();
        let due = factors.filter(|(_, factors)| factors.reset.is_some_and(|r| at >= r.due_at));
        Ok(due.map(|(user, _)| *user).take(limit as usize).collect())
    }

    async fn reset(
        &self,
        user: UserId,
        when: ResetFactors,
        at: Timestamp,
        tell: &Tell<ResetOutcome>,
    ) -> Result<ResetOutcome, StoreError> {
        self.change(tell, |tables| tables.reset_factors(user, when, at))
    }

    async fn sealed(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<SealedFactor>, StoreError> {
        let tables = self.tables();
        let mut users: Vec<_> = tables
            .factors
            .iter()
            .filter(|(user, factors)| {
                let has_secret = factors.totp.is_some() || factors.codes.is_some();
                has_secret && after.is_none_or(|after| **user > after)
            })
            .collect();
        users.sort_by_key(|(user, _)| **user);
        let sealed = users
            .into_iter()
            .take(limit as usize)
            .flat_map(|(user, factors)| {
                let sealed = |of, sealed: &SealedKey| SealedFactor {
                    user: *user,
                    of,
                    sealed: sealed.clone(),
                };
                let totp = factors.totp.as_ref();
                let codes = factors.codes.as_ref();
                let totp = totp.map(|totp| sealed(FactorSecretUse::Totp, &totp.sealed));
                let codes = codes.map(|codes| sealed(FactorSecretUse::RecoveryCodes, &codes.key));
                totp.into_iter().chain(codes)
            });
        Ok(sealed.collect())
    }

    async fn reseal(&self, secret: &SealedFactor, to: &SealedKey) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let found = tables.factors.get_mut(&secret.user);
        let sealed = found.and_then(|factors| match secret.of {
            FactorSecretUse::Totp => factors.totp.as_mut().map(|totp| &mut totp.sealed),
            FactorSecretUse::RecoveryCodes => factors.codes.as_mut().map(|codes| &mut codes.key),
        });
        let Some(sealed) = sealed.filter(|sealed| **sealed == secret.sealed) else {
            return Ok(false);
        };
        *sealed = to.clone();
        Ok(true)
    }

    async fn prune(
        &self,
        expired: Timestamp,
        made: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let challenges = tables.challenges.values();
        let challenges = challenges.filter(|challenge| challenge.expires_at < expired);
        let challenges: Vec<_> = challenges.map(|row| row.id).take(limit as usize).collect();
        for challenge in &challenges {
            tables.challenges.remove(challenge);
        }
        let old = |totp: &Totp| totp.confirmed_at.is_none() && totp.created_at < made;
        let factors = tables.factors.values_mut();
        let factors = factors.filter(|factors| factors.totp.as_ref().is_some_and(old));
        let mut secrets = 0;
        for factors in factors.take(limit as usize) {
            factors.totp = None;
            secrets += 1;
        }
        Ok(secrets.max(challenges.len() as u64))
    }
}

//! What changes factors and challenges.

use super::rows::{has_credential, lock, open, read, save, save_first, spend};
use crate::{
    postgres::{
        database::Intent,
        end::LockedUser,
        error::PostgresError,
        proofs::{Provable, insert_proof, void},
        transaction::{Transaction, run},
        users::insert_account,
    },
    sql::{self, RaiseEpoch, Refusal, SessionChange},
};
use revolve_domain::{
    factors::{self, Used},
    keys::SealedKey,
    model::{
        AccountFactors, ChallengeKind, EndReason, PasswordHash, PendingReset, Timestamp, UserId,
    },
    ports::{
        BeginOutcome, FactorSecretUse, FactorSignIn, FactorSignInOutcome, OpenChallenge,
        PasskeySignUp, PasskeySignUpOutcome, ResetFactors, ResetOrder, ResetOrderOutcome,
        ResetOutcome, SealedFactor, StopReset, StopResetOutcome,
    },
    proofs,
};

const VOID_STOPS: &str = "DELETE FROM proofs WHERE user_id = $1 AND purpose = 'stop_factor_reset'";
/// The device of the session `$2`, if it was current at the epoch `$3`.
const KEEP_DEVICE: &str = "
    UPDATE known_devices SET epoch = $4
    WHERE user_id = $1 AND epoch >= $3 AND device_id = (SELECT device_id FROM sessions WHERE id = $2 AND user_id = $1)";
const VOID_CHALLENGES: &str = "DELETE FROM challenges WHERE user_id = $1";
const RESEAL_TOTP: &str = "UPDATE totp_secrets SET sealed = $3 WHERE user_id = $1 AND sealed = $2";
const RESEAL_CODES: &str =
    "UPDATE recovery_codes SET sealed = $3 WHERE user_id = $1 AND sealed = $2";

impl Intent for OpenChallenge {
    type Answer = bool;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
        let challenge = &self.challenge;
        let account = if let Some(shown) = self.spends {
            let Some(found) = Provable::lock(tx, shown, challenge.created_at).await? else {
                return Ok(false);
            };
            let owner = found.account.user.id;
            if !proofs::signs_in(&found.proof, &found.account)
                || challenge.user.map(|user| user.id) != Some(owner)
            {
                return Ok(false);
            }
            Some(found.account)
        } else if let Some(user) = challenge.user {
            let found = LockedUser::with_account(tx, user.id).await?;
            found.map(|(_, account)| account)
        } else {
            None
        };
        if !sql::may_open(challenge, account.as_ref().map(|account| &account.user)) {
            return Ok(false);
        }
        if let Some(shown) = self.spends {
            void(tx, &[shown.id]).await?;
        }
        open(tx, challenge).await?;
        Ok(true)
    }
}

impl Intent for FactorSignIn {
    type Answer = FactorSignInOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<FactorSignInOutcome, PostgresError> {
        let user = self.begin.session.user;
        let Some((_, account)) = LockedUser::with_account(tx, user).await? else {
            return Ok(FactorSignInOutcome::Gone);
        };
        let challenge = lock(tx, self.challenge, self.at).await?;
        if !challenge.is_some_and(|challenge| sql::signs_in(&challenge, self, &account.user)) {
            return Ok(FactorSignInOutcome::Gone);
        }
        let before = read(tx, user).await?;
        let after = match factors::used(before.clone(), &self.used, self.at) {
            Used::Counts(after) => after,
            Used::CodeUsed => return Ok(FactorSignInOutcome::CodeUsed),
            Used::Gone => return Ok(FactorSignInOutcome::Gone),
        };
        let begun = self.begin.apply(tx).await?;
        if matches!(begun, BeginOutcome::Begun { .. }) {
            save(tx, user, &before, &after).await?;
            spend(tx, self.challenge).await?;
        }
        Ok(FactorSignInOutcome::SignedIn(begun))
    }
}

impl Intent for PasskeySignUp {
    type Answer = PasskeySignUpOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<PasskeySignUpOutcome, PostgresError> {
        let id = self.user.id;
        let challenge = lock(tx, self.challenge, self.at).await?;
        let is_open = challenge.is_some_and(|challenge| {
            challenge.kind == ChallengeKind::SignUp
                && challenge.user.is_some_and(|user| user.id == id)
        });
        if !is_open {
            return Ok(PasskeySignUpOutcome::Gone);
        }
        let hash = PasswordHash::no_password();
        insert_account(tx, &self.user, &hash, &self.session, self.at).await?;
        save_first(tx, &self.passkey, Some(&self.codes)).await?;
        spend(tx, self.challenge).await?;
        Ok(PasskeySignUpOutcome::Created)
    }
}

/// A change by a session.
pub(super) struct InSession<'a, C>(pub(super) &'a C);

impl<C: SessionChange> Intent for InSession<'_, C> {
    type Answer = C::Outcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<C::Outcome, PostgresError> {
        let (user, asking, at) = self.0.asking();
        let Some((locked, account)) = LockedUser::with_account(tx, user).await? else {
            return Ok(C::refused(Refusal::Superseded));
        };
        if !locked.admits(tx, asking, at).await? {
            return Ok(C::refused(Refusal::Superseded));
        }
        let shown = self.0.challenge();
        if let Some((challenge, _)) = shown {
            let found = lock(tx, challenge, at).await?;
            if !found.is_some_and(|found| self.0.spends(&found, &account.user)) {
                return Ok(C::refused(Refusal::Gone));
            }
        }
        if let Some(credential) = self.0.credential()
            && has_credential(tx, credential).await?
        {
            return Ok(C::refused(Refusal::CredentialTaken));
        }
        let before = read(tx, user).await?;
        let (after, outcome) = match self.0.apply(&account, before.clone()) {
            Ok(applied) => applied,
            Err(outcome) => return Ok(outcome),
        };
        save(tx, user, &before, &after).await?;
        if factors::raised(&account.user, &before, &after).is_some() {
            let end = RaiseEpoch::by_first_factor(asking.session, at);
            let epoch = i64::from(locked.raise(tx, end).await?.number());
            let former = i64::from(account.user.epoch.number());
            let (id, session) = (user.as_uuid(), asking.session.as_uuid());
            run(tx, KEEP_DEVICE, &[id, session, &former, &epoch]).await?;
        }
        if let Some((challenge, _)) = shown {
            spend(tx, challenge).await?;
        }
        Ok(outcome)
    }
}

impl Intent for ResetOrder {
    type Answer = ResetOrderOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<ResetOrderOutcome, PostgresError> {
        if LockedUser::lock(tx, self.user).await?.is_none() {
            return Ok(ResetOrderOutcome::NotFound);
        }
        let before = read(tx, self.user).await?;
        if let Some(pending) = before.reset {
            return Ok(ResetOrderOutcome::Pending(pending.due_at));
        }
        if !factors::has_any(&before) {
            return Ok(ResetOrderOutcome::NoFactors);
        }
        let reset = Some(PendingReset {
            ordered_at: self.at,
            due_at: self.due_at,
        });
        let after = AccountFactors {
            reset,
            ..before.clone()
        };
        save(tx, self.user, &before, &after).await?;
        if let Some(proof) = self.proof.clone() {
            insert_proof(tx, proof).await?;
        }
        Ok(ResetOrderOutcome::Ordered)
    }
}

/// `Factors::stop_reset`.
pub(super) struct Stop {
    pub(super) stop: StopReset,
    pub(super) at: Timestamp,
}

impl Stop {
    /// The account whose reset this may stop; locked.
    async fn account(
        &self,
        tx: &Transaction<'_>,
    ) -> Result<Result<UserId, StopResetOutcome>, PostgresError> {
        match self.stop {
            StopReset::Proof(shown) => {
                let found = Provable::lock(tx, shown, self.at).await?;
                let counts =
                    found.filter(|found| proofs::stops_reset(&found.proof, &found.account));
                let user = counts.map(|found| found.account.user.id);
                Ok(user.ok_or(StopResetOutcome::Gone))
            }
            StopReset::Session(user, asking) => {
                let Some(locked) = LockedUser::lock(tx, user).await? else {
                    return Ok(Err(StopResetOutcome::Superseded));
                };
                let admitted = locked.admits(tx, asking, self.at).await?;
                Ok(admitted.then_some(user).ok_or(StopResetOutcome::Superseded))
            }
        }
    }
}

impl Intent for Stop {
    type Answer = StopResetOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<StopResetOutcome, PostgresError> {
        let user = match self.account(tx).await? {
            Ok(user) => user,
            Err(outcome) => return Ok(outcome),
        };
        let before = read(tx, user).await?;
        if before.reset.is_none() {
            return Ok(StopResetOutcome::Gone);
        }
        let after = AccountFactors {
            reset: None,
            ..before.clone()
        };
        save(tx, user, &before, &after).await?;
        run(tx, VOID_STOPS, &[user.as_uuid()]).await?;
        Ok(StopResetOutcome::Stopped(user))
    }
}

/// `Factors::reset`.
pub(super) struct Reset {
    pub(super) user: UserId,
    pub(super) when: ResetFactors,
    pub(super) at: Timestamp,
}

impl Intent for Reset {
    type Answer = ResetOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<ResetOutcome, PostgresError> {
        let Some((locked, account)) = LockedUser::with_account(tx, self.user).await? else {
            return Ok(ResetOutcome::NotFound);
        };
        let before = read(tx, self.user).await?;
        let (reset, after) = match sql::reset(&account.user, &before, self.when, self.at) {
            factors::Reset::Nothing => return Ok(ResetOutcome::Nothing),
            factors::Reset::Obsolete(after) => (None, after),
            factors::Reset::Reset(reset, after) => (Some(reset), after),
        };
        save(tx, self.user, &before, &after).await?;
        run(tx, VOID_STOPS, &[self.user.as_uuid()]).await?;
        let Some(reset) = reset else {
            return Ok(ResetOutcome::Nothing);
        };
        let end = RaiseEpoch {
            kept: None,
            hash: None,
            reason: EndReason::FactorsReset,
            at: self.at,
        };
        locked.raise(tx, end).await?;
        run(tx, VOID_CHALLENGES, &[self.user.as_uuid()]).await?;
        Ok(ResetOutcome::Reset(reset))
    }
}

/// `Factors::reseal`. It waits for the account's row: a change that has read the former secret writes it back.
pub(super) struct Reseal<'a> {
    pub(super) secret: &'a SealedFactor,
    pub(super) to: &'a SealedKey,
}

impl Intent for Reseal<'_> {
    type Answer = bool;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
        let SealedFactor { user, of, sealed } = self.secret;
        if LockedUser::lock(tx, *user).await?.is_none() {
            return Ok(false);
        }
        let statement = match of {
            FactorSecretUse::Totp => RESEAL_TOTP,
            FactorSecretUse::RecoveryCodes => RESEAL_CODES,
        };
        let (from, to) = (sealed.as_bytes(), self.to.as_bytes());
        Ok(run(tx, statement, &[user.as_uuid(), &from, &to]).await? > 0)
    }
}

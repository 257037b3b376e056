//! Factors and challenges. Locks are taken in this order: the user's row, then proofs, then challenges; all rows of factors are changed under
//! the first.

mod intents;
mod rows;

use super::{
    PostgresAccounts, database::decoded, error::PostgresError, statement::Param,
    values::PgTimestamp,
};
use crate::sql::{self, challenge_columns, passkey_columns};
use async_trait::async_trait;
use intents::{InSession, Reseal, Reset, Stop};
use revolve_domain::{
    journal::Tell,
    keys::SealedKey,
    model::{
        AccountFactors, Challenge, ChallengeId, ChallengeKind, CredentialId, Passkey, Timestamp,
        UserId,
    },
    ports::{
        AddFactorOutcome, CodesOutcome, CodesReplacement, FactorRemoval, FactorSignIn,
        FactorSignInOutcome, Factors, OpenChallenge, PasskeyRegistration, PasskeyRename,
        PasskeySignUp, PasskeySignUpOutcome, RemoveFactorOutcome, RenameOutcome, ResetFactors,
        ResetOrder, ResetOrderOutcome, ResetOutcome, SealedFactor, ShowOutcome, ShownInSession,
        StopReset, StopResetOutcome, StoreError, TotpConfirmation, TotpSetUp, TotpSetUpOutcome,
    },
};
pub(super) use rows::{OF, forget, open, read, save, save_first};
use uuid::Uuid;

const BY_CREDENTIAL: &str = concat!(
    "SELECT ",
    passkey_columns!(),
    " FROM passkeys p WHERE p.credential_id = $1"
);
const FIND: &str = concat!(
    "SELECT ",
    challenge_columns!(),
    " FROM challenges WHERE id = $1 AND expires_at > $2"
);
const ATTEMPT: &str = concat!(
    "UPDATE challenges SET attempts_left = attempts_left - 1 \
     WHERE id = $1 AND kind = $2 AND expires_at > $3 AND attempts_left > 0 RETURNING ",
    challenge_columns!()
);
const FORGIVE: &str =
    "UPDATE challenges SET attempts_left = least(attempts_left + 1, $2) WHERE id = $1";
const DUE: &str = "SELECT user_id FROM factor_resets WHERE due_at <= $1 ORDER BY due_at LIMIT $2";
/// The next accounts in each table, and of those the next of both.
const SEALED: &str = "
    SELECT page.user_id, t.sealed AS totp_sealed, c.sealed AS codes_sealed
    FROM (
        (SELECT user_id FROM totp_secrets WHERE user_id >= $1 ORDER BY user_id LIMIT $2)
        UNION (SELECT user_id FROM recovery_codes WHERE user_id >= $1 ORDER BY user_id LIMIT $2)
        ORDER BY user_id LIMIT $2
    ) AS page LEFT JOIN totp_secrets t ON t.user_id = page.user_id LEFT JOIN recovery_codes c ON c.user_id = page.user_id
    ORDER BY page.user_id";
/// Rows that are locked come in a later batch.
const PRUNE: &str = "
    DELETE FROM challenges WHERE id = ANY (ARRAY(
        SELECT id FROM challenges WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1";
const PRUNE_WAITING: &str = "
    DELETE FROM totp_secrets WHERE user_id = ANY (ARRAY(
        SELECT user_id FROM totp_secrets WHERE confirmed_at IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1";

#[async_trait]
impl Factors for PostgresAccounts {
    async fn of(&self, user: UserId) -> Result<AccountFactors, StoreError> {
        let rows = self
            .db
            .read("read factors", OF, &[user.as_uuid()], sql::factors)
            .await?;
        Ok(sql::whole_factors(rows))
    }

    async fn by_credential(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<Passkey>, StoreError> {
        self.db
            .look_up(
                "read a passkey",
                BY_CREDENTIAL,
                &[&credential.as_bytes()],
                sql::passkey,
            )
            .await
    }

    async fn open(&self, open: &OpenChallenge, tell: &Tell<bool>) -> Result<bool, StoreError> {
        self.db.change("store a challenge", open, tell).await
    }

    async fn find(
        &self,
        challenge: ChallengeId,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let asked: [&dyn Param; 2] = [challenge.as_uuid(), &PgTimestamp(at)];
        self.db
            .look_up("read a challenge", FIND, &asked, sql::challenge)
            .await
    }

    async fn attempt(
        &self,
        challenge: ChallengeId,
        kind: ChallengeKind,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let tried: [&dyn Param; 3] = [challenge.as_uuid(), &kind.as_str(), &PgTimestamp(at)];
        let rows = self.db.write(ATTEMPT, &tried).await;
        rows.and_then(|rows| decoded(&rows, sql::challenge))
            .map(|found| found.into_iter().next())
            .map_err(|error| self.db.error("count an attempt", error))
    }

    async fn forgive(&self, challenge: ChallengeId) -> Result<(), StoreError> {
        let attempts: [&dyn Param; 2] = [challenge.as_uuid(), &i64::from(Challenge::ATTEMPTS)];
        let done = self.db.write(FORGIVE, &attempts).await;
        done.map(drop)
            .map_err(|error| self.db.error("give back an attempt", error))
    }

    async fn sign_in(
        &self,
        sign_in: &FactorSignIn,
        tell: &Tell<FactorSignInOutcome>,
    ) -> Result<FactorSignInOutcome, StoreError> {
        self.db.change("begin a session", sign_in, tell).await
    }

    async fn sign_up(
        &self,
        sign_up: &PasskeySignUp,
        tell: &Tell<PasskeySignUpOutcome>,
    ) -> Result<PasskeySignUpOutcome, StoreError> {
        let taken = |error: &PostgresError| {
            let email = error.is_taken_email();
            let credential = error.is_taken_credential();
            email
                .then_some(PasskeySignUpOutcome::EmailTaken)
                .or(credential.then_some(PasskeySignUpOutcome::CredentialTaken))
        };
        self.db
            .change_or("create an account", sign_up, tell, taken)
            .await
    }

    async fn show(
        &self,
        shown: &ShownInSession,
        tell: &Tell<ShowOutcome>,
    ) -> Result<ShowOutcome, StoreError> {
        self.db.change("use a factor", InSession(shown), tell).await
    }

    async fn set_up_totp(
        &self,
        set_up: &TotpSetUp,
        tell: &Tell<TotpSetUpOutcome>,
    ) -> Result<TotpSetUpOutcome, StoreError> {
        self.db
            .change("set up an authenticator app", InSession(set_up), tell)
            .await
    }

    async fn confirm_totp(
        &self,
        confirmation: &TotpConfirmation,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        self.db
            .change(
                "confirm an authenticator app",
                InSession(confirmation),
                tell,
            )
            .await
    }

    async fn add_passkey(
        &self,
        registration: &PasskeyRegistration,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        // Another account may have got it since it was looked for.
        let taken = |error: &PostgresError| {
            error
                .is_taken_credential()
                .then_some(AddFactorOutcome::CredentialTaken)
        };
        self.db
            .change_or("add a passkey", InSession(registration), tell, taken)
            .await
    }

    async fn rename_passkey(
        &self,
        rename: &PasskeyRename,
        tell: &Tell<RenameOutcome>,
    ) -> Result<RenameOutcome, StoreError> {
        self.db
            .change("rename a passkey", InSession(rename), tell)
            .await
    }

    async fn remove(
        &self,
        removal: &FactorRemoval,
        tell: &Tell<RemoveFactorOutcome>,
    ) -> Result<RemoveFactorOutcome, StoreError> {
        self.db
            .change("remove a factor", InSession(removal), tell)
            .await
    }

    async fn replace_codes(
        &self,
        replacement: &CodesReplacement,
        tell: &Tell<CodesOutcome>,
    ) -> Result<CodesOutcome, StoreError> {
        self.db
            .change("replace recovery codes", InSession(replacement), tell)
            .await
    }

    async fn order_reset(
        &self,
        order: &ResetOrder,
        tell: &Tell<ResetOrderOutcome>,
    ) -> Result<ResetOrderOutcome, StoreError> {
        self.db
            .change("order a reset of factors", order, tell)
            .await
    }

    async fn stop_reset(
        &self,
        stop: StopReset,
        at: Timestamp,
        tell: &Tell<StopResetOutcome>,
    ) -> Result<StopResetOutcome, StoreError> {
        self.db
            .change("stop a reset of factors", Stop { stop, at }, tell)
            .await
    }

    async fn due_resets(&self, at: Timestamp, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let asked: [&dyn Param; 2] = [&PgTimestamp(at), &i64::from(limit)];
        self.db
            .read("look for resets of factors", DUE, &asked, sql::due_user)
            .await
    }

    async fn reset(
        &self,
        user: UserId,
        when: ResetFactors,
        at: Timestamp,
        tell: &Tell<ResetOutcome>,
    ) -> Result<ResetOutcome, StoreError> {
        self.db
            .change("reset factors", Reset { user, when, at }, tell)
            .await
    }

    async fn sealed(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<SealedFactor>, StoreError> {
        // The first that may follow.
        let from = after.map_or(Some(0), |after| after.as_uuid().as_u128().checked_add(1));
        let Some(from) = from.map(Uuid::from_u128) else {
            return Ok(Vec::new());
        };
        let asked: [&dyn Param; 2] = [&from, &i64::from(limit)];
        let operation = "read sealed secrets of factors";
        let found = self
            .db
            .read(operation, SEALED, &asked, sql::sealed_factors)
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn reseal(&self, secret: &SealedFactor, to: &SealedKey) -> Result<bool, StoreError> {
        let operation = "replace a sealed secret of a factor";
        self.db.transact(operation, &Reseal { secret, to }).await
    }

    async fn prune(
        &self,
        expired: Timestamp,
        made: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut most = 0;
        for (statement, before) in [(PRUNE, expired), (PRUNE_WAITING, made)] {
            let asked: [&dyn Param; 2] = [&PgTimestamp(before), &i64::from(limit)];
            let done = self.db.write(statement, &asked).await;
            let rows = done.map_err(|error| self.db.error("prune challenges", error))?;
            most = most.max(rows.len() as u64);
        }
        Ok(most)
    }
}

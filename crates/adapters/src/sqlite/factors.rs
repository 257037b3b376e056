//! Factors and challenges. The file has one writer, so that a check before a change holds until the commit.

mod intents;
mod rows;

use super::{
    SqliteStore,
    query::{all, first, run},
};
use crate::sql::{self, SessionChange, challenge_columns, passkey_columns};
use async_trait::async_trait;
use intents::{in_session, open_challenge, order_reset, reset, sign_in, sign_up, stop_reset};
use revolve_domain::{
    journal::Tell,
    keys::SealedKey,
    model::{
        AccountFactors, Challenge, ChallengeId, ChallengeKind, CredentialId, Passkey, Timestamp,
        UserId,
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
pub(super) use rows::{forget, has_credential, open, read, save, save_first};
use rusqlite::{Connection, params};

const BY_CREDENTIAL: &str = concat!(
    "SELECT ",
    passkey_columns!(),
    " FROM passkeys p WHERE p.credential_id = ?1"
);
const ATTEMPT: &str = concat!(
    "UPDATE challenges SET attempts_left = attempts_left - 1 \
     WHERE id = ?1 AND kind = ?2 AND expires_at > ?3 AND attempts_left > 0 RETURNING ",
    challenge_columns!()
);
const FORGIVE: &str =
    "UPDATE challenges SET attempts_left = min(attempts_left + 1, ?2) WHERE id = ?1";
const DUE: &str = "SELECT user_id FROM factor_resets WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2";
/// The next accounts in each table, and of those the next of both.
const SEALED: &str = "
    SELECT page.user_id, t.sealed AS totp_sealed, c.sealed AS codes_sealed
    FROM (
        SELECT user_id FROM (SELECT user_id FROM totp_secrets WHERE user_id > ?1 ORDER BY user_id LIMIT ?2)
        UNION SELECT user_id FROM (SELECT user_id FROM recovery_codes WHERE user_id > ?1 ORDER BY user_id LIMIT ?2)
        ORDER BY user_id LIMIT ?2
    ) AS page LEFT JOIN totp_secrets t ON t.user_id = page.user_id LEFT JOIN recovery_codes c ON c.user_id = page.user_id
    ORDER BY page.user_id";
const RESEAL_TOTP: &str = "UPDATE totp_secrets SET sealed = ?3 WHERE user_id = ?1 AND sealed = ?2";
const RESEAL_CODES: &str =
    "UPDATE recovery_codes SET sealed = ?3 WHERE user_id = ?1 AND sealed = ?2";
const PRUNE: &str = "
    DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";
const PRUNE_WAITING: &str = "
    DELETE FROM totp_secrets WHERE user_id IN (
        SELECT user_id FROM totp_secrets WHERE confirmed_at IS NULL AND created_at < ?1 ORDER BY created_at LIMIT ?2)";

#[async_trait]
impl Factors for SqliteStore {
    async fn of(&self, user: UserId) -> Result<AccountFactors, StoreError> {
        self.read("read factors", move |conn| read(conn, user))
            .await
    }

    async fn by_credential(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<Passkey>, StoreError> {
        let credential = credential.clone();
        self.read("read a passkey", move |conn| {
            first(conn, BY_CREDENTIAL, [credential.as_bytes()], sql::passkey)
        })
        .await
    }

    async fn open(&self, open: &OpenChallenge, tell: &Tell<bool>) -> Result<bool, StoreError> {
        let open = open.clone();
        self.change("store a challenge", tell, move |conn| {
            open_challenge(conn, &open)
        })
        .await
    }

    async fn find(
        &self,
        challenge: ChallengeId,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        self.read("read a challenge", move |conn| {
            rows::find(conn, challenge, at)
        })
        .await
    }

    async fn attempt(
        &self,
        challenge: ChallengeId,
        kind: ChallengeKind,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        self.write("count an attempt", move |conn| {
            let tried = params![challenge.to_string(), kind.as_str(), at.as_millis()];
            first(conn, ATTEMPT, tried, sql::challenge)
        })
        .await
    }

    async fn forgive(&self, challenge: ChallengeId) -> Result<(), StoreError> {
        self.write("give back an attempt", move |conn| {
            let attempts = params![challenge.to_string(), Challenge::ATTEMPTS];
            run(conn, FORGIVE, attempts).map(drop)
        })
        .await
    }

    async fn sign_in(
        &self,
        new: &FactorSignIn,
        tell: &Tell<FactorSignInOutcome>,
    ) -> Result<FactorSignInOutcome, StoreError> {
        let new = new.clone();
        self.change("begin a session", tell, move |conn| sign_in(conn, &new))
            .await
    }

    async fn sign_up(
        &self,
        new: &PasskeySignUp,
        tell: &Tell<PasskeySignUpOutcome>,
    ) -> Result<PasskeySignUpOutcome, StoreError> {
        let new = new.clone();
        self.change("create an account", tell, move |conn| sign_up(conn, &new))
            .await
    }

    async fn show(
        &self,
        shown: &ShownInSession,
        tell: &Tell<ShowOutcome>,
    ) -> Result<ShowOutcome, StoreError> {
        self.change_in_session("use a factor", shown, tell).await
    }

    async fn set_up_totp(
        &self,
        set_up: &TotpSetUp,
        tell: &Tell<TotpSetUpOutcome>,
    ) -> Result<TotpSetUpOutcome, StoreError> {
        self.change_in_session("set up an authenticator app", set_up, tell)
            .await
    }

    async fn confirm_totp(
        &self,
        confirmation: &TotpConfirmation,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        self.change_in_session("confirm an authenticator app", confirmation, tell)
            .await
    }

    async fn add_passkey(
        &self,
        registration: &PasskeyRegistration,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        self.change_in_session("add a passkey", registration, tell)
            .await
    }

    async fn rename_passkey(
        &self,
        rename: &PasskeyRename,
        tell: &Tell<RenameOutcome>,
    ) -> Result<RenameOutcome, StoreError> {
        self.change_in_session("rename a passkey", rename, tell)
            .await
    }

    async fn remove(
        &self,
        removal: &FactorRemoval,
        tell: &Tell<RemoveFactorOutcome>,
    ) -> Result<RemoveFactorOutcome, StoreError> {
        self.change_in_session("remove a factor", removal, tell)
            .await
    }

    async fn replace_codes(
        &self,
        replacement: &CodesReplacement,
        tell: &Tell<CodesOutcome>,
    ) -> Result<CodesOutcome, StoreError> {
        self.change_in_session("replace recovery codes", replacement, tell)
            .await
    }

    async fn order_reset(
        &self,
        order: &ResetOrder,
        tell: &Tell<ResetOrderOutcome>,
    ) -> Result<ResetOrderOutcome, StoreError> {
        let order = order.clone();
        self.change("order a reset of factors", tell, move |conn| {
            order_reset(conn, order)
        })
        .await
    }

    async fn stop_reset(
        &self,
        stop: StopReset,
        at: Timestamp,
        tell: &Tell<StopResetOutcome>,
    ) -> Result<StopResetOutcome, StoreError> {
        self.change("stop a reset of factors", tell, move |conn| {
            stop_reset(conn, stop, at)
        })
        .await
    }

    async fn due_resets(&self, at: Timestamp, limit: u32) -> Result<Vec<UserId>, StoreError> {
        self.read("look for resets of factors", move |conn| {
            all(conn, DUE, params![at.as_millis(), limit], sql::due_user)
        })
        .await
    }

    async fn reset(
        &self,
        user: UserId,
        when: ResetFactors,
        at: Timestamp,
        tell: &Tell<ResetOutcome>,
    ) -> Result<ResetOutcome, StoreError> {
        self.change("reset factors", tell, move |conn| {
            reset(conn, user, when, at)
        })
        .await
    }

    async fn sealed(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<SealedFactor>, StoreError> {
        let after = after.as_ref().map(UserId::to_string).unwrap_or_default();
        self.read("read sealed secrets of factors", move |conn| {
            let found = all(conn, SEALED, params![after, limit], sql::sealed_factors)?;
            Ok(found.into_iter().flatten().collect())
        })
        .await
    }

    async fn reseal(&self, secret: &SealedFactor, to: &SealedKey) -> Result<bool, StoreError> {
        let (secret, to) = (secret.clone(), to.clone());
        self.write("replace a sealed secret of a factor", move |conn| {
            let statement = match secret.of {
                FactorSecretUse::Totp => RESEAL_TOTP,
                FactorSecretUse::RecoveryCodes => RESEAL_CODES,
            };
            let (user, from) = (secret.user.to_string(), secret.sealed.as_bytes());
            Ok(run(conn, statement, params![user, from, to.as_bytes()])? > 0)
        })
        .await
    }

    async fn prune(
        &self,
        expired: Timestamp,
        made: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let prune = move |conn: &Connection| {
            let challenges = run(conn, PRUNE, params![expired.as_millis(), limit])?;
            let secrets = run(conn, PRUNE_WAITING, params![made.as_millis(), limit])?;
            Ok(challenges.max(secrets) as u64)
        };
        self.write("prune challenges", prune).await
    }
}

impl SqliteStore {
    async fn change_in_session<C>(
        &self,
        operation: &'static str,
        change: &C,
        tell: &Tell<C::Outcome>,
    ) -> Result<C::Outcome, StoreError>
    where
        C: SessionChange + Clone + Send + 'static,
        C::Outcome: 'static,
    {
        let change = change.clone();
        self.change(operation, tell, move |conn| in_session(conn, &change))
            .await
    }
}

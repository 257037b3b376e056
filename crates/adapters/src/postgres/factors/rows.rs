//! The rows of factors and challenges.

use crate::{
    postgres::{
        database::decoded,
        error::PostgresError,
        statement::Param,
        transaction::{Transaction, run},
        values::PgTimestamp,
    },
    sql::{self, FactorChange, challenge_columns, factors_of},
};
use revolve_domain::model::{
    AccountFactors, AuthMethods, CeremonyState, Challenge, ChallengeId, CredentialId, Label,
    Passkey, RecoveryCodes, SessionId, Timestamp, UserId,
};

pub(in crate::postgres) const OF: &str = factors_of!("$1");
const CREDENTIAL: &str = "SELECT 1 FROM passkeys WHERE credential_id = $1";

const SET_TOTP: &str = "
    INSERT INTO totp_secrets (user_id, sealed, created_at, confirmed_at, last_step) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (user_id) DO UPDATE SET sealed = $2, created_at = $3, confirmed_at = $4, last_step = $5";
const SET_CODES: &str = "
    INSERT INTO recovery_codes (user_id, sealed, macs, created_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO UPDATE SET sealed = $2, macs = $3, created_at = $4";
const SET_PASSKEY: &str = "
    INSERT INTO passkeys (id, user_id, name, credential_id, public_key, algorithm, aaguid, counter, backup_eligible, backed_up, transports,
        created_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (id) DO UPDATE SET name = $3, counter = $8, backed_up = $10, used_at = $13";
const SET_RESET: &str = "
    INSERT INTO factor_resets (user_id, ordered_at, due_at) VALUES ($1, $2, $3)
    ON CONFLICT (user_id) DO UPDATE SET ordered_at = $2, due_at = $3";
const NO_TOTP: &str = "DELETE FROM totp_secrets WHERE user_id = $1";
const NO_CODES: &str = "DELETE FROM recovery_codes WHERE user_id = $1";
const NO_PASSKEY: &str = "DELETE FROM passkeys WHERE id = $1";
const NO_RESET: &str = "DELETE FROM factor_resets WHERE user_id = $1";
const SET_UP: &str = "UPDATE users SET factors = $2 WHERE id = $1";
const FORGET: &str = "
    WITH t AS (DELETE FROM totp_secrets WHERE user_id = $1), c AS (DELETE FROM recovery_codes WHERE user_id = $1),
        r AS (DELETE FROM factor_resets WHERE user_id = $1), p AS (DELETE FROM passkeys WHERE user_id = $1)
    DELETE FROM challenges WHERE user_id = $1";

const LOCK: &str = concat!(
    "SELECT ",
    challenge_columns!(),
    " FROM challenges WHERE id = $1 AND expires_at > $2 FOR UPDATE"
);
const OPEN: &str = "
    INSERT INTO challenges (id, kind, scope, user_id, epoch, session_id, device_id, device_known, device_name, proved, ceremony, created_at,
        expires_at, attempts_left)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const MAKE_ROOM: &str = "
    DELETE FROM challenges WHERE id = ANY (ARRAY(
        SELECT id FROM challenges WHERE scope = $1 ORDER BY created_at DESC, id DESC OFFSET $2))";
const SPEND: &str = "DELETE FROM challenges WHERE id = $1";

/// All factors of an account.
pub(in crate::postgres) async fn read(
    tx: &Transaction<'_>,
    user: UserId,
) -> Result<AccountFactors, PostgresError> {
    let of = tx.prepare_cached(OF).await?;
    let rows = tx.query(&of, &[user.as_uuid()]).await?;
    Ok(sql::whole_factors(decoded(&rows, sql::factors)?))
}

/// Stores the factors of an account that was made with a passkey.
pub(in crate::postgres) async fn save_first(
    tx: &Transaction<'_>,
    passkey: &Passkey,
    codes: Option<&RecoveryCodes>,
) -> Result<(), PostgresError> {
    let first = sql::first_factors(passkey, codes);
    save(tx, passkey.user, &AccountFactors::default(), &first).await
}

/// Writes what makes `after` of `before`. Its caller holds the lock of the account's row, or has just stored that.
pub(in crate::postgres) async fn save(
    tx: &Transaction<'_>,
    user: UserId,
    before: &AccountFactors,
    after: &AccountFactors,
) -> Result<(), PostgresError> {
    let id = user.as_uuid();
    for change in FactorChange::between(before, after) {
        match change {
            FactorChange::Totp(totp) => {
                let row: [&dyn Param; 5] = [
                    id,
                    &totp.sealed.as_bytes(),
                    &PgTimestamp(totp.created_at),
                    &totp.confirmed_at.map(PgTimestamp),
                    &totp.last_step.map(|step| step.number().cast_signed()),
                ];
                run(tx, SET_TOTP, &row).await?
            }
            FactorChange::Codes(codes) => {
                let (key, made) = (codes.key.as_bytes(), PgTimestamp(codes.created_at));
                run(tx, SET_CODES, &[id, &key, &sql::stored_macs(codes), &made]).await?
            }
            FactorChange::Passkey(passkey) => set_passkey(tx, passkey).await?,
            FactorChange::Reset(reset) => {
                let (ordered, due) = (PgTimestamp(reset.ordered_at), PgTimestamp(reset.due_at));
                run(tx, SET_RESET, &[id, &ordered, &due]).await?
            }
            FactorChange::NoTotp => run(tx, NO_TOTP, &[id]).await?,
            FactorChange::NoCodes => run(tx, NO_CODES, &[id]).await?,
            FactorChange::NoPasskey(passkey) => run(tx, NO_PASSKEY, &[passkey.as_uuid()]).await?,
            FactorChange::NoReset => run(tx, NO_RESET, &[id]).await?,
            FactorChange::SetUp(factors) => {
                run(tx, SET_UP, &[id, &i64::from(factors.bits())]).await?
            }
        };
    }
    Ok(())
}

async fn set_passkey(tx: &Transaction<'_>, passkey: &Passkey) -> Result<u64, PostgresError> {
    let credential = &passkey.credential;
    let row: [&dyn Param; 13] = [
        passkey.id.as_uuid(),
        passkey.user.as_uuid(),
        &passkey.name.as_str(),
        &credential.id.as_bytes(),
        &credential.key.as_bytes(),
        &i64::from(credential.algorithm),
        &credential.aaguid,
        &i64::from(credential.counter),
        &credential.backup_eligible,
        &credential.backed_up,
        &credential.transports.to_string(),
        &PgTimestamp(passkey.created_at),
        &passkey.used_at.map(PgTimestamp),
    ];
    Ok(run(tx, SET_PASSKEY, &row).await?)
}

/// Deletes all that an account has here, but for what its row says.
pub(in crate::postgres) async fn forget(
    tx: &Transaction<'_>,
    user: UserId,
) -> Result<(), PostgresError> {
    run(tx, FORGET, &[user.as_uuid()]).await?;
    Ok(())
}

/// Whether an account has that credential.
pub(super) async fn has_credential(
    tx: &Transaction<'_>,
    credential: &CredentialId,
) -> Result<bool, PostgresError> {
    Ok(run(tx, CREDENTIAL, &[&credential.as_bytes()]).await? > 0)
}

/// The challenge, if it has not expired. It is locked: of several that spend it one finds it.
pub(super) async fn lock(
    tx: &Transaction<'_>,
    challenge: ChallengeId,
    at: Timestamp,
) -> Result<Option<Challenge>, PostgresError> {
    let lock = tx.prepare_cached(LOCK).await?;
    let asked: [&dyn Param; 2] = [challenge.as_uuid(), &PgTimestamp(at)];
    let found = tx.query_opt(&lock, &asked).await?;
    Ok(found.map(|row| sql::challenge(&row)).transpose()?)
}

/// Stores a challenge in the place of the oldest of its scope that are too many. A scope is of one account, whose lock its caller holds.
pub(in crate::postgres) async fn open(
    tx: &Transaction<'_>,
    new: &Challenge,
) -> Result<(), PostgresError> {
    let scope = new.scope();
    if let Some(scope) = &scope {
        let others = i64::try_from(new.most() - 1).unwrap_or(i64::MAX);
        run(tx, MAKE_ROOM, &[scope, &others]).await?;
    }
    let (user, device) = (new.user.as_ref(), new.device.as_ref());
    let session = user.and_then(|user| user.session.as_ref());
    let row: [&dyn Param; 14] = [
        new.id.as_uuid(),
        &new.kind.as_str(),
        &scope,
        &user.map(|user| user.id.as_uuid()),
        &user.map(|user| i64::from(user.epoch.number())),
        &session.map(SessionId::as_uuid),
        &device.map(|device| device.id.as_uuid()),
        &device.map(|device| device.is_known),
        &new.device_name.as_ref().map(Label::as_str),
        &new.proved.as_ref().map(AuthMethods::to_string),
        &new.ceremony.as_ref().map(CeremonyState::as_bytes),
        &PgTimestamp(new.created_at),
        &PgTimestamp(new.expires_at),
        &i64::from(new.attempts_left),
    ];
    run(tx, OPEN, &row).await?;
    Ok(())
}

/// Deletes a challenge.
pub(super) async fn spend(
    tx: &Transaction<'_>,
    challenge: ChallengeId,
) -> Result<(), PostgresError> {
    run(tx, SPEND, &[challenge.as_uuid()]).await?;
    Ok(())
}

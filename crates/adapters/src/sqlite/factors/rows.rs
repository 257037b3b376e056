//! The rows of factors and challenges.

use crate::{
    sql::{self, FactorChange, challenge_columns, factors_of},
    sqlite::{
        error::SqliteError,
        query::{all, exists, first, run},
    },
};
use revolve_domain::model::{
    AccountFactors, AuthMethods, CeremonyState, Challenge, ChallengeId, CredentialId, DeviceId,
    Label, Passkey, RecoveryCodes, SessionId, Timestamp, UserId,
};
use rusqlite::{Connection, params};

const OF: &str = factors_of!("?1");
const CREDENTIAL: &str = "SELECT 1 FROM passkeys WHERE credential_id = ?1";

const SET_TOTP: &str = "
    INSERT INTO totp_secrets (user_id, sealed, created_at, confirmed_at, last_step) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (user_id) DO UPDATE SET sealed = ?2, created_at = ?3, confirmed_at = ?4, last_step = ?5";
const SET_CODES: &str = "
    INSERT INTO recovery_codes (user_id, sealed, macs, created_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (user_id) DO UPDATE SET sealed = ?2, macs = ?3, created_at = ?4";
const SET_PASSKEY: &str = "
    INSERT INTO passkeys (id, user_id, name, credential_id, public_key, algorithm, aaguid, counter, backup_eligible, backed_up, transports,
        created_at, used_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT (id) DO UPDATE SET name = ?3, counter = ?8, backed_up = ?10, used_at = ?13";
const SET_RESET: &str = "
    INSERT INTO factor_resets (user_id, ordered_at, due_at) VALUES (?1, ?2, ?3)
    ON CONFLICT (user_id) DO UPDATE SET ordered_at = ?2, due_at = ?3";
const NO_TOTP: &str = "DELETE FROM totp_secrets WHERE user_id = ?1";
const NO_CODES: &str = "DELETE FROM recovery_codes WHERE user_id = ?1";
const NO_PASSKEY: &str = "DELETE FROM passkeys WHERE id = ?1";
const NO_RESET: &str = "DELETE FROM factor_resets WHERE user_id = ?1";
const SET_UP: &str = "UPDATE users SET factors = ?2 WHERE id = ?1";
const FORGET: [&str; 5] = [
    NO_TOTP,
    NO_CODES,
    NO_RESET,
    "DELETE FROM passkeys WHERE user_id = ?1",
    "DELETE FROM challenges WHERE user_id = ?1",
];

const FIND: &str = concat!(
    "SELECT ",
    challenge_columns!(),
    " FROM challenges WHERE id = ?1 AND expires_at > ?2"
);
const OPEN: &str = "
    INSERT INTO challenges (id, kind, scope, user_id, epoch, session_id, device_id, device_known, device_name, proved, ceremony, created_at,
        expires_at, attempts_left)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
const MAKE_ROOM: &str = "
    DELETE FROM challenges WHERE id IN (
        SELECT id FROM challenges WHERE scope = ?1 ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?2)";
const SPEND: &str = "DELETE FROM challenges WHERE id = ?1";

/// All factors of an account.
pub(in crate::sqlite) fn read(
    conn: &Connection,
    user: UserId,
) -> Result<AccountFactors, SqliteError> {
    let rows = all(conn, OF, [user.to_string()], sql::factors)?;
    Ok(sql::whole_factors(rows))
}

/// Stores the factors of an account that was made with a passkey.
pub(in crate::sqlite) fn save_first(
    conn: &Connection,
    passkey: &Passkey,
    codes: Option<&RecoveryCodes>,
) -> Result<(), SqliteError> {
    let first = sql::first_factors(passkey, codes);
    save(conn, passkey.user, &AccountFactors::default(), &first)
}

/// Writes what makes `after` of `before`.
pub(in crate::sqlite) fn save(
    conn: &Connection,
    user: UserId,
    before: &AccountFactors,
    after: &AccountFactors,
) -> Result<(), SqliteError> {
    let id = user.to_string();
    for change in FactorChange::between(before, after) {
        match change {
            FactorChange::Totp(totp) => {
                let step = totp.last_step.map(|step| step.number().cast_signed());
                let (made, confirmed) = (totp.created_at, totp.confirmed_at);
                let row = params![
                    id,
                    totp.sealed.as_bytes(),
                    made.as_millis(),
                    confirmed.map(Timestamp::as_millis),
                    step,
                ];
                run(conn, SET_TOTP, row)
            }
            FactorChange::Codes(codes) => {
                let (key, made) = (codes.key.as_bytes(), codes.created_at.as_millis());
                let row = params![id, key, sql::stored_macs(codes), made];
                run(conn, SET_CODES, row)
            }
            FactorChange::Passkey(passkey) => set_passkey(conn, passkey),
            FactorChange::Reset(reset) => {
                let (ordered, due) = (reset.ordered_at.as_millis(), reset.due_at.as_millis());
                run(conn, SET_RESET, params![id, ordered, due])
            }
            FactorChange::NoTotp => run(conn, NO_TOTP, [&id]),
            FactorChange::NoCodes => run(conn, NO_CODES, [&id]),
            FactorChange::NoPasskey(passkey) => run(conn, NO_PASSKEY, [passkey.to_string()]),
            FactorChange::NoReset => run(conn, NO_RESET, [&id]),
            FactorChange::SetUp(factors) => run(conn, SET_UP, params![id, factors.bits()]),
        }?;
    }
    Ok(())
}

fn set_passkey(conn: &Connection, passkey: &Passkey) -> Result<usize, SqliteError> {
    let credential = &passkey.credential;
    let row = params![
        passkey.id.to_string(),
        passkey.user.to_string(),
        passkey.name.as_str(),
        credential.id.as_bytes(),
        credential.key.as_bytes(),
        credential.algorithm,
        credential.aaguid.to_string(),
        credential.counter,
        credential.backup_eligible,
        credential.backed_up,
        credential.transports.to_string(),
        passkey.created_at.as_millis(),
        passkey.used_at.map(Timestamp::as_millis),
    ];
    run(conn, SET_PASSKEY, row)
}

/// Deletes all that an account has here, but for what its row says.
pub(in crate::sqlite) fn forget(conn: &Connection, user: &str) -> Result<(), SqliteError> {
    for statement in FORGET {
        run(conn, statement, [user])?;
    }
    Ok(())
}

/// Whether an account has that credential.
pub(in crate::sqlite) fn has_credential(
    conn: &Connection,
    credential: &CredentialId,
) -> Result<bool, SqliteError> {
    exists(conn, CREDENTIAL, [credential.as_bytes()])
}

/// The challenge, if it has not expired.
pub(super) fn find(
    conn: &Connection,
    challenge: ChallengeId,
    at: Timestamp,
) -> Result<Option<Challenge>, SqliteError> {
    let asked = params![challenge.to_string(), at.as_millis()];
    first(conn, FIND, asked, sql::challenge)
}

/// Stores a challenge in the place of the oldest of its scope that are too many.
pub(in crate::sqlite) fn open(conn: &Connection, new: &Challenge) -> Result<(), SqliteError> {
    let scope = new.scope();
    if let Some(scope) = &scope {
        let others = i64::try_from(new.most() - 1).unwrap_or(i64::MAX);
        run(conn, MAKE_ROOM, params![scope, others])?;
    }
    let (user, device) = (new.user.as_ref(), new.device.as_ref());
    let session = user.and_then(|user| user.session);
    let row = params![
        new.id.to_string(),
        new.kind.as_str(),
        scope,
        user.map(|user| user.id.to_string()),
        user.map(|user| user.epoch.number()),
        session.as_ref().map(SessionId::to_string),
        device.map(|device| DeviceId::to_string(&device.id)),
        device.map(|device| device.is_known),
        new.device_name.as_ref().map(Label::as_str),
        new.proved.as_ref().map(AuthMethods::to_string),
        new.ceremony.as_ref().map(CeremonyState::as_bytes),
        new.created_at.as_millis(),
        new.expires_at.as_millis(),
        new.attempts_left,
    ];
    run(conn, OPEN, row).map(drop)
}

/// Deletes a challenge.
pub(super) fn spend(conn: &Connection, challenge: ChallengeId) -> Result<(), SqliteError> {
    run(conn, SPEND, [challenge.to_string()]).map(drop)
}

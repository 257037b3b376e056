//! What the file has about one account.

use super::{error::SqliteError, factors, query::all};
use crate::sql::{
    self, challenge_columns, delivery_columns, proof_columns, session_columns, user_columns,
};
use revolve_domain::{model::UserId, ports::PersonalData};
use rusqlite::Connection;

const USER: &str = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = ?1");
pub(super) const SESSIONS: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s WHERE s.user_id = ?1 ORDER BY s.began_at DESC, s.id DESC"
);
const DEVICES: &str = "
    SELECT device_id, signed_in_at FROM known_devices WHERE user_id = ?1 ORDER BY signed_in_at DESC, device_id DESC";
const CHALLENGES: &str = concat!(
    "SELECT ",
    challenge_columns!(),
    " FROM challenges WHERE user_id = ?1 ORDER BY created_at DESC, id DESC"
);
const PROOFS: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE user_id = ?1 ORDER BY created_at DESC, id DESC"
);
const MAILS: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM deliveries WHERE user_id = ?1 ORDER BY created_at DESC, id DESC"
);
const QUIET: &str = "
    SELECT kind, email, CAST(NULL AS text) AS email_typed, until FROM quiet_notices WHERE user_id = ?1 ORDER BY kind, email";

/// Several statements, which see one state of the file.
pub(super) fn read(conn: &Connection, user: UserId) -> Result<Option<PersonalData>, SqliteError> {
    let view = conn.unchecked_transaction()?;
    let id = user.to_string();
    let Some(user) = all(&view, USER, [&id], sql::user)?.pop() else {
        return Ok(None);
    };
    Ok(Some(PersonalData {
        sessions: all(&view, SESSIONS, [&id], sql::session)?,
        devices: all(&view, DEVICES, [&id], sql::remembered_device)?,
        factors: factors::read(&view, user.id)?,
        challenges: all(&view, CHALLENGES, [&id], sql::challenge)?,
        proofs: all(&view, PROOFS, [&id], sql::proof)?,
        mails: all(&view, MAILS, [&id], sql::delivery)?,
        quiet: all(&view, QUIET, [&id], sql::quiet_notice)?,
        user,
    }))
}

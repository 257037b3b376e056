//! The row of a new session, and the sessions that a sign-in ends.

use super::{
    error::SqliteError,
    query::{all, exists, run},
};
use crate::sql;
use revolve_domain::{
    model::{DeviceId, Label, Session, Timestamp, WebOrigin},
    ports::{BeginOutcome, BeginSession},
};
use rusqlite::{Connection, named_params, params};
use std::fmt::Write as _;

/// `?3` is the device that the client keeps, or null; `?4` says whether the account must have no factor (`factors::may_begin`).
const MAY_BEGIN: &str = "
    SELECT 1 FROM users WHERE id = ?1 AND session_epoch = ?2 AND disabled_at IS NULL AND NOT (?4 AND factors <> 0) AND (?3 IS NULL OR EXISTS (
        SELECT 1 FROM known_devices WHERE user_id = ?1 AND device_id = ?3 AND epoch >= ?2))";

/// Replaced on one of the devices by the same client, else expired, else evicted from rank `:max_live` on. `:refreshed` holds the
/// white list's sessions and when
/// they were refreshed, as JSON.
const MAKE_ROOM: &str = "
    WITH refreshed AS (
        SELECT value ->> 0 AS id, value ->> 1 AS at FROM json_each(:refreshed)
    ), standing AS (
        SELECT s.id, coalesce(r.at, s.began_at) AS last_used,
            CASE WHEN s.device_id IN (SELECT value FROM json_each(:devices)) AND s.origin IS :origin THEN 'replaced'
                 WHEN s.ends_at <= :now OR (r.id IS NULL AND s.began_at < :begun_since) THEN 'expired'
            END AS reason
        FROM sessions s LEFT JOIN refreshed r ON r.id = s.id
        WHERE s.user_id = :user AND s.ended_at IS NULL
    ), decided AS (
        SELECT id, CASE WHEN reason IS NOT NULL THEN reason
            WHEN row_number() OVER (PARTITION BY reason IS NULL ORDER BY last_used DESC, id DESC) >= :max_live THEN 'evicted'
            END AS reason
        FROM standing
    )
    UPDATE sessions SET ended_at = :now, end_reason = decided.reason FROM decided
    WHERE sessions.id = decided.id AND decided.reason IS NOT NULL
    RETURNING id AS session_id, end_reason";

const INSERT: &str = "
    INSERT INTO sessions (id, user_id, device_id, device_name, user_agent, address, epoch, began_at, ends_at, bound_at, ended_at, end_reason, origin,
        amr)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";

const DROP_OLDEST: &str = "
    DELETE FROM sessions WHERE ended_at < ?3 AND id IN (
        SELECT id FROM sessions WHERE user_id = ?1 AND ended_at IS NOT NULL
        ORDER BY ended_at DESC, began_at DESC, id DESC LIMIT -1 OFFSET ?2)";

/// A device on which reuse was found, whose epoch is null, stays as it is.
const KNOW_DEVICE: &str = "
    INSERT INTO known_devices (user_id, device_id, signed_in_at, epoch) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (user_id, device_id) DO UPDATE SET signed_in_at = excluded.signed_in_at,
        epoch = CASE WHEN known_devices.epoch IS NOT NULL THEN excluded.epoch END";

const FORGET_FORMER: &str = "
    DELETE FROM known_devices WHERE user_id = ?1 AND device_id IN (SELECT value FROM json_each(?2))";

/// The device of this sign-in, `?2`, is kept.
const FORGET_OLDEST: &str = "
    DELETE FROM known_devices WHERE user_id = ?1 AND device_id IN (
        SELECT device_id FROM known_devices WHERE user_id = ?1 AND device_id <> ?2
        ORDER BY signed_in_at DESC, device_id DESC LIMIT -1 OFFSET ?3)";

/// `SessionRepository::begin`.
pub(super) fn begin(conn: &Connection, begin: &BeginSession) -> Result<BeginOutcome, SqliteError> {
    let new = &begin.session;
    let user = new.user.to_string();
    let kept = begin.kept_device().map(|device| device.to_string());
    let asked = params![user, new.epoch.number(), kept, begin.unless_factor];
    if !exists(conn, MAY_BEGIN, asked)? {
        return Ok(BeginOutcome::Superseded);
    }
    let room = named_params! {
        ":user": user,
        ":devices": json(begin.former_devices.iter().chain([&new.device])),
        ":origin": new.client.origin.as_ref().map(WebOrigin::as_str),
        ":now": new.began_at.as_millis(),
        ":begun_since": new.began_at.minus(begin.idle).as_millis(),
        ":max_live": i64::try_from(begin.max_live).unwrap_or(i64::MAX),
        ":refreshed": refreshed(begin),
    };
    let ended = all(conn, MAKE_ROOM, room, sql::ended_session)?;
    insert(conn, new)?;
    know_device(conn, new)?;
    let former = json(&begin.former_devices);
    run(conn, FORGET_FORMER, params![user, former])?;
    let others = i64::try_from(begin.max_devices.saturating_sub(1)).unwrap_or(i64::MAX);
    run(
        conn,
        FORGET_OLDEST,
        params![user, new.device.to_string(), others],
    )?;
    run(
        conn,
        DROP_OLDEST,
        params![
            user,
            i64::try_from(begin.max_ended).unwrap_or(i64::MAX),
            begin.settled.as_millis()
        ],
    )?;
    Ok(sql::begun(&ended))
}

/// Stores a session as it is.
pub(super) fn insert(conn: &Connection, session: &Session) -> Result<(), SqliteError> {
    let row = params![
        session.id.to_string(),
        session.user.to_string(),
        session.device.to_string(),
        session.device_name.as_ref().map(Label::as_str),
        session.client.user_agent.as_ref().map(Label::as_str),
        session.client.address.map(|address| address.to_string()),
        session.epoch.number(),
        session.began_at.as_millis(),
        session.ends_at.as_millis(),
        session.bound_at.map(Timestamp::as_millis),
        session.ending.map(|ending| ending.at.as_millis()),
        session.ending.map(|ending| ending.reason.name()),
        session.client.origin.as_ref().map(WebOrigin::as_str),
        session.authenticated_by.to_string(),
    ];
    run(conn, INSERT, row).map(drop)
}

/// Remembers the device of a session as one that its user has signed in on.
pub(super) fn know_device(conn: &Connection, session: &Session) -> Result<(), SqliteError> {
    let row = params![
        session.user.to_string(),
        session.device.to_string(),
        session.began_at.as_millis(),
        session.epoch.number(),
    ];
    run(conn, KNOW_DEVICE, row).map(drop)
}

/// Devices as JSON.
pub(super) fn json<'a>(devices: impl IntoIterator<Item = &'a DeviceId>) -> String {
    let quoted = devices.into_iter().map(|device| format!("\"{device}\""));
    format!("[{}]", quoted.collect::<Vec<_>>().join(","))
}

/// Ids and numbers need no escapes.
fn refreshed(begin: &BeginSession) -> String {
    let mut json = String::from("[");
    for (i, (session, at)) in begin.refreshed.iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(json, "{comma}[\"{session}\",{}]", at.as_millis());
    }
    json.push(']');
    json
}

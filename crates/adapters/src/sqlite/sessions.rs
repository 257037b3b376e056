//! The rows of sessions.

use super::{
    SqliteStore,
    begin::{begin, json},
    error::SqliteError,
    query::{all, exists, first, run},
};
use crate::sql::{
    self, FoundRevocations, RaiseEpoch, account_columns, session_columns, user_columns,
};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        DeviceId, EndReason, Epoch, PasswordHash, Session, SessionId, SessionRecord, Timestamp,
        User, UserId,
    },
    ports::{Asking, BeginOutcome, BeginSession, EndOutcome, SessionRepository, StoreError},
    revocations::{RevocationQuery, Revocations},
};
use rusqlite::{Connection, named_params, params};

const FIND: &str = concat!(
    "SELECT ",
    session_columns!(),
    ", ",
    account_columns!(),
    " FROM sessions s LEFT JOIN users u ON u.id = s.user_id WHERE s.id = ?2 AND s.user_id = ?1"
);
/// Of the devices `?3` its own, else the first that was signed in on under its epoch.
const BIND: &str = "
    UPDATE sessions SET device_id = candidate.device_id, bound_at = coalesce(sessions.bound_at, ?4)
    FROM (
        SELECT s.id, shown.value AS device_id FROM sessions s, json_each(?3) AS shown
        WHERE s.id = ?2 AND s.user_id = ?1 AND (shown.value = s.device_id OR s.bound_at IS NULL AND EXISTS (
            SELECT 1 FROM known_devices k WHERE k.user_id = ?1 AND k.device_id = shown.value AND k.epoch >= s.epoch))
        ORDER BY shown.value <> s.device_id, shown.key LIMIT 1
    ) AS candidate
    WHERE sessions.id = candidate.id
    RETURNING device_id";
/// Reuse was found: there may be a copy of the credential, also if the session has ended since.
const COPIED: &str = "
    UPDATE known_devices SET epoch = NULL
    WHERE user_id = ?1 AND device_id = (SELECT device_id FROM sessions WHERE id = ?2 AND user_id = ?1)";
const END: &str = "UPDATE sessions SET ended_at = ?3, end_reason = ?4 WHERE id = ?2 AND user_id = ?1 AND ended_at IS NULL";
const KNOWN: &str = "SELECT 1 FROM sessions WHERE id = ?2 AND user_id = ?1";
const USER: &str = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = ?1");
const LIVES: &str = "
    SELECT 1 FROM sessions
    WHERE id = ?2 AND user_id = ?1 AND ended_at IS NULL AND ends_at > ?3 AND (epoch >= ?4 OR id = ?5)";
const RAISE: &str = "
    UPDATE users SET session_epoch = ?2, kept_sid = ?3, password_hash = coalesce(?4, password_hash), epoch_raised_at = ?5
    WHERE id = ?1";
/// Rows that have ended keep their first reason.
const END_OTHERS: &str = "
    UPDATE sessions SET ended_at = ?3, end_reason = ?4 WHERE user_id = ?1 AND ended_at IS NULL AND id IS NOT ?2";
const LIVE: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = ?1 AND s.ended_at IS NULL AND s.ends_at > ?2 \
     AND (s.epoch >= u.session_epoch OR s.id = u.kept_sid) ORDER BY s.began_at DESC, s.id DESC"
);
/// What the statement sees: all ends up to the last.
macro_rules! snapshot {
    () => {
        "SELECT printf('%d:%d:', last + 1, last + 1) AS snapshot, :source AS source, NULL AS session_id, NULL AS user_id,
            NULL AS ended_at, NULL AS ended_in, NULL AS session_epoch, NULL AS kept_sid, NULL AS epoch_raised_at, NULL AS outdated_before
        FROM session_ends"
    };
}
/// One statement, so that all is read as of one instant.
const EVERYTHING_REVOKED: &str = concat!(
    snapshot!(),
    "
    UNION ALL
    SELECT NULL, NULL, id, user_id, ended_at, ended_in, NULL, NULL, NULL, NULL FROM sessions WHERE ended_at >= :since
    UNION ALL
    SELECT NULL, NULL, NULL, id, NULL, NULL, session_epoch, kept_sid, epoch_raised_at, NULL FROM users WHERE epoch_raised_at >= :since
    UNION ALL
    SELECT NULL, NULL, NULL, id, outdated_at, outdated_in, NULL, NULL, NULL, outdated_before FROM users WHERE outdated_at >= :since
    UNION ALL
    SELECT NULL, NULL, s.id, crowded.user_id, NULL, NULL, NULL, NULL, NULL, NULL
    FROM (SELECT user_id FROM sessions WHERE ended_at >= :since GROUP BY user_id HAVING count(*) >= :crowded) crowded
    LEFT JOIN sessions s ON s.user_id = crowded.user_id AND s.ended_at IS NULL"
);
/// The `+` keeps the indices of times out of it.
const UNSEEN_REVOKED: &str = concat!(
    snapshot!(),
    "
    UNION ALL
    SELECT NULL, NULL, s.id, s.user_id, s.ended_at, s.ended_in, u.session_epoch, u.kept_sid, u.epoch_raised_at, NULL
    FROM sessions s LEFT JOIN users u ON u.id = s.user_id AND u.epoch_raised_at >= :since
    WHERE +s.ended_at >= :since AND s.ended_in >= :none_from
    UNION ALL
    SELECT NULL, NULL, NULL, id, outdated_at, outdated_in, NULL, NULL, NULL, outdated_before
    FROM users WHERE +outdated_at >= :since AND outdated_in >= :none_from"
);
const PRUNE: &str = "
    DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ended_at < ?1 OR ends_at < ?1 LIMIT ?2)";

const PRUNE_DEVICES: &str = "
    DELETE FROM known_devices WHERE (user_id, device_id) IN (
        SELECT user_id, device_id FROM known_devices WHERE signed_in_at < ?1 LIMIT ?2)";

#[async_trait]
impl SessionRepository for SqliteStore {
    async fn find(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let find = move |conn: &Connection| {
            first(
                conn,
                FIND,
                [user.to_string(), session.to_string()],
                sql::session_record,
            )
        };
        self.look_up("read a session", find).await
    }

    async fn begin(
        &self,
        new: &BeginSession,
        tell: &Tell<BeginOutcome>,
    ) -> Result<BeginOutcome, StoreError> {
        let new = new.clone();
        self.change("begin a session", tell, move |conn| begin(conn, &new))
            .await
    }

    async fn bind(
        &self,
        user: UserId,
        session: SessionId,
        devices: &[DeviceId],
        at: Timestamp,
        tell: &Tell<Option<DeviceId>>,
    ) -> Result<Option<DeviceId>, StoreError> {
        let devices = json(devices);
        let bind = move |conn: &Connection| {
            let params = params![
                user.to_string(),
                session.to_string(),
                devices,
                at.as_millis()
            ];
            Ok(all(conn, BIND, params, sql::bound_device)?.first().copied())
        };
        self.change("bind a session", tell, bind).await
    }

    async fn end(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<EndOutcome>,
    ) -> Result<EndOutcome, StoreError> {
        let end = move |conn: &Connection| {
            let (user, session) = (user.to_string(), session.to_string());
            if reason == EndReason::Reused {
                run(conn, COPIED, [&user, &session])?;
            }
            Ok(
                if run(
                    conn,
                    END,
                    params![user, session, at.as_millis(), reason.name()],
                )? > 0
                {
                    EndOutcome::Ended
                } else if exists(conn, KNOWN, [user, session])? {
                    EndOutcome::AlreadyEnded
                } else {
                    EndOutcome::NotFound
                },
            )
        };
        self.change("end a session", tell, end).await
    }

    async fn end_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<Option<Epoch>>,
    ) -> Result<Option<Epoch>, StoreError> {
        let end_all = move |conn: &Connection| {
            let Some(user) = first(conn, USER, [user.to_string()], sql::user)? else {
                return Ok(None);
            };
            if let Some(kept) = kept
                && !lives(conn, &user, kept, at)?
            {
                return Ok(None);
            }
            raise(
                conn,
                &user,
                &RaiseEpoch {
                    kept,
                    hash: None,
                    reason,
                    at,
                },
            )
            .map(Some)
        };
        self.change("end sessions", tell, end_all).await
    }

    async fn live(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let live = move |conn: &Connection| {
            all(
                conn,
                LIVE,
                params![user.to_string(), now.as_millis()],
                sql::session,
            )
        };
        self.read("list sessions", live).await
    }

    async fn revoked(&self, query: &RevocationQuery) -> Result<Revocations, StoreError> {
        let (query, source) = (query.clone(), self.inner.opened_at.as_millis());
        let revoked = move |conn: &Connection| {
            let mut found = FoundRevocations::default();
            let add = |row: &dyn sql::SqlRow| sql::revocation(row, &mut found);
            let since = query.since.as_millis();
            if let Some(seen) = &query.unseen_by {
                let none_from = i64::try_from(seen.none_from()).unwrap_or(i64::MAX);
                let params =
                    named_params! { ":source": source, ":since": since, ":none_from": none_from };
                all(conn, UNSEEN_REVOKED, params, add)?;
            } else {
                let crowded = i64::try_from(query.crowded).unwrap_or(i64::MAX);
                let params =
                    named_params! { ":source": source, ":since": since, ":crowded": crowded };
                all(conn, EVERYTHING_REVOKED, params, add)?;
            }
            Ok(found.whole()?)
        };
        self.read("read what was revoked", revoked).await
    }

    async fn prune_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let prune = move |conn: &Connection| {
            run(conn, PRUNE_DEVICES, params![before.as_millis(), limit]).map(|pruned| pruned as u64)
        };
        self.write("forget devices", prune).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let prune = move |conn: &Connection| {
            run(conn, PRUNE, params![before.as_millis(), limit]).map(|pruned| pruned as u64)
        };
        self.write("prune sessions", prune).await
    }
}

/// Whether the session has not ended, is not past its absolute end, and survives its user's epoch.
fn lives(
    conn: &Connection,
    user: &User,
    session: SessionId,
    now: Timestamp,
) -> Result<bool, SqliteError> {
    let kept = user.kept_session.as_ref().map(SessionId::to_string);
    let params = params![
        user.id.to_string(),
        session.to_string(),
        now.as_millis(),
        user.epoch.number(),
        kept
    ];
    exists(conn, LIVES, params)
}

/// Whether the session that asks lives, and the password that it has shown is the present one.
pub(super) fn admits(
    conn: &Connection,
    user: &User,
    asking: Asking,
    now: Timestamp,
) -> Result<bool, SqliteError> {
    let is_present = asking.epoch.is_none_or(|epoch| epoch == user.epoch);
    Ok(is_present && lives(conn, user, asking.session, now)?)
}

/// Raises the epoch and ends the sessions.
pub(super) fn raise(
    conn: &Connection,
    user: &User,
    raise: &RaiseEpoch<'_>,
) -> Result<Epoch, SqliteError> {
    let (id, kept) = (
        user.id.to_string(),
        raise.kept.as_ref().map(SessionId::to_string),
    );
    let epoch = user.epoch.next();
    run(
        conn,
        RAISE,
        params![
            id,
            epoch.number(),
            kept,
            raise.hash.map(PasswordHash::expose),
            raise.at.as_millis()
        ],
    )?;
    run(
        conn,
        END_OTHERS,
        params![id, kept, raise.at.as_millis(), raise.reason.name()],
    )?;
    Ok(epoch)
}

//! The white list. The state machine of rotation is the domain's; here it runs inside a transaction, on the store's clock.

use super::{
    SqliteStore,
    error::SqliteError,
    query::{all, first, run},
};
use crate::sql::{CorruptRow, RowReader, SqlRow};
use async_trait::async_trait;
use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, Timestamp, UserId},
    ports::{LiveSession, NewLiveSession, StoreError, TokenRepository},
    rotation::{Entry, LiveToken, Rotation, RotationOutcome, Write, step},
};
use rusqlite::{Connection, params};

/// What [`read_entry`] reads.
macro_rules! entry_columns {
    () => {
        "session_id, gen, iat, exp, did, parent_iat, epoch, rotated_at, dies_at, late, charged, reused"
    };
}

const ENTRY: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM white_list WHERE user_id = ?1 AND session_id = ?2"
);
const LIVE: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM white_list WHERE user_id = ?1 AND dies_at > ?2 AND NOT reused"
);
const PUT: &str = "
    INSERT INTO white_list (user_id, session_id, gen, iat, exp, did, parent_iat, epoch, rotated_at, dies_at, late, charged, reused)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT (user_id, session_id) DO UPDATE SET gen = excluded.gen, iat = excluded.iat, exp = excluded.exp, did = excluded.did,
        parent_iat = excluded.parent_iat, epoch = excluded.epoch, rotated_at = excluded.rotated_at, dies_at = excluded.dies_at, late = excluded.late,
        charged = excluded.charged, reused = excluded.reused";
const REMOVE: &str = "DELETE FROM white_list WHERE user_id = ?1 AND session_id = ?2";
const REMOVE_OLDER: &str =
    "DELETE FROM white_list WHERE user_id = ?1 AND epoch < ?2 AND session_id IS NOT ?3";
const REMOVE_OWN_DEAD: &str = "DELETE FROM white_list WHERE user_id = ?1 AND dies_at <= ?2";
const REMOVE_OVER: &str = "
    DELETE FROM white_list WHERE user_id = ?1 AND session_id IN (
        SELECT session_id FROM white_list WHERE user_id = ?1 AND NOT reused ORDER BY rotated_at DESC, session_id DESC LIMIT -1 OFFSET ?2)";

/// Every sign-in adds one entry and removes up to so many dead ones of any user: the table can't grow without bound, and
/// no sign-in pays for many others.
const REMOVE_ANY_DEAD: &str = "
    DELETE FROM white_list WHERE (user_id, session_id) IN (
        SELECT user_id, session_id FROM white_list WHERE dies_at <= ?1 ORDER BY dies_at LIMIT 8)";

#[async_trait]
impl TokenRepository for SqliteStore {
    async fn begin(&self, new: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        let clock = self.inner.clock.clone();
        self.write("white-list a session", move |conn| {
            begin(conn, &new, clock.now())
        })
        .await
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        let (clock, rotation) = (self.inner.clock.clone(), *rotation);
        self.write("rotate a token", move |conn| {
            rotate(conn, &rotation, clock.now())
        })
        .await
    }

    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError> {
        let sessions = sessions.to_vec();
        let end = move |conn: &Connection| {
            sessions
                .iter()
                .try_for_each(|&session| remove(conn, user, session))
        };
        self.write("take sessions off the white list", end).await
    }

    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let kept = kept.as_ref().map(SessionId::to_string);
        let end = move |conn: &Connection| {
            run(
                conn,
                REMOVE_OLDER,
                params![user.to_string(), epoch.number(), kept],
            )
            .map(drop)
        };
        self.write("take older sessions off the white list", end)
            .await
    }

    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        let now = self.inner.clock.now();
        self.read("list the white list", move |conn| live(conn, user, now))
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.answer().await
    }
}

fn begin(
    conn: &Connection,
    new: &NewLiveSession,
    now: Timestamp,
) -> Result<Vec<LiveSession>, SqliteError> {
    let user = new.user.to_string();
    run(conn, REMOVE_OWN_DEAD, params![user, now.as_millis()])?;
    run(conn, REMOVE_ANY_DEAD, [now.as_millis()])?;
    remove(conn, new.user, new.session)?;
    let others = i64::try_from(new.ceiling.saturating_sub(1)).unwrap_or(i64::MAX);
    run(conn, REMOVE_OVER, params![user, others])?;
    let others = live(conn, new.user, now)?;
    put(
        conn,
        new.user,
        new.session,
        &Entry::begin(new.token, new.epoch, now),
    )?;
    Ok(others)
}

fn rotate(
    conn: &Connection,
    rotation: &Rotation,
    now: Timestamp,
) -> Result<RotationOutcome, SqliteError> {
    let (user, session) = (rotation.user, rotation.session);
    let found = first(
        conn,
        ENTRY,
        [user.to_string(), session.to_string()],
        read_entry,
    )?
    .map(|(_, entry)| entry);
    let (outcome, write) = step(found.as_ref(), rotation, now);
    match write {
        Write::Keep => {}
        Write::Put(entry) => put(conn, user, session, &entry)?,
    }
    Ok(outcome)
}

fn live(conn: &Connection, user: UserId, now: Timestamp) -> Result<Vec<LiveSession>, SqliteError> {
    all(
        conn,
        LIVE,
        params![user.to_string(), now.as_millis()],
        |row| {
            let (session, entry) = read_entry(row)?;
            Ok(LiveSession {
                session,
                token: entry.token,
                refreshed_at: entry.rotated_at,
            })
        },
    )
}

fn put(
    conn: &Connection,
    user: UserId,
    session: SessionId,
    entry: &Entry,
) -> Result<(), SqliteError> {
    let row = params![
        user.to_string(),
        session.to_string(),
        i64::try_from(entry.token.generation.number()).unwrap_or(i64::MAX),
        entry.token.issued_at.as_millis(),
        entry.token.expires_at.as_millis(),
        entry.token.device.as_ref().map(DeviceId::to_string),
        entry.parent_issued_at.map(Timestamp::as_millis),
        entry.epoch.number(),
        entry.rotated_at.as_millis(),
        entry.dies_at.as_millis(),
        entry.late,
        entry.charged,
        entry.reused,
    ];
    run(conn, PUT, row).map(drop)
}

fn remove(conn: &Connection, user: UserId, session: SessionId) -> Result<(), SqliteError> {
    run(conn, REMOVE, [user.to_string(), session.to_string()]).map(drop)
}

/// Reads `entry_columns`.
fn read_entry(row: &dyn SqlRow) -> Result<(SessionId, Entry), CorruptRow> {
    let row = RowReader::new(row, "white_list", "session_id");
    let session = SessionId::from_uuid(row.required("session_id", SqlRow::uuid)?);
    let generation = Generation::new(row.number("gen")?)
        .ok_or_else(|| row.corrupt("gen", "no generation has that number"))?;
    let entry = Entry {
        token: LiveToken {
            generation,
            issued_at: row.required("iat", SqlRow::instant)?,
            expires_at: row.required("exp", SqlRow::instant)?,
            device: row.optional("did", SqlRow::uuid)?.map(DeviceId::from_uuid),
        },
        parent_issued_at: row.optional("parent_iat", SqlRow::instant)?,
        epoch: Epoch::new(row.number("epoch")?),
        rotated_at: row.required("rotated_at", SqlRow::instant)?,
        dies_at: row.required("dies_at", SqlRow::instant)?,
        late: row.number("late")?,
        charged: row.required("charged", SqlRow::boolean)?,
        reused: row.required("reused", SqlRow::boolean)?,
    };
    Ok((session, entry))
}

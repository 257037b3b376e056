//! The outbox. What is due is looked for by a reader: the writer is asked only if there is something.

use super::{
    SqliteStore,
    error::SqliteError,
    query::{all, exists, first, run},
};
use crate::sql::{self, MailRow, delivery_columns};
use async_trait::async_trait;
use revolve_domain::{
    deliveries::{Backlog, Delivery, DeliveryQuery, DeliveryState, KEPT, LeaseRequest, Settled},
    journal::{NewMail, Tell},
    model::{DeliveryId, Timestamp},
    ports::{Deliveries, StoreError},
};
use rusqlite::{Connection, params};

/// A notice waits until the pause of its kind at its mailbox is over, which is no part of its life, and is counted in one that was not tried yet.
/// Behind one that was it is tried no sooner.
const INSERT: &str = "
    INSERT INTO deliveries (id, kind, email, email_typed, domain, locale, user_id, proof_id, facts, created_at, expires_at, notice, due_at,
        next_at, deferred)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 + (due - ?10), ?12, due, max(due, behind), max(due, behind) > ?10
    FROM (SELECT max(?10, coalesce((SELECT until FROM quiet_notices WHERE user_id = ?7 AND kind = ?2 AND email = ?3), ?10)) AS due,
        coalesce((SELECT max(next_at) FROM deliveries
            WHERE ?12 AND user_id = ?7 AND kind = ?2 AND email = ?3 AND notice AND state = 'waiting'), ?10) AS behind)
    WHERE true
    ON CONFLICT (user_id, kind, email) WHERE notice AND state = 'waiting' AND attempts = 0 DO UPDATE
        SET more = more + 1, expires_at = max(expires_at, excluded.expires_at)";

/// The most deliveries that a look finds whose time has come. More are due at once only after a stop of the service.
const WOKEN: u32 = 500;

const HAS_LATE: &str =
    "SELECT 1 FROM deliveries WHERE state = 'waiting' AND deferred AND next_at <= ?1 LIMIT 1";

/// Those whose time has come.
const WAKE: &str = "
    UPDATE deliveries SET deferred = 0 WHERE id IN (
        SELECT id FROM deliveries WHERE state = 'waiting' AND deferred AND next_at <= ?1 ORDER BY next_at LIMIT ?2)";

const NEXT_DOMAIN: &str = "
    SELECT domain FROM deliveries WHERE state = 'waiting' AND NOT deferred AND domain > ?1 ORDER BY domain LIMIT 1";

/// Only the oldest of the notices of an account, kind and mailbox: the others wait until that one was sent, and its pause is over.
const DUE: &str = "
    SELECT d.id AS delivery_id FROM deliveries d
    WHERE d.state = 'waiting' AND NOT d.deferred AND d.domain = ?1 AND d.next_at <= ?2 AND NOT (d.notice AND (
        EXISTS (SELECT 1 FROM quiet_notices q WHERE q.user_id = d.user_id AND q.kind = d.kind AND q.email = d.email AND q.until > ?2)
        OR EXISTS (SELECT 1 FROM deliveries o WHERE o.user_id = d.user_id AND o.kind = d.kind AND o.email = d.email AND o.state = 'waiting'
            AND (o.created_at, o.id) < (d.created_at, d.id))))
    ORDER BY d.next_at LIMIT ?3";

const LEASE: &str = concat!(
    "UPDATE deliveries SET attempts = attempts + 1, leased_until = ?2, next_at = ?2, deferred = 1 WHERE id = ?1 RETURNING ",
    delivery_columns!()
);

const IS_LEASED: &str =
    "SELECT 1 FROM deliveries WHERE id = ?1 AND attempts = ?2 AND leased_until IS NOT NULL";
const DELETE: &str = "DELETE FROM deliveries WHERE id = ?1";
/// Not for an account that is not there any more: its address must not stay behind.
const BEGIN_QUIET: &str = "
    INSERT INTO quiet_notices (user_id, kind, email, until) SELECT id, ?2, ?3, ?4 FROM users WHERE id = ?1
    ON CONFLICT (user_id, kind, email) DO UPDATE SET until = max(until, excluded.until)";
const HOLD: &str = "
    UPDATE deliveries SET due_at = max(due_at, ?4), next_at = max(next_at, ?4), deferred = 1, expires_at = expires_at + (max(due_at, ?4) - due_at)
    WHERE user_id = ?1 AND kind = ?2 AND email = ?3 AND state = 'waiting' AND leased_until IS NULL";

/// Tried again, or given up and forgotten, at `?3`.
const UNSENT: &str = "
    UPDATE deliveries SET state = ?2, next_at = ?3, deferred = 1, leased_until = NULL, last_error = ?4 WHERE id = ?1";

/// A notice behind one that is tried again is tried no sooner.
const BEHIND: &str = "
    UPDATE deliveries SET next_at = max(next_at, ?4), deferred = 1
    WHERE user_id = ?1 AND kind = ?2 AND email = ?3 AND notice AND state = 'waiting' AND leased_until IS NULL";

const DELETE_OF_NOBODY: &str = "
    DELETE FROM deliveries WHERE id = ?1 AND user_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM users WHERE users.id = deliveries.user_id)";

const LIST: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM deliveries WHERE ?1 IS NULL OR state = ?1 ORDER BY due_at, id LIMIT ?2"
);

const FIND: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM deliveries WHERE id = ?1"
);

const RETRY: &str = "
    UPDATE deliveries SET state = 'waiting', next_at = ?2, deferred = 0, due_at = CASE state WHEN 'waiting' THEN due_at ELSE ?2 END,
        expires_at = max(expires_at, ?3), leased_until = NULL
    WHERE id = ?1 AND attempts > 0 AND (leased_until IS NULL OR leased_until <= ?2)";

const FORGET: &str = "DELETE FROM deliveries WHERE user_id = ?1 AND state = 'given_up'";
const FORGET_QUIET: &str = "DELETE FROM quiet_notices WHERE user_id = ?1";

const PRUNE: &str = "
    DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE state = 'given_up' AND next_at <= ?1 LIMIT ?2)";

const PRUNE_QUIET: &str = "
    DELETE FROM quiet_notices
    WHERE (user_id, kind, email) IN (SELECT user_id, kind, email FROM quiet_notices WHERE until <= ?1 LIMIT ?2)";

#[async_trait]
impl Deliveries for SqliteStore {
    async fn insert(&self, at: Timestamp, mails: &[NewMail]) -> Result<(), StoreError> {
        let mails = mails.to_vec();
        self.write("insert mails", move |conn| insert_mails(conn, at, &mails))
            .await
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Vec<Delivery>, StoreError> {
        let asked = request.clone();
        let is_any = self
            .read("look for due deliveries", move |conn| {
                Ok(exists(conn, HAS_LATE, [asked.at.as_millis()])?
                    || !due(conn, &asked)?.is_empty())
            })
            .await?;
        if !is_any {
            return Ok(Vec::new());
        }
        let asked = request.clone();
        self.write("lease deliveries", move |conn| {
            run(conn, WAKE, params![asked.at.as_millis(), WOKEN])?;
            let until = asked.until.as_millis();
            let mut leased = Vec::new();
            for id in due(conn, &asked)? {
                let row = first(conn, LEASE, params![id.to_string(), until], sql::readable)?;
                leased.extend(row.flatten());
            }
            Ok(sql::by_domain(leased))
        })
        .await
    }

    async fn settle(
        &self,
        delivery: &Delivery,
        settled: &Settled,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        let (delivery, settled) = (delivery.clone(), settled.clone());
        self.change("settle a delivery", tell, move |conn| {
            settle(conn, &delivery, &settled)
        })
        .await
    }

    async fn list(&self, query: DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
        self.read("list deliveries", move |conn| {
            let state = query.state.map(DeliveryState::as_str);
            all(conn, LIST, params![state, query.limit], sql::delivery)
        })
        .await
    }

    async fn find(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.read("read a delivery", move |conn| {
            first(conn, FIND, [id.to_string()], sql::delivery)
        })
        .await
    }

    async fn retry(
        &self,
        ids: &[DeliveryId],
        at: Timestamp,
        expires_at: Timestamp,
        tell: &Tell<Vec<DeliveryId>>,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let (at, expires_at) = (at.as_millis(), expires_at.as_millis());
        let ids = ids.to_vec();
        self.change("retry deliveries", tell, move |conn| {
            changed(ids, |id| {
                run(conn, RETRY, params![id.to_string(), at, expires_at])
            })
        })
        .await
    }

    async fn remove(&self, ids: &[DeliveryId]) -> Result<Vec<DeliveryId>, StoreError> {
        let ids = ids.to_vec();
        self.write("remove deliveries", move |conn| {
            changed(ids, |id| run(conn, DELETE, [id.to_string()]))
        })
        .await
    }

    async fn backlog(&self, at: Timestamp) -> Result<Backlog, StoreError> {
        self.read("count deliveries", move |conn| {
            first(conn, sql::BACKLOG, [], |row| sql::backlog(row, at))
                .map(Option::unwrap_or_default)
        })
        .await
    }

    async fn prune(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write("prune deliveries", move |conn| {
            let given_up = run(conn, PRUNE, params![at.as_millis(), limit])?;
            let quiet = run(conn, PRUNE_QUIET, params![at.as_millis(), limit])?;
            Ok(u64::try_from(given_up.max(quiet)).unwrap_or(u64::MAX))
        })
        .await
    }
}

/// The account is deleted: what can't be sent to its owner is of no use any more, nor are pauses.
pub(super) fn forget_mails(conn: &Connection, user: &str) -> Result<(), SqliteError> {
    run(conn, FORGET, [user])?;
    run(conn, FORGET_QUIET, [user]).map(drop)
}

/// Inserts mails with the change that they tell of.
pub(super) fn insert_mails(
    conn: &Connection,
    at: Timestamp,
    mails: &[NewMail],
) -> Result<(), SqliteError> {
    for mail in mails {
        let row = MailRow::from(mail);
        let params = params![
            mail.id.to_string(),
            row.kind,
            row.email,
            row.email_typed,
            row.domain,
            row.locale,
            mail.user.map(|user| user.to_string()),
            mail.proof.map(|proof| proof.to_string()),
            row.facts,
            at.as_millis(),
            mail.expires_at.as_millis(),
            row.notice,
        ];
        run(conn, INSERT, params)?;
    }
    Ok(())
}

/// From domain to domain, of each what is due and has room, until there are as many as may be.
fn due(conn: &Connection, request: &LeaseRequest) -> Result<Vec<DeliveryId>, SqliteError> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let (at, mut domain, mut due) = (request.at.as_millis(), request.after.clone(), Vec::new());
    while due.len() < limit {
        let Some(next) = first(conn, NEXT_DOMAIN, [&domain], sql::domain)? else {
            break;
        };
        domain = next;
        let room = request.fairness.room(&domain);
        due.extend(all(conn, DUE, params![domain, at, room], sql::delivery_id)?);
    }
    due.truncate(limit);
    Ok(due)
}

fn settle(conn: &Connection, delivery: &Delivery, settled: &Settled) -> Result<bool, SqliteError> {
    let id = delivery.mail.id.to_string();
    let ours = exists(conn, IS_LEASED, params![id, delivery.attempts])?;
    match settled {
        Settled::Sent { at } => {
            if run(conn, DELETE, [&id])? > 0 {
                begin_quiet(conn, &delivery.mail, *at)?;
            }
        }
        _ if !ours => {}
        Settled::Dropped => drop(run(conn, DELETE, [&id])?),
        Settled::Again { at, error } => {
            unsent(conn, &id, DeliveryState::Waiting, *at, error)?;
            let mail = &delivery.mail;
            if let Some(user) = mail.user.filter(|_| mail.kind.is_notice()) {
                let (user, key) = (user.to_string(), mail.to.key());
                let behind = params![user, mail.kind.as_str(), key, at.as_millis()];
                run(conn, BEHIND, behind)?;
            }
        }
        Settled::GivenUp { at, error } => {
            unsent(conn, &id, DeliveryState::GivenUp, at.plus(KEPT), error)?;
            run(conn, DELETE_OF_NOBODY, [&id])?;
        }
    }
    Ok(ours)
}

fn begin_quiet(conn: &Connection, mail: &NewMail, at: Timestamp) -> Result<(), SqliteError> {
    if let (Some(user), Some(interval)) = (mail.user, mail.kind.least_interval()) {
        let (user, until) = (user.to_string(), at.plus(interval).as_millis());
        let pause = params![user, mail.kind.as_str(), mail.to.key(), until];
        if run(conn, BEGIN_QUIET, pause)? > 0 {
            run(conn, HOLD, pause)?;
        }
    }
    Ok(())
}

fn unsent(
    conn: &Connection,
    id: &str,
    state: DeliveryState,
    next_at: Timestamp,
    error: &str,
) -> Result<(), SqliteError> {
    run(
        conn,
        UNSENT,
        params![id, state.as_str(), next_at.as_millis(), error],
    )
    .map(drop)
}

/// Those that were changed.
fn changed(
    ids: Vec<DeliveryId>,
    change: impl Fn(&DeliveryId) -> Result<usize, SqliteError>,
) -> Result<Vec<DeliveryId>, SqliteError> {
    let mut done = Vec::new();
    for id in ids {
        if change(&id)? > 0 {
            done.push(id);
        }
    }
    Ok(done)
}

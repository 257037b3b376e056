//! The outbox.

use super::{
    PostgresAccounts,
    database::{Intent, decoded},
    error::PostgresError,
    journal::Single,
    statement::Param,
    transaction::Transaction,
    values::PgTimestamp,
};
use crate::sql::{self, MailRow, delivery_columns};
use async_trait::async_trait;
use revolve_domain::{
    deliveries::{Backlog, Delivery, DeliveryQuery, DeliveryState, KEPT, LeaseRequest, Settled},
    journal::{NewMail, Tell},
    model::{DeliveryId, ProofId, Timestamp, UserId},
    ports::{Deliveries, StoreError},
};
use uuid::Uuid;

/// A notice waits until the pause of its kind at its mailbox is over, which is no part of its life, and is counted in one that was not tried yet.
/// Behind one that was it is tried no sooner.
const INSERT: &str = "
    INSERT INTO deliveries (id, kind, email, email_typed, domain, locale, user_id, proof_id, facts, created_at, expires_at, notice, due_at,
        next_at, deferred)
    SELECT $1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::uuid, $8::uuid, $9::text, $10::timestamptz,
        $11::timestamptz + (pause.due - $10::timestamptz), $12::boolean, pause.due, try.at, try.at > $10::timestamptz
    FROM (SELECT greatest($10::timestamptz,
            (SELECT until FROM quiet_notices WHERE user_id = $7::uuid AND kind = $2::text AND email = $3::text)) AS due) AS pause,
        LATERAL (SELECT greatest(pause.due, (SELECT max(next_at) FROM deliveries
            WHERE $12::boolean AND user_id = $7::uuid AND kind = $2::text AND email = $3::text AND notice AND state = 'waiting')) AS at) AS try
    ON CONFLICT (user_id, kind, email) WHERE notice AND state = 'waiting' AND attempts = 0 DO UPDATE
        SET more = deliveries.more + 1, expires_at = greatest(deliveries.expires_at, excluded.expires_at)";

/// The most deliveries that a look finds whose time has come. More are due at once only after a stop of the service.
const WOKEN: i64 = 500;

/// Those whose time has come.
const WAKE: &str = "
    UPDATE deliveries SET deferred = false WHERE id = ANY (ARRAY(
        SELECT id FROM deliveries WHERE state = 'waiting' AND deferred AND next_at <= $1 ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED))";

/// From domain to domain after `$3`, of each what is due at `$1` and has room: `$5` less what `$6` and `$7` say of it. Only the oldest of the
/// notices of an account, kind and mailbox: the others wait until that one was sent, and its pause is over. It ends with the `$4` that it looks for:
/// each domain has some, unless it has no room, or what it has is a notice behind one that is being sent.
const LEASE: &str = concat!(
    "
    WITH RECURSIVE domains AS (
        (SELECT domain FROM deliveries WHERE state = 'waiting' AND NOT deferred AND domain > $3 ORDER BY domain LIMIT 1)
        UNION ALL
        SELECT (SELECT d.domain FROM deliveries d
            WHERE d.state = 'waiting' AND NOT d.deferred AND d.domain > domains.domain ORDER BY d.domain LIMIT 1)
        FROM domains WHERE domains.domain IS NOT NULL
    ), due AS (
        SELECT next.id AS delivery FROM domains CROSS JOIN LATERAL (
            SELECT d.id FROM deliveries d
            WHERE d.state = 'waiting' AND NOT d.deferred AND d.domain = domains.domain AND d.next_at <= $1 AND NOT (d.notice AND (
                coalesce((SELECT q.until FROM quiet_notices q WHERE q.user_id = d.user_id AND q.kind = d.kind AND q.email = d.email) > $1, false)
                OR EXISTS (SELECT FROM deliveries o WHERE o.user_id = d.user_id AND o.kind = d.kind AND o.email = d.email AND o.state = 'waiting'
                    AND (o.created_at, o.id) < (d.created_at, d.id))))
            ORDER BY d.next_at
            LIMIT greatest(0, $5 - coalesce(
                (SELECT held.count FROM unnest($6::text[], $7::bigint[]) AS held (domain, count) WHERE held.domain = domains.domain), 0))
            FOR UPDATE SKIP LOCKED
        ) next
        LIMIT $4
    )
    UPDATE deliveries SET attempts = attempts + 1, leased_until = $2, next_at = $2, deferred = true FROM due WHERE id = due.delivery RETURNING ",
    delivery_columns!()
);

/// It is deleted, whoever has it by now; `$3` is the end of the pause that it begins, if it is a notice of an account that is there: the address of
/// another must not stay behind. Its row is held until the transaction ends, so that a deletion comes after it or before it.
const SENT: &str = "
    WITH sent AS (
        DELETE FROM deliveries WHERE id = $1 RETURNING user_id, kind, email, attempts, leased_until
    ), gone AS (
        SELECT sent.user_id, sent.kind, sent.email FROM sent JOIN users u ON u.id = sent.user_id
        WHERE $3::timestamptz IS NOT NULL FOR KEY SHARE OF u
    ), quiet AS (
        INSERT INTO quiet_notices AS known (user_id, kind, email, until) SELECT user_id, kind, email, $3::timestamptz FROM gone
        ON CONFLICT (user_id, kind, email) DO UPDATE SET until = greatest(known.until, excluded.until)
    ), held AS (
        UPDATE deliveries d SET due_at = greatest(d.due_at, $3::timestamptz), next_at = greatest(d.next_at, $3::timestamptz), deferred = true,
            expires_at = d.expires_at + (greatest(d.due_at, $3::timestamptz) - d.due_at)
        FROM gone
        WHERE d.user_id = gone.user_id AND d.kind = gone.kind AND d.email = gone.email AND d.id <> $1
            AND d.state = 'waiting' AND d.leased_until IS NULL
    )
    SELECT 1 FROM sent WHERE attempts = $2 AND leased_until IS NOT NULL";

const DROPPED: &str =
    "DELETE FROM deliveries WHERE id = $1 AND attempts = $2 AND leased_until IS NOT NULL";

/// Tried again, or given up and forgotten, at `$4`. A notice behind one that is tried again is tried no sooner.
const UNSENT: &str = "
    WITH unsent AS (
        UPDATE deliveries SET state = $3, next_at = $4, deferred = true, leased_until = NULL, last_error = $5
        WHERE id = $1 AND attempts = $2 AND leased_until IS NOT NULL RETURNING user_id, kind, email, notice, state
    ), behind AS (
        UPDATE deliveries d SET next_at = greatest(d.next_at, $4), deferred = true FROM unsent
        WHERE unsent.notice AND unsent.state = 'waiting' AND d.user_id = unsent.user_id AND d.kind = unsent.kind AND d.email = unsent.email
            AND d.id <> $1 AND d.notice AND d.state = 'waiting' AND d.leased_until IS NULL
    )
    SELECT 1 FROM unsent";

/// Held until the transaction ends, so that a deletion comes after it or before it.
const OWNER: &str = "SELECT 1 FROM users WHERE id = $1 FOR KEY SHARE";

const DELETE: &str = "DELETE FROM deliveries WHERE id = $1";

const LIST: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM deliveries WHERE $1::text IS NULL OR state = $1 ORDER BY due_at, id LIMIT $2"
);

const FIND: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM deliveries WHERE id = $1"
);

const RETRY: &str = "
    UPDATE deliveries SET state = 'waiting', next_at = $2, deferred = false, due_at = CASE state WHEN 'waiting' THEN due_at ELSE $2 END,
        expires_at = greatest(expires_at, $3), leased_until = NULL
    WHERE id = ANY ($1) AND attempts > 0 AND (leased_until IS NULL OR leased_until <= $2)
    RETURNING id AS delivery_id";

const DROP: &str = "DELETE FROM deliveries WHERE id = ANY ($1) RETURNING id AS delivery_id";

const FORGET: &str = "DELETE FROM deliveries WHERE user_id = $1 AND state = 'given_up'";
const FORGET_QUIET: &str = "DELETE FROM quiet_notices WHERE user_id = $1";

/// Rows that are locked come in a later batch: prunings of several replicas don't wait for each other.
const PRUNE: &str = "
    DELETE FROM deliveries WHERE id = ANY (ARRAY(
        SELECT id FROM deliveries WHERE state = 'given_up' AND next_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1";

const PRUNE_QUIET: &str = "
    DELETE FROM quiet_notices q USING (
        SELECT user_id, kind, email FROM quiet_notices WHERE until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED) over
    WHERE q.user_id = over.user_id AND q.kind = over.kind AND q.email = over.email
    RETURNING 1";

#[async_trait]
impl Deliveries for PostgresAccounts {
    async fn insert(&self, at: Timestamp, mails: &[NewMail]) -> Result<(), StoreError> {
        self.db
            .transact("insert mails", &InsertMails { at, mails })
            .await
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Vec<Delivery>, StoreError> {
        let fairness = &request.fairness;
        let (domains, counts): (Vec<String>, Vec<i64>) = fairness
            .held
            .iter()
            .map(|(domain, count)| (domain.clone(), i64::from(*count)))
            .unzip();
        let at = PgTimestamp(request.at);
        let woken = self.db.write(WAKE, &[&at, &WOKEN]).await;
        woken.map_err(|error| self.db.error("lease deliveries", error))?;
        let done = self
            .db
            .write(
                LEASE,
                &[
                    &at,
                    &PgTimestamp(request.until),
                    &request.after,
                    &i64::from(request.limit),
                    &i64::from(fairness.share),
                    &domains,
                    &counts,
                ],
            )
            .await;
        done.and_then(|rows| decoded(&rows, sql::readable))
            .map(|leased| sql::by_domain(leased.into_iter().flatten().collect()))
            .map_err(|error| self.db.error("lease deliveries", error))
    }

    async fn settle(
        &self,
        delivery: &Delivery,
        settled: &Settled,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        self.db
            .change("settle a delivery", Settle { delivery, settled }, tell)
            .await
    }

    async fn list(&self, query: DeliveryQuery) -> Result<Vec<Delivery>, StoreError> {
        let state = query.state.map(DeliveryState::as_str);
        self.db
            .read(
                "list deliveries",
                LIST,
                &[&state, &i64::from(query.limit)],
                sql::delivery,
            )
            .await
    }

    async fn find(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        self.db
            .look_up("read a delivery", FIND, &[id.as_uuid()], sql::delivery)
            .await
    }

    async fn retry(
        &self,
        ids: &[DeliveryId],
        at: Timestamp,
        expires_at: Timestamp,
        tell: &Tell<Vec<DeliveryId>>,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let retry = Single {
            sql: RETRY,
            params: &[&uuids(ids), &PgTimestamp(at), &PgTimestamp(expires_at)],
            outcome: |rows| decoded(rows, sql::delivery_id),
        };
        self.db.change("retry deliveries", retry, tell).await
    }

    async fn remove(&self, ids: &[DeliveryId]) -> Result<Vec<DeliveryId>, StoreError> {
        let done = self.db.write(DROP, &[&uuids(ids)]).await;
        done.and_then(|rows| decoded(&rows, sql::delivery_id))
            .map_err(|error| self.db.error("remove deliveries", error))
    }

    async fn backlog(&self, at: Timestamp) -> Result<Backlog, StoreError> {
        let rows = self
            .db
            .read("count deliveries", sql::BACKLOG, &[], |row| {
                sql::backlog(row, at)
            })
            .await?;
        Ok(rows.first().copied().unwrap_or_default())
    }

    async fn prune(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut most = 0;
        for statement in [PRUNE, PRUNE_QUIET] {
            let done = self
                .db
                .write(statement, &[&PgTimestamp(at), &i64::from(limit)])
                .await;
            let rows = done.map_err(|error| self.db.error("prune deliveries", error))?;
            most = most.max(u64::try_from(rows.len()).unwrap_or(u64::MAX));
        }
        Ok(most)
    }
}

/// `Deliveries::settle`.
struct Settle<'a> {
    delivery: &'a Delivery,
    settled: &'a Settled,
}

impl Intent for Settle<'_> {
    type Answer = bool;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
        let mail = &self.delivery.mail;
        let (id, attempt) = (mail.id.as_uuid(), i64::from(self.delivery.attempts));
        let (state, next_at, error) = match self.settled {
            Settled::Sent { at } => {
                let interval = mail.kind.least_interval();
                let until = interval.map(|interval| PgTimestamp(at.plus(interval)));
                let sent = tx.prepare_cached(SENT).await?;
                let ours = tx.query_opt(&sent, &[id, &attempt, &until]).await?;
                return Ok(ours.is_some());
            }
            Settled::Dropped => {
                let dropped = tx.prepare_cached(DROPPED).await?;
                return Ok(tx.execute(&dropped, &[id, &attempt]).await? > 0);
            }
            Settled::Again { at, error } => (DeliveryState::Waiting, *at, error),
            Settled::GivenUp { at, error } => (DeliveryState::GivenUp, at.plus(KEPT), error),
        };
        let is_kept = state == DeliveryState::Waiting || has_owner(tx, mail.user).await?;
        let unsent = tx.prepare_cached(UNSENT).await?;
        let params: [&dyn Param; 5] = [id, &attempt, &state.as_str(), &PgTimestamp(next_at), error];
        let ours = tx.query_opt(&unsent, &params).await?.is_some();
        if ours && !is_kept {
            let delete = tx.prepare_cached(DELETE).await?;
            tx.execute(&delete, &[id]).await?;
        }
        Ok(ours)
    }
}

/// Whether the account of a mail is there; of a mail of no account nothing was deleted.
async fn has_owner(tx: &Transaction<'_>, user: Option<UserId>) -> Result<bool, PostgresError> {
    let Some(user) = user else {
        return Ok(true);
    };
    let owner = tx.prepare_cached(OWNER).await?;
    Ok(tx.query_opt(&owner, &[user.as_uuid()]).await?.is_some())
}

struct InsertMails<'a> {
    at: Timestamp,
    mails: &'a [NewMail],
}

impl Intent for InsertMails<'_> {
    type Answer = ();

    async fn apply(&self, tx: &Transaction<'_>) -> Result<(), PostgresError> {
        insert_mails(tx, self.at, self.mails).await
    }
}

/// The account is deleted: what can't be sent to its owner is of no use any more, nor are pauses.
pub(super) async fn forget_mails(tx: &Transaction<'_>, user: &Uuid) -> Result<(), PostgresError> {
    for statement in [FORGET, FORGET_QUIET] {
        let forget = tx.prepare_cached(statement).await?;
        tx.execute(&forget, &[user]).await?;
    }
    Ok(())
}

/// Inserts mails with the change that they tell of.
pub(super) async fn insert_mails(
    tx: &Transaction<'_>,
    at: Timestamp,
    mails: &[NewMail],
) -> Result<(), PostgresError> {
    for mail in mails {
        let row = MailRow::from(mail);
        let insert = tx.prepare_cached(INSERT).await?;
        tx.execute(
            &insert,
            &[
                mail.id.as_uuid(),
                &row.kind,
                &row.email,
                &row.email_typed,
                &row.domain,
                &row.locale,
                &mail.user.as_ref().map(UserId::as_uuid),
                &mail.proof.as_ref().map(ProofId::as_uuid),
                &row.facts,
                &PgTimestamp(at),
                &PgTimestamp(mail.expires_at),
                &row.notice,
            ],
        )
        .await?;
    }
    Ok(())
}

fn uuids(ids: &[DeliveryId]) -> Vec<Uuid> {
    ids.iter().map(|id| *id.as_uuid()).collect()
}

//! What becomes of an event that was leased, and of its endpoint.

use crate::postgres::{
    database::Intent,
    error::PostgresError,
    transaction::{Transaction, run},
    values::PgTimestamp,
};
use revolve_domain::{
    deliveries::KEPT,
    model::Timestamp,
    webhooks::{DisabledReason, WebhookDelivery, WebhookSettled},
};
use uuid::Uuid;

const SENT: &str = "DELETE FROM webhook_deliveries WHERE webhook_id = $1 AND event_id = $2";
const WORKS: &str = "
    UPDATE webhooks SET failing_since = NULL, last_error = NULL
    WHERE id = $1 AND (failing_since IS NOT NULL OR last_error IS NOT NULL)";
const AGAIN: &str = "
    UPDATE webhook_deliveries SET next_at = $4, leased_until = NULL
    WHERE webhook_id = $1 AND event_id = $2 AND attempts = $3 AND leased_until IS NOT NULL AND NOT given_up";
const GIVE_UP: &str = "
    UPDATE webhook_deliveries SET given_up = true, leased_until = NULL, expires_at = $4
    WHERE webhook_id = $1 AND event_id = $2 AND attempts = $3 AND leased_until IS NOT NULL AND NOT given_up";
const FAILS: &str = "UPDATE webhooks SET failing_since = coalesce(failing_since, $2), last_error = $3 WHERE id = $1";
const SWITCH_OFF: &str = "
    UPDATE webhooks SET disabled = $2, version = version + 1
    WHERE id = $1 AND disabled IS NULL AND ($3::timestamptz IS NULL OR failing_since <= $3)";
/// What was given up says nothing about what comes later.
const FORGIVE: &str = "UPDATE webhooks SET failing_since = NULL WHERE id = $1";

/// Stores what became of it.
pub(super) struct Settle<'a> {
    pub(super) delivery: &'a WebhookDelivery,
    pub(super) settled: &'a WebhookSettled,
    pub(super) at: Timestamp,
}

impl Intent for Settle<'_> {
    type Answer = Option<DisabledReason>;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<Option<DisabledReason>, PostgresError> {
        let id = self.delivery.webhook.as_uuid();
        let (event, attempt) = (
            self.delivery.event.id.as_uuid(),
            i64::from(self.delivery.attempts),
        );
        let (now, kept) = (PgTimestamp(self.at), PgTimestamp(self.at.plus(KEPT)));
        // The endpoint's row comes last, so that its deliveries wait for each other as briefly as can be.
        match self.settled {
            WebhookSettled::Sent => {
                if run(tx, SENT, &[id, event]).await? > 0 {
                    run(tx, WORKS, &[id]).await?;
                }
                Ok(None)
            }
            WebhookSettled::CutOff => {
                run(tx, AGAIN, &[id, event, &attempt, &now]).await?;
                Ok(None)
            }
            WebhookSettled::Failed {
                error,
                next_at,
                failing_since,
            } => {
                let (sql, until) =
                    next_at.map_or((GIVE_UP, kept), |next| (AGAIN, PgTimestamp(next)));
                if run(tx, sql, &[id, event, &attempt, &until]).await? == 0 {
                    return Ok(None);
                }
                run(tx, FAILS, &[id, &now, error]).await?;
                let since = Some(PgTimestamp(*failing_since));
                let reason = switch_off(tx, id, DisabledReason::Failing, since).await?;
                if reason.is_none() && next_at.is_none() {
                    run(tx, FORGIVE, &[id]).await?;
                }
                Ok(reason)
            }
            WebhookSettled::Gone { error } => {
                if run(tx, GIVE_UP, &[id, event, &attempt, &kept]).await? == 0 {
                    return Ok(None);
                }
                run(tx, FAILS, &[id, &now, error]).await?;
                switch_off(tx, id, DisabledReason::Gone, None).await
            }
        }
    }
}

async fn switch_off(
    tx: &Transaction<'_>,
    id: &Uuid,
    reason: DisabledReason,
    since: Option<PgTimestamp>,
) -> Result<Option<DisabledReason>, PostgresError> {
    let done = run(tx, SWITCH_OFF, &[id, &reason.as_str(), &since]).await?;
    Ok((done > 0).then_some(reason))
}

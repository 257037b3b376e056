//! Webhooks and what is on its way to them, as both databases have them.

use super::{CorruptRow, SqlRow, journal_record, row::RowReader};
use revolve_domain::{
    deliveries::Backlog,
    keys::SealedKey,
    model::{Label, WebhookId},
    webhooks::{DisabledReason, EventFilter, PreviousSecret, Webhook, WebhookDelivery, WebhookUrl},
};

/// What [`webhook`] reads.
macro_rules! webhook_columns {
    () => {
        "id AS webhook_id, name, url, events, secret, previous_secret, previous_until, disabled, created_at, since, failing_since, \
         last_error, version"
    };
}

pub(crate) use webhook_columns;

/// Every endpoint, the oldest first, for [`webhook`].
pub(crate) const LIST_WEBHOOKS: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhooks ORDER BY created_at, id"
);

/// What [`webhook_backlog`] reads.
pub(crate) const WEBHOOK_BACKLOGS: &str = "
    SELECT webhook_id, sum(CASE WHEN given_up THEN 0 ELSE 1 END) AS waiting, sum(CASE WHEN given_up THEN 1 ELSE 0 END) AS given_up,
        min(CASE WHEN given_up THEN NULL ELSE created_at END) AS first_due
    FROM webhook_deliveries GROUP BY webhook_id";

/// Reads `webhook_columns`.
pub(crate) fn webhook(row: &dyn SqlRow) -> Result<Webhook, CorruptRow> {
    let row = RowReader::new(row, "webhooks", "webhook_id");
    let sealed = |bytes: &[u8]| SealedKey::new(bytes.to_vec());
    let previous = row.optional("previous_secret", SqlRow::bytes)?.map(sealed);
    let until = row.optional("previous_until", SqlRow::instant)?;
    let reason = |name: &str| DisabledReason::named(name).ok_or("this release does not know it");
    Ok(Webhook {
        id: webhook_id(&row)?,
        name: row.required_parsed("name", Label::stored)?,
        url: row.required_parsed("url", WebhookUrl::parse)?,
        events: row.required_parsed("events", str::parse::<EventFilter>)?,
        secret: sealed(row.required("secret", SqlRow::bytes)?),
        previous: previous
            .zip(until)
            .map(|(secret, until)| PreviousSecret { secret, until }),
        disabled: row.parsed("disabled", reason)?,
        created_at: row.required("created_at", SqlRow::instant)?,
        since: row.required("since", SqlRow::instant)?,
        failing_since: row.optional("failing_since", SqlRow::instant)?,
        last_error: row.optional("last_error", SqlRow::text)?.map(str::to_owned),
        version: row.number("version")?,
    })
}

/// Reads `webhook_id`, `attempts`, `expires_at` and the columns of the journal.
pub(crate) fn webhook_delivery(row: &dyn SqlRow) -> Result<WebhookDelivery, CorruptRow> {
    let event = journal_record(row)?;
    let row = RowReader::new(row, "webhook_deliveries", "webhook_id");
    Ok(WebhookDelivery {
        webhook: webhook_id(&row)?,
        event,
        attempts: row.number("attempts")?,
        expires_at: row.required("expires_at", SqlRow::instant)?,
    })
}

/// A leased delivery. One that this release can't read must not hold up the others: it stays leased for a while, and is then found by whoever
/// can.
#[expect(clippy::unnecessary_wraps, reason = "other readers of rows fail")]
pub(crate) fn readable_webhook_delivery(
    row: &dyn SqlRow,
) -> Result<Option<WebhookDelivery>, CorruptRow> {
    Ok(webhook_delivery(row)
        .inspect_err(|error| tracing::error!(%error, "an event can't be sent to a webhook"))
        .ok())
}

/// Reads [`WEBHOOK_BACKLOGS`].
pub(crate) fn webhook_backlog(row: &dyn SqlRow) -> Result<(WebhookId, Backlog), CorruptRow> {
    let row = RowReader::new(row, "webhook_deliveries", "webhook_id");
    let backlog = Backlog {
        waiting: row.number("waiting")?,
        oldest_due: row.optional("first_due", SqlRow::instant)?,
        given_up: row.number("given_up")?,
    };
    Ok((webhook_id(&row)?, backlog))
}

fn webhook_id(row: &RowReader<'_>) -> Result<WebhookId, CorruptRow> {
    row.required("webhook_id", SqlRow::uuid)
        .map(WebhookId::from_uuid)
}

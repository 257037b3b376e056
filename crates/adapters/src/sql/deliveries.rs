//! Rows of the outbox.

use super::{
    CorruptRow, SqlRow,
    read::{email, typed},
    row::RowReader,
};
use revolve_domain::{
    deliveries::{Backlog, Delivery, DeliveryState},
    journal::{MailKind, NewMail},
    model::{DeliveryId, Locale, ProofId, Timestamp, UserId},
    ports::QuietNotice,
};
use std::str::FromStr;

/// What [`delivery`] reads.
macro_rules! delivery_columns {
    () => {
        "id AS delivery_id, kind, email, email_typed, locale, user_id, proof_id, facts, created_at, expires_at, more, state, due_at, \
         next_at, leased_until, attempts, last_error"
    };
}

pub(crate) use delivery_columns;

/// What [`backlog`] reads. One look at each of the indexes of those that wait says both.
pub(crate) const BACKLOG: &str = "
    SELECT CAST(sum(number) AS bigint) AS waiting, min(due) AS first_due,
        (SELECT count(*) FROM deliveries WHERE state = 'given_up') AS given_up
    FROM (
        SELECT count(*) AS number, min(due_at) AS due FROM deliveries WHERE state = 'waiting' AND NOT deferred
        UNION ALL
        SELECT count(*), min(due_at) FROM deliveries WHERE state = 'waiting' AND deferred
    ) AS part";

/// A new mail as its row has it.
pub(crate) struct MailRow<'a> {
    pub(crate) kind: &'static str,
    pub(crate) email: &'a str,
    pub(crate) email_typed: Option<&'a str>,
    pub(crate) domain: &'a str,
    pub(crate) locale: Option<&'a str>,
    pub(crate) facts: String,
    pub(crate) notice: bool,
}

impl<'a> From<&'a NewMail> for MailRow<'a> {
    fn from(mail: &'a NewMail) -> Self {
        Self {
            kind: mail.kind.as_str(),
            email: mail.to.key(),
            email_typed: typed(&mail.to),
            domain: mail.to.domain(),
            locale: mail.locale.as_ref().map(Locale::as_str),
            facts: serde_json::to_string(&mail.facts).expect("facts are text and numbers"),
            notice: mail.kind.is_notice(),
        }
    }
}

/// Reads `delivery_columns`.
pub(crate) fn delivery(row: &dyn SqlRow) -> Result<Delivery, CorruptRow> {
    let row = RowReader::new(row, "deliveries", "delivery_id");
    let named = |name: &str| MailKind::named(name).ok_or("this release does not know it");
    let state = |name: &str| DeliveryState::named(name).ok_or("this release does not know it");
    Ok(Delivery {
        mail: NewMail {
            id: id(&row)?,
            kind: row.required_parsed("kind", named)?,
            to: email(&row)?,
            locale: row.parsed("locale", Locale::from_str)?,
            user: row
                .optional("user_id", SqlRow::uuid)?
                .map(UserId::from_uuid),
            proof: row
                .optional("proof_id", SqlRow::uuid)?
                .map(ProofId::from_uuid),
            facts: row.required_parsed("facts", |facts| {
                // The parser's own words would quote the row.
                serde_json::from_str(facts).map_err(|error| format!("{:?}", error.classify()))
            })?,
            expires_at: row.required("expires_at", SqlRow::instant)?,
        },
        more: row.number("more")?,
        state: row.required_parsed("state", state)?,
        created_at: row.required("created_at", SqlRow::instant)?,
        due_at: row.required("due_at", SqlRow::instant)?,
        next_at: row.required("next_at", SqlRow::instant)?,
        leased_until: row.optional("leased_until", SqlRow::instant)?,
        attempts: row.number("attempts")?,
        last_error: row.optional("last_error", SqlRow::text)?.map(str::to_owned),
    })
}

/// Reads `kind`, `email`, `email_typed` and `until`.
pub(crate) fn quiet_notice(row: &dyn SqlRow) -> Result<QuietNotice, CorruptRow> {
    let row = RowReader::new(row, "quiet_notices", "kind");
    let named = |name: &str| MailKind::named(name).ok_or("this release does not know it");
    Ok(QuietNotice {
        kind: row.required_parsed("kind", named)?,
        to: email(&row)?,
        until: row.required("until", SqlRow::instant)?,
    })
}

/// A leased delivery. One that this release can't read, because a later one wrote it, must not hold up the others: it stays leased for a
/// while, and is then found by whoever can.
#[expect(clippy::unnecessary_wraps, reason = "other readers of rows fail")]
pub(crate) fn readable(row: &dyn SqlRow) -> Result<Option<Delivery>, CorruptRow> {
    Ok(delivery(row)
        .inspect_err(|error| tracing::error!(%error, "a mail can't be sent"))
        .ok())
}

/// In the order of a lease.
pub(crate) fn by_domain(mut leased: Vec<Delivery>) -> Vec<Delivery> {
    leased.sort_by(|a, b| a.mail.to.domain().cmp(b.mail.to.domain()));
    leased
}

/// Reads the id of a row of `deliveries`.
pub(crate) fn delivery_id(row: &dyn SqlRow) -> Result<DeliveryId, CorruptRow> {
    id(&RowReader::new(row, "deliveries", "delivery_id"))
}

/// Reads the domain of a row of `deliveries`.
#[cfg(feature = "sqlite")]
pub(crate) fn domain(row: &dyn SqlRow) -> Result<String, CorruptRow> {
    let row = RowReader::new(row, "deliveries", "delivery_id");
    row.required("domain", SqlRow::text).map(str::to_owned)
}

fn id(row: &RowReader<'_>) -> Result<DeliveryId, CorruptRow> {
    row.required("delivery_id", SqlRow::uuid)
        .map(DeliveryId::from_uuid)
}

/// Reads [`BACKLOG`]; the first may be due later.
pub(crate) fn whole_backlog(row: &dyn SqlRow) -> Result<Backlog, CorruptRow> {
    let row = RowReader::new(row, "deliveries", "delivery_id");
    Ok(Backlog {
        waiting: row.number("waiting")?,
        oldest_due: row.optional("first_due", SqlRow::instant)?,
        given_up: row.number("given_up")?,
    })
}

/// Reads [`BACKLOG`].
pub(crate) fn backlog(row: &dyn SqlRow, at: Timestamp) -> Result<Backlog, CorruptRow> {
    let whole = whole_backlog(row)?;
    Ok(Backlog {
        oldest_due: whole.oldest_due.filter(|due| *due <= at),
        ..whole
    })
}

//! The columns of the journal, as both databases have them.

use super::{CorruptRow, SqlRow, row::RowReader};
use revolve_domain::{
    journal::Actor,
    model::{EventId, Label, SessionId, Timestamp, UserId},
    ports::{JournalCursor, JournalRecord},
};

/// What [`journal_record`] reads; the table goes by the name `j`.
macro_rules! journal_columns {
    () => {
        "j.id, j.at, j.actor, j.event, j.user_id, j.session_id, j.address, j.session_address, j.device, j.details, j.count"
    };
}

pub(crate) use journal_columns;

/// The details as a JSON object.
pub(crate) fn details(record: &JournalRecord) -> String {
    serde_json::Value::from_iter(record.details.clone()).to_string()
}

/// Reads `journal_columns`.
pub(crate) fn journal_record(row: &dyn SqlRow) -> Result<JournalRecord, CorruptRow> {
    let row = RowReader::new(row, "journal", "id");
    let id = EventId::from_uuid(row.required("id", SqlRow::uuid)?);
    let at = row.required("at", SqlRow::instant)?;
    let actor = row.required("actor", SqlRow::text)?;
    let event = row.required("event", SqlRow::text)?.to_owned();
    let user = row
        .optional("user_id", SqlRow::uuid)?
        .map(UserId::from_uuid);
    Ok(JournalRecord {
        id,
        at,
        actor: Actor::named(actor, user)
            .ok_or_else(|| row.corrupt("actor", "nobody has that name"))?,
        event,
        user,
        session: row
            .optional("session_id", SqlRow::uuid)?
            .map(SessionId::from_uuid),
        address: row.optional("address", SqlRow::address)?,
        session_address: row.optional("session_address", SqlRow::address)?,
        device: row.parsed("device", Label::stored)?,
        details: row.required_parsed("details", |text| serde_json::from_str(text))?,
        count: row.number("count")?,
    })
}

/// Where a follower is, or goes on: reads `written_in` and `number`.
pub(crate) fn cursor(row: &dyn SqlRow) -> Result<JournalCursor, CorruptRow> {
    let row = RowReader::new(row, "journal", "id");
    Ok(JournalCursor {
        commit: row.number("written_in")?,
        number: row.number("number")?,
    })
}

/// The place of an entry in lists: reads `at` and `number`.
pub(crate) fn place(row: &dyn SqlRow) -> Result<(Timestamp, i64), CorruptRow> {
    let row = RowReader::new(row, "journal", "id");
    Ok((
        row.required("at", SqlRow::instant)?,
        row.required("number", SqlRow::integer)?,
    ))
}

//! API keys and named requests, as both databases have them.

use super::{CorruptRow, SqlRow, proof::fingerprint, row::RowReader};
use revolve_domain::{
    model::{ApiKey, ApiKeyId, ApiKeyScope, Fingerprint, Label},
    ports::{Claim, NamedRequest, StoredApiKey},
};
use std::collections::BTreeSet;

/// What [`api_key`] reads.
macro_rules! api_key_columns {
    () => {
        "id AS api_key_id, name, scopes, fingerprint, created_at, expires_at, revoked_at, used_at"
    };
}

pub(crate) use api_key_columns;

/// The scopes as text.
pub(crate) fn scopes(scopes: &BTreeSet<ApiKeyScope>) -> String {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    names.join(" ")
}

/// Reads `api_key_columns`. A scope of a later release allows nothing here.
pub(crate) fn api_key(row: &dyn SqlRow) -> Result<StoredApiKey, CorruptRow> {
    let row = RowReader::new(row, "api_keys", "api_key_id");
    let scopes = row.required("scopes", SqlRow::text)?.split(' ');
    let scopes = scopes.filter_map(|name| name.parse().ok()).collect();
    Ok(StoredApiKey {
        key: ApiKey {
            id: ApiKeyId::from_uuid(row.required("api_key_id", SqlRow::uuid)?),
            name: row.required_parsed("name", Label::stored)?,
            scopes,
            created_at: row.required("created_at", SqlRow::instant)?,
            expires_at: row.required("expires_at", SqlRow::instant)?,
            revoked_at: row.optional("revoked_at", SqlRow::instant)?,
            used_at: row.optional("used_at", SqlRow::instant)?,
        },
        fingerprint: required(&row, "fingerprint")?,
    })
}

/// What [`named_request`] reads.
macro_rules! request_columns {
    () => {
        "name, content, id AS request_id, at"
    };
}

pub(crate) use request_columns;

/// Reads `request_columns`.
pub(crate) fn named_request(row: &dyn SqlRow) -> Result<NamedRequest, CorruptRow> {
    let row = RowReader::new(row, "named_requests", "request_id");
    Ok(NamedRequest {
        name: required(&row, "name")?,
        content: required(&row, "content")?,
        id: row.required("request_id", SqlRow::uuid)?,
        at: row.required("at", SqlRow::instant)?,
    })
}

/// What a request that takes no name meets: the one that has it.
pub(crate) fn claimed(request: &NamedRequest, first: Option<NamedRequest>) -> Claim {
    match first {
        Some(first) if first.content == request.content => Claim::Again(first),
        _ => Claim::Other,
    }
}

fn required(row: &RowReader<'_>, column: &'static str) -> Result<Fingerprint, CorruptRow> {
    fingerprint(row, column)?.ok_or_else(|| row.corrupt(column, "it is null"))
}

//! The attestation object (§6.5.4) without its statement.

use super::refusal::Refusal;
use ciborium::{Value, de::from_reader_with_recursion_limit};
use serde::{Deserialize, Serialize};
use std::io::Cursor;

/// How deep the object may be: a statement has arrays of certificates.
const DEPTH: usize = 8;

#[derive(Deserialize)]
struct Attested {
    #[serde(rename = "authData")]
    authenticator_data: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Unattested {
    fmt: &'static str,
    att_stmt: Value,
    auth_data: Value,
}

/// The same object with the statement of form `none`, whatever it had.
pub(super) fn without_statement(object: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut reader = Cursor::new(object);
    let attested: Attested =
        from_reader_with_recursion_limit(&mut reader, DEPTH).map_err(|_| Refusal::Malformed)?;
    let is_all = usize::try_from(reader.position()).is_ok_and(|read| read == object.len());
    if !is_all || !attested.authenticator_data.is_bytes() {
        return Err(Refusal::Malformed);
    }
    let unattested = Unattested {
        fmt: "none",
        att_stmt: Value::Map(Vec::new()),
        auth_data: attested.authenticator_data,
    };
    let mut bytes = Vec::with_capacity(object.len());
    ciborium::into_writer(&unattested, &mut bytes).map_err(|_| Refusal::Malformed)?;
    Ok(bytes)
}

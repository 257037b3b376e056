//! Proofs of mailboxes, from rows.

use super::{CorruptRow, SqlRow, read, row::RowReader};
use revolve_domain::{
    model::{Binding, Epoch, Fingerprint, Proof, ProofId, ProofPurpose, SignUpIntent, UserId},
    ports::StandingProof,
};
use std::str::FromStr;

/// What [`proof`] reads.
macro_rules! proof_columns {
    () => {
        "id AS proof_id, purpose, email, email_typed, user_id, bound_epoch, bound_hash, bound_email, asker, password_hash, locale, \
         created_at, expires_at, attempts_left, serial"
    };
}

pub(crate) use proof_columns;

/// Reads `proof_columns`.
pub(crate) fn proof(row: &dyn SqlRow) -> Result<Proof, CorruptRow> {
    let row = RowReader::new(row, "proofs", "proof_id");
    Ok(Proof {
        id: ProofId::from_uuid(row.required("proof_id", SqlRow::uuid)?),
        purpose: row.required_parsed("purpose", |name| {
            ProofPurpose::named(name).ok_or("no purpose has that name")
        })?,
        address: read::email(&row)?,
        user: row
            .optional("user_id", SqlRow::uuid)?
            .map(UserId::from_uuid),
        binding: binding(&row)?,
        asker: fingerprint(&row, "asker")?.ok_or_else(|| row.corrupt("asker", "it is null"))?,
        intent: row.parsed("password_hash", |text| {
            SignUpIntent::from_stored(text.to_owned()).ok_or("it is no hash and no passkey")
        })?,
        locale: row.parsed("locale", FromStr::from_str)?,
        created_at: row.required("created_at", SqlRow::instant)?,
        expires_at: row.required("expires_at", SqlRow::instant)?,
        attempts_left: row.number("attempts_left")?,
        serial: row.number("serial")?,
    })
}

fn binding(row: &RowReader<'_>) -> Result<Option<Binding>, CorruptRow> {
    let Some(hash) = fingerprint(row, "bound_hash")? else {
        return Ok(None);
    };
    Ok(Some(Binding {
        epoch: Epoch::new(row.number("bound_epoch")?),
        hash,
        email: row.required("bound_email", SqlRow::text)?.to_owned(),
    }))
}

/// The 32 bytes of a digest.
pub(super) fn fingerprint(
    row: &RowReader<'_>,
    column: &'static str,
) -> Result<Option<Fingerprint>, CorruptRow> {
    let bytes = row.optional(column, SqlRow::bytes)?;
    let digest = bytes.map(<[u8; 32]>::try_from).transpose();
    let digest = digest.map_err(|_| row.corrupt(column, "it does not have 32 bytes"))?;
    Ok(digest.map(Fingerprint::from_bytes))
}

/// Reads `proof_id`, `serial`, `email`, `email_typed` and `expires_at`.
pub(crate) fn standing_proof(row: &dyn SqlRow) -> Result<StandingProof, CorruptRow> {
    let row = RowReader::new(row, "proofs", "proof_id");
    Ok(StandingProof {
        id: ProofId::from_uuid(row.required("proof_id", SqlRow::uuid)?),
        serial: row.number("serial")?,
        address: read::email(&row)?,
        expires_at: row.required("expires_at", SqlRow::instant)?,
    })
}

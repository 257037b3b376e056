//! Factors and challenges, from rows.

mod changes;
mod in_session;

use super::{CorruptRow, SqlRow, row::RowReader};
pub(crate) use changes::{FactorChange, first_factors, may_open, reset, signs_in};
pub(crate) use in_session::{Refusal, SessionChange};
use revolve_domain::{
    keys::SealedKey,
    model::{
        AccountFactors, AuthMethods, CeremonyState, Challenge, ChallengeId, ChallengeKind,
        ChallengedDevice, ChallengedUser, CodeMac, CredentialId, CredentialKey, DeviceId, Epoch,
        Label, Passkey, PasskeyCredential, PasskeyId, PendingReset, RecoveryCodes, SessionId, Totp,
        TotpStep, Transports, UserId,
    },
    ports::{FactorSecretUse, SealedFactor},
};

/// What [`passkey`] reads; the table goes by the name `p`.
macro_rules! passkey_columns {
    () => {
        "p.id AS passkey_id, p.user_id, p.name, p.credential_id, p.public_key, p.algorithm, p.aaguid, p.counter, p.backup_eligible, \
         p.backed_up, p.transports, p.created_at, p.used_at"
    };
}

/// What [`factors`] reads of one account, with its tables, in one statement so that all is as of one instant; what follows says which account.
macro_rules! factors_of {
    ($account:literal) => {
        concat!(
            "SELECT u.id AS owner_id, t.sealed AS totp_sealed, t.created_at AS totp_created_at, t.confirmed_at, t.last_step, \
             c.sealed AS codes_sealed, c.macs, c.created_at AS codes_created_at, r.ordered_at, r.due_at, ",
            $crate::sql::passkey_columns!(),
            " FROM users u LEFT JOIN totp_secrets t ON t.user_id = u.id LEFT JOIN recovery_codes c ON c.user_id = u.id \
             LEFT JOIN factor_resets r ON r.user_id = u.id LEFT JOIN passkeys p ON p.user_id = u.id WHERE u.id = ",
            $account,
            " ORDER BY p.created_at, p.id"
        )
    };
}

/// What [`challenge`] reads.
macro_rules! challenge_columns {
    () => {
        "id AS challenge_id, kind, user_id, epoch, session_id, device_id, device_known, device_name, proved, ceremony, created_at, \
         expires_at, attempts_left"
    };
}

pub(crate) use {challenge_columns, factors_of, passkey_columns};

/// Reads a row of `factors_of`: all but the passkeys, of which each row has one.
pub(crate) fn factors(row: &dyn SqlRow) -> Result<AccountFactors, CorruptRow> {
    let read = RowReader::new(row, "totp_secrets", "owner_id");
    let user = UserId::from_uuid(read.required("owner_id", SqlRow::uuid)?);
    let totp = sealed(&read, "totp_sealed")?;
    let totp = totp.map(|sealed| {
        Ok(Totp {
            user,
            sealed,
            created_at: read.required("totp_created_at", SqlRow::instant)?,
            confirmed_at: read.optional("confirmed_at", SqlRow::instant)?,
            last_step: last_step(&read)?,
        })
    });
    let read = RowReader::new(row, "recovery_codes", "owner_id");
    let codes = sealed(&read, "codes_sealed")?;
    let codes = codes.map(|key| {
        Ok(RecoveryCodes {
            user,
            key,
            macs: macs(&read)?,
            created_at: read.required("codes_created_at", SqlRow::instant)?,
        })
    });
    let read = RowReader::new(row, "factor_resets", "owner_id");
    let ordered_at = read.optional("ordered_at", SqlRow::instant)?;
    let reset = ordered_at.zip(read.optional("due_at", SqlRow::instant)?);
    let has_passkey = read.optional("passkey_id", SqlRow::uuid)?.is_some();
    Ok(AccountFactors {
        totp: totp.transpose()?,
        codes: codes.transpose()?,
        reset: reset.map(|(ordered_at, due_at)| PendingReset { ordered_at, due_at }),
        passkeys: has_passkey
            .then(|| passkey(row))
            .into_iter()
            .collect::<Result<_, _>>()?,
    })
}

/// The factors of an account, of all its rows; none if it has no row.
pub(crate) fn whole_factors(rows: Vec<AccountFactors>) -> AccountFactors {
    let whole = rows.into_iter().reduce(|mut whole, row| {
        whole.passkeys.extend(row.passkeys);
        whole
    });
    whole.unwrap_or_default()
}

fn sealed(row: &RowReader<'_>, column: &'static str) -> Result<Option<SealedKey>, CorruptRow> {
    let bytes = row.optional(column, SqlRow::bytes)?;
    Ok(bytes.map(|bytes| SealedKey::new(bytes.to_vec())))
}

fn last_step(row: &RowReader<'_>) -> Result<Option<TotpStep>, CorruptRow> {
    let step = row.optional("last_step", SqlRow::integer)?;
    let step = step.map(u64::try_from).transpose();
    let step = step.map_err(|error| row.corrupt("last_step", error))?;
    Ok(step.map(TotpStep::new))
}

fn macs(row: &RowReader<'_>) -> Result<Vec<CodeMac>, CorruptRow> {
    let (macs, rest) = row.required("macs", SqlRow::bytes)?.as_chunks();
    if !rest.is_empty() {
        return Err(row.corrupt("macs", "it has a part of one"));
    }
    Ok(macs.iter().copied().map(CodeMac::from_bytes).collect())
}

/// For `macs`.
pub(crate) fn stored_macs(codes: &RecoveryCodes) -> Vec<u8> {
    codes
        .macs
        .iter()
        .flat_map(CodeMac::as_bytes)
        .copied()
        .collect()
}

/// Reads `passkey_columns`.
pub(crate) fn passkey(row: &dyn SqlRow) -> Result<Passkey, CorruptRow> {
    let row = RowReader::new(row, "passkeys", "passkey_id");
    let bytes = |column| Ok::<_, CorruptRow>(row.required(column, SqlRow::bytes)?.to_vec());
    Ok(Passkey {
        id: PasskeyId::from_uuid(row.required("passkey_id", SqlRow::uuid)?),
        user: UserId::from_uuid(row.required("user_id", SqlRow::uuid)?),
        name: row.required_parsed("name", Label::stored)?,
        credential: PasskeyCredential {
            id: CredentialId::from_bytes(bytes("credential_id")?)
                .ok_or_else(|| row.corrupt("credential_id", "it is empty or too long"))?,
            key: CredentialKey::from_bytes(bytes("public_key")?)
                .ok_or_else(|| row.corrupt("public_key", "it is too long"))?,
            algorithm: row.number("algorithm")?,
            aaguid: row.required("aaguid", SqlRow::uuid)?,
            counter: row.number("counter")?,
            backup_eligible: row.required("backup_eligible", SqlRow::boolean)?,
            backed_up: row.required("backed_up", SqlRow::boolean)?,
            transports: Transports::stored(row.required("transports", SqlRow::text)?),
        },
        created_at: row.required("created_at", SqlRow::instant)?,
        used_at: row.optional("used_at", SqlRow::instant)?,
    })
}

/// Reads `challenge_columns`.
pub(crate) fn challenge(row: &dyn SqlRow) -> Result<Challenge, CorruptRow> {
    let row = RowReader::new(row, "challenges", "challenge_id");
    Ok(Challenge {
        id: ChallengeId::from_uuid(row.required("challenge_id", SqlRow::uuid)?),
        kind: row.required_parsed("kind", |name| {
            ChallengeKind::named(name).ok_or("no kind has that name")
        })?,
        user: challenged_user(&row)?,
        device: challenged_device(&row)?,
        device_name: row.parsed("device_name", Label::stored)?,
        proved: row.parsed("proved", |names| {
            AuthMethods::named(names).ok_or("no methods have these names")
        })?,
        ceremony: ceremony(&row)?,
        created_at: row.required("created_at", SqlRow::instant)?,
        expires_at: row.required("expires_at", SqlRow::instant)?,
        attempts_left: row.number("attempts_left")?,
    })
}

fn challenged_user(row: &RowReader<'_>) -> Result<Option<ChallengedUser>, CorruptRow> {
    let Some(user) = row.optional("user_id", SqlRow::uuid)? else {
        return Ok(None);
    };
    let epoch = Epoch::new(row.number("epoch")?);
    let session = row.optional("session_id", SqlRow::uuid)?;
    Ok(Some(ChallengedUser {
        id: UserId::from_uuid(user),
        epoch,
        session: session.map(SessionId::from_uuid),
    }))
}

fn challenged_device(row: &RowReader<'_>) -> Result<Option<ChallengedDevice>, CorruptRow> {
    let id = row.optional("device_id", SqlRow::uuid)?;
    let is_known = row.optional("device_known", SqlRow::boolean)?;
    Ok(id.zip(is_known).map(|(id, is_known)| ChallengedDevice {
        id: DeviceId::from_uuid(id),
        is_known,
    }))
}

fn ceremony(row: &RowReader<'_>) -> Result<Option<CeremonyState>, CorruptRow> {
    let state = row.optional("ceremony", SqlRow::bytes)?;
    let state = state.map(|bytes| {
        CeremonyState::from_bytes(bytes.to_vec())
            .ok_or_else(|| row.corrupt("ceremony", "it is too long"))
    });
    state.transpose()
}

/// Reads `user_id` and the sealed secrets of an account, `totp_sealed` and `codes_sealed`.
pub(crate) fn sealed_factors(row: &dyn SqlRow) -> Result<Vec<SealedFactor>, CorruptRow> {
    let row = RowReader::new(row, "totp_secrets", "user_id");
    let user = UserId::from_uuid(row.required("user_id", SqlRow::uuid)?);
    let mut found = Vec::new();
    for (of, column) in [
        (FactorSecretUse::Totp, "totp_sealed"),
        (FactorSecretUse::RecoveryCodes, "codes_sealed"),
    ] {
        let sealed = sealed(&row, column)?;
        found.extend(sealed.map(|sealed| SealedFactor { user, of, sealed }));
    }
    Ok(found)
}

/// Reads the `user_id` of a reset that is due.
pub(crate) fn due_user(row: &dyn SqlRow) -> Result<UserId, CorruptRow> {
    let row = RowReader::new(row, "factor_resets", "user_id");
    Ok(UserId::from_uuid(row.required("user_id", SqlRow::uuid)?))
}

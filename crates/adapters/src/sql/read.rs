//! From rows to the domain's types.

use super::{CorruptRow, SqlRow, row::RowReader};
use revolve_domain::{
    keys::{KeyKind, Phase, SealedKey, StoredKey},
    model::{
        ClientInfo, Credentials, Details, DeviceId, EmailAddress, EndReason, Ending, Epoch, Label,
        PasswordHash, Session, SessionId, SessionRecord, User, UserId, WebUrl,
    },
    ports::{BeginOutcome, RaisedEpoch, Revocations},
};
use std::{str::FromStr, time::Duration};

/// What [`session`] reads; the table goes by the name `s`.
macro_rules! session_columns {
    () => {
        "s.id AS session_id, s.user_id, s.device_id, s.device_name, s.user_agent, s.address, s.epoch, s.began_at, \
         s.ends_at, s.bound_at, s.ended_at, s.end_reason"
    };
}

/// What [`user`] reads beside `user_id`; the table goes by the name `u`.
macro_rules! account_columns {
    () => {
        "u.email, u.email_typed, u.name, u.website, u.image_url, u.created_at, u.disabled_at, u.session_epoch, u.kept_sid"
    };
}

/// What [`user`] reads.
macro_rules! user_columns {
    () => {
        concat!("u.id AS user_id, ", $crate::sql::account_columns!())
    };
}

/// What [`credentials`] reads, where no device was shown.
macro_rules! credential_columns {
    () => {
        concat!(
            $crate::sql::user_columns!(),
            ", u.password_hash, false AS known_device"
        )
    };
}

pub(crate) use {account_columns, credential_columns, session_columns, user_columns};

/// Every key, in the order of their making.
pub(crate) const LIST_KEYS: &str = "
    SELECT kid, use, algorithm, sealed, token_life_ms, created_at, state, since, until FROM signing_keys ORDER BY created_at, kid";

/// Reads `user_columns`.
pub(crate) fn user(row: &dyn SqlRow) -> Result<User, CorruptRow> {
    let row = RowReader::new(row, "users", "user_id");
    Ok(User {
        id: UserId::from_uuid(row.required("user_id", SqlRow::uuid)?),
        email: email(&row)?,
        details: Details {
            name: row.parsed("name", Label::stored)?,
            website: row.parsed("website", WebUrl::parse)?,
            image_url: row.parsed("image_url", WebUrl::parse)?,
        },
        created_at: row.required("created_at", SqlRow::instant)?,
        disabled_at: row.optional("disabled_at", SqlRow::instant)?,
        epoch: Epoch::new(row.number("session_epoch")?),
        kept_session: row
            .optional("kept_sid", SqlRow::uuid)?
            .map(SessionId::from_uuid),
    })
}

fn email(row: &RowReader<'_>) -> Result<EmailAddress, CorruptRow> {
    let typed = row.optional("email_typed", SqlRow::text)?;
    row.required_parsed("email", |key| EmailAddress::stored(key, typed))
}

/// What was typed, for `email_typed`: null where the key says it.
pub(crate) fn typed(email: &EmailAddress) -> Option<&str> {
    Some(email.as_str()).filter(|typed| *typed != email.key())
}

/// Reads `id` and `email` of a row of `users`.
pub(crate) fn stored_address(row: &dyn SqlRow) -> Result<(UserId, String), CorruptRow> {
    let row = RowReader::new(row, "users", "id");
    let id = UserId::from_uuid(row.required("id", SqlRow::uuid)?);
    Ok((id, row.required("email", SqlRow::text)?.to_owned()))
}

/// The key of an address that may be stored under the form of an earlier release; `None` if that is the key.
pub(crate) fn missing_key(stored: &str) -> Option<EmailAddress> {
    EmailAddress::present(stored)
        .ok()
        .filter(|address| address.key() != stored)
}

/// Reads `credential_columns`.
pub(crate) fn credentials(row: &dyn SqlRow) -> Result<Credentials, CorruptRow> {
    let user = user(row)?;
    let row = RowReader::new(row, "users", "user_id");
    Ok(Credentials {
        user,
        hash: PasswordHash::from_phc(row.required("password_hash", SqlRow::text)?.to_owned()),
        known_device: row.required("known_device", SqlRow::boolean)?,
    })
}

/// Reads the same and `is_account`; all of it in either case, so that both take the same time.
pub(crate) fn credentials_if_any(row: &dyn SqlRow) -> Result<Option<Credentials>, CorruptRow> {
    let credentials = credentials(row)?;
    let row = RowReader::new(row, "users", "user_id");
    Ok(row
        .required("is_account", SqlRow::boolean)?
        .then_some(credentials))
}

/// Reads `session_columns`.
pub(crate) fn session(row: &dyn SqlRow) -> Result<Session, CorruptRow> {
    let row = RowReader::new(row, "sessions", "session_id");
    Ok(Session {
        id: SessionId::from_uuid(row.required("session_id", SqlRow::uuid)?),
        user: UserId::from_uuid(row.required("user_id", SqlRow::uuid)?),
        device: DeviceId::from_uuid(row.required("device_id", SqlRow::uuid)?),
        device_name: row.parsed("device_name", Label::stored)?,
        client: ClientInfo {
            user_agent: row.parsed("user_agent", Label::stored)?,
            address: row.optional("address", SqlRow::address)?,
        },
        epoch: Epoch::new(row.number("epoch")?),
        began_at: row.required("began_at", SqlRow::instant)?,
        ends_at: row.required("ends_at", SqlRow::instant)?,
        bound_at: row.optional("bound_at", SqlRow::instant)?,
        ending: ending(&row)?,
    })
}

fn ending(row: &RowReader<'_>) -> Result<Option<Ending>, CorruptRow> {
    match (
        row.optional("ended_at", SqlRow::instant)?,
        row.parsed("end_reason", end_reason)?,
    ) {
        (None, None) => Ok(None),
        (Some(at), Some(reason)) => Ok(Some(Ending { at, reason })),
        _ => Err(row.corrupt(
            "end_reason",
            "it must be there if, and only if, ended_at is",
        )),
    }
}

fn end_reason(name: &str) -> Result<EndReason, &'static str> {
    EndReason::from_name(name).ok_or("no reason has that name")
}

/// Reads `session_columns` and `account_columns`, which are null once the account is gone.
pub(crate) fn session_record(row: &dyn SqlRow) -> Result<SessionRecord, CorruptRow> {
    let session = session(row)?;
    let owner = RowReader::new(row, "users", "user_id").optional("email", SqlRow::text)?;
    let user = owner.map(|_| user(row)).transpose()?;
    Ok(SessionRecord { session, user })
}

/// Reads the `session_id` and `end_reason` of a session that just ended.
pub(crate) fn ended_session(row: &dyn SqlRow) -> Result<(SessionId, EndReason), CorruptRow> {
    let row = RowReader::new(row, "sessions", "session_id");
    Ok((
        SessionId::from_uuid(row.required("session_id", SqlRow::uuid)?),
        row.required_parsed("end_reason", end_reason)?,
    ))
}

/// The outcome of a sign-in that ended these sessions.
pub(crate) fn begun(ended: &[(SessionId, EndReason)]) -> BeginOutcome {
    let with = |reason| {
        let ended = ended.iter().filter(|(_, found)| *found == reason);
        ended.map(|(session, _)| *session).collect()
    };
    BeginOutcome::Begun {
        replaced: with(EndReason::Replaced),
        evicted: with(EndReason::Evicted),
    }
}

/// Adds a session that ended (`id` and `ended_at`), or a user whose epoch rose (`id`, `session_epoch` and `kept_sid`).
pub(crate) fn revocation(
    row: &dyn SqlRow,
    revocations: &mut Revocations,
) -> Result<(), CorruptRow> {
    let session = RowReader::new(row, "sessions", "id");
    if let Some(ended_at) = session.optional("ended_at", SqlRow::instant)? {
        let id = SessionId::from_uuid(session.required("id", SqlRow::uuid)?);
        revocations.sessions.push((id, ended_at));
        return Ok(());
    }
    let user = RowReader::new(row, "users", "id");
    revocations.users.push(RaisedEpoch {
        user: UserId::from_uuid(user.required("id", SqlRow::uuid)?),
        epoch: Epoch::new(user.number("session_epoch")?),
        kept: user
            .optional("kept_sid", SqlRow::uuid)?
            .map(SessionId::from_uuid),
    });
    Ok(())
}

/// Reads the `active` key's id, if there is one.
#[cfg(feature = "sqlite")]
pub(crate) fn active_key(row: &dyn SqlRow) -> Result<Option<String>, CorruptRow> {
    let active = RowReader::new(row, "signing_keys", "active").optional("active", SqlRow::text)?;
    Ok(active.map(str::to_owned))
}

/// Reads a row of [`LIST_KEYS`].
pub(crate) fn key(row: &dyn SqlRow) -> Result<StoredKey, CorruptRow> {
    let row = RowReader::new(row, "signing_keys", "kid");
    let usage = row.required("use", SqlRow::text)?;
    let (state, since, until) = (
        row.required("state", SqlRow::text)?,
        row.required("since", SqlRow::instant)?,
        row.optional("until", SqlRow::instant)?,
    );
    Ok(StoredKey {
        id: row.required_parsed("kid", FromStr::from_str)?,
        kind: row.required_parsed("algorithm", |name| KeyKind::from_names(usage, name))?,
        sealed: SealedKey::new(row.required("sealed", SqlRow::bytes)?.to_vec()),
        token_life: Duration::from_millis(row.number("token_life_ms")?),
        created_at: row.required("created_at", SqlRow::instant)?,
        phase: Phase::from_parts(state, since, until)
            .ok_or_else(|| row.corrupt("state", "no key is in it"))?,
    })
}

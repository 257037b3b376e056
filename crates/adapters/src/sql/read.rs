//! From rows to the domain's types.

use super::{CorruptRow, SqlRow, row::RowReader};
use revolve_domain::{
    keys::{KeyKind, Phase, SealedKey, StoredKey},
    model::{
        AccountVersion, AppData, AuthMethods, ClientInfo, Credentials, Details, DeviceId,
        EmailAddress, EndReason, Ending, Epoch, KnownDevice, Label, PasswordHash, Role, Roles,
        Session, SessionId, SessionRecord, SetUpFactors, User, UserId, WebOrigin, WebUrl,
    },
    ports::{BeginOutcome, RememberedDevice},
    revocations::{CommitSnapshot, OutdatedTokens, RaisedEpoch, Revocations, SessionEnd},
};
use std::{
    collections::{BTreeMap, HashMap},
    str::FromStr,
    time::Duration,
};

/// What [`session`] reads; the table goes by the name `s`.
macro_rules! session_columns {
    () => {
        "s.id AS session_id, s.user_id, s.device_id, s.device_name, s.user_agent, s.address, s.origin, s.epoch, s.began_at, s.amr, \
         s.ends_at, s.bound_at, s.ended_at, s.end_reason"
    };
}

/// What [`user`] reads beside `user_id`; the table goes by the name `u`.
macro_rules! account_columns {
    () => {
        "u.email, u.email_typed, u.name, u.website, u.image_url, u.locale, u.created_at, u.disabled_at, u.session_epoch, \
         u.kept_sid, u.email_verified_at, u.roles, u.app, u.version, u.factors"
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
            ", u.password_hash, CAST(NULL AS uuid) AS known_device, false AS is_current"
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
        email_verified_at: row.optional("email_verified_at", SqlRow::instant)?,
        details: Details {
            name: row.parsed("name", Label::stored)?,
            website: row.parsed("website", WebUrl::parse)?,
            image_url: row.parsed("image_url", WebUrl::parse)?,
            locale: row.parsed("locale", FromStr::from_str)?,
        },
        created_at: row.required("created_at", SqlRow::instant)?,
        disabled_at: row.optional("disabled_at", SqlRow::instant)?,
        epoch: Epoch::new(row.number("session_epoch")?),
        kept_session: row
            .optional("kept_sid", SqlRow::uuid)?
            .map(SessionId::from_uuid),
        roles: row
            .parsed("roles", |text| {
                serde_json::from_str::<Roles>(text).map_err(|_| "it is no list of roles")
            })?
            .unwrap_or_default(),
        app: row.parsed("app", AppData::stored)?.unwrap_or_default(),
        version: version(&row, "version")?,
        factors: SetUpFactors::from_bits(row.number("factors")?),
    })
}

fn version(row: &RowReader<'_>, column: &'static str) -> Result<AccountVersion, CorruptRow> {
    AccountVersion::new(row.number(column)?).ok_or_else(|| row.corrupt(column, "it is too large"))
}

/// For `roles`: null where there are none.
pub(crate) fn roles(roles: &Roles) -> Option<String> {
    let named: Vec<_> = roles.iter().map(Role::as_str).collect();
    (!roles.is_empty()).then(|| serde_json::Value::from(named).to_string())
}

/// For `app`: null where there is none.
pub(crate) fn app(app: &AppData) -> Option<String> {
    (!app.is_empty()).then(|| app.to_json())
}

/// For `version` and `outdated_before`.
pub(crate) fn version_number(version: AccountVersion) -> i64 {
    i64::try_from(version.number()).unwrap_or(i64::MAX)
}

pub(super) fn email(row: &RowReader<'_>) -> Result<EmailAddress, CorruptRow> {
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
        known_device: known_device(&row)?,
    })
}

fn known_device(row: &RowReader<'_>) -> Result<Option<KnownDevice>, CorruptRow> {
    let id = row.optional("known_device", SqlRow::uuid)?;
    let is_current = row.required("is_current", SqlRow::boolean)?;
    Ok(id.map(|id| KnownDevice {
        id: DeviceId::from_uuid(id),
        is_current,
    }))
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
            origin: row.parsed("origin", |text| {
                WebOrigin::parse(text).ok_or("it is not an origin")
            })?,
        },
        epoch: Epoch::new(row.number("epoch")?),
        began_at: row.required("began_at", SqlRow::instant)?,
        authenticated_by: authenticated_by(&row)?,
        ends_at: row.required("ends_at", SqlRow::instant)?,
        bound_at: row.optional("bound_at", SqlRow::instant)?,
        ending: ending(&row)?,
    })
}

/// Rows of earlier releases have none: then only a password signed in.
fn authenticated_by(row: &RowReader<'_>) -> Result<AuthMethods, CorruptRow> {
    let methods = row.parsed("amr", |names| {
        AuthMethods::named(names).ok_or("no methods have these names")
    })?;
    Ok(methods.unwrap_or(AuthMethods::PASSWORD))
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
        expired: with(EndReason::Expired),
        evicted: with(EndReason::Evicted),
    }
}

/// Reads the `device_id` that a session was bound to.
pub(crate) fn bound_device(row: &dyn SqlRow) -> Result<DeviceId, CorruptRow> {
    let row = RowReader::new(row, "sessions", "device_id");
    Ok(DeviceId::from_uuid(
        row.required("device_id", SqlRow::uuid)?,
    ))
}

/// Reads `device_id` and `signed_in_at`.
pub(crate) fn remembered_device(row: &dyn SqlRow) -> Result<RememberedDevice, CorruptRow> {
    let row = RowReader::new(row, "known_devices", "device_id");
    Ok(RememberedDevice {
        id: DeviceId::from_uuid(row.required("device_id", SqlRow::uuid)?),
        signed_in_at: row.required("signed_in_at", SqlRow::instant)?,
    })
}

/// The revocations that were read so far.
#[derive(Default)]
pub(crate) struct FoundRevocations {
    snapshot: Option<CommitSnapshot>,
    ends: Vec<SessionEnd>,
    raised: HashMap<UserId, RaisedEpoch>,
    living: BTreeMap<UserId, Vec<SessionId>>,
    outdated: Vec<OutdatedTokens>,
}

impl FoundRevocations {
    /// All of them, once every row was read.
    pub(crate) fn whole(self) -> Result<Revocations, CorruptRow> {
        Ok(Revocations {
            snapshot: self.snapshot.ok_or_else(|| {
                CorruptRow::of_result("revocations", "snapshot", "no row has the snapshot")
            })?,
            ends: self.ends,
            raised: self.raised.into_values().collect(),
            living: self.living,
            outdated: self.outdated,
        })
    }
}

/// Adds what a row says: the `snapshot` and its `source`; a session that ended (`session_id`, `user_id`, `ended_at`, `ended_in`), perhaps
/// with its user's raised epoch; a raised epoch (`user_id`, `session_epoch`, `kept_sid`, `epoch_raised_at`); outdated tokens (`user_id`,
/// `outdated_before`, and when and in which commit in `ended_at` and `ended_in`); or a crowded user (`user_id`) and one of the sessions that
/// live (`session_id`).
pub(crate) fn revocation(row: &dyn SqlRow, found: &mut FoundRevocations) -> Result<(), CorruptRow> {
    let session = RowReader::new(row, "sessions", "session_id");
    if let Some(text) = session.optional("snapshot", SqlRow::text)? {
        let read = snapshot(session.number("source")?, text);
        found.snapshot =
            Some(read.ok_or_else(|| session.corrupt("snapshot", "it is not of the known form"))?);
        return Ok(());
    }
    let user = UserId::from_uuid(session.required("user_id", SqlRow::uuid)?);
    let id = session
        .optional("session_id", SqlRow::uuid)?
        .map(SessionId::from_uuid);
    let ended_at = session.optional("ended_at", SqlRow::instant)?;
    let commit = session.optional("ended_in", SqlRow::integer)?;
    let commit = commit.map_or(0, |commit| u64::try_from(commit).unwrap_or(0));
    if let (Some(session_id), Some(at)) = (id, ended_at) {
        found.ends.push(SessionEnd {
            session: session_id,
            user,
            at,
            commit,
        });
    }
    let owner = RowReader::new(row, "users", "user_id");
    if id.is_none()
        && let Some(at) = ended_at
    {
        found.outdated.push(OutdatedTokens {
            user,
            before: version(&owner, "outdated_before")?,
            at,
            commit,
        });
        return Ok(());
    }
    if let Some(at) = owner.optional("epoch_raised_at", SqlRow::instant)? {
        let raised = RaisedEpoch {
            user,
            epoch: Epoch::new(owner.number("session_epoch")?),
            kept: owner
                .optional("kept_sid", SqlRow::uuid)?
                .map(SessionId::from_uuid),
            at,
        };
        found.raised.insert(user, raised);
    } else if ended_at.is_none() {
        found.living.entry(user).or_default().extend(id);
    }
    Ok(())
}

/// `xmin:xmax:xip,xip`, as Postgres writes a `pg_snapshot`.
fn snapshot(source: u64, text: &str) -> Option<CommitSnapshot> {
    let mut parts = text.split(':');
    let (all_below, none_from, unseen) = (parts.next()?, parts.next()?, parts.next()?);
    let unseen = unseen.split(',').filter(|number| !number.is_empty());
    let unseen: Vec<u64> = unseen
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()
        .filter(|_| parts.next().is_none())?;
    Some(CommitSnapshot::new(
        source,
        all_below.parse().ok()?,
        none_from.parse().ok()?,
        unseen,
    ))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_read_as_postgres_writes_it() {
        for (text, expected) in [
            ("10:20:12,15", CommitSnapshot::new(7, 10, 20, [12, 15])),
            ("10:10:", CommitSnapshot::new(7, 10, 10, [])),
        ] {
            assert_eq!(snapshot(7, text), Some(expected), "{text}");
        }
        for bad in ["", "10", "10:20", "x:20:", "10:20:1,x", "10:20:12:13"] {
            assert_eq!(snapshot(7, bad), None, "{bad}");
        }
    }
}

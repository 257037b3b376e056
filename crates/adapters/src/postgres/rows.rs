//! From rows to the domain's types. A value that the domain does not accept is named by table, column and id.

use super::{
    error::{Corrupt, Fault},
    values::At,
};
use revolve_domain::{
    model::{
        ClientInfo, Credentials, Details, DeviceId, EmailAddress, EndReason, Ending, Epoch, Label,
        PasswordHash, Session, SessionId, SessionRecord, User, UserId, WebUrl,
    },
    ports::{RaisedEpoch, Revocations},
};
use std::{fmt::Display, net::IpAddr};
use tokio_postgres::{Row, types::FromSql};
use uuid::Uuid;

/// What [`session`] reads; the table goes by the name `s`.
macro_rules! session_columns {
    () => {
        "s.id, s.user_id, s.device_id, s.device_name, s.user_agent, s.address, s.epoch, s.began_at, s.ends_at, s.bound_at, \
         s.ended_at, s.end_reason"
    };
}

/// What [`user`] reads; the table goes by the name `u`.
macro_rules! user_columns {
    () => {
        "u.id, u.email, u.name, u.website, u.image_url, u.created_at, u.disabled_at, u.session_epoch, u.kept_sid"
    };
}

pub(super) use {session_columns, user_columns};

/// Reads a row's columns one after the other, in the order of the lists above.
struct Fields<'a> {
    row: &'a Row,
    next: usize,
    table: &'static str,
    id: Option<Uuid>,
}

impl<'a> Fields<'a> {
    fn of(row: &'a Row, table: &'static str, first: usize) -> Self {
        Self {
            row,
            next: first,
            table,
            id: None,
        }
    }

    fn id(&mut self) -> Result<Uuid, Corrupt> {
        let id = self.take("id")?;
        self.id = Some(id);
        Ok(id)
    }

    fn take<T: FromSql<'a>>(&mut self, column: &'static str) -> Result<T, Corrupt> {
        let value = self
            .row
            .try_get(self.next)
            .map_err(|error| self.corrupt(column, error))?;
        self.next += 1;
        Ok(value)
    }

    /// Text that must parse, if there is any.
    fn parse<T, E: Display>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Corrupt> {
        let text: Option<&str> = self.take(column)?;
        text.map(parse)
            .transpose()
            .map_err(|error| self.corrupt(column, error))
    }

    fn epoch(&mut self, column: &'static str) -> Result<Epoch, Corrupt> {
        let number: i64 = self.take(column)?;
        u32::try_from(number)
            .map(Epoch::new)
            .map_err(|error| self.corrupt(column, error))
    }

    fn corrupt(&self, column: &'static str, reason: impl Display) -> Corrupt {
        let id = self.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
        Corrupt {
            table: self.table,
            column,
            id,
            reason: reason.to_string(),
        }
    }
}

/// Reads [`user_columns`] from the column `first` on.
pub(super) fn user(row: &Row, first: usize) -> Result<User, Fault> {
    let mut fields = Fields::of(row, "users", first);
    Ok(User {
        id: UserId::from_uuid(fields.id()?),
        email: fields
            .parse("email", EmailAddress::parse)?
            .ok_or_else(|| fields.corrupt("email", "it is null"))?,
        details: Details {
            name: fields.parse("name", Label::parse)?,
            website: fields.parse("website", WebUrl::parse)?,
            image_url: fields.parse("image_url", WebUrl::parse)?,
        },
        created_at: fields.take::<At>("created_at")?.0,
        disabled_at: fields.take::<Option<At>>("disabled_at")?.map(|at| at.0),
        epoch: fields.epoch("session_epoch")?,
        kept_session: fields
            .take::<Option<Uuid>>("kept_sid")?
            .map(SessionId::from_uuid),
    })
}

/// How many columns [`user`] reads.
const USER_COLUMNS: usize = 9;

/// How many columns [`session`] reads.
const SESSION_COLUMNS: usize = 12;

/// Reads [`user_columns`], then the hash, then whether the device is known.
pub(super) fn credentials(row: &Row) -> Result<Credentials, Fault> {
    let user = user(row, 0)?;
    let mut fields = Fields {
        row,
        next: USER_COLUMNS,
        table: "users",
        id: Some(*user.id.as_uuid()),
    };
    let hash = PasswordHash::from_phc(fields.take("password_hash")?);
    Ok(Credentials {
        user,
        hash,
        known_device: fields.take("known")?,
    })
}

/// Reads the same and whether it is an account, all of it in either case.
pub(super) fn wanted(row: &Row) -> Result<Option<Credentials>, Fault> {
    let credentials = credentials(row)?;
    Ok(row
        .try_get::<_, bool>(USER_COLUMNS + 2)?
        .then_some(credentials))
}

/// Reads [`session_columns`].
pub(super) fn session(row: &Row) -> Result<Session, Fault> {
    let mut fields = Fields::of(row, "sessions", 0);
    Ok(Session {
        id: SessionId::from_uuid(fields.id()?),
        user: UserId::from_uuid(fields.take("user_id")?),
        device: DeviceId::from_uuid(fields.take("device_id")?),
        device_name: fields.parse("device_name", Label::parse)?,
        client: ClientInfo {
            user_agent: fields.parse("user_agent", Label::parse)?,
            address: fields.take::<Option<IpAddr>>("address")?,
        },
        epoch: fields.epoch("epoch")?,
        began_at: fields.take::<At>("began_at")?.0,
        ends_at: fields.take::<At>("ends_at")?.0,
        bound_at: fields.take::<Option<At>>("bound_at")?.map(|at| at.0),
        ending: ending(&mut fields)?,
    })
}

fn ending(fields: &mut Fields<'_>) -> Result<Option<Ending>, Corrupt> {
    let at: Option<At> = fields.take("ended_at")?;
    let reason = fields.parse("end_reason", |name| {
        EndReason::from_name(name).ok_or("no reason has that name")
    })?;
    match (at, reason) {
        (None, None) => Ok(None),
        (Some(At(at)), Some(reason)) => Ok(Some(Ending { at, reason })),
        _ => Err(fields.corrupt(
            "end_reason",
            "it must be there if, and only if, ended_at is",
        )),
    }
}

/// Reads [`session_columns`] and then [`user_columns`], which are null once the account is gone.
pub(super) fn record(row: &Row) -> Result<SessionRecord, Fault> {
    let session = session(row)?;
    let owner: Option<Uuid> = Fields {
        row,
        next: SESSION_COLUMNS,
        table: "users",
        id: None,
    }
    .take("id")?;
    let user = owner.map(|_| user(row, SESSION_COLUMNS)).transpose()?;
    Ok(SessionRecord { session, user })
}

/// Reads the id of a session and when it ended, or the id of a user, the epoch and the kept session.
pub(super) fn revocation(row: &Row, revocations: &mut Revocations) -> Result<(), Fault> {
    let ended_at: Option<At> = row.try_get(1)?;
    let mut fields = Fields::of(
        row,
        if ended_at.is_some() {
            "sessions"
        } else {
            "users"
        },
        0,
    );
    let id = fields.id()?;
    if let Some(At(ended_at)) = ended_at {
        revocations
            .sessions
            .push((SessionId::from_uuid(id), ended_at));
        return Ok(());
    }
    fields.next = 2;
    let (user, epoch) = (UserId::from_uuid(id), fields.epoch("session_epoch")?);
    let kept = fields
        .take::<Option<Uuid>>("kept_sid")?
        .map(SessionId::from_uuid);
    revocations.users.push(RaisedEpoch { user, epoch, kept });
    Ok(())
}

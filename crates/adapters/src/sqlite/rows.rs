//! Between rows and the domain's types. A value that the domain does not accept is named by table, column and id.

use super::error::{Corrupt, Fault};
use revolve_domain::{
    model::{
        ClientInfo, Credentials, Details, EmailAddress, EndReason, Ending, Epoch, Generation,
        Label, PasswordHash, Session, SessionId, SessionRecord, Timestamp, User, WebUrl,
    },
    ports::RaisedEpoch,
    rotation::{Entry, LiveToken},
};
use rusqlite::{Row, types::FromSql};
use std::{fmt::Display, str::FromStr};

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

/// What [`entry`] reads.
macro_rules! entry_columns {
    () => {
        "session_id, gen, iat, exp, did, epoch, rotated_at, dies_at, late, charged, reused"
    };
}

pub(super) use {entry_columns, session_columns, user_columns};

/// How many columns [`user`] reads.
const USER_COLUMNS: usize = 9;

/// How many columns [`session`] reads.
const SESSION_COLUMNS: usize = 12;

/// Reads a row's columns one after the other, in the order of the lists above.
struct Fields<'a> {
    row: &'a Row<'a>,
    next: usize,
    table: &'static str,
    id: String,
}

impl<'a> Fields<'a> {
    /// The row's id is its first column.
    fn of(row: &'a Row<'a>, table: &'static str, first: usize) -> Self {
        let id = row.get(first).unwrap_or_else(|_| "?".to_owned());
        Self {
            row,
            next: first,
            table,
            id,
        }
    }

    fn take<T: FromSql>(&mut self, column: &'static str) -> Result<T, Corrupt> {
        let value = self
            .row
            .get(self.next)
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
        let text: Option<String> = self.take(column)?;
        text.as_deref()
            .map(parse)
            .transpose()
            .map_err(|error| self.corrupt(column, error))
    }

    /// The same where there must be some.
    fn need<T, E: Display>(
        &mut self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Corrupt> {
        self.parse(column, parse)?
            .ok_or_else(|| self.corrupt(column, "it is null"))
    }

    fn number<T: TryFrom<i64, Error: Display>>(
        &mut self,
        column: &'static str,
    ) -> Result<T, Corrupt> {
        let number: i64 = self.take(column)?;
        T::try_from(number).map_err(|error| self.corrupt(column, error))
    }

    fn at(&mut self, column: &'static str) -> Result<Timestamp, Corrupt> {
        self.take(column).map(Timestamp::from_millis)
    }

    fn perhaps_at(&mut self, column: &'static str) -> Result<Option<Timestamp>, Corrupt> {
        Ok(self
            .take::<Option<i64>>(column)?
            .map(Timestamp::from_millis))
    }

    fn corrupt(&self, column: &'static str, reason: impl Display) -> Corrupt {
        Corrupt {
            table: self.table,
            column,
            id: self.id.clone(),
            reason: reason.to_string(),
        }
    }
}

/// Reads [`user_columns`] from the column `first` on.
pub(super) fn user(row: &Row<'_>, first: usize) -> Result<User, Fault> {
    let mut fields = Fields::of(row, "users", first);
    Ok(User {
        id: fields.need("id", FromStr::from_str)?,
        email: fields.need("email", EmailAddress::parse)?,
        details: Details {
            name: fields.parse("name", Label::parse)?,
            website: fields.parse("website", WebUrl::parse)?,
            image_url: fields.parse("image_url", WebUrl::parse)?,
        },
        created_at: fields.at("created_at")?,
        disabled_at: fields.perhaps_at("disabled_at")?,
        epoch: Epoch::new(fields.number("session_epoch")?),
        kept_session: fields.parse("kept_sid", FromStr::from_str)?,
    })
}

/// Reads [`user_columns`], then the hash, then whether the device is known.
pub(super) fn credentials(row: &Row<'_>) -> Result<Credentials, Fault> {
    let user = user(row, 0)?;
    let mut fields = Fields {
        row,
        next: USER_COLUMNS,
        table: "users",
        id: user.id.to_string(),
    };
    let hash = PasswordHash::from_phc(fields.take("password_hash")?);
    Ok(Credentials {
        user,
        hash,
        known_device: fields.take("known")?,
    })
}

/// Reads the same and whether it is an account, all of it in either case.
pub(super) fn wanted(row: &Row<'_>) -> Result<Option<Credentials>, Fault> {
    let credentials = credentials(row)?;
    Ok(row.get::<_, bool>(USER_COLUMNS + 2)?.then_some(credentials))
}

/// Reads [`session_columns`].
pub(super) fn session(row: &Row<'_>) -> Result<Session, Fault> {
    let mut fields = Fields::of(row, "sessions", 0);
    Ok(Session {
        id: fields.need("id", FromStr::from_str)?,
        user: fields.need("user_id", FromStr::from_str)?,
        device: fields.need("device_id", FromStr::from_str)?,
        device_name: fields.parse("device_name", Label::parse)?,
        client: ClientInfo {
            user_agent: fields.parse("user_agent", Label::parse)?,
            address: fields.parse("address", FromStr::from_str)?,
        },
        epoch: Epoch::new(fields.number("epoch")?),
        began_at: fields.at("began_at")?,
        ends_at: fields.at("ends_at")?,
        bound_at: fields.perhaps_at("bound_at")?,
        ending: ending(&mut fields)?,
    })
}

fn ending(fields: &mut Fields<'_>) -> Result<Option<Ending>, Corrupt> {
    let at = fields.perhaps_at("ended_at")?;
    let reason = fields.parse("end_reason", |name| {
        EndReason::from_name(name).ok_or("no reason has that name")
    })?;
    match (at, reason) {
        (None, None) => Ok(None),
        (Some(at), Some(reason)) => Ok(Some(Ending { at, reason })),
        _ => Err(fields.corrupt(
            "end_reason",
            "it must be there if, and only if, ended_at is",
        )),
    }
}

/// Reads [`session_columns`] and then [`user_columns`], which are null once the account is gone.
pub(super) fn record(row: &Row<'_>) -> Result<SessionRecord, Fault> {
    let session = session(row)?;
    let owner: Option<String> = row.get(SESSION_COLUMNS)?;
    let user = owner.map(|_| user(row, SESSION_COLUMNS)).transpose()?;
    Ok(SessionRecord { session, user })
}

/// A session that ended, or a user whose epoch rose.
pub(super) enum Revocation {
    Session(SessionId, Timestamp),
    User(RaisedEpoch),
}

/// Reads the id of a session and when it ended, or the id of a user, the epoch and the kept session.
pub(super) fn revocation(row: &Row<'_>) -> Result<Revocation, Fault> {
    if let Some(ended_at) = row.get::<_, Option<i64>>(1)? {
        let session = Fields::of(row, "sessions", 0).need("id", FromStr::from_str)?;
        return Ok(Revocation::Session(
            session,
            Timestamp::from_millis(ended_at),
        ));
    }
    let mut fields = Fields::of(row, "users", 0);
    let user = fields.need("id", FromStr::from_str)?;
    fields.next = 2;
    let epoch = Epoch::new(fields.number("session_epoch")?);
    Ok(Revocation::User(RaisedEpoch {
        user,
        epoch,
        kept: fields.parse("kept_sid", FromStr::from_str)?,
    }))
}

/// Reads [`entry_columns`].
pub(super) fn entry(row: &Row<'_>) -> Result<(SessionId, Entry), Fault> {
    let mut fields = Fields::of(row, "white_list", 0);
    let session = fields.need("session_id", FromStr::from_str)?;
    let generation = fields.number("gen")?;
    let generation = Generation::new(generation)
        .ok_or_else(|| fields.corrupt("gen", "no generation has that number"))?;
    let entry = Entry {
        token: LiveToken {
            generation,
            issued_at: fields.at("iat")?,
            expires_at: fields.at("exp")?,
            device: fields.parse("did", FromStr::from_str)?,
        },
        epoch: Epoch::new(fields.number("epoch")?),
        rotated_at: fields.at("rotated_at")?,
        dies_at: fields.at("dies_at")?,
        late: fields.number("late")?,
        charged: fields.take("charged")?,
        reused: fields.take("reused")?,
    };
    Ok((session, entry))
}

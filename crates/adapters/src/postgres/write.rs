//! From the domain's types to the parameters of statements.

use super::{statement::Param, values::PgTimestamp};
use crate::sql::{app, roles, typed, version_number};
use revolve_domain::model::{
    Label, Locale, PasswordHash, Session, SessionId, User, WebOrigin, WebUrl,
};
use std::net::IpAddr;
use uuid::Uuid;

/// Stores a [`SessionRow`], whose parameters are `$1` to `$14`; with a source, if that has a row.
macro_rules! insert_session {
    ($($source:literal)?) => {
        concat!(
            "INSERT INTO sessions (id, user_id, device_id, device_name, user_agent, address, epoch, began_at, ends_at, bound_at, \
             ended_at, end_reason, origin, amr) \
             SELECT $1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::inet, $7::bigint, $8::timestamptz, $9::timestamptz, \
             $10::timestamptz, $11::timestamptz, $12::text, $13::text, $14::text",
            $($source)?
        )
    };
}

/// Remembers the device of a [`SessionRow`] as one that its user has signed in on; with a source, if that has a row. A device on which
/// reuse was found, whose epoch is null, stays as it is.
macro_rules! know_device {
    ($($source:literal)?) => {
        concat!(
            "INSERT INTO known_devices AS known (user_id, device_id, signed_in_at, epoch) \
             SELECT $2::uuid, $3::uuid, $8::timestamptz, $7::bigint",
            $($source,)?
            " ON CONFLICT (user_id, device_id) DO UPDATE SET signed_in_at = excluded.signed_in_at, \
             epoch = CASE WHEN known.epoch IS NOT NULL THEN excluded.epoch END"
        )
    };
}

/// Stores a [`UserRow`]; what follows is the list of its parameters.
macro_rules! user_into {
    () => {
        "INSERT INTO users (id, email, password_hash, name, website, image_url, created_at, disabled_at, session_epoch, kept_sid, email_typed, locale, email_verified_at, roles, app, version, factors) VALUES "
    };
}

/// Stores a [`UserRow`], whose parameters are `$15` to `$31`, as they follow a session's.
macro_rules! insert_user {
    () => {
        concat!(
            user_into!(),
            "($15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)"
        )
    };
}

/// Raises the version of an account by a change, as `AccountVersion::next` does.
macro_rules! next_version {
    ($at:literal) => {
        concat!(
            "version = least(greatest(version + 1, ",
            $at,
            "), 9007199254740991)"
        )
    };
}

pub(super) use {insert_session, insert_user, know_device, next_version, user_into};

pub(super) struct SessionRow<'a> {
    id: &'a Uuid,
    user: &'a Uuid,
    device: &'a Uuid,
    device_name: Option<&'a str>,
    user_agent: Option<&'a str>,
    address: Option<IpAddr>,
    epoch: i64,
    began_at: PgTimestamp,
    ends_at: PgTimestamp,
    bound_at: Option<PgTimestamp>,
    ended_at: Option<PgTimestamp>,
    end_reason: Option<&'static str>,
    origin: Option<&'a str>,
    amr: String,
}

impl<'a> From<&'a Session> for SessionRow<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            id: session.id.as_uuid(),
            user: session.user.as_uuid(),
            device: session.device.as_uuid(),
            device_name: session.device_name.as_ref().map(Label::as_str),
            user_agent: session.client.user_agent.as_ref().map(Label::as_str),
            address: session.client.address,
            epoch: session.epoch.number().into(),
            began_at: PgTimestamp(session.began_at),
            ends_at: PgTimestamp(session.ends_at),
            bound_at: session.bound_at.map(PgTimestamp),
            ended_at: session.ending.map(|ending| PgTimestamp(ending.at)),
            end_reason: session.ending.map(|ending| ending.reason.name()),
            origin: session.client.origin.as_ref().map(WebOrigin::as_str),
            amr: session.authenticated_by.to_string(),
        }
    }
}

impl SessionRow<'_> {
    pub(super) fn params(&self) -> [&dyn Param; 14] {
        [
            self.id,
            self.user,
            self.device,
            &self.device_name,
            &self.user_agent,
            &self.address,
            &self.epoch,
            &self.began_at,
            &self.ends_at,
            &self.bound_at,
            &self.ended_at,
            &self.end_reason,
            &self.origin,
            &self.amr,
        ]
    }
}

pub(super) struct UserRow<'a> {
    id: &'a Uuid,
    email: &'a str,
    password_hash: &'a str,
    name: Option<&'a str>,
    website: Option<&'a str>,
    image_url: Option<&'a str>,
    created_at: PgTimestamp,
    disabled_at: Option<PgTimestamp>,
    session_epoch: i64,
    kept_sid: Option<&'a Uuid>,
    email_typed: Option<&'a str>,
    locale: Option<&'a str>,
    email_verified_at: Option<PgTimestamp>,
    roles: Option<String>,
    app: Option<String>,
    version: i64,
    factors: i64,
}

impl<'a> UserRow<'a> {
    pub(super) fn new(user: &'a User, hash: &'a PasswordHash) -> Self {
        Self {
            id: user.id.as_uuid(),
            email: user.email.key(),
            password_hash: hash.expose(),
            name: user.details.name.as_ref().map(Label::as_str),
            website: user.details.website.as_ref().map(WebUrl::as_str),
            image_url: user.details.image_url.as_ref().map(WebUrl::as_str),
            created_at: PgTimestamp(user.created_at),
            disabled_at: user.disabled_at.map(PgTimestamp),
            session_epoch: user.epoch.number().into(),
            kept_sid: user.kept_session.as_ref().map(SessionId::as_uuid),
            email_typed: typed(&user.email),
            locale: user.details.locale.as_ref().map(Locale::as_str),
            email_verified_at: user.email_verified_at.map(PgTimestamp),
            roles: roles(&user.roles),
            app: app(&user.app),
            version: version_number(user.version),
            factors: user.factors.bits().into(),
        }
    }

    pub(super) fn params(&self) -> [&dyn Param; 17] {
        [
            self.id,
            &self.email,
            &self.password_hash,
            &self.name,
            &self.website,
            &self.image_url,
            &self.created_at,
            &self.disabled_at,
            &self.session_epoch,
            &self.kept_sid,
            &self.email_typed,
            &self.locale,
            &self.email_verified_at,
            &self.roles,
            &self.app,
            &self.version,
            &self.factors,
        ]
    }
}

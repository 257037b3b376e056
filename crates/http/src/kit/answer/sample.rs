//! What answers look like in the documentation.

use super::{Instant, SessionAnswer, TokensAnswer, UserAnswer, UserMembers};
use revolve_domain::model::{AppData, DeviceId, RecoveryCode, Role, Roles, SessionId, UserId};
use std::sync::LazyLock;
use time::{OffsetDateTime, macros::datetime};
use utoipa::openapi::{
    RefOr, Schema, Type,
    schema::{ArrayBuilder, ObjectBuilder},
};
use uuid::uuid;

pub(crate) const USER: UserId = UserId::from_uuid(uuid!("5f0d2c1e-8a3c-4f1b-9e9d-4c21019a7c0e"));
pub(crate) const SESSION: SessionId =
    SessionId::from_uuid(uuid!("b1c493d0-a8e7-4655-b29d-5d22019a7c0e"));
pub(crate) const OTHER_SESSION: SessionId =
    SessionId::from_uuid(uuid!("9e2751c8-d4a6-4390-8d18-0b4c019a63f2"));
pub(crate) const DEVICE: DeviceId =
    DeviceId::from_uuid(uuid!("a0f92b7d-3c5e-4a14-9e64-5d20019a7c0e"));
const SIGNED_IN: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

/// A token that only looks like one.
pub(crate) const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6IuKApiJ9.eyJpc3MiOiLigKYiLCJleHAiOjE3NjczMjM5NDV9.c2lnbmF0dXJl";
/// A device credential that only looks like one.
pub(crate) const CREDENTIAL: &str = "AZp8Dl0gfmSg-St9PF6KFA.q8Jx2vT0b6yA1mZ5s7dK9gW3uRfHnLpQ";
/// The cookie with it.
pub(crate) const COOKIE: &str = "revolve-device-hH3v0vYq1bJt=AZp8Dl0gfmSg-St9PF6KFA.q8Jx2vT0b6yA1mZ5s7dK9gW3uRfHnLpQ; \
                                 HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000";

/// The cookie with a refresh token.
pub(crate) const TOKEN_COOKIE: &str = "revolve-refresh-hH3v0vYq1bJt=eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJnZW4iOjJ9.c2lnbmF0dXJl; \
                                       HttpOnly; SameSite=Strict; Path=/; Max-Age=259200";
/// The same once it is taken away.
pub(crate) const NO_TOKEN_COOKIE: &str =
    "revolve-refresh-hH3v0vYq1bJt=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0";

/// An instant some days after the sign-in.
pub(crate) fn later(days: i64, minutes: i64) -> Instant {
    Instant(SIGNED_IN + time::Duration::days(days) + time::Duration::minutes(minutes))
}

pub(crate) fn tokens() -> TokensAnswer<'static> {
    TokensAnswer {
        id_token: TOKEN,
        id_token_expires_at: later(0, 15),
        must_set_up_factor: None,
        refresh_token: Some(TOKEN),
        refresh_token_expires_at: later(3, 0),
    }
}

pub(crate) fn session(evicted: Option<&[SessionId]>) -> SessionAnswer<'_> {
    SessionAnswer {
        id: SESSION,
        created_at: later(0, 0),
        ends_at: later(90, 0),
        evicted,
    }
}

/// What operators say of an account: nothing, or something.
static GRANTED: LazyLock<[(Roles, AppData); 2]> = LazyLock::new(|| {
    let roles = ["billing:read", "editor"].map(|role| Role::parse(role).expect("it is a role"));
    let roles = Roles::new(roles).expect("they are few");
    let app = AppData::parse(r#"{ "plan": "pro" }"#).expect("it is an object");
    [Default::default(), (roles, app)]
});

pub(crate) fn granted(some: bool) -> &'static (Roles, AppData) {
    &GRANTED[usize::from(some)]
}

pub(crate) fn user(described: bool) -> UserAnswer<'static> {
    let given = |value| described.then_some(value);
    let (roles, app) = granted(described);
    UserAnswer {
        user: UserMembers {
            uid: USER,
            email: "ann@example.org",
            email_verified: described,
            name: given("Ann"),
            image_url: given("https://example.org/ann.png"),
            website: given("https://example.org/"),
            locale: given("de-CH"),
            roles,
            app,
            created_at: later(0, 0),
        },
    }
}

pub(crate) fn id_token() -> RefOr<Schema> {
    jwt("What your services verify, to be sent as `Authorization: Bearer …`.")
}

pub(crate) fn refresh_token() -> RefOr<Schema> {
    jwt(
        "What buys the next pair, once: keep the newest in a safe place. Not there with `Revolve-Tokens: cookie`: then the cookie has it.",
    )
}

pub(crate) fn reauthentication() -> RefOr<Schema> {
    jwt("What to send as `Revolve-Reauthentication`, to this API only.")
}

/// Recovery codes, as they are shown once.
pub(crate) fn recovery_codes() -> ArrayBuilder {
    let code = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$"));
    ArrayBuilder::new()
        .items(code)
        .min_items(Some(RecoveryCode::SET))
        .max_items(Some(RecoveryCode::SET))
        .description(Some(
            "Recovery codes of the account, each of which stands in for a factor once. They are not shown again: show them to the user.",
        ))
}

/// Codes that only look like some.
pub(crate) fn codes() -> Vec<&'static str> {
    vec!["7Q2M-X0HD-93VK-ZT4P"; RecoveryCode::SET]
}

/// Three parts in base64url (RFC 7519 §3).
fn jwt(description: &str) -> RefOr<Schema> {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description));
    RefOr::T(Schema::Object(
        schema
            .pattern(Some(r"^[\w-]+\.[\w-]+\.[\w-]+$"))
            .examples([TOKEN])
            .build(),
    ))
}

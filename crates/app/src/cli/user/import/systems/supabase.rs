//! Supabase: rows of `auth.users`.

use super::{Account, ForeignId, Instant, RowRefusal, fields::Fields};
use revolve_domain::model::PasswordHash;
use serde_json::Value;
use time::OffsetDateTime;

/// What the system itself writes where a user writes, and what is taken.
const OWN: [&str; 6] = [
    "sub",
    "email",
    "email_verified",
    "phone_verified",
    "name",
    "picture",
];

pub(super) fn read(mut fields: Fields, now: OffsetDateTime) -> Result<Account, RowRefusal> {
    if fields.had("deleted_at") {
        return Err(RowRefusal::new("deleted", "the account is deleted"));
    }
    let banned = match fields.instant("banned_until") {
        Some(Instant::At(until)) => until > now,
        // `infinity`
        Some(Instant::Unreadable) => true,
        None => false,
    };
    let mut own = Fields::new(fields.object("raw_user_meta_data").unwrap_or_default());
    let hash = fields.text("encrypted_password");
    let mut account = Account {
        email: fields.text("email"),
        email_verified: fields.had("email_confirmed_at"),
        hash: hash.map(|hash| Ok(PasswordHash::from_phc(hash))),
        id: fields.text("id").map(ForeignId::Uuid),
        name: own.text("full_name").or_else(|| own.text("name")),
        image_url: own.text("avatar_url"),
        created_at: fields.instant("created_at"),
        disabled: banned,
        ..Account::default()
    };
    for of_the_system in OWN {
        own.take(of_the_system);
    }
    let mut data = fields.object("raw_app_meta_data").unwrap_or_default();
    data.remove("provider");
    let providers = data.remove("providers").unwrap_or_default();
    let is_other = |provider: &Value| provider != "email";
    let others = providers
        .as_array()
        .is_some_and(|all| all.iter().any(is_other));
    account.operators_data(data);
    account.leave_out("user metadata", own.any_left());
    account.leave_out("phone number", fields.had("phone"));
    account.leave_out("sign-in by another provider", others);
    Ok(account)
}

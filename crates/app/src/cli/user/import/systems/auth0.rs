//! Auth0: lines of its bulk export, of the hashes that its support gives away, or of both; also the file of a bulk import.

use super::{Account, ForeignId, custom_hash, fields::Fields};
use revolve_domain::model::PasswordHash;
use serde_json::Value;

pub(super) fn read(mut fields: Fields) -> Account {
    let hash = match fields.object("custom_password_hash") {
        Some(custom) => Some(custom_hash::read(custom)),
        None => fields
            .text("passwordHash")
            .or_else(|| fields.text("password_hash"))
            .map(|hash| Ok(PasswordHash::from_phc(hash))),
    };
    // The file of the hashes has the id without the name of the connection.
    let oid = fields.object("_id").map(Fields::new);
    let oid = oid.and_then(|mut id| id.text("$oid"));
    let id = fields
        .text("user_id")
        .or_else(|| oid.map(|oid| format!("auth0|{oid}")));
    let (given, family) = (fields.text("given_name"), fields.text("family_name"));
    // Where a user has no name, Auth0 writes the address.
    let name = fields.text("name").filter(|name| !name.contains('@'));
    let mut account = Account {
        email: fields.text("email"),
        email_verified: fields.flag("email_verified"),
        hash,
        id: id.map(|id| ForeignId::Named(format!("auth0:{id}"))),
        name: name.or_else(|| full_name(given, family)),
        image_url: fields.text("picture"),
        created_at: fields.instant("created_at"),
        disabled: fields.flag("blocked"),
        ..Account::default()
    };
    account.operators_data(fields.object("app_metadata").unwrap_or_default());
    account.leave_out("user metadata", fields.had("user_metadata"));
    account.leave_out("user name", fields.had("username"));
    account.leave_out("phone number", fields.had("phone_number"));
    let factors = ["mfa_factors", "multifactor", "guardian_authenticators"];
    for factors in factors {
        account.leave_out("second factor", fields.had(factors));
    }
    let is_other = |identity: &Value| identity["provider"] != "auth0";
    let others = fields.array("identities").iter().any(is_other);
    account.leave_out("sign-in by another provider", others);
    account
}

/// `None` if both are missing.
pub(super) fn full_name(given: Option<String>, family: Option<String>) -> Option<String> {
    let parts: Vec<String> = given.into_iter().chain(family).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

//! Ory Kratos: identities with `include_credential=password`, or Revolve's own rows with hashes as Kratos writes them.

use super::{Account, ForeignId, RowRefusal, auth0::full_name, fields::Fields, own};
use crate::cli::user::import::row::unusable;
use revolve_adapters::argon2::from_kratos;
use revolve_domain::model::PasswordHash;
use serde_json::Value;

pub(super) fn read(mut fields: Fields) -> Result<Account, RowRefusal> {
    if !fields.has("traits") {
        let mut account = own::of_members(fields.into_members())?;
        account.hash = account.hash.map(|hash| hash.and_then(kept));
        return Ok(account);
    }
    let mut traits = Fields::new(fields.object("traits").unwrap_or_default());
    let addresses = fields.array("verifiable_addresses");
    let is_mail = |address: &&Value| address["via"] == "email";
    let mail = addresses.iter().find(is_mail);
    let mail = mail.and_then(|address| address["value"].as_str());
    let email = traits.text("email").or_else(|| mail.map(str::to_owned));
    let is_verified = |address: &Value| {
        address["verified"] == true && address["value"].as_str() == email.as_deref()
    };
    let email_verified = email.is_some() && addresses.iter().any(is_verified);
    let credentials = fields.object("credentials").unwrap_or_default();
    let hash = credentials.get("password");
    let hash = hash.and_then(|password| password["config"]["hashed_password"].as_str());
    let hash = hash.filter(|hash| !hash.is_empty()).map(str::to_owned);
    let mut account = Account {
        email,
        email_verified,
        hash: hash.map(|hash| kept(PasswordHash::from_phc(hash))),
        id: fields.text("id").map(ForeignId::Uuid),
        name: name(&mut traits),
        created_at: fields.instant("created_at"),
        disabled: fields
            .text("state")
            .is_some_and(|state| state == "inactive"),
        ..Account::default()
    };
    account.operators_data(fields.object("metadata_public").unwrap_or_default());
    account.leave_out("traits", traits.any_left());
    account.leave_out("admin metadata", fields.had("metadata_admin"));
    let has = |kind: &str| {
        let identifiers = credentials.get(kind);
        identifiers.is_some_and(|credential| !credential["config"].is_null())
    };
    account.leave_out("second factor", has("totp") || has("lookup_secret"));
    account.leave_out("passkey", has("webauthn") || has("passkey"));
    account.leave_out("sign-in by another provider", has("oidc") || has("saml"));
    Ok(account)
}

fn kept(hash: PasswordHash) -> Result<PasswordHash, RowRefusal> {
    from_kratos(hash).map_err(unusable)
}

/// Schemas have a text, or an object with `first` and `last`.
fn name(traits: &mut Fields) -> Option<String> {
    match traits.take("name")? {
        Value::String(name) => Some(name),
        Value::Object(parts) => {
            let mut parts = Fields::new(parts);
            full_name(parts.text("first"), parts.text("last"))
        }
        _ => None,
    }
}

//! Keycloak: the users of a realm's export.

use super::{
    Account, ForeignId, RowRefusal,
    auth0::full_name,
    fields::{Fields, base64},
};
use revolve_adapters::argon2::{DigestName, ForeignHash};
use revolve_domain::model::PasswordHash;
use serde_json::{Map, Value};

/// What every user of a realm has.
const DEFAULT_ROLES: [&str; 2] = ["offline_access", "uma_authorization"];

pub(super) fn read(mut fields: Fields) -> Result<Account, RowRefusal> {
    if fields.had("serviceAccountClientId") {
        let reason = "it is the account of a client and no user's";
        return Err(RowRefusal::new("service_account", reason));
    }
    let credentials = fields.array("credentials");
    let of_type = |name: &str| {
        credentials
            .iter()
            .find(|credential| credential["type"] == name)
    };
    let hash = of_type("password").map(hash);
    let attributes = fields.object("attributes").unwrap_or_default();
    let locale = attributes
        .get("locale")
        .and_then(|locale| locale[0].as_str());
    let (email, username) = (fields.text("email"), fields.text("username"));
    let is_user_name = username.is_some() && username != email;
    let mut account = Account {
        email,
        email_verified: fields.flag("emailVerified"),
        hash,
        id: fields.text("id").map(ForeignId::Uuid),
        name: full_name(fields.text("firstName"), fields.text("lastName")),
        locale: locale.map(str::to_owned),
        roles: roles(&mut fields),
        created_at: fields.instant("createdTimestamp"),
        disabled: fields.has("enabled") && !fields.flag("enabled"),
        ..Account::default()
    };
    account.leave_out("user name", is_user_name);
    account.leave_out("second factor", of_type("otp").is_some());
    let is_key = |credential: &Value| {
        let kind = credential["type"].as_str().unwrap_or_default();
        kind.starts_with("webauthn")
    };
    account.leave_out("passkey", credentials.iter().any(is_key));
    let is_attribute = |name: &String| name != "locale";
    account.leave_out("attributes", attributes.keys().any(is_attribute));
    account.leave_out("groups", fields.had("groups"));
    account.leave_out("required actions", fields.had("requiredActions"));
    account.leave_out(
        "password in another directory",
        fields.had("federationLink"),
    );
    account.leave_out(
        "sign-in by another provider",
        fields.had("federatedIdentities"),
    );
    Ok(account)
}

/// The roles of a client begin with its name.
fn roles(fields: &mut Fields) -> Vec<String> {
    let of_realm = fields.array("realmRoles");
    let of_realm = of_realm.iter().filter_map(Value::as_str);
    let is_default =
        |role: &&str| DEFAULT_ROLES.contains(role) || role.starts_with("default-roles-");
    let mut roles: Vec<String> = of_realm
        .filter(|role| !is_default(role))
        .map(str::to_owned)
        .collect();
    for (client, of_client) in fields.object("clientRoles").unwrap_or_default() {
        // Those of Keycloak's own pages.
        if client == "account" {
            continue;
        }
        let of_client = of_client.as_array().into_iter().flatten();
        let of_client = of_client.filter_map(Value::as_str);
        roles.extend(of_client.map(|role| format!("{client}:{role}")));
    }
    roles
}

/// `credentialData` says how `secretData` was made; both are texts of JSON.
fn hash(credential: &Value) -> Result<PasswordHash, RowRefusal> {
    let unsupported = || {
        let reason = "credentials: the password's algorithm or parameters are not supported";
        RowRefusal::new("hash_unsupported", reason)
    };
    read_hash(credential).ok_or_else(unsupported)
}

fn read_hash(credential: &Value) -> Option<PasswordHash> {
    let part = |name: &str| {
        let text = credential[name].as_str()?;
        serde_json::from_str::<Map<String, Value>>(text).ok()
    };
    let (data, secret) = (part("credentialData")?, part("secretData")?);
    let bytes = |name: &str| base64(secret.get(name)?.as_str()?);
    let iterations = data.get("hashIterations")?.as_u64()?.try_into().ok()?;
    let foreign = match data.get("algorithm")?.as_str()? {
        "argon2" => argon2(data.get("additionalParameters")?, iterations)?,
        "pbkdf2" => ForeignHash::Pbkdf2 {
            digest: DigestName::Sha1,
            iterations,
        },
        other => ForeignHash::Pbkdf2 {
            digest: DigestName::named(other.strip_prefix("pbkdf2-")?)?,
            iterations,
        },
    };
    foreign.to_hash(&bytes("salt")?, &bytes("value")?)
}

/// Each parameter is a list with one text.
fn argon2(parameters: &Value, passes: u32) -> Option<ForeignHash<'static>> {
    let text = |name: &str| parameters[name][0].as_str();
    Some(ForeignHash::Argon2 {
        kind: match text("type")? {
            "id" => "argon2id",
            "i" => "argon2i",
            "d" => "argon2d",
            _ => return None,
        },
        version: match text("version")? {
            "1.3" => 19,
            "1.0" => 16,
            _ => return None,
        },
        memory_kib: text("memory")?.parse().ok()?,
        passes,
        lanes: text("parallelism")?.parse().ok()?,
    })
}

//! Revolve's own rows: exactly the members that `docs/import.md` names. Messages about a row quote none of its values.

use super::{Account, ForeignId, Instant, RowRefusal};
use crate::cli::user::import::input::Content;
use revolve_domain::model::PasswordHash;
use serde::Deserialize;
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The members, which are the columns of a table, too.
pub(in crate::cli::user::import) const COLUMNS: [&str; 13] = [
    "email",
    "passwordHash",
    "uid",
    "name",
    "website",
    "imageUrl",
    "locale",
    "emailVerified",
    "roles",
    "app",
    "createdAt",
    "disabled",
    "verifier",
];

/// Values of any type, so that no message of the parser quotes one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Members {
    email: Option<Value>,
    password_hash: Option<Value>,
    uid: Option<Value>,
    name: Option<Value>,
    website: Option<Value>,
    image_url: Option<Value>,
    locale: Option<Value>,
    email_verified: Option<Value>,
    roles: Option<Value>,
    app: Option<Value>,
    created_at: Option<Value>,
    disabled: Option<Value>,
    verifier: Option<Value>,
}

pub(super) fn read(content: Content) -> Result<Account, RowRefusal> {
    match content {
        Content::Line(text) => of_line(&text),
        Content::Value(Value::Object(row)) => of_members(typed(row)),
        _ => Err(RowRefusal::new("malformed", "it is not a row")),
    }
}

fn of_line(text: &[u8]) -> Result<Account, RowRefusal> {
    let text = std::str::from_utf8(text)
        .map_err(|_| RowRefusal::new("malformed", "the line is not UTF-8"))?;
    // Some editors begin a file with a mark.
    let text = text.trim_start_matches('\u{feff}').trim();
    let members = serde_json::from_str(text).map_err(|error| malformed(text, &error))?;
    account(members)
}

pub(super) fn of_members(members: Map<String, Value>) -> Result<Account, RowRefusal> {
    let members = serde_json::from_value(Value::Object(members));
    account(members.map_err(|error| malformed("{", &error))?)
}

/// The fields of a table are texts: flags, roles between blanks or commas, and JSON.
fn typed(mut row: Map<String, Value>) -> Map<String, Value> {
    for (name, value) in &mut row {
        let Value::String(text) = &*value else {
            continue;
        };
        let typed = match (name.as_str(), text.to_ascii_lowercase().as_str()) {
            ("emailVerified" | "disabled" | "verifier", "true" | "t" | "1") => true.into(),
            ("emailVerified" | "disabled" | "verifier", "false" | "f" | "0") => false.into(),
            ("roles", _) => {
                let roles = text.split([',', ' ']).filter(|role| !role.is_empty());
                roles.map(Value::from).collect()
            }
            ("app", _) => serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into()),
            _ => continue,
        };
        *value = typed;
    }
    row
}

fn account(members: Members) -> Result<Account, RowRefusal> {
    let hash = text("passwordHash", members.password_hash)?;
    Ok(Account {
        email: text("email", members.email)?,
        email_verified: boolean("emailVerified", members.email_verified.as_ref())?,
        hash: hash.map(|hash| Ok(PasswordHash::from_phc(hash))),
        id: text("uid", members.uid)?.map(ForeignId::Uuid),
        name: text("name", members.name.filter(|name| *name != ""))?,
        website: text("website", members.website)?,
        image_url: text("imageUrl", members.image_url)?,
        locale: text("locale", members.locale)?,
        roles: roles(members.roles)?,
        app: match members.app {
            None => None,
            Some(Value::Object(app)) => Some(app),
            Some(_) => return Err(wrong_type("app", "a JSON object")),
        },
        created_at: text("createdAt", members.created_at)?.map(|at| {
            let at = OffsetDateTime::parse(&at, &Rfc3339);
            at.map_or(Instant::Unreadable, Instant::At)
        }),
        disabled: boolean("disabled", members.disabled.as_ref())?,
        verifier: boolean("verifier", members.verifier.as_ref())?,
        left_out: Vec::new(),
    })
}

/// The parser's own words quote values, unless they are about the names of members.
fn malformed(text: &str, error: &serde_json::Error) -> RowRefusal {
    let said = error.to_string();
    let said = said
        .rsplit_once(" at line ")
        .map_or(said.as_str(), |(said, _)| said);
    if error.is_data() && text.starts_with('{') {
        let (code, said) = match said.split_once(", expected") {
            Some((unknown, _)) if unknown.starts_with("unknown field") => {
                ("unknown_member", unknown.replacen("field", "member", 1))
            }
            _ => ("malformed", said.replacen("field", "member", 1)),
        };
        let said: String = said
            .chars()
            .flat_map(char::escape_debug)
            .take(100)
            .collect();
        return RowRefusal::new(code, said);
    }
    RowRefusal::new(
        "malformed",
        format!("the line is not a JSON object (column {})", error.column()),
    )
}

fn wrong_type(member: &str, expected: &str) -> RowRefusal {
    RowRefusal::new("wrong_type", format!("{member}: must be {expected}"))
}

fn text(member: &str, value: Option<Value>) -> Result<Option<String>, RowRefusal> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(member, "a text")),
    }
}

fn boolean(member: &str, value: Option<&Value>) -> Result<bool, RowRefusal> {
    match value {
        None => Ok(false),
        Some(&Value::Bool(value)) => Ok(value),
        Some(_) => Err(wrong_type(member, "true or false")),
    }
}

fn roles(value: Option<Value>) -> Result<Vec<String>, RowRefusal> {
    let roles = match value {
        None => return Ok(Vec::new()),
        Some(Value::Array(roles)) => roles,
        Some(_) => return Err(wrong_type("roles", "a list of texts")),
    };
    let text = |role| match role {
        Value::String(role) => Ok(role),
        _ => Err(wrong_type("roles", "a list of texts")),
    };
    roles.into_iter().map(text).collect()
}

//! A row: a JSON object with exactly the members that are documented in `docs/import.md`. Messages about a row
//! quote none of its values.

use revolve_adapters::argon2::{BareFormat, HashBounds, UnusableHash, adopt};
use revolve_domain::{
    model::{
        Details, EmailAddress, FieldError, Label, Locale, PasswordHash, Timestamp, UserId, WebUrl,
    },
    use_cases::ImportRequest,
};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Why a row is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RowRefusal {
    /// For programs.
    pub(super) code: &'static str,
    /// For people.
    pub(super) reason: String,
}

impl RowRefusal {
    pub(super) fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    fn field(member: &str, error: FieldError) -> Self {
        Self::new(error.code(), format!("{member}: {error}"))
    }
}

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
    created_at: Option<Value>,
    disabled: Option<Value>,
}

/// Reads rows and remembers which addresses and ids they have had.
pub(super) struct Rows {
    bounds: HashBounds,
    bare: Option<BareFormat>,
    now: Timestamp,
    /// Digests, and the lines they were on: an import may be large.
    seen: HashMap<[u8; 16], u64>,
}

impl Rows {
    /// Hashes must be within these bounds, and say what they are unless the bare format is named.
    pub(super) fn new(bounds: HashBounds, bare: Option<BareFormat>, now: Timestamp) -> Self {
        Self {
            bounds,
            bare,
            now,
            seen: HashMap::new(),
        }
    }

    pub(super) fn parse(&mut self, line: u64, text: &[u8]) -> Result<ImportRequest, RowRefusal> {
        let request = self.read(text)?;
        let email = self.once("email", "duplicate_email", request.email.key())?;
        let id = request
            .id
            .map(|id| self.once("uid", "duplicate_uid", &id.to_string()))
            .transpose()?;
        // A row that is refused keeps nothing from a later one.
        self.seen.extend(
            std::iter::once(email)
                .chain(id)
                .map(|digest| (digest, line)),
        );
        Ok(request)
    }

    fn read(&self, text: &[u8]) -> Result<ImportRequest, RowRefusal> {
        let text = std::str::from_utf8(text)
            .map_err(|_| RowRefusal::new("malformed", "the line is not UTF-8"))?;
        // Some editors begin a file with a mark.
        let text = text.trim_start_matches('\u{feff}').trim();
        let members: Members =
            serde_json::from_str(text).map_err(|error| malformed(text, &error))?;
        let email = required("email", members.email)?;
        let email =
            EmailAddress::parse(&email).map_err(|error| RowRefusal::field("email", error))?;
        let hash = PasswordHash::from_phc(required("passwordHash", members.password_hash)?);
        let hash = adopt(hash, self.bare, self.bounds).map_err(unusable)?;
        let details = Details {
            name: optional(
                "name",
                members.name.filter(|name| *name != ""),
                Label::parse,
            )?,
            website: optional("website", members.website, WebUrl::parse)?,
            image_url: optional("imageUrl", members.image_url, WebUrl::parse_public)?,
            locale: optional("locale", members.locale, |tag| Ok(tag.parse::<Locale>()?))?,
        };
        Ok(ImportRequest {
            email,
            hash,
            id: self::text("uid", members.uid)?
                .map(|uid| id(&uid))
                .transpose()?,
            details,
            email_verified: boolean("emailVerified", members.email_verified.as_ref())?,
            created_at: self::text("createdAt", members.created_at)?
                .map(|at| self.instant(&at))
                .transpose()?,
            disabled: boolean("disabled", members.disabled.as_ref())?,
        })
    }

    fn instant(&self, text: &str) -> Result<Timestamp, RowRefusal> {
        let wrong = |why: &str| RowRefusal::new("invalid_time", format!("createdAt: {why}"));
        let at = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| wrong("is not a time in RFC 3339 form"))?;
        let at = Timestamp::from(at);
        if at > self.now {
            Err(wrong("lies in the future"))
        } else {
            Ok(at)
        }
    }

    /// Its digest, if no row before this one had it.
    fn once(&self, member: &str, code: &'static str, value: &str) -> Result<[u8; 16], RowRefusal> {
        let mut digest = [0; 16];
        digest.copy_from_slice(
            &Sha256::new()
                .chain_update(member)
                .chain_update([0])
                .chain_update(value)
                .finalize()[..16],
        );
        match self.seen.get(&digest) {
            None => Ok(digest),
            Some(line) => Err(RowRefusal::new(
                code,
                format!("{member}: is the same as on line {line}"),
            )),
        }
    }
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

fn required(member: &str, value: Option<Value>) -> Result<String, RowRefusal> {
    text(member, value)?.ok_or_else(|| RowRefusal::new("missing", format!("{member}: is missing")))
}

fn optional<T>(
    member: &str,
    value: Option<Value>,
    parse: fn(&str) -> Result<T, FieldError>,
) -> Result<Option<T>, RowRefusal> {
    text(member, value)?
        .map(|text| parse(&text))
        .transpose()
        .map_err(|error| RowRefusal::field(member, error))
}

fn boolean(member: &str, value: Option<&Value>) -> Result<bool, RowRefusal> {
    match value {
        None => Ok(false),
        Some(&Value::Bool(value)) => Ok(value),
        Some(_) => Err(wrong_type(member, "true or false")),
    }
}

fn id(text: &str) -> Result<UserId, RowRefusal> {
    let id: UserId = text
        .parse()
        .map_err(|_| RowRefusal::new("invalid_uid", "uid: is not a UUID"))?;
    // RFC 9562 §5.9 and §5.10: they stand for no UUID at all, and for one after all others.
    if id.as_uuid().is_nil() || id.as_uuid().is_max() {
        return Err(RowRefusal::new(
            "invalid_uid",
            "uid: the nil and the max UUID are no account's id",
        ));
    }
    Ok(id)
}

fn unusable(why: UnusableHash) -> RowRefusal {
    let code = match why {
        UnusableHash::TooLarge { .. } | UnusableHash::TooSlow { .. } => "hash_too_expensive",
        UnusableHash::Unmarked => "hash_unmarked",
        UnusableHash::UnknownForm | UnusableHash::Malformed(_) => "hash_unsupported",
    };
    RowRefusal::new(code, format!("passwordHash: {why}"))
}

#[cfg(test)]
mod tests;

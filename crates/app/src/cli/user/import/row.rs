//! An account of a file, judged: what can be imported, and what can't.

use super::{
    input::Record,
    systems::{Account, ForeignId, Instant, Reader},
};
use revolve_adapters::argon2::{HashBounds, UnusableHash, adopt};
use revolve_domain::{
    model::{
        AppData, Details, EmailAddress, FieldError, HashKind, Label, Locale, PasswordHash, Role,
        Roles, Timestamp, UserId, WebUrl,
    },
    use_cases::ImportRequest,
};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use uuid::Uuid;

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

/// An account that can be imported.
pub(super) struct Row {
    pub(super) request: ImportRequest,
    /// What of it there is no place for.
    pub(super) left_out: Vec<&'static str>,
}

impl Row {
    pub(super) fn has_password(&self) -> bool {
        self.request.hash.kind() == HashKind::Hash
    }
}

/// How rows are judged.
pub(super) struct Rules {
    pub(super) reader: Reader,
    /// For hashes.
    pub(super) bounds: HashBounds,
    /// Whether an account whose hash can't be checked comes without a password.
    pub(super) drops_hashes: bool,
    /// Whether the former system is asked for the passwords of accounts without a hash.
    pub(super) asks_verifier: bool,
    /// What rows are numbered by.
    pub(super) unit: &'static str,
}

/// Reads rows and remembers which addresses and ids they have had.
pub(super) struct Rows {
    rules: Rules,
    /// Digests, and where they were: an import may be large.
    seen: HashMap<[u8; 16], u64>,
}

impl Rows {
    pub(super) fn new(rules: Rules) -> Self {
        Self {
            rules,
            seen: HashMap::new(),
        }
    }

    /// The row; `None` if it is no account.
    pub(super) fn parse(&mut self, record: Record) -> Result<Option<Row>, RowRefusal> {
        let number = record.number;
        let Some(account) = self.rules.reader.read(record.content)? else {
            return Ok(None);
        };
        let row = self.rules.judge(account)?;
        let request = &row.request;
        let email = self.once("email", "duplicate_email", request.email.key())?;
        let id = request
            .id
            .map(|id| self.once("uid", "duplicate_uid", &id.to_string()))
            .transpose()?;
        // A row that is refused keeps nothing from a later one.
        self.seen.extend(
            std::iter::once(email)
                .chain(id)
                .map(|digest| (digest, number)),
        );
        Ok(Some(row))
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
            Some(first) => {
                let unit = self.rules.unit;
                let reason = format!("{member}: is the same as on {unit} {first}");
                Err(RowRefusal::new(code, reason))
            }
        }
    }
}

impl Rules {
    fn judge(&self, account: Account) -> Result<Row, RowRefusal> {
        let missing = || RowRefusal::new("missing", "email: is missing");
        let email = EmailAddress::parse(&account.email.ok_or_else(missing)?)
            .map_err(|error| RowRefusal::field("email", error))?;
        let mut fit = Fit {
            is_lenient: self.reader.is_lenient(),
            left_out: account.left_out,
        };
        let is_legacy = self.asks_verifier || account.verifier;
        let hash = match self.hash(account.hash, &mut fit)? {
            Some(hash) => hash,
            None if is_legacy => PasswordHash::legacy(),
            None => PasswordHash::no_password(),
        };
        let details = Details {
            name: fit.text("name", account.name, Label::parse)?,
            website: fit.text("website", account.website, WebUrl::parse)?,
            image_url: fit.text("imageUrl", account.image_url, WebUrl::parse_public)?,
            locale: fit.text("locale", account.locale, |tag| Ok(tag.parse::<Locale>()?))?,
        };
        let request = ImportRequest {
            email,
            hash,
            id: account.id.map(|id| self.id(id)).transpose()?,
            details,
            email_verified: account.email_verified,
            roles: roles(account.roles, &mut fit)?,
            app: app(account.app, &mut fit)?,
            created_at: self.instant(account.created_at.as_ref(), &mut fit)?,
            disabled: account.disabled,
        };
        Ok(Row {
            request,
            left_out: fit.left_out,
        })
    }

    fn hash(
        &self,
        hash: Option<Result<PasswordHash, RowRefusal>>,
        fit: &mut Fit,
    ) -> Result<Option<PasswordHash>, RowRefusal> {
        let bare = self.reader.format.bare();
        let adopted = hash.map(|hash| adopt(hash?, bare, self.bounds).map_err(unusable));
        match adopted.transpose() {
            Err(_) if self.drops_hashes => {
                fit.left_out.push("password hash");
                Ok(None)
            }
            adopted => adopted,
        }
    }

    /// The id of another system becomes a UUID, the same each time: the name-based one (RFC 9562 §5.5) of its name in the namespace of URLs.
    fn id(&self, id: ForeignId) -> Result<UserId, RowRefusal> {
        let name = match id {
            ForeignId::Named(name) => name,
            ForeignId::Uuid(text) => match uuid(&text) {
                Err(_) if self.reader.is_lenient() => {
                    format!("{}:{text}", self.reader.format.name())
                }
                parsed => return parsed,
            },
        };
        uuid(&Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).to_string())
    }

    fn instant(
        &self,
        at: Option<&Instant>,
        fit: &mut Fit,
    ) -> Result<Option<Timestamp>, RowRefusal> {
        let wrong = |why: &str| RowRefusal::new("invalid_time", format!("createdAt: {why}"));
        let read = match at {
            None => return Ok(None),
            Some(Instant::Unreadable) => Err(wrong("is not a time in RFC 3339 form")),
            Some(&Instant::At(at)) if at > self.reader.now => Err(wrong("lies in the future")),
            Some(&Instant::At(at)) => Ok(Timestamp::from(at)),
        };
        fit.optional("createdAt", read)
    }
}

/// What becomes of a part of an account that is not as it must be.
struct Fit {
    /// It is left out: nobody can change another system's export.
    is_lenient: bool,
    left_out: Vec<&'static str>,
}

impl Fit {
    fn optional<T>(
        &mut self,
        member: &'static str,
        read: Result<T, RowRefusal>,
    ) -> Result<Option<T>, RowRefusal> {
        match read {
            Err(_) if self.is_lenient => {
                self.left_out.push(member);
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    fn text<T>(
        &mut self,
        member: &'static str,
        text: Option<String>,
        parse: fn(&str) -> Result<T, FieldError>,
    ) -> Result<Option<T>, RowRefusal> {
        let Some(text) = text else { return Ok(None) };
        let read = parse(&text).map_err(|error| RowRefusal::field(member, error));
        self.optional(member, read)
    }
}

/// Of another system's roles those that can be.
fn roles(names: Vec<String>, fit: &mut Fit) -> Result<Roles, RowRefusal> {
    let refused = |error| RowRefusal::field("roles", error);
    let mut roles = Vec::new();
    for name in names {
        let role = Role::parse(&name).map_err(refused);
        roles.extend(fit.optional("roles", role)?);
    }
    fit.left_out.dedup();
    let roles = Roles::new(roles).map_err(refused);
    Ok(fit.optional("roles", roles)?.unwrap_or_default())
}

fn app(data: Option<Map<String, Value>>, fit: &mut Fit) -> Result<AppData, RowRefusal> {
    let data = AppData::new(data.unwrap_or_default());
    let data = data.map_err(|error| RowRefusal::field("app", error));
    Ok(fit.optional("app", data)?.unwrap_or_default())
}

fn uuid(text: &str) -> Result<UserId, RowRefusal> {
    UserId::choose(text).map_err(|error| RowRefusal::new("invalid_uid", format!("uid: {error}")))
}

pub(super) fn unusable(why: UnusableHash) -> RowRefusal {
    let code = match why {
        UnusableHash::TooLarge { .. } | UnusableHash::TooSlow { .. } => "hash_too_expensive",
        UnusableHash::Unmarked => "hash_unmarked",
        UnusableHash::UnknownForm | UnusableHash::Malformed(_) | UnusableHash::TooLong { .. } => {
            "hash_unsupported"
        }
    };
    RowRefusal::new(code, format!("passwordHash: {why}"))
}

#[cfg(test)]
mod tests;

//! What other systems call the parts of an account.

mod auth0;
mod custom_hash;
mod django;
mod fields;
mod firebase;
mod keycloak;
mod kratos;
mod own;
mod supabase;

pub(super) use firebase::hash_config;
pub(super) use own::COLUMNS;

use super::{format::Format, input::Content, row::RowRefusal};
use fields::Fields;
use revolve_adapters::argon2::FirebaseParameters;
use revolve_domain::model::PasswordHash;
use serde_json::{Map, Value};
use time::OffsetDateTime;

/// An account as a system has it, before anything of it is judged.
#[derive(Default)]
pub(super) struct Account {
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    /// In any spelling that says what it is, or why there is no such text; `None` without a password.
    pub(super) hash: Option<Result<PasswordHash, RowRefusal>>,
    pub(super) id: Option<ForeignId>,
    pub(super) name: Option<String>,
    pub(super) website: Option<String>,
    pub(super) image_url: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) app: Option<Map<String, Value>>,
    pub(super) created_at: Option<Instant>,
    pub(super) disabled: bool,
    /// The system is to be asked for the password.
    pub(super) verifier: bool,
    /// What there is no place for.
    pub(super) left_out: Vec<&'static str>,
}

/// What names an account in its system.
pub(super) enum ForeignId {
    /// A UUID, which the account keeps.
    Uuid(String),
    /// A name with its system before it, of which a UUID is made.
    Named(String),
}

/// A point in time.
pub(super) enum Instant {
    At(OffsetDateTime),
    /// It can't be read.
    Unreadable,
}

/// How a file is read.
pub(super) struct Reader {
    pub(super) format: Format,
    /// Of Firebase's hashes.
    pub(super) project: Option<FirebaseParameters>,
    pub(super) now: OffsetDateTime,
}

impl Reader {
    /// Whether what does not fit is left out, since nobody can change the file: otherwise it is refused.
    pub(super) fn is_lenient(&self) -> bool {
        !matches!(
            self.format,
            Format::Revolve | Format::Csv | Format::ScryptHexSalt | Format::ScryptTextSalt
        )
    }

    /// The account; `None` if this is something else.
    pub(super) fn read(&self, content: Content) -> Result<Option<Account>, RowRefusal> {
        let content = match content {
            Content::TooLong => return Err(self.too_long()),
            Content::TooDeep => {
                let reason = "the account is nested deeper than any may be";
                return Err(RowRefusal::new("too_deep", reason));
            }
            Content::Uneven => {
                let reason = "the row has more or fewer fields than there are columns";
                return Err(RowRefusal::new("malformed", reason));
            }
            content => content,
        };
        if !self.is_lenient() {
            return own::read(content).map(Some);
        }
        let fields = Fields::of(content)?;
        match self.format {
            Format::Auth0 => Ok(Some(auth0::read(fields))),
            Format::Firebase => Ok(Some(firebase::read(fields, self.project.as_ref()))),
            Format::Supabase => supabase::read(fields, self.now).map(Some),
            Format::Keycloak => keycloak::read(fields).map(Some),
            Format::Django => Ok(django::read(fields)),
            _ => kratos::read(fields).map(Some),
        }
    }

    fn too_long(&self) -> RowRefusal {
        let longest = self.format.longest();
        RowRefusal::new(
            "too_long",
            format!("the line is longer than {longest} bytes"),
        )
    }
}

/// What an account has that a file has no member for.
impl Account {
    /// The value of metadata that only operators write: its member `roles` are the roles, if they are texts, and the rest is app data.
    fn operators_data(&mut self, mut data: Map<String, Value>) {
        let texts = |roles: &Vec<Value>| roles.iter().all(Value::is_string);
        if data
            .get("roles")
            .and_then(Value::as_array)
            .is_some_and(texts)
            && let Some(Value::Array(roles)) = data.remove("roles")
        {
            let texts = roles.iter().filter_map(Value::as_str);
            self.roles.extend(texts.map(str::to_owned));
        }
        if !data.is_empty() {
            self.app = Some(data);
        }
    }

    /// Notes what is not taken, where there is something of it.
    fn leave_out(&mut self, what: &'static str, is_there: bool) {
        if is_there && !self.left_out.contains(&what) {
            self.left_out.push(what);
        }
    }
}

#[cfg(test)]
mod tests;

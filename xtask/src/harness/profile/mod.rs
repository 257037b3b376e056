//! The description of a server's API: its requests, and how its responses are read. All clients use one, for Revolve as well.

mod answer;
mod own_oauth2;
mod template;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::Value;

use self::template::Template;
use super::{
    http::{Request, Response},
    windows::Windows,
};
pub(crate) use answer::{Answer, Grant};
pub(crate) use template::Vars;

/// The profile of Revolve.
const REVOLVE: &str = include_str!("../../../profiles/revolve.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerProfile {
    /// For headings.
    pub(crate) name: String,
    #[serde(default)]
    values: BTreeMap<String, String>,
    /// Accounts that exist, for servers without `sign_up`.
    #[serde(default)]
    pub(crate) accounts: Vec<Account>,
    pub(crate) windows: Windows,
    take: ResponsePointers,
    pub(crate) sign_up: Option<ServerOperation>,
    pub(crate) sign_in: Option<ServerOperation>,
    pub(crate) refresh: ServerOperation,
    pub(crate) check: Option<ServerOperation>,
    pub(crate) sign_out: Option<ServerOperation>,
    #[serde(default)]
    scopes: BTreeMap<Scope, String>,
    pub(crate) change_password: Option<ServerOperation>,
    refused: RefusalRules,
    /// The environment variables that the profile names and that have no value.
    #[serde(skip)]
    pub(crate) unset: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Which sessions a sign-out ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    This,
    Others,
    Everywhere,
}

/// JSON pointers into a response.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponsePointers {
    refresh: String,
    access: Option<String>,
    credential: Option<String>,
}

/// A request, and how its success looks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerOperation {
    #[serde(default = "post")]
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, Template>,
    form: Option<BTreeMap<String, Template>>,
    json: Option<BTreeMap<String, Template>>,
    /// HTTP Basic authentication of the client (RFC 6749 §2.3.1).
    basic: Option<BasicCredentials>,
    ok: Vec<u16>,
    /// What members of the JSON must be as well, by JSON pointer; another value is a refusal, such as `"active": false` (RFC 7662 §2.2).
    #[serde(default)]
    ok_if: BTreeMap<String, Value>,
    /// Where things are in its answer, if not where they are in the others.
    take: Option<ResponsePointers>,
}

/// Left out of a request if one of the two has no value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BasicCredentials {
    user: Template,
    password: Template,
}

impl ServerOperation {
    fn templates(&self) -> impl Iterator<Item = &Template> {
        let members = [&self.form, &self.json].into_iter().flatten();
        let members = members.chain([&self.headers]).flat_map(BTreeMap::values);
        let basic = self.basic.iter();
        members.chain(basic.flat_map(|basic| [&basic.user, &basic.password]))
    }
}

fn post() -> String {
    "POST".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusalRules {
    status: Vec<u16>,
    code: Option<String>,
    #[serde(default)]
    unavailable: Vec<u16>,
    #[serde(default)]
    codes: BTreeMap<Reason, String>,
}

/// Refusals that the cases tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reason {
    /// A slow sibling; the session lives.
    Stale,
    /// Theft or a fork; the session has ended.
    Reused,
    /// The device's credential is missing or another one's.
    Mismatch,
}

impl ServerProfile {
    /// Reads a file; without one it is the profile of Revolve.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        match file {
            None => Self::parse(REVOLVE),
            Some(file) => {
                let text = fs::read_to_string(file)
                    .with_context(|| format!("could not read {}", file.display()))?;
                Self::parse(&text).with_context(|| format!("{} is no profile", file.display()))
            }
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        let mut profile: Self = toml::from_str(text)?;
        profile.check_names()?;
        let mut unset = Vec::new();
        profile.values = std::mem::take(&mut profile.values)
            .into_iter()
            .filter_map(|(name, value)| Some((name, given(value, &mut unset)?)))
            .collect();
        for account in &mut profile.accounts {
            let password = std::mem::take(&mut account.password);
            account.password = given(password, &mut unset).unwrap_or_default();
        }
        unset.sort_unstable();
        unset.dedup();
        profile.unset = unset;
        for pointer in profile.operations().flat_map(|op| op.ok_if.keys()) {
            ensure!(
                pointer.starts_with('/'),
                "`{pointer}` in ok_if is no JSON pointer: it must begin with a /"
            );
        }
        let takes = profile.operations().filter_map(|op| op.take.as_ref());
        let pointers = takes.chain([&profile.take]).flat_map(|take| {
            let optional = [&take.access, &take.credential];
            optional.into_iter().flatten().chain([&take.refresh])
        });
        for pointer in pointers {
            if !pointer.starts_with('/') {
                bail!("`{pointer}` in [take] is no JSON pointer: it must begin with a /");
            }
        }
        Ok(profile)
    }

    /// A misspelt placeholder would silently omit its text.
    fn check_names(&self) -> Result<()> {
        let templates = self.operations().flat_map(ServerOperation::templates);
        for name in templates.flat_map(Template::names) {
            if !Vars::NAMES.contains(&name) && !self.values.contains_key(name) {
                bail!("{{{name}}} is not known; say what it is in [values]");
            }
        }
        Ok(())
    }

    fn operations(&self) -> impl Iterator<Item = &ServerOperation> {
        let optional = [
            &self.sign_up,
            &self.sign_in,
            &self.check,
            &self.sign_out,
            &self.change_password,
        ];
        optional.into_iter().flatten().chain([&self.refresh])
    }

    /// Where the answer to a refresh has the next refresh token.
    pub(crate) fn successor(&self) -> &str {
        &self.refresh.take.as_ref().unwrap_or(&self.take).refresh
    }

    pub(crate) fn has_credentials(&self) -> bool {
        self.take.credential.is_some()
    }

    /// The server's word for a scope, if it has it.
    pub(crate) fn scope(&self, scope: Scope) -> Option<&str> {
        self.sign_out.as_ref()?;
        self.scopes.get(&scope).map(String::as_str)
    }

    /// Whether the code stands for this reason; always if the server does not distinguish it.
    pub(crate) fn says(&self, reason: Reason, code: &str) -> bool {
        self.refused
            .codes
            .get(&reason)
            .is_none_or(|expected| expected == code)
    }

    pub(crate) fn request(
        &self,
        operation: &ServerOperation,
        base: &str,
        vars: &Vars<'_>,
    ) -> Result<Request> {
        let url = if operation.path.contains("://") {
            operation.path.clone()
        } else {
            format!("{}{}", base.trim_end_matches('/'), operation.path)
        };
        let fill = |members: &BTreeMap<String, Template>| -> Vec<(String, String)> {
            members
                .iter()
                .filter_map(|(name, template)| {
                    Some((name.clone(), template.fill(vars, &self.values)?))
                })
                .collect()
        };
        let mut request = Request::new(&operation.method, &url)?;
        request.headers = fill(&operation.headers);
        if let Some(basic) = &operation.basic
            && let Some(user) = basic.user.fill(vars, &self.values)
            && let Some(password) = basic.password.fill(vars, &self.values)
        {
            let encoded = |text: &str| -> String {
                url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let pair = format!("{}:{}", encoded(&user), encoded(&password));
            request = request.header("Authorization", &format!("Basic {}", STANDARD.encode(pair)));
        }
        Ok(match (&operation.form, &operation.json) {
            (Some(form), None) => {
                let body = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fill(form))
                    .finish();
                request.with_body("application/x-www-form-urlencoded", body)
            }
            (None, Some(json)) => {
                let members = fill(json)
                    .into_iter()
                    .map(|(name, value)| (name, Value::String(value)))
                    .collect();
                request.with_body("application/json", Value::Object(members).to_string())
            }
            (None, None) => request,
            (Some(_), Some(_)) => bail!("{} has both a form and json", operation.path),
        })
    }

    /// The meaning of a response. After a refresh without a new token the `presented` one stays.
    pub(crate) fn read(
        &self,
        operation: &ServerOperation,
        response: &Response,
        presented: Option<&str>,
    ) -> Answer {
        let status = response.status;
        let json = response.json().unwrap_or_default();
        let text = |pointer: &str| {
            json.pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        if operation.ok.contains(&status) {
            let differs = |(pointer, expected): &(&String, &Value)| {
                json.pointer(pointer).unwrap_or(&Value::Null) != *expected
            };
            if let Some((pointer, expected)) = operation.ok_if.iter().find(differs) {
                return Answer::Refused(format!("{pointer} is not {expected}"));
            }
            let take = operation.take.as_ref().unwrap_or(&self.take);
            let refresh = text(&take.refresh).or_else(|| presented.map(str::to_owned));
            return match refresh {
                Some(refresh) => Answer::Granted(Grant {
                    refresh,
                    access: take.access.as_deref().and_then(text),
                    credential: take.credential.as_deref().and_then(text),
                }),
                None => Answer::Done,
            };
        }
        if self.refused.unavailable.contains(&status) {
            return Answer::Unavailable;
        }
        let code = self
            .refused
            .code
            .as_deref()
            .and_then(text)
            .unwrap_or_default();
        if self.refused.status.contains(&status) {
            Answer::Refused(code)
        } else {
            Answer::Odd(format!("status {status} {code}"))
        }
    }
}

/// Reads `env:NAME` from the environment; nothing if it is not set, and then its name is added to `unset`.
fn given(value: String, unset: &mut Vec<String>) -> Option<String> {
    let Some(variable) = value.strip_prefix("env:") else {
        return Some(value);
    };
    let found = std::env::var(variable).ok();
    let found = found.filter(|value| !value.is_empty());
    if found.is_none() {
        unset.push(variable.to_owned());
    }
    found
}

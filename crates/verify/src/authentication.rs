//! How recent the user's authentication must be, by which methods, and the challenge where it is not enough (RFC 9470).

use crate::claims::Claims;
use std::{fmt::Write, time::Duration};

/// What a service requires of the user's authentication, beside a good token: how long ago it may be (`auth_time`) and by which methods
/// (`amr`). State all that an operation requires in one value: the challenge then says all of it, and the user is asked once.
///
/// ```
/// use revolve_verify::RequiredAuthentication;
/// use std::time::Duration;
///
/// // Within the last five minutes.
/// let recent = RequiredAuthentication::recent(Duration::from_mins(5));
/// // With more than one factor, whenever that was.
/// let strong = RequiredAuthentication::by(&["mfa"]);
/// // With a passkey, wherever its key is kept, within the last five minutes.
/// let passkey = RequiredAuthentication::by_one_of(&[&["hwk"], &["swk"]]).within(Duration::from_mins(5));
/// # let _ = (recent, strong, passkey);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredAuthentication {
    /// In seconds.
    max_age: Option<u64>,
    /// Any if there is none; otherwise all names of one of these.
    methods: Vec<Vec<Box<str>>>,
}

impl RequiredAuthentication {
    /// At most so long ago, in whole seconds (a fraction is dropped), and [`VerifierConfig::leeway`](crate::VerifierConfig::leeway) for clocks
    /// that differ. With [`Duration::ZERO`] the leeway is all the time that the user has between authentication and request.
    pub fn recent(max_age: Duration) -> Self {
        Self {
            max_age: Some(max_age.as_secs()),
            methods: Vec::new(),
        }
    }

    /// By all of these methods, as `amr` names them (RFC 8176 §2): `mfa` for more than one factor.
    ///
    /// # Panics
    /// If there is no name, or one that is not made of ASCII letters, digits, `-` and `_`.
    pub fn by(amr: &[&str]) -> Self {
        Self::by_one_of(&[amr])
    }

    /// By all methods of one of these lists. Name the one that you prefer first.
    ///
    /// # Panics
    /// If there is no list, or for one of them as [`RequiredAuthentication::by`].
    pub fn by_one_of(alternatives: &[&[&str]]) -> Self {
        assert!(!alternatives.is_empty(), "no method is named");
        Self {
            max_age: None,
            methods: alternatives.iter().map(|amr| names(amr)).collect(),
        }
    }

    /// The same, and at most so long ago, as with [`RequiredAuthentication::recent`].
    #[must_use]
    pub fn within(self, max_age: Duration) -> Self {
        Self {
            max_age: Some(max_age.as_secs()),
            ..self
        }
    }

    /// `acr_values`: the alternatives, with a space between; the names of each with a `+` between. `None` if any method will do.
    fn acr_values(&self) -> Option<String> {
        let values: Vec<String> = self.methods.iter().map(|all| all.join("+")).collect();
        (!values.is_empty()).then(|| values.join(" "))
    }

    /// `now` and `leeway` are seconds.
    pub(crate) fn check(
        &self,
        claims: &Claims,
        now: u64,
        leeway: u64,
    ) -> Result<(), InsufficientAuthentication> {
        let at = claims.authenticated_at;
        // What is said to be in the future is not believed, like `iat`.
        let is_recent = self.max_age.is_none_or(|max_age| {
            at <= now.saturating_add(leeway)
                && now.saturating_sub(at) <= max_age.saturating_add(leeway)
        });
        let has = |name: &str| claims.authenticated_by.iter().any(|own| own == name);
        let is_by = self.methods.is_empty()
            || self
                .methods
                .iter()
                .any(|all| all.iter().all(|name| has(name)));
        let reason = match (is_recent, is_by) {
            (true, true) => return Ok(()),
            (false, true) => Reason::Age,
            (true, false) => Reason::Methods,
            (false, false) => Reason::AgeAndMethods,
        };
        Err(InsufficientAuthentication {
            required: self.clone(),
            reason,
        })
    }
}

/// They become part of a header field.
fn names(amr: &[&str]) -> Vec<Box<str>> {
    let is_name = |name: &str| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        !name.is_empty() && name.bytes().all(is_part)
    };
    assert!(!amr.is_empty(), "no method is named");
    assert!(
        amr.iter().all(|name| is_name(name)),
        "{amr:?} has what is no name of a method"
    );
    amr.iter().map(|name| Box::from(*name)).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Age,
    Methods,
    AgeAndMethods,
}

/// A good token whose authentication is too long ago, or was by other methods than those required. Answer 401, with
/// [`InsufficientAuthentication::challenge`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.description())]
pub struct InsufficientAuthentication {
    required: RequiredAuthentication,
    reason: Reason,
}

impl InsufficientAuthentication {
    /// `insufficient_user_authentication`, a stable code for problem documents; it is the `error` of the challenge, too.
    pub fn code(&self) -> &'static str {
        "insufficient_user_authentication"
    }

    /// The value of `WWW-Authenticate` (RFC 9470 §3): all that is required, not only what was missing.
    pub fn challenge(&self) -> String {
        let mut challenge = format!(
            "Bearer realm=\"revolve\", error=\"{}\", error_description=\"{}\"",
            self.code(),
            self.description()
        );
        if let Some(max_age) = self.max_age() {
            // Writing to a text can't fail.
            let _ = write!(challenge, ", max_age=\"{max_age}\"");
        }
        if let Some(values) = self.acr_values() {
            let _ = write!(challenge, ", acr_values=\"{values}\"");
        }
        challenge
    }

    /// `max_age`: how long ago the authentication may be, in seconds.
    pub fn max_age(&self) -> Option<u64> {
        self.required.max_age
    }

    /// `acr_values`: the methods, of which one is enough, with a space between; where several are needed together, such as `otp+pwd`, there is a `+`
    /// between.
    pub fn acr_values(&self) -> Option<String> {
        self.required.acr_values()
    }

    fn description(&self) -> &'static str {
        match self.reason {
            Reason::Age => "a more recent authentication is required",
            Reason::Methods => "an authentication by other methods is required",
            Reason::AgeAndMethods => "a more recent authentication, by other methods, is required",
        }
    }
}

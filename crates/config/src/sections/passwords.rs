//! `[passwords]`: what a new password must be.

use super::Rule;
use revolve_domain::model::Password;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[passwords]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// The least number of characters of a new password, 8 to 64; 8. NIST SP 800-63B-4 recommends 15 where a password is the only
    /// factor. Users with a shorter one can still sign in. The greatest number is always 256. There are no rules about kinds of
    /// characters; common passwords, and those made of the user's own e-mail address, name or device or of this service's name,
    /// are refused.
    pub min_length: usize,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            min_length: Password::MIN,
        }
    }
}

impl Passwords {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![(
            (Password::MIN..=64).contains(&self.min_length),
            "passwords.min_length: must be from 8 to 64",
        )]
    }
}

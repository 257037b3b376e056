//! `[accounts]`: what the owner of a new account has to prove.

use revolve_domain::policy::{AccountPolicy, Verification};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether a sign-up proves its mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum VerificationName {
    /// Nobody is asked to.
    Off,
    /// The account can be used at once, with `emailVerified: false` until then.
    Optional,
    /// There is no account before that.
    Required,
}

/// `[accounts]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// Whether a sign-up proves its mailbox: `off`, `optional` or `required`; `optional` where mail is set up, else `off`.
    pub verification: Option<VerificationName>,
    /// Whether a code by mail is enough to sign in; false. Then whoever reads the mailbox has the account, and passwords protect nothing.
    pub sign_in_code: bool,
}

impl Accounts {
    /// The rules that the domain needs; `mail`: whether mail is set up.
    pub fn policy(&self, mail: bool) -> AccountPolicy {
        let verification = match self.verification {
            Some(VerificationName::Off) => Verification::Off,
            Some(VerificationName::Optional) => Verification::Optional,
            Some(VerificationName::Required) => Verification::Required,
            None if mail => Verification::Optional,
            None => Verification::Off,
        };
        AccountPolicy {
            mail,
            verification,
            sign_in_code: self.sign_in_code,
        }
    }
}

//! `[accounts]`: what the owner of a new account has to prove.

use super::{Profile, Rule};
use crate::Config;
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
    /// Whether a sign-up proves its mailbox: `off`, `optional` or `required`. If it is absent, it is `optional` with mail and `off`
    /// without.
    pub verification: Option<VerificationName>,
    /// Whether a code by mail signs in, too, to accounts whose address is verified. It needs mail.
    pub sign_in_code: bool,
}

impl Accounts {
    /// The rules that the domain needs; `mail`: whether mail is set up.
    pub fn policy(&self, mail: bool) -> AccountPolicy {
        let verification = match self.verification {
            Some(VerificationName::Required) => Verification::Required,
            Some(VerificationName::Optional) => Verification::Optional,
            None if mail => Verification::Optional,
            Some(VerificationName::Off) | None => Verification::Off,
        };
        AccountPolicy {
            mail,
            verification,
            sign_in_code: self.sign_in_code,
            ..AccountPolicy::default()
        }
    }
}

impl Config {
    /// Whether mails leave: the embedded profile writes them to files where it sends none.
    pub fn sends_mail(&self) -> bool {
        self.profile == Profile::Embedded || self.mail.is_set_up()
    }

    /// What types alone can't say of `[accounts]`.
    pub(crate) fn account_rules(&self) -> Vec<Rule> {
        let required = self.accounts.verification == Some(VerificationName::Required);
        vec![
            (
                !required || self.sends_mail(),
                "accounts.verification: \"required\" needs mail.url and mail.from",
            ),
            (
                !self.accounts.sign_in_code || self.sends_mail(),
                "accounts.sign_in_code: needs mail.url and mail.from",
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_proves_a_mailbox_needs_mail() {
        for (key, line) in [
            ("accounts.verification", "verification = 'required'"),
            ("accounts.sign_in_code", "sign_in_code = true"),
        ] {
            let server = format!("profile = 'server'\n[accounts]\n{line}\n");
            let said = Config::from_toml(&server).unwrap_err().to_string();
            assert!(said.contains(key) && said.contains("mail.url"), "{said}");
            // The embedded profile writes files.
            let embedded = Config::from_toml(&format!("[accounts]\n{line}\n"));
            assert!(embedded.is_ok(), "{embedded:?}");
        }
    }

    #[test]
    fn a_code_signs_in_only_if_that_is_wanted() {
        assert!(!Accounts::default().policy(true).sign_in_code);
        let wanted = Accounts {
            sign_in_code: true,
            ..Accounts::default()
        };
        assert!(wanted.policy(true).sign_in_code);
    }
}

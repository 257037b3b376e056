//! `[accounts]`: what the owner of an account has to prove.

use super::{Profile, Rule};
use crate::{Config, Human};
use revolve_domain::policy::{AccountPolicy, RequireFactor, Verification};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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

/// Whether a sign-in needs a factor besides what is proved first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequireFactorName {
    /// No sign-in does, whatever is set up.
    Never,
    /// Those to accounts that have an authenticator app or a passkey.
    #[default]
    IfSetUp,
    /// All do, and a session of an account without a factor can do nothing but set one up.
    Always,
}

/// `[accounts]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// Whether a sign-up proves its mailbox: `off`, `optional` or `required`. If it is absent, it is `optional` with mail and `off`
    /// without.
    pub verification: Option<VerificationName>,
    /// Whether a code by mail signs in, too, to accounts whose address is verified. It needs mail.
    pub sign_in_code: bool,
    /// Whether a sign-in by password or by mail needs a factor, too: `never`, `if-set-up` or `always`. See docs/factors.md.
    pub require_factor: RequireFactorName,
    /// How long a reset of an account's factors waits that an operator orders without force, at most 7 days; 24 h. Until then the owner can
    /// stop it.
    #[serde(with = "Human")]
    pub factor_reset_delay: Duration,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            verification: None,
            sign_in_code: false,
            require_factor: RequireFactorName::default(),
            factor_reset_delay: AccountPolicy::default().factor_reset_delay,
        }
    }
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
            require_factor: match self.require_factor {
                RequireFactorName::Never => RequireFactor::Never,
                RequireFactorName::IfSetUp => RequireFactor::IfSetUp,
                RequireFactorName::Always => RequireFactor::Always,
            },
            factor_reset_delay: self.factor_reset_delay,
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
            (
                self.accounts.factor_reset_delay <= AccountPolicy::LONGEST_RESET_DELAY,
                "accounts.factor_reset_delay: must be at most 7 days",
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
    fn factors_are_required_where_they_are_set_up() {
        let policy = |text: &str| Config::from_toml(text).unwrap().accounts.policy(false);
        for (word, expected) in [
            ("never", RequireFactor::Never),
            ("if-set-up", RequireFactor::IfSetUp),
            ("always", RequireFactor::Always),
        ] {
            let text = format!("accounts.require_factor = '{word}'");
            assert_eq!(policy(&text).require_factor, expected);
        }
        assert_eq!(policy(""), AccountPolicy::default());
        let error = Config::from_toml("accounts.factor_reset_delay = '8days'").unwrap_err();
        assert!(error.to_string().contains("factor_reset_delay"), "{error}");
        assert!(Config::from_toml("accounts.factor_reset_delay = '7days'").is_ok());
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

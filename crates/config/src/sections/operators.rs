//! `[operators]`: the people who run the service.

use super::Rule;
use revolve_domain::model::EmailAddress;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[operators]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Operators {
    /// The address that is told what needs somebody's attention, such as a webhook that was switched off; none by default.
    pub notify: Option<String>,
}

impl Operators {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![(
            self.notify.is_none() || self.address().is_some(),
            "operators.notify: must be an e-mail address",
        )]
    }

    /// The address that is told.
    pub fn address(&self) -> Option<EmailAddress> {
        EmailAddress::parse(self.notify.as_deref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn whom_to_notify_is_an_address() {
        let error = Config::from_toml("operators.notify = 'nobody'").unwrap_err();
        assert!(error.to_string().contains("operators.notify"), "{error}");
        let config = Config::from_toml("operators.notify = 'ops@example.org'").unwrap();
        assert_eq!(
            config.operators.address().unwrap().as_str(),
            "ops@example.org"
        );
    }
}

//! `[pages]`: pages for people, which the links of mails lead to.

use super::Rule;
use revolve_domain::model::Label;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[pages]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pages {
    /// Whether there are pages below `/account/`, which the links of mails lead to unless `mail.links` says otherwise; true.
    pub enabled: bool,
    /// What they call your service; Revolve.
    pub name: String,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            enabled: true,
            name: "Revolve".to_owned(),
        }
    }
}

impl Pages {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![(
            Label::parse(&self.name).is_ok(),
            "pages.name: must be a name in one line, of at least one character",
        )]
    }
}

#[cfg(test)]
mod tests {
    use crate::Config;

    #[test]
    fn a_name_is_one_line() {
        for bad in ["''", "' '", "\"a\\nb\""] {
            let error = Config::from_toml(&format!("pages.name = {bad}")).unwrap_err();
            assert!(error.to_string().contains("pages.name"), "{bad}: {error}");
        }
        assert!(Config::from_toml("pages.name = 'Bücher & Co'").is_ok());
    }
}

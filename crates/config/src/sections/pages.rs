//! `[pages]`: pages for people.

use super::Rule;
use revolve_domain::model::Label;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

/// `[pages]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pages {
    /// Whether there are pages below `/account`: to sign up and in, for one's account, and for the links of mails unless `mail.links` says
    /// otherwise; true.
    pub enabled: bool,
    /// What they call your service; Revolve. Authenticator apps and passkeys show it, too.
    pub name: String,
    /// A picture that stands in place of the name, in SVG, PNG or WebP, of at most 64 KiB; none. It is read at the start, and stands on light and dark.
    pub logo: Option<PathBuf>,
    /// The colour of buttons and links, such as `#1d4ed8`; the pages' own blue. Its contrast to white must be 4.5:1 at least. A lighter
    /// shade of it stands on dark.
    pub accent: Option<String>,
    /// Where your terms of use are, as a URL; none. Pages lead there, and a sign-up says that it accepts them.
    pub terms: Option<String>,
    /// Where you say how you treat data about people, as a URL; none. Pages lead there.
    pub privacy: Option<String>,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            enabled: true,
            name: "Revolve".to_owned(),
            logo: None,
            accent: None,
            terms: None,
            privacy: None,
        }
    }
}

impl Pages {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let leads = |link: &Option<String>| link.as_deref().is_none_or(is_link);
        vec![
            (
                Label::parse(&self.name).is_ok(),
                "pages.name: must be a name in one line, of at least one character",
            ),
            (
                leads(&self.terms),
                "pages.terms: must be a URL such as https://example.org/terms",
            ),
            (
                leads(&self.privacy),
                "pages.privacy: must be a URL such as https://example.org/privacy",
            ),
        ]
    }
}

/// Whether a page may lead there.
fn is_link(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
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

    #[test]
    fn links_lead_to_the_web() {
        for key in ["pages.terms", "pages.privacy"] {
            for bad in [
                "",
                "/terms",
                "javascript:alert(1)",
                "mailto:ann@example.org",
            ] {
                let error = Config::from_toml(&format!("{key} = '{bad}'")).unwrap_err();
                assert!(error.to_string().contains(key), "{bad}: {error}");
            }
            let good = format!("{key} = 'https://example.org/a?b'");
            assert!(Config::from_toml(&good).is_ok());
        }
    }
}

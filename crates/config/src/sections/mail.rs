//! `[mail]`: how mails leave, who they are from, and what they look like.

use super::Rule;
use crate::{Config, ConfigError, Hidden, Human, Secret};
use revolve_domain::model::Locale;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::{net::IpAddr, path::PathBuf, time::Duration};
use url::{Host, Url};

/// `[mail]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// The mail server: `smtps://user:password@host:465` for TLS from the first byte, or `smtp://user:password@host:587` for STARTTLS, with
    /// `?tls=opportunistic` or `?tls=off` for a server without. In user and password, write what is no letter and no digit as `%XX`.
    /// Without it the embedded profile writes mails to `mail` in `data_dir` and prints them, and the server profile sends none.
    #[schemars(with = "Hidden")]
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// Certificates in PEM of the authorities that the mail server's certificate may come from; those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// The sender, such as `Example <accounts@example.org>`, needed with `mail.url`. Mails call the service by this name, or else by the
    /// address's domain.
    pub from: Option<String>,
    /// Where answers go, in the same form; none by default: to the sender.
    pub reply_to: Option<String>,
    /// Where the links of mails lead.
    pub links: MailLinks,
    /// A folder with templates in place of those that are built in, such as `de/reset_password.txt`; none. See docs/mail.md.
    pub templates: Option<PathBuf>,
    /// The languages that mails are written in. The first is that of everybody who reads none of them.
    pub languages: Vec<String>,
    /// Mails that each replica sends in a second at most, at least 1; 20. Providers refuse more than you have agreed on with them.
    pub rate: u32,
    /// Longest time for one mail, connecting included, 1 s to 10 min; 30 s.
    #[serde(with = "Human")]
    pub timeout: Duration,
    /// How long a mail that could not be sent is tried again, at least 1 min; 24 h. A code that has expired by then is not sent.
    #[serde(with = "Human")]
    pub max_age: Duration,
}

/// `[mail.links]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailLinks {
    /// To choose a new password, such as `https://app.example.org/reset?proof={proof}&secret={secret}`; by default the page
    /// `/account/recovery` at the issuer's origin, if `pages.enabled` and the issuer is https, or http on this machine: otherwise the mail has
    /// its code only. Each link has `{proof}` and `{secret}`, and is https, or http on this machine, or of an app's own scheme.
    pub recovery: Option<String>,
    /// To choose a password with an invitation or a link of an operator, which need no code; that of `recovery` if it is set, else the page
    /// `/account/password/choose`.
    pub choose_password: Option<String>,
    /// To confirm the address of a sign-up; the page `/account/signup/confirm`.
    pub sign_up: Option<String>,
    /// To confirm the address of an account; the page `/account/email/confirm`.
    pub verify_email: Option<String>,
    /// To confirm the address that an account changes to; the page `/account/email/change`.
    pub change_email: Option<String>,
    /// To sign in; the page `/account/signin/code`.
    pub sign_in: Option<String>,
    /// To take back an address that was changed; the page `/account/email/undo`. Without a link the mail sends its reader to the operators.
    pub undo: Option<String>,
    /// To stop a reset of one's factors; the page `/account/factors/keep`. Without a link the mail has its code only.
    pub keep_factors: Option<String>,
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            ca_file: None,
            from: None,
            reply_to: None,
            links: MailLinks::default(),
            templates: None,
            languages: vec!["en".to_owned(), "de".to_owned()],
            rate: 20,
            timeout: Duration::from_secs(30),
            max_age: Duration::from_hours(24),
        }
    }
}

impl Mail {
    /// Whether a mail server is configured.
    pub fn is_set_up(&self) -> bool {
        self.url.is_some() || self.url_file.is_some()
    }

    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let (least, longest) = (Duration::from_secs(1), Duration::from_mins(10));
        let mut rules = vec![
            (
                !self.is_set_up() || self.from.is_some(),
                "mail.from: mail.url needs a sender, such as \"Example <accounts@example.org>\"",
            ),
            (
                !self.languages.is_empty() && self.locales().len() == self.languages.len(),
                "mail.languages: must be at least one language tag such as \"en\" or \"de-CH\"",
            ),
            (self.rate >= 1, "mail.rate: must be at least 1"),
            (
                (least..=longest).contains(&self.timeout),
                "mail.timeout: must be from 1 s to 10 min",
            ),
            (
                self.max_age >= Duration::from_mins(1),
                "mail.max_age: must be at least 1 min",
            ),
        ];
        rules.extend(self.links.rules());
        rules
    }

    /// The languages, but for what is none.
    pub fn locales(&self) -> Vec<Locale> {
        let languages = self.languages.iter();
        languages.filter_map(|tag| tag.parse().ok()).collect()
    }
}

impl MailLinks {
    fn rules(&self) -> [Rule; 8] {
        let holds = |link: &Option<String>| link.as_deref().is_none_or(is_link);
        [
            (
                holds(&self.recovery),
                "mail.links.recovery: must be a URL with {proof} and {secret} in it: https, or http on this machine, or of an app's own scheme",
            ),
            (
                holds(&self.choose_password),
                "mail.links.choose_password: must be such a URL as mail.links.recovery",
            ),
            (
                holds(&self.sign_up),
                "mail.links.sign_up: must be such a URL as mail.links.recovery",
            ),
            (
                holds(&self.verify_email),
                "mail.links.verify_email: must be such a URL as mail.links.recovery",
            ),
            (
                holds(&self.change_email),
                "mail.links.change_email: must be such a URL as mail.links.recovery",
            ),
            (
                holds(&self.sign_in),
                "mail.links.sign_in: must be such a URL as mail.links.recovery",
            ),
            (
                holds(&self.undo),
                "mail.links.undo: must be such a URL as mail.links.recovery",
            ),
            (
                holds(&self.keep_factors),
                "mail.links.keep_factors: must be such a URL as mail.links.recovery",
            ),
        ]
    }
}

impl Config {
    /// Where the links of mails lead: each where it is configured, else to its page, if there is one that a link may lead to.
    pub fn mail_links(&self) -> MailLinks {
        let page = |path: &str| self.page_link(path);
        let links = self.mail.links.clone();
        MailLinks {
            choose_password: links
                .choose_password
                .or_else(|| links.recovery.clone())
                .or_else(|| page("/account/password/choose")),
            recovery: links.recovery.or_else(|| page("/account/recovery")),
            sign_up: links.sign_up.or_else(|| page("/account/signup/confirm")),
            verify_email: links
                .verify_email
                .or_else(|| page("/account/email/confirm")),
            change_email: links.change_email.or_else(|| page("/account/email/change")),
            sign_in: links.sign_in.or_else(|| page("/account/signin/code")),
            undo: links.undo.or_else(|| page("/account/email/undo")),
            keep_factors: links.keep_factors.or_else(|| page("/account/factors/keep")),
        }
    }

    fn page_link(&self, path: &str) -> Option<String> {
        let origin = self.tokens.origin();
        let link = format!("{origin}{path}?proof={{proof}}&secret={{secret}}");
        (self.pages.enabled && is_link(&link)).then_some(link)
    }

    /// Where the mail server is, if there is one.
    ///
    /// # Errors
    /// [`ConfigError`] if its file can't be read.
    pub fn mail_url(&self) -> Result<Secret, ConfigError> {
        Secret::resolve(
            "mail.url",
            self.mail.url.as_ref(),
            self.mail.url_file.as_ref(),
        )
    }
}

/// Whether mail programs open it, nobody on the way reads the secret, and no script runs.
fn is_link(text: &str) -> bool {
    const NO_APPS: [&str; 10] = [
        "about",
        "blob",
        "data",
        "file",
        "ftp",
        "javascript",
        "mailto",
        "vbscript",
        "ws",
        "wss",
    ];
    let whole = text.contains("{proof}") && text.contains("{secret}");
    if !whole || !text.chars().all(|c| c.is_ascii_graphic()) {
        return false;
    }
    let filled = text
        .replace("{proof}", "proof")
        .replace("{secret}", "secret");
    let Ok(url) = Url::parse(&filled) else {
        return false;
    };
    match url.scheme() {
        "https" => true,
        "http" => url.host().is_some_and(|host| is_this_machine(&host)),
        app => !NO_APPS.contains(&app),
    }
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_an_encrypted_page_or_to_an_app() {
        for good in [
            "https://app.example.org/reset?proof={proof}&secret={secret}",
            "https://app.example.org/reset/{proof}#{secret}",
            "http://localhost:3000/reset?proof={proof}&secret={secret}",
            "http://127.0.0.1/{proof}/{secret}",
            "http://[::1]:3000/{proof}/{secret}",
            "org.example.app:/reset?proof={proof}&secret={secret}",
            "exampleapp://reset/{proof}/{secret}",
        ] {
            assert!(is_link(good), "{good}");
        }
        for bad in [
            "",
            "https://app.example.org/reset",
            "https://app.example.org/reset?proof={proof}",
            "https://app.example.org/reset?secret={secret}",
            "http://app.example.org/{proof}/{secret}",
            "/reset?proof={proof}&secret={secret}",
            "javascript:alert('{proof}{secret}')",
            "data:text/html,{proof}{secret}",
            "https://app.example.org/ {proof}/{secret}",
            "https://app.example.org/\n{proof}/{secret}",
        ] {
            assert!(!is_link(bad), "{bad}");
        }
    }

    #[test]
    fn links_lead_to_the_pages_unless_they_are_configured() {
        let links = |more: &str| {
            let config = Config::from_toml(more).unwrap();
            let links = config.mail_links();
            let password = (links.recovery, links.choose_password);
            (password, links.undo, links.sign_in)
        };
        let page = |origin: &str, path: &str| {
            Some(format!(
                "{origin}/account/{path}?proof={{proof}}&secret={{secret}}"
            ))
        };
        let issuer = "tokens.issuer = 'https://accounts.example.org:8443/auth'\n";
        let origin = "https://accounts.example.org:8443";
        let password = |origin| (page(origin, "recovery"), page(origin, "password/choose"));
        let code = |origin| page(origin, "signin/code");
        let undo = |origin| page(origin, "email/undo");
        assert_eq!(
            links(issuer),
            (password(origin), undo(origin), code(origin))
        );
        let own = |path: &str| {
            format!("https://app.example.org/{path}?proof={{proof}}&secret={{secret}}")
        };
        let (reset, welcome) = (own("reset"), own("welcome"));
        let mut configured = format!("{issuer}mail.links.recovery = '{reset}'\n");
        let both = (Some(reset.clone()), Some(reset.clone()));
        assert_eq!(links(&configured), (both, undo(origin), code(origin)));
        configured = format!("{configured}mail.links.choose_password = '{welcome}'\n");
        let each = (Some(reset), Some(welcome));
        assert_eq!(links(&configured), (each, undo(origin), code(origin)));
        let local = "http://localhost:8080";
        assert_eq!(links(""), (password(local), undo(local), code(local)));
        for none in [
            "pages.enabled = false",
            // Others on the way would read the secret.
            "tokens.issuer = 'http://accounts.example.org'",
        ] {
            assert_eq!(links(none), ((None, None), None, None), "{none}");
        }
    }

    #[test]
    fn a_mail_server_needs_a_sender() {
        let broken = |text: &str| {
            let error = Config::from_toml(text).unwrap_err();
            error.to_string()
        };
        let url = "[mail]\nurl = 'smtps://ann:hunter2@mail.example.org'\n";
        let said = broken(url);
        assert!(
            said.contains("mail.from") && !said.contains("hunter2"),
            "{said}"
        );
        assert!(Config::from_toml(&format!("{url}from = 'a@example.org'\n")).is_ok());
        for (line, key) in [
            ("languages = []", "mail.languages"),
            ("languages = ['de_DE']", "mail.languages"),
            ("rate = 0", "mail.rate"),
            ("timeout = '0s'", "mail.timeout"),
            ("max_age = '1s'", "mail.max_age"),
            ("links.undo = 'https://example.org'", "mail.links.undo"),
        ] {
            let said = broken(&format!("[mail]\n{line}\n"));
            assert!(said.contains(key), "{line}: {said}");
        }
    }
}

//! What the configuration says of pages, and where they may lead.

use super::{
    BASE,
    accent::Accent,
    assets::{Asset, Logo},
};
use url::{Position, Url, form_urlencoded};

/// The longest URL that a browser is sent back to, in bytes.
const LONGEST: usize = 2048;

/// What the configuration says of pages.
#[derive(Clone, Debug, Default)]
pub struct PageOptions {
    /// What the service is called.
    pub name: String,
    /// The picture in place of the name.
    pub logo: Option<Logo>,
    /// The colour of buttons and links.
    pub accent: Option<Accent>,
    /// Where the terms of use are.
    pub terms: Option<String>,
    /// Where it says how data about people are treated.
    pub privacy: Option<String>,
    /// The issuer's origin, as browsers send it.
    pub origin: String,
    /// Other origins that may be gone back to, in the same form.
    pub return_to: Vec<String>,
    /// Whether mail is sent.
    pub mail: bool,
    /// Whether a code by mail signs in.
    pub sign_in_code: bool,
    /// The tags of the languages that mails are written in.
    pub languages: Vec<String>,
    /// Whether each account must have a factor.
    pub factor_required: bool,
}

/// What pages are made with.
#[derive(Clone, Debug)]
pub struct PageSettings {
    pub(super) options: PageOptions,
    pub(super) style: Asset,
    pub(super) passkeys: Asset,
    pub(super) icon: Asset,
    pub(super) logo: Option<Asset>,
}

impl PageSettings {
    /// Makes what pages load.
    pub fn new(mut options: PageOptions) -> Self {
        Self {
            style: Asset::style(options.accent),
            passkeys: Asset::passkeys(),
            icon: Asset::icon(options.accent),
            logo: options.logo.take().map(Asset::logo),
            options,
        }
    }

    /// Reads where a browser wants to go once it is signed in: a page of this service, or a URL of an origin that the operator lists. Anything
    /// else is no place to send it to.
    pub(super) fn destination(&self, wanted: &str) -> Option<Destination> {
        let own = &self.options.origin;
        let url = Some(wanted).filter(|wanted| wanted.len() <= LONGEST)?;
        // As the browser would read it.
        let url = Url::parse(own).ok()?.join(url).ok()?;
        let origin = origin(&url)?;
        if origin == *own {
            let page = &url[Position::BeforePath..Position::AfterQuery];
            let below = url.path().strip_prefix(BASE)?;
            return (below.is_empty() || below.starts_with('/')).then(|| Destination {
                url: page.to_owned(),
                origin: None,
            });
        }
        let is_listed = self.options.return_to.contains(&origin);
        is_listed.then(|| Destination {
            url: url.into(),
            origin: Some(origin),
        })
    }
}

/// The origin of a URL (RFC 6454 §6.2), also of an app's own scheme; `None` of one with a user in it.
fn origin(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let port = url.port().map(|port| format!(":{port}"));
    Some(format!(
        "{}://{host}{}",
        url.scheme(),
        port.unwrap_or_default()
    ))
}

/// Where a browser may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    url: String,
    /// Of another service.
    origin: Option<String>,
}

impl Destination {
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The origin, if it is not this service's.
    pub(super) fn foreign_origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// As a parameter of a query.
    pub(super) fn parameter(&self) -> String {
        let url: String = form_urlencoded::byte_serialize(self.url.as_bytes()).collect();
        format!("return_to={url}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> PageSettings {
        let [own, app, native] = [
            "https://accounts.example.org",
            "https://app.example.org:8443",
            "capacitor://localhost",
        ]
        .map(str::to_owned);
        PageSettings::new(PageOptions {
            origin: own,
            return_to: vec![app, native],
            ..PageOptions::default()
        })
    }

    #[test]
    fn pages_of_ones_own_and_listed_origins_may_be_gone_back_to() {
        let settings = settings();
        for (wanted, url) in [
            ("/account", "/account"),
            ("/account/devices?x=1#y", "/account/devices?x=1"),
            (
                "https://accounts.example.org/account/activity",
                "/account/activity",
            ),
            ("/account/a/../password", "/account/password"),
            (
                "https://app.example.org:8443/a?b=c#d",
                "https://app.example.org:8443/a?b=c#d",
            ),
            (
                "HTTPS://APP.example.org:8443",
                "https://app.example.org:8443/",
            ),
            ("capacitor://localhost/a", "capacitor://localhost/a"),
        ] {
            let found = settings.destination(wanted);
            assert_eq!(found.as_ref().map(Destination::url), Some(url), "{wanted}");
        }
        let back = settings.destination("https://app.example.org:8443/a b");
        let back = back.expect("it is listed");
        assert_eq!(back.foreign_origin(), Some("https://app.example.org:8443"));
        assert_eq!(
            back.parameter(),
            "return_to=https%3A%2F%2Fapp.example.org%3A8443%2Fa%2520b"
        );
    }

    #[test]
    fn nowhere_else() {
        let settings = settings();
        let long = format!("/account/{}", "x".repeat(LONGEST));
        for hostile in [
            "https://evil.example",
            "//evil.example/account",
            "/\\evil.example/account",
            "\\\\evil.example",
            "https:evil.example",
            "https:/\t/evil.example",
            "https://app.example.org",
            "https://app.example.org:8443.evil.example",
            "https://app.example.org:8443@evil.example",
            "https://ann@app.example.org:8443/",
            "http://app.example.org:8443/",
            "https://evil.example\\@app.example.org:8443/",
            "javascript:alert(1)",
            "data:text/html,x",
            "/",
            "/accounts",
            "/account/../docs",
            "/account/%2e%2e/docs",
            "capacitor://other",
            "",
            &long,
        ] {
            assert_eq!(settings.destination(hostile), None, "{hostile}");
        }
    }
}

//! The cookies of browsers: device credentials, refresh tokens, and what tells the browser that asked for a mail from others.

use actix_web::{
    cookie::{Cookie, SameSite},
    http::header::{self, HeaderMap},
};
use revolve_domain::{policy::SessionPolicy, use_cases::ShownAsker};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// Between the credentials in the device cookie: no character of a credential.
pub(super) const SEPARATOR: &str = "~";

/// The most device credentials of a request: a browser keeps those of the accounts that signed in last.
pub(super) const MAX_CREDENTIALS: usize = 8;
/// As short as a cookie can live.
const MOMENT: Duration = Duration::from_secs(1);
/// How long a browser is known as the one that asked for a mail: as long as the longest of those proofs lives.
const PROOF_COOKIE: Duration = Duration::from_hours(24);

/// What the cookies are called, and how they are set.
#[derive(Clone, Debug)]
pub struct CookieSettings {
    secure: bool,
    /// The cookie that is set, then others that are read.
    names: Vec<String>,
    /// The same for the browser that asked for a mail.
    proofs: Vec<String>,
    /// The same for refresh tokens of this origin's front end.
    tokens: Vec<String>,
    /// The same for ID tokens, which pages keep beside them.
    ids: Vec<String>,
    /// The same for reauthentications, which pages keep for some minutes.
    reauthentications: Vec<String>,
    /// The cookie that is set for a moment when a session of pages is over.
    over: String,
    token_lifetime: Duration,
}

impl CookieSettings {
    /// `secure`: over https only; the issuer says so. `installations`: what tells this installation from others on the same host,
    /// whose ports share cookies (RFC 6265 §8.5); the present name, then earlier ones. `token_lifetime`: how long a refresh token is kept.
    pub fn new(
        secure: bool,
        installations: impl IntoIterator<Item = String>,
        token_lifetime: Duration,
    ) -> Self {
        // The prefix makes browsers refuse a cookie that a sibling host has planted, where they allow it (RFC 6265bis §4.1.3).
        let prefix = if secure { "__Host-" } else { "" };
        let installations: Vec<String> = installations.into_iter().collect();
        let named = |kind: &str| -> Vec<String> {
            let installations = installations.iter();
            installations
                .map(|installation| format!("{prefix}revolve-{kind}-{installation}"))
                .collect()
        };
        let named_at_least_once = |kind: &str| {
            let mut names = named(kind);
            if names.is_empty() {
                names.push(format!("{prefix}revolve-{kind}"));
            }
            names
        };
        let mut names = named("device");
        names.push(format!("{prefix}revolve-device"));
        Self {
            secure,
            names,
            proofs: named_at_least_once("proof"),
            tokens: named_at_least_once("refresh"),
            ids: named_at_least_once("id"),
            reauthentications: named_at_least_once("reauthentication"),
            over: named_at_least_once("over").swap_remove(0),
            token_lifetime,
        }
    }

    pub(super) fn name(&self) -> Option<&String> {
        self.names.first()
    }

    /// The only name that earlier versions know. Browsers keep theirs for a year, and in a rolling update a replica of such a
    /// version may get the next refresh.
    pub(super) fn earlier_name(&self) -> Option<&String> {
        self.names.last().filter(|_| self.names.len() > 1)
    }

    pub(super) fn cookie(&self, name: &str, value: String) -> Cookie<'static> {
        self.strict(name, value, SessionPolicy::DEVICE_LIFETIME)
    }

    /// The names under which a refresh token is kept: the one that is set, then others that are read. `front_end` tells listed origins' own
    /// cookies from each other.
    pub(super) fn token_names(&self, front_end: Option<&str>) -> Vec<String> {
        let names = self.tokens.iter();
        match front_end {
            None => names.cloned().collect(),
            Some(front_end) => names.map(|name| format!("{name}-{front_end}")).collect(),
        }
    }

    /// The names under which pages keep an ID token: the one that is set, then others that are read.
    pub(super) fn id_names(&self) -> Vec<String> {
        self.ids.clone()
    }

    /// The names under which pages keep a reauthentication.
    pub(super) fn reauthentication_names(&self) -> Vec<String> {
        self.reauthentications.clone()
    }

    /// Keeps a token for as long as a refresh token lives.
    pub(super) fn token(&self, name: &str, token: &SecretString) -> Cookie<'static> {
        self.token_for(name, token, self.token_lifetime)
    }

    /// Keeps a token for so long.
    pub(super) fn token_for(
        &self,
        name: &str,
        token: &SecretString,
        lifetime: Duration,
    ) -> Cookie<'static> {
        self.strict(name, token.expose_secret().to_owned(), lifetime)
    }

    /// Takes a cookie away.
    pub(super) fn removed(&self, name: &str) -> Cookie<'static> {
        self.strict(name, String::new(), Duration::ZERO)
    }

    /// Makes a browser throw away what it has kept of the pages for its back button. Chromium keeps pages in spite of `no-store` until a cookie changes
    /// that scripts can't read; and to take one away does not count for the page that had set it, which is the first one after a sign-in.
    pub(super) fn over(&self) -> Cookie<'static> {
        self.strict(&self.over, "1".to_owned(), MOMENT)
    }

    /// A cookie of this host for requests from the same site, which scripts can't read.
    fn strict(&self, name: &str, value: String, lifetime: Duration) -> Cookie<'static> {
        Cookie::build(name.to_owned(), value)
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Strict)
            .max_age(lifetime.try_into().unwrap_or_default())
            .finish()
    }

    /// Whether there is a cookie of the present name.
    pub(super) fn is_named_in(&self, headers: &HeaderMap) -> bool {
        let name = self.name();
        name.is_some_and(|name| raw_cookie(headers, name).is_some())
    }

    /// What tells the browser that asked for a mail from others. Mails are read elsewhere, and their links lead here: those requests have it, too.
    pub(super) fn proof(&self, secret: &SecretString) -> Option<Cookie<'static>> {
        let name = self.proofs.first()?;
        let cookie = Cookie::build(name.clone(), secret.expose_secret().to_owned())
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(PROOF_COOKIE.try_into().unwrap_or_default());
        Some(cookie.finish())
    }

    pub(super) fn shown_proof(&self, headers: &HeaderMap) -> Option<SecretString> {
        let mut shown = self
            .proofs
            .iter()
            .filter_map(|name| raw_cookie(headers, name));
        // It goes back with the next answer: only what was made here.
        let is_ours = |cookie: &&str| {
            cookie.len() == ShownAsker::COOKIE
                && cookie.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        shown.find(is_ours).map(SecretString::from)
    }

    /// The credentials in all of these cookies, each once.
    pub(super) fn credentials(&self, headers: &HeaderMap) -> Vec<SecretString> {
        let mut found: Vec<&str> = Vec::new();
        let cookies = self
            .names
            .iter()
            .filter_map(|name| raw_cookie(headers, name));
        for credential in cookies.flat_map(|cookie| cookie.split(SEPARATOR)) {
            let is_new = !credential.is_empty() && !found.contains(&credential);
            if is_new && found.len() < MAX_CREDENTIALS {
                found.push(credential);
            }
        }
        found.into_iter().map(SecretString::from).collect()
    }
}

impl Default for CookieSettings {
    fn default() -> Self {
        Self::new(false, [], Duration::ZERO)
    }
}

/// A cookie by its name as it stands in the header. Libraries decode percent signs in names, which would let a sibling host
/// plant a cookie that only looks like one with the protected prefix after decoding. The cookies of others on the host may have
/// any bytes.
pub(super) fn raw_cookie<'r>(headers: &'r HeaderMap, name: &str) -> Option<&'r str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let pair = pair.trim_ascii();
            pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
        });
    std::str::from_utf8(values.next()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{CookieSettings, MAX_CREDENTIALS, raw_cookie};
    use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};
    use secrecy::ExposeSecret;
    use std::time::Duration;

    #[test]
    fn a_cookie_is_found_whatever_is_in_the_others() {
        let own = "__Host-revolve-device";
        for (found, cookies) in [
            (Some("a.b"), &[&b"__Host-revolve-device=a.b"[..]][..]),
            (
                Some("a.b"),
                &["theme=gr\u{fc}n; __Host-revolve-device=a.b".as_bytes()],
            ),
            (
                Some("a.b"),
                &[b"theme=gr\xfcn;__Host-revolve-device=a.b; x=\xff"],
            ),
            (
                Some("a.b"),
                &[b"theme=gr\xfcn", b"__Host-revolve-device=a.b"],
            ),
            (Some("a=b"), &[b"x; =y; __Host-revolve-device=a=b ;"]),
            (
                Some("a"),
                &[b"__Host-revolve-device=a; __Host-revolve-device=b"],
            ),
            (None, &[b"__Host-revolve-device=a\xfc"]),
            (
                None,
                &[b"__Host-revolve-devic%65=a; __host-revolve-device=a; __Host-revolve-device2=a"],
            ),
            (None, &[b"__Host-revolve-device"]),
            (None, &[]),
        ] {
            let mut headers = HeaderMap::new();
            for cookie in cookies {
                headers.append(COOKIE, HeaderValue::from_bytes(cookie).unwrap());
            }
            assert_eq!(raw_cookie(&headers, own), found, "{cookies:?}");
        }
    }

    #[test]
    fn credentials_are_found_under_every_name_of_the_installation_and_no_other() {
        let shown = |settings: &CookieSettings, cookies: &str| -> Vec<String> {
            let mut headers = HeaderMap::new();
            headers.append(COOKIE, HeaderValue::from_str(cookies).unwrap());
            let found = settings.credentials(&headers);
            let texts = found.iter().map(|found| found.expose_secret().to_owned());
            texts.collect()
        };
        let settings = CookieSettings::new(true, ["new", "old"].map(str::to_owned), Duration::ZERO);
        let names = (settings.name(), settings.earlier_name());
        let expected = ["__Host-revolve-device-new", "__Host-revolve-device"].map(str::to_owned);
        assert_eq!(names, (Some(&expected[0]), Some(&expected[1])));
        let cookies = "__Host-revolve-device=d~b; __Host-revolve-device-old=c; __Host-revolve-device-new=a~b; \
                       __Host-revolve-device-other=x; revolve-device-new=y";
        assert_eq!(shown(&settings, cookies), ["a", "b", "c", "d"]);
        let many = format!("__Host-revolve-device-new={}", "a~b~c~d~e~f~g~h~i~j");
        assert_eq!(shown(&settings, &many).len(), MAX_CREDENTIALS);
        let plain = CookieSettings::new(false, ["new".to_owned()], Duration::ZERO);
        assert_eq!(shown(&plain, cookies), ["y"]);
        assert_eq!(
            shown(&plain, "revolve-device-other=x; revolve-device-new="),
            [""; 0]
        );
    }
}

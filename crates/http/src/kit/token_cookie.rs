//! The cookie in which a browser keeps a front end's refresh token. Scripts can't read it, and no body has the token then.
//!
//! A host has one jar for all front ends of a site, so each has a cookie of its own: two of them don't sign each other out, hand each
//! other another account's tokens, or reach each other's session.

use crate::kit::{
    cookies::{CookieSettings, raw_cookie},
    origins::FrontEnd,
    problem::Problem,
};
use actix_web::{HttpRequest, HttpResponse, cookie::Cookie, web::Data};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::use_cases::Refusal;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Bytes of the digest of an origin in a cookie's name: 12 characters. They tell the few listed origins of an installation apart.
const TAG: usize = 9;

/// The cookie of one front end, as a request has it. It counts only for requests that [`super::origins::Origins`] says are that front end's.
pub(crate) struct TokenCookie {
    settings: Data<CookieSettings>,
    /// The name that is set, then others that are read.
    names: Vec<String>,
    /// Which of them were sent.
    sent: Vec<String>,
    token: Option<SecretString>,
}

impl TokenCookie {
    /// That of a front end. The pages of this service share one, and a session, with scripts of the same origin.
    pub(crate) fn of(request: &HttpRequest, front_end: FrontEnd<'_>) -> Self {
        Self::named(request, |settings| match front_end {
            FrontEnd::Own => settings.token_names(None),
            FrontEnd::Listed(origin) => settings.token_names(Some(&tag(origin))),
        })
    }

    /// The one in which pages keep the ID token, beside the refresh token of this origin. It is read by pages alone.
    pub(crate) fn id(request: &HttpRequest) -> Self {
        Self::named(request, CookieSettings::id_names)
    }

    /// The one in which pages keep a reauthentication. It is read by pages alone.
    pub(crate) fn reauthentication(request: &HttpRequest) -> Self {
        Self::named(request, CookieSettings::reauthentication_names)
    }

    fn named(request: &HttpRequest, names: impl FnOnce(&CookieSettings) -> Vec<String>) -> Self {
        let settings = request.app_data::<Data<CookieSettings>>().cloned();
        let settings = settings.unwrap_or_else(|| Data::new(CookieSettings::default()));
        let names = names(&settings);
        let shown = |name: &String| Some((name.clone(), raw_cookie(request.headers(), name)?));
        let shown: Vec<(String, &str)> = names.iter().filter_map(shown).collect();
        let mut tokens = shown.iter().map(|(_, token)| *token);
        let token = tokens.find(|token| !token.is_empty());
        Self {
            token: token.map(SecretString::from),
            sent: shown.into_iter().map(|(name, _)| name).collect(),
            names,
            settings,
        }
    }

    /// The token that the browser has sent.
    pub(crate) fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// The refresh token, without which nothing can be done.
    pub(crate) fn needed(&self) -> Result<SecretString, Problem> {
        self.token.clone().ok_or_else(missing)
    }

    /// Keeps the next token, and that one alone.
    pub(crate) fn set(&self, token: &SecretString) -> Vec<Cookie<'static>> {
        let Some(name) = self.names.first() else {
            return Vec::new();
        };
        let new = self.settings.token(name, token);
        let earlier = self.sent.iter().filter(|sent| *sent != name);
        let removed = earlier.map(|name| self.settings.removed(name));
        std::iter::once(new).chain(removed).collect()
    }

    /// Keeps a token for so long.
    pub(crate) fn set_for(
        &self,
        token: &SecretString,
        lifetime: Duration,
    ) -> Option<Cookie<'static>> {
        let name = self.names.first()?;
        Some(self.settings.token_for(name, token, lifetime))
    }

    /// Takes away what the browser has sent.
    pub(crate) fn clear(&self) -> Vec<Cookie<'static>> {
        let sent = self.sent.iter();
        sent.map(|name| self.settings.removed(name)).collect()
    }

    /// Beside what takes the tokens of a page away: what makes the browser forget the pages that it has kept.
    pub(crate) fn over(&self) -> Cookie<'static> {
        self.settings.over()
    }

    /// The answer, with which the browser forgets what it has sent.
    pub(crate) fn cleared(&self, mut answer: HttpResponse) -> Result<HttpResponse, Problem> {
        for cookie in self.clear() {
            answer
                .add_cookie(&cookie)
                .map_err(|error| Problem::internal(&error))?;
        }
        Ok(answer)
    }
}

/// Whether the token that was refused is of no use to its browser any more. Not one whose successor the same browser has got, or is about
/// to get: of a request and a faster sibling, and of a session and a newer sign-in. There the answer must not take away the new
/// cookie. Nor one that only lacks its device's credential.
pub(crate) const fn is_over(refusal: Refusal) -> bool {
    !matches!(
        refusal,
        Refusal::TokenStale | Refusal::SessionReplaced | Refusal::DeviceMismatch
    )
}

/// 401: the browser has no refresh token for this front end.
pub(crate) fn missing() -> Problem {
    Problem::without_token(
        "cookie_missing",
        "There is no refresh token in the cookie; sign in.",
    )
}

/// An origin in the characters of a cookie's name.
fn tag(origin: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(origin)[..TAG])
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{http::header::COOKIE, test::TestRequest};
    use secrecy::ExposeSecret;

    const SHOP: &str = "https://shop.example.org";

    fn sent(secure: bool, cookies: &str) -> HttpRequest {
        let installations = ["new", "old"].map(str::to_owned);
        let settings = CookieSettings::new(secure, installations, Duration::from_mins(1));
        TestRequest::default()
            .app_data(Data::new(settings))
            .insert_header((COOKIE, cookies))
            .to_http_request()
    }

    fn own(request: &HttpRequest) -> TokenCookie {
        TokenCookie::of(request, FrontEnd::Own)
    }

    fn token(cookie: &TokenCookie) -> Option<&str> {
        cookie.token().map(ExposeSecret::expose_secret)
    }

    fn told(cookies: &[Cookie<'static>]) -> Vec<String> {
        cookies.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn it_is_set_for_this_host_and_site_alone() {
        let next = SecretString::from("n.e.xt");
        let cookie = own(&sent(true, ""));
        assert_eq!(token(&cookie), None);
        assert_eq!(told(&cookie.clear()), [""; 0], "there is none to clear");
        assert_eq!(
            told(&cookie.set(&next)),
            [
                "__Host-revolve-refresh-new=n.e.xt; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=60"
            ]
        );
        let cookie = own(&sent(false, ""));
        assert_eq!(
            told(&cookie.set(&next)),
            ["revolve-refresh-new=n.e.xt; HttpOnly; SameSite=Strict; Path=/; Max-Age=60"]
        );
    }

    #[test]
    fn each_front_end_has_its_own() {
        let request = sent(true, "__Host-revolve-refresh-new=own");
        assert_eq!(token(&own(&request)), Some("own"));
        let shop = TokenCookie::of(&request, FrontEnd::Listed(SHOP));
        assert_eq!(token(&shop), None);
        let set = shop.set(&SecretString::from("shop"));
        let name = set[0].name().to_owned();
        let both = format!("__Host-revolve-refresh-new=own; {name}=shop");
        let request = sent(true, &both);
        let shop = TokenCookie::of(&request, FrontEnd::Listed(SHOP));
        assert_eq!(token(&shop), Some("shop"));
        assert_eq!(token(&own(&request)), Some("own"));
        let other = FrontEnd::Listed("https://blog.example.org");
        assert_eq!(token(&TokenCookie::of(&request, other)), None);
    }

    #[test]
    fn one_under_an_earlier_name_moves_to_the_present_one() {
        let request = sent(
            true,
            "__Host-revolve-refresh-old=a; __Host-revolve-refresh-other=b; revolve-refresh-new=c",
        );
        let cookie = own(&request);
        assert_eq!(token(&cookie), Some("a"));
        let set = told(&cookie.set(&SecretString::from("d")));
        assert!(
            set[0].starts_with("__Host-revolve-refresh-new=d;"),
            "{set:?}"
        );
        assert!(
            set[1].starts_with("__Host-revolve-refresh-old=;"),
            "{set:?}"
        );
        assert!(set[1].ends_with("Max-Age=0"), "{set:?}");
        assert_eq!(set.len(), 2);
        let cleared = told(&cookie.clear());
        assert!(cleared[0].starts_with("__Host-revolve-refresh-old=;"));
        assert_eq!(cleared.len(), 1);
        let both = "__Host-revolve-refresh-old=a; __Host-revolve-refresh-new=d";
        let cookie = own(&sent(true, both));
        assert_eq!(token(&cookie), Some("d"));
        assert_eq!(cookie.clear().len(), 2);
    }

    #[test]
    fn an_empty_cookie_is_none() {
        let cookie = own(&sent(false, "revolve-refresh-new="));
        assert_eq!(token(&cookie), None);
        assert_eq!(cookie.clear().len(), 1);
    }
}

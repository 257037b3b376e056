//! What a request says about who sent it: bearer token, device credential, address.

use crate::kit::{
    cookies::{CookieSettings, MAX_CREDENTIALS, SEPARATOR},
    forwarded::TrustedProxies,
    origins::Origins,
    problem::Problem,
};
use actix_web::{
    FromRequest, HttpRequest,
    cookie::Cookie,
    dev::Payload,
    http::header::{self, Header, HeaderValue},
    web,
};
use revolve_domain::{
    limits::{AddressRange, LiveLimits},
    model::{ClientInfo, Label, Locale, WebOrigin},
    use_cases::{self, IssuedDevice, RequestedProof, ShownAsker},
};
use secrecy::{ExposeSecret, SecretString};
use std::future::{Ready, ready};

/// The header in which clients other than browsers show their device credential.
pub(crate) const DEVICE_HEADER: &str = "Revolve-Device";

/// The header in which clients show a reauthentication.
pub(crate) const REAUTHENTICATION_HEADER: &str = "Revolve-Reauthentication";

/// The ID token of `Authorization: Bearer …` (RFC 6750 §2.1).
pub struct Bearer(pub SecretString);

impl FromRequest for Bearer {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| {
                let (scheme, token) = value.to_str().ok()?.split_once([' ', '\t'])?;
                scheme
                    .eq_ignore_ascii_case("bearer")
                    .then(|| SecretString::from(token.trim()))
            });
        ready(token.map(Self).ok_or_else(Problem::unauthenticated))
    }
}

/// Where a request came from and which device it shows.
pub(crate) struct RequestClient {
    pub(crate) client: ClientInfo,
    /// That of the header, else those of the cookie.
    pub(crate) device_credentials: Vec<SecretString>,
    /// Whether they are of cookies, none of which has the present name.
    are_under_earlier_names: bool,
    /// Browsers send `Sec-Fetch-Site`; scripts in them can't forge it. They keep the credential in the cookie alone.
    pub(crate) is_browser: bool,
    /// What its browser kept when it asked for a mail.
    proof_cookie: Option<SecretString>,
    /// The language that it would rather read.
    pub(crate) language: Option<Locale>,
    user_agent: Option<HeaderValue>,
    origin: Option<HeaderValue>,
    cookies: web::Data<CookieSettings>,
}

impl FromRequest for RequestClient {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let cookies = request
            .app_data::<web::Data<CookieSettings>>()
            .cloned()
            .unwrap_or_else(|| web::Data::new(CookieSettings::default()));
        let headers = request.headers();
        let from_header = headers
            .get(DEVICE_HEADER)
            .and_then(|value| value.to_str().ok());
        let device_credentials = from_header.map_or_else(
            || cookies.credentials(headers),
            |credential| vec![credential.into()],
        );
        ready(Ok(Self {
            client: address(request),
            device_credentials,
            are_under_earlier_names: from_header.is_none() && !cookies.is_named_in(headers),
            is_browser: headers.contains_key("Sec-Fetch-Site"),
            proof_cookie: cookies.shown_proof(headers),
            language: language(request),
            user_agent: headers.get(header::USER_AGENT).cloned(),
            origin: origin(request),
            cookies,
        }))
    }
}

/// Who calls the account API: ID token, device, reauthentication.
pub(crate) struct BearerCaller(pub(crate) use_cases::Caller);

impl FromRequest for BearerCaller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reauthentication = || {
            let value = request.headers().get(REAUTHENTICATION_HEADER)?;
            Some(SecretString::from(value.to_str().ok()?))
        };
        let mut caller = || {
            let Bearer(id_token) = Bearer::from_request(request, payload).into_inner()?;
            let caller = RequestClient::from_request(request, payload).into_inner()?;
            Ok(Self(use_cases::Caller {
                id_token,
                device_credentials: caller.device_credentials,
                reauthentication: reauthentication(),
                client: caller.client,
            }))
        };
        ready(caller())
    }
}

/// The client's address: the peer's, or what trusted proxies say. No address is known of a peer that did not come by one.
pub(crate) fn address(request: &HttpRequest) -> ClientInfo {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let proxies = request.app_data::<web::Data<TrustedProxies>>();
    let client = |peer| proxies.map_or(peer, |proxies| proxies.client(peer, request.headers()));
    ClientInfo {
        address: peer.map(client),
        ..ClientInfo::default()
    }
}

/// The front end's origin. A form of a page is of this one, though its browser does not name it.
fn origin(request: &HttpRequest) -> Option<HeaderValue> {
    let (origins, headers) = (Origins::of(request), request.headers());
    if origins.is_own(headers) {
        HeaderValue::from_str(origins.own()).ok()
    } else {
        headers.get(header::ORIGIN).cloned()
    }
}

/// What the client's address is counted as, if it is known.
pub(crate) fn address_range(request: &HttpRequest) -> Option<AddressRange> {
    let limits = request.app_data::<web::Data<LiveLimits>>();
    let limits = limits.map(|limits| limits.get()).unwrap_or_default();
    AddressRange::of_client(&address(request), limits.ipv6_prefix)
}

/// The first language of `Accept-Language` (RFC 9110 §12.5.4).
fn language(request: &HttpRequest) -> Option<Locale> {
    let accepted = header::AcceptLanguage::parse(request).ok()?;
    let ranked = accepted.ranked().into_iter();
    let mut languages = ranked.filter_map(|language| language.item()?.as_str().parse().ok());
    languages.next()
}

/// A `User-Agent` header in words that a person knows, such as "Firefox on Linux"; what is no browser's stays as it is.
fn summary(header: &str) -> Option<Label> {
    const UNKNOWN: &str = "UNKNOWN";
    let known = woothee::parser::Parser::new()
        .parse(header)
        .filter(|found| found.name != UNKNOWN && found.os != UNKNOWN);
    match known {
        Some(found) => Label::lossy(&format!("{} on {}", found.name, found.os)),
        None => Label::lossy(header),
    }
}

impl RequestClient {
    /// The client with what it calls itself and its origin: only a new session wants to know that.
    pub(crate) fn described(&self) -> ClientInfo {
        let user_agent = self
            .user_agent
            .as_ref()
            .and_then(|agent| summary(&String::from_utf8_lossy(agent.as_bytes())));
        let origin = self.origin.as_ref().and_then(|origin| origin.to_str().ok());
        ClientInfo {
            user_agent,
            origin: origin.and_then(WebOrigin::parse),
            ..self.client.clone()
        }
    }

    /// What it shows to be known again as the one that asked for a mail.
    pub(crate) fn asker(&self) -> ShownAsker {
        ShownAsker {
            cookie: self.proof_cookie.clone(),
            device_credentials: self.device_credentials.clone(),
        }
    }

    /// Whether its browser has asked for a mail lately.
    pub(crate) fn has_asked(&self) -> bool {
        self.proof_cookie.is_some()
    }

    /// The cookie that its browser keeps until the mail has come.
    pub(crate) fn proof_cookie(&self, proof: &RequestedProof) -> Option<Cookie<'static>> {
        self.cookies.proof(proof.cookie.as_ref()?)
    }

    /// The cookies that keep the device credential in a browser, for a year, before others that the browser goes on to need.
    pub(crate) fn device_cookies(&self, device: &IssuedDevice) -> Vec<Cookie<'static>> {
        let named = self.named_cookie([&device.credential].into_iter().chain(&device.others));
        // Earlier versions expect one credential.
        let cookies = &self.cookies;
        let earlier = cookies.earlier_name().map(|name| {
            let new = device.credential.expose_secret();
            cookies.cookie(name, new.to_owned())
        });
        named.into_iter().chain(earlier).collect()
    }

    /// The same credentials under the present name, if the browser has them under earlier names alone: other installations on the host
    /// may overwrite those.
    pub(crate) fn renamed_cookie(&self) -> Option<Cookie<'static>> {
        // What the browser sent is in a header of the answer only if it can be a credential.
        let is_sound = |credential: &&SecretString| {
            let text = credential.expose_secret();
            text.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let mut sound = self.device_credentials.iter().filter(is_sound).peekable();
        let is_due = self.are_under_earlier_names && sound.peek().is_some();
        is_due.then(|| self.named_cookie(sound)).flatten()
    }

    fn named_cookie<'a>(
        &self,
        credentials: impl Iterator<Item = &'a SecretString>,
    ) -> Option<Cookie<'static>> {
        let texts = credentials.map(ExposeSecret::expose_secret);
        let texts: Vec<&str> = texts.take(MAX_CREDENTIALS).collect();
        let name = self.cookies.name()?;
        Some(self.cookies.cookie(name, texts.join(SEPARATOR)))
    }
}

#[cfg(test)]
mod tests {
    use super::{CookieSettings, DEVICE_HEADER, RequestClient, summary};
    use actix_web::{
        FromRequest,
        dev::Payload,
        http::header::{COOKIE, HeaderValue},
        test::TestRequest,
        web::Data,
    };
    use std::time::Duration;

    #[test]
    fn credentials_under_earlier_names_alone_get_the_present_one() {
        let renamed = |names: &[&str], cookies: &str, shown: Option<&str>| {
            let names = names.iter().copied().map(str::to_owned);
            let mut request = TestRequest::default()
                .app_data(Data::new(CookieSettings::new(true, names, Duration::ZERO)))
                .insert_header((COOKIE, HeaderValue::from_bytes(cookies.as_bytes()).unwrap()));
            if let Some(shown) = shown {
                request = request.insert_header((DEVICE_HEADER, shown));
            }
            let request = request.to_http_request();
            let client = RequestClient::from_request(&request, &mut Payload::None).into_inner();
            let cookie = client.unwrap().renamed_cookie();
            cookie.map(|cookie| format!("{}={}", cookie.name(), cookie.value()))
        };
        let names: &[&str] = &["new", "old"];
        let earlier = "__Host-revolve-device=c; __Host-revolve-device-old=a.b~c";
        let expected = "__Host-revolve-device-new=a.b~c";
        assert_eq!(renamed(names, earlier, None).as_deref(), Some(expected));
        let other = "__Host-revolve-device=a\"\u{fc}~d";
        let expected = "__Host-revolve-device-new=d";
        assert_eq!(renamed(names, other, None).as_deref(), Some(expected));
        for (names, cookies, shown) in [
            (names, earlier, Some("x.y")),
            (
                names,
                "__Host-revolve-device-new=x; __Host-revolve-device=c",
                None,
            ),
            (names, "__Host-revolve-device=\u{fc}", None),
            (names, "__Host-revolve-device-other=x", None),
            (&names[..0], "__Host-revolve-device=c", None),
        ] {
            assert_eq!(renamed(names, cookies, shown), None, "{cookies}");
        }
    }

    #[test]
    fn agents_are_summed_up_in_words() {
        for (header, expected) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows 10",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("phone/1.0", "phone/1.0"),
            ("curl/8.5.0", "curl/8.5.0"),
        ] {
            assert_eq!(summary(header).unwrap().as_str(), expected);
        }
        assert_eq!(summary(" "), None);
    }
}

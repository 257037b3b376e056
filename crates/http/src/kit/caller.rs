//! What a request says about who sent it: bearer token, device credential, address.

use crate::kit::{forwarded::TrustedProxies, problem::Problem};
use actix_web::{
    FromRequest, HttpRequest,
    cookie::{Cookie, SameSite},
    dev::Payload,
    http::header::{self, HeaderMap, HeaderValue},
    web,
};
use revolve_domain::{
    limits::{AddressRange, LiveLimits},
    model::{ClientInfo, Label},
    policy::SessionPolicy,
};
use secrecy::{ExposeSecret, SecretString};
use std::future::{Ready, ready};

/// The header in which clients other than browsers show their device credential.
pub(crate) const DEVICE_HEADER: &str = "Revolve-Device";

/// How the device cookie is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct CookieSettings {
    /// Over https only; the issuer says so.
    pub secure: bool,
}

impl CookieSettings {
    /// With the prefix that makes browsers refuse a cookie planted by a sibling host, where they allow it (RFC 6265bis §4.1.3).
    const fn name(self) -> &'static str {
        if self.secure {
            "__Host-revolve-device"
        } else {
            "revolve-device"
        }
    }
}

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
pub(crate) struct Caller {
    pub(crate) client: ClientInfo,
    pub(crate) device_credential: Option<SecretString>,
    /// Browsers send `Sec-Fetch-Site`; scripts in them can't forge it. They keep the credential in the cookie alone.
    pub(crate) is_browser: bool,
    user_agent: Option<HeaderValue>,
    cookies: CookieSettings,
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let cookies = request
            .app_data::<web::Data<CookieSettings>>()
            .map(|settings| *settings.get_ref())
            .unwrap_or_default();
        let text = |name: &str| {
            request
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let from_header = text(DEVICE_HEADER);
        let from_cookie = || raw_cookie(request.headers(), cookies.name());
        ready(Ok(Self {
            client: address(request),
            user_agent: request.headers().get(header::USER_AGENT).cloned(),
            device_credential: from_header.or_else(from_cookie).map(SecretString::from),
            is_browser: request.headers().contains_key("Sec-Fetch-Site"),
            cookies,
        }))
    }
}

/// The client's address: the peer's, or what trusted proxies say. No address is known of a peer that did not come by one.
fn address(request: &HttpRequest) -> ClientInfo {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let proxies = request.app_data::<web::Data<TrustedProxies>>();
    let client = |peer| proxies.map_or(peer, |proxies| proxies.client(peer, request.headers()));
    ClientInfo {
        address: peer.map(client),
        user_agent: None,
    }
}

/// What the client's address is counted as, if it is known.
pub(crate) fn address_range(request: &HttpRequest) -> Option<AddressRange> {
    let limits = request.app_data::<web::Data<LiveLimits>>();
    let limits = limits.map(|limits| limits.get()).unwrap_or_default();
    AddressRange::of_client(&address(request), limits.ipv6_prefix)
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

/// A cookie by its name as it stands in the header. Libraries decode percent signs in names, which would let a sibling host
/// plant a cookie that only looks like one with the protected prefix after decoding. The cookies of others on the host may have
/// any bytes.
fn raw_cookie<'r>(headers: &'r HeaderMap, name: &str) -> Option<&'r str> {
    let mut values = headers
        .get_all(header::COOKIE)
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let pair = pair.trim_ascii();
            pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")
        });
    std::str::from_utf8(values.next()?).ok()
}

impl Caller {
    /// The client with what it calls itself: only a new session wants to know that.
    pub(crate) fn described(&self) -> ClientInfo {
        let user_agent = self
            .user_agent
            .as_ref()
            .and_then(|agent| summary(&String::from_utf8_lossy(agent.as_bytes())));
        ClientInfo {
            user_agent,
            ..self.client.clone()
        }
    }

    /// The cookie that keeps the device credential in a browser, for a year.
    pub(crate) fn device_cookie(&self, credential: &SecretString) -> Cookie<'static> {
        Cookie::build(self.cookies.name(), credential.expose_secret().to_owned())
            .path("/")
            .http_only(true)
            .secure(self.cookies.secure)
            .same_site(SameSite::Strict)
            .max_age(
                SessionPolicy::DEVICE_LIFETIME
                    .try_into()
                    .unwrap_or_default(),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{raw_cookie, summary};
    use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};

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

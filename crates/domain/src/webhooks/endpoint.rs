//! Where an endpoint is.

use std::{fmt, str::FromStr};
use url::{Host, Url};

/// An `https` or `http` URL without credentials and fragment. Whether its address may be connected to is for the sender to say.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    url: Url,
    host: Host,
}

/// Not the URL of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Too long.
    #[error("must be at most {} characters", WebhookUrl::LONGEST)]
    TooLong,
    /// Not a whole URL.
    #[error("must be a whole URL such as https://example.org/hooks")]
    NotAUrl,
    /// Another scheme.
    #[error("must begin with https://")]
    Scheme,
    /// It would be in logs and lists.
    #[error("must not have user, password or fragment")]
    Credentials,
}

impl WebhookUrl {
    /// The most characters.
    pub const LONGEST: usize = 2048;

    /// Parses one.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > Self::LONGEST {
            return Err(UrlError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| UrlError::NotAUrl)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(UrlError::Scheme);
        }
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.fragment().is_some() {
            return Err(UrlError::Credentials);
        }
        let host = url.host().ok_or(UrlError::NotAUrl)?.to_owned();
        if url.as_str().len() > Self::LONGEST {
            return Err(UrlError::NotAUrl);
        }
        Ok(Self { url, host })
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Whether it is `https`.
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Its host.
    pub fn host(&self) -> Host<&str> {
        match &self.host {
            Host::Domain(name) => Host::Domain(name.as_str()),
            Host::Ipv4(address) => Host::Ipv4(*address),
            Host::Ipv6(address) => Host::Ipv6(*address),
        }
    }

    /// Its port, or that of its scheme.
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(443)
    }

    /// Host and port as the `Host` field has them (RFC 9110 §7.2).
    pub fn authority(&self) -> &str {
        self.url.authority()
    }

    /// Path and query, as a request names them.
    pub fn target(&self) -> &str {
        &self.url[url::Position::BeforePath..url::Position::AfterQuery]
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Without path and query, which may have secrets of their own.
impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({})", self.authority())
    }
}

impl FromStr for WebhookUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_a_host_and_no_credentials() {
        let url = WebhookUrl::parse("https://Example.org:8443/a?b=c").expect("a URL");
        assert_eq!((url.authority(), url.port()), ("example.org:8443", 8443));
        assert_eq!((url.target(), url.is_encrypted()), ("/a?b=c", true));
        let bare = WebhookUrl::parse("https://example.org").expect("a URL");
        assert_eq!((bare.target(), bare.port()), ("/", 443));
        // However an address is written.
        let odd = WebhookUrl::parse("http://0x7f.1/").expect("a URL");
        assert_eq!(odd.authority(), "127.0.0.1");
        for (bad, error) in [
            ("", UrlError::NotAUrl),
            ("example.org", UrlError::NotAUrl),
            ("https://", UrlError::NotAUrl),
            ("ftp://example.org", UrlError::Scheme),
            ("file:///etc/passwd", UrlError::Scheme),
            ("https://ann@example.org", UrlError::Credentials),
            ("https://example.org/#a", UrlError::Credentials),
        ] {
            assert_eq!(WebhookUrl::parse(bad), Err(error), "{bad}");
        }
        let long = format!("https://example.org/{}", "a".repeat(3000));
        assert_eq!(WebhookUrl::parse(&long), Err(UrlError::TooLong));
    }
}

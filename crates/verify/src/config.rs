//! The configuration of a verifier.

use std::{net::IpAddr, time::Duration};
use url::{Host, Url};

/// Issuer and audience of the tokens to accept, and how keys and revocations are fetched.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VerifierConfig {
    /// `iss`: the service's `tokens.issuer`, compared byte for byte.
    pub issuer: String,
    /// `aud`: the service's `tokens.audience`, compared byte for byte.
    pub audience: String,
    /// Where the key set is. Default: below the issuer, `/.well-known/jwks.json`.
    pub jwks_url: String,
    /// How far the clocks of the issuer and of this machine may differ, in whole seconds. Default: 5 s. A token is taken for so much longer.
    pub leeway: Duration,
    /// How long a key set counts as fresh if the answer's `max-age` does not say. Default: 5 min. What is said counts from 10 s to
    /// 1 h. It is fetched again in the background when that time is over.
    pub cache_time: Duration,
    /// The shortest time between two fetches for unknown key ids. Default: 10 s. Invented key ids can't make this service ask
    /// more often.
    pub unknown_key_interval: Duration,
    /// How long a key set is used while the issuer can't be reached. Default: 24 h.
    pub outage: Duration,
    /// How long an answer of the issuer may take. Default: 5 s.
    pub timeout: Duration,
    /// Whether the URLs may be `http` to other than loopback addresses. Default: no. An attacker who can change the answers on the way can
    /// sign in as any user, so this is for private networks, such as that of a `docker-compose.yml`.
    pub plaintext: bool,
    /// Whether to follow the revocation feed. Default: no; a token then counts until its `exp`.
    pub feed: Option<FeedConfig>,
}

/// How to follow the revocation feed.
#[derive(Clone, Debug)]
pub struct FeedConfig {
    /// Where it is. Default: below the issuer, `/.well-known/revocations`.
    pub url: Option<String>,
    /// How long the issuer may hold a request until something changes, in whole seconds. Default: 25 s, which most proxies allow.
    pub wait: Duration,
    /// The feed is stale after so long without an answer. Default: 60 s; more than `wait` plus the timeout.
    pub max_age: Duration,
    /// What to do with tokens while it is stale. Default: [`Stale::Accept`].
    pub stale: Stale,
    /// What to do with tokens while it is stale although the issuer answers, because its answers can't be taken: they are too long,
    /// would make too many entries, or are not understood. Default: [`Stale::Refuse`], since this does not pass by itself.
    pub behind: Stale,
    /// The most sessions and users with tokens that are refused which are held, some 50 bytes each. Default: 4,000,000.
    pub max_entries: usize,
}

/// What to do with a token that is good by itself while it is not known what is revoked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stale {
    /// Accept it, unless the last document revokes it: an outage of the issuer does not become one of this service, and a
    /// sign-out counts at the latest when the token expires (15 min), as without a feed.
    #[default]
    Accept,
    /// Refuse it with [`crate::VerifyError::Unavailable`] (503): no token outlives its session by more than `max_age`, and this service
    /// works only while the issuer does.
    Refuse,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            url: None,
            wait: Duration::from_secs(25),
            max_age: Duration::from_mins(1),
            stale: Stale::default(),
            behind: Stale::Refuse,
            max_entries: 4_000_000,
        }
    }
}

/// A configuration that a verifier can't start with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierConfigError {
    /// Not a URL.
    #[error("{what} is not a URL")]
    Url {
        /// The setting.
        what: &'static str,
        /// The parser's reason.
        #[source]
        source: url::ParseError,
    },
    /// The URL is not `https`, nor `http` to a loopback address.
    #[error("{0} must be https (or set `plaintext`)")]
    Plaintext(&'static str),
    /// The audience is empty.
    #[error("the audience is empty")]
    Audience,
    /// The HTTP client can't be made.
    #[error("the HTTP client can't be made")]
    Client(#[source] crate::fetch::FetchError),
}

impl VerifierConfig {
    /// The defaults.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        let issuer = issuer.into();
        Self {
            jwks_url: below(&issuer, "/.well-known/jwks.json"),
            issuer,
            audience: audience.into(),
            leeway: Duration::from_secs(5),
            cache_time: Duration::from_mins(5),
            unknown_key_interval: Duration::from_secs(10),
            outage: Duration::from_hours(24),
            timeout: Duration::from_secs(5),
            plaintext: false,
            feed: None,
        }
    }

    /// Where the feed is.
    pub(crate) fn feed_url(&self) -> Option<String> {
        self.feed.as_ref().map(|feed| {
            feed.url
                .clone()
                .unwrap_or_else(|| below(&self.issuer, "/.well-known/revocations"))
        })
    }

    pub(crate) fn check(&self) -> Result<(), VerifierConfigError> {
        if self.audience.is_empty() {
            return Err(VerifierConfigError::Audience);
        }
        self.check_url("jwks_url", &self.jwks_url)?;
        self.feed_url()
            .map_or(Ok(()), |url| self.check_url("feed.url", &url))
    }

    fn check_url(&self, what: &'static str, url: &str) -> Result<(), VerifierConfigError> {
        let url = Url::parse(url).map_err(|source| VerifierConfigError::Url { what, source })?;
        let loopback = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
            Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        };
        match url.scheme() {
            "https" => Ok(()),
            "http" if loopback || self.plaintext => Ok(()),
            _ => Err(VerifierConfigError::Plaintext(what)),
        }
    }
}

fn below(issuer: &str, path: &str) -> String {
    format!("{}{path}", issuer.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_set_is_below_the_issuer() {
        for issuer in ["https://example.org", "https://example.org/"] {
            assert_eq!(
                VerifierConfig::new(issuer, "a").jwks_url,
                "https://example.org/.well-known/jwks.json"
            );
        }
    }

    #[test]
    fn plaintext_is_for_loopback_unless_allowed() {
        let check = |issuer: &str| VerifierConfig::new(issuer, "a").check().is_ok();
        for good in [
            "https://example.org",
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost:1",
        ] {
            assert!(check(good), "{good}");
        }
        for bad in [
            "http://example.org",
            "http://127.0.0.1.example.org",
            "ftp://example.org",
            "file:///keys",
            "example.org",
            "",
        ] {
            assert!(!check(bad), "{bad}");
        }
        let mut config = VerifierConfig::new("http://accounts:8080", "a");
        config.plaintext = true;
        config.check().unwrap();
        config.feed = Some(FeedConfig {
            url: Some("ftp://x".to_owned()),
            ..FeedConfig::default()
        });
        assert!(config.check().is_err());
    }
}

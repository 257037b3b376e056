//! How documents of the issuer are fetched. The feature `http` has a client; implement [`Fetch`] to use another.

#[cfg(feature = "http")]
mod client;

#[cfg(feature = "http")]
pub use client::HttpFetch;

use async_trait::async_trait;
use std::{error::Error, time::Duration};

/// Fetches documents of the issuer.
#[async_trait]
pub trait Fetch: Send + Sync + 'static {
    /// Sends a `GET` request.
    ///
    /// - It MUST send `Accept`, and `If-None-Match` if the request has an entity tag.
    /// - It MUST NOT follow redirects: the documents decide which tokens are accepted.
    /// - It MUST NOT read more than [`FetchRequest::limit`] bytes, nor take longer than [`FetchRequest::timeout`].
    /// - Any status is a response; the error is for no response.
    async fn get(&self, request: FetchRequest) -> Result<FetchResponse, FetchError>;
}

/// A request to the issuer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FetchRequest {
    /// The whole URL.
    pub url: String,
    /// The media type wanted.
    pub accept: &'static str,
    /// The entity tag of the document in memory, for `If-None-Match`.
    pub etag: Option<String>,
    /// How long the whole exchange may take.
    pub timeout: Duration,
    /// The most bytes that the answer's body may have.
    pub limit: usize,
}

/// The response of the issuer.
#[derive(Clone, Debug, Default)]
pub struct FetchResponse {
    /// The status code.
    pub status: u16,
    /// The `ETag`, as it stands.
    pub etag: Option<String>,
    /// `max-age` of `Cache-Control` (RFC 9111 §5.2.2.1).
    pub max_age: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

/// A document could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// No response, or an incomplete one.
    #[error("the issuer does not answer")]
    Transport(#[source] Box<dyn Error + Send + Sync>),
    /// A status other than 200 and 304.
    #[error("the issuer answers with status {0}")]
    Status(u16),
    /// The body is longer than the limit.
    #[error("the issuer's answer is too long")]
    TooLong,
    /// Taking the answer would make more than [`crate::FeedConfig::max_entries`].
    #[error(
        "more has been revoked than the {0} entries that this service may hold (FeedConfig::max_entries)"
    )]
    TooMany(usize),
    /// The document is malformed or not acceptable.
    #[error("the issuer's document is not acceptable")]
    Document(#[source] Box<dyn Error + Send + Sync>),
}

impl FetchError {
    /// Whether the issuer has answered, but with what can't be taken: waiting does not help.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, Self::TooLong | Self::TooMany(_) | Self::Document(_))
    }
}

/// `max-age` of a `Cache-Control` field; 0 for `no-store` and `no-cache`.
pub fn max_age(cache_control: &str) -> Option<Duration> {
    cache_control
        .split(',')
        .map(str::trim)
        .find_map(|directive| {
            if directive.eq_ignore_ascii_case("no-store")
                || directive.eq_ignore_ascii_case("no-cache")
            {
                return Some(Duration::ZERO);
            }
            let (name, seconds) = directive.split_once('=')?;
            name.eq_ignore_ascii_case("max-age").then(|| {
                seconds
                    .trim_matches('"')
                    .parse()
                    .ok()
                    .map(Duration::from_secs)
            })?
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_age_is_read_as_rfc_9111_writes_it() {
        assert_eq!(max_age("public, max-age=300"), Some(Duration::from_mins(5)));
        assert_eq!(
            max_age("Max-Age=\"7\", immutable"),
            Some(Duration::from_secs(7))
        );
        assert_eq!(max_age("no-store"), Some(Duration::ZERO));
        for none in [
            "",
            "public",
            "max-age",
            "max-age=x",
            "max-age=-1",
            "s-maxage=3",
        ] {
            assert_eq!(max_age(none), None, "{none}");
        }
    }
}

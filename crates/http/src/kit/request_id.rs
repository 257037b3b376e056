//! The id of a request: the client's or a proxy's if it is a UUID, a new one else. Nothing but a UUID is taken over: whatever
//! else comes in this header could be a token that lost its way, and the id is written to the log.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use tokio::task_local;
use uuid::Uuid;

/// The header, in requests and answers.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

task_local! {
    static CURRENT: RequestId;
}

/// The id of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId {
    id: Uuid,
    /// Some proxies leave the hyphens out; what they sent is what they search for.
    hyphens: bool,
}

impl RequestId {
    /// Takes over a well-formed id, or makes one that sorts by time (RFC 9562 §5.7).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut all = headers.get_all(REQUEST_ID);
        // Two ids are none.
        let only = all.next().filter(|_| all.next().is_none());
        only.and_then(Self::parse).unwrap_or_else(Self::new)
    }

    fn new() -> Self {
        Uuid::now_v7().into()
    }

    fn parse(value: &HeaderValue) -> Option<Self> {
        let text = value.as_bytes();
        // The parser knows forms in braces, too.
        matches!(text.len(), 32 | 36)
            .then(|| Uuid::try_parse_ascii(text).ok())
            .flatten()
            .map(|id| Self {
                id,
                hyphens: text.len() == 36,
            })
    }

    /// The id of the request that this task works for; a new one if it is none that is watched.
    pub(crate) fn current() -> Self {
        CURRENT.try_get().unwrap_or_else(|_| Self::new())
    }

    /// Does something for this request.
    pub(crate) async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// As a header's value.
    pub(crate) fn to_header(self) -> HeaderValue {
        let mut buffer = [0; 36];
        let text = if self.hyphens {
            self.id.hyphenated().encode_lower(&mut buffer)
        } else {
            self.id.simple().encode_lower(&mut buffer)
        };
        HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

impl From<Uuid> for RequestId {
    fn from(id: Uuid) -> Self {
        Self { id, hyphens: true }
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hyphens {
            self.id.hyphenated().fmt(f)
        } else {
            self.id.simple().fmt(f)
        }
    }
}

impl serde::Serialize for RequestId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_taken_over_as_it_is_and_nothing_else() {
        let parse = |text: &str| {
            RequestId::parse(&HeaderValue::from_str(text).unwrap()).map(|id| id.to_string())
        };
        for id in [
            "0190163d-8694-739b-aea5-966c26f8ad91",
            "0190163d8694739baea5966c26f8ad91",
        ] {
            assert_eq!(parse(id).as_deref(), Some(id));
        }
        assert_eq!(
            parse("0190163D8694739BAEA5966C26F8AD91").as_deref(),
            Some("0190163d8694739baea5966c26f8ad91")
        );
        for other in [
            "",
            "1",
            "{0190163d8694739baea5966c26f8ad91}",
            "urn:uuid:0190163d-8694-739b-aea5-966c26f8ad91",
            &"x".repeat(36),
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn two_ids_are_none() {
        let mut headers = HeaderMap::new();
        let id = HeaderValue::from_static("0190163d8694739baea5966c26f8ad91");
        headers.append(REQUEST_ID, id.clone());
        assert_eq!(RequestId::of(&headers).to_header(), id);
        headers.append(REQUEST_ID, id.clone());
        assert_ne!(RequestId::of(&headers).to_header(), id);
    }
}

//! What is taken from an answer: when to come back, and as much of its body as a polite client reads.

use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Response,
    body::{Body, Bytes, Incoming},
    header,
};
use revolve_domain::model::Timestamp;
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::time::{Instant, timeout_at};

/// The most bytes of an answer's body that are read.
const ANSWER: usize = 4096;
/// How long they are waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What `Retry-After` says: seconds, or an instant in the form that senders must use (RFC 9110 §10.2.3, §5.6.7). One that has passed is no wait.
pub(super) fn retry_after(head: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = head.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some(Timestamp::from(until).since(now))
}

/// Reads what a polite answer has, for a moment and no longer than until then: the status says it all, also before a body that never comes.
pub(super) async fn read_some(response: Response<Incoming>, until: Instant) {
    let until = until.min(Instant::now() + PATIENCE);
    drop(timeout_at(until, read(response.into_body())).await);
}

async fn read(mut body: impl Body<Data = Bytes> + Unpin) {
    let mut read = 0;
    while !body.is_end_stream() && read < ANSWER {
        match body.frame().await {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::{body::Frame, header::HeaderValue};
    use std::convert::Infallible;

    #[tokio::test]
    async fn a_body_is_not_read_beyond_4_kib() {
        for (bytes, frames) in [(1024, 4), (1000, 5), (4096, 1), (100_000, 1)] {
            let mut taken = 0;
            let endless = stream::iter((0..1000).map(|_| {
                taken += 1;
                Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; bytes])))
            }));
            read(StreamBody::new(endless)).await;
            assert_eq!(taken, frames, "of {bytes} bytes");
        }
    }

    #[test]
    fn an_answer_says_when_to_come_back_in_seconds_or_as_an_instant() {
        // 2030-03-17T17:46:40Z
        let now = Timestamp::from_seconds(1_900_000_000);
        for (text, wait) in [
            (&b"120"[..], Some(120)),
            (b" 0 ", Some(0)),
            (b"Sun, 17 Mar 2030 17:48:40 GMT", Some(120)),
            (b"Sun, 17 Mar 2030 17:46:39 GMT", Some(0)),
            (b"-1", None),
            (b"1.5", None),
            (b"999999999999999999999999", None),
            (b"soon", None),
            (b"\xff", None),
            (b"", None),
        ] {
            let value = HeaderValue::from_bytes(text).unwrap();
            let head = HeaderMap::from_iter([(header::RETRY_AFTER, value)]);
            let expected = wait.map(Duration::from_secs);
            assert_eq!(retry_after(&head, now), expected, "{text:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}

//! `GET /.well-known/revocations`: what ended while an ID token of it could still be alive, as a signed statement; at once,
//! when it changes (`?wait=`), or as a stream of events.

pub(crate) mod feed;
#[cfg(test)]
mod tests;

use crate::kit::{
    answer::sample::TOKEN,
    caller::address_range,
    openapi::{Operation, if_none_match, schema_of},
    places::Place,
    problem::Problem,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, EntityTag, Header, IfNoneMatch},
    },
    web::{Bytes, Data},
};
use feed::{
    DocumentMark, Feed, FeedDocument, FeedDown, Look, NotSent, Piece, TooManyWatchers, Transfer,
};
use futures_util::{Stream, stream};
use revolve_domain::limits::AddressRange;
use serde_json::json;
use std::{convert::Infallible, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use utoipa::openapi::{Type, path::ParameterIn, schema::ObjectBuilder};

/// A long-poll is held for so long at most; who asks for more gets this.
const LONGEST: Duration = Duration::from_mins(1);
/// Between two signs of life on a stream.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// `GET /.well-known/revocations`
pub(crate) async fn revocations(
    request: HttpRequest,
    feed: Data<Feed>,
) -> Result<HttpResponse, Problem> {
    let address = address_range(&request);
    if wants_events(&request) {
        return events(&request, feed, address).await;
    }
    let wait = wait(request.query_string())?;
    let known = IfNoneMatch::parse(&request).map_err(|_| invalid_if_none_match())?;
    let known = |document: &FeedDocument| match &known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => {
            let tag = etag(document.tag());
            tags.iter().any(|known| known.weak_eq(&tag))
        }
    };
    let mut document = feed.current().await?;
    if known(&document) && !wait.is_zero() {
        // Who waits keeps no document in memory.
        drop(document);
        let place = feed.watcher(address)?;
        document = tokio::select! {
            biased;
            () = place.lost().cancelled() => return Err(TooManyWatchers.into()),
            changed = feed.changed(known, wait) => changed?,
        };
    }
    let (status, tag, transfer) = if known(&document) {
        (StatusCode::NOT_MODIFIED, document.mark().tag, None)
    } else {
        let (mark, transfer) = feed.send(document, address).await?;
        (StatusCode::OK, mark.tag, Some(transfer))
    };
    let mut response = HttpResponse::build(status);
    // Shared caches may keep it but must ask each time.
    response
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "Accept"));
    response.insert_header(header::ETag(etag(&tag)));
    if feed.closing().is_cancelled() {
        response.force_close();
    }
    Ok(match transfer {
        Some(transfer) => response.content_type("application/jwt").body(transfer),
        None => response.finish(),
    })
}

/// Weak, since the same content is signed anew each time it is looked at (RFC 9110 §8.8.1).
fn etag(tag: &str) -> EntityTag {
    EntityTag::new_weak(tag.to_owned())
}

fn wants_events(request: &HttpRequest) -> bool {
    let Ok(accept) = header::Accept::parse(request) else {
        return false;
    };
    accept
        .ranked()
        .first()
        .is_some_and(|first| first.essence_str() == "text/event-stream")
}

/// The `wait` parameter in whole seconds; none is zero.
fn wait(query: &str) -> Result<Duration, Problem> {
    let Some((_, value)) = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| *name == "wait")
    else {
        return Ok(Duration::ZERO);
    };
    let seconds = value.parse().map_err(|_| invalid_wait())?;
    Ok(Duration::from_secs(seconds).min(LONGEST))
}

fn invalid_if_none_match() -> Problem {
    Problem::malformed("invalid_if_none_match", "`If-None-Match` can't be read.")
}

fn invalid_wait() -> Problem {
    Problem::malformed("invalid_wait", "`wait` must be a whole number of seconds.")
}

fn unsigned() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "The feed can't be signed right now. Try again.",
    )
}

/// Server-sent events: the statement at once and at each change.
async fn events(
    request: &HttpRequest,
    feed: Data<Feed>,
    address: Option<AddressRange>,
) -> Result<HttpResponse, Problem> {
    drop(feed.current().await?);
    let place = feed.watcher(address)?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept"));
    // nginx would hold events back.
    response.insert_header(("X-Accel-Buffering", "no"));
    if request.method() == Method::HEAD {
        // Nobody would end the stream.
        return Ok(response.finish());
    }
    Ok(response.streaming(Events::new(feed, address, place).stream()))
}

/// A client on a stream.
struct Events {
    feed: Data<Feed>,
    looks: watch::Receiver<Look>,
    address: Option<AddressRange>,
    place: Place,
    /// What was sent last.
    sent: Option<DocumentMark>,
    /// The event that is being sent.
    sending: Option<Transfer>,
    heartbeat: Instant,
}

impl Events {
    fn new(feed: Data<Feed>, address: Option<AddressRange>, place: Place) -> Self {
        Self {
            looks: feed.watch(),
            feed,
            address,
            place,
            sent: None,
            sending: None,
            heartbeat: Instant::now() + HEARTBEAT,
        }
    }

    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        stream::unfold(self, |mut events| async move {
            events.next().await.map(|event| (Ok(event), events))
        })
    }

    /// The next part of the stream; `None` when it ends: the service stops, the place was lost, or the client is too slow.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(transfer) = &mut self.sending {
            return match transfer.next() {
                Piece::Slice(slice) => Some(slice),
                Piece::CutOff => None,
                Piece::Done => {
                    self.sending = None;
                    Some(Bytes::from_static(b"\n\n"))
                }
            };
        }
        let (closing, lost) = (self.feed.closing().clone(), self.place.lost().clone());
        tokio::select! {
            biased;
            () = closing.cancelled() => None,
            () = lost.cancelled() => None,
            part = self.begin() => part,
        }
    }

    /// Waits for the next event or sign of life.
    async fn begin(&mut self) -> Option<Bytes> {
        loop {
            let document = self.looks.borrow_and_update().document().cloned();
            let is_known = document.is_ok();
            // Who waits keeps no document in memory.
            if let Some(document) = document.ok().filter(|document| self.is_news(document)) {
                match self.feed.send(document, self.address).await {
                    Ok((mark, transfer)) => {
                        self.sent = Some(mark);
                        self.sending = Some(transfer);
                        return Some(Bytes::from_static(b"event: revocations\ndata: "));
                    }
                    Err(NotSent::Unsigned) => return None,
                    // Silence says that nobody knows; then it is tried again.
                    Err(NotSent::Down | NotSent::TooManyReaders) => continue,
                }
            }
            tokio::select! {
                changed = self.looks.changed() => changed.ok()?,
                () = sleep_until(self.heartbeat) => {
                    self.heartbeat = Instant::now() + HEARTBEAT;
                    // Silence says that nobody knows.
                    if is_known {
                        return Some(Bytes::from_static(b":\n\n"));
                    }
                }
            }
        }
    }

    /// Another content, or the same when half of what was sent has passed: a client always holds one that is valid.
    fn is_news(&self, document: &FeedDocument) -> bool {
        self.sent.as_ref().is_none_or(|sent| {
            sent.tag != document.tag()
                || document.as_of().since(sent.as_of) >= document.window() / 2
        })
    }
}

impl From<FeedDown> for Problem {
    fn from(_: FeedDown) -> Self {
        let detail = "Nobody can say right now what has ended. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }
}

impl From<TooManyWatchers> for Problem {
    fn from(_: TooManyWatchers) -> Self {
        let detail = "Too many clients wait here already. Try again, or ask without waiting.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_watchers", detail)
    }
}

impl From<NotSent> for Problem {
    fn from(reason: NotSent) -> Self {
        match reason {
            NotSent::Down => FeedDown.into(),
            NotSent::Unsigned => unsigned(),
            NotSent::TooManyReaders => {
                let detail =
                    "Too many clients are reading the feed. Keep what you have and try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_readers", detail)
            }
        }
    }
}

pub(crate) fn revocations_docs() -> Operation {
    let description = "What was signed out within the life of an ID token, as a signed statement: at once, when it changes (`wait`), or as a \
                       stream (`Accept: text/event-stream`).\n\nThe claims are `iss`, `iat`, `exp`, `window` in seconds, `sessions` as \
                       `[[sid, endedAt], …]` and `users` as `[[uid, epoch, keptSid or null], …]`. Refuse an ID token whose `sid` is in \
                       `sessions`, or whose `sub` is in `users` with a higher epoch than its own, unless its `sid` is the kept one.";
    let wait = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0));
    let jwt = schema_of(json!({ "type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$" }));
    let events = schema_of(
        json!({ "type": "string", "description": "Server-sent events: `event: revocations`, its data the statement." }),
    );
    let wait_for = format!(
        "Seconds to wait for a change if you have the newest statement (`If-None-Match`), as a whole number; more than {} counts as that.",
        LONGEST.as_secs()
    );
    Operation::new(
        "revocations",
        "verification",
        "The revocation feed",
        description,
    )
    .parameter_of(if_none_match())
    .parameter(ParameterIn::Query, "wait", &wait_for, wait, 60)
    .answer(
        200,
        "The statement, or the stream.",
        "application/jwt",
        jwt,
        [("A statement", json!(TOKEN))],
    )
    .answer(
        200,
        "",
        "text/event-stream",
        events,
        [(
            "An event",
            json!(format!("event: revocations\ndata: {TOKEN}\n\n")),
        )],
    )
    .empty(304, "Nothing has changed, within the time that you wait.")
    .header(
        [200, 304],
        "Cache-Control",
        "Caches ask each time; a stream is not kept at all.",
        "no-cache",
    )
    .header([200, 304], "Vary", "The statement or the stream.", "Accept")
    .header(
        [304],
        "ETag",
        "The tag of what has not changed.",
        "W/\"3vN1c0pTq5yEw7aZ9sKd2g\"",
    )
    .maybe_header(
        [200],
        "ETag",
        "The tag of the content, the same on every replica; not on a stream.",
        "W/\"3vN1c0pTq5yEw7aZ9sKd2g\"",
    )
    .maybe_header(
        [200],
        "X-Accel-Buffering",
        "On a stream: proxies pass events on at once.",
        "no",
    )
    .problems([invalid_wait(), invalid_if_none_match()])
    .problems([
        unsigned(),
        Problem::from(TooManyWatchers),
        Problem::from(NotSent::TooManyReaders),
        Problem::from(FeedDown),
    ])
}

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
    query::parameter,
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
    DocumentMark, Feed, FeedDocument, FeedDown, Look, NotSent, TooManyWatchers, Transfer,
    TransferStep,
};
use futures_util::{Stream, stream};
use revolve_domain::{limits::AddressRange, revocations::FeedVersion};
use serde_json::json;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};
use utoipa::openapi::{Type, path::ParameterIn, schema::ObjectBuilder};

/// A long-poll is held for so long at most; who asks for more gets this.
const LONGEST: Duration = Duration::from_mins(1);
/// Between two signs of life on a stream.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Between two versions on a stream of the packed form on which nothing happens.
const RENEWAL: Duration = Duration::from_secs(30);
/// The media type of the packed form.
const PACKED: &str = "application/vnd.revolve.revocations";

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
    if let Some(Since(since)) = since(&request)? {
        return packed(&feed, since, wait, address).await;
    }
    let known = IfNoneMatch::parse(&request).map_err(|_| invalid_if_none_match())?;
    let known = |document: &FeedDocument| match &known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => document.tag().is_some_and(|tag| {
            let tag = etag(tag);
            tags.iter().any(|known| known.weak_eq(&tag))
        }),
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
        let tag = document.tag().ok_or(NotSent::TooLong)?.to_owned();
        (StatusCode::NOT_MODIFIED, tag, None)
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

/// The packed form: what came since a version, once there is something or the time is over, or the whole.
async fn packed(
    feed: &Feed,
    since: Option<FeedVersion>,
    wait: Duration,
    address: Option<AddressRange>,
) -> Result<HttpResponse, Problem> {
    drop(feed.current().await?);
    let newest = wait.is_zero();
    if let Some(known) = since.as_ref().filter(|_| !newest) {
        let place = feed.watcher(address)?;
        tokio::select! {
            () = place.lost().cancelled() => return Err(TooManyWatchers.into()),
            () = feed.news(known, wait) => {}
        }
    }
    let document = feed.packed(since.as_ref(), newest, address)?;
    let (_, transfer) = feed.send(document, address).await?;
    let mut response = HttpResponse::Ok();
    response
        .content_type(PACKED)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept"));
    if feed.closing().is_cancelled() {
        response.force_close();
    }
    Ok(response.body(transfer))
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
    let Some(value) = parameter(query, "wait") else {
        return Ok(Duration::ZERO);
    };
    let seconds = value.parse().map_err(|_| invalid_wait())?;
    Ok(Duration::from_secs(seconds).min(LONGEST))
}

/// The version that a client of the packed form holds, if any.
struct Since(Option<FeedVersion>);

/// What the client holds: the last event of a stream that broke off, or the `since` parameter, where 0 is no version. `None` if it asks
/// for the plain form.
fn since(request: &HttpRequest) -> Result<Option<Since>, Problem> {
    let Some(since) = parameter(request.query_string(), "since") else {
        return Ok(None);
    };
    let last = request.headers().get("Last-Event-ID");
    // A browser sends what it was told; another value is none of ours.
    let last = last.and_then(|last| last.to_str().ok()?.parse().ok());
    Ok(Some(Since(match since {
        _ if last.is_some() => last,
        "0" => None,
        since => Some(since.parse().map_err(|_| invalid_since())?),
    })))
}

fn invalid_since() -> Problem {
    Problem::malformed(
        "invalid_since",
        "`since` must be the `version` of a statement, or 0.",
    )
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
    let since = since(request)?;
    let document = feed.current().await?;
    if since.is_none() && document.tag().is_none() {
        return Err(NotSent::TooLong.into());
    }
    drop(document);
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
    Ok(response.streaming(Events::new(feed, address, place, since).stream()))
}

/// A client on a stream.
struct Events {
    feed: Data<Feed>,
    looks: watch::Receiver<Look>,
    address: Option<AddressRange>,
    place: Place,
    /// Of the packed form; `None` in the plain one.
    packed: Option<Since>,
    /// What was sent last.
    sent: Option<DocumentMark>,
    /// The event that is being sent.
    sending: Option<Transfer>,
    heartbeat: Instant,
}

impl Events {
    fn new(
        feed: Data<Feed>,
        address: Option<AddressRange>,
        place: Place,
        packed: Option<Since>,
    ) -> Self {
        Self {
            looks: feed.watch(),
            feed,
            address,
            place,
            packed,
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
                TransferStep::Slice(slice) => Some(slice),
                TransferStep::CutOff => None,
                TransferStep::Done => {
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
            let news = document
                .map_err(NotSent::from)
                .and_then(|document| self.news(document));
            let is_known = news.is_ok();
            // Who waits keeps no document in memory.
            if let Some(document) = news.ok().flatten() {
                match self.feed.send(document, self.address).await {
                    Ok((mark, transfer)) => {
                        let begin = match (&mut self.packed, &mark.packed) {
                            (Some(Since(known)), Some(version)) => {
                                *known = Some(version.clone());
                                format!("event: revocations\nid: {version}\ndata: ").into()
                            }
                            _ => Bytes::from_static(b"event: revocations\ndata: "),
                        };
                        self.sent = Some(mark);
                        self.sending = Some(transfer);
                        return Some(begin);
                    }
                    Err(NotSent::Unsigned | NotSent::TooLong) => return None,
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

    /// Another content, or the same when half of what was sent has passed: a client always holds one that is valid. In the packed form
    /// it comes more often: a client that comes back must hold a version that can still be continued.
    fn news(&self, document: Arc<FeedDocument>) -> Result<Option<Arc<FeedDocument>>, NotSent> {
        let is_old = |sent: &DocumentMark, age| document.as_of().since(sent.as_of) >= age;
        let Some(Since(since)) = &self.packed else {
            let is_news = self.sent.as_ref().is_none_or(|sent| {
                document.tag() != Some(&sent.tag) || is_old(sent, document.window() / 2)
            });
            return Ok(is_news.then_some(document));
        };
        let is_news = self.sent.as_ref().is_none_or(|sent| {
            is_old(sent, RENEWAL)
                || since
                    .as_ref()
                    .is_none_or(|since| self.feed.is_news_to(since))
        });
        if !is_news {
            return Ok(None);
        }
        // What was acknowledged before it asked is in the first.
        let newest = self.sent.is_none();
        let packed = self.feed.packed(since.as_ref(), newest, self.address);
        packed.map(Some)
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
            NotSent::TooLong => {
                let detail = "More has ended than a statement of this form can say. Ask for the packed form (`since`), or for what came since a version.";
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "statement_too_long",
                    detail,
                )
            }
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
                       `[[sid, endedAt], …]`, `users` as `[[uid, epoch, keptSid or null], …]` and `outdated` as `[[uid, version], …]`. Refuse \
                       an ID token whose `sid` is in `sessions`, or whose `sub` is in `users` with a higher epoch than its own, unless its `sid` \
                       is the kept one. Have the client refresh one whose `sub` is in `outdated` with a higher version than its own.\n\n\
                       With `since` the packed form: what came since a version, or everything. It holds 20 times as many ends, and goes on from \
                       one statement to the next on any replica. Its form is in docs/verify.md.";
    let wait = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0));
    let jwt = schema_of(json!({ "type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$" }));
    let packed =
        schema_of(json!({ "type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+~[\w-]*$" }));
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
    .parameter(
        ParameterIn::Query,
        "since",
        "Asks for the packed form: what came since this `version` of a statement, from any replica; 0 for everything.",
        ObjectBuilder::new().schema_type(Type::String),
        "0",
    )
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
        PACKED,
        packed,
        [("A packed statement", json!(format!("{TOKEN}~AZahsgAAcACAAAAAAAAAAg")))],
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
    .problems([invalid_wait(), invalid_since(), invalid_if_none_match()])
    .problems([
        unsigned(),
        Problem::from(TooManyWatchers),
        Problem::from(NotSent::TooManyReaders),
        Problem::from(NotSent::TooLong),
        Problem::from(FeedDown),
    ])
}

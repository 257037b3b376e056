//! How `/.well-known/revocations` is documented.

use super::{LONGEST, invalid_if_none_match, invalid_wait, unsigned};
use crate::{
    feed::{FeedDown, NoPlace},
    http::{
        answer::docs::TOKEN,
        openapi::{Operation, if_none_match, schema_of},
        problem::Problem,
    },
};
use serde_json::json;
use utoipa::openapi::{Type, path::ParameterIn, schema::ObjectBuilder};

pub(in crate::http) fn revocations() -> Operation {
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
    .problems([unsigned(), Problem::from(NoPlace), Problem::from(FeedDown)])
}

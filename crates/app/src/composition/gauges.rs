//! What is measured of parts that do not measure themselves.

use crate::background::ClearingQueue;
use revolve_http::Feed;
use revolve_observe::metrics::{Gauges, lossy};
use std::sync::Arc;

/// What clearings wait.
pub(super) fn clearing_gauges(clearings: &Arc<ClearingQueue>) -> Gauges {
    let queues = Arc::clone(clearings);
    Gauges::new().gauge(
        "clearings_waiting",
        "Ends that must still be carried out in a store",
        move || queues.lengths(),
    )
}

/// Who reads the feed, and what that takes.
pub(super) fn feed_gauges(feed: &Arc<Feed>) -> Gauges {
    // The feed holds stores that hold the metrics: they must not hold the feed.
    let read = |number: fn(&Feed) -> usize| {
        let feed = Arc::downgrade(feed);
        move || feed.upgrade().map_or(0, |feed| number(&feed))
    };
    let lengths = Arc::downgrade(feed);
    Gauges::new()
        .plain(
            "feed_watchers",
            "Clients that wait for the revocation feed to change",
            read(Feed::watchers),
        )
        .plain(
            "feed_readers",
            "Clients that large statements of the revocation feed are being sent to",
            read(Feed::readers),
        )
        .plain(
            "feed_readers_waiting",
            "Clients that wait for their turn to be sent one",
            read(Feed::waiting_readers),
        )
        .plain(
            "feed_buffered_bytes",
            "Memory of all signed statements, each in memory once",
            read(Feed::buffered),
        )
        .plain(
            "feed_ends",
            "Ends in the window of the revocation feed, while it is followed",
            read(Feed::ends),
        )
        .gauge(
            "feed_statement_bytes",
            "About the length of a whole statement of the revocation feed",
            move || {
                let [packed, plain] = lengths
                    .upgrade()
                    .map(|feed| feed.lengths())
                    .unwrap_or_default();
                vec![
                    (vec![("form", "packed")], lossy(packed)),
                    (vec![("form", "plain")], lossy(plain)),
                ]
            },
        )
}

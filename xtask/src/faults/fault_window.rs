//! When the fault of a round begins and ends, and which answers it may have held up.

use std::time::Instant;

/// The time of a fault, which may not have begun, or not have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    begun: Option<Instant>,
    ended: Option<Instant>,
}

impl Span {
    pub(super) fn begin(&mut self, now: Instant) {
        *self = Self {
            begun: Some(now),
            ended: None,
        };
    }

    /// The first end is the end.
    pub(super) fn end(&mut self, now: Instant) {
        self.ended = self.ended.or(self.begun.map(|_| now));
    }

    /// Whether a request was under way at any moment of it, also one that is answered only when it is over.
    pub(super) fn meets(self, sent: Instant, received: Instant) -> bool {
        self.begun.is_some_and(|begun| received >= begun)
            && self.ended.is_none_or(|ended| sent <= ended)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_under_way_at_any_moment_of_it_is_met() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut span = Span::default();
        span.end(at(1));
        assert!(!span.meets(at(0), at(9)), "it has not begun");
        span.begin(at(2));
        assert!(!span.meets(at(0), at(1)) && span.meets(at(0), at(3)) && span.meets(at(8), at(9)));
        span.end(at(5));
        span.end(at(7));
        // Asked while it lasted and answered after it; before it and after it; after it.
        assert!(span.meets(at(4), at(9)) && span.meets(at(1), at(9)) && !span.meets(at(6), at(9)));
        span.begin(at(10));
        assert!(span.meets(at(11), at(12)), "the next one has no end yet");
    }
}

//! When the fault of a round begins and ends, and which requests overlap it.

use std::time::Instant;

/// The time of a fault, which may not have begun or not have ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FaultWindow {
    begun: Option<Instant>,
    ended: Option<Instant>,
}

impl FaultWindow {
    pub(super) fn begin(&mut self, now: Instant) {
        *self = Self {
            begun: Some(now),
            ended: None,
        };
    }

    /// Only the first end counts.
    pub(super) fn end(&mut self, now: Instant) {
        self.ended = self.ended.or(self.begun.map(|_| now));
    }

    /// Whether a request was under way at any moment of it, even if it is answered after its end.
    pub(super) fn overlaps(self, sent: Instant, received: Instant) -> bool {
        self.begun.is_some_and(|begun| received >= begun)
            && self.ended.is_none_or(|ended| sent <= ended)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_request_under_way_at_any_moment_of_the_fault_overlaps_it() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let mut window = FaultWindow::default();
        window.end(at(1));
        assert!(!window.overlaps(at(0), at(9)), "it has not begun");
        window.begin(at(2));
        let overlaps =
            |window: FaultWindow, sent, received| window.overlaps(at(sent), at(received));
        assert!(!overlaps(window, 0, 1) && overlaps(window, 0, 3) && overlaps(window, 8, 9));
        window.end(at(5));
        window.end(at(7));
        // Sent during and received after it; sent before and received after it; sent after it.
        assert!(overlaps(window, 4, 9) && overlaps(window, 1, 9) && !overlaps(window, 6, 9));
        window.begin(at(10));
        assert!(overlaps(window, 11, 12), "the next one has no end yet");
    }
}

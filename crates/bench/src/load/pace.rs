//! When the next request is due, for all connections of an order together.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::Order;

/// An open loop that is so many times later than planned gives up: the rest counts as failed.
const PATIENCE: f64 = 3.0;

/// Turns that are left, and when they are due.
pub(super) struct Pace {
    begun: Instant,
    next: AtomicUsize,
    turns: Option<usize>,
    until: Option<Duration>,
    rate: Option<f64>,
}

/// A turn: which, and when it was due.
pub(super) struct Turn {
    pub(super) number: usize,
    pub(super) due: Instant,
}

impl Pace {
    pub(super) fn begin(order: &Order) -> Self {
        let seconds = order.seconds.unwrap_or(f64::INFINITY);
        let (turns, until) = match order.rate {
            // All of them, even those that are late: leaving those out would be kind to a slow service.
            Some(rate) if order.seconds.is_some() => {
                (Some(whole(rate * seconds)), Some(seconds * PATIENCE))
            }
            _ => (order.count, order.seconds),
        };
        Self {
            begun: Instant::now(),
            next: AtomicUsize::new(0),
            turns,
            until: until.map(Duration::from_secs_f64),
            rate: order.rate,
        }
    }

    /// Waits for the next turn; none when it is over.
    pub(super) fn turn(&self) -> Option<Turn> {
        if self
            .until
            .is_some_and(|until| self.begun.elapsed() >= until)
        {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if self.turns.is_some_and(|turns| number >= turns) {
            return None;
        }
        let Some(rate) = self.rate else {
            return Some(Turn {
                number,
                due: Instant::now(),
            });
        };
        let due = self.begun + Duration::from_secs_f64(precise(number) / rate);
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(Turn { number, due });
            }
            // Nothing is waited for but the time.
            thread::park_timeout(left);
        }
    }

    /// Turns that no connection took.
    pub(super) fn left(&self) -> usize {
        let taken = self.next.load(Ordering::Relaxed);
        self.rate
            .and(self.turns)
            .map_or(0, |turns| turns.saturating_sub(taken))
    }

    /// Turns that were given, and perhaps a few that came too late.
    pub(super) fn taken(&self) -> usize {
        self.next.load(Ordering::Relaxed)
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of requests"
)]
fn whole(number: f64) -> usize {
    number.round() as usize
}

#[expect(clippy::cast_precision_loss, reason = "a number of requests")]
fn precise(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::LoadRequest;

    fn order(seconds: Option<f64>, count: Option<usize>, rate: Option<f64>) -> Order {
        Order {
            request: LoadRequest::Refresh,
            connections: 1,
            seconds,
            count,
            rate,
            codes: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn a_late_turn_of_an_open_loop_is_due_when_it_was_due() {
        let pace = Pace::begin(&order(Some(0.02), None, Some(1000.0)));
        // The first is answered slowly: those behind it were due meanwhile, and none is left out.
        let first = pace.turn().unwrap();
        thread::park_timeout(Duration::from_millis(10));
        while pace.elapsed() < Duration::from_millis(10) {}
        let second = pace.turn().unwrap();
        assert_eq!(second.due - first.due, Duration::from_millis(1));
        assert!(
            second.due.elapsed() >= Duration::from_millis(9),
            "what was waited counts"
        );
        let rest = std::iter::from_fn(|| pace.turn()).count();
        assert_eq!(rest, 18);
        assert_eq!(pace.left(), 0);
    }

    #[test]
    fn turns_that_nobody_took_are_counted() {
        let pace = Pace::begin(&order(Some(0.01), None, Some(1000.0)));
        assert!(pace.turn().is_some());
        while pace.elapsed() < Duration::from_millis(30) {}
        assert!(pace.turn().is_none(), "three times the time has passed");
        assert_eq!(pace.left(), 9);
    }

    #[test]
    fn a_closed_loop_ends_by_count_or_by_time() {
        let counted = Pace::begin(&order(None, Some(3), None));
        assert_eq!(
            std::iter::from_fn(|| counted.turn())
                .map(|turn| turn.number)
                .collect::<Vec<_>>(),
            [0, 1, 2]
        );
        let timed = Pace::begin(&order(Some(0.0), None, None));
        assert!(timed.turn().is_none());
        assert_eq!(timed.left(), 0);
    }
}

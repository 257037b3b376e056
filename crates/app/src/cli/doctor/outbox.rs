//! Whether mails leave.

use super::finding::Finding;
use revolve_domain::{deliveries::Backlog, model::Timestamp};
use std::time::Duration;

const CHECK: &str = "mail.outbox";
/// How long a mail may be due before something is wrong. The alert has the same bound.
const LATE: Duration = Duration::from_mins(10);

pub(super) fn check(backlog: Backlog, now: Timestamp) -> Finding {
    let late = backlog
        .oldest_due
        .map_or(Duration::ZERO, |due| now.since(due));
    let says = format!(
        "{} mails wait, the oldest has been due for {} min; {} were given up within the last 7 days",
        backlog.waiting,
        late.as_secs() / 60,
        backlog.given_up
    );
    if late > LATE {
        Finding::warning(CHECK, says).advise(
            "see why with revolve deliveries list and show: is the service running, and does the mail server answer?",
        )
    } else if backlog.given_up > 0 {
        Finding::warning(CHECK, says).advise(
            "see why with revolve deliveries list --state given_up and show; then revolve deliveries retry, or drop",
        )
    } else {
        Finding::ok(CHECK, says)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn what_is_late_or_was_given_up_is_warned_of() {
        let now = Timestamp::from_seconds(1_900_000_000);
        let due = |minutes: u64| Some(now.minus(Duration::from_mins(minutes)));
        for (oldest_due, given_up, level, advice) in [
            (None, 0, Level::Ok, ""),
            (due(10), 0, Level::Ok, ""),
            (due(11), 1, Level::Warning, "does the mail server answer"),
            (None, 1, Level::Warning, "--state given_up"),
        ] {
            let finding = check(
                Backlog {
                    waiting: 3,
                    oldest_due,
                    given_up,
                },
                now,
            );
            assert_eq!(finding.level, level, "{finding:?}");
            assert!(finding.advice.unwrap_or_default().contains(advice));
        }
        let later = Some(now.plus(Duration::from_hours(1)));
        let held = Backlog {
            waiting: 1,
            oldest_due: later,
            given_up: 0,
        };
        assert_eq!(check(held, now).level, Level::Ok, "it is not due yet");
    }
}

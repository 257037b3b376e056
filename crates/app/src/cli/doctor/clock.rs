//! A store's clock against ours. Windows for retries run on the store's clock alone; `iat` and `exp` of tokens are ours.

use super::finding::Finding;
use revolve_domain::model::Timestamp;
use std::time::Duration;

/// The largest difference that is not reported. Reading the two clocks may take as long, and verifiers of tokens allow as much.
const FINE: Duration = Duration::from_secs(1);
/// From here on tokens are refused as not yet issued by services that verify them.
const BAD: Duration = Duration::from_secs(30);

/// Judges two clocks that were read one right after the other.
pub(super) fn judge(check: &'static str, store: Timestamp, ours: Timestamp) -> Finding {
    let (apart, which) = if store > ours {
        (store.since(ours), "ahead of")
    } else {
        (ours.since(store), "behind")
    };
    let says = format!("its clock is {} ms {which} ours", apart.as_millis());
    let finding = if apart <= FINE {
        return Finding::ok(check, says);
    } else if apart <= BAD {
        Finding::warning(check, says)
    } else {
        Finding::error(check, says)
    };
    finding.advise("keep all machines on one time (chrony, systemd-timesyncd): tokens carry the time of the replica that signed them")
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn clocks_may_differ_a_little() {
        let ours = Timestamp::from_seconds(1_900_000_000);
        for (millis, level) in [
            (0, Level::Ok),
            (1000, Level::Ok),
            (-1000, Level::Ok),
            (1001, Level::Warning),
            (-30_000, Level::Warning),
            (30_001, Level::Error),
        ] {
            let finding = judge(
                "a.clock",
                Timestamp::from_millis(ours.as_millis() + millis),
                ours,
            );
            assert_eq!(
                (finding.level, finding.advice.is_some()),
                (level, level != Level::Ok),
                "{millis}: {finding:?}"
            );
        }
        assert!(
            judge("a.clock", ours, ours.plus(FINE * 9))
                .says
                .contains("9000 ms behind")
        );
    }
}

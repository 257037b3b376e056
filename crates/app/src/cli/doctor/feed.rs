//! Whether the revocation feed stays short enough to be followed.

use super::finding::Finding;
use crate::config::Config;
use revolve_domain::revocations::{
    LONGEST_PLAIN_STATEMENT, LONGEST_STATEMENT, packed_length, plain_length, window,
};
use std::time::Duration;

const CHECK: &str = "feed.size";

/// Judges by how many sessions ended within the last hour; `None` if the tables can't be read.
pub(super) fn check(config: &Config, ended_last_hour: Option<u64>) -> Finding {
    match ended_last_hour {
        Some(ended) => judge(ended, config.tokens.id_lifetime),
        None => Finding::unknown(CHECK, "how many sessions ended can't be read yet")
            .advise("look again when the tables are there"),
    }
}

fn judge(ended_last_hour: u64, id_lifetime: Duration) -> Finding {
    let window = window(id_lifetime).as_secs();
    let ends = usize::try_from(ended_last_hour.saturating_mul(window) / 3600).unwrap_or(usize::MAX);
    let (packed, plain) = (packed_length(ends), plain_length(ends, 0));
    let says = format!(
        "at the rate of the last hour {ends} sessions end within the {} min that the feed covers: {} KiB of {}",
        window.div_ceil(60),
        packed / 1024,
        LONGEST_STATEMENT / 1024
    );
    if packed / 4 > LONGEST_STATEMENT / 5 {
        Finding::warning(CHECK, says).advise(
            "find out what ends so many sessions, or shorten tokens.id_lifetime: services that begin to follow a longer feed are refused",
        )
    } else if plain > LONGEST_PLAIN_STATEMENT {
        Finding::warning(CHECK, format!("{says}; too many for the plain form"))
            .advise("update the services that follow the feed: an older revolve-verify can't do so any more")
    } else {
        Finding::ok(CHECK, says)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn a_feed_that_grows_too_long_is_warned_of_in_time() {
        const LIFE: Duration = Duration::from_mins(15);
        for (a_second, level) in [
            (0, Level::Ok),
            (50, Level::Ok),
            (64, Level::Warning),
            (1000, Level::Warning),
            (1600, Level::Warning),
        ] {
            let finding = judge(a_second * 3600, LIFE);
            assert_eq!(finding.level, level, "{finding:?}");
        }
        assert!(judge(1000 * 3600, LIFE).says.contains("1020000 sessions"));
        let advice = |a_second: u64| {
            judge(a_second * 3600, LIFE)
                .advice
                .expect("a warning has advice")
        };
        assert!(
            advice(1000).starts_with("update"),
            "the packed form has room"
        );
        assert!(
            advice(1400).starts_with("find out"),
            "four fifths are taken"
        );
    }
}

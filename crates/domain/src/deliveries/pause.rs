//! The pauses between attempts.

use std::time::Duration;

/// The least pause after the first attempt.
const LEAST: Duration = Duration::from_secs(30);

/// The longest pause of all.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// How long to wait after so many attempts: 30 s to 40 s at first, twice as long each time, 45 min to 1 h in the end. `random` says where
/// between, so that what failed together does not come back together.
pub fn pause(attempts: u32, random: [u8; 16]) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    let longest = (LEAST * 4 / 3)
        .saturating_mul(1 << doublings)
        .min(LONGEST_PAUSE);
    let [a, b, c, d, ..] = random;
    let quarter = longest / 4;
    longest.saturating_sub(quarter)
        + quarter.mul_f64(f64::from(u32::from_be_bytes([a, b, c, d])) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_half_a_minute_to_an_hour() {
        for (attempts, least, most) in [
            (0, 30, 40),
            (1, 30, 40),
            (2, 60, 80),
            (3, 120, 160),
            (7, 1920, 2560),
            (8, 2700, 3600),
            (9, 2700, 3600),
            (u32::MAX, 2700, 3600),
        ] {
            let pauses = [[0; 16], [255; 16]].map(|random| pause(attempts, random));
            assert_eq!(
                pauses,
                [least, most].map(Duration::from_secs),
                "after {attempts}"
            );
        }
    }
}

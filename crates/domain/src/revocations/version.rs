//! The version of a statement, as its readers hand it back.

use super::{CommitSnapshot, SLACK};
use crate::model::Timestamp;
use std::{fmt, str::FromStr};

/// What a statement covers: the commits that it was made from, and when they were read. Its text has digits and dots only
/// and means the same on every replica of one user database. It goes into URLs, so each commit is told by its distance from the
/// one before.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedVersion {
    /// When the read began, in whole seconds.
    pub as_of: Timestamp,
    /// What it saw.
    pub snapshot: CommitSnapshot,
}

/// A text that is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a version of a statement")]
pub struct InvalidVersion;

impl FeedVersion {
    /// Whether a reader that holds this version can be told what came since by one that has read `later`. Not after a
    /// restart of the database, nor when rows that it has not seen may have been deleted meanwhile.
    pub fn leads_to(&self, later: &Self) -> bool {
        self.snapshot.source() == later.snapshot.source() && later.as_of.since(self.as_of) <= SLACK
    }
}

impl fmt::Display for FeedVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = &self.snapshot;
        write!(
            f,
            "{}.{}.{}.{}",
            snapshot.source(),
            self.as_of.as_seconds().max(0),
            snapshot.all_below(),
            snapshot.none_from() - snapshot.all_below()
        )?;
        let mut before = snapshot.all_below();
        for commit in snapshot.unseen() {
            write!(f, ".{}", commit - before)?;
            before = *commit;
        }
        Ok(())
    }
}

impl FromStr for FeedVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        // Parsing alone would take a sign.
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        {
            return Err(InvalidVersion);
        }
        let mut numbers = text.split('.').map(str::parse::<u64>);
        let mut next = || numbers.next().and_then(Result::ok).ok_or(InvalidVersion);
        let (source, as_of, all_below, seen_in_part) = (next()?, next()?, next()?, next()?);
        let as_of = i64::try_from(as_of).map_err(|_| InvalidVersion)?;
        let none_from = all_below.checked_add(seen_in_part).ok_or(InvalidVersion)?;
        let mut before = all_below;
        let unseen: Vec<u64> = numbers
            .take(CommitSnapshot::MAX_UNSEEN + 1)
            .map(|distance| {
                before = before.checked_add(distance.ok()?)?;
                Some(before)
            })
            .collect::<Option<_>>()
            .ok_or(InvalidVersion)?;
        let version = Self {
            as_of: Timestamp::from_seconds(as_of),
            snapshot: CommitSnapshot::new(source, all_below, none_from, unseen),
        };
        // One text for each version.
        (version.to_string() == text)
            .then_some(version)
            .ok_or(InvalidVersion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_back_from_its_text() {
        for (unseen, text) in [
            (&[][..], "5.1900000000.10.10"),
            (&[10, 12, 15][..], "5.1900000000.10.10.0.2.3"),
        ] {
            let version = FeedVersion {
                as_of: Timestamp::from_seconds(1_900_000_000),
                snapshot: CommitSnapshot::new(5, 10, 20, unseen.iter().copied()),
            };
            assert_eq!(version.to_string(), text);
            assert_eq!(text.parse(), Ok(version));
        }
    }

    /// With other parameters it must fit the 8 KiB that servers take of a URL.
    #[test]
    fn a_version_is_short_however_many_commits_are_under_way() {
        // As many as are told apart, in a server that begins 10,000 a second and has some that are ten minutes old.
        let unseen = (0..2000_u64).map(|number| 4_000_000_000_000 + 11_719 * number);
        let version = FeedVersion {
            as_of: Timestamp::from_seconds(1_900_000_000),
            snapshot: CommitSnapshot::new(
                1_764_457_320_123_456,
                4_000_000_000_000,
                4_100_000_000_000,
                unseen,
            ),
        };
        let text = version.to_string();
        assert!(text.len() <= 4096, "{} bytes", text.len());
        assert_eq!(text.parse(), Ok(version));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let long = format!("1.2.3.9999{}", ".4".repeat(513));
        let max = format!("{}.1.1.1", u128::MAX);
        for bad in [
            "",
            "0",
            "1.2.3",
            "1.2.3.",
            "1.2.3.x",
            "+1.2.3.4",
            "1.-2.3.4",
            "1.2.0.4",
            "1.2.3.9.8.7",
            "1.2.3.9.5.0",
            "1.2.3.9.9",
            "1.2.3.18446744073709551615",
            "1.2.3.9.1.18446744073709551615",
            "01.2.3.4",
            "1.2.3.4 ",
            &long,
            &max,
            "1.18446744073709551615.1.1",
        ] {
            assert_eq!(bad.parse::<FeedVersion>(), Err(InvalidVersion), "{bad}");
        }
    }

    #[test]
    fn only_a_recent_version_of_the_same_run_of_the_database_leads_on() {
        let version = |source, as_of| FeedVersion {
            as_of: Timestamp::from_seconds(as_of),
            snapshot: CommitSnapshot::serial(source, 1),
        };
        let later = version(1, 1000);
        assert!(version(1, 1000 - 120).leads_to(&later) && version(1, 1001).leads_to(&later));
        assert!(!version(1, 1000 - 121).leads_to(&later) && !version(2, 1000).leads_to(&later));
    }
}

//! What can go wrong between here and Redis, whether it passes by itself, and what it means for the connection. No message holds a
//! credential: addresses are host and port only.

use super::super::reply::Unreadable;
use super::{server_info::Unfit, url::UrlError};
use crate::tls;
use deadpool_redis::redis::{ErrorKind, RedisError};
use revolve_domain::ports::StoreError;
use std::{sync::Arc, time::Duration};

/// Why an operation had no result.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("Redis can't be used as it is configured")]
    Url { source: UrlError },
    #[error("cannot connect to Redis at {address}{}", hint(*advice))]
    Connect {
        address: Arc<str>,
        advice: Option<&'static str>,
        source: RedisError,
    },
    #[error("cannot connect to Redis at {address} within {after:?}{}", if *.encrypted { "; is it its port for TLS?" } else { "" })]
    Unreached {
        address: Arc<str>,
        after: Duration,
        encrypted: bool,
    },
    #[error("Redis at {address} did not answer within {after:?}")]
    TimedOut { address: Arc<str>, after: Duration },
    #[error("Redis at {address} failed")]
    Command {
        address: Arc<str>,
        source: RedisError,
    },
    #[error("Redis at {address} will not do")]
    Unfit { address: Arc<str>, source: Unfit },
    #[error("Redis at {address} holds or says something that can't be read")]
    Reply {
        address: Arc<str>,
        source: Unreadable,
    },
    #[error("no master of the Redis Cluster at {address} serves hash slot {slot}")]
    Uncovered { address: Arc<str>, slot: u16 },
    #[error(
        "hash slot {slot} is moving to another node of the Redis Cluster at {address}, which took longer than {after:?}"
    )]
    Moving {
        address: Arc<str>,
        slot: u16,
        after: Duration,
    },
    #[error("the nodes of the Redis Cluster at {address} do not say who serves which hash slot")]
    NoMap { address: Arc<str> },
    #[error("the connections to Redis were closed")]
    Closed,
}

fn hint(advice: Option<&'static str>) -> String {
    advice.map_or_else(String::new, |advice| format!(": {advice}"))
}

impl Failure {
    /// A connection that was not made.
    pub(crate) fn connect(address: Arc<str>, encrypted: bool, source: RedisError) -> Self {
        let ended = source.is_io_error() && !source.is_connection_refusal();
        let plain = "it ended the connection at once; if it wants TLS, write rediss:// in the url";
        let advice = tls::advice(&source).or((ended && !encrypted).then_some(plain));
        Self::Connect {
            address,
            advice,
            source,
        }
    }

    /// As the port's error.
    pub(crate) fn while_it_should(self, operation: &'static str) -> StoreError {
        if self.passes() {
            StoreError::unavailable("redis", operation, self)
        } else {
            StoreError::broken("redis", operation, self)
        }
    }

    /// Whether trying again later makes sense.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Connect { source, .. } | Self::Command { source, .. } => passes(source),
            Self::Unfit { source, .. } => source.passes(),
            Self::Url { .. } | Self::Reply { .. } => false,
            Self::Unreached { .. }
            | Self::TimedOut { .. }
            | Self::Uncovered { .. }
            | Self::Moving { .. }
            | Self::NoMap { .. }
            | Self::Closed => true,
        }
    }
}

/// Whether trying again later makes sense.
fn passes(error: &RedisError) -> bool {
    const MOVING: [&str; 8] = [
        "LOADING",
        "READONLY",
        "MASTERDOWN",
        "CLUSTERDOWN",
        "TRYAGAIN",
        "MOVED",
        "ASK",
        "NOREPLICAS",
    ];
    /// A script that runs too long, no memory, no disk.
    const STRAINED: [&str; 4] = ["BUSY", "UNKILLABLE", "OOM", "MISCONF"];
    // A script met a key of its hash slot that had moved to another node already.
    let moving = || {
        error
            .detail()
            .is_some_and(|detail| detail.contains("non local key"))
    };
    let full = || {
        error
            .detail()
            .is_some_and(|detail| detail.starts_with("max number of clients"))
    };
    // The connection broke in the middle of an answer, which the library reads as an answer that is none.
    let cut = || {
        error.kind() == ErrorKind::Parse
            && error
                .detail()
                .is_some_and(|detail| detail.contains("end of input"))
    };
    error.is_io_error()
        || error
            .code()
            .is_some_and(|code| MOVING.contains(&code) || STRAINED.contains(&code))
        || full()
        || moving()
        || cut()
}

/// What becomes of the connection that an error came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// It is as good as before.
    Keep,
    /// It is gone; the next request dials.
    Drop,
    /// It works, but leads to a server that takes no writes: dial again, not at once, until another one answers there.
    LeadsAstray,
}

/// Judges a connection by an error.
pub(crate) fn aftermath(error: &RedisError) -> Aftermath {
    if matches!(error.code(), Some("READONLY" | "MASTERDOWN" | "NOREPLICAS")) {
        Aftermath::LeadsAstray
    } else if error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Parse | ErrorKind::AuthenticationFailed
        )
    {
        Aftermath::Drop
    } else {
        Aftermath::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deadpool_redis::redis::parse_redis_value;
    use revolve_domain::ports::StoreErrorKind;
    use std::{error::Error, io};

    fn kind_of(source: RedisError) -> StoreErrorKind {
        Failure::Command {
            address: "localhost:6379".into(),
            source,
        }
        .while_it_should("test")
        .kind()
    }

    /// What the client makes of such an answer.
    fn answered(line: &str) -> RedisError {
        let value =
            parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("an error is a value");
        value.extract_error().expect_err("an error")
    }

    #[test]
    fn what_passes_is_unavailable() {
        for line in [
            "LOADING Redis is loading the dataset in memory",
            "READONLY You can't write against a read only replica.",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "CLUSTERDOWN The cluster is down",
            "BUSY Redis is busy running a script.",
            "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
            "MISCONF Redis is configured to save RDB snapshots",
            "ERR max number of clients reached",
        ] {
            assert_eq!(
                kind_of(answered(line)),
                StoreErrorKind::Unavailable,
                "{line}"
            );
        }
        assert_eq!(
            kind_of(io::Error::from(io::ErrorKind::BrokenPipe).into()),
            StoreErrorKind::Unavailable
        );
    }

    #[test]
    fn a_server_that_takes_no_writes_is_left() {
        for line in [
            "READONLY x",
            "MASTERDOWN x",
            "NOREPLICAS Not enough good replicas to write.",
        ] {
            assert!(
                matches!(aftermath(&answered(line)), Aftermath::LeadsAstray),
                "{line}"
            );
            assert_eq!(
                kind_of(answered(line)),
                StoreErrorKind::Unavailable,
                "{line}"
            );
        }
        assert!(matches!(aftermath(&answered("BUSY x")), Aftermath::Keep));
    }

    #[test]
    fn what_stays_is_broken() {
        for line in [
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "ERR user_script:1: attempt to index a nil value",
            "NOPERM User x has no permissions to run the 'evalsha' command",
            "CORRUPT something",
        ] {
            assert_eq!(kind_of(answered(line)), StoreErrorKind::Broken, "{line}");
        }
    }

    #[test]
    fn a_connection_goes_when_it_is_cut_or_leads_to_a_replica() {
        assert_eq!(
            aftermath(&io::Error::from(io::ErrorKind::ConnectionReset).into()),
            Aftermath::Drop
        );
        assert_eq!(
            aftermath(&answered(
                "READONLY You can't write against a read only replica."
            )),
            Aftermath::LeadsAstray
        );
        assert_eq!(aftermath(&answered("LOADING wait")), Aftermath::Keep);
        assert_eq!(aftermath(&answered("WRONGTYPE no")), Aftermath::Keep);
    }

    #[test]
    fn an_error_keeps_its_source() {
        let error = Failure::Command {
            address: "db:1".into(),
            source: answered("WRONGTYPE no"),
        }
        .while_it_should("test");
        let failure = error.source().expect("the failure");
        assert!(failure.to_string().contains("db:1"));
        assert!(
            failure
                .source()
                .expect("the client's error")
                .is::<RedisError>()
        );
    }
}

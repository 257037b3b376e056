//! What can go wrong with Redis, whether it passes by itself, and what it means for the connection. No message holds a credential:
//! addresses are host and port only.

use super::url::UrlError;
use crate::tls;
use deadpool_redis::redis::{ErrorKind, RedisError};
use revolve_domain::ports::StoreError;
use std::{sync::Arc, time::Duration};

/// Why an operation has no result.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum RedisFailure {
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
    #[error("Redis at {address} can't be used")]
    Unsuitable {
        address: Arc<str>,
        source: UnsuitableServer,
    },
    #[error("Redis at {address} holds or answers something that can't be read")]
    Reply {
        address: Arc<str>,
        source: UnreadableReply,
    },
    #[error("no master of the Redis Cluster at {address} serves hash slot {slot}")]
    UncoveredSlot { address: Arc<str>, slot: u16 },
    #[error(
        "hash slot {slot} is moving to another node of the Redis Cluster at {address}, which took longer than {after:?}"
    )]
    MigratingSlot {
        address: Arc<str>,
        slot: u16,
        after: Duration,
    },
    #[error(
        "no node of the Redis Cluster at {address} answers which master serves which hash slot"
    )]
    NoSlotMap { address: Arc<str> },
    #[error("the connections to Redis were closed")]
    Closed,
}

/// Why a server can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnsuitableServer {
    #[error("its version is {found}, and 7.0 is the least that works")]
    Old { found: String },
    #[error("it is a node of a cluster; set redis.mode to \"cluster\"")]
    Cluster,
    #[error(
        "it is no node of a cluster; set redis.mode to \"standalone\", or cluster-enabled there"
    )]
    NoCluster,
    #[error(
        "it is a Sentinel and not a server with data; set redis.mode to \"sentinel\" and redis.sentinel.master"
    )]
    Sentinel,
    #[error(
        "it is no Sentinel; the URL of this mode names the Sentinels, not the servers that they watch"
    )]
    NoSentinel,
    #[error(
        "it watches no master {name:?}; set redis.sentinel.master to the name in `sentinel monitor`"
    )]
    UnknownMaster { name: String },
    #[error("it is a replica, which takes no writes")]
    Replica,
    #[error(
        "the user of the URL may not use {}, which scripts need; revolve doctor says what to allow", commands.join(", ")
    )]
    Forbidden { commands: Vec<String> },
}

impl UnsuitableServer {
    /// Whether a later attempt may succeed: after a failover the same address may lead to the master.
    pub(crate) fn is_temporary(&self) -> bool {
        *self == Self::Replica
    }
}

/// An answer, or a stored value, that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} of {whose} can't be {text:?}")]
pub(crate) struct UnreadableReply {
    pub(crate) what: &'static str,
    /// A session, or the operation that was answered.
    pub(crate) whose: String,
    pub(crate) text: String,
}

fn hint(advice: Option<&'static str>) -> String {
    advice.map_or_else(String::new, |advice| format!(": {advice}"))
}

impl RedisFailure {
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

    /// The port's error.
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        if self.is_temporary() {
            StoreError::unavailable("redis", operation, self)
        } else {
            StoreError::broken("redis", operation, self)
        }
    }

    /// Whether a later attempt may succeed.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::Connect { source, .. } | Self::Command { source, .. } => is_temporary(source),
            Self::Unsuitable { source, .. } => source.is_temporary(),
            Self::Url { .. } | Self::Reply { .. } => false,
            Self::Unreached { .. }
            | Self::TimedOut { .. }
            | Self::UncoveredSlot { .. }
            | Self::MigratingSlot { .. }
            | Self::NoSlotMap { .. }
            | Self::Closed => true,
        }
    }
}

/// Whether the server's message contains this text.
pub(crate) fn mentions(error: &RedisError, text: &str) -> bool {
    error.detail().is_some_and(|detail| detail.contains(text))
}

/// A script met a key of its hash slot that has moved to another node already. The error has no code of its own.
pub(crate) fn is_non_local_key(error: &RedisError) -> bool {
    mentions(error, "non local key")
}

fn is_temporary(error: &RedisError) -> bool {
    const TEMPORARY: [&str; 12] = [
        "LOADING",
        "READONLY",
        "MASTERDOWN",
        "CLUSTERDOWN",
        "TRYAGAIN",
        "MOVED",
        "ASK",
        "NOREPLICAS",
        // A script that runs too long, no memory, no disk.
        "BUSY",
        "UNKILLABLE",
        "OOM",
        "MISCONF",
    ];
    error.is_io_error()
        || error.code().is_some_and(|code| TEMPORARY.contains(&code))
        || mentions(error, "max number of clients")
        || is_non_local_key(error)
        // The connection broke in the middle of an answer, which the client reports as a malformed answer.
        || error.kind() == ErrorKind::Parse && mentions(error, "end of input")
}

/// What becomes of the connection that an error came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionVerdict {
    Keep,
    /// It is gone; the next request connects.
    Discard,
    /// It works, but leads to a server that takes no writes: connect again after a pause, until another server answers there.
    BackOff,
}

pub(crate) fn verdict(error: &RedisError) -> ConnectionVerdict {
    if matches!(error.code(), Some("READONLY" | "MASTERDOWN" | "NOREPLICAS")) {
        ConnectionVerdict::BackOff
    } else if error.is_io_error()
        || matches!(
            error.kind(),
            ErrorKind::Parse | ErrorKind::AuthenticationFailed
        )
    {
        ConnectionVerdict::Discard
    } else {
        ConnectionVerdict::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deadpool_redis::redis::parse_redis_value;
    use revolve_domain::ports::StoreErrorKind;
    use std::{error::Error, io};

    fn kind_of(source: RedisError) -> StoreErrorKind {
        RedisFailure::Command {
            address: "localhost:6379".into(),
            source,
        }
        .during("test")
        .kind()
    }

    /// The client's error for this answer.
    fn answered(line: &str) -> RedisError {
        let value =
            parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("an error is a value");
        value.extract_error().expect_err("an error")
    }

    #[test]
    fn what_is_temporary_is_unavailable() {
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
    fn a_server_that_takes_no_writes_is_backed_off_from() {
        for line in [
            "READONLY x",
            "MASTERDOWN x",
            "NOREPLICAS Not enough good replicas to write.",
        ] {
            assert!(
                matches!(verdict(&answered(line)), ConnectionVerdict::BackOff),
                "{line}"
            );
            assert_eq!(
                kind_of(answered(line)),
                StoreErrorKind::Unavailable,
                "{line}"
            );
        }
        assert!(matches!(
            verdict(&answered("BUSY x")),
            ConnectionVerdict::Keep
        ));
    }

    #[test]
    fn what_is_permanent_is_broken() {
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
    fn a_connection_is_replaced_when_it_is_cut_or_leads_to_a_replica() {
        assert_eq!(
            verdict(&io::Error::from(io::ErrorKind::ConnectionReset).into()),
            ConnectionVerdict::Discard
        );
        assert_eq!(
            verdict(&answered(
                "READONLY You can't write against a read only replica."
            )),
            ConnectionVerdict::BackOff
        );
        assert_eq!(verdict(&answered("LOADING wait")), ConnectionVerdict::Keep);
        assert_eq!(verdict(&answered("WRONGTYPE no")), ConnectionVerdict::Keep);
    }

    #[test]
    fn an_error_keeps_its_source() {
        let error = RedisFailure::Command {
            address: "db:1".into(),
            source: answered("WRONGTYPE no"),
        }
        .during("test");
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

//! One call of a script in a cluster: goes to the master of its keys' hash slot and follows redirections, all within one deadline.
//!
//! A call for a slot that is migrating waits at the old node; it does not follow `ASK`. Our scripts look at several keys of a slot. On the
//! new node they would find those that have arrived and take the others for gone, which would sign somebody out. The old node refuses a
//! script that misses a key.

use super::{
    cluster::Cluster,
    failure::{RedisFailure, is_non_local_key},
    slot_map::{NodeAddress, slot_of},
};
use deadpool_redis::redis::{
    Arg, Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisFuture, RedisResult,
    ScriptInvocation, ServerErrorKind, Value, aio::ConnectionLike,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Times that a call is sent to another node.
const MAX_REDIRECTIONS: usize = 5;
/// Between two attempts at a slot that is migrating.
const MIGRATION_PAUSE: Duration = Duration::from_millis(20);

/// Calls a script on the master of its keys' hash slot.
pub(crate) async fn call<T: FromRedisValue>(
    cluster: &Cluster,
    call: &ScriptInvocation<'_>,
) -> Result<T, RedisFailure> {
    let mut routed = RoutedCall {
        cluster,
        deadline: cluster.deadline(),
        last_node: None,
        failure: None,
    };
    let outcome = call.invoke_async(&mut routed).await;
    outcome.map_err(|source| routed.into_failure(source))
}

/// The connection that a script is invoked over, for one call.
struct RoutedCall<'a> {
    cluster: &'a Cluster,
    deadline: Instant,
    last_node: Option<NodeAddress>,
    /// What the client library's error type can't hold.
    failure: Option<RedisFailure>,
}

/// What to do after an answer.
enum Redirection {
    /// Nothing: it is the result.
    None,
    /// Send it to this node, which serves the slot.
    To(NodeAddress),
    /// Send it again: the slot is migrating.
    Migrating,
    /// The node does not serve the slot now: find out which one does.
    Unknown,
}

impl RoutedCall<'_> {
    fn into_failure(self, source: RedisError) -> RedisFailure {
        let last_node = self.last_node;
        self.failure.unwrap_or_else(|| RedisFailure::Command {
            address: last_node.map_or_else(
                || self.cluster.address(),
                |address| address.to_string().into(),
            ),
            source,
        })
    }

    async fn send(&mut self, command: &Cmd) -> Result<RedisResult<Value>, RedisFailure> {
        // Only `SCRIPT LOAD` has no key. It follows a call that had one, at the same node.
        let Some(slot) = first_key(command).map(slot_of) else {
            let last = self.last_node.clone();
            let node = last.ok_or_else(|| self.cluster.no_slot_map())?;
            return self.send_to(&node, command).await;
        };
        let mut node = self.cluster.master(slot, self.deadline).await?;
        let mut redirections = 0;
        loop {
            let sent_at = Instant::now();
            let outcome = self.send_to(&node, command).await;
            let redirection = match &outcome {
                Ok(Err(error)) => redirection(error, &node),
                // It was not sent, so it may be sent to another node that has taken over.
                Err(RedisFailure::Connect { .. }) => Redirection::Unknown,
                Ok(Ok(_)) | Err(_) => Redirection::None,
            };
            match redirection {
                Redirection::None => {
                    if outcome.is_err() {
                        self.cluster.refresh_in_background();
                    }
                    return outcome;
                }
                Redirection::Migrating => {
                    if sent_at + MIGRATION_PAUSE >= self.deadline {
                        return Err(RedisFailure::MigratingSlot {
                            address: self.cluster.address(),
                            slot,
                            after: self.cluster.timeout(),
                        });
                    }
                    sleep(MIGRATION_PAUSE).await;
                    node = self.cluster.known_master(slot).unwrap_or(node);
                    continue;
                }
                Redirection::To(next) => {
                    self.cluster.refresh_in_background();
                    node = next;
                }
                Redirection::Unknown => {
                    if self.cluster.refresh(self.deadline).await.is_err() {
                        return outcome;
                    }
                    match self.cluster.known_master(slot) {
                        Some(next) if next != node => node = next,
                        _ => return outcome,
                    }
                }
            }
            redirections += 1;
            if redirections > MAX_REDIRECTIONS {
                return outcome;
            }
        }
    }

    async fn send_to(
        &mut self,
        node: &NodeAddress,
        command: &Cmd,
    ) -> Result<RedisResult<Value>, RedisFailure> {
        self.last_node = Some(node.clone());
        let outcome = self
            .cluster
            .pool(node)?
            .run(self.deadline, async |mut connection| {
                connection
                    .send_packed_command(command)
                    .await
                    .and_then(Value::extract_error)
            })
            .await;
        match outcome {
            Ok(value) => Ok(Ok(value)),
            Err(RedisFailure::Command { source, .. }) if !source.is_io_error() => Ok(Err(source)),
            Err(failure) => Err(failure),
        }
    }
}

fn redirection(error: &RedisError, responder: &NodeAddress) -> Redirection {
    let ErrorKind::Server(kind) = error.kind() else {
        return Redirection::None;
    };
    match kind {
        ServerErrorKind::Moved => {
            let next = error
                .redirect_node()
                .and_then(|(next, _)| NodeAddress::parse(next, &responder.host));
            next.map_or(Redirection::None, Redirection::To)
        }
        ServerErrorKind::Ask | ServerErrorKind::TryAgain => Redirection::Migrating,
        ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly => {
            Redirection::Unknown
        }
        _ if is_non_local_key(error) => Redirection::Migrating,
        _ => Redirection::None,
    }
}

/// The first key of `EVALSHA sha number-of-keys key …`.
fn first_key(command: &Cmd) -> Option<&[u8]> {
    let mut words = command.args_iter();
    let Some(Arg::Simple(b"EVALSHA")) = words.next() else {
        return None;
    };
    match words.nth(2) {
        Some(Arg::Simple(key)) => Some(key),
        _ => None,
    }
}

impl ConnectionLike for RoutedCall<'_> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            match self.send(command).await {
                Ok(answer) => answer,
                Err(failure) => {
                    self.failure = Some(failure);
                    Err((ErrorKind::Io, "the call could not be sent").into())
                }
            }
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        _: &'a Pipeline,
        _: usize,
        _: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async { Err((ErrorKind::Client, "pipelines are not routed").into()) })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deadpool_redis::redis::{cmd, parse_redis_value};

    fn answered(line: &str) -> Redirection {
        let value =
            parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("an error is a value");
        redirection(
            &value.extract_error().expect_err("an error"),
            &NodeAddress {
                host: "responder".to_owned(),
                port: 1,
            },
        )
    }

    #[test]
    fn a_call_goes_where_its_first_key_is() {
        assert_eq!(
            first_key(
                cmd("EVALSHA")
                    .arg("digest")
                    .arg(2)
                    .arg("{a}:one")
                    .arg("{a}:two")
                    .arg("x")
            ),
            Some(&b"{a}:one"[..])
        );
        assert_eq!(
            first_key(cmd("SCRIPT").arg("LOAD").arg("return 1").arg("x")),
            None
        );
    }

    #[test]
    fn a_redirection_is_followed_and_a_slot_that_moves_is_waited_for() {
        assert!(
            matches!(answered("MOVED 5 10.0.0.1:7000"), Redirection::To(node) if node.to_string() == "10.0.0.1:7000")
        );
        assert!(
            matches!(answered("MOVED 5 :7000"), Redirection::To(node) if node.to_string() == "responder:7000")
        );
        for line in [
            "ASK 5 10.0.0.1:7000",
            "TRYAGAIN later",
            "ERR Script attempted to access a non local key in a cluster node",
        ] {
            assert!(matches!(answered(line), Redirection::Migrating), "{line}");
        }
        for line in [
            "CLUSTERDOWN the cluster is down",
            "READONLY no",
            "MASTERDOWN no",
        ] {
            assert!(matches!(answered(line), Redirection::Unknown), "{line}");
        }
        for line in ["NOSCRIPT none", "WRONGTYPE no", "OOM no"] {
            assert!(matches!(answered(line), Redirection::None), "{line}");
        }
    }
}

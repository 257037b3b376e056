//! One call on its way through the cluster: to the master of its hash slot, after a redirection to the next, within one deadline.
//!
//! A slot that is moving is waited for, not followed (`ASK`). Our scripts look at several keys of a slot; on the new node they would find
//! those that have arrived and take the others for gone, which would sign somebody out. The old node refuses a script that misses a key.

use super::failure::Failure;
use super::{
    cluster::Cluster,
    slot_map::{Place, slot_of},
};
use deadpool_redis::redis::{
    Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// So often a call is sent elsewhere.
const REDIRECTIONS: usize = 5;
/// Between two looks whether a slot has moved.
const WAIT: Duration = Duration::from_millis(20);

/// A connection to wherever the keys are, for one call.
pub(crate) struct Route<'a> {
    cluster: &'a Cluster,
    deadline: Instant,
    /// Who was asked last.
    last: Option<Place>,
    failure: Option<Failure>,
}

/// What an answer asks for.
enum Turn {
    /// Nothing: it is the answer.
    Done,
    /// Another node has the slot.
    Elsewhere(Place),
    /// The slot is moving.
    Moving,
    /// The node does not serve it now.
    Lost,
}

impl<'a> Route<'a> {
    pub(crate) fn new(cluster: &'a Cluster) -> Self {
        Self {
            cluster,
            deadline: cluster.deadline(),
            last: None,
            failure: None,
        }
    }

    /// What went wrong in the end.
    pub(crate) fn judge(self, source: RedisError) -> Failure {
        let address = || {
            self.last
                .map_or_else(|| self.cluster.address(), |place| place.to_string().into())
        };
        self.failure.unwrap_or_else(|| Failure::Command {
            address: address(),
            source,
        })
    }

    async fn send(&mut self, command: &Cmd) -> Result<RedisResult<Value>, Failure> {
        // Only the loading of a script has no key; it follows a call that had one.
        let Some(slot) = key(command).map(slot_of) else {
            let place = self.last.clone().ok_or_else(|| self.cluster.no_map())?;
            return self.at(&place, command).await;
        };
        let mut place = self.master(slot).await?;
        let mut redirections = 0;
        loop {
            let asked = Instant::now();
            let outcome = self.at(&place, command).await;
            let turn = match &outcome {
                Ok(Err(error)) => turn(error, &place),
                // It was not sent, so that it may be sent elsewhere, if somebody else has taken over.
                Err(Failure::Connect { .. }) => Turn::Lost,
                Ok(Ok(_)) | Err(_) => Turn::Done,
            };
            match turn {
                Turn::Done => {
                    if outcome.is_err() {
                        self.cluster.look_soon();
                    }
                    return outcome;
                }
                Turn::Moving => {
                    if asked + WAIT >= self.deadline {
                        return Err(Failure::Moving {
                            address: self.cluster.address(),
                            slot,
                            after: self.cluster.0.timeout,
                        });
                    }
                    sleep(WAIT).await;
                    place = self.cluster.map().master(slot).cloned().unwrap_or(place);
                    continue;
                }
                Turn::Elsewhere(next) => {
                    self.cluster.look_soon();
                    place = next;
                }
                Turn::Lost => {
                    if self.cluster.look(self.deadline).await.is_err() {
                        return outcome;
                    }
                    match self.cluster.map().master(slot) {
                        Some(next) if *next != place => place = next.clone(),
                        _ => return outcome,
                    }
                }
            }
            redirections += 1;
            if redirections > REDIRECTIONS {
                return outcome;
            }
        }
    }

    async fn at(&mut self, place: &Place, command: &Cmd) -> Result<RedisResult<Value>, Failure> {
        self.last = Some(place.clone());
        let node = self.cluster.node(place)?;
        let outcome = node
            .run(self.deadline, async |mut link| {
                link.send_packed_command(command)
                    .await
                    .and_then(Value::extract_error)
            })
            .await;
        match outcome {
            Ok(value) => Ok(Ok(value)),
            Err(Failure::Command { source, .. }) if !source.is_io_error() => Ok(Err(source)),
            Err(failure) => Err(failure),
        }
    }

    async fn master(&self, slot: u16) -> Result<Place, Failure> {
        if let Some(place) = self.cluster.map().master(slot) {
            return Ok(place.clone());
        }
        self.cluster.look(self.deadline).await?;
        let found = self.cluster.map().master(slot).cloned();
        found.ok_or_else(|| Failure::Uncovered {
            address: Arc::clone(&self.cluster.0.address),
            slot,
        })
    }
}

fn turn(error: &RedisError, answered: &Place) -> Turn {
    let ErrorKind::Server(kind) = error.kind() else {
        return Turn::Done;
    };
    match kind {
        ServerErrorKind::Moved => {
            let next = error
                .redirect_node()
                .and_then(|(next, _)| Place::read(next, &answered.host));
            next.map_or(Turn::Done, Turn::Elsewhere)
        }
        ServerErrorKind::Ask | ServerErrorKind::TryAgain => Turn::Moving,
        ServerErrorKind::ClusterDown | ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly => {
            Turn::Lost
        }
        // Some keys of the slot have left already.
        _ if error
            .detail()
            .is_some_and(|detail| detail.contains("non local key")) =>
        {
            Turn::Moving
        }
        _ => Turn::Done,
    }
}

/// The first key of a script's call: `EVALSHA sha number key …`
fn key(command: &Cmd) -> Option<&[u8]> {
    let mut words = command.args_iter();
    let Some(Arg::Simple(b"EVALSHA")) = words.next() else {
        return None;
    };
    match words.nth(2) {
        Some(Arg::Simple(key)) => Some(key),
        _ => None,
    }
}

impl ConnectionLike for Route<'_> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            match self.send(command).await {
                Ok(answer) => answer,
                Err(failure) => {
                    self.failure = Some(failure);
                    Err((ErrorKind::Io, "the call failed on its way").into())
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
        Box::pin(async {
            Err((ErrorKind::Client, "pipelines have no way through a cluster").into())
        })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deadpool_redis::redis::{cmd, parse_redis_value};

    fn answered(line: &str) -> Turn {
        let value =
            parse_redis_value(format!("-{line}\r\n").as_bytes()).expect("an error is a value");
        turn(
            &value.extract_error().expect_err("an error"),
            &Place {
                host: "asked".to_owned(),
                port: 1,
            },
        )
    }

    #[test]
    fn a_call_goes_where_its_first_key_is() {
        assert_eq!(
            key(cmd("EVALSHA")
                .arg("digest")
                .arg(2)
                .arg("{a}:one")
                .arg("{a}:two")
                .arg("x")),
            Some(&b"{a}:one"[..])
        );
        assert_eq!(
            key(cmd("SCRIPT").arg("LOAD").arg("return 1").arg("x")),
            None
        );
    }

    #[test]
    fn a_redirection_is_followed_and_a_slot_that_moves_is_waited_for() {
        assert!(
            matches!(answered("MOVED 5 10.0.0.1:7000"), Turn::Elsewhere(place) if place.to_string() == "10.0.0.1:7000")
        );
        assert!(
            matches!(answered("MOVED 5 :7000"), Turn::Elsewhere(place) if place.to_string() == "asked:7000")
        );
        for line in [
            "ASK 5 10.0.0.1:7000",
            "TRYAGAIN later",
            "ERR Script attempted to access a non local key in a cluster node",
        ] {
            assert!(matches!(answered(line), Turn::Moving), "{line}");
        }
        for line in [
            "CLUSTERDOWN the cluster is down",
            "READONLY no",
            "MASTERDOWN no",
        ] {
            assert!(matches!(answered(line), Turn::Lost), "{line}");
        }
        for line in ["NOSCRIPT none", "WRONGTYPE no", "OOM no"] {
            assert!(matches!(answered(line), Turn::Done), "{line}");
        }
    }
}

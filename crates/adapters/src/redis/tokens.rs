//! The port over the scripts: each operation is one call of one script.

use super::{
    client::{
        config::RedisConfig,
        failure::{RedisFailure, UnsuitableServer},
        pool::ConnectionPool,
        server_info,
        topology::Topology,
    },
    keys,
    limits::{BucketNames, RedisLimits},
    permissions, reply,
    revoked_keys::RedisRevokedKeys,
    scripts::Scripts,
};
use async_trait::async_trait;
use revolve_domain::{
    model::{Epoch, SessionId, TokenId, UserId},
    ports::{LiveSession, NewLiveSession, StoreError, TokenRepository},
    rotation::{ReusePolicy, Rotation, RotationOutcome},
};
use std::{
    fmt::{self, Display},
    sync::Arc,
    time::Duration,
};

/// The white list of refresh tokens in Redis.
pub struct RedisTokens {
    topology: Arc<Topology>,
    scripts: Scripts,
}

impl RedisTokens {
    /// Connects, checks that each server can be used, and loads the scripts. Warns of settings by which Redis may lose sessions.
    ///
    /// # Errors
    /// Unavailable if Redis can't be reached, is still loading or is a replica; broken if the URL, the password or the version is
    /// wrong. The error's sources name host and port, never the password.
    pub async fn connect(config: RedisConfig) -> Result<Self, StoreError> {
        let refused = |failure: RedisFailure| failure.during("connect");
        let topology =
            Topology::new(&config).map_err(|source| refused(RedisFailure::Url { source }))?;
        let scripts = Scripts::new();
        let (servers, cluster) = topology.servers().await.map_err(refused)?;
        let (mut prepared, mut missing) = (0, None);
        for server in &servers {
            match prepare(server, &scripts, cluster).await {
                Ok(()) => prepared += 1,
                // The other masters of a cluster serve their users.
                Err(failure) if cluster && failure.is_temporary() => {
                    tracing::warn!(redis = %server.address(), error = &failure as &dyn std::error::Error, "a master is missing");
                    missing = Some(failure);
                }
                Err(failure) => return Err(refused(failure)),
            }
        }
        match missing {
            Some(failure) if prepared == 0 => Err(refused(failure)),
            _ => Ok(Self {
                topology: Arc::new(topology),
                scripts,
            }),
        }
    }

    /// The buckets of rate limits, over the same connections.
    pub fn limits(&self, names: BucketNames) -> RedisLimits {
        RedisLimits::new(Arc::clone(&self.topology), names)
    }

    /// The revoked keys, over the same connections.
    pub fn revoked_keys(&self) -> RedisRevokedKeys {
        RedisRevokedKeys::new(Arc::clone(&self.topology))
    }

    /// How many connections are configured, and how many are open.
    pub fn connections(&self) -> (usize, usize) {
        self.topology.count()
    }

    /// Closes the connections. Requests that are under way may finish; later ones are refused.
    pub async fn close(&self) {
        self.topology.close();
        // Each connection's task ends, and its socket closes, once the task is scheduled again.
        tokio::task::yield_now().await;
    }
}

impl fmt::Debug for RedisTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTokens")
            .field("address", &self.topology.address())
            .finish_non_exhaustive()
    }
}

/// Checks a server and loads the scripts into it. Each thread opens its own connection when it first needs one.
async fn prepare(
    server: &ConnectionPool,
    scripts: &Scripts,
    cluster: bool,
) -> Result<(), RedisFailure> {
    let info = server_info::suitable(server, cluster).await?;
    for warning in server_info::warnings(&info) {
        tracing::warn!(redis = %server.address(), "{warning}");
    }
    scripts.load(server).await?;
    let commands = permissions::denied(server).await?;
    if commands.is_empty() {
        return Ok(());
    }
    Err(RedisFailure::Unsuitable {
        address: server.address(),
        source: UnsuitableServer::Forbidden { commands },
    })
}

#[async_trait]
impl TokenRepository for RedisTokens {
    async fn begin(&self, new: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        let token = new.token;
        let mut call = self.scripts.begin.prepare_invoke();
        call.key(keys::index(new.user)).key(keys::token(
            new.user,
            TokenId::of(new.session, token.generation),
        ));
        call.arg(new.session.to_string())
            .arg(token.generation.number());
        call.arg(token.issued_at.as_seconds())
            .arg(token.expires_at.as_seconds())
            .arg(or_empty(token.device));
        call.arg(new.epoch.number()).arg(new.ceiling);
        let others: Vec<Vec<String>> = self.topology.call("begin a session", &call).await?;
        reply::sessions(&others)
            .map_err(|source| self.topology.unreadable("begin a session", source))
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        let (user, device, policy) = (rotation.user, &rotation.device, &rotation.policy);
        let window = if device.shown.is_some() {
            policy.bound_retry_window
        } else {
            policy.retry_window
        };
        let mut call = self.scripts.rotate.prepare_invoke();
        call.key(keys::index(user));
        call.key(keys::token(user, rotation.presented_id()))
            .key(keys::token(user, rotation.successor_id()));
        call.arg(rotation.session.to_string())
            .arg(rotation.presented.number())
            .arg(rotation.presented_issued_at.as_seconds())
            .arg(rotation.presented.next().number());
        call.arg(rotation.issued_at.as_seconds())
            .arg(rotation.expires_at.as_seconds())
            .arg(rotation.epoch.number());
        call.arg(u8::from(rotation.expired));
        call.arg(device.owner.to_string())
            .arg(or_empty(device.shown))
            .arg(u8::from(device.bound));
        call.arg(whole_millis(policy.retry_free))
            .arg(whole_millis(window))
            .arg(policy.late_retries);
        call.arg(u8::from(policy.reuse == ReusePolicy::Revoke));
        let answer: Vec<String> = self.topology.call("rotate a token", &call).await?;
        reply::outcome(&answer, rotation)
            .map_err(|source| self.topology.unreadable("rotate a token", source))
    }

    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError> {
        if sessions.is_empty() {
            return Ok(());
        }
        let mut call = self.scripts.end.prepare_invoke();
        call.key(keys::index(user));
        for session in sessions {
            call.arg(session.to_string());
        }
        self.topology.call("end sessions", &call).await
    }

    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let mut call = self.scripts.end_older.prepare_invoke();
        call.key(keys::index(user))
            .arg(epoch.number())
            .arg(or_empty(kept));
        self.topology.call("end older sessions", &call).await
    }

    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        let mut call = self.scripts.list.prepare_invoke();
        call.key(keys::index(user));
        let sessions: Vec<Vec<String>> = self.topology.call("list sessions", &call).await?;
        reply::sessions(&sessions)
            .map_err(|source| self.topology.unreadable("list sessions", source))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.topology
            .ping()
            .await
            .map_err(|failure| failure.during("answer"))
    }
}

fn or_empty(id: Option<impl Display>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

/// Rounded up, so that an age in whole milliseconds is below the window exactly if it is below the result.
fn whole_millis(window: Duration) -> u64 {
    u64::try_from(window.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

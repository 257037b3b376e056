//! Redis Sentinel: finds the master anew for each connection. All Sentinels are asked at once, so that one that does not respond delays
//! nothing, and an address counts only if the server there confirms that it is the master.

use super::{
    config::{RedisConfig, SentinelConfig},
    connect::connect,
    failure::{RedisFailure, UnsuitableServer, mentions},
    url,
    url::UrlError,
};
use deadpool_redis::redis::{
    AsyncConnectionConfig, ConnectionInfo, RedisConnectionInfo, RedisError, Value, cmd,
    from_redis_value,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use secrecy::ExposeSecret;
use std::fmt;

/// The Sentinels that watch a master.
pub(crate) struct Sentinels {
    hosts: Vec<ConnectionInfo>,
    /// Settings for the connection to the master. The address in it is a Sentinel's.
    master_template: ConnectionInfo,
    master_name: String,
}

enum SentinelFailure {
    /// The Sentinel did not answer.
    Unreachable(RedisFailure),
    /// It answered, and its answer does not lead to a master. Says more than `Unreachable`, so it is reported in preference.
    NoMaster(RedisFailure),
}

impl Sentinels {
    /// The hosts of the URL are Sentinels; its credentials and database are the master's.
    pub(crate) fn new(config: &RedisConfig, sentinel: &SentinelConfig) -> Result<Self, UrlError> {
        let hosts = url::hosts(config)?;
        let with_own_credentials = |info: &ConnectionInfo| {
            let mut settings =
                RedisConnectionInfo::default().set_protocol(info.redis_settings().protocol());
            if let Some(user) = &sentinel.username {
                settings = settings.set_username(user);
            }
            if let Some(password) = &sentinel.password {
                settings = settings.set_password(password.expose_secret());
            }
            info.clone().set_redis_settings(settings)
        };
        Ok(Self {
            hosts: hosts.iter().map(with_own_credentials).collect(),
            master_template: hosts[0].clone(),
            master_name: sentinel.master.clone(),
        })
    }

    /// How to connect to the master, except for its address.
    pub(crate) fn master_template(&self) -> &ConnectionInfo {
        &self.master_template
    }

    /// The master that the first useful answer leads to.
    pub(crate) async fn find_master(&self) -> Result<ConnectionInfo, RedisFailure> {
        let mut answers: FuturesUnordered<_> = self
            .hosts
            .iter()
            .map(|sentinel| self.ask(sentinel))
            .collect();
        let (mut unreachable, mut no_master) = (None, None);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(info) => return Ok(info),
                Err(SentinelFailure::Unreachable(failure)) => unreachable = Some(failure),
                Err(SentinelFailure::NoMaster(failure)) => no_master = Some(failure),
            }
        }
        Err(no_master.or(unreachable).unwrap_or(RedisFailure::Closed))
    }

    async fn ask(&self, sentinel: &ConnectionInfo) -> Result<ConnectionInfo, SentinelFailure> {
        let without_timeouts = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let unsuitable = |info: &ConnectionInfo, source| {
            let address = info.addr().to_string().into();
            SentinelFailure::NoMaster(RedisFailure::Unsuitable { address, source })
        };
        let command_failed = |info: &ConnectionInfo, source| RedisFailure::Command {
            address: info.addr().to_string().into(),
            source,
        };

        let mut connection = connect(sentinel, &without_timeouts)
            .await
            .map_err(SentinelFailure::Unreachable)?;
        let answer = cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.master_name)
            .query_async(&mut connection)
            .await;
        let answer: Option<(String, u16)> = answer.map_err(|source: RedisError| {
            if mentions(&source, "unknown command") {
                unsuitable(sentinel, UnsuitableServer::NoSentinel)
            } else {
                SentinelFailure::Unreachable(command_failed(sentinel, source))
            }
        })?;
        let (host, port) = answer.ok_or_else(|| {
            let name = self.master_name.clone();
            unsuitable(sentinel, UnsuitableServer::UnknownMaster { name })
        })?;

        let master = url::with_address(&self.master_template, &host, port);
        let mut connection = connect(&master, &without_timeouts)
            .await
            .map_err(SentinelFailure::NoMaster)?;
        let role: Vec<Value> = cmd("ROLE")
            .query_async(&mut connection)
            .await
            .map_err(|source| SentinelFailure::NoMaster(command_failed(&master, source)))?;
        let role = role.into_iter().next().map(from_redis_value::<String>);
        if matches!(role, Some(Ok(role)) if role == "master") {
            Ok(master)
        } else {
            // The Sentinel does not know of the failover yet.
            Err(unsuitable(&master, UnsuitableServer::Replica))
        }
    }
}

impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentinels: Vec<_> = self
            .hosts
            .iter()
            .map(|sentinel| sentinel.addr().to_string())
            .collect();
        write!(
            f,
            "{} (by Sentinels at {})",
            self.master_name,
            sentinels.join(", ")
        )
    }
}

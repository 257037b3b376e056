//! Redis Sentinel: who the master is, asked anew whenever a connection is made. All Sentinels are asked at once, so that one that is gone
//! holds nobody up, and what they say is believed only if the server says of itself that it is the master.

use super::{
    config::{RedisConfig, SentinelConfig},
    connect,
    failure::Failure,
    server_info::Unfit,
    url,
    url::UrlError,
};
use deadpool_redis::redis::{
    AsyncConnectionConfig, ConnectionInfo, RedisConnectionInfo, RedisError, Value,
    aio::MultiplexedConnection, cmd, from_redis_value,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use secrecy::ExposeSecret;
use std::fmt;

/// The Sentinels, and the master that they watch.
pub(crate) struct Sentinels {
    /// How each Sentinel is reached.
    watchers: Vec<ConnectionInfo>,
    /// How the master is reached, but for its address.
    master: ConnectionInfo,
    name: String,
}

/// Why a Sentinel was of no use.
enum Useless {
    /// It could not be asked.
    Silent(Failure),
    /// What it knows leads nowhere.
    Mistaken(Failure),
}

impl Sentinels {
    /// The hosts of the URL are Sentinels; its credentials and database are the master's.
    pub(crate) fn new(config: &RedisConfig, sentinel: &SentinelConfig) -> Result<Self, UrlError> {
        let hosts = url::hosts(config)?;
        let own = |info: &ConnectionInfo| {
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
            watchers: hosts.iter().map(own).collect(),
            master: hosts[0].clone(),
            name: sentinel.master.clone(),
        })
    }

    /// How the master is reached, but for its address.
    pub(crate) fn master(&self) -> &ConnectionInfo {
        &self.master
    }

    /// Connects to the master.
    pub(crate) async fn dial(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Failure> {
        // Only one connection gets the caller's configuration, since the end of any that has it is taken for the end of its own.
        connect::connect(&self.find().await?, config).await
    }

    /// The master by the first Sentinel that leads to it.
    async fn find(&self) -> Result<ConnectionInfo, Failure> {
        let mut answers: FuturesUnordered<_> = self
            .watchers
            .iter()
            .map(|sentinel| self.by(sentinel))
            .collect();
        let (mut silent, mut mistaken) = (None, None);
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(info) => return Ok(info),
                Err(Useless::Silent(failure)) => silent = Some(failure),
                Err(Useless::Mistaken(failure)) => mistaken = Some(failure),
            }
        }
        Err(mistaken.or(silent).unwrap_or(Failure::Closed))
    }

    async fn by(&self, sentinel: &ConnectionInfo) -> Result<ConnectionInfo, Useless> {
        let quiet = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let address = || sentinel.addr().to_string().into();
        let mut link = connect::connect(sentinel, &quiet)
            .await
            .map_err(Useless::Silent)?;
        let answer = cmd("SENTINEL")
            .arg("GET-MASTER-ADDR-BY-NAME")
            .arg(&self.name)
            .query_async(&mut link)
            .await;
        let answer: Option<(String, u16)> = answer.map_err(|source: RedisError| {
            if source
                .detail()
                .is_some_and(|detail| detail.starts_with("unknown command"))
            {
                Useless::Mistaken(Failure::Unfit {
                    address: address(),
                    source: Unfit::NoSentinel,
                })
            } else {
                Useless::Silent(Failure::Command {
                    address: address(),
                    source,
                })
            }
        })?;
        let Some((host, port)) = answer else {
            return Err(Useless::Mistaken(Failure::Unfit {
                address: address(),
                source: Unfit::UnknownMaster {
                    name: self.name.clone(),
                },
            }));
        };
        let info = url::at(&self.master, &host, port);
        let mut link = connect::connect(&info, &quiet)
            .await
            .map_err(Useless::Mistaken)?;
        let role: Result<Vec<Value>, _> = cmd("ROLE").query_async(&mut link).await;
        let role = role.map(|role| {
            role.into_iter()
                .next()
                .and_then(|role| from_redis_value::<String>(role).ok())
        });
        let address = || info.addr().to_string().into();
        match role {
            Ok(Some(role)) if role == "master" => Ok(info),
            // The Sentinel has not heard of the failover yet.
            Ok(_) => Err(Useless::Mistaken(Failure::Unfit {
                address: address(),
                source: Unfit::Replica,
            })),
            Err(source) => Err(Useless::Mistaken(Failure::Command {
                address: address(),
                source,
            })),
        }
    }
}

impl fmt::Display for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentinels: Vec<_> = self
            .watchers
            .iter()
            .map(|sentinel| sentinel.addr().to_string())
            .collect();
        write!(
            f,
            "{} (by Sentinels at {})",
            self.name,
            sentinels.join(", ")
        )
    }
}

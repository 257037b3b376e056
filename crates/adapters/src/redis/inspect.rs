//! Reads settings, clock and permissions of every Redis that takes part, and changes nothing. A hosted Redis may hide some of them.

use super::{
    client::{
        config::RedisConfig, failure::RedisFailure, pool::ConnectionPool, server_info,
        topology::Topology, url,
    },
    permissions::{self, KEYS},
};
use deadpool_redis::redis::{ConnectionAddr, ConnectionInfo, cmd};
use revolve_domain::{model::Timestamp, ports::StoreError};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

const OPERATION: &str = "look at it";

/// What a Redis reports of itself. `None` where it does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisFacts {
    /// Host and port, or the Sentinels' names for it.
    pub address: String,
    /// The lines of `INFO`.
    pub info: BTreeMap<String, String>,
    /// When it saves snapshots (`CONFIG GET save`).
    pub save: Option<String>,
    /// When its append-only file reaches the disk (`CONFIG GET appendfsync`).
    pub appendfsync: Option<String>,
    /// Replicas without which it takes no writes (`CONFIG GET min-replicas-to-write`).
    pub min_replicas: Option<u64>,
    /// Commands that we need and that the user of the URL may not use.
    pub denied: Option<Vec<String>>,
}

/// The facts of a Redis, its clock, and what `now` returned right after that was read.
pub type Inspected<T> = (RedisFacts, Timestamp, T);

/// The hosts on other machines that the URL reaches without TLS. None if the URL is wrong, which is reported elsewhere.
pub fn plain_hosts(config: &RedisConfig) -> Vec<String> {
    let here = |host: &str| {
        host == "localhost"
            || host
                .parse()
                .is_ok_and(|address: IpAddr| address.is_loopback())
    };
    let plain = |info: &ConnectionInfo| match info.addr() {
        ConnectionAddr::Tcp(host, _) if !here(host) => Some(host.clone()),
        _ => None,
    };
    url::hosts(config)
        .unwrap_or_default()
        .iter()
        .filter_map(plain)
        .collect()
}

/// Inspects every server that takes part: one, the master that Sentinels name, or all masters of a cluster. Calls `now` right after each
/// server's clock was read.
///
/// # Errors
/// If Redis can't be found. Each server has a result of its own. No error contains a password.
pub async fn inspect<T>(
    config: &RedisConfig,
    now: impl Fn() -> T,
) -> Result<Vec<(Arc<str>, Result<Inspected<T>, StoreError>)>, StoreError> {
    let failed = |failure: RedisFailure| failure.during(OPERATION);
    let topology = Topology::new(config).map_err(|source| failed(RedisFailure::Url { source }))?;
    let (servers, cluster) = topology.servers().await.map_err(failed)?;
    let mut inspected = Vec::new();
    for server in &servers {
        inspected.push((
            server.address(),
            inspect_server(server, cluster, &now).await.map_err(failed),
        ));
    }
    topology.close();
    Ok(inspected)
}

async fn inspect_server<T>(
    server: &ConnectionPool,
    cluster: bool,
    now: impl Fn() -> T,
) -> Result<Inspected<T>, RedisFailure> {
    let info = server_info::suitable(server, cluster).await?;
    let (seconds, micros): (i64, i64) = server.command(&cmd("TIME")).await?;
    let now = now();
    let clock = Timestamp::from_millis(seconds.saturating_mul(1000).saturating_add(micros / 1000));
    let facts = RedisFacts {
        address: server.address().to_string(),
        info: fields(&info),
        save: setting(server, "save").await,
        appendfsync: setting(server, "appendfsync").await,
        min_replicas: setting(server, "min-replicas-to-write")
            .await
            .and_then(|number| number.parse().ok()),
        denied: match dry_run(server, cluster).await {
            Some(denied) => Some(denied),
            None => tried(server).await,
        },
    };
    Ok((facts, clock, now))
}

fn fields(info: &str) -> BTreeMap<String, String> {
    info.lines()
        .filter_map(|line| line.trim_end().split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

async fn setting(server: &ConnectionPool, name: &str) -> Option<String> {
    let mut found: BTreeMap<String, String> = server
        .command(cmd("CONFIG").arg("GET").arg(name))
        .await
        .ok()?;
    found.remove(name)
}

/// The commands of the scripts and those that call them.
fn needed(cluster: bool) -> Vec<Vec<&'static str>> {
    let [session, limit] = KEYS;
    let mut all = vec![
        vec!["SCRIPT LOAD", "return 1"],
        vec!["TIME"],
        vec!["HGET", session, "f"],
        vec!["HMGET", session, "f"],
        vec!["HGETALL", session],
        vec!["HSET", session, "f", "v"],
        vec!["HDEL", session, "f"],
        vec!["RENAME", session, session],
        vec!["PEXPIRE", session, "1"],
        vec!["PTTL", session],
        vec!["GET", limit],
        vec!["SET", limit, "v", "PX", "1"],
    ];
    for key in KEYS {
        all.extend([vec!["EVALSHA", "0", "1", key], vec!["DEL", key]]);
    }
    if cluster {
        all.push(vec!["CLUSTER SLOTS"]);
    }
    all
}

/// Asks with `ACL DRYRUN`, which executes nothing.
async fn dry_run(server: &ConnectionPool, cluster: bool) -> Option<Vec<String>> {
    let user: String = server.command(cmd("ACL").arg("WHOAMI")).await.ok()?;
    let mut denied = Vec::new();
    for words in needed(cluster) {
        let mut dry = cmd("ACL");
        dry.arg("DRYRUN").arg(&user);
        for part in words[0].split(' ').chain(words[1..].iter().copied()) {
            dry.arg(part);
        }
        // OK, or why not.
        let answer: String = server.command(&dry).await.ok()?;
        if answer != "OK" {
            denied.push(words[0].to_owned());
        }
    }
    denied.sort();
    denied.dedup();
    Some(denied)
}

/// Asks with a script that changes nothing, where `ACL` is not allowed.
async fn tried(server: &ConnectionPool) -> Option<Vec<String>> {
    match permissions::denied(server).await {
        Ok(denied) => Some(denied),
        Err(failure) if permissions::is_denied(&failure) => Some(vec!["EVALSHA".to_owned()]),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_that_are_reached_without_tls_are_named() {
        let plain = |url: &str| plain_hosts(&RedisConfig::new(url.to_owned().into()));
        for fine in [
            "redis://localhost",
            "redis://127.0.0.1:7001,[::1]:7002/",
            "rediss://white-list",
            "no URL",
        ] {
            assert_eq!(plain(fine), [""; 0], "{fine}");
        }
        assert_eq!(
            plain("redis://:pw@localhost:1,white-list:2,10.0.0.1:3/"),
            ["white-list", "10.0.0.1"]
        );
    }
}

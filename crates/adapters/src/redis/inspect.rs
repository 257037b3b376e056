//! A look at every Redis that takes part, which changes nothing: what it says of itself, its clock, and whether it would let us work.
//! A hosted Redis may keep some of that to itself.

use super::{
    RedisConfig,
    client::{failure::Failure, pool::Node, server_info, topology::Links, url},
};
use deadpool_redis::redis::{ConnectionAddr, ConnectionInfo, cmd};
use revolve_domain::{model::Timestamp, ports::StoreError};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

const OPERATION: &str = "look at it";
/// Like the names of sessions' and of limits' keys, and none of either. Nothing is done with them: Redis is asked if it could be.
const KEYS: [&str; 2] = ["{doctor}:key", "{limits}:doctor"];

/// What a Redis says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisFacts {
    /// Host and port, or how they are found.
    pub address: String,
    /// The lines of `INFO`.
    pub info: BTreeMap<String, String>,
    /// When it saves snapshots (`CONFIG GET save`); `None` if it does not say.
    pub save: Option<String>,
    /// When its append-only file reaches the disk (`CONFIG GET appendfsync`); `None` if it does not say.
    pub appendfsync: Option<String>,
    /// Replicas without which it takes no writes (`CONFIG GET min-replicas-to-write`); `None` if it does not say.
    pub min_replicas: Option<u64>,
    /// Commands that the user of the URL may not use; `None` if it does not say.
    pub denied: Option<Vec<String>>,
}

/// A Redis that was looked at: its facts, its clock and ours right after.
pub type Looked<T> = (RedisFacts, Timestamp, T);

/// The hosts on other machines that the URL reaches in plain text. None of a URL that can't be read, of which others complain.
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

/// Looks at every server that takes part: one, the master that Sentinels know, or all masters of a cluster. `now` is called right after
/// each clock was read.
///
/// # Errors
/// If Redis can't be found. Each server answers for itself; no error names a password.
pub async fn inspect<T>(
    config: &RedisConfig,
    now: impl Fn() -> T,
) -> Result<Vec<(Arc<str>, Result<Looked<T>, StoreError>)>, StoreError> {
    let failed = |failure: Failure| failure.while_it_should(OPERATION);
    let links = Links::new(config).map_err(|source| failed(Failure::Url { source }))?;
    let (servers, cluster) = links.servers().await.map_err(failed)?;
    let mut looked = Vec::new();
    for server in &servers {
        looked.push((
            server.address(),
            look(server, cluster, &now).await.map_err(failed),
        ));
    }
    links.close();
    Ok(looked)
}

async fn look<T>(server: &Node, cluster: bool, now: impl Fn() -> T) -> Result<Looked<T>, Failure> {
    let info: String = server.command(&cmd("INFO")).await?;
    server_info::check(&info, cluster).map_err(|source| Failure::Unfit {
        address: server.address(),
        source,
    })?;
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
        denied: denied(server, cluster).await,
    };
    Ok((facts, clock, now))
}

fn fields(info: &str) -> BTreeMap<String, String> {
    info.lines()
        .filter_map(|line| line.trim_end().split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

async fn setting(server: &Node, name: &str) -> Option<String> {
    let mut found: BTreeMap<String, String> = server
        .command(cmd("CONFIG").arg("GET").arg(name))
        .await
        .ok()?;
    found.remove(name)
}

/// What the scripts do, and how they are called.
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

/// Asks by `ACL DRYRUN`, which carries nothing out.
async fn denied(server: &Node, cluster: bool) -> Option<Vec<String>> {
    let user: String = server.command(cmd("ACL").arg("WHOAMI")).await.ok()?;
    let mut denied = Vec::new();
    for words in needed(cluster) {
        let mut dry = cmd("ACL");
        dry.arg("DRYRUN").arg(&user);
        for part in words[0].split(' ').chain(words[1..].iter().copied()) {
            dry.arg(part);
        }
        // It says OK, or why not.
        let said: String = server.command(&dry).await.ok()?;
        if said != "OK" {
            denied.push(words[0].to_owned());
        }
    }
    denied.sort();
    denied.dedup();
    Some(denied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_in_plain_text_is_named() {
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

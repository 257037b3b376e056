//! Whether a server can be used, by its `INFO`.

use super::{
    failure::{RedisFailure, UnsuitableServer},
    pool::ConnectionPool,
};
use deadpool_redis::redis::cmd;

/// The server's `INFO`, if the server can be used.
pub(crate) async fn suitable(
    server: &ConnectionPool,
    cluster: bool,
) -> Result<String, RedisFailure> {
    let info: String = server.command(&cmd("INFO")).await?;
    check(&info, cluster).map_err(|source| RedisFailure::Unsuitable {
        address: server.address(),
        source,
    })?;
    Ok(info)
}

fn check(info: &str, cluster: bool) -> Result<(), UnsuitableServer> {
    let version = field(info, "redis_version").unwrap_or("unknown");
    let major: Option<u32> = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    if major.is_none_or(|major| major < 7) {
        return Err(UnsuitableServer::Old {
            found: version.to_owned(),
        });
    }
    match field(info, "redis_mode") {
        Some("sentinel") => return Err(UnsuitableServer::Sentinel),
        Some("cluster") if !cluster => return Err(UnsuitableServer::Cluster),
        Some("standalone") if cluster => return Err(UnsuitableServer::NoCluster),
        _ => {}
    }
    if field(info, "role") == Some("slave") {
        Err(UnsuitableServer::Replica)
    } else {
        Ok(())
    }
}

/// Settings by which this server may lose sessions. A hosted one that does not show a setting is not warned about.
pub(crate) fn warnings(info: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(policy) = field(info, "maxmemory_policy").filter(|&policy| policy != "noeviction") {
        warnings.push(format!(
            "maxmemory-policy is {policy}: Redis may evict live sessions; it should be noeviction"
        ));
    }
    if field(info, "aof_enabled") == Some("0") {
        warnings.push(
            "appendonly is off: a crash of Redis loses the latest sessions and rotations"
                .to_owned(),
        );
    }
    warnings
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n\r\n# Memory\r\nmaxmemory_policy:noeviction\r\n\
                        # Persistence\r\naof_enabled:1\r\n# Replication\r\nrole:master\r\n";

    #[test]
    fn version_seven_can_be_used() {
        assert_eq!(check(GOOD, false), Ok(()));
        assert_eq!(check(&GOOD.replace("7.0.15", "10.2.0"), false), Ok(()));
        assert_eq!(warnings(GOOD), [""; 0]);
    }

    #[test]
    fn other_servers_are_refused_with_the_reason() {
        assert_eq!(
            check(&GOOD.replace("7.0.15", "6.2.14"), false),
            Err(UnsuitableServer::Old {
                found: "6.2.14".to_owned()
            })
        );
        assert_eq!(
            check("no such thing", false),
            Err(UnsuitableServer::Old {
                found: "unknown".to_owned()
            })
        );
        assert_eq!(
            check(&GOOD.replace("standalone", "cluster"), false),
            Err(UnsuitableServer::Cluster)
        );
        assert_eq!(check(&GOOD.replace("standalone", "cluster"), true), Ok(()));
        assert_eq!(check(GOOD, true), Err(UnsuitableServer::NoCluster));
        assert_eq!(
            check(&GOOD.replace("standalone", "sentinel"), false),
            Err(UnsuitableServer::Sentinel)
        );
        let replica =
            check(&GOOD.replace("role:master", "role:slave"), false).expect_err("a replica");
        assert!(replica.is_temporary());
    }

    #[test]
    fn a_server_that_may_lose_sessions_is_warned_about() {
        let warned = warnings(
            &GOOD
                .replace("noeviction", "volatile-lru")
                .replace("aof_enabled:1", "aof_enabled:0"),
        );
        assert_eq!(warned.len(), 2);
        assert!(warned[0].contains("volatile-lru"));
        assert_eq!(
            warnings("redis_version:7.2.4"),
            [""; 0],
            "nothing is reported of what is not known"
        );
    }
}

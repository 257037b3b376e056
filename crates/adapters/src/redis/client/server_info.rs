//! Whether a server will do, by what it says of itself (`INFO`, which needs no more rights than any other command).

/// Why a server will not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
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
}

impl Unfit {
    /// Whether trying again later makes sense: after a failover the same address may lead to the primary.
    pub(crate) fn passes(&self) -> bool {
        *self == Self::Replica
    }
}

/// Refuses a server that the scripts can't run on.
pub(crate) fn check(info: &str, cluster: bool) -> Result<(), Unfit> {
    let version = field(info, "redis_version").unwrap_or("unknown");
    let major: Option<u32> = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    if major.is_none_or(|major| major < 7) {
        return Err(Unfit::Old {
            found: version.to_owned(),
        });
    }
    match field(info, "redis_mode") {
        Some("sentinel") => return Err(Unfit::Sentinel),
        Some("cluster") if !cluster => return Err(Unfit::Cluster),
        Some("standalone") if cluster => return Err(Unfit::NoCluster),
        _ => {}
    }
    if field(info, "role") == Some("slave") {
        Err(Unfit::Replica)
    } else {
        Ok(())
    }
}

/// What an operator should know: how this server may forget sessions. A hosted one that keeps it to itself is believed.
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
    fn a_server_of_seven_will_do() {
        assert_eq!(check(GOOD, false), Ok(()));
        assert_eq!(check(&GOOD.replace("7.0.15", "10.2.0"), false), Ok(()));
        assert_eq!(warnings(GOOD), [""; 0]);
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        assert_eq!(
            check(&GOOD.replace("7.0.15", "6.2.14"), false),
            Err(Unfit::Old {
                found: "6.2.14".to_owned()
            })
        );
        assert_eq!(
            check("no such thing", false),
            Err(Unfit::Old {
                found: "unknown".to_owned()
            })
        );
        assert_eq!(
            check(&GOOD.replace("standalone", "cluster"), false),
            Err(Unfit::Cluster)
        );
        assert_eq!(check(&GOOD.replace("standalone", "cluster"), true), Ok(()));
        assert_eq!(check(GOOD, true), Err(Unfit::NoCluster));
        assert_eq!(
            check(&GOOD.replace("standalone", "sentinel"), false),
            Err(Unfit::Sentinel)
        );
        let replica =
            check(&GOOD.replace("role:master", "role:slave"), false).expect_err("a replica");
        assert!(replica.passes());
    }

    #[test]
    fn a_forgetful_server_is_warned_about() {
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
            "nothing is said of what is not known"
        );
    }
}

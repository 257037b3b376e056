//! The white list of the server profile, server by server.

use super::{clock, finding::Finding};
use crate::{config::Config, http::problem::chain};
use bytesize::ByteSize;
use revolve_adapters::{
    redis::{RedisFacts, inspect},
    system::SystemClock,
};
use revolve_domain::ports::Clock;

/// What clients meet when Redis has lost its data.
const LOST: &str = "everybody signs in again after a restart of Redis: refreshes answer 401 session_unknown";

/// Looks at every Redis that takes part.
pub(super) async fn check(config: &Config, findings: &mut Vec<Finding>) {
    const ADVICE: &str = "look at redis.url, redis.mode and the network between";
    let settings = match config.redis() {
        Ok(settings) => settings,
        Err(error) => return findings.push(Finding::error("redis.reach", error.to_string())),
    };
    let servers = match inspect(&settings, || SystemClock.now()).await {
        Ok(servers) => servers,
        Err(error) => return findings.push(Finding::error("redis.reach", chain(&error)).advise(ADVICE)),
    };
    for (address, looked) in servers {
        match looked {
            Ok((facts, clock, now)) => {
                findings.extend(judge(&facts).into_iter().map(|finding| finding.at(&address)));
                findings.push(clock::judge("redis.clock", clock, now).at(&address));
            }
            Err(error) => findings.push(Finding::error("redis.reach", chain(&error)).advise(ADVICE).at(&address)),
        }
    }
}

fn judge(facts: &RedisFacts) -> Vec<Finding> {
    let version = field(facts, "redis_version").unwrap_or("of an unknown version");
    let reached = Finding::ok("redis.reach", format!("Redis {version}, {}", field(facts, "redis_mode").unwrap_or("standalone")));
    vec![reached, eviction(facts), memory(facts), persistence(facts), replication(facts), permissions(facts.denied.as_deref())]
}

fn field<'a>(facts: &'a RedisFacts, name: &str) -> Option<&'a str> {
    facts.info.get(name).map(String::as_str)
}

fn number(facts: &RedisFacts, name: &str) -> Option<u64> {
    field(facts, name)?.parse().ok()
}

fn eviction(facts: &RedisFacts) -> Finding {
    const CHECK: &str = "redis.eviction";
    match field(facts, "maxmemory_policy") {
        Some("noeviction") => Finding::ok(CHECK, "maxmemory-policy is noeviction"),
        Some(policy) => Finding::error(CHECK, format!("maxmemory-policy is {policy}: when memory runs out, live sessions are thrown away"))
            .advise("set maxmemory-policy noeviction"),
        None => Finding::unknown(CHECK, "it does not say its maxmemory-policy").advise("make sure that it is noeviction"),
    }
}

/// Near the limit: in percent, for a warning and an error.
const NEAR: (u64, u64) = (80, 95);

fn memory(facts: &RedisFacts) -> Finding {
    const CHECK: &str = "redis.memory";
    let (Some(used), Some(max)) = (number(facts, "used_memory"), number(facts, "maxmemory")) else {
        return Finding::unknown(CHECK, "it does not say how much memory it has").advise("watch that it stays below its limit");
    };
    if max == 0 {
        let says = format!("{} are used, and maxmemory is not set: nothing keeps it from taking all of the machine's", ByteSize(used));
        return Finding::warning(CHECK, says)
            .advise("set maxmemory to what the machine can spare; docs/sizing.md says how much sessions take");
    }
    let percent = used.saturating_mul(100) / max;
    let says = format!("{} of {} are used ({percent} %)", ByteSize(used), ByteSize(max));
    let advice = "give it more memory: at the limit nobody can sign in, while refreshes and sign-outs go on";
    match percent {
        percent if percent >= NEAR.1 => Finding::error(CHECK, says).advise(advice),
        percent if percent >= NEAR.0 => Finding::warning(CHECK, says).advise(advice),
        _ => Finding::ok(CHECK, says),
    }
}

fn persistence(facts: &RedisFacts) -> Finding {
    const CHECK: &str = "redis.persistence";
    const ADVICE: &str = "set appendonly yes (and appendfsync everysec): then a crash costs a second at most, which tokens heal";
    let failing = [("aof_last_write_status", "its append-only file"), ("rdb_last_bgsave_status", "a snapshot")];
    if let Some((_, what)) = failing.into_iter().find(|(name, _)| field(facts, name).is_some_and(|status| status != "ok")) {
        return Finding::error(CHECK, format!("it could not write {what} the last time")).advise("look at its log and at its disk");
    }
    match (field(facts, "aof_enabled"), facts.save.as_deref()) {
        (Some("1"), _) => Finding::ok(CHECK, "it has an append-only file"),
        (None, _) => Finding::unknown(CHECK, "it does not say how it keeps its data").advise(ADVICE),
        (Some(_), None) => Finding::unknown(CHECK, "it has no append-only file, and does not say when it saves snapshots")
            .advise(format!("{ADVICE}; without either, {LOST}")),
        (Some(_), Some("")) => Finding::warning(CHECK, format!("it keeps nothing on disk: {LOST}")).advise(ADVICE),
        (Some(_), Some(_)) => {
            let says = "it has snapshots only: a crash loses what came after the last one. Rotations heal; who signed in since then signs in again";
            Finding::warning(CHECK, says).advise(ADVICE)
        }
    }
}

fn replication(facts: &RedisFacts) -> Finding {
    const CHECK: &str = "redis.replication";
    match (number(facts, "connected_slaves"), field(facts, "min_slaves_good_slaves")) {
        (None, _) => Finding::unknown(CHECK, "it does not say if it has replicas"),
        (Some(0), None) => Finding::ok(CHECK, "it has no replicas"),
        (Some(replicas), Some(good)) => {
            Finding::ok(CHECK, format!("it has {replicas} replicas, {good} of them near enough to go on writing"))
        }
        (Some(replicas), None) => {
            let says = format!(
                "it has {replicas} replicas and does not wait for them: a master that is cut off goes on taking writes that are lost"
            );
            Finding::warning(CHECK, says).advise("set min-replicas-to-write 1 and min-replicas-max-lag 10 on every node")
        }
    }
}

fn permissions(denied: Option<&[String]>) -> Finding {
    const CHECK: &str = "redis.permissions";
    match denied {
        Some([]) => Finding::ok(CHECK, "scripts and all commands in them are allowed"),
        Some(denied) => Finding::error(CHECK, format!("the user may not use {}", denied.join(", ")))
            .advise("allow them on the keys {*: ACL SETUSER … ~{* +@read +@write +@scripting +info +ping +time"),
        None => Finding::unknown(CHECK, "it does not say what the user may do")
            .advise("a start of the service finds out if scripts are allowed"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};
    use std::collections::BTreeMap;

    const GOOD: [(&str, &str); 10] = [
        ("redis_version", "7.0.15"),
        ("redis_mode", "standalone"),
        ("maxmemory_policy", "noeviction"),
        ("used_memory", "1000"),
        ("maxmemory", "10000"),
        ("aof_enabled", "1"),
        ("aof_last_write_status", "ok"),
        ("rdb_last_bgsave_status", "ok"),
        ("role", "master"),
        ("connected_slaves", "0"),
    ];

    fn facts(changes: &[(&str, &str)], save: Option<&str>, denied: Option<&[&str]>) -> RedisFacts {
        let mut info: BTreeMap<_, _> = GOOD.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        info.retain(|_, value| value != "(nothing)");
        RedisFacts {
            address: "localhost:6379".to_owned(),
            info,
            save: save.map(str::to_owned),
            denied: denied.map(|denied| denied.iter().map(|word| (*word).to_owned()).collect()),
        }
    }

    fn wrong(facts: &RedisFacts) -> Vec<(&'static str, Level)> {
        judge(facts).into_iter().filter(|finding| finding.level != Level::Ok).map(|finding| (finding.check, finding.level)).collect()
    }

    #[test]
    fn a_good_redis_is_fine() {
        assert_eq!(wrong(&facts(&[], Some(""), Some(&[]))), []);
        let replicated = [("connected_slaves", "2"), ("min_slaves_good_slaves", "2")];
        assert_eq!(wrong(&facts(&replicated, None, Some(&[]))), []);
    }

    #[test]
    fn each_fault_of_a_redis_is_found() {
        use Level::{Error, Unknown, Warning};
        for (changes, save, check, level) in [
            (&[("maxmemory_policy", "allkeys-lru")][..], Some(""), "redis.eviction", Error),
            (&[("maxmemory_policy", "volatile-ttl")], Some(""), "redis.eviction", Error),
            (&[("used_memory", "8000")], Some(""), "redis.memory", Warning),
            (&[("used_memory", "9500")], Some(""), "redis.memory", Error),
            (&[("maxmemory", "0")], Some(""), "redis.memory", Warning),
            (&[("aof_enabled", "0")], Some(""), "redis.persistence", Warning),
            (&[("aof_enabled", "0")], Some("3600 1 300 100"), "redis.persistence", Warning),
            (&[("aof_enabled", "0")], None, "redis.persistence", Unknown),
            (&[("aof_last_write_status", "err")], Some(""), "redis.persistence", Error),
            (&[("connected_slaves", "1")], Some(""), "redis.replication", Warning),
            (&[("maxmemory_policy", "(nothing)")], Some(""), "redis.eviction", Unknown),
        ] {
            let facts = facts(changes, save, Some(&[]));
            assert_eq!(wrong(&facts), [(check, level)], "{changes:?} {save:?}");
        }
    }

    #[test]
    fn what_is_kept_secret_is_not_guessed() {
        assert_eq!(wrong(&facts(&[], None, None)), [("redis.permissions", Level::Unknown)]);
        let denied = facts(&[], None, Some(&["EVALSHA", "RENAME"]));
        assert_eq!(wrong(&denied), [("redis.permissions", Level::Error)]);
        assert!(judge(&denied).iter().any(|finding| finding.says.contains("EVALSHA, RENAME")));
    }

    #[test]
    fn a_redis_that_keeps_nothing_is_said_to_sign_everybody_out() {
        let findings = judge(&facts(&[("aof_enabled", "0")], Some(""), Some(&[])));
        assert!(findings.iter().any(|finding| finding.says.contains("401 session_unknown")), "{findings:?}");
    }
}

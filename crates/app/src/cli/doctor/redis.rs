//! The white list of the server profile, server by server.

use super::{clock, finding::Finding, network::encryption};
use crate::{
    composition::settings,
    config::{Config, RedisModeName},
};
use bytesize::ByteSize;
use revolve_adapters::{
    redis::{RedisFacts, inspect, plain_hosts},
    system::SystemClock,
};
use revolve_domain::ports::Clock;
use revolve_observe::telemetry::chain;

/// What clients meet when Redis has lost its data.
const LOST: &str = "all users have to sign in again after a restart of Redis: refreshes answer 401 session_unknown";

/// Looks at every Redis that takes part.
pub(super) async fn check(config: &Config, findings: &mut Vec<Finding>) {
    let settings = match settings::redis(config) {
        Ok(settings) => settings,
        Err(error) => return findings.push(Finding::error("redis.reach", error.to_string())),
    };
    findings.push(encryption(
        "redis.encryption",
        &plain_hosts(&settings),
        "write rediss:// in redis.url, and give Redis a tls-port",
    ));
    let cluster = config.redis.mode == RedisModeName::Cluster;
    let servers = match inspect(&settings, || SystemClock.now()).await {
        Ok(servers) => servers,
        Err(error) => return findings.push(unreached(&chain(&error), cluster)),
    };
    for (address, looked) in servers {
        match looked {
            Ok((facts, clock, now)) => {
                findings.extend(
                    judge(&facts, cluster)
                        .into_iter()
                        .map(|finding| finding.at(&address)),
                );
                findings.push(clock::judge("redis.clock", clock, now).at(&address));
            }
            Err(error) => findings.push(unreached(&chain(&error), cluster).at(&address)),
        }
    }
}

fn unreached(why: &str, cluster: bool) -> Finding {
    // What Redis says of a command that the user may not use.
    let denied = why.to_ascii_uppercase().contains("NOPERM");
    let advice = if denied {
        rights(cluster)
    } else {
        "look at redis.url, redis.mode and the network between".to_owned()
    };
    Finding::error("redis.reach", why).advise(advice)
}

fn judge(facts: &RedisFacts, cluster: bool) -> Vec<Finding> {
    let version = field(facts, "redis_version").unwrap_or("of an unknown version");
    let reached = Finding::ok(
        "redis.reach",
        format!(
            "Redis {version}, {}",
            field(facts, "redis_mode").unwrap_or("standalone")
        ),
    );
    let permissions = permissions(facts.denied.as_deref(), cluster);
    vec![
        reached,
        eviction(facts),
        memory(facts),
        persistence(facts),
        replication(facts),
        permissions,
    ]
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
        Some(policy) => Finding::error(
            CHECK,
            format!(
                "maxmemory-policy is {policy}: when memory runs out, live sessions are thrown away"
            ),
        )
        .advise("set maxmemory-policy noeviction"),
        None => Finding::unknown(CHECK, "it does not say its maxmemory-policy")
            .advise("make sure that it is noeviction"),
    }
}

/// Near the limit: in percent, for a warning and an error.
const NEAR: (u64, u64) = (80, 95);

fn memory(facts: &RedisFacts) -> Finding {
    const CHECK: &str = "redis.memory";
    let (Some(used), Some(max)) = (number(facts, "used_memory"), number(facts, "maxmemory")) else {
        return Finding::unknown(CHECK, "it does not say how much memory it has")
            .advise("watch that it stays below its limit");
    };
    if max == 0 {
        let says = format!(
            "{} are used, and maxmemory is not set: nothing keeps it from taking all of the machine's",
            ByteSize(used)
        );
        return Finding::warning(CHECK, says)
            .advise("set maxmemory to what the machine can spare; docs/sizing.md says how much sessions take");
    }
    let percent = used.saturating_mul(100) / max;
    let says = format!(
        "{} of {} are used ({percent} %)",
        ByteSize(used),
        ByteSize(max)
    );
    let advice =
        "give it more memory: at the limit nobody can sign in, while refreshes and sign-outs go on";
    match percent {
        percent if percent >= NEAR.1 => Finding::error(CHECK, says).advise(advice),
        percent if percent >= NEAR.0 => Finding::warning(CHECK, says).advise(advice),
        _ => Finding::ok(CHECK, says),
    }
}

fn persistence(facts: &RedisFacts) -> Finding {
    const CHECK: &str = "redis.persistence";
    const ADVICE: &str = "set appendonly yes, and appendfsync everysec or always";
    let failing = [
        ("aof_last_write_status", "its append-only file"),
        ("rdb_last_bgsave_status", "a snapshot"),
    ];
    if let Some((_, what)) = failing
        .into_iter()
        .find(|(name, _)| field(facts, name).is_some_and(|status| status != "ok"))
    {
        return Finding::error(CHECK, format!("it could not write {what} the last time"))
            .advise("look at its log and at its disk");
    }
    match (field(facts, "aof_enabled"), facts.save.as_deref()) {
        (Some("1"), _) => appended(facts.appendfsync.as_deref()),
        (None, _) => {
            Finding::unknown(CHECK, "it does not say how it keeps its data").advise(ADVICE)
        }
        (Some(_), None) => Finding::unknown(
            CHECK,
            "it has no append-only file, and does not say when it saves snapshots",
        )
        .advise(format!("{ADVICE}; without either, {LOST}")),
        (Some(_), Some("")) => {
            Finding::warning(CHECK, format!("it keeps nothing on disk: {LOST}")).advise(ADVICE)
        }
        (Some(_), Some(_)) => {
            let says = "it has snapshots only: a crash loses what came after the last one. Rotations heal; who signed in since then signs in again";
            Finding::warning(CHECK, says).advise(ADVICE)
        }
    }
}

/// What a crash costs that has an append-only file.
fn appended(sync: Option<&str>) -> Finding {
    const CHECK: &str = "redis.persistence";
    match sync {
        Some("always") => Finding::ok(CHECK, "its append-only file is on the disk before it answers (appendfsync always): a crash loses nothing"),
        Some("everysec") => Finding::ok(
            CHECK,
            "it has an append-only file, on the disk each second (appendfsync everysec): a crash may lose the sessions of the last second or \
             two, whose next refresh answers 401 session_unknown once",
        ),
        Some(other) => Finding::warning(
            CHECK,
            format!(
                "it leaves it to the system when its append-only file is on the disk (appendfsync {other}): a crash may lose the sessions of \
                 the last 30 s or more, whose next refresh answers 401 session_unknown once"
            ),
        )
        .advise("set appendfsync everysec, or always"),
        None => Finding::unknown(CHECK, "it has an append-only file, and does not say how often that is on the disk")
            .advise("ask as a user who may: redis-cli CONFIG GET appendfsync; it should be everysec or always, not no"),
    }
}

fn replication(facts: &RedisFacts) -> Finding {
    const CHECK: &str = "redis.replication";
    const LEAST: &str = "set min-replicas-to-write 1 and min-replicas-max-lag 10 on every node";
    // It counts them if it waits for them, and only then.
    let (replicas, near) = (
        number(facts, "connected_slaves"),
        number(facts, "min_slaves_good_slaves"),
    );
    let least = facts.min_replicas.unwrap_or(1);
    match (replicas, near) {
        (_, Some(near)) if near < least => {
            let says = format!(
                "it refuses every write: {near} replicas are near enough, of {least} that it waits for (min-replicas-to-write)"
            );
            Finding::error(CHECK, says)
                .advise("bring the replicas back, or lower min-replicas-to-write; until then nobody signs in or refreshes")
        }
        (None, _) => Finding::unknown(CHECK, "it does not say if it has replicas")
            .advise(format!("if it has any, {LEAST}")),
        (Some(0), None) => Finding::ok(CHECK, "it has no replicas"),
        (Some(replicas), Some(near)) => Finding::ok(
            CHECK,
            format!("it has {replicas} replicas, {near} of them near enough to go on writing"),
        ),
        (Some(replicas), None) => {
            let says = format!(
                "it has {replicas} replicas and does not wait for them: a master that is cut off goes on taking writes that are lost"
            );
            Finding::warning(CHECK, says).advise(LEAST)
        }
    }
}

fn permissions(denied: Option<&[String]>, cluster: bool) -> Finding {
    const CHECK: &str = "redis.permissions";
    match denied {
        Some([]) => Finding::ok(CHECK, "scripts and all commands in them are allowed"),
        Some(denied) => {
            Finding::error(CHECK, format!("the user may not use {}", denied.join(", ")))
                .advise(rights(cluster))
        }
        None => Finding::unknown(CHECK, "it does not say what the user may do")
            .advise("look again when it takes scripts; a start checks the same"),
    }
}

/// What the user of the URL needs.
fn rights(cluster: bool) -> String {
    let more = if cluster { " +cluster|slots" } else { "" };
    format!(
        "allow what is needed, on the keys {{*: ACL SETUSER … ~{{* +@read +@write +@scripting +info +ping +time{more}"
    )
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
        let mut info: BTreeMap<_, _> = GOOD
            .iter()
            .chain(changes)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        info.retain(|_, value| value != "(nothing)");
        RedisFacts {
            address: "localhost:6379".to_owned(),
            info,
            save: save.map(str::to_owned),
            appendfsync: Some("always".to_owned()),
            min_replicas: None,
            denied: denied.map(|denied| denied.iter().map(|word| (*word).to_owned()).collect()),
        }
    }

    fn wrong(facts: &RedisFacts) -> Vec<(&'static str, Level)> {
        judge(facts, false)
            .into_iter()
            .filter(|finding| finding.level != Level::Ok)
            .map(|finding| (finding.check, finding.level))
            .collect()
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
            (
                &[("maxmemory_policy", "allkeys-lru")][..],
                Some(""),
                "redis.eviction",
                Error,
            ),
            (
                &[("maxmemory_policy", "volatile-ttl")],
                Some(""),
                "redis.eviction",
                Error,
            ),
            (
                &[("used_memory", "8000")],
                Some(""),
                "redis.memory",
                Warning,
            ),
            (&[("used_memory", "9500")], Some(""), "redis.memory", Error),
            (&[("maxmemory", "0")], Some(""), "redis.memory", Warning),
            (
                &[("aof_enabled", "0")],
                Some(""),
                "redis.persistence",
                Warning,
            ),
            (
                &[("aof_enabled", "0")],
                Some("3600 1 300 100"),
                "redis.persistence",
                Warning,
            ),
            (&[("aof_enabled", "0")], None, "redis.persistence", Unknown),
            (
                &[("aof_last_write_status", "err")],
                Some(""),
                "redis.persistence",
                Error,
            ),
            (
                &[("connected_slaves", "1")],
                Some(""),
                "redis.replication",
                Warning,
            ),
            (
                &[("connected_slaves", "0"), ("min_slaves_good_slaves", "0")],
                Some(""),
                "redis.replication",
                Error,
            ),
            (
                &[("connected_slaves", "2"), ("min_slaves_good_slaves", "0")],
                Some(""),
                "redis.replication",
                Error,
            ),
            (
                &[("maxmemory_policy", "(nothing)")],
                Some(""),
                "redis.eviction",
                Unknown,
            ),
        ] {
            let facts = facts(changes, save, Some(&[]));
            assert_eq!(wrong(&facts), [(check, level)], "{changes:?} {save:?}");
        }
    }

    #[test]
    fn a_master_that_waits_for_more_replicas_than_it_has_refuses_every_write() {
        let replicated = facts(
            &[("connected_slaves", "2"), ("min_slaves_good_slaves", "1")],
            None,
            Some(&[]),
        );
        for (least, level) in [
            (None, Level::Ok),
            (Some(1), Level::Ok),
            (Some(2), Level::Error),
        ] {
            let finding = replication(&RedisFacts {
                min_replicas: least,
                ..replicated.clone()
            });
            assert_eq!(finding.level, level, "{least:?}: {finding:?}");
        }
    }

    #[test]
    fn it_is_said_what_a_crash_costs() {
        for (sync, level, says) in [
            (Some("always"), Level::Ok, "loses nothing"),
            (Some("everysec"), Level::Ok, "401 session_unknown once"),
            (Some("no"), Level::Warning, "30 s or more"),
            (None, Level::Unknown, "does not say"),
        ] {
            let mut facts = facts(&[], Some("3600 1"), Some(&[]));
            facts.appendfsync = sync.map(str::to_owned);
            let finding = persistence(&facts);
            assert_eq!(
                (finding.level, finding.advice.is_some()),
                (level, level != Level::Ok),
                "{sync:?}: {finding:?}"
            );
            assert!(finding.says.contains(says), "{finding:?}");
        }
    }

    #[test]
    fn what_a_user_needs_depends_on_the_mode() {
        assert!(
            unreached("connection refused", true)
                .advice
                .unwrap()
                .contains("the network between")
        );
        let denied = ["CLUSTER SLOTS".to_owned()];
        for cluster in [false, true] {
            let advice = permissions(Some(&denied), cluster).advice.unwrap();
            assert_eq!(
                advice.ends_with(" +time +cluster|slots"),
                cluster,
                "{advice}"
            );
            let reach = unreached(
                "NoPerm: this user has no permissions to run the 'cluster|slots' command",
                cluster,
            );
            assert_eq!(reach.advice, Some(advice));
        }
    }

    #[test]
    fn what_is_kept_secret_is_not_guessed() {
        assert_eq!(
            wrong(&facts(&[], None, None)),
            [("redis.permissions", Level::Unknown)]
        );
        let denied = facts(&[], None, Some(&["EVALSHA", "RENAME"]));
        assert_eq!(wrong(&denied), [("redis.permissions", Level::Error)]);
        assert!(
            judge(&denied, false)
                .iter()
                .any(|finding| finding.says.contains("EVALSHA, RENAME"))
        );
    }

    #[test]
    fn a_redis_that_keeps_nothing_is_said_to_sign_everybody_out() {
        let findings = judge(&facts(&[("aof_enabled", "0")], Some(""), Some(&[])), false);
        assert!(
            findings
                .iter()
                .any(|finding| finding.says.contains("401 session_unknown")),
            "{findings:?}"
        );
    }
}

//! How others reach the service and it the stores: the issuer's URL, whose address a request has, and what goes over the network in
//! plain text.

use super::finding::Finding;
use crate::config::{Config, Profile};
use std::time::Duration;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let http = &config.http;
    let reach = Reach {
        loopback: http.listen.ip().is_loopback(),
        tls: http.tls.is_on(),
        proxies: !http.trusted_proxies.is_empty(),
        https: config.tokens.issuer.starts_with("https://"),
    };
    vec![
        issuer(
            config.profile == Profile::Server,
            &config.tokens.issuer,
            reach,
        ),
        addresses(reach),
        keep_alive(http.keep_alive, reach),
    ]
}

/// How long common load balancers keep an idle connection to a service.
const KEPT_BY_PROXIES: Duration = Duration::from_mins(1);

/// How clients come to the service.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "settings that are on or off, each by itself"
)]
struct Reach {
    /// It listens on this machine only.
    loopback: bool,
    /// It speaks TLS itself.
    tls: bool,
    /// Proxies are known.
    proxies: bool,
    /// The issuer's URL is https.
    https: bool,
}

fn issuer(server: bool, issuer: &str, reach: Reach) -> Finding {
    const CHECK: &str = "http.issuer";
    if reach.https {
        return Finding::ok(CHECK, format!("tokens.issuer is {issuer}"));
    }
    let says = format!("tokens.issuer is {issuer}, which is not https");
    if server || !reach.loopback || reach.proxies {
        let advice = "set tokens.issuer to the public https URL: without it cookies go without Secure, and tokens can be read on the way";
        Finding::warning(CHECK, says).advise(advice)
    } else {
        Finding::ok(
            CHECK,
            format!("{says}: fine as long as it is for this machine only"),
        )
    }
}

fn addresses(reach: Reach) -> Finding {
    const CHECK: &str = "http.addresses";
    const ADVICE: &str = "name the proxies in http.trusted_proxies: otherwise all clients have their address and share its limits; \
                          without a proxy set http.tls";
    match reach {
        Reach { proxies: true, .. } => Finding::ok(
            CHECK,
            "clients' addresses come from the proxies in http.trusted_proxies",
        ),
        Reach {
            tls: true,
            loopback: false,
            ..
        } => Finding::ok(CHECK, "clients reach it directly, in TLS"),
        Reach {
            loopback: true,
            tls: false,
            https: true,
            ..
        } => {
            let says = "it listens on this machine only, in plain text, and tokens.issuer is https: a proxy stands before it, which \
                        http.trusted_proxies does not name";
            Finding::warning(CHECK, says).advise(ADVICE)
        }
        Reach { loopback: true, .. } => Finding::ok(CHECK, "it listens on this machine only"),
        Reach { .. } => Finding::warning(
            CHECK,
            "it listens beyond this machine in plain text, and http.trusted_proxies is empty",
        )
        .advise(ADVICE),
    }
}

fn keep_alive(kept: Duration, reach: Reach) -> Finding {
    const CHECK: &str = "http.keep_alive";
    let says = format!(
        "connections without a request are kept for {} s",
        kept.as_secs()
    );
    let is_behind_a_proxy = reach.proxies || (reach.loopback && reach.https && !reach.tls);
    if !is_behind_a_proxy || kept > KEPT_BY_PROXIES {
        return Finding::ok(CHECK, says);
    }
    Finding::warning(
        CHECK,
        format!("{says}, and many proxies keep theirs for 60 s: one that sends a request as its connection ends answers 502"),
    )
    .advise("set http.keep_alive to more than your proxy's idle timeout, or leave it at 75 s")
}

/// Hosts on other machines to which passwords and the rest go in plain text, and how to change that.
pub(super) fn encryption(check: &'static str, hosts: &[String], how: &str) -> Finding {
    if hosts.is_empty() {
        return Finding::ok(
            check,
            "what is said to it is encrypted, or does not leave this machine",
        );
    }
    let says = format!(
        "its password and all that is said to {} go over the network in plain text",
        hosts.join(", ")
    );
    Finding::warning(check, says).advise(format!(
        "{how}, unless no one else has access to the network between"
    ))
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    const HERE: Reach = Reach {
        loopback: true,
        tls: false,
        proxies: false,
        https: false,
    };

    #[test]
    fn whoever_is_reached_from_elsewhere_has_an_issuer_in_https() {
        for (server, reach, level) in [
            (false, HERE, Level::Ok),
            (true, HERE, Level::Warning),
            (
                false,
                Reach {
                    proxies: true,
                    ..HERE
                },
                Level::Warning,
            ),
            (
                false,
                Reach {
                    loopback: false,
                    ..HERE
                },
                Level::Warning,
            ),
            (
                false,
                Reach {
                    loopback: false,
                    tls: true,
                    ..HERE
                },
                Level::Warning,
            ),
            (
                true,
                Reach {
                    https: true,
                    ..HERE
                },
                Level::Ok,
            ),
            (
                false,
                Reach {
                    https: true,
                    loopback: false,
                    ..HERE
                },
                Level::Ok,
            ),
        ] {
            assert_eq!(
                issuer(server, "http://localhost:8080", reach).level,
                level,
                "{server} {reach:?}"
            );
        }
    }

    #[test]
    fn whoever_listens_to_the_world_knows_proxies_or_tls() {
        for (reach, level) in [
            (HERE, Level::Ok),
            (
                Reach {
                    tls: true,
                    https: true,
                    ..HERE
                },
                Level::Ok,
            ),
            (
                Reach {
                    https: true,
                    ..HERE
                },
                Level::Warning,
            ),
            (
                Reach {
                    https: true,
                    proxies: true,
                    ..HERE
                },
                Level::Ok,
            ),
            (
                Reach {
                    loopback: false,
                    tls: true,
                    ..HERE
                },
                Level::Ok,
            ),
            (
                Reach {
                    loopback: false,
                    proxies: true,
                    ..HERE
                },
                Level::Ok,
            ),
            (
                Reach {
                    loopback: false,
                    ..HERE
                },
                Level::Warning,
            ),
        ] {
            assert_eq!(addresses(reach).level, level, "{reach:?}");
        }
    }

    #[test]
    fn whoever_is_behind_a_proxy_keeps_connections_for_longer_than_it() {
        let behind = Reach {
            proxies: true,
            ..HERE
        };
        let unknown = Reach {
            https: true,
            ..HERE
        };
        for (seconds, reach, level) in [
            (75, behind, Level::Ok),
            (61, behind, Level::Ok),
            (60, behind, Level::Warning),
            (15, unknown, Level::Warning),
            (15, HERE, Level::Ok),
            (
                15,
                Reach {
                    tls: true,
                    ..unknown
                },
                Level::Ok,
            ),
        ] {
            let found = keep_alive(Duration::from_secs(seconds), reach);
            assert_eq!(found.level, level, "{seconds} {reach:?}");
        }
    }

    #[test]
    fn plain_text_to_other_machines_is_said() {
        assert_eq!(encryption("a.encryption", &[], "do").level, Level::Ok);
        let found = encryption(
            "a.encryption",
            &["one".to_owned(), "two".to_owned()],
            "write rediss://",
        );
        assert!(
            found.level == Level::Warning && found.says.contains("one, two"),
            "{found:?}"
        );
        assert!(found.advice.unwrap().starts_with("write rediss://"));
    }
}

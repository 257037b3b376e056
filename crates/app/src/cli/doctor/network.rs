//! How others reach the service: the issuer's URL, and whose address a request has.

use super::finding::Finding;
use crate::config::{Config, Profile};

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let http = &config.http;
    vec![
        issuer(config.profile == Profile::Server, &config.tokens.issuer),
        addresses(http.listen.ip().is_loopback(), http.tls.is_on(), !http.trusted_proxies.is_empty()),
    ]
}

fn issuer(server: bool, issuer: &str) -> Finding {
    const CHECK: &str = "http.issuer";
    if issuer.starts_with("https://") {
        return Finding::ok(CHECK, format!("tokens.issuer is {issuer}"));
    }
    let says = format!("tokens.issuer is {issuer}, which is not https");
    if server {
        let advice =
            "set tokens.issuer to the public https URL: without it cookies go without Secure, and whoever is on the way reads tokens";
        Finding::warning(CHECK, says).advise(advice)
    } else {
        Finding::ok(CHECK, format!("{says}: fine on this machine"))
    }
}

fn addresses(loopback: bool, tls: bool, proxies: bool) -> Finding {
    const CHECK: &str = "http.addresses";
    match (loopback, tls, proxies) {
        (_, _, true) => Finding::ok(CHECK, "clients' addresses come from the proxies in http.trusted_proxies"),
        (true, _, false) => Finding::ok(CHECK, "it listens on this machine only"),
        (false, true, false) => Finding::ok(CHECK, "clients reach it directly, in TLS"),
        (false, false, false) => Finding::warning(CHECK, "it listens beyond this machine in plain text, and http.trusted_proxies is empty")
            .advise(
                "name the proxies in http.trusted_proxies: otherwise all clients have their address and share its limits; \
                 without a proxy set http.tls",
            ),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn an_issuer_of_the_server_profile_is_https() {
        for (server, url, level) in [
            (true, "https://a.example.org", Level::Ok),
            (true, "http://a.example.org", Level::Warning),
            (false, "http://localhost:8080", Level::Ok),
        ] {
            assert_eq!(issuer(server, url).level, level, "{url}");
        }
    }

    #[test]
    fn whoever_listens_to_the_world_knows_proxies_or_tls() {
        for (loopback, tls, proxies, level) in [
            (true, false, false, Level::Ok),
            (false, true, false, Level::Ok),
            (false, false, true, Level::Ok),
            (false, false, false, Level::Warning),
        ] {
            assert_eq!(addresses(loopback, tls, proxies).level, level, "{loopback} {tls} {proxies}");
        }
    }
}

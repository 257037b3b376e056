//! Settings that give up what `docs/security.md` promises: allowed, for those who know why.

use super::finding::Finding;
use crate::config::{Config, Limits, ReusePolicyName};
use revolve_domain::limits::{Limit, LimitName};
use std::time::Duration;

/// An ID token that lives longer outlives a sign-out for long, at services that check it offline.
const LONG: Duration = Duration::from_hours(1);

pub(super) fn check(config: &Config) -> Vec<Finding> {
    vec![
        reuse(config.sessions.reuse_policy),
        limits(&config.limits),
        id_tokens(config.tokens.id_lifetime),
    ]
}

fn reuse(policy: ReusePolicyName) -> Finding {
    const CHECK: &str = "policy.reuse";
    match policy {
        ReusePolicyName::Revoke => Finding::ok(CHECK, "a refresh token that comes back too late ends its session"),
        ReusePolicyName::Reject => {
            Finding::warning(CHECK, "a refresh token that comes back too late is refused, and its session goes on, the thief's as well")
                .advise("set sessions.reuse_policy to \"revoke\" when you have watched for long enough")
        }
    }
}

fn limits(limits: &Limits) -> Finding {
    const CHECK: &str = "policy.limits";
    let policy = limits.policy();
    let off: Vec<_> = LimitName::PASSWORD
        .iter()
        .filter(|&&name| policy.limit(name) == Limit::Off)
        .map(|name| name.as_str())
        .collect();
    let says = match (limits.enabled, off.as_slice()) {
        (true, []) => return Finding::ok(CHECK, "guessing passwords is slowed down"),
        (true, off) => format!("guessing passwords is not limited by {}", off.join(" and ")),
        (false, _) => {
            "nothing is limited: passwords can be guessed as fast as they are hashed".to_owned()
        }
    };
    Finding::warning(CHECK, says)
        .advise("leave [limits] as it comes, unless something before the service does the same")
}

fn id_tokens(life: Duration) -> Finding {
    const CHECK: &str = "policy.id_tokens";
    let says = format!(
        "services that check ID tokens offline may take one for {} min after its session has ended",
        life.as_secs().div_ceil(60)
    );
    if life > LONG {
        Finding::warning(CHECK, says)
            .advise("shorten tokens.id_lifetime, or have those services follow the revocation feed")
    } else {
        Finding::ok(CHECK, says)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn what_gives_up_a_promise_is_said() {
        let config = Config::default();
        assert!(
            check(&config)
                .iter()
                .all(|finding| finding.level == Level::Ok),
            "the defaults keep them all"
        );
        let off = Limits {
            password_per_address: Limit::Off.into(),
            ..Limits::default()
        };
        let loose = [
            reuse(ReusePolicyName::Reject),
            limits(&Limits {
                enabled: false,
                ..Limits::default()
            }),
            limits(&off),
            id_tokens(Duration::from_secs(3601)),
        ];
        for finding in &loose {
            assert!(
                finding.level == Level::Warning && finding.advice.is_some(),
                "{finding:?}"
            );
        }
        assert!(
            loose[2].says.ends_with("by password_per_address"),
            "{loose:?}"
        );
    }
}

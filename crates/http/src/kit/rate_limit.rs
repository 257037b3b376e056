//! The `RateLimit` and `RateLimit-Policy` headers (draft-ietf-httpapi-ratelimit-headers), which let clients pace themselves.
//!
//! The policy is the same for all clients and on every answer. What is left is said only of the budget that refused, and of a
//! session's own refreshes: what is left of an account's or an address's budget would tell a stranger what others do.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use revolve_domain::{
    limits::{LimitName, LiveLimits, Rate},
    use_cases::{LimitBudget, Limited},
};
use std::{fmt::Write, time::Duration};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub(crate) const LEVEL: HeaderName = HeaderName::from_static("ratelimit");

/// Whole seconds, rounded up, so that no client comes back too early.
pub(crate) fn seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// What is left of a budget.
pub(crate) fn level(budget: &LimitBudget) -> String {
    format!(
        "\"{}\";r={};t={}",
        budget.limit.as_str(),
        budget.level.remaining,
        seconds(budget.level.full_after)
    )
}

/// Nothing is left until then.
pub(crate) fn nothing_left(limited: &Limited) -> String {
    format!(
        "\"{}\";r=0;t={}",
        limited.limit.as_str(),
        seconds(limited.retry_after)
    )
}

fn policy(rates: &[(LimitName, Rate)]) -> String {
    let mut text = String::new();
    for (name, rate) in rates {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{comma}\"{}\";q={};w={}",
            name.as_str(),
            rate.burst(),
            seconds(rate.window())
        );
    }
    text
}

/// Names the policy of these limits in the answer.
pub(crate) async fn with_policy(
    names: &'static [LimitName],
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let limits = request
        .app_data::<Data<LiveLimits>>()
        .map(|limits| limits.get());
    let rates: Vec<_> = limits
        .iter()
        .flat_map(|limits| {
            names
                .iter()
                .filter_map(|&name| Some((name, limits.limit(name).rate()?)))
        })
        .collect();
    let mut response = next.call(request).await?;
    if !rates.is_empty()
        && let Ok(value) = HeaderValue::try_from(policy(&rates))
    {
        response.headers_mut().insert(POLICY, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::ports::BucketLevel;

    #[test]
    fn headers_are_written_as_the_draft_says() {
        let rate = "10/15m".parse().unwrap();
        let (account, address) = (LimitName::PasswordPerAccount, LimitName::PasswordPerAddress);
        assert_eq!(
            policy(&[(account, rate), (address, "60/10m".parse().unwrap())]),
            "\"password_per_account\";q=10;w=900, \"password_per_address\";q=60;w=600"
        );
        let limited = Limited {
            limit: account,
            rate,
            retry_after: Duration::from_millis(89_001),
        };
        assert_eq!(nothing_left(&limited), "\"password_per_account\";r=0;t=90");
        let level_of = BucketLevel {
            remaining: 7,
            full_after: Duration::from_secs(3),
        };
        assert_eq!(
            level(&LimitBudget {
                limit: LimitName::RefreshPerSession,
                rate,
                level: level_of
            }),
            "\"refresh_per_session\";r=7;t=3"
        );
    }
}

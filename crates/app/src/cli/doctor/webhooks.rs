//! Whether webhooks take their events.

use super::finding::Finding;
use revolve_domain::{
    model::Timestamp,
    webhooks::{DisabledReason, Webhook},
};
use std::time::Duration;

const CHECK: &str = "webhooks.endpoints";
/// How long one may fail before something is wrong. The alert has the same bound.
const LONG: Duration = Duration::from_hours(1);

pub(super) fn check(webhooks: &[Webhook], now: Timestamp) -> Finding {
    let is_off = |webhook: &&Webhook| {
        let off = [DisabledReason::Failing, DisabledReason::Gone];
        webhook.disabled.is_some_and(|reason| off.contains(&reason))
    };
    let fails = |webhook: &&Webhook| {
        webhook.disabled.is_none()
            && webhook
                .failing_since
                .is_some_and(|since| now.since(since) > LONG)
    };
    let off: Vec<_> = webhooks.iter().filter(is_off).map(named).collect();
    let failing: Vec<_> = webhooks.iter().filter(fails).map(named).collect();
    if !failing.is_empty() {
        let says = format!(
            "these have failed for more than an hour: {}",
            failing.join(", ")
        );
        Finding::warning(CHECK, says).advise(
            "see why with revolve webhooks show; if none works, may this machine connect there?",
        )
    } else if !off.is_empty() {
        let says = format!(
            "these were switched off, since they failed or wanted no more: {}",
            off.join(", ")
        );
        Finding::warning(CHECK, says).advise(
            "mend their programs, then revolve webhooks update --enable and replay; or delete them",
        )
    } else if webhooks.is_empty() {
        Finding::ok(CHECK, "there are none")
    } else {
        Finding::ok(CHECK, format!("none of {} fails for long", webhooks.len()))
    }
}

fn named(webhook: &Webhook) -> String {
    format!("{} ({})", webhook.name.as_str(), webhook.id)
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};
    use revolve_domain::{
        keys::SealedKey,
        model::{Label, WebhookId},
        webhooks::{EventFilter, WebhookUrl},
    };

    fn webhook(disabled: Option<DisabledReason>, failing_since: Option<Timestamp>) -> Webhook {
        let made = Timestamp::from_seconds(0);
        Webhook {
            id: WebhookId::from_random([1; 16]),
            name: Label::parse("crm").unwrap(),
            url: WebhookUrl::parse("https://crm.example.org").unwrap(),
            events: EventFilter::default(),
            secret: SealedKey::new(vec![1]),
            previous: None,
            disabled,
            created_at: made,
            since: made,
            failing_since,
            last_error: None,
            version: 0,
        }
    }

    #[test]
    fn what_fails_for_long_or_was_switched_off_is_named() {
        let now = Timestamp::from_seconds(1_900_000_000);
        let ago = |minutes: u64| Some(now.minus(Duration::from_mins(minutes)));
        for (disabled, failing_since, level, says) in [
            (None, None, Level::Ok, "none of 2"),
            (None, ago(60), Level::Ok, "none of 2"),
            (None, ago(61), Level::Warning, "an hour: crm (01010101-"),
            (
                Some(DisabledReason::Failing),
                ago(61),
                Level::Warning,
                "off, since they failed or wanted no more: crm",
            ),
            (
                Some(DisabledReason::Gone),
                None,
                Level::Warning,
                "switched off",
            ),
            (
                Some(DisabledReason::Operator),
                ago(61),
                Level::Ok,
                "none of 2",
            ),
        ] {
            let all = [webhook(None, None), webhook(disabled, failing_since)];
            let finding = check(&all, now);
            assert_eq!(finding.level, level, "{finding:?}");
            assert!(finding.says.contains(says), "{finding:?}");
            assert_eq!(finding.advice.is_some(), level == Level::Warning);
        }
        assert_eq!(check(&[], now).level, Level::Ok);
    }
}

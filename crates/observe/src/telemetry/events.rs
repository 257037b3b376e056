//! Security events as structured log lines.

use revolve_domain::{
    journal::MailKind,
    limits::LimitName,
    model::{EndReason, FactorKind, Generation},
    ports::{EventFields, SecurityEvent, SecurityEvents, Severity},
    webhooks::DisabledReason,
};
use std::time::Duration;
use tracing::{info, warn};

/// Writes each event as one line with the target `revolve::security`.
pub struct LogEvents;

/// One line with the fields that the event has: what is `None` is not written.
macro_rules! line {
    ($level:ident, $name:expr, $fields:expr) => {{
        let EventFields {
            user,
            session,
            kept,
            reason,
            limit,
            presented,
            live,
            lost,
            gap,
            late,
            session_address,
            address,
            revoked,
            delivery,
            mail,
            webhook,
            cause,
            factor,
            left,
            // Chosen by the client, and by the operator.
            device: _,
            note: _,
            changed,
            key,
            api_key,
        } = $fields;
        $level!(
            target: "revolve::security",
            event = $name,
            limit = limit.map(LimitName::as_str),
            user = user.map(display),
            session = session.map(display),
            kept = kept.map(display),
            reason = reason.map(EndReason::name),
            presented = presented.map(Generation::number),
            live = live.map(Generation::number),
            lost = lost.map(Generation::number),
            gap_seconds = gap.as_ref().map(Duration::as_secs_f64),
            late,
            session_address = session_address.map(display),
            address = address.map(display),
            revoked,
            delivery = delivery.map(display),
            mail = mail.map(MailKind::as_str),
            webhook = webhook.map(display),
            cause = cause.map(DisabledReason::as_str),
            factor = factor.map(FactorKind::as_str),
            left,
            changed = changed.map(display),
            key = key.map(display),
            api_key = api_key.map(display),
        );
    }};
}

impl SecurityEvents for LogEvents {
    fn record(&self, event: SecurityEvent) {
        let (name, fields) = (event.name(), event.fields());
        match event.severity() {
            Severity::Info => line!(info, name, fields),
            Severity::Warning => line!(warn, name, fields),
        }
    }
}

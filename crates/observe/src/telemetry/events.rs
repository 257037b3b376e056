//! Security events as structured log lines.

use revolve_domain::ports::{SecurityEvent, SecurityEvents};
use tracing::{info, warn};

/// Writes each event as one line with the target `revolve::security`.
pub struct LogEvents;

/// The target of the lines.
const TARGET: &str = "revolve::security";

impl SecurityEvents for LogEvents {
    fn record(&self, event: SecurityEvent) {
        use SecurityEvent as E;
        let name = event.name();
        match event {
            E::AccountCreated { user, address } => {
                info!(target: TARGET, event = name, %user, address = address.map(display));
            }
            E::SessionBegun {
                user,
                session,
                address,
            } => {
                info!(target: TARGET, event = name, %user, %session, address = address.map(display));
            }
            E::SignInRefused { user, address } => {
                info!(target: TARGET, event = name, user = user.map(display), address = address.map(display));
            }
            E::SessionEnded {
                user,
                session,
                reason,
            } => {
                info!(target: TARGET, event = name, %user, %session, reason = reason.name());
            }
            E::SessionsEnded { user, kept, reason } => {
                info!(target: TARGET, event = name, %user, kept = kept.map(display), reason = reason.name());
            }
            E::SessionReused {
                user,
                session,
                presented,
                live,
                gap,
                session_address,
                address,
                revoked,
            } => {
                warn!(
                    target: TARGET, event = name, %user, %session, presented = presented.number(), live = live.number(),
                    gap_seconds = gap.as_secs_f64(), session_address = session_address.map(display), address = address.map(display), revoked
                );
            }
            E::SessionHealed {
                user,
                session,
                presented,
                lost,
            } => {
                warn!(target: TARGET, event = name, %user, %session, presented = presented.number(), lost = lost.number());
            }
            E::SessionRepeated {
                user,
                session,
                gap,
                late,
            } => {
                info!(target: TARGET, event = name, %user, %session, gap_seconds = gap.as_secs_f64(), late);
            }
            E::SessionBound { user, session } | E::PasswordChanged { user, session } => {
                info!(target: TARGET, event = name, %user, %session);
            }
            E::LimitReached {
                limit,
                user,
                address,
            } => {
                warn!(target: TARGET, event = name, limit = limit.as_str(), user = user.map(display), address = address.map(display));
            }
            E::DeviceMismatch {
                user,
                session,
                address,
            } => {
                warn!(target: TARGET, event = name, %user, %session, address = address.map(display));
            }
            E::EmailChanged { user }
            | E::AccountDeleted { user }
            | E::AccountDisabled { user }
            | E::AccountEnabled { user } => {
                info!(target: TARGET, event = name, %user);
            }
            other => info!(target: TARGET, event = name, detail = ?other),
        }
    }
}

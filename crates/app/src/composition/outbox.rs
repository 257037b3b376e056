//! The composition of the outbox.

use super::mailer;
use crate::{
    background::Background,
    config::Config,
    outbox::{BacklogGauge, Bell, Outbox, limits},
};
use anyhow::Result;
use revolve_domain::{
    ports::{Clock, Deliveries, Entropy, MailProofs, SecurityEvents},
    use_cases::{MailPorts, ManageDeliveries, SendMails},
};
use revolve_observe::metrics::Metrics;
use std::sync::Arc;

/// What the outbox works with, besides the mailer that is configured.
pub(super) struct OutboxPorts {
    pub(super) deliveries: Arc<dyn Deliveries>,
    pub(super) proofs: Arc<dyn MailProofs>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) events: Arc<dyn SecurityEvents>,
}

/// Sends mails from now on, if there is a way, and counts them in any case. Answers what wakes the sender.
///
/// # Errors
/// A message that names the configuration key that is wrong.
pub(super) fn start(
    config: &Config,
    ports: OutboxPorts,
    metrics: &Arc<Metrics>,
    background: &Background,
) -> Result<Arc<Bell>> {
    let (bell, seen) = (Arc::<Bell>::default(), Arc::<BacklogGauge>::default());
    metrics.watch(seen.gauges());
    let manage = ManageDeliveries::new(
        Arc::clone(&ports.deliveries),
        Arc::clone(&ports.clock),
        Arc::clone(&ports.entropy),
        Arc::clone(&ports.events),
        config.mail.max_age,
    );
    background.watch_outbox(manage, seen);
    if let Some(mailer) = mailer(config, Arc::clone(&ports.clock))? {
        let send = SendMails::new(MailPorts {
            deliveries: ports.deliveries,
            mailer: mailer.into_port(),
            proofs: ports.proofs,
            clock: ports.clock,
            entropy: ports.entropy,
            events: ports.events,
        });
        background.send_mails(Outbox {
            send,
            limits: limits(config.mail.rate, config.mail.timeout),
            bell: Arc::clone(&bell),
            metrics: Arc::clone(metrics),
            patience: config.http.shutdown_timeout,
        });
    }
    Ok(bell)
}

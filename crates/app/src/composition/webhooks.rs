//! The composition of webhooks.

use super::{Purpose, settings, stores::user_database};
use crate::{
    background::Background,
    config::{Config, ConfigError},
    keys::Material,
    outbox::BacklogGauge,
    webhooks::{SLACK, Webhooks as Sender},
};
use anyhow::Result;
use revolve_adapters::{
    jose::WebhookVault,
    system::{SystemClock, SystemEntropy},
    webhooks::HttpWebhooks,
};
use revolve_domain::{
    ports::{Clock, Entropy, Journal, SecurityEvents, WebhookSecrets, Webhooks},
    use_cases::{ManageWebhooks, SendWebhooks, WebhookPolicy, WebhookPorts},
};
use revolve_observe::{metrics::Metrics, telemetry::LogEvents};
use std::sync::Arc;

/// What webhooks work with, besides what sends.
pub(super) struct WebhookStores {
    pub(super) webhooks: Arc<dyn Webhooks>,
    pub(super) journal: Arc<dyn Journal>,
    pub(super) secrets: Arc<dyn WebhookSecrets>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) events: Arc<dyn SecurityEvents>,
}

impl WebhookStores {
    fn ports(self, config: &Config) -> Result<WebhookPorts, ConfigError> {
        Ok(WebhookPorts {
            webhooks: self.webhooks,
            journal: self.journal,
            secrets: self.secrets,
            sender: Arc::new(HttpWebhooks::new(settings::webhooks(config)?)),
            clock: self.clock,
            entropy: self.entropy,
            events: self.events,
            max_age: config.webhooks.max_age,
        })
    }
}

/// Sends events from now on. Answers what the admin API manages webhooks with.
///
/// # Errors
/// A message that names the configuration key that is wrong.
pub(super) fn start(
    config: &Config,
    stores: WebhookStores,
    metrics: &Arc<Metrics>,
    background: &Background,
) -> Result<WebhookPorts> {
    let ports = stores.ports(config)?;
    let notify = config.operators.address().filter(|_| config.sends_mail());
    let policy = WebhookPolicy {
        disable_after: config.webhooks.disable_after,
        lease: config.webhooks.timeout + SLACK,
        notify: notify.map(|address| (address, config.mail.max_age)),
    };
    let send = SendWebhooks::new(ports.clone(), policy);
    let seen = Arc::<BacklogGauge>::default();
    metrics.watch(seen.webhook_gauges());
    background.watch_webhooks(send.clone(), seen);
    background.send_webhooks(Sender {
        send,
        metrics: Arc::clone(metrics),
        timeout: config.webhooks.timeout,
        patience: config.http.shutdown_timeout,
    });
    Ok(ports)
}

/// What commands about webhooks work with; the white list need not be there.
///
/// # Errors
/// A message that names the configuration key or the store that is wrong.
pub(crate) async fn manage_webhooks(config: &Config, purpose: Purpose) -> Result<ManageWebhooks> {
    let database = user_database(config, purpose).await?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let master = Material::new(config, Arc::clone(&entropy))?.master;
    let stores = WebhookStores {
        webhooks: database.clone(),
        journal: database,
        secrets: Arc::new(WebhookVault::new(&master, Arc::clone(&entropy))?),
        clock: Arc::new(SystemClock),
        entropy,
        events: Arc::new(LogEvents),
    };
    Ok(ManageWebhooks::new(stores.ports(config)?))
}

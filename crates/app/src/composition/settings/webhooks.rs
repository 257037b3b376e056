//! Webhooks as their adapter's own type.

use super::certificates;
use crate::config::{Config, ConfigError};
use revolve_adapters::webhooks::WebhookSettings;

/// How events are sent.
///
/// # Errors
/// [`ConfigError`] if a file can't be read.
pub(crate) fn webhooks(config: &Config) -> Result<WebhookSettings, ConfigError> {
    let webhooks = &config.webhooks;
    Ok(WebhookSettings {
        allow_private: webhooks.allow_private.clone(),
        timeout: webhooks.timeout,
        tls: certificates::read("webhooks", webhooks.ca_file.as_deref(), None, None)?,
    })
}

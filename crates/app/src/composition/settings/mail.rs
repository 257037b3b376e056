//! Mail as its adapters' own types.

use super::certificates;
use crate::config::{Config, ConfigError};
use revolve_adapters::{
    mail::{Composer, MailConfig, MailLinks},
    smtp::SmtpConfig,
};
use revolve_domain::model::EmailAddress;
use url::Url;

/// What writes mails. Without a sender that is configured they are from the issuer's host, for those who try the service out.
///
/// # Errors
/// [`ConfigError`] that names the key that is wrong, or the template with its line.
pub(crate) fn composer(config: &Config) -> Result<Composer, ConfigError> {
    let mail = &config.mail;
    let links = config.mail_links();
    let composer = Composer::new(MailConfig {
        from: mail.from.clone().unwrap_or_else(|| sender(config)),
        reply_to: mail.reply_to.clone(),
        links: MailLinks {
            recovery: links.recovery,
            choose_password: links.choose_password,
            sign_up: links.sign_up,
            verify_email: links.verify_email,
            change_email: links.change_email,
            sign_in: links.sign_in,
            undo: links.undo,
            keep_factors: links.keep_factors,
        },
        templates: mail.templates.clone(),
        languages: mail.locales(),
    });
    composer.map_err(|error| ConfigError::new(format!("mail.{error}")))
}

fn sender(config: &Config) -> String {
    let host = Url::parse(&config.tokens.issuer)
        .ok()
        .and_then(|issuer| issuer.host_str().map(|host| format!("accounts@{host}")))
        .filter(|address| EmailAddress::parse(address).is_ok());
    let address = host.unwrap_or_else(|| "accounts@localhost".to_owned());
    format!("Revolve <{address}>")
}

/// Where the mail server is, if there is one.
///
/// # Errors
/// [`ConfigError`] if a file can't be read.
pub(crate) fn smtp(config: &Config) -> Result<Option<SmtpConfig>, ConfigError> {
    let Some(url) = config.mail_url()?.given() else {
        return Ok(None);
    };
    Ok(Some(SmtpConfig {
        url,
        tls: certificates::read("mail", config.mail.ca_file.as_deref(), None, None)?,
        timeout: config.mail.timeout,
    }))
}

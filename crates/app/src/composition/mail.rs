//! How mails leave: by a mail server if one is configured, else into files in the embedded profile, else not at all.

use super::settings;
use crate::config::{Config, ConfigError, Profile};
use revolve_adapters::{mail_files::MailFiles, smtp::SmtpMailer};
use revolve_domain::{
    model::{DeliveryId, EmailAddress},
    ports::{Clock, MailError, Mailer},
};
use std::{io::Write, sync::Arc};

/// The way that is configured.
pub(crate) enum ConfiguredMailer {
    /// To a mail server.
    Smtp(SmtpMailer),
    /// Into a folder.
    Files(MailFiles),
}

impl ConfiguredMailer {
    /// The port.
    pub(crate) fn into_port(self) -> Arc<dyn Mailer> {
        match self {
            Self::Smtp(mailer) => Arc::new(mailer),
            Self::Files(mailer) => Arc::new(mailer),
        }
    }

    /// Sends the mail that says that mail works.
    pub(crate) async fn send_test(
        &self,
        id: DeliveryId,
        to: &EmailAddress,
    ) -> Result<(), MailError> {
        match self {
            Self::Smtp(mailer) => mailer.send_test(id, to).await,
            Self::Files(mailer) => mailer.send_test(id, to).await,
        }
    }
}

/// The way that is configured; `None` in the server profile without `mail.url`.
///
/// # Errors
/// [`ConfigError`] that names the key that is wrong, or the template with its line.
pub(crate) fn mailer(
    config: &Config,
    clock: Arc<dyn Clock>,
) -> Result<Option<ConfiguredMailer>, ConfigError> {
    let composer = settings::composer(config)?;
    if let Some(smtp) = settings::smtp(config)? {
        let mailer = SmtpMailer::new(&smtp, composer, clock)
            .map_err(|error| ConfigError::new(format!("mail.{error}")))?;
        return Ok(Some(ConfiguredMailer::Smtp(mailer)));
    }
    if config.profile == Profile::Server {
        return Ok(None);
    }
    let folder = config.data_dir.join("mail");
    let mailer = MailFiles::new(folder, composer, clock, announce);
    Ok(Some(ConfiguredMailer::Files(mailer)))
}

/// Whoever tries the service out reads it on the terminal. It goes into no log, since it has codes.
fn announce(text: &str) {
    // Without a terminal there is nobody to read it.
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

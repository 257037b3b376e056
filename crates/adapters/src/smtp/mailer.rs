//! The port, by SMTP.

use super::{
    SmtpConfig, SmtpConfigError, SmtpError, client::Client, error::Failure, server::Server,
};
use crate::mail::{ComposeError, Composer, OutgoingMessage, unwritten};
use async_trait::async_trait;
use revolve_domain::{
    model::{DeliveryId, EmailAddress},
    ports::{Clock, Mail, MailError, Mailer},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::time::timeout;

/// Hands mails to a server.
pub struct SmtpMailer {
    server: Server,
    composer: Composer,
    clock: Arc<dyn Clock>,
    /// The server did not let the service in when it was last asked.
    locked_out: AtomicBool,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Connects to nothing yet.
    ///
    /// # Errors
    /// [`SmtpConfigError`].
    pub fn new(
        config: &SmtpConfig,
        composer: Composer,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SmtpConfigError> {
        Ok(Self {
            server: Server::new(config)?,
            composer,
            clock,
            locked_out: AtomicBool::new(false),
        })
    }

    /// Sends a mail that says that mail works.
    ///
    /// # Errors
    /// [`MailError`].
    pub async fn send_test(&self, id: DeliveryId, to: &EmailAddress) -> Result<(), MailError> {
        self.deliver(self.composer.test(id, to, self.clock.now()))
            .await
    }

    async fn deliver(
        &self,
        composed: Result<OutgoingMessage, ComposeError>,
    ) -> Result<(), MailError> {
        let message = composed.map_err(unwritten)?;
        let limit = self.server.timeout;
        let attempt = timeout(limit, self.attempt(&message)).await;
        let result = match attempt {
            Ok(Ok((client, result))) => {
                client.close().await;
                result
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(Failure::Deadline(limit).into()),
        };
        self.watch(&result);
        Ok(result?)
    }

    /// The connection is closed afterwards: whatever becomes of that, the mail is sent or not.
    async fn attempt(
        &self,
        message: &OutgoingMessage,
    ) -> Result<(Client, Result<(), SmtpError>), SmtpError> {
        let mut client = Client::open(&self.server, self.composer.domain()).await?;
        let sent = client.send(&message.from, &message.to, &message.data).await;
        Ok((client, sent))
    }

    /// Nobody but the operator can put right what the server has against the service: that is said loudly, once.
    fn watch(&self, result: &Result<(), SmtpError>) {
        match result {
            Ok(()) => self.locked_out.store(false, Ordering::Relaxed),
            Err(error) if error.is_locked_out() => {
                if !self.locked_out.swap(true, Ordering::Relaxed) {
                    tracing::error!(
                        %error,
                        "the mail server does not let the service in, and no mail is sent until it does: check user and password in mail.url, and mail.from"
                    );
                }
            }
            Err(_) => {}
        }
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        self.deliver(self.composer.message(mail, self.clock.now()))
            .await
    }
}

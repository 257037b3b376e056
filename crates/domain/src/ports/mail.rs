//! Sending of mail.

use crate::{
    journal::{MailFacts, MailKind},
    model::{DeliveryId, EmailAddress, Locale, ProofId, Timestamp},
};
use async_trait::async_trait;
use secrecy::SecretString;
use std::error::Error;

/// A mail, ready to be rendered.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Its delivery. The `Message-ID` is made of it, so that a mail that is sent twice can be seen to be one.
    pub id: DeliveryId,
    /// What it is for, and so its template.
    pub kind: MailKind,
    /// Where it goes.
    pub to: EmailAddress,
    /// The language of its reader; without one the service's.
    pub locale: Option<Locale>,
    /// What it tells.
    pub facts: MailFacts,
    /// How many more of this kind there were since the last one, which were not sent on their own.
    pub more: u32,
    /// Its code and link, if its kind has them.
    pub proof: Option<MailProof>,
}

/// What a mail has to prove that its reader has the mailbox.
#[derive(Clone, Debug)]
pub struct MailProof {
    /// The proof.
    pub id: ProofId,
    /// Six digits.
    pub code: SecretString,
    /// The secret of its link, safe in a URL.
    pub secret: SecretString,
    /// When it stops being one.
    pub expires_at: Timestamp,
}

/// A mail was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// It never will be: the server takes no mail for this address, or not one like this.
    #[error("the mail is refused for good")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// It may be sent later: the server can't be reached, is busy, refuses for now or does not let the service in. Whether the mail arrived is
    /// unknown if the connection broke while it was sent.
    #[error("the mail could not be sent")]
    Unsent(#[source] Box<dyn Error + Send + Sync>),
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Renders a mail and hands it to the next server. After `Ok` that server answers for it. MUST end within a bounded time, MUST render equal
    /// mails to messages of the same `Message-ID`, and MUST NOT log the address, the code or the link.
    ///
    /// # Errors
    /// [`MailError`].
    async fn send(&self, mail: &Mail) -> Result<(), MailError>;
}

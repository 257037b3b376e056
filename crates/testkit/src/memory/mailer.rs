//! Mails that are kept instead of sent.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    model::EmailAddress,
    ports::{Mail, MailError, Mailer},
};
use std::{collections::VecDeque, sync::Mutex};

/// What happens to a mail instead of its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailFault {
    /// The server refuses it for good.
    Refused,
    /// The server can't be reached.
    Unsent,
    /// It arrives, but the server's answer is lost.
    Lost,
}

/// Keeps every mail in the order of its arrival.
#[derive(Debug, Default)]
pub struct RecordedMails {
    mails: Mutex<Vec<Mail>>,
    script: Mutex<VecDeque<Option<MailFault>>>,
    refused: Mutex<Vec<EmailAddress>>,
}

impl RecordedMails {
    /// Scripts what happens to the next mails, in this order; `None` lets one arrive. After the script's end all arrive.
    pub fn script(&self, faults: impl IntoIterator<Item = Option<MailFault>>) {
        lock(&self.script).extend(faults);
    }

    /// Refuses all mails to an address for good.
    pub fn refuse(&self, address: EmailAddress) {
        lock(&self.refused).push(address);
    }

    /// The mails that have arrived so far.
    pub fn arrived(&self) -> Vec<Mail> {
        lock(&self.mails).clone()
    }

    /// Removes and answers the mails that have arrived so far.
    pub fn take(&self) -> Vec<Mail> {
        std::mem::take(&mut lock(&self.mails))
    }

    /// The newest mail to an address.
    pub fn newest_to(&self, address: &EmailAddress) -> Option<Mail> {
        let mails = lock(&self.mails);
        mails.iter().rfind(|mail| mail.to == *address).cloned()
    }
}

#[async_trait]
impl Mailer for RecordedMails {
    async fn send(&self, mail: &Mail) -> Result<(), MailError> {
        let scripted = lock(&self.script).pop_front().flatten();
        let refused = lock(&self.refused).contains(&mail.to);
        let fault = if refused {
            Some(MailFault::Refused)
        } else {
            scripted
        };
        if matches!(fault, None | Some(MailFault::Lost)) {
            lock(&self.mails).push(mail.clone());
        }
        match fault {
            None => Ok(()),
            Some(MailFault::Refused) => Err(MailError::Refused("told to refuse it".into())),
            Some(MailFault::Unsent) => Err(MailError::Unsent("told to be down".into())),
            Some(MailFault::Lost) => Err(MailError::Unsent("told to lose the answer".into())),
        }
    }
}

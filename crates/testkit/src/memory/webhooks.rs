//! Secrets of webhooks that are not sealed, and an endpoint that is not there.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    keys::SealedKey,
    model::WebhookId,
    ports::{
        CallError, NewWebhookSecret, SecretFault, StoreError, TargetRefused, WebhookCall,
        WebhookReply, WebhookSecrets, WebhookSender,
    },
    webhooks::WebhookUrl,
};
use secrecy::SecretSlice;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

/// Seals nothing: a secret is its number, under the master key of another number.
#[derive(Debug, Default)]
pub struct PlainWebhookSecrets {
    made: AtomicU8,
    master: AtomicU8,
}

impl PlainWebhookSecrets {
    /// Another master key from now on; the others open as well.
    pub fn change_master(&self) {
        self.master.fetch_add(1, Ordering::Relaxed);
    }
}

impl WebhookSecrets for PlainWebhookSecrets {
    fn make(&self, _: WebhookId) -> Result<NewWebhookSecret, SecretFault> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let master = self.master.load(Ordering::Relaxed);
        Ok(NewWebhookSecret {
            sealed: SealedKey::new(vec![master, number]),
            shown: format!("whsec_{number}").into(),
        })
    }

    fn open(&self, _: WebhookId, sealed: &SealedKey) -> Result<SecretSlice<u8>, SecretFault> {
        Ok(sealed.as_bytes()[1..].to_vec().into())
    }

    fn reseal(&self, _: WebhookId, sealed: &SealedKey) -> Result<Option<SealedKey>, SecretFault> {
        let (master, bytes) = (self.master.load(Ordering::Relaxed), sealed.as_bytes());
        Ok((bytes[0] != master).then(|| SealedKey::new(vec![master, bytes[1]])))
    }
}

/// A call that [`RecordedCalls`] was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCall {
    /// Host and port.
    pub host: String,
    /// What happened.
    pub event: String,
    /// The event's id.
    pub id: String,
    /// How many secrets signed it.
    pub secrets: usize,
}

/// Answers every call alike, 204 at first, and refuses http. Nothing answers at `broken.example`.
#[derive(Debug)]
pub struct RecordedCalls {
    answer: Mutex<Result<WebhookReply, TargetRefused>>,
    calls: Mutex<Vec<RecordedCall>>,
}

impl Default for RecordedCalls {
    fn default() -> Self {
        let reply = WebhookReply {
            status: 204,
            retry_after: None,
        };
        Self {
            answer: Mutex::new(Ok(reply)),
            calls: Mutex::default(),
        }
    }
}

impl RecordedCalls {
    /// Answers this from now on.
    pub fn answer(&self, status: u16) {
        self.reply(status, None);
    }

    /// Answers this from now on, and when to come back.
    pub fn reply(&self, status: u16, retry_after: Option<Duration>) {
        *lock(&self.answer) = Ok(WebhookReply {
            status,
            retry_after,
        });
    }

    /// Refuses every endpoint from now on: its name leads elsewhere.
    pub fn refuse(&self, refused: TargetRefused) {
        *lock(&self.answer) = Err(refused);
    }

    fn target(&self, url: &WebhookUrl) -> Result<(), TargetRefused> {
        lock(&self.answer).clone()?;
        url.is_encrypted()
            .then_some(())
            .ok_or(TargetRefused::Unencrypted)
    }

    /// The calls since the last time.
    pub fn take(&self) -> Vec<RecordedCall> {
        std::mem::take(&mut *lock(&self.calls))
    }
}

#[async_trait]
impl WebhookSender for RecordedCalls {
    async fn check(&self, url: &WebhookUrl) -> Result<Result<(), TargetRefused>, StoreError> {
        Ok(self.target(url))
    }

    async fn send(&self, call: &WebhookCall<'_>) -> Result<WebhookReply, CallError> {
        self.target(call.url)?;
        let recorded = RecordedCall {
            host: call.url.authority().to_owned(),
            event: call.event.event.clone(),
            id: call.event.id.to_string(),
            secrets: call.secrets.len(),
        };
        lock(&self.calls).push(recorded);
        if call.url.authority() == "broken.example" {
            return Err(CallError::Unanswered("connection refused".into()));
        }
        Ok(lock(&self.answer).clone()?)
    }
}

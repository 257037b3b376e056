//! A statement as it is served: with the tag of its content, signed once.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{model::Timestamp, ports::RevocationSigner, revocations::RevocationStatement};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{sync::OnceLock, time::Duration};

/// A statement and what is derived from it.
pub(crate) struct FeedDocument {
    statement: RevocationStatement,
    tag: String,
    signed: OnceLock<Option<SecretString>>,
}

impl FeedDocument {
    pub(crate) fn new(statement: RevocationStatement) -> Self {
        Self {
            tag: tag(&statement),
            statement,
            signed: OnceLock::new(),
        }
    }

    /// Whether it is this statement, word for word.
    pub(crate) fn says(&self, statement: &RevocationStatement) -> bool {
        self.statement == *statement
    }

    /// The tag of the content, the same on every replica. It leaves out the time of the look, and so the signature: who
    /// holds the same content by another signature has nothing to learn.
    pub(crate) fn tag(&self) -> &str {
        &self.tag
    }

    /// As of when.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.statement.as_of
    }

    /// For how long it is worth something.
    pub(crate) fn window(&self) -> Duration {
        self.statement.window
    }

    /// The signed statement; `None` if it can't be signed, which is logged.
    pub(crate) fn jws(&self, signer: &dyn RevocationSigner) -> Option<&str> {
        let signed = self.signed.get_or_init(|| {
            let signed = signer.sign_revocations(&self.statement);
            signed.inspect_err(|error| tracing::error!(error = %revolve_observe::telemetry::chain(error), "the feed can't be signed")).ok()
        });
        signed.as_ref().map(ExposeSecret::expose_secret)
    }
}

fn tag(statement: &RevocationStatement) -> String {
    let mut hash = Sha256::new();
    hash.update(statement.window.as_secs().to_be_bytes());
    hash.update(statement.sessions.len().to_be_bytes());
    for (session, at) in &statement.sessions {
        hash.update(session.as_uuid().as_bytes());
        hash.update(at.as_seconds().to_be_bytes());
    }
    for raised in &statement.users {
        hash.update(raised.user.as_uuid().as_bytes());
        hash.update(raised.epoch.number().to_be_bytes());
        hash.update([u8::from(raised.kept.is_some())]);
        hash.update(
            raised
                .kept
                .as_ref()
                .map_or(&[0; 16], |kept| kept.as_uuid().as_bytes()),
        );
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
}

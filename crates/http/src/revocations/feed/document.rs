//! A statement as it is served: with the tag of its content, signed once, and then in memory once.

use super::buffers::{Buffers, SharedBuffer};
use actix_web::web::Bytes;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    model::Timestamp,
    ports::{RevocationSigner, RevocationStatement},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// A statement and what is derived from it.
pub(crate) struct FeedDocument {
    statement: RevocationStatement,
    tag: String,
    /// Counts the documents of this process.
    version: u64,
    signed: OnceLock<Result<Arc<SharedBuffer>, Unsigned>>,
}

/// The statement can't be signed, which is logged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unsigned;

/// What remains known of a document whose statement need not stay in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentMark {
    pub(crate) tag: String,
    pub(crate) as_of: Timestamp,
}

impl FeedDocument {
    pub(crate) fn new(statement: RevocationStatement, version: u64) -> Self {
        Self {
            tag: tag(&statement),
            version,
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

    /// The number of the document; later ones have higher numbers.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// What to remember of it.
    pub(crate) fn mark(&self) -> DocumentMark {
        DocumentMark {
            tag: self.tag.clone(),
            as_of: self.as_of(),
        }
    }

    /// As of when.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.statement.as_of
    }

    /// For how long it is worth something.
    pub(crate) fn window(&self) -> Duration {
        self.statement.window
    }

    /// The signed statement, if it was tried before.
    pub(crate) fn signed(&self) -> Option<Result<&Arc<SharedBuffer>, Unsigned>> {
        let signed = self.signed.get()?;
        Some(signed.as_ref().map_err(|unsigned| *unsigned))
    }

    /// Signs the statement, once.
    pub(crate) fn sign(
        &self,
        signer: &dyn RevocationSigner,
        buffers: &Buffers,
    ) -> Result<&Arc<SharedBuffer>, Unsigned> {
        let sign = || match signer.sign_revocations(&self.statement) {
            Ok(signed) => Ok(buffers.add(self.version, Bytes::from_owner(Signed(signed)))),
            Err(error) => {
                tracing::error!(error = %revolve_observe::telemetry::chain(&error), "the feed can't be signed");
                Err(Unsigned)
            }
        };
        let signed = self.signed.get_or_init(sign).as_ref();
        signed.map_err(|unsigned| *unsigned)
    }
}

/// What was signed, where the signer put it.
struct Signed(SecretString);

impl AsRef<[u8]> for Signed {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

fn tag(statement: &RevocationStatement) -> String {
    let mut hash = Sha256::new();
    hash.update(statement.window.as_secs().to_be_bytes());
    hash.update(statement.revocations.sessions.len().to_be_bytes());
    for (session, at) in &statement.revocations.sessions {
        hash.update(session.as_uuid().as_bytes());
        hash.update(at.as_seconds().to_be_bytes());
    }
    for raised in &statement.revocations.users {
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

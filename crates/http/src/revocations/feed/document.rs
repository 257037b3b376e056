//! A statement as it is served: made and signed once, and then in memory once.

use super::{
    buffers::{Buffers, SharedBuffer},
    reads::Reads,
};
use actix_web::web::Bytes;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::{
    model::Timestamp,
    ports::{RevocationSigner, SignError},
    revocations::{
        FeedVersion, IDS_OF_OUTDATED, LONGEST_PLAIN_STATEMENT, LONGEST_STATEMENT, PackedStatement,
        RevocationStatement,
    },
};
use revolve_observe::telemetry::chain;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// A statement, not made before it is needed, and what is derived from it.
pub(crate) struct FeedDocument {
    content: Content,
    seen: FeedRevision,
    /// Counts the documents of this process.
    version: u64,
    signed: OnceLock<Result<Signed, NotMade>>,
}

/// What a look saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FeedRevision {
    /// The run of the user database.
    pub(crate) source: u64,
    /// Counts the changes of the content.
    pub(crate) revision: u64,
    pub(crate) as_of: Timestamp,
    pub(crate) window: Duration,
}

enum Content {
    /// The plain form. Its tag is needed before it is signed.
    Plain {
        reads: Arc<Reads>,
        made: OnceLock<Result<(RevocationStatement, String), NotMade>>,
    },
    /// The whole in the packed form.
    Whole(Arc<Reads>),
    /// What came since a version.
    Delta(Box<PackedStatement>),
}

#[derive(Clone)]
struct Signed {
    mark: DocumentMark,
    buffer: Arc<SharedBuffer>,
}

/// Why there is no statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotMade {
    /// It can't be signed, which is logged.
    Unsigned,
    /// It is longer than those take who ask for it.
    TooLong,
    /// Nobody knows what ended.
    Down,
}

/// What remains known of a document whose statement need not stay in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentMark {
    /// The tag of a plain one, the version of a packed one.
    pub(crate) tag: String,
    pub(crate) as_of: Timestamp,
    /// The version of a packed one.
    pub(crate) packed: Option<FeedVersion>,
}

impl DocumentMark {
    /// The run of the user database that a packed one is of.
    pub(crate) fn source(&self) -> Option<u64> {
        let version = self.packed.as_ref()?;
        Some(version.snapshot.source())
    }
}

impl FeedDocument {
    fn new(content: Content, seen: FeedRevision, version: u64) -> Self {
        Self {
            content,
            seen,
            version,
            signed: OnceLock::new(),
        }
    }

    /// All that is known when it is first needed, in the plain form.
    pub(super) fn plain(reads: Arc<Reads>, seen: FeedRevision, version: u64) -> Self {
        let made = OnceLock::new();
        Self::new(Content::Plain { reads, made }, seen, version)
    }

    /// The same, packed.
    pub(super) fn whole(reads: Arc<Reads>, seen: FeedRevision, version: u64) -> Self {
        Self::new(Content::Whole(reads), seen, version)
    }

    /// What came since a version.
    pub(super) fn delta(statement: PackedStatement, seen: FeedRevision, version: u64) -> Self {
        Self::new(Content::Delta(Box::new(statement)), seen, version)
    }

    /// Whether this look saw the same.
    pub(crate) fn is_of(&self, seen: FeedRevision) -> bool {
        self.seen == seen
    }

    /// The tag of the content, the same on every replica; `None` if there is no statement. It leaves out the time of the look, and so the
    /// signature: who holds the same content by another signature has nothing to learn.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.made().ok().map(|(_, tag)| tag.as_str())
    }

    /// The number of the document; later ones have higher numbers.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// As of when.
    pub(crate) fn as_of(&self) -> Timestamp {
        self.seen.as_of
    }

    /// What the look saw that it is of.
    pub(crate) fn seen(&self) -> FeedRevision {
        self.seen
    }

    /// For how long it is worth something.
    pub(crate) fn window(&self) -> Duration {
        self.seen.window
    }

    /// Whether it is the whole in the packed form.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self.content, Content::Whole(_))
    }

    /// The version that it continues, if it is packed and not whole.
    pub(crate) fn since(&self) -> Option<&FeedVersion> {
        match &self.content {
            Content::Delta(statement) => statement.since.as_ref(),
            Content::Plain { .. } | Content::Whole(_) => None,
        }
    }

    /// How many ids a delta has.
    pub(crate) fn ids(&self) -> usize {
        match &self.content {
            Content::Delta(statement) => {
                let ends = statement.ends.iter().map(|ends| ends.sessions.len());
                ends.sum::<usize>() + IDS_OF_OUTDATED * statement.outdated.len()
            }
            Content::Plain { .. } | Content::Whole(_) => 0,
        }
    }

    fn made(&self) -> Result<&(RevocationStatement, String), NotMade> {
        let Content::Plain { reads, made } = &self.content else {
            return Err(NotMade::Down);
        };
        let make = || {
            let plain = reads.with(|log| {
                let [_, length] = log.lengths();
                (length <= LONGEST_PLAIN_STATEMENT).then(|| log.plain())
            });
            let statement = plain.ok_or(NotMade::Down)?.ok_or(NotMade::TooLong)?;
            let tag = tag(&statement);
            Ok((statement, tag))
        };
        made.get_or_init(make).as_ref().map_err(|reason| *reason)
    }

    /// The signed statement, if it was tried before.
    pub(crate) fn signed(&self) -> Option<Result<(DocumentMark, Arc<SharedBuffer>), NotMade>> {
        let signed = self.signed.get()?.clone();
        Some(signed.map(|Signed { mark, buffer }| (mark, buffer)))
    }

    /// Makes and signs the statement, once.
    pub(crate) fn sign(
        &self,
        signer: &dyn RevocationSigner,
        buffers: &Buffers,
    ) -> Result<(DocumentMark, Arc<SharedBuffer>), NotMade> {
        let sign = || {
            let (mark, text) = match &self.content {
                Content::Plain { .. } => {
                    let (statement, tag) = self.made()?;
                    let text = signer.sign_revocations(statement).map_err(unsigned)?;
                    let mark = DocumentMark {
                        tag: tag.clone(),
                        as_of: statement.as_of,
                        packed: None,
                    };
                    let text = Bytes::from_owner(Text(text));
                    (mark, expect(text, LONGEST_PLAIN_STATEMENT)?)
                }
                Content::Whole(reads) => {
                    let whole = reads.with(|log| log.whole(LONGEST_STATEMENT));
                    let statement = whole.ok_or(NotMade::Down)?;
                    sign_packed(
                        signer,
                        &statement.ok_or_else(|| too_long(LONGEST_STATEMENT))?,
                    )?
                }
                Content::Delta(statement) => sign_packed(signer, statement)?,
            };
            let buffer = buffers.add(self.version, text);
            Ok(Signed { mark, buffer })
        };
        let signed = self.signed.get_or_init(sign).clone();
        signed.map(|Signed { mark, buffer }| (mark, buffer))
    }
}

fn sign_packed(
    signer: &dyn RevocationSigner,
    statement: &PackedStatement,
) -> Result<(DocumentMark, Bytes), NotMade> {
    let text = signer.sign_packed(statement).map_err(unsigned)?;
    let mark = DocumentMark {
        tag: statement.version.to_string(),
        as_of: statement.as_of,
        packed: Some(statement.version.clone()),
    };
    Ok((mark, expect(text.into(), LONGEST_STATEMENT)?))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unsigned(error: SignError) -> NotMade {
    tracing::error!(error = %chain(&error), "the feed can't be signed");
    NotMade::Unsigned
}

/// Nobody takes a longer one.
fn expect(text: Bytes, longest: usize) -> Result<Bytes, NotMade> {
    if text.len() <= longest {
        return Ok(text);
    }
    Err(too_long(longest))
}

fn too_long(longest: usize) -> NotMade {
    tracing::error!(
        longest,
        "a statement of the revocation feed is longer than its readers take"
    );
    NotMade::TooLong
}

/// What was signed, where the signer put it.
struct Text(SecretString);

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
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
    // Without any it is the tag of an earlier release.
    if !statement.outdated.is_empty() {
        hash.update(statement.users.len().to_be_bytes());
    }
    for (user, before) in &statement.outdated {
        hash.update(user.as_uuid().as_bytes());
        hash.update(before.number().to_be_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..16])
}

//! Whole statements in the packed form. One may be of a million ends: all who ask share it, and it is made where it holds up nobody.

use super::{
    NotSent,
    buffers::{Buffers, SharedBuffer},
    deltas::Deltas,
    document::{DocumentMark, FeedDocument, FeedRevision},
    pause,
};
use revolve_domain::{ports::RevocationSigner, revocations::FeedVersion};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The last whole statement.
pub(super) struct WholeStatements {
    signer: Arc<dyn RevocationSigner>,
    buffers: Arc<Buffers>,
    deltas: Arc<Mutex<Deltas>>,
    last: Mutex<Option<Last>>,
    /// Held while one is made: others would each hold up a thread.
    turn: Arc<tokio::sync::Mutex<()>>,
}

struct Last {
    document: Arc<FeedDocument>,
    /// Once it is signed it is good for as long as it takes to read: what came since is asked for anyway.
    until: Instant,
}

impl Last {
    /// Whether it may be sent to who asks after this was seen. One that is not signed yet says what is known when that begins.
    fn is_good(&self, seen: FeedRevision) -> bool {
        match self.document.signed() {
            None => true,
            // It is tried again when there is something else to sign.
            Some(Err(_)) => self.document.is_of(seen),
            Some(Ok((mark, _))) => {
                mark.source() == Some(seen.source)
                    && (self.document.is_of(seen) || self.until > Instant::now())
            }
        }
    }

    /// Whether who holds this version, by which a delta could go on, would know less by it.
    fn takes_back(&self, known: &FeedVersion) -> bool {
        let Some(Ok((mark, _))) = self.document.signed() else {
            return false;
        };
        mark.packed.is_some_and(|version| {
            known.leads_to(&version) && !version.snapshot.covers(&known.snapshot)
        })
    }
}

impl WholeStatements {
    pub(super) fn new(
        signer: Arc<dyn RevocationSigner>,
        buffers: Arc<Buffers>,
        deltas: Arc<Mutex<Deltas>>,
    ) -> Self {
        Self {
            signer,
            buffers,
            deltas,
            last: Mutex::default(),
            turn: Arc::default(),
        }
    }

    /// The one to send to who asks after this was seen: the last one if it is good, else what `new` makes. `None` if the last one is
    /// good for others, and would take the reader back behind the version that it holds.
    pub(super) fn document(
        &self,
        seen: FeedRevision,
        known: Option<&FeedVersion>,
        new: impl FnOnce() -> FeedDocument,
    ) -> Option<Arc<FeedDocument>> {
        let mut last = self.last();
        if let Some(good) = last.as_ref().filter(|last| last.is_good(seen)) {
            let takes_back = known.is_some_and(|known| good.takes_back(known));
            return (!takes_back).then(|| Arc::clone(&good.document));
        }
        let document = Arc::new(new());
        *last = Some(Last {
            document: Arc::clone(&document),
            until: Instant::now(),
        });
        Some(document)
    }

    /// The document as it is signed, or `newest` if that has become another one when it is its turn.
    pub(super) async fn signed(
        self: &Arc<Self>,
        document: Arc<FeedDocument>,
        newest: impl FnOnce() -> Result<Arc<FeedDocument>, NotSent>,
    ) -> Result<(DocumentMark, Arc<SharedBuffer>), NotSent> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if let Some(Err(reason)) = document.signed() {
            return Err(reason.into());
        }
        let document = newest()?;
        if let Some(signed) = document.signed() {
            return Ok(signed?);
        }
        let this = Arc::clone(self);
        // Whoever asked may be gone before it is made, but others wait for it.
        let sign = move || {
            let _turn = turn;
            this.sign(&document)
        };
        let signed = tokio::task::spawn_blocking(sign).await;
        signed.map_err(|_| NotSent::Unsigned)?
    }

    /// Blocks for as long as that takes.
    fn sign(
        &self,
        document: &Arc<FeedDocument>,
    ) -> Result<(DocumentMark, Arc<SharedBuffer>), NotSent> {
        let (mark, buffer) = document.sign(&*self.signer, &self.buffers)?;
        if let Some(version) = &mark.packed {
            let mut deltas = self.deltas.lock().unwrap_or_else(PoisonError::into_inner);
            deltas.tell(version);
        }
        if let Some(last) = self.last().as_mut()
            && Arc::ptr_eq(&last.document, document)
        {
            last.until = Instant::now() + pause(buffer.len());
        }
        Ok((mark, buffer))
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A document on its way to a reader, slice by slice.

use super::buffers::SharedBuffer;
use crate::kit::{places::Place, sliced::SLICE};
use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// A reader has so long for a document. The listener cuts those off that take in nothing at all, much earlier.
const LONGEST: Duration = Duration::from_mins(2);

/// A document, and how much of it was sent. As a body it ends early if its reader is too slow, its place was lost or its content
/// had to go: the content is shorter than announced then, and the connection ends.
pub(crate) struct Transfer {
    buffer: Arc<SharedBuffer>,
    sent: usize,
    until: Instant,
    /// Small documents need none.
    place: Option<Place>,
}

/// What comes next.
pub(crate) enum TransferStep {
    Slice(Bytes),
    /// Everything was sent.
    Done,
    /// The rest will not come.
    CutOff,
}

impl Transfer {
    pub(crate) fn new(buffer: Arc<SharedBuffer>, place: Option<Place>) -> Self {
        Self {
            buffer,
            sent: 0,
            until: Instant::now() + LONGEST,
            place,
        }
    }

    /// The next slice.
    pub(crate) fn next(&mut self) -> TransferStep {
        let end = self.buffer.len().min(self.sent + SLICE);
        if self.sent == end {
            return TransferStep::Done;
        }
        let is_over = Instant::now() >= self.until;
        let gave_way = |place: &Place| place.lost().is_cancelled();
        if is_over || self.place.as_ref().is_some_and(gave_way) {
            return TransferStep::CutOff;
        }
        match self.buffer.slice(self.sent..end) {
            Some(slice) => {
                self.sent = end;
                TransferStep::Slice(slice)
            }
            None => TransferStep::CutOff,
        }
    }
}

impl MessageBody for Transfer {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized((self.buffer.len() - self.sent) as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(match self.next() {
            TransferStep::Slice(slice) => Some(Ok(slice)),
            // actix-http breaks off the connection if that is less than the size; an error would be a line in its log for each.
            TransferStep::Done | TransferStep::CutOff => None,
        })
    }
}

//! Large content in slices. actix-http copies whatever part of a body it is given into the connection's write buffer, whether the
//! client reads or not: a part that is as large as the body is a copy for each client.

use actix_web::{
    body::{BodySize, MessageBody},
    web::Bytes,
};
use std::{
    convert::Infallible,
    iter,
    pin::Pin,
    task::{Context, Poll},
};

/// With so many bytes in a connection's write buffer the next slice is not asked for; the head of an answer is usually less.
pub const WRITE_AHEAD: usize = 2 * 1024;

/// The size of a slice in bytes: behind what is in the buffer it fits the 8 KiB that actix-http has for each connection in any case.
pub(crate) const SLICE: usize = 6000;

/// The content in slices that share its memory.
pub(crate) fn slices(mut content: Bytes) -> impl Iterator<Item = Bytes> {
    iter::from_fn(move || {
        let length = SLICE.min(content.len());
        (length > 0).then(|| content.split_to(length))
    })
}

/// A body that all clients share, in slices. It is no `Bytes` by [`MessageBody::try_into_bytes`]: a boxed body would be sent whole
/// then.
pub(crate) struct Sliced(Bytes);

impl Sliced {
    pub(crate) fn new(content: impl Into<Bytes>) -> Self {
        Self(content.into())
    }
}

impl MessageBody for Sliced {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = SLICE.min(self.0.len());
        Poll::Ready((length > 0).then(|| Ok(self.0.split_to(length))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::body::BoxBody;
    use futures_util::task::noop_waker_ref;

    #[test]
    fn a_sliced_body_is_whole_and_copies_nothing() {
        for length in [0, 1, SLICE - 1, SLICE, SLICE + 1, 5 * SLICE] {
            let content: Bytes = (0..length)
                .map(|at| u8::try_from(at % 251).unwrap())
                .collect();
            // As handlers hand it to actix-web.
            let mut body = BoxBody::new(Sliced::new(content.clone()));
            assert_eq!(body.size(), BodySize::Sized(length as u64));
            let (mut at, mut context) = (0, Context::from_waker(noop_waker_ref()));
            while let Poll::Ready(Some(Ok(slice))) = Pin::new(&mut body).poll_next(&mut context) {
                assert!(slice.len() <= SLICE);
                assert_eq!(slice.as_ptr(), content[at..].as_ptr(), "the same memory");
                at += slice.len();
            }
            assert_eq!(at, length);
        }
    }
}

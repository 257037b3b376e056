//! A reader that knows how far it is, and stops at a limit.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

/// How much was read.
#[derive(Clone, Default)]
pub(super) struct Meter(Rc<Counters>);

#[derive(Default)]
struct Counters {
    position: Cell<u64>,
    limit: Cell<Option<u64>>,
    reached: Cell<bool>,
    /// The last byte.
    last: Cell<u8>,
}

impl Meter {
    /// The number of bytes so far.
    pub(super) fn position(&self) -> u64 {
        self.0.position.get()
    }

    /// From here on so many bytes may be read; `None` for any number.
    pub(super) fn allow(&self, bytes: Option<u64>) {
        let limit = bytes.map(|bytes| self.position().saturating_add(bytes));
        self.0.limit.set(limit);
    }

    /// Whether more was to be read than was allowed.
    pub(super) fn is_exceeded(&self) -> bool {
        self.0.reached.get()
    }

    /// Whether the last byte so far was the end of a line.
    pub(super) fn is_at_end_of_line(&self) -> bool {
        self.0.last.get() == b'\n'
    }
}

/// A reader with a meter.
pub(super) struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R> Metered<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            meter: Meter::default(),
        }
    }

    pub(super) fn meter(&self) -> Meter {
        self.meter.clone()
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let counters = &self.meter.0;
        let position = counters.position.get();
        if counters.limit.get().is_some_and(|limit| position >= limit) {
            counters.reached.set(true);
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "an account is longer than any may be",
            ));
        }
        let read = self.inner.read(buffer)?;
        counters.position.set(position + read as u64);
        if let Some(last) = buffer[..read].last() {
            counters.last.set(*last);
        }
        Ok(read)
    }
}

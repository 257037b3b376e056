//! Log lines that a test reads.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// A writer for `tracing_subscriber` that keeps what it is given.
#[derive(Clone, Debug, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Makes writers into this one.
    pub fn writer(&self) -> impl Fn() -> Self + Send + Sync + use<> {
        let captured = self.clone();
        move || captured.clone()
    }

    /// What was written so far.
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

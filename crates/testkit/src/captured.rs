//! Log lines that a test reads.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
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
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

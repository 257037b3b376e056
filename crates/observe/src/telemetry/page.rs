//! Where tests let lines be written.

use super::{filter, json};
use crate::config::LogFormat;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tracing_subscriber::{Layer, Registry, fmt, reload};

/// What the service writes at a level, written to nowhere.
pub(crate) fn into_nothing(
    format: LogFormat,
    level: &str,
) -> Box<dyn Layer<Registry> + Send + Sync> {
    let (level, _) = reload::Layer::new(filter::parse(level).unwrap());
    let lines = match format {
        LogFormat::Json => json::Lines::new(io::sink).boxed(),
        LogFormat::Text => fmt::layer().with_ansi(false).with_writer(io::sink).boxed(),
    };
    lines.with_filter(filter::discreet(level)).boxed()
}

#[derive(Clone, Default)]
pub(crate) struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    pub(crate) fn writer(&self) -> impl Fn() -> Self + Send + Sync + use<> {
        let page = self.clone();
        move || page.clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

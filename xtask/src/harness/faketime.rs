//! A clock that can be set, for processes that are started with it: libfaketime.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::service::Settings;

/// The time of day of some processes: the right one, and so many seconds. Time-outs are not affected.
pub(crate) struct FakeClock {
    library: String,
    file: PathBuf,
}

impl FakeClock {
    /// A right one, which this file sets.
    pub(crate) fn new(library: &str, file: PathBuf) -> Result<Self> {
        let clock = Self {
            library: library.to_owned(),
            file,
        };
        clock.set(0)?;
        Ok(clock)
    }

    /// Sets it, also for processes that run.
    pub(crate) fn set(&self, seconds: i64) -> Result<()> {
        Ok(fs::write(&self.file, format!("{seconds:+}s\n"))?)
    }

    /// The file that sets it: `+300s` for five minutes later.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The environment of a process that has it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library.clone()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    /// The settings of an instance that has it.
    pub(crate) fn of(&self, settings: &Settings) -> Settings {
        let variables = self.variables().into_iter();
        variables.fold(settings.clone(), |settings, (name, value)| {
            settings.foreign(name, &value)
        })
    }
}

/// Where distributions install it.
pub(crate) fn library() -> Option<String> {
    let folders = fs::read_dir("/usr/lib")
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let places = folders.chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/local/lib")]);
    let mut libraries = places.map(|place| place.join("faketime/libfaketimeMT.so.1"));
    libraries
        .find(|library| library.exists())
        .map(|library| library.display().to_string())
}

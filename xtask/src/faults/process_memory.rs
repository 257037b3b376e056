//! Memory and open files of a process of the service.

use std::fs;

use anyhow::{Context as _, Result};

use crate::harness::{service::Instance, usage};

/// The growth of a process's memory since a moment.
pub(super) struct MemoryGrowth {
    pid: u32,
    before: u64,
}

impl MemoryGrowth {
    pub(super) fn from_now(service: &Instance) -> Result<Self> {
        let pid = pid(service)?;
        // Resets the peak. Where that is not possible an older peak counts, which is too much rather than too little.
        drop(fs::write(format!("/proc/{pid}/clear_refs"), "5"));
        Ok(Self {
            pid,
            before: usage::memory(pid, "VmRSS")?,
        })
    }

    /// From then to the peak since, in bytes.
    pub(super) fn growth(&self) -> Result<u64> {
        Ok(usage::memory(self.pid, "VmHWM")?.saturating_sub(self.before))
    }
}

/// The number of open files and connections.
pub(super) fn open_files(service: &Instance) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{}/fd", pid(service)?))
        .context("the service is gone")?
        .count())
}

pub(super) fn pid(service: &Instance) -> Result<u32> {
    service.pid().context("the service does not run")
}

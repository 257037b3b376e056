//! What a process of the service holds, by what the system says of it.

use std::fs;

use anyhow::{Context as _, Result};

use crate::harness::{service::Instance, usage};

/// The memory of a process from a moment on.
pub(super) struct Memory {
    pid: u32,
    before: u64,
}

impl Memory {
    pub(super) fn from_now(service: &Instance) -> Result<Self> {
        let pid = pid(service)?;
        // The peak begins anew; where it can't, an older one counts, which is too much and not too little.
        drop(fs::write(format!("/proc/{pid}/clear_refs"), "5"));
        Ok(Self {
            pid,
            before: usage::memory(pid, "VmRSS")?,
        })
    }

    /// How much more it had at its peak since, in bytes.
    pub(super) fn growth(&self) -> Result<u64> {
        Ok(usage::memory(self.pid, "VmHWM")?.saturating_sub(self.before))
    }
}

/// Open files and connections.
pub(super) fn files(service: &Instance) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{}/fd", pid(service)?))
        .context("the service is gone")?
        .count())
}

pub(super) fn pid(service: &Instance) -> Result<u32> {
    service.pid().context("the service does not run")
}

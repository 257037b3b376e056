//! What a process of the service holds, by what the system says of it.

use std::fs;

use anyhow::{Context as _, Result};

use crate::torture::service::Instance;

/// Bytes of memory in use.
pub(super) fn used(service: &Instance) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid(service)?)).context("the service is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("the system does not tell")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<u64>()? * 1024)
}

/// Open files and connections.
pub(super) fn files(service: &Instance) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{}/fd", pid(service)?)).context("the service is gone")?.count())
}

pub(super) fn pid(service: &Instance) -> Result<u32> {
    service.pid().context("the service does not run")
}

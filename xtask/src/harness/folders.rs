//! The folders that commands read and write.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// The workspace's root.
pub(crate) fn root() -> Result<PathBuf> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    Ok(here
        .parent()
        .context("xtask has no parent directory; run it as `cargo xtask`")?
        .to_owned())
}

/// Cargo's target folder.
pub(crate) fn target() -> Result<PathBuf> {
    let given = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    Ok(root()?.join(given.unwrap_or_else(|| "target".into())))
}

/// A temporary folder whose name begins with `revolve-<purpose>-`, removed when it is dropped.
pub(crate) fn temporary(purpose: &str) -> Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("revolve-{purpose}-"))
        .tempdir()
        .context("could not make a temporary directory")
}

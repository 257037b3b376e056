//! Where the workspace is.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// The workspace's root directory.
pub(crate) fn root() -> Result<PathBuf> {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    Ok(here
        .parent()
        .context("xtask has no parent directory; run it as `cargo xtask`")?
        .to_owned())
}

//! Installs a missing server where that is a matter of one command: on Debian, as root.

use std::path::Path;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use super::{Kind, program};
use crate::harness::process;

/// Whether this machine is Debian (or a child of it) and we are its root.
pub(crate) async fn possible() -> bool {
    Path::new("/etc/debian_version").exists() && program::is_root().await
}

/// Installs the server's package.
pub(crate) async fn run(kind: Kind) -> Result<()> {
    let package = kind.package();
    eprintln!("{kind}: installing the package {package}");
    apt(&["-qq", "update"]).await?;
    apt(&["-qq", "install", "-y", "--no-install-recommends", package]).await
}

async fn apt(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .kill_on_drop(true);
    // Its chatter matters only when it fails; then `output` brings it.
    process::output(&mut command)
        .await
        .map(drop)
        .context("could not install the server; install it by hand")
}

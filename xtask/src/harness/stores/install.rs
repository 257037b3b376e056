//! Installs a missing server where one command does it: on Debian, as root.

use std::path::Path;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use super::{
    kind::StoreKind,
    program::{self, Program},
};
use crate::harness::process;

/// The server's program, installed if it is missing and can be.
pub(super) async fn find_or_install(kind: StoreKind) -> Result<Option<Program>> {
    let found = Program::find(kind).await;
    if found.is_some() || !possible().await {
        return Ok(found);
    }
    let package = kind.package();
    eprintln!("{kind}: installing the package {package}");
    apt(&["-qq", "update"]).await?;
    apt(&["-qq", "install", "-y", "--no-install-recommends", package]).await?;
    Ok(Program::find(kind).await)
}

/// Whether this is Debian (or a derivative) and we are root.
async fn possible() -> bool {
    Path::new("/etc/debian_version").exists() && program::is_root().await
}

async fn apt(args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .kill_on_drop(true);
    process::output(&mut command)
        .await
        .map(drop)
        .context("could not install the server; install it by hand")
}

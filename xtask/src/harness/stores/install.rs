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
    if let Some(found) = Program::find(kind).await {
        return Ok(Some(found));
    }
    if install(kind.package()).await? {
        return Ok(Program::find(kind).await);
    }
    Ok(None)
}

/// What `find` finds, with the package installed if it is missing and can be.
pub(super) async fn find_or_install_as<T>(
    package: &str,
    find: impl Fn() -> Option<T>,
) -> Result<Option<T>> {
    if let Some(found) = find() {
        return Ok(Some(found));
    }
    Ok(if install(package).await? {
        find()
    } else {
        None
    })
}

/// Whether it could be installed.
async fn install(package: &str) -> Result<bool> {
    if !possible().await {
        return Ok(false);
    }
    eprintln!("installing the package {package}");
    apt(&["-qq", "update"]).await?;
    apt(&["-qq", "install", "-y", "--no-install-recommends", package]).await?;
    Ok(true)
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

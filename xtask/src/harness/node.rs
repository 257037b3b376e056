//! Node, and the npm packages of a folder.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use super::process::{self, brief};

/// The oldest one that the packages run on.
const OLDEST: u32 = 20;

/// Installs the packages of `folder` by `npm <words>`, unless they are installed as `list`, a file of it, says.
///
/// # Errors
/// A reason in one line, if node or its registry is missing.
pub(crate) async fn install(folder: &Path, list: &str, words: &[&str]) -> Result<()> {
    let version = process::output(Command::new("node").arg("--version"))
        .await
        .ok()
        .context("there is no node")?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        bail!("node is {version}, and {OLDEST} is needed");
    }
    let wanted = fs::read(folder.join(list))?;
    let installed = folder.join("node_modules/.installed");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    eprintln!("installing npm packages into {}", folder.display());
    let mut npm = Command::new("npm");
    npm.args(words)
        .args(["--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--loglevel", "error"])
        .current_dir(folder);
    brief(
        process::output(&mut npm).await,
        "the npm packages could not be installed",
    )?;
    fs::write(&installed, wanted)
        .with_context(|| format!("could not write to {}", folder.display()))
}

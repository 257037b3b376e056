//! Python programs, each in a virtual environment below `target/` that is made on first use.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use tokio::process::Command;

use super::process::{self, brief};

/// A virtual environment with the packages of a requirements file.
pub(crate) struct Venv(PathBuf);

impl Venv {
    /// Makes it, unless it exists for this file's content.
    pub(crate) async fn prepare(folder: PathBuf, requirements: &Path) -> Result<Self> {
        let (installed, wanted) = (
            folder.join("installed.txt"),
            fs::read_to_string(requirements)?,
        );
        if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
            return Ok(Self(folder));
        }
        if !process::succeeds(Command::new("python3").args([
            "-c",
            "import sys, venv, ensurepip; assert sys.version_info >= (3, 10)",
        ]))
        .await
        {
            bail!("there is no Python 3.10 or newer with venv");
        }
        eprintln!("installing Python packages into {}", folder.display());
        let made = process::output(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )
        .await;
        brief(made, "the virtual environment could not be made")?;
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
            "install",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-r",
        ]);
        brief(
            process::output(pip.arg(requirements)).await,
            "the Python packages could not be installed",
        )?;
        fs::write(installed, wanted)?;
        Ok(Self(folder))
    }

    /// The path of a program in it.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }
}

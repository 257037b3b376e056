//! `cargo xtask client`: the TypeScript client in `clients/js`. What is generated must be up to date; its tests run over a service that is
//! built here, and in Chromium where there is one.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::harness::{folders, interrupt::Interrupt, node, process, service::Binary};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Write the types of the API and the copy for examples/web, instead of testing
    #[arg(long)]
    write: bool,
}

/// The package, with what it is built by.
pub(crate) struct Package(PathBuf);

impl Package {
    /// Installs what is missing.
    ///
    /// # Errors
    /// A reason in one line, if node or its registry is missing.
    pub(crate) async fn prepare(interrupt: &Interrupt) -> Result<Self> {
        let folder = folders::root()?.join("clients/js");
        let install = node::install(&folder, "package-lock.json", &["ci"]);
        interrupt.guard(install).await?;
        Ok(Self(folder))
    }

    /// Checks and tests it.
    pub(crate) async fn test(&self, interrupt: &Interrupt) -> Result<()> {
        process::run(self.npm(&["run", "check"]), interrupt)
            .await
            .context("`cargo xtask client --write` writes what is generated")?;
        eprintln!("building the service");
        let binary = Binary::build(false, interrupt).await?;
        let mut tests = self.npm(&["test"]);
        tests.env("REVOLVE_BINARY", binary.path());
        process::run(tests, interrupt).await
    }

    async fn write(&self, interrupt: &Interrupt) -> Result<()> {
        for script in ["types", "build"] {
            process::run(self.npm(&["run", script]), interrupt).await?;
        }
        Ok(())
    }

    fn npm(&self, words: &[&str]) -> Command {
        let mut npm = Command::new("npm");
        npm.args(words).current_dir(&self.0);
        npm
    }
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let package = Package::prepare(interrupt).await?;
    if args.write {
        package.write(interrupt).await
    } else {
        package.test(interrupt).await
    }
}

//! The service's binary or another one, built by cargo and copied, so that later builds do not change it during a run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::harness::{folders, interrupt::Interrupt, process};

/// What an unoptimized build selects besides its target. The features of dependencies follow from the packages that are selected, and from whether
/// a target needs those of tests, as this small one does: so what tests and programs share is built once.
const SHARED: [&str; 3] = ["--workspace", "--test", "testkit"];

pub(crate) struct Binary {
    path: PathBuf,
    _folder: TempDir,
}

impl Binary {
    /// Builds the service.
    pub(crate) async fn build(release: bool, interrupt: &Interrupt) -> Result<Self> {
        Self::build_package("revolve", release, interrupt).await
    }

    /// Takes one that is built.
    pub(crate) fn copy(built: &Path) -> Result<Self> {
        let folder = folders::temporary("binary")?;
        let name = built.file_name().context("a binary has a name")?;
        let path = folder.path().join(name);
        fs::copy(built, &path).with_context(|| format!("could not copy {}", built.display()))?;
        Ok(Self {
            path,
            _folder: folder,
        })
    }

    /// Builds the binary of a package, which has its name; with optimizations it is built as it is released, alone.
    pub(crate) async fn build_package(
        name: &str,
        release: bool,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let selection: &[&str] = if release {
            &["--release", "--package", name]
        } else {
            &SHARED
        };
        let selection = [selection, &["--bin", name]].concat();
        Self::build_in(&folders::root()?, name, &selection, interrupt).await
    }

    /// Builds an example of a package.
    pub(crate) async fn build_example(name: &str, interrupt: &Interrupt) -> Result<Self> {
        let selection = [&SHARED[..], &["--example", name]].concat();
        Self::build_in(&folders::root()?, name, &selection, interrupt).await
    }

    /// Builds the service of a commit in a temporary work tree.
    pub(crate) async fn build_commit(commit: &str, interrupt: &Interrupt) -> Result<Self> {
        let root = folders::root()?;
        let folder = folders::temporary("previous")?;
        let tree = folder.path().join("tree");
        let git = |words: &[&str]| {
            let mut command = tokio::process::Command::new("git");
            command.current_dir(&root).args(["worktree"]).args(words);
            command
        };
        process::output(git(&["add", "--detach"]).arg(&tree).arg(commit)).await?;
        let selection = ["--package", "revolve", "--bin", "revolve"];
        let built = Self::build_in(&tree, "revolve", &selection, interrupt).await;
        process::output(git(&["remove", "--force"]).arg(&tree)).await?;
        built
    }

    async fn build_in(
        root: &Path,
        name: &str,
        selection: &[&str],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut command = process::cargo(["build", "--message-format", "json-render-diagnostics"])?;
        command
            .args(selection)
            .current_dir(root)
            .env("CARGO_TARGET_DIR", folders::target()?);
        let mut child = command
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("could not run cargo")?;
        let mut lines = BufReader::new(child.stdout.take().context("cargo has no output")?).lines();
        let mut executable = None;
        let build = async {
            while let Some(line) = lines.next_line().await? {
                let message: Value = serde_json::from_str(&line).unwrap_or_default();
                if message["target"]["name"] == name
                    && let Some(path) = message["executable"].as_str()
                {
                    executable = Some(PathBuf::from(path));
                }
            }
            if !child.wait().await?.success() {
                bail!("{name} does not build");
            }
            Ok(())
        };
        interrupt.guard(build).await?;
        Self::copy(&executable.context("cargo built no executable")?)
    }

    pub(crate) fn path(&self) -> &PathBuf {
        &self.path
    }
}

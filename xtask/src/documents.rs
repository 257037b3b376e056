//! `cargo xtask man` and `cargo xtask completions`: what packagers install beside the binary. The binary writes them, since it knows its
//! commands.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tokio::process::Command;

use crate::harness::{
    folders,
    interrupt::Interrupt,
    process::{self, cargo},
};

/// Each shell, and the name of the file that it looks for.
const COMPLETIONS: [(&str, &str); 5] = [
    ("bash", "revolve.bash"),
    ("elvish", "revolve.elv"),
    ("fish", "revolve.fish"),
    ("powershell", "_revolve.ps1"),
    ("zsh", "_revolve"),
];

/// Writes the manual pages into `target/man`.
pub(crate) async fn man(interrupt: &Interrupt) -> Result<()> {
    let (binary, folder) = (build(interrupt).await?, folder("man")?);
    let mut revolve = Command::new(binary);
    revolve.arg("man").arg(&folder);
    process::run(revolve, interrupt).await?;
    eprintln!("manual pages are in {}", folder.display());
    Ok(())
}

/// Writes the completions for each shell into `target/completions`.
pub(crate) async fn completions(interrupt: &Interrupt) -> Result<()> {
    let (binary, folder) = (build(interrupt).await?, folder("completions")?);
    for (shell, name) in COMPLETIONS {
        let script = process::output(Command::new(&binary).args(["completions", shell])).await?;
        let file = folder.join(name);
        std::fs::write(&file, script + "\n")
            .with_context(|| format!("could not write {}", file.display()))?;
    }
    eprintln!("completions are in {}", folder.display());
    Ok(())
}

async fn build(interrupt: &Interrupt) -> Result<PathBuf> {
    process::run(
        cargo(["build", "--quiet", "-p", "revolve", "--bin", "revolve"])?,
        interrupt,
    )
    .await?;
    Ok(folders::target()?.join("debug/revolve"))
}

/// Makes an empty folder below `target`.
fn folder(name: &str) -> Result<PathBuf> {
    let folder = folders::target()?.join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("could not empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("could not make {}", folder.display()))?;
    Ok(folder)
}

//! A small disk: a file system in memory, which only root can mount.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::Result;
use tokio::process::Command;

use super::skipped::Skipped;
use crate::harness::process;

/// A mounted file system; dropping it unmounts it.
pub(super) struct SmallDisk(PathBuf);

impl SmallDisk {
    pub(super) async fn mount(at: PathBuf) -> Result<Self> {
        fs::create_dir_all(&at)?;
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", "size=24m,mode=700", "revolve-faults"])
            .arg(&at);
        match process::output(&mut command).await {
            Ok(_) => Ok(Self(at)),
            Err(error) => Err(Skipped(format!(
                "a small disk can't be mounted, which takes root: {error:#}"
            ))
            .into()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Fills it to the last block.
    pub(super) fn fill(&self) -> Result<()> {
        let mut filler = fs::File::create(self.filler())?;
        let block = vec![0; 4096];
        while filler.write_all(&block).is_ok() {}
        Ok(())
    }

    /// Frees the space that `fill` took.
    pub(super) fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.filler())?)
    }

    /// Makes it read-only (`ro`) or writable (`rw`); no file may be open for writing.
    pub(super) async fn remount(&self, mode: &str) -> Result<()> {
        let mut command = Command::new("mount");
        process::output(
            command
                .args(["-o", &format!("remount,{mode}")])
                .arg(&self.0),
        )
        .await
        .map(drop)
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since the service may still have files open.
        let mut command = std::process::Command::new("umount");
        drop(
            command
                .arg("--lazy")
                .arg(&self.0)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status(),
        );
    }
}

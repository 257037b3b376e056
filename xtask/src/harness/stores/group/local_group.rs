//! A group as local servers, in a process group of its own.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    process::Child,
    time::{Duration, Instant, sleep},
};

use super::spec::{GroupSpec, READY, START};
use crate::harness::{
    folders,
    stores::{
        kind::StoreKind,
        program::{Program, SystemUser, command, is_root},
    },
};

const STOP: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(30);

/// The shell whose children the servers are, and the files that it reads.
#[derive(Debug)]
pub(super) struct LocalGroup {
    child: Child,
    folder: TempDir,
}

pub(super) async fn start(
    spec: &GroupSpec,
    program: &Program,
    ports: &[u16],
) -> Result<LocalGroup> {
    let folder = folders::temporary("group")?;
    let user = if spec.kind == StoreKind::Postgres && is_root().await {
        Some(SystemUser::unprivileged().await?)
    } else {
        None
    };
    let (script, files, log) = (
        folder.path().join("run.sh"),
        folder.path().join("files"),
        folder.path().join("log"),
    );
    fs::create_dir(&files)?;
    fs::write(&script, spec.full_script())?;
    fs::write(files.join(".keep"), "")?;
    fs::write(&log, "")?;
    for (name, text) in &spec.files {
        fs::write(files.join(name), text)?;
    }
    if let Some(user) = &user {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        let inside = fs::read_dir(&files)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()?;
        for path in [folder.path(), &script, &files, &log]
            .into_iter()
            .chain(inside.iter().map(std::path::PathBuf::as_path))
        {
            chown(path, Some(user.uid), Some(user.gid))?;
        }
    }
    let here = program.path.parent().context("the server has no folder")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        [here.to_owned()]
            .into_iter()
            .chain(std::env::split_paths(&path)),
    )?;
    let output = fs::OpenOptions::new().append(true).open(&log)?;
    let mut command = command(std::path::Path::new("sh"), user.as_ref());
    command
        .arg(&script)
        .args(spec.arguments(ports))
        .env("FILES", &files)
        .env("PATH", path)
        .env("TMPDIR", folder.path());
    command
        .env_remove("LISTEN")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    command.process_group(0).kill_on_drop(true);
    let child = command.spawn().context("could not run sh")?;
    let mut server = LocalGroup { child, folder };
    server.wait().await?;
    Ok(server)
}

impl LocalGroup {
    async fn wait(&mut self) -> Result<()> {
        let end = Instant::now() + START;
        loop {
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if log.lines().any(|line| line == READY) {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() || Instant::now() > end {
                let lines: Vec<_> = log.lines().collect();
                bail!(
                    "its servers do not start: {}",
                    lines[lines.len().saturating_sub(5)..].join(" | ")
                );
            }
            sleep(POLL).await;
        }
    }
}

impl Drop for LocalGroup {
    fn drop(&mut self) {
        // The whole process group, servers and all.
        if let Some(pid) = self.child.id() {
            let mut kill = std::process::Command::new("sh");
            drop(
                kill.args(["-c", "kill -TERM -\"$1\"", "kill", &pid.to_string()])
                    .stderr(Stdio::null())
                    .status(),
            );
            // Their folder is removed next, and nothing may write to it then.
            let end = std::time::Instant::now() + STOP;
            while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < end {
                std::thread::park_timeout(POLL);
            }
        }
    }
}

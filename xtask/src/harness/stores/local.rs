//! Stores as local servers: the machine's own binaries, a free port, temporary data. They end with this process, however it ends.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    process::Child,
    time::{Instant, sleep, timeout},
};

use super::{
    kind::StoreKind,
    probe,
    program::{Program, SystemUser, command, is_root},
};
use crate::harness::{
    folders,
    process::{self, Signal},
    random,
};

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(15);
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);
/// Between two checks whether a server that has started serves.
const POLL: Duration = Duration::from_millis(10);
/// The first Postgres that can sync a whole file system after a crash.
const SYNCFS: u32 = 14;

/// A server; dropping it ends all of its processes. Fields drop in this order: first the process, then its data.
#[derive(Debug)]
pub(crate) struct LocalServer {
    program: Program,
    child: Option<Child>,
    user: Option<SystemUser>,
    /// More arguments for it.
    arguments: Vec<String>,
    port: u16,
    folder: TempDir,
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        // Suspended children do not notice that their parent is gone, and would stay.
        drop(self.signal_all(Signal::KILL));
    }
}

/// Starts the server; returns its URL.
pub(crate) async fn start(program: Program, arguments: &[&str]) -> Result<(LocalServer, String)> {
    let kind = program.kind;
    let folder = folders::temporary(&kind.to_string())?;
    let user = if kind == StoreKind::Postgres && is_root().await {
        Some(SystemUser::unprivileged().await?)
    } else {
        None
    };
    let arguments = arguments
        .iter()
        .map(|argument| (*argument).to_owned())
        .collect();
    let mut server = LocalServer {
        program,
        child: None,
        user,
        arguments,
        port: 0,
        folder,
    };
    let url = match kind {
        StoreKind::Redis => {
            fs::create_dir(server.data())?;
            String::new()
        }
        StoreKind::Postgres => server.initialise().await?,
    };
    server.launch(true).await?;
    let address = server.address();
    let path = if kind == StoreKind::Postgres {
        "postgres"
    } else {
        ""
    };
    Ok((server, format!("{kind}://{url}{address}/{path}")))
}

impl LocalServer {
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    pub(crate) async fn stop(&mut self) -> Result<()> {
        // A paused process takes no other signal.
        drop(self.resume());
        // SIGINT is Postgres's fast shutdown, which waits for no client; Redis takes both the same.
        self.end(Signal::INT).await
    }

    /// Kills all of its processes at once, as a machine that crashes does.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        drop(self.signal_all(Signal::KILL));
        self.end(Signal::KILL).await
    }

    pub(crate) fn pause(&self) -> Result<()> {
        self.signal_all(Signal::STOP)
    }

    pub(crate) fn resume(&self) -> Result<()> {
        self.signal_all(Signal::CONT)
    }

    fn signal_all(&self, signal: Signal) -> Result<()> {
        let pid = self.pid().context("the server does not run")?;
        // The parent first, so that it makes no more children; those seen before it may outlive it.
        let before = self.children();
        process::signal(pid, signal);
        let after = self.children();
        let late = after
            .into_iter()
            .filter(|child| !before.contains(child))
            .collect::<Vec<_>>();
        before
            .into_iter()
            .chain(late)
            .for_each(|child| process::signal(child, signal));
        Ok(())
    }

    /// Its child processes; each of Postgres's is a session of its own, so that no signal to a group reaches them.
    fn children(&self) -> Vec<u32> {
        let Some(pid) = self.pid() else {
            return Vec::new();
        };
        process::children(pid)
    }

    pub(crate) async fn restart(&mut self) -> Result<()> {
        if self.child.is_some() {
            self.stop().await?;
        }
        self.launch(false).await
    }

    async fn end(&mut self, signal: Signal) -> Result<()> {
        let children = self.children();
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        if let Some(pid) = child.id() {
            process::signal(pid, signal);
        }
        if timeout(STOP, child.wait()).await.is_err() {
            child.kill().await.context("could not end the server")?;
            for child in children {
                process::signal(child, Signal::KILL);
            }
        }
        Ok(())
    }

    /// Makes the database's files; returns `user:password@`.
    async fn initialise(&mut self) -> Result<String> {
        let password = random::key()?;
        let password_file = self.folder.path().join("password");
        fs::write(&password_file, &password)?;
        if let Some(user) = &self.user {
            // The server's user needs access to the data and owns what it writes.
            fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o700))?;
            for path in [self.folder.path(), &password_file] {
                chown(path, Some(user.uid), Some(user.gid))?;
            }
        }
        let mut command = command(
            &self.program.path.with_file_name("initdb"),
            self.user.as_ref(),
        );
        command
            .arg("-D")
            .arg(self.data())
            .arg(format!("--pwfile={}", password_file.display()));
        command.args([
            "--username=revolve",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--no-locale",
            "--no-sync",
        ]);
        process::output(command.current_dir("/").kill_on_drop(true))
            .await
            .context("could not make a database")?;
        fs::remove_file(password_file)?;
        Ok(format!("revolve:{password}@"))
    }

    /// Starts the process until it serves; the first time on any free port, later on the same.
    async fn launch(&mut self, any_port: bool) -> Result<()> {
        for attempt in 1.. {
            if any_port {
                // Free now; if another process takes it before the server does, the next attempt takes another.
                self.port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
            }
            self.child = Some(self.spawn()?);
            if self.serves().await? {
                break;
            }
            // After a kill the old server's children hold the data for a moment.
            if attempt >= ATTEMPTS {
                bail!("{} does not start: {}", self.program, self.last_lines());
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Waits until the server serves (true) or has ended (false).
    async fn serves(&mut self) -> Result<bool> {
        let end = Instant::now() + START;
        let address = self.address();
        while Instant::now() < end {
            let child = self.child.as_mut().context("the server was not started")?;
            if child.try_wait()?.is_some() {
                self.child = None;
                return Ok(false);
            }
            if probe::serves(self.program.kind, &address).await {
                return Ok(true);
            }
            sleep(POLL).await;
        }
        bail!("{} does not answer: {}", self.program, self.last_lines())
    }

    fn spawn(&self) -> Result<Child> {
        let log = fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.folder.path().join("log"))?;
        let port = self.port.to_string();
        let mut command = command(&self.program.path, self.user.as_ref());
        match self.program.kind {
            StoreKind::Redis => {
                command
                    .args(["--port", &port, "--bind", "127.0.0.1", "--dir"])
                    .arg(self.data());
                // With the append-only file, so that a restart keeps what was acknowledged, as in production.
                command.args(["--appendonly", "yes", "--appendfsync", "no", "--save", ""]);
            }
            StoreKind::Postgres => {
                command
                    .arg("-D")
                    .arg(self.data())
                    .args(["-p", &port, "-h", "127.0.0.1", "-k", ""]);
                command.args(["-c", "max_connections=300", "-c", "fsync=off"]);
                // Before it recovers from a crash, Postgres syncs its thousand files, one by one unless it is told otherwise.
                if cfg!(target_os = "linux") && self.program.major() >= SYNCFS {
                    command.args(["-c", "recovery_init_sync_method=syncfs"]);
                }
            }
        }
        command.args(&self.arguments);
        command
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // A process group of its own: Ctrl-C ends the tests first, then the server.
        command.process_group(0).kill_on_drop(true);
        command
            .spawn()
            .with_context(|| format!("could not run {}", self.program))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn last_lines(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join(" | ")
    }
}

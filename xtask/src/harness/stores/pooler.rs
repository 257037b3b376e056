//! PgBouncer in transaction mode in front of a Postgres: a local process beside it, wherever the Postgres runs.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::Stdio,
    str::FromStr as _,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};
use tokio_postgres::config::Host;
use url::Url;

use super::{
    install,
    postgres::PostgresConnection,
    program::{SystemUser, command, is_root},
};
use crate::harness::{folders, process};

/// Debian's package.
const PACKAGE: &str = "pgbouncer";
const START: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(30);
const ATTEMPTS: u32 = 5;

/// A PgBouncer; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Pooler {
    version: String,
    url: Url,
    child: Child,
    folder: TempDir,
}

impl Pooler {
    /// Starts one in front of `postgres`, with so many sessions of the server for each database; `None` if it is not
    /// installed and can't be.
    pub(crate) async fn start(postgres: &Url, sessions: u32) -> Result<Option<Self>> {
        let Some(program) = install::find_or_install_as(PACKAGE, find).await? else {
            return Ok(None);
        };
        let version = process::output(Command::new(&program).arg("--version")).await?;
        let version = version.lines().next().unwrap_or_default().to_owned();
        for _ in 1..ATTEMPTS {
            let mut pooler = Self::launch(&program, version.clone(), postgres, sessions).await?;
            // Another process may have taken the port in between.
            if pooler.serves().await? {
                return Ok(Some(pooler));
            }
        }
        bail!("{PACKAGE} does not start")
    }

    async fn launch(
        program: &Path,
        version: String,
        postgres: &Url,
        sessions: u32,
    ) -> Result<Self> {
        let folder = folders::temporary("pooler")?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, configuration(postgres, port, sessions)?)?;
        // The file has the password.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        let user = if is_root().await {
            let user = SystemUser::unprivileged().await?;
            for path in [folder.path(), &file] {
                chown(path, Some(user.uid), Some(user.gid))?;
            }
            Some(user)
        } else {
            None
        };
        let log = fs::File::create(folder.path().join("log"))?;
        let mut command = command(program, user.as_ref());
        command
            .arg(&file)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        // A process group of its own: Ctrl-C ends the tests first.
        command.process_group(0).kill_on_drop(true);
        let child = command
            .spawn()
            .with_context(|| format!("could not run {}", program.display()))?;
        let mut url = postgres.clone();
        url.set_ip_host([127, 0, 0, 1].into())
            .and_then(|()| url.set_port(Some(port)))
            .ok()
            .context("a Postgres's URL has a host")?;
        Ok(Self {
            version,
            url,
            child,
            folder,
        })
    }

    /// Waits until it serves (true) or has ended (false).
    async fn serves(&mut self) -> Result<bool> {
        let end = Instant::now() + START;
        while Instant::now() < end {
            if self.child.try_wait()?.is_some() {
                return Ok(false);
            }
            if let Ok(connection) = PostgresConnection::open(&self.url).await {
                connection.close().await;
                return Ok(true);
            }
            sleep(POLL).await;
        }
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        bail!(
            "{PACKAGE} does not answer: {}",
            lines[lines.len().saturating_sub(5)..].join(" | ")
        )
    }

    /// The URL of the Postgres, through it.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }
}

impl std::fmt::Display for Pooler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let port = self.url.port().unwrap_or_default();
        write!(f, "pooler: {} (127.0.0.1:{port})", self.version)
    }
}

/// Any database of the server, as the user of the URL whoever connects. It is on the loopback only, as the stores are.
fn configuration(postgres: &Url, port: u16, sessions: u32) -> Result<String> {
    let config = tokio_postgres::Config::from_str(postgres.as_str())?;
    let host = match config.get_hosts() {
        [Host::Tcp(host)] => host.clone(),
        [Host::Unix(path)] => path.display().to_string(),
        _ => bail!("a pooler stands before one Postgres"),
    };
    let server_port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().context("the URL has a user")?;
    let password = String::from_utf8(config.get_password().unwrap_or_default().to_vec())?;
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    Ok(format!(
        "[databases]\n\
         * = host={host} port={server_port} user={user} password={password}\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = transaction\n\
         default_pool_size = {sessions}\n\
         max_client_conn = 1000\n\
         server_idle_timeout = 2\n\
         autodb_idle_timeout = 5\n\
         log_connections = 0\n\
         log_disconnections = 0\n",
        user = quoted(user),
        password = quoted(&password),
    ))
}

/// The installed program.
fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"].map(PathBuf::from))
        .map(|folder| folder.join(PACKAGE))
        .find(|program| program.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_configuration_has_what_the_url_says() {
        let postgres = "postgres://ann:it%27s@localhost:5433/db"
            .parse()
            .expect("a URL");
        let text = configuration(&postgres, 6432, 3).expect("it can be made");
        assert!(
            text.contains("* = host=localhost port=5433 user='ann' password='it''s'\n")
                && text.contains("listen_port = 6432\n"),
            "{text}"
        );
    }
}

//! A process of the service, which can be stopped, killed and started again.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{binary::Binary, settings::Settings};
use crate::harness::process::{self, Signal};

const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(15);
/// So many lines are kept.
const LINES: usize = 20;

/// A process; dropping it kills it.
pub(crate) struct Instance {
    program: PathBuf,
    arguments: Vec<String>,
    settings: Settings,
    home: PathBuf,
    child: Option<Child>,
    url: String,
    printed: Arc<Mutex<Vec<String>>>,
}

impl Instance {
    /// Starts one with `home` as its working directory and waits until it listens.
    pub(crate) async fn start(binary: &Binary, settings: &Settings, home: PathBuf) -> Result<Self> {
        Self::start_with(binary, Vec::new(), settings, home).await
    }

    /// The same with arguments, for other servers that print `listening on <URL>`.
    pub(crate) async fn start_with(
        binary: &Binary,
        arguments: Vec<String>,
        settings: &Settings,
        home: PathBuf,
    ) -> Result<Self> {
        fs::create_dir_all(&home)?;
        let program = binary.path().clone();
        let mut instance = Self {
            program,
            arguments,
            settings: settings.clone(),
            home,
            child: None,
            url: String::new(),
            printed: Arc::default(),
        };
        instance.restart().await?;
        Ok(instance)
    }

    /// Where it listens; another port after each start.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What the first line that begins so says, once it is printed.
    pub(crate) async fn printed(&self, before: &str) -> Result<String> {
        let found = async {
            loop {
                let line = self.lines().into_iter().find_map(|line| {
                    let rest = line.strip_prefix(before)?;
                    Some(rest.to_owned())
                });
                match line {
                    Some(line) => return line,
                    None => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        timeout(START, found)
            .await
            .with_context(|| format!("the service does not print `{before}`"))
    }

    fn lines(&self) -> Vec<String> {
        let printed = self.printed.lock();
        printed.map(|lines| lines.clone()).unwrap_or_default()
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Its working directory; the embedded store is in `data` there.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Starts it again after `stop` or `kill`.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        let log = File::options().append(true).create(true).open(self.log())?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.settings.variables())
            .current_dir(&self.home);
        // A process group of its own: Ctrl-C reaches this process, which ends it.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().context("could not run the service")?;
        let mut lines =
            BufReader::new(child.stdout.take().context("the service has no output")?).lines();
        self.child = Some(child);
        let first = timeout(START, lines.next_line())
            .await
            .context("the service does not start in time")??;
        let Some(url) = first
            .as_deref()
            .and_then(|line| line.strip_prefix("listening on "))
        else {
            bail!(
                "the service does not start: {}",
                self.last_log_lines().join(" | ")
            );
        };
        url.clone_into(&mut self.url);
        // The pipe stays open for further lines.
        let printed = Arc::default();
        self.printed = Arc::clone(&printed);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                keep(&printed, line);
            }
        });
        Ok(())
    }

    /// Stops it in order.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        if let Some(pid) = child.id() {
            process::signal(pid, Signal::TERM);
        }
        let status = timeout(STOP, child.wait())
            .await
            .context("the service does not end in time")??;
        if !status.success() {
            bail!(
                "the service ended with {status}: {}",
                self.last_log_lines().join(" | ")
            );
        }
        Ok(())
    }

    /// Ends it like `kill -9`.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        child.start_kill().context("could not kill the service")?;
        child
            .wait()
            .await
            .context("could not wait for the service")?;
        Ok(())
    }

    /// The last ten lines that it wrote to standard error.
    pub(crate) fn last_log_lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines[lines.len().saturating_sub(10)..].to_vec()
    }

    /// Runs a command of the service over the same stores; answers what it prints.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.settings.variables())
            .current_dir(&self.home);
        process::output(&mut command).await
    }

    /// Makes an API key with these scopes.
    pub(crate) async fn make_key(&self, scopes: &str) -> Result<String> {
        let made = self
            .command(&[
                "api-keys", "create", "--json", "--name", "xtask", "--scopes", scopes,
            ])
            .await?;
        let made: Value = serde_json::from_str(&made)?;
        let key = made["key"].as_str().context("the command prints no key")?;
        Ok(key.to_owned())
    }

    fn log(&self) -> PathBuf {
        self.home.join("log")
    }
}

/// The first lines are enough: they name the addresses.
fn keep(printed: &Mutex<Vec<String>>, line: String) {
    if let Ok(mut lines) = printed.lock()
        && lines.len() < LINES
    {
        lines.push(line);
    }
}

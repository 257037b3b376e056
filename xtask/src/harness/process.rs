//! Runs other programs: their output goes to the user, their failure is an error, and signals to stop reach them.

use std::{ffi::OsStr, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, bail};
pub(crate) use rustix::process::Signal;
use rustix::process::{Pid, kill_process};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
    time::timeout,
};

use super::{
    folders,
    interrupt::{Interrupt, Interrupted, SignalSource},
};

/// How long a child may take to end.
const GRACE: Duration = Duration::from_secs(20);

/// The error of a program that failed; its output says why.
#[derive(Debug)]
pub(crate) struct Failed(String);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failed {}

/// A `cargo` command in the workspace's root, by the cargo that runs this process.
pub(crate) fn cargo(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Command> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(folders::root()?);
    // Set by `cargo run`; inner builds would rebuild for them.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        }) {
            command.env_remove(name);
        }
    }
    Ok(command)
}

/// Whether the command succeeds; its output is discarded.
pub(crate) async fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .is_ok_and(|status| status.success())
}

/// The command's standard output, trimmed.
pub(crate) async fn output(command: &mut Command) -> Result<String> {
    let name = name(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .await
        .with_context(|| format!("could not run {name}"))?;
    if !output.status.success() {
        bail!(
            "{name} failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs the command with this on its standard input; returns its standard output.
pub(crate) async fn pipe(command: &mut Command, input: &[u8]) -> Result<Vec<u8>> {
    let name = name(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("could not run {name}"))?;
    let mut stdin = child.stdin.take().context("the program has no input")?;
    let (written, output) = tokio::join!(
        async move { stdin.write_all(input).await },
        child.wait_with_output()
    );
    let output = output.with_context(|| format!("could not wait for {name}"))?;
    if !output.status.success() {
        bail!("`{name}` failed ({}), see above", output.status);
    }
    written.with_context(|| format!("could not write to {name}"))?;
    Ok(output.stdout)
}

/// Shortens an error to its last line.
pub(crate) fn brief(outcome: Result<String>, what: &str) -> Result<()> {
    outcome.map(drop).map_err(|error| {
        let text = format!("{error:#}");
        let last = text
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        anyhow::anyhow!("{what}: {}", last.trim())
    })
}

/// Runs the command; its output goes to the user.
pub(crate) async fn run(mut command: Command, interrupt: &Interrupt) -> Result<()> {
    let name = name(&command);
    let mut child = command
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("could not run {name}"))?;
    let status = tokio::select! {
        status = child.wait() => status.with_context(|| format!("could not wait for {name}"))?,
        cause = interrupt.wait() => {
            stop(&mut child, cause).await;
            return Err(Interrupted.into());
        }
    };
    if !status.success() {
        return Err(Failed(format!("`{name}` failed ({status})")).into());
    }
    Ok(())
}

/// Ends a child in order: a test runner that is killed would leave its test processes behind.
async fn stop(child: &mut Child, cause: SignalSource) {
    // The child has a signal from the terminal already; a second one would abort it.
    if cause == SignalSource::Terminal && timeout(GRACE, child.wait()).await.is_ok() {
        return;
    }
    if let Some(pid) = child.id() {
        signal(pid, Signal::TERM);
    }
    if timeout(GRACE, child.wait()).await.is_err() {
        drop(child.kill().await);
    }
}

/// Sends a signal to a process, if it still exists.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// The child processes that still run; none where the system does not list them.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn name(command: &Command) -> String {
    let command = command.as_std();
    let program = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

//! Ctrl-C and friends as a value that any wait can look at, so that servers and containers are taken down before the process ends.

use anyhow::{Context as _, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// The error of a task that was told to stop.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// How the user or the system asked us to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// From the terminal: the whole foreground process group gets it, our children too.
    Terminal,
    /// Sent to this process: children know nothing of it.
    Process,
}

/// Tells whether a signal to stop has arrived.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<Option<Cause>>);

impl Interrupt {
    /// Takes over SIGINT, SIGTERM and SIGHUP. The first asks for an orderly end; the second ends the process at once.
    pub(crate) fn listen() -> Result<Self> {
        let hook = |kind| signal(kind).context("could not listen for signals");
        let (mut int, mut term, mut hup) = (
            hook(SignalKind::interrupt())?,
            hook(SignalKind::terminate())?,
            hook(SignalKind::hangup())?,
        );
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let cause = tokio::select! {
                    _ = int.recv() => Cause::Terminal,
                    _ = term.recv() => Cause::Process,
                    _ = hup.recv() => Cause::Process,
                };
                if sender.send_replace(Some(cause)).is_some() {
                    std::process::exit(130);
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Waits for a signal to stop; returns at once if there was one.
    pub(crate) async fn wait(&self) -> Cause {
        let mut receiver = self.0.clone();
        let seen = receiver
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|cause| *cause);
        match seen {
            Some(cause) => cause,
            // The listener is gone, which happens only when the runtime is: nothing will ever arrive.
            None => std::future::pending().await,
        }
    }

    /// Runs `future`, unless a signal comes first.
    pub(crate) async fn guard<T>(&self, future: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            outcome = future => outcome,
            _ = self.wait() => Err(Interrupted.into()),
        }
    }
}

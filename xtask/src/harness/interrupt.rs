//! Signals to stop as a value that can be waited for, so that servers and containers are stopped before the process ends.

use anyhow::{Context as _, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// The error of a command that was interrupted.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Where a signal came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignalSource {
    /// From the terminal: child processes of the foreground process group have it as well.
    Terminal,
    /// Sent to this process alone.
    Process,
}

#[derive(Debug, Clone)]
pub(crate) struct Interrupt(watch::Receiver<Option<SignalSource>>);

impl Interrupt {
    /// Handles SIGINT, SIGTERM and SIGHUP. The first one asks for an orderly end; the second one ends the process at once.
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
                    _ = int.recv() => SignalSource::Terminal,
                    _ = term.recv() => SignalSource::Process,
                    _ = hup.recv() => SignalSource::Process,
                };
                if sender.send_replace(Some(cause)).is_some() {
                    std::process::exit(130);
                }
            }
        });
        Ok(Self(receiver))
    }

    /// Waits for a signal to stop; returns at once if there was one.
    pub(crate) async fn wait(&self) -> SignalSource {
        let mut receiver = self.0.clone();
        let seen = receiver
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|cause| *cause);
        match seen {
            Some(cause) => cause,
            // The listener ends only with the runtime: no signal will arrive.
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

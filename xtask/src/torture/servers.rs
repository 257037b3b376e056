//! The servers that rounds attack.

use crate::harness::service::Deployment;

/// Replicas of one service: ours over one kind of store, or those of another operator.
pub(crate) struct ServerGroup {
    /// For headings.
    pub(crate) name: String,
    /// The arguments that lead a replayed round to the same servers.
    pub(crate) replay_args: String,
    pub(crate) urls: Vec<String>,
    deployment: Option<Deployment>,
}

impl ServerGroup {
    pub(crate) fn foreign(name: String, replay_args: String, urls: Vec<String>) -> Self {
        Self {
            name,
            replay_args,
            urls,
            deployment: None,
        }
    }

    pub(crate) fn own(deployment: Deployment, replay_args: &str) -> Self {
        Self {
            name: deployment.name.to_owned(),
            replay_args: replay_args.to_owned(),
            urls: deployment.urls(),
            deployment: Some(deployment),
        }
    }

    /// The last log lines of our own replicas.
    pub(crate) fn last_log_lines(&self) -> Vec<String> {
        self.deployment
            .as_ref()
            .map(Deployment::last_log_lines)
            .unwrap_or_default()
    }
}

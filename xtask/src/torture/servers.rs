//! The servers that rounds attack.

use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::harness::{profile::ServerProfile, service::Deployment};

/// Replicas of one service: ours over one kind of store, or those of another operator.
pub(crate) struct ServerGroup {
    /// For headings.
    pub(crate) name: String,
    /// The arguments that lead a replayed round to the same servers.
    pub(crate) replay_args: String,
    pub(crate) urls: Vec<String>,
    /// That of the run, filled in with what only these servers know.
    pub(crate) profile: Option<Arc<ServerProfile>>,
    deployment: Option<Deployment>,
}

impl ServerGroup {
    pub(crate) fn foreign(name: String, replay_args: String, urls: Vec<String>) -> Self {
        Self {
            name,
            replay_args,
            urls,
            profile: None,
            deployment: None,
        }
    }

    pub(crate) fn own(deployment: Deployment, replay_args: &str) -> Self {
        Self {
            name: deployment.name.to_owned(),
            replay_args: replay_args.to_owned(),
            urls: deployment.urls(),
            profile: None,
            deployment: Some(deployment),
        }
    }

    /// The same, attacked as OAuth clients do, with a key for introspection.
    pub(crate) async fn by_oauth2(self) -> Result<Self> {
        let deployment = self.deployment.as_ref();
        let deployment = deployment.context("only our own have a key")?;
        let key = deployment.make_key("tokens:introspect").await?;
        Ok(Self {
            name: format!("{}, by OAuth 2", self.name),
            profile: Some(Arc::new(ServerProfile::of_own_oauth2(Some(&key))?)),
            ..self
        })
    }

    /// The last log lines of our own replicas.
    pub(crate) fn last_log_lines(&self) -> Vec<String> {
        self.deployment
            .as_ref()
            .map(Deployment::last_log_lines)
            .unwrap_or_default()
    }
}

//! The container engine, and our containers in it. Each container has a label with the process that owns it, so that the next run finds what
//! a crash left behind.

use std::{collections::HashMap, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use testcontainers_modules::testcontainers::{
    bollard::{
        Docker,
        query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder},
    },
    core::client::docker_client_instance,
};
use tokio::time::timeout;

use super::kind::StoreKind;

pub(super) const LABEL: &str = "revolve.xtask";
const ANSWER: Duration = Duration::from_secs(5);

/// The engine, if it answers.
pub(super) async fn engine() -> Result<Docker> {
    let docker = docker_client_instance()
        .await
        .context("no container engine")?;
    match timeout(ANSWER, docker.ping()).await {
        Ok(Ok(_)) => Ok(docker),
        Ok(Err(error)) => Err(error).context("no container engine answers"),
        Err(_) => bail!("the container engine does not answer"),
    }
}

/// Whether the engine publishes ports on the loopback of this machine: not if it is remote, nor if this is a container with its socket. The mark
/// of a container is no proof, since a machine may have been made from an image.
pub(super) async fn is_here(docker: &Docker) -> bool {
    let host = std::env::var("DOCKER_HOST").unwrap_or_default();
    let same_machine = async {
        docker
            .info()
            .await
            .is_ok_and(|info| info.name == Some(machine()))
    };
    (host.is_empty() || host.starts_with("unix:"))
        && (!Path::new("/.dockerenv").exists() || same_machine.await)
}

/// The label of a container: machine and process of its owner, and the store.
pub(super) fn label(kind: StoreKind) -> String {
    format!("{}{kind}", owner())
}

fn owner() -> String {
    format!("{}/{}/", machine(), std::process::id())
}

fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Removes this process's containers of one kind.
pub(super) async fn remove(docker: &Docker, kind: StoreKind) {
    remove_where(docker, |found| found == label(kind)).await;
}

/// Removes all containers of this process, also those half started.
pub(super) async fn remove_all() {
    if let Ok(docker) = engine().await {
        remove_where(&docker, |found| found.starts_with(&owner())).await;
    }
}

/// Removes containers whose owner on this machine has ended.
pub(super) async fn remove_stale(docker: &Docker) {
    let processes = Path::new("/proc");
    let gone = |found: &str| match found.split('/').collect::<Vec<_>>()[..] {
        [host, pid, _] => {
            host == machine() && processes.join("self").exists() && !processes.join(pid).exists()
        }
        _ => false,
    };
    remove_where(docker, gone).await;
}

async fn remove_where(docker: &Docker, ours: impl Fn(&str) -> bool) {
    let labelled = HashMap::from([("label", vec![LABEL])]);
    let options = ListContainersOptionsBuilder::new()
        .all(true)
        .filters(&labelled)
        .build();
    let found = docker
        .list_containers(Some(options))
        .await
        .unwrap_or_default();
    for container in found {
        let label = container
            .labels
            .unwrap_or_default()
            .remove(LABEL)
            .unwrap_or_default();
        if let Some(id) = container.id.filter(|_| ours(&label)) {
            let options = RemoveContainerOptionsBuilder::new()
                .force(true)
                .v(true)
                .build();
            if let Err(error) = docker.remove_container(&id, Some(options)).await {
                eprintln!(
                    "could not remove container {id}: {error}; remove it by `docker rm -fv {id}`"
                );
            }
        }
    }
}

//! A group in one container: its servers find each other on the container's loopback, at the ports that are published.

use std::{any::Any, collections::HashMap};

use anyhow::{Context as _, Result, anyhow};
use testcontainers_modules::testcontainers::{
    GenericImage, ImageExt as _,
    core::{IntoContainerPort as _, WaitFor},
    runners::AsyncRunner as _,
};

use super::spec::{GroupSpec, READY, START};
use crate::harness::stores::{
    containers,
    engine::{self, engine},
    kind::StoreKind,
};

/// A container with the servers; dropping it removes it.
pub(super) struct ContainerGroup(
    #[expect(dead_code, reason = "held, so that the container stays")] Box<dyn Any + Send>,
);

impl std::fmt::Debug for ContainerGroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a container")
    }
}

/// Fails unless there is an engine here that has the image or gets it.
pub(super) async fn prepare(spec: &GroupSpec) -> Result<()> {
    let docker = engine().await?;
    engine::remove_stale(&docker).await;
    if !engine::is_here(&docker).await {
        return Err(anyhow!(
            "the servers announce their addresses, which the engine of another machine can't publish here"
        ));
    }
    containers::ensure_image(&docker, spec.kind).await
}

pub(super) async fn start(spec: &GroupSpec, ports: &[u16]) -> Result<(ContainerGroup, String)> {
    let image = spec.kind.image();
    let (name, tag) = containers::name_and_tag(&image);
    let arguments = ["sh", "/revolve/run.sh"]
        .into_iter()
        .map(str::to_owned)
        .chain(spec.arguments(ports));
    let mut request = GenericImage::new(name, tag)
        .with_wait_for(WaitFor::message_on_stdout(READY))
        .with_cmd(arguments)
        .with_label(engine::LABEL, engine::label(spec.kind))
        // Published ports come in from outside the container's loopback.
        .with_env_var("LISTEN", "0.0.0.0")
        .with_env_var("FILES", "/revolve/files")
        .with_copy_to("/revolve/run.sh", spec.full_script().into_bytes())
        .with_copy_to("/revolve/files/.keep", Vec::new())
        .with_startup_timeout(START)
        .with_host_config_modifier(|config| {
            // Only this machine may reach a test's servers.
            let bindings = config
                .port_bindings
                .iter_mut()
                .flat_map(HashMap::values_mut)
                .flatten()
                .flatten();
            bindings.for_each(|binding| binding.host_ip = Some("127.0.0.1".to_owned()));
        });
    if spec.kind == StoreKind::Postgres {
        request = request.with_user("postgres");
    }
    for (name, text) in &spec.files {
        request = request.with_copy_to(format!("/revolve/files/{name}"), text.clone().into_bytes());
    }
    for port in &ports[..spec.ports.0] {
        request = request.with_mapped_port(*port, port.tcp());
    }
    let container = request
        .start()
        .await
        .map_err(|error| anyhow!("{error}"))
        .context("its container")?;
    Ok((ContainerGroup(Box::new(container)), "127.0.0.1".to_owned()))
}

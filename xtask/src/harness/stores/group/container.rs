//! A group in one container: its servers find each other on the container's loopback, at the ports that are published.

use std::{any::Any, collections::HashMap};

use anyhow::{Context as _, Result, anyhow};
use testcontainers_modules::testcontainers::{
    GenericImage, ImageExt as _,
    core::{IntoContainerPort as _, WaitFor},
    runners::AsyncRunner as _,
};

use super::{Plan, READY, START};
use crate::harness::stores::{
    Kind, containers,
    engine::{self, engine},
};

/// A container of ours; dropping it removes it.
pub(super) struct Server(
    #[expect(dead_code, reason = "it is held, so that the container stays")] Box<dyn Any + Send>,
);

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a container")
    }
}

/// Whether there is an engine that has the image or gets it.
pub(super) async fn prepare(plan: &Plan) -> Result<()> {
    let docker = engine().await?;
    engine::remove_stale(&docker).await;
    if !engine::is_here(&docker).await {
        return Err(anyhow!(
            "the servers tell each other's addresses, which another machine's engine can't publish here"
        ));
    }
    containers::ensure_image(&docker, plan.kind).await
}

pub(super) async fn start(plan: &Plan, ports: &[u16]) -> Result<(Server, String)> {
    let image = plan.kind.image();
    let (name, tag) = containers::name_and_tag(&image);
    let arguments = ["sh", "/revolve/run.sh"]
        .into_iter()
        .map(str::to_owned)
        .chain(plan.arguments(ports));
    let mut request = GenericImage::new(name, tag)
        .with_wait_for(WaitFor::message_on_stdout(READY))
        .with_cmd(arguments)
        .with_label(engine::LABEL, engine::label(plan.kind))
        // Published ports come in from outside the container's loopback.
        .with_env_var("LISTEN", "0.0.0.0")
        .with_env_var("FILES", "/revolve/files")
        .with_copy_to("/revolve/run.sh", plan.text().into_bytes())
        .with_copy_to("/revolve/files/.keep", Vec::new())
        .with_startup_timeout(START)
        .with_host_config_modifier(|config| {
            // A test's servers are nobody else's business.
            let bindings = config
                .port_bindings
                .iter_mut()
                .flat_map(HashMap::values_mut)
                .flatten()
                .flatten();
            bindings.for_each(|binding| binding.host_ip = Some("127.0.0.1".to_owned()));
        });
    if plan.kind == Kind::Postgres {
        request = request.with_user("postgres");
    }
    for (name, text) in &plan.files {
        request = request.with_copy_to(format!("/revolve/files/{name}"), text.clone().into_bytes());
    }
    for port in &ports[..plan.ports.0] {
        request = request.with_mapped_port(*port, port.tcp());
    }
    let container = request
        .start()
        .await
        .map_err(|error| anyhow!("{error}"))
        .context("its container")?;
    Ok((Server(Box::new(container)), "127.0.0.1".to_owned()))
}

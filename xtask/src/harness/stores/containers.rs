//! Stores in containers, by testcontainers: on a port that stays over a restart, published on the loopback only where that can be.

use std::{any::Any, collections::HashMap, net::TcpListener, time::Duration};

use anyhow::{Context as _, Result, anyhow};
use testcontainers_modules::{
    postgres::Postgres,
    redis::Redis,
    testcontainers::{
        ContainerRequest, Image, ImageExt as _,
        bollard::{
            Docker,
            query_parameters::{KillContainerOptions, StartContainerOptions, StopContainerOptions},
        },
        core::{IntoContainerPort as _, Mount},
        runners::AsyncRunner as _,
    },
};
use tokio::time::timeout;

use super::{
    engine::{self, engine},
    kind::StoreKind,
    probe,
};
use crate::harness::random;

const PULL: Duration = Duration::from_mins(5);
const START: Duration = Duration::from_mins(1);
const ATTEMPTS: u32 = 5;

/// A container with a server; dropping it removes it.
pub(crate) struct ContainerServer {
    kind: StoreKind,
    id: String,
    address: String,
    _container: Box<dyn Any + Send>,
}

/// Starts a container and says how to reach the server in it.
pub(crate) async fn start(
    kind: StoreKind,
    arguments: &[&str],
    in_memory: bool,
) -> Result<(ContainerServer, String)> {
    let docker = engine().await?;
    engine::remove_stale(&docker).await;
    ensure_image(&docker, kind).await?;
    let mut attempt = 1;
    loop {
        // A port of our choosing, since one of the engine's choosing would change with each restart.
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        match launch(kind, port, arguments, in_memory).await {
            Ok(started) => return Ok(started),
            // Another process may have taken the port in between.
            Err(error)
                if attempt < ATTEMPTS
                    && format!("{error:#}").contains("port is already allocated") =>
            {
                attempt += 1;
            }
            Err(error) => {
                engine::remove(&docker, kind).await;
                return Err(error);
            }
        }
    }
}

async fn launch(
    kind: StoreKind,
    port: u16,
    arguments: &[&str],
    in_memory: bool,
) -> Result<(ContainerServer, String)> {
    let password = random::key()?;
    let user = match kind {
        StoreKind::Redis => String::new(),
        StoreKind::Postgres => format!("revolve:{password}@"),
    };
    let (id, host, container) = match kind {
        StoreKind::Redis => {
            // With the append-only file, so that a restart keeps what was acknowledged, as in production.
            let command = [
                "redis-server",
                "--appendonly",
                "yes",
                "--appendfsync",
                "no",
                "--save",
                "",
            ];
            run(
                Redis::default().with_cmd(command.iter().chain(arguments).copied()),
                kind,
                port,
                6379,
            )
            .await?
        }
        StoreKind::Postgres => {
            let image = Postgres::default()
                .with_user("revolve")
                .with_password(&password)
                .with_db_name("postgres");
            let mut command = vec!["-c", "max_connections=300", "-c", "fsync=off"];
            if in_memory {
                command.extend(["-c", "max_wal_size=128MB", "-c", "full_page_writes=off"]);
            }
            let mut request = image.with_cmd(command.iter().chain(arguments).copied());
            if in_memory {
                // Each test makes and removes some hundred files: on a disk more than half of the server's CPU time was the kernel's. Not over the image's own
                // folder: the mount is root's.
                const FOLDER: &str = "/volatile";
                request = request
                    .with_mount(Mount::tmpfs_mount(FOLDER))
                    .with_env_var("PGDATA", format!("{FOLDER}/data"));
            }
            run(request, kind, port, 5432).await?
        }
    };
    let address = format!("{host}:{port}");
    // An engine elsewhere is a host elsewhere, to which nothing goes in plain text unless the URL says so.
    let path = match kind {
        StoreKind::Redis => "",
        StoreKind::Postgres if host == "127.0.0.1" => "postgres",
        StoreKind::Postgres => "postgres?sslmode=disable",
    };
    let url = format!("{kind}://{user}{address}/{path}");
    probe::wait(kind, &address, START).await?;
    Ok((
        ContainerServer {
            kind,
            id,
            address,
            _container: container,
        },
        url,
    ))
}

/// Runs a container; returns its id, its host and its guard.
async fn run<I: Image + 'static>(
    request: ContainerRequest<I>,
    kind: StoreKind,
    port: u16,
    inner: u16,
) -> Result<(String, String, Box<dyn Any + Send>)> {
    let image = kind.image();
    let (name, tag) = name_and_tag(&image);
    let loopback = engine::is_here(&engine().await?).await;
    let container = request
        .with_name(name)
        .with_tag(tag)
        .with_label(engine::LABEL, engine::label(kind))
        .with_mapped_port(port, inner.tcp())
        .with_startup_timeout(START)
        .with_host_config_modifier(move |config| {
            // Only this machine may reach a test database.
            let bindings = config
                .port_bindings
                .iter_mut()
                .flat_map(HashMap::values_mut)
                .flatten()
                .flatten();
            bindings
                .filter(|_| loopback)
                .for_each(|binding| binding.host_ip = Some("127.0.0.1".to_owned()));
        })
        .start()
        .await
        // Its message has its causes already.
        .map_err(|error| anyhow!("could not start a container of {image}: {error}"))?;
    let host = if loopback {
        "127.0.0.1".to_owned()
    } else {
        container.get_host().await?.to_string()
    };
    Ok((container.id().to_owned(), host, Box::new(container)))
}

impl ContainerServer {
    pub(crate) async fn stop(&self) -> Result<()> {
        engine()
            .await?
            .stop_container(&self.id, None::<StopContainerOptions>)
            .await
            .context("could not stop the container")
    }

    pub(crate) async fn kill(&self) -> Result<()> {
        engine()
            .await?
            .kill_container(&self.id, None::<KillContainerOptions>)
            .await
            .context("could not kill the container")
    }

    pub(crate) async fn pause(&self) -> Result<()> {
        engine()
            .await?
            .pause_container(&self.id)
            .await
            .context("could not pause the container")
    }

    pub(crate) async fn resume(&self) -> Result<()> {
        engine()
            .await?
            .unpause_container(&self.id)
            .await
            .context("could not resume the container")
    }

    pub(crate) async fn restart(&self) -> Result<()> {
        engine()
            .await?
            .start_container(&self.id, None::<StartContainerOptions>)
            .await
            .context("could not start the container again")?;
        probe::wait(self.kind, &self.address, START).await
    }
}

impl std::fmt::Debug for ContainerServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerServer")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

pub(super) async fn ensure_image(docker: &Docker, kind: StoreKind) -> Result<()> {
    let image = kind.image();
    if docker.inspect_image(&image).await.is_ok() {
        return Ok(());
    }
    eprintln!("{kind}: pulling {image}");
    let (name, tag) = name_and_tag(&image);
    let pulled = match kind {
        StoreKind::Redis => timeout(
            PULL,
            Redis::default().with_name(name).with_tag(tag).pull_image(),
        )
        .await
        .map(|pull| pull.map(drop)),
        StoreKind::Postgres => timeout(
            PULL,
            Postgres::default()
                .with_name(name)
                .with_tag(tag)
                .pull_image(),
        )
        .await
        .map(|pull| pull.map(drop)),
    };
    pulled
        .with_context(|| format!("pulling {image} took too long"))?
        .map_err(|error| anyhow!("{image} is not here and could not be pulled: {error}"))
}

/// `name:tag`, where a registry's port is no tag.
pub(super) fn name_and_tag(image: &str) -> (&str, &str) {
    image
        .rsplit_once(':')
        .filter(|(_, tag)| !tag.contains('/'))
        .unwrap_or((image, "latest"))
}

#[cfg(test)]
mod tests {
    use super::name_and_tag;

    #[test]
    fn images_split_at_the_tag_and_not_at_a_registrys_port() {
        assert_eq!(name_and_tag("redis:7.0"), ("redis", "7.0"));
        assert_eq!(
            name_and_tag("registry.test:5000/redis"),
            ("registry.test:5000/redis", "latest")
        );
        assert_eq!(
            name_and_tag("registry.test:5000/redis:7"),
            ("registry.test:5000/redis", "7")
        );
    }
}

//! One service over stores of its own, with clients.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Result;
use tokio::time::sleep;
use url::Url;

use super::{
    clients::Clients,
    environment::{Environment, WINDOWS},
    scenario::Scenario,
};
use crate::harness::{
    proxy::Proxy,
    service::{Instance, Settings},
    stores::Store,
};

/// How often a supervisor starts a service, and the time between two starts.
const STARTS: u32 = 5;
const BETWEEN_STARTS: Duration = Duration::from_millis(200);

/// Which stores a service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    /// Redis and Postgres.
    Server,
    Embedded,
}

/// Over a Redis, and a schema in the environment's Postgres.
pub(super) struct ServerStack {
    pub(super) redis: Store,
    pub(super) schema: Url,
    pub(super) service: Instance,
    pub(super) scenario: Scenario,
    pub(super) clients: Clients,
}

impl ServerStack {
    /// Starts it with these settings (`SECTION__KEY`) besides the environment's.
    pub(super) async fn start(
        env: &mut Environment,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let (redis, schema) = (env.redis().await?, env.schema().await?);
        let at = [redis.url().parse()?, schema.clone()];
        Self::start_over(env, name, settings, (redis, schema), at).await
    }

    async fn start_over(
        env: &mut Environment,
        name: &str,
        settings: &[(&str, &str)],
        (redis, schema): (Store, Url),
        [redis_url, postgres_url]: [Url; 2],
    ) -> Result<Self> {
        let settings = with(env.settings().await?, settings).stores(&redis_url, &postgres_url);
        let service = env.start_service(&settings, name).await?;
        let scenario = env.scenario(name)?;
        scenario.route_to(&[service.url()]);
        let clients = Clients::new(&scenario);
        Ok(Self {
            redis,
            schema,
            service,
            scenario,
            clients,
        })
    }
}

/// The same with a proxy in front of each store.
pub(super) struct ProxiedStack {
    pub(super) stack: ServerStack,
    /// In front of Redis and of Postgres.
    pub(super) proxies: [Proxy; 2],
}

impl ProxiedStack {
    pub(super) async fn start(
        env: &mut Environment,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let (redis, schema) = (env.redis().await?, env.schema().await?);
        let redis_url = redis.url().parse()?;
        let proxies = [
            Proxy::start(&redis_url).await?,
            Proxy::start(&schema).await?,
        ];
        let at = [proxies[0].before(&redis_url)?, proxies[1].before(&schema)?];
        let stack = ServerStack::start_over(env, name, settings, (redis, schema), at).await?;
        Ok(Self { stack, proxies })
    }
}

/// Over the embedded store.
pub(super) struct EmbeddedStack {
    pub(super) service: Instance,
    pub(super) scenario: Scenario,
    pub(super) clients: Clients,
    /// The store's folder.
    pub(super) data: PathBuf,
}

impl EmbeddedStack {
    pub(super) async fn start(
        env: &Environment,
        name: &str,
        data: PathBuf,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let settings = with(embedded_settings(&data), settings);
        let service = env.start_service(&settings, name).await?;
        let scenario = env.scenario(name)?;
        scenario.route_to(&[service.url()]);
        let clients = Clients::new(&scenario);
        Ok(Self {
            service,
            scenario,
            clients,
            data,
        })
    }
}

/// The embedded profile's settings with its data in this folder.
pub(super) fn embedded_settings(data: &Path) -> Settings {
    Settings::new(&WINDOWS)
        .with("SESSIONS__MAX_PER_USER", "200")
        .data_dir(data)
}

fn with(settings: Settings, more: &[(&str, &str)]) -> Settings {
    more.iter()
        .fold(settings, |settings, (key, value)| settings.with(key, value))
}

/// Restarts a service as a supervisor does: repeatedly if it must, since a busy store may not answer the first time. Failed starts are
/// counted.
pub(super) async fn restart(service: &mut Instance, scenario: &Scenario) -> Result<()> {
    for _ in 1..STARTS {
        if service.restart().await.is_ok() {
            return Ok(());
        }
        scenario.check("starts that failed and were repeated");
        sleep(BETWEEN_STARTS).await;
    }
    service.restart().await
}

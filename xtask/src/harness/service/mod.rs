//! The instances under attack: those of somebody else, or our own, with as many as the cases need over each kind of store.

mod binary;
mod instance;
mod settings;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::sync::Mutex;
use url::Url;

use super::{interrupt::Interrupt, proxy::Proxy, windows::Windows};
use crate::torture::cases::Case;
pub(crate) use binary::Binary;
pub(crate) use instance::Instance;
pub(crate) use settings::Settings;

/// Instances for cases that stop them: rounds take turns.
const SPARES: usize = 3;

/// Where rounds are played: instances of the service over one kind of store.
pub(crate) struct Site {
    /// What its part of the table is headed with.
    pub(crate) name: String,
    /// What brings a round here again, on the command line.
    pub(crate) again: String,
    /// One file is both stores.
    pub(crate) embedded: bool,
    /// Replicas that stay up.
    pub(crate) urls: Vec<String>,
    /// Instances behind proxies that can be cut.
    pub(crate) outages: Vec<Mutex<Outage>>,
    /// Instances that may be killed.
    pub(crate) mortals: Vec<Mutex<Instance>>,
    /// Instances with a data folder of their own, to be set back to an earlier state.
    pub(crate) archives: Vec<Mutex<Instance>>,
    /// The white list that can be set back.
    pub(crate) redis: Option<Url>,
    replicas: Vec<Instance>,
    folder: Option<TempDir>,
}

/// An instance whose stores can be taken away.
pub(crate) struct Outage {
    pub(crate) instance: Instance,
    pub(crate) redis: Proxy,
    pub(crate) postgres: Proxy,
}

impl Site {
    /// Instances that run elsewhere.
    pub(crate) fn foreign(name: String, again: String, urls: Vec<String>) -> Self {
        Self {
            name,
            again,
            embedded: false,
            urls,
            outages: Vec::new(),
            mortals: Vec::new(),
            archives: Vec::new(),
            redis: None,
            replicas: Vec::new(),
            folder: None,
        }
    }

    /// Our own on the embedded store: two replicas over one folder, and spares with folders of their own.
    pub(crate) async fn embedded(
        binary: &Binary,
        windows: &Windows,
        cases: &[Case],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("revolve-torture-")
            .tempdir()
            .context("could not make a temporary directory")?;
        let settings = Settings::new(windows);
        let shared = settings.clone().with(
            "DATA_DIR",
            &folder.path().join("data").display().to_string(),
        );
        let mut site = Self::foreign(
            "embedded (SQLite)".to_owned(),
            "--store embedded".to_owned(),
            Vec::new(),
        );
        site.embedded = true;
        site.add_replicas(binary, &shared, folder.path().to_owned(), interrupt)
            .await?;
        for spare in 0..SPARES {
            let start = async |name: &str, settings: &Settings| {
                let home = folder.path().join(format!("{name}-{spare}"));
                let settings = settings
                    .clone()
                    .with("DATA_DIR", &home.join("data").display().to_string());
                interrupt
                    .guard(Instance::start(binary, &settings, home))
                    .await
            };
            if cases.contains(&Case::Killed) {
                site.mortals.push(Mutex::new(
                    start("mortal", &settings.clone().patient()).await?,
                ));
            }
            if cases.contains(&Case::Restored) {
                site.archives.push(Mutex::new(
                    start("archive", &settings.clone().patient()).await?,
                ));
            }
        }
        site.folder = Some(folder);
        Ok(site)
    }

    /// Our own on Redis and Postgres: two replicas, and spares over the same stores, directly or through proxies.
    pub(crate) async fn server(
        binary: &Binary,
        windows: &Windows,
        cases: &[Case],
        (redis, postgres): (&Url, &Url),
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("revolve-torture-")
            .tempdir()
            .context("could not make a temporary directory")?;
        let settings = Settings::new(windows).server().await?;
        let direct = settings.clone().stores(redis, postgres);
        let mut site = Self::foreign(
            "server (Redis, Postgres)".to_owned(),
            "--store server".to_owned(),
            Vec::new(),
        );
        site.add_replicas(binary, &direct, folder.path().to_owned(), interrupt)
            .await?;
        for spare in 0..SPARES {
            let home = |name: &str| folder.path().join(format!("{name}-{spare}"));
            if cases.contains(&Case::Killed) {
                let settings = direct.clone().patient();
                let instance = interrupt
                    .guard(Instance::start(binary, &settings, home("mortal")))
                    .await?;
                site.mortals.push(Mutex::new(instance));
            }
            if cases.contains(&Case::Outage) {
                let (first, second) = (
                    Proxy::start(redis, 6379).await?,
                    Proxy::start(postgres, 5432).await?,
                );
                let settings = settings
                    .clone()
                    .stores(&first.before(redis)?, &second.before(postgres)?)
                    .impatient();
                let instance = interrupt
                    .guard(Instance::start(binary, &settings, home("outage")))
                    .await?;
                site.outages.push(Mutex::new(Outage {
                    instance,
                    redis: first,
                    postgres: second,
                }));
            }
        }
        site.redis = Some(redis.clone());
        site.folder = Some(folder);
        Ok(site)
    }

    async fn add_replicas(
        &mut self,
        binary: &Binary,
        settings: &Settings,
        folder: PathBuf,
        interrupt: &Interrupt,
    ) -> Result<()> {
        for replica in ["a", "b"] {
            let home = folder.join(format!("replica-{replica}"));
            fs::create_dir_all(&home)?;
            let instance = interrupt
                .guard(Instance::start(binary, settings, home))
                .await?;
            self.urls.push(instance.url().to_owned());
            self.replicas.push(instance);
        }
        Ok(())
    }

    /// Everything that the replicas have said on standard error.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.replicas
            .iter()
            .flat_map(Instance::complaints)
            .collect()
    }
}

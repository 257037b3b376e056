//! What the server profile needs: Redis, and a schema of the run's own in Postgres.

use anyhow::{Context as _, Result};
use url::Url;

use super::{kind::StoreKind, postgres::Schema, set::Stores, store::Args};
use crate::harness::{interrupt::Interrupt, random};

pub(crate) struct ServerStores {
    stores: Stores,
    schema: Schema,
    redis: Url,
}

impl ServerStores {
    /// Starts or finds both; `purpose` begins the schema's name.
    pub(crate) async fn start(args: &Args, purpose: &str, interrupt: &Interrupt) -> Result<Self> {
        let stores = Stores::start(args, false, interrupt).await?;
        let prepared = async {
            let url = |kind| -> Result<Url> {
                let url = stores
                    .url(kind)
                    .with_context(|| format!("{kind} was not started"))?;
                Ok(url.parse()?)
            };
            let name = format!("{purpose}_{}", random::nonce());
            let schema = Schema::create(&url(StoreKind::Postgres)?, name).await?;
            Ok((url(StoreKind::Redis)?, schema))
        };
        match prepared.await {
            Ok((redis, schema)) => Ok(Self {
                stores,
                schema,
                redis,
            }),
            Err(error) => {
                stores.shut_down().await;
                Err(error)
            }
        }
    }

    pub(crate) fn redis(&self) -> &Url {
        &self.redis
    }

    /// The database's URL with the schema.
    pub(crate) fn postgres(&self) -> Url {
        self.schema.url()
    }

    /// Removes the schema and stops what was started.
    pub(crate) async fn shut_down(self) -> Result<()> {
        let removed = self.schema.remove().await;
        self.stores.shut_down().await;
        removed
    }
}

//! A schema of the run's own in Postgres, so that a database that somebody else uses is left as it was.

use anyhow::{Context as _, Result};
use tokio_postgres::NoTls;
use url::Url;

/// A schema.
pub(crate) struct Schema {
    database: Url,
    name: String,
}

impl Schema {
    /// Makes one with that name.
    pub(crate) async fn create(database: &Url, name: String) -> Result<Self> {
        execute(database, &format!("CREATE SCHEMA {name}")).await?;
        Ok(Self {
            database: database.clone(),
            name,
        })
    }

    /// The database's URL for a service that is to live in this schema.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.database.clone();
        url.query_pairs_mut()
            .append_pair("options", &format!("-csearch_path={}", self.name));
        url
    }

    /// Removes it with all that is in it.
    pub(crate) async fn remove(self) -> Result<()> {
        execute(
            &self.database,
            &format!("DROP SCHEMA {} CASCADE", self.name),
        )
        .await
    }
}

async fn execute(database: &Url, statement: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(database.as_str(), NoTls)
        .await
        .context("Postgres does not answer")?;
    let driver = tokio::spawn(connection);
    client
        .batch_execute(statement)
        .await
        .with_context(|| format!("`{statement}` failed"))?;
    drop(client);
    drop(driver.await);
    Ok(())
}

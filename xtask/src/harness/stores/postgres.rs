//! Connections to Postgres, and schemas of a run's own, so that a database that has other users stays as it was.

use std::ops::Deref;

use anyhow::{Context as _, Result};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, NoTls};
use url::Url;

/// A connection; dropping it closes it.
pub(crate) struct PostgresConnection {
    client: Client,
    driver: JoinHandle<Result<(), Error>>,
}

impl PostgresConnection {
    pub(crate) async fn open(url: &Url) -> Result<Self> {
        let (client, connection) = tokio_postgres::connect(url.as_str(), NoTls)
            .await
            .context("Postgres does not answer")?;
        Ok(Self {
            client,
            driver: tokio::spawn(connection),
        })
    }

    /// Closes it and waits until it is closed.
    pub(crate) async fn close(self) {
        drop(self.client);
        drop(self.driver.await);
    }
}

impl Deref for PostgresConnection {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// A schema.
pub(crate) struct Schema {
    database: Url,
    name: String,
}

impl Schema {
    pub(crate) async fn create(database: &Url, name: String) -> Result<Self> {
        execute(database, &format!("CREATE SCHEMA {name}")).await?;
        Ok(Self {
            database: database.clone(),
            name,
        })
    }

    /// The database's URL for a service that keeps its tables in this schema.
    pub(crate) fn url(&self) -> Url {
        let mut url = self.database.clone();
        url.query_pairs_mut()
            .append_pair("options", &format!("-csearch_path={}", self.name));
        url
    }

    /// Removes the schema and its tables.
    pub(crate) async fn remove(self) -> Result<()> {
        execute(
            &self.database,
            &format!("DROP SCHEMA {} CASCADE", self.name),
        )
        .await
    }
}

async fn execute(database: &Url, statement: &str) -> Result<()> {
    let connection = PostgresConnection::open(database).await?;
    connection
        .batch_execute(statement)
        .await
        .with_context(|| format!("`{statement}` failed"))?;
    connection.close().await;
    Ok(())
}

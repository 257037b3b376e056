//! A transaction, on a connection that has a session of its own or is given one of a pooler's.

use super::{
    pooling::PoolMode,
    statement::{Params, Statement},
};
use deadpool_postgres::Object;
use std::time::Duration;
use tokio_postgres::{Client, Error, IsolationLevel, Row, RowStream};

/// A transaction. One that is dropped is rolled back: by a message, or, behind a pooler, by its connection, which the
/// caller then must not use any more.
pub(super) struct Transaction<'a>(Inner<'a>);

enum Inner<'a> {
    Session(deadpool_postgres::Transaction<'a>),
    Pooled(&'a Object),
}

impl<'a> Transaction<'a> {
    /// Begins under read committed: what follows the lock on the user's row sees all that was committed before it. The
    /// server gives up on a statement, or on a transaction that is left open, after `limit`.
    pub(super) async fn begin(
        client: &'a mut Object,
        mode: PoolMode,
        limit: Duration,
    ) -> Result<Self, Error> {
        Ok(Self(match mode {
            // Its session has the limits.
            PoolMode::Session => Inner::Session(
                client
                    .build_transaction()
                    .isolation_level(IsolationLevel::ReadCommitted)
                    .start()
                    .await?,
            ),
            PoolMode::Transaction => {
                let begin = begin("READ COMMITTED", &limits(limit));
                if let Err(error) = client.batch_execute(&begin).await {
                    // It may have begun.
                    drop(client.batch_execute("ROLLBACK").await);
                    return Err(error);
                }
                Inner::Pooled(client)
            }
        }))
    }

    fn client(&self) -> &Client {
        match &self.0 {
            Inner::Session(tx) => tx.client(),
            Inner::Pooled(client) => client,
        }
    }

    pub(super) async fn prepare_cached(&self, sql: &'static str) -> Result<Statement, Error> {
        Ok(match &self.0 {
            Inner::Session(tx) => Statement::Prepared(tx.prepare_cached(sql).await?),
            Inner::Pooled(_) => Statement::Unnamed(sql),
        })
    }

    pub(super) async fn query(
        &self,
        statement: &Statement,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Error> {
        statement.query(self.client(), params).await
    }

    pub(super) async fn query_opt(
        &self,
        statement: &Statement,
        params: Params<'_>,
    ) -> Result<Option<Row>, Error> {
        statement.query_opt(self.client(), params).await
    }

    pub(super) async fn query_one(
        &self,
        statement: &Statement,
        params: Params<'_>,
    ) -> Result<Row, Error> {
        statement.query_one(self.client(), params).await
    }

    /// The rows as they come.
    pub(super) async fn query_stream(
        &self,
        statement: &Statement,
        params: Params<'_>,
    ) -> Result<RowStream, Error> {
        statement.query_stream(self.client(), params).await
    }

    /// The number of rows that changed.
    pub(super) async fn execute(
        &self,
        statement: &Statement,
        params: Params<'_>,
    ) -> Result<u64, Error> {
        statement.execute(self.client(), params).await
    }

    pub(super) async fn batch_execute(&self, sql: &str) -> Result<(), Error> {
        self.client().batch_execute(sql).await
    }

    pub(super) async fn commit(self) -> Result<(), Error> {
        match self.0 {
            Inner::Session(tx) => tx.commit().await,
            Inner::Pooled(client) => client.batch_execute("COMMIT").await,
        }
    }

    pub(super) async fn rollback(self) -> Result<(), Error> {
        match self.0 {
            Inner::Session(tx) => tx.rollback().await,
            Inner::Pooled(client) => client.batch_execute("ROLLBACK").await,
        }
    }
}

/// Runs a statement. Answers how many rows it changed or found.
pub(super) async fn run(
    tx: &Transaction<'_>,
    sql: &'static str,
    params: Params<'_>,
) -> Result<u64, Error> {
    let statement = tx.prepare_cached(sql).await?;
    tx.execute(&statement, params).await
}

/// Begins a transaction whose settings end with it, in one message.
pub(super) fn begin(isolation: &str, settings: &[(&str, u128)]) -> String {
    let set = settings
        .iter()
        .map(|(name, millis)| format!("; SET LOCAL {name} = {millis}"));
    format!(
        "START TRANSACTION ISOLATION LEVEL {isolation}{}",
        set.collect::<String>()
    )
}

/// After which time, in milliseconds, the server gives up on a statement and on a transaction that is left open.
pub(super) fn limits(limit: Duration) -> [(&'static str, u128); 2] {
    // 0 would be no limit at all.
    let millis = limit.as_millis().max(1);
    [
        ("statement_timeout", millis),
        ("idle_in_transaction_session_timeout", millis),
    ]
}

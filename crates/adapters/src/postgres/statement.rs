//! Statements and their parameters, in both ways that they reach the server: prepared once per connection, or, behind a
//! pooler, without a name and with the types of the parameters, in one message.

use super::{pooling::PoolMode, values::PgTimestamp};
use deadpool_postgres::ClientWrapper;
use std::net::IpAddr;
use tokio_postgres::{
    Client, Error, Row, RowStream,
    types::{ToSql, Type},
};
use uuid::Uuid;

/// The parameters of a statement.
pub(super) type Params<'a> = &'a [&'a dyn Param];

/// A type of Rust whose values are sent as one type of Postgres.
pub(super) trait SqlType {
    const TYPE: Type;
}

/// Types with an array type.
pub(super) trait ElementType {
    const ARRAY: Type;
}

macro_rules! sql_types {
    ($($rust:ty => $sql:ident),+ $(,)?) => {
        $(impl SqlType for $rust { const TYPE: Type = Type::$sql; })+
    };
}

sql_types! {
    bool => BOOL,
    i16 => INT2,
    i32 => INT4,
    i64 => INT8,
    str => TEXT,
    String => TEXT,
    [u8] => BYTEA,
    Vec<u8> => BYTEA,
    Uuid => UUID,
    IpAddr => INET,
    PgTimestamp => TIMESTAMPTZ,
}

impl ElementType for i64 {
    const ARRAY: Type = Type::INT8_ARRAY;
}

impl ElementType for &str {
    const ARRAY: Type = Type::TEXT_ARRAY;
}

impl ElementType for String {
    const ARRAY: Type = Type::TEXT_ARRAY;
}

impl ElementType for IpAddr {
    const ARRAY: Type = Type::INET_ARRAY;
}

impl<T: ElementType> ElementType for Option<T> {
    const ARRAY: Type = T::ARRAY;
}

impl ElementType for Uuid {
    const ARRAY: Type = Type::UUID_ARRAY;
}

impl ElementType for PgTimestamp {
    const ARRAY: Type = Type::TIMESTAMPTZ_ARRAY;
}

impl<T: SqlType + ?Sized> SqlType for &T {
    const TYPE: Type = T::TYPE;
}

impl<T: SqlType> SqlType for Option<T> {
    const TYPE: Type = T::TYPE;
}

impl<T: ElementType> SqlType for Vec<T> {
    const TYPE: Type = T::ARRAY;
}

/// A value for a statement, which knows its type in Postgres.
pub(super) trait Param: Sync {
    fn value(&self) -> &(dyn ToSql + Sync);
    fn sql_type(&self) -> Type;
}

impl<T: SqlType + ToSql + Sync> Param for T {
    fn value(&self) -> &(dyn ToSql + Sync) {
        self
    }

    fn sql_type(&self) -> Type {
        T::TYPE
    }
}

/// A statement as a connection runs it.
pub(super) enum Statement {
    /// Parsed and named in the session of the connection.
    Prepared(tokio_postgres::Statement),
    /// Sent with its text each time, and nothing of it stays in the session.
    Unnamed(&'static str),
}

impl Statement {
    pub(super) async fn on(
        client: &ClientWrapper,
        mode: PoolMode,
        sql: &'static str,
    ) -> Result<Self, Error> {
        Ok(match mode {
            PoolMode::Session => Self::Prepared(client.prepare_cached(sql).await?),
            PoolMode::Transaction => Self::Unnamed(sql),
        })
    }

    pub(super) async fn query(
        &self,
        client: &Client,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Error> {
        match self {
            Self::Prepared(statement) => client.query(statement, &values(params)).await,
            Self::Unnamed(sql) => client.query_typed(sql, &typed(params)).await,
        }
    }

    pub(super) async fn query_opt(
        &self,
        client: &Client,
        params: Params<'_>,
    ) -> Result<Option<Row>, Error> {
        match self {
            Self::Prepared(statement) => client.query_opt(statement, &values(params)).await,
            Self::Unnamed(sql) => client.query_typed_opt(sql, &typed(params)).await,
        }
    }

    pub(super) async fn query_one(
        &self,
        client: &Client,
        params: Params<'_>,
    ) -> Result<Row, Error> {
        match self {
            Self::Prepared(statement) => client.query_one(statement, &values(params)).await,
            Self::Unnamed(sql) => client.query_typed_one(sql, &typed(params)).await,
        }
    }

    /// The rows as they come.
    pub(super) async fn query_stream(
        &self,
        client: &Client,
        params: Params<'_>,
    ) -> Result<RowStream, Error> {
        match self {
            Self::Prepared(statement) => client.query_raw(statement, values(params)).await,
            Self::Unnamed(sql) => client.query_typed_raw(sql, typed(params)).await,
        }
    }

    /// The number of rows that changed.
    pub(super) async fn execute(&self, client: &Client, params: Params<'_>) -> Result<u64, Error> {
        match self {
            Self::Prepared(statement) => client.execute(statement, &values(params)).await,
            Self::Unnamed(sql) => client.execute_typed(sql, &typed(params)).await,
        }
    }
}

fn values(params: Params<'_>) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param.value()).collect()
}

fn typed(params: Params<'_>) -> Vec<(&(dyn ToSql + Sync), Type)> {
    params
        .iter()
        .map(|param| (param.value(), param.sql_type()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_domain::model::Timestamp;
    use tokio_postgres::types::private::BytesMut;

    #[test]
    fn each_type_of_a_parameter_is_one_that_its_value_can_be_sent_as() {
        let (id, at) = (Uuid::nil(), PgTimestamp(Timestamp::from_seconds(0)));
        let address: IpAddr = [127, 0, 0, 1].into();
        let params: Params<'_> = &[
            &true,
            &1_i16,
            &1_i32,
            &1_i64,
            &"text",
            &String::new(),
            &&[1_u8][..],
            &vec![1_u8],
            &id,
            &address,
            &at,
            &vec![id],
            &vec![at],
            &vec![String::new()],
            &vec!["text"],
            &vec![Some(address), None],
            &None::<&str>,
            &Some(&id),
        ];
        for (value, sql_type) in typed(params) {
            let sent = value.to_sql_checked(&sql_type, &mut BytesMut::new());
            assert!(sent.is_ok(), "{value:?} as {sql_type}");
        }
    }
}

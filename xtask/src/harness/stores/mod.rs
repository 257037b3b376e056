//! Redis and Postgres for tests and experiments, each reached by the first way that works: a URL from the environment, a container, a
//! local server. They end with the process that started them.

mod certificates;
mod containers;
mod engine;
mod group;
mod install;
mod kind;
mod local;
mod pooler;
mod postgres;
mod probe;
mod program;
mod redis;
mod server_stores;
mod set;
mod store;

pub(crate) use self::{
    group::{Group, GroupSpec},
    kind::StoreKind,
    pooler::Pooler,
    postgres::{PostgresConnection, Schema},
    redis::RedisConnection,
    server_stores::ServerStores,
    set::{Layout, Stores},
    store::{Args, Store},
};

//! Connections to Redis, in each of the three modes.

mod cluster;
pub(super) mod config;
mod connect;
mod connection;
pub(super) mod failure;
pub(super) mod pool;
mod routing;
mod sentinel;
pub(super) mod server_info;
mod slot_map;
pub(super) mod topology;
pub(super) mod url;

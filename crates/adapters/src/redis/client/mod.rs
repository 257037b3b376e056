//! Connections to Redis in each of the three modes: what reconnects, shares, routes and judges them. Nothing here knows the scripts.
//!
//! `topology` is the interface: one `pool` of `connection`s to an `endpoint` (a server, or the master that `sentinel` finds), or one pool
//! for each master of a `cluster`, with `routing` by the `slot_map`.

mod cluster;
pub(super) mod config;
mod connect;
mod connection;
mod endpoint;
pub(super) mod failure;
pub(super) mod pool;
mod routing;
pub(super) mod script;
mod sentinel;
pub(super) mod server_info;
mod slot_map;
pub(super) mod topology;
pub(super) mod url;

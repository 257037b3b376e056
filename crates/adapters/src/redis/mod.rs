//! The white list of refresh tokens in Redis 7: one hash for each live session, one index for each user, one Lua script for each intent
//! (`docs/sessions.md`). Rotation is decided in `lua/`. No type of the Redis client leaves this module.
//!
//! - `client`: connections to a server, a master under Sentinels, or a cluster
//! - `tokens`, `scripts`, `keys`, `reply`: the port, and what is sent and answered
//! - `limits`: the buckets of rate limits
//! - `revoked_keys`: the keys that no backup may bring back
//! - `permissions`: whether the user of the URL may run what scripts need
//! - `inspect`: reads the servers' settings, for `revolve doctor`

mod client;
mod inspect;
mod keys;
mod limits;
mod permissions;
mod reply;
mod revoked_keys;
mod scripts;
mod tokens;

pub use client::config::{RedisConfig, RedisMode, SentinelConfig};
pub use inspect::{Inspected, RedisFacts, inspect, plain_hosts};
pub use limits::{BucketNames, RedisLimits};
pub use revoked_keys::RedisRevokedKeys;
pub use tokens::RedisTokens;

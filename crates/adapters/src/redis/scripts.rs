//! The Lua scripts, one for each operation. They are called by digest, and loaded again when a server does not know them (after a restart, on
//! a new master).
//!
//! The first line holds the flags. Refreshing and signing out must work when Redis has no memory left, so those scripts may exceed the
//! limit (`allow-oom`); signing in is refused then. No script leaves the hash slot of its keys.

use super::client::{failure::RedisFailure, pool::ConnectionPool, script::script};
use deadpool_redis::redis::Script;

pub(super) struct Scripts {
    pub(super) begin: Script,
    pub(super) rotate: Script,
    pub(super) end: Script,
    pub(super) end_older: Script,
    pub(super) list: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            begin: script!("", "lua/shared.lua", "lua/begin.lua"),
            rotate: script!(" flags=allow-oom", "lua/shared.lua", "lua/rotate.lua"),
            end: script!(" flags=allow-oom", "lua/shared.lua", "lua/end.lua"),
            end_older: script!(" flags=allow-oom", "lua/shared.lua", "lua/end_older.lua"),
            list: script!(" flags=no-writes", "lua/shared.lua", "lua/list.lua"),
        }
    }

    /// Loads them into a server, so that a script that it refuses is found at the start.
    pub(super) async fn load(&self, server: &ConnectionPool) -> Result<(), RedisFailure> {
        for script in [
            &self.begin,
            &self.rotate,
            &self.end,
            &self.end_older,
            &self.list,
        ] {
            server
                .run(server.deadline(), async |mut connection| {
                    script.load_async(&mut connection).await
                })
                .await?;
        }
        Ok(())
    }
}

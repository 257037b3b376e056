//! The Lua scripts, one per intent. They are called by digest, and loaded again where a server does not know them (after a restart, on a
//! new primary).
//!
//! The first line says what Redis may assume of a script. Refreshing and signing out must work when Redis has no memory left, so those
//! may go over the limit (`allow-oom`); signing in is refused then. No script may leave the user's hash slot.

use super::client::{failure::Failure, pool::Node};
use deadpool_redis::redis::Script;

macro_rules! script {
    ($flags:literal, $file:literal) => {
        Script::new(concat!(
            "#!lua",
            $flags,
            "\n",
            include_str!("lua/shared.lua"),
            "\n",
            include_str!($file)
        ))
    };
}

/// All of them.
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
            begin: script!("", "lua/begin.lua"),
            rotate: script!(" flags=allow-oom", "lua/rotate.lua"),
            end: script!(" flags=allow-oom", "lua/end.lua"),
            end_older: script!(" flags=allow-oom", "lua/end_older.lua"),
            list: script!(" flags=no-writes", "lua/list.lua"),
        }
    }

    /// Loads them all into a server, so that one that would refuse one is found out at the start.
    pub(super) async fn load(&self, server: &Node) -> Result<(), Failure> {
        for script in [
            &self.begin,
            &self.rotate,
            &self.end,
            &self.end_older,
            &self.list,
        ] {
            server
                .run(server.deadline(), async |mut link| {
                    script.load_async(&mut link).await
                })
                .await?;
        }
        Ok(())
    }
}

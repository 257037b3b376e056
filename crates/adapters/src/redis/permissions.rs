//! Whether the user of the URL may run what is needed. Without it a start would succeed, and each sign-in fail.

use super::client::{
    failure::{RedisFailure, mentions},
    pool::ConnectionPool,
    script::Script,
};

/// Named like keys of sessions and of limits, so that the same permissions hold. They are never written.
pub(super) const KEYS: [&str; 2] = ["{doctor}:key", "{limits}:doctor"];

/// The commands that the user may not run; sorted. Runs a script that changes nothing. It declares no key, so that it runs on any node
/// of a cluster: permissions are checked before hash slots.
///
/// # Errors
/// If the server fails, which includes that the user may not call scripts.
pub(super) async fn denied(server: &ConnectionPool) -> Result<Vec<String>, RedisFailure> {
    // No flags: these would let the server refuse it for other reasons, such as a lack of memory.
    let script = Script::new(include_str!("lua/permissions.lua"));
    let mut call = script.prepare_invoke();
    call.arg(&KEYS[..]);
    let mut denied: Vec<String> = server
        .run(server.deadline(), async |mut connection| {
            call.invoke_async(&mut connection).await
        })
        .await?;
    denied.sort();
    denied.dedup();
    Ok(denied)
}

/// Whether the user may not do what was asked.
pub(super) fn is_denied(failure: &RedisFailure) -> bool {
    matches!(failure, RedisFailure::Command { source, .. }
        if source.code() == Some("NOPERM") || mentions(source, "no permissions"))
}

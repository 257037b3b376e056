//! A Lua script out of several files.

pub(crate) use deadpool_redis::redis::Script;

/// A script with these flags and the text of these files, which are beside the caller's.
macro_rules! script {
    ($flags:literal, $($file:literal),+) => {
        $crate::redis::client::script::Script::new(concat!(
            "#!lua", $flags, $("\n", include_str!($file)),+
        ))
    };
}
pub(crate) use script;

//! The cases: each is an attack or a bad network, run once per round with random choices, and judged by what clients see.

mod case;
mod copied;
mod dropped;
mod observed_session;
mod password;
mod replay;
mod sign_out;
mod stolen;
mod tabs;
mod timing;

pub(super) use self::case::Case;

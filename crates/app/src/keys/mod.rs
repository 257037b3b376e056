//! The keys that sign tokens: where their material comes from, the ring that follows the user database, and the command
//! for operators.

mod command;
mod live;
mod material;
mod seen;
mod start;
mod table;

pub use command::{KeysCommand, Use, run};
pub(crate) use live::{LiveKeys, warn};
pub(crate) use material::{Material, retired_key};
pub(crate) use seen::SeenTokens;
pub(crate) use start::start;

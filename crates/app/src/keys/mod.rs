//! The keys that sign tokens: where their material comes from, and the ring that follows the user database.

pub(crate) mod embedded;
mod live;
mod material;
mod start;

pub(crate) use live::{LiveKeys, warn};
pub(crate) use material::{Material, retired_key};
pub(crate) use start::start;

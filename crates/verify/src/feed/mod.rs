//! Follows the issuer's revocation feed.

mod document;
mod follow;
mod index;
#[cfg(test)]
mod model;
mod packed;
mod status;

pub use document::LONGEST_STATEMENT;
pub(crate) use follow::FollowedFeed;
pub use status::{FeedHealth, FeedStatus};

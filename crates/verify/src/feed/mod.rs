//! The revocation feed: a signed document that lists the sessions which ended, and the users whose epoch rose, within the
//! last life of an ID token. Tokens of those are refused, although they would still be good by themselves.

mod document;
mod follow;
mod snapshot;

pub(crate) use follow::FollowedFeed;

//! Webhooks beside a fault: two endpoints that get the same events, the user database between, and what must hold of them.

mod claims;
mod endpoint;
mod stack;
mod store;

pub(super) use self::{
    endpoint::Endpoint,
    stack::{HookStacks, TIMEOUT, has_taken, watch},
    store::{HookStore, POLL, now},
};

//! Sessions: authentication by ID token, refresh, list, introspection, end, and the upkeep of both stores.

mod authenticate;
mod clear;
mod end;
mod end_one;
mod end_session;
mod introspect_token;
mod list_sessions;
mod prune;
mod refresh;
mod revocation_feed;
mod revoke_token;
mod sign_out;

pub use authenticate::{Authenticate, Authenticated, Caller};
pub use clear::Clear;
pub use end_session::{EndSession, EndSessionError};
pub use introspect_token::{ActiveToken, IntrospectToken};
pub use list_sessions::{ListSessions, SessionView};
pub use prune::Prune;
pub use refresh::{Refresh, RefreshRequest, Refreshed};
pub use revocation_feed::RevocationFeed;
pub use revoke_token::RevokeToken;
pub use sign_out::{SignOut, SignOutScope};

pub(crate) use end::End;
pub(crate) use end_one::EndOne;

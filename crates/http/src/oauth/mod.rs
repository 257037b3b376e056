//! What ordinary OAuth clients and OpenID Connect libraries know how to call: the token endpoint, revocation, introspection, user info, and the
//! documents that name these. They are the same use cases as those of the account API, in the words of the standards.
//!
//! Nothing here is below [`crate::BASE`]: discovery names each at the issuer's URL.

mod discovery;
mod form;
mod introspect;
mod revoke;
mod token;
mod userinfo;

pub(crate) use discovery::{authorization_server_docs, configuration, configuration_docs};
pub(crate) use introspect::{introspect, introspect_docs};
pub(crate) use revoke::{revoke, revoke_docs};
pub(crate) use token::{token, token_docs};
pub(crate) use userinfo::{post_userinfo_docs, userinfo, userinfo_docs};

/// The token endpoint (RFC 6749 §3.2).
pub(crate) const TOKEN: &str = "/oauth/token";
/// The revocation endpoint (RFC 7009 §2).
pub(crate) const REVOKE: &str = "/oauth/revoke";
/// The introspection endpoint (RFC 7662 §2).
pub(crate) const INTROSPECT: &str = "/oauth/introspect";
/// The user info endpoint (OpenID Connect Core 1.0 §5.3).
pub(crate) const USERINFO: &str = "/userinfo";

/// The one grant (RFC 6749 §6): what begins a session is the account API's.
const GRANT: &str = "refresh_token";

/// What every session has been granted, in OAuth's words. There are no others: what a user may do is said by roles.
const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// How an access token is used (RFC 6750).
const BEARER: &str = "Bearer";

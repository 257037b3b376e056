//! The HTTP API as actix-web scopes. A handler parses, calls one use case and maps its outcome; it decides nothing.
//!
//! Each capability is a folder: handlers, wire types, documentation and the mapping to problem documents. [`routes`] lists every
//! operation once; the router and the OpenAPI document are made from it. `kit` is what the capabilities share. `pages` are for people: a
//! second client of the same use cases, without scripts.

mod accounts;
mod admin;
mod documents;
mod email;
mod factors;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod health;
mod keys;
mod kit;
mod oauth;
mod pages;
mod passkeys;
mod recovery;
mod revocations;
mod routes;
mod services;
mod sessions;

pub use health::{Dependencies, Stopping};
pub use keys::Discovery;
pub use kit::{
    caller::Bearer,
    cookies::CookieSettings,
    deadline::ReceivedAt,
    forwarded::{ForwardedHeader, TrustedProxies},
    origins::Origins,
    problem::Problem,
    shield::{HEAD_LIMIT, Shield},
    sliced::WRITE_AHEAD,
    watch::Watch,
};
pub use pages::{Accent, AccentError, Logo, LogoError, PageOptions, PageSettings};
pub use revocations::feed::{Demand, EndNotices, Feed, FeedSettings};
pub use routes::{
    account_pages, admin_api, api, description, health_checks, metrics, nothing_else,
    oauth_endpoints, well_known,
};
pub use services::{AdminServices, Layers, Services};

/// The path below which the API lives.
pub const BASE: &str = "/api/account";

/// The path below which the admin API lives, on the listener for operators.
pub const ADMIN_BASE: &str = "/api/admin";

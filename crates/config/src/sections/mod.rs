//! One file per section.

mod accounts;
mod hashing;
mod http;
mod import;
mod journal;
mod limits;
mod log;
mod mail;
mod operators;
mod pages;
mod passkeys;
mod passwords;
mod postgres;
mod profile;
mod redis;
mod secrets;
mod sessions;
mod tls;
mod tokens;
mod traces;
mod webhooks;

pub use accounts::{Accounts, RequireFactorName, VerificationName};
pub use hashing::Hashing;
pub use http::{ForwardedHeader, Http};
pub use import::Import;
pub use journal::Journal;
pub use limits::{Limits, RateSetting};
pub use log::{Log, LogFormat};
pub use mail::{Mail, MailLinks};
pub use operators::Operators;
pub use pages::Pages;
pub use passkeys::Passkeys;
pub use passwords::Passwords;
pub use postgres::Postgres;
pub use profile::Profile;
pub use redis::{Redis, RedisModeName, Sentinel};
pub use secrets::Secrets;
pub use sessions::{ReusePolicyName, Sessions};
pub use tls::Tls;
pub use tokens::Tokens;
pub use traces::Traces;
pub use webhooks::Webhooks;

/// What a section can't say by types alone: whether it holds, and the line for when it does not.
pub(crate) type Rule = (bool, &'static str);

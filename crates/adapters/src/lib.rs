//! Adapters for the ports of `revolve-domain`: one module and one cargo feature per technology.

#[cfg(feature = "argon2")]
pub mod argon2;
#[cfg(any(feature = "argon2", feature = "zxcvbn"))]
mod fair_queue;
#[cfg(feature = "jose")]
pub mod jose;
#[cfg(feature = "legacy")]
pub mod legacy;
#[cfg(feature = "limits")]
pub mod limits;
#[cfg(any(feature = "jose", feature = "redis", feature = "webhooks"))]
mod mac;
#[cfg(feature = "mail")]
pub mod mail;
#[cfg(feature = "mail_files")]
pub mod mail_files;
#[cfg(feature = "totp")]
pub mod one_time_codes;
#[cfg(feature = "passkeys")]
pub mod passkeys;
#[cfg(any(feature = "jose", feature = "tls"))]
mod pem;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod per_thread;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "smtp")]
pub mod smtp;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "system")]
pub mod system;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "webhooks")]
pub mod webhooks;
#[cfg(feature = "zxcvbn")]
pub mod zxcvbn;

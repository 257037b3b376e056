//! Verifies ID tokens of a Revolve account service in the services that rely on it.
//!
//! A [`Verifier`] fetches the issuer's key set, keeps it fresh in the background and checks tokens without a request
//! (RFC 7515, RFC 7519, RFC 8725). With a [`FeedConfig`] it also follows the issuer's revocation feed, so that a sign-out
//! counts here within about a second, and so does a change of roles. It links no other crate of Revolve and no OpenSSL.
//!
//! ```no_run
//! # #[cfg(feature = "http")]
//! # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use revolve_verify::{FeedConfig, Verifier, VerifierConfig};
//!
//! let mut config = VerifierConfig::new("https://accounts.example.org", "my-services");
//! config.feed = Some(FeedConfig::default());
//! let verifier = Verifier::start(&config)?; // once, when the service starts; cheap to clone
//!
//! let claims = verifier.verify(token).await?;
//! println!("{} is {}", claims.user.uid, claims.user.email);
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `actix` there is an extractor, with `tower` a layer (for axum and others). Both can require an authentication that is recent, or by
//! certain methods: [`RequiredAuthentication`].
//!
//! # What is accepted
//!
//! - Exactly two dots and nothing but the base64url alphabet around them, at most [`LONGEST_TOKEN`] bytes, each part
//!   in canonical base64url (RFC 7515 §2).
//! - A header with `kid`, with `typ` that is exactly `JWT`, and with the `alg` that the key of that `kid` is for: the key
//!   chooses the algorithm, never the token (RFC 8725 §3.1). A key for Ed25519 takes both names of that algorithm,
//!   `Ed25519` and `EdDSA`. `crit` and `b64` are refused. `jku`, `x5u`, `x5c`, `jwk` and all other members are never read
//!   (RFC 7515 §4).
//! - JSON in which no object names a member twice.
//! - The expected `iss`; an `aud` that is, or is an array that has, the expected one; `exp` in the future; `iat` and, if there
//!   is one, `nbf` not in the future; all of them whole numbers, with [`VerifierConfig::leeway`].
//! - `sub`, `sid`, `epoch`, `auth_time` and `user` as the service writes them, `user.uid` being `sub`; and so `amr`, `email_verified`,
//!   `roles`, `app` and `version`, if they are there. Claims of other names are ignored: the service may add some (RFC 7519 §4).
//!
//! A refresh token is never accepted: its `typ`, algorithm, key and claims are different.

#[cfg(feature = "actix")]
pub mod actix;
mod algorithm;
mod authentication;
#[cfg(any(feature = "actix", feature = "tower"))]
mod bearer;
mod claims;
mod clock;
mod config;
mod error;
mod feed;
pub mod fetch;
mod json;
mod jwk_set;
mod jws;
mod key_cache;
#[cfg(any(feature = "actix", feature = "tower"))]
mod problem;
#[cfg(any(feature = "actix", feature = "tower"))]
mod requirement;
mod task;
#[cfg(feature = "tower")]
pub mod tower;
mod verifier;

pub use algorithm::Algorithm;
pub use authentication::{InsufficientAuthentication, RequiredAuthentication};
pub use claims::{Claims, User};
pub use clock::{Clock, SystemClock};
pub use config::{FeedConfig, Stale, VerifierConfig, VerifierConfigError};
pub use error::VerifyError;
pub use feed::{FeedHealth, FeedStatus, LONGEST_STATEMENT};
pub use jwk_set::{JwkSet, JwkSetError};
pub use jws::LONGEST_TOKEN;
pub use verifier::Verifier;

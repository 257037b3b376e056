//! What the service does, one use case per file: a struct with exactly the ports that it uses and one method, `execute`.
//!
//! A new use case is a file in the folder of its capability and one line in `assembly.rs`.

mod accounts;
mod api_keys;
mod assembly;
mod email;
mod factors;
mod journal;
mod keys;
mod mail;
mod parts;
mod recovery;
mod sessions;
mod webhooks;

pub use accounts::*;
pub use api_keys::*;
pub use assembly::{AdminUseCases, UseCases};
pub use email::*;
pub use factors::*;
pub use journal::*;
pub use keys::*;
pub use mail::*;
pub use parts::*;
pub use recovery::*;
pub use sessions::*;
pub use webhooks::*;
